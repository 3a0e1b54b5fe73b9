import Foundation
import Networks
import Runs

/// Reads what is new in a run's store, live or finished, as figures in the order of their steps.
final class RunFigures {
  /// What one look brings.
  struct News {
    /// When the run began, seconds since 1970, where all that was told before is void: at first,
    /// and when a resumed run took steps back.
    var startsAnew: Double?
    let settings: RunSettings
    var figures: [Figure] = []
    /// Whether another look brings more at once.
    var hasMore = false
  }

  let folder: RunFolder
  let settings: RunSettings
  let reader: RunReader
  /// Seconds since 1970 at which the run began; 0 before.
  private(set) var begun = 0.0
  private var clock = StepClock()
  private var session: Int?
  private var choices: [Choice] = []
  private var lastStep = -1
  private var lastEpoch = -1
  private var theta: ThetaRecord?
  private var hasNetwork = false
  private var hasResult = false
  /// Time of the last figure.
  private var time = 0.0
  /// The first candidate of a joint search that was not told, and the best of those before.
  private var nextTrial = 1
  private var best = -1.0

  /// Steps of one look.
  private static let limit = 1000

  init(_ folder: RunFolder) throws {
    self.folder = folder
    settings = try folder.settings()
    reader = try folder.reader()
  }

  /// What has come since the last look.
  func next() throws -> News {
    var news = News(settings: settings)
    try takeSessions(&news)
    if choices.isEmpty { choices = try reader.choices() }
    try takeNetwork(&news)
    // A run that has a result has written everything before.
    let result = try reader.result()
    if settings.kind == .joint {
      try takeTrials(&news)
    } else {
      try takeSteps(&news)
    }
    if let result, !hasResult, !news.hasMore {
      hasResult = true
      take(try RunResult(json: result), &news)
    }
    return news
  }

  private func takeSessions(_ news: inout News) throws {
    let sessions = try reader.sessions()
    guard sessions.count != session else { return }
    // Candidates are never taken back.
    let startsAnew = begun == 0 || settings.kind != .joint
    session = sessions.count
    hasResult = false
    guard startsAnew else { return }
    begun = sessions.first?.startedAt ?? 0
    (clock, time, news.startsAnew) = (StepClock(sessions), begun, begun)
    (lastStep, lastEpoch, theta, choices, hasNetwork) = (-1, -1, nil, [], false)
  }

  private func takeSteps(_ news: inout News) throws {
    // Epochs before steps: all steps of an epoch that is there are there as well.
    var epochs = try reader.epochs(after: lastEpoch)[...]
    let steps = try reader.steps(after: lastStep, limit: Self.limit)
    var thetas = try reader.thetas(after: lastStep, limit: steps.count + 1)[...]
    news.hasMore = steps.count == Self.limit
    for step in steps {
      while let epoch = epochs.first, epoch.step <= step.step {
        take(epochs.removeFirst(), &news)
      }
      time = clock.end(of: step)
      lastStep = step.step
      take(step, &news)
      while let next = thetas.first, next.step <= step.step {
        take(thetas.removeFirst(), &news)
      }
    }
    while let epoch = epochs.first, epoch.step <= lastStep + 1 {
      take(epochs.removeFirst(), &news)
    }
  }

  private func add(_ series: String, _ step: Int, _ value: Double?, _ news: inout News) {
    guard let value, value.isFinite else { return }
    news.figures.append(Figure(series: series, step: step, time: time, value: .scalar(value)))
  }

  private func add(_ series: String, _ step: Int, markdown: String, _ news: inout News) {
    news.figures.append(Figure(series: series, step: step, time: time, value: .text(markdown)))
  }

  private func take(_ step: StepRecord, _ news: inout News) {
    func add(_ series: String, _ value: Double?) { self.add(series, step.step, value, &news) }
    let phase = "/" + step.phase.rawValue
    add("loss" + phase, step.loss)
    add("cross_entropy" + phase, step.crossEntropy)
    add("accuracy" + phase, step.accuracy)
    add("learning_rate" + phase, step.learningRate)
    add("images_per_second" + phase, step.seconds > 0 ? Double(step.images) / step.seconds : nil)
    // A training has neither: its temperature is 0, its cost the network's.
    guard settings.kind != .training else { return }
    add("cost" + phase, step.cost)
    add("temperature", step.temperature)
    add("multiplier", step.multiplier)
  }

  private func take(_ theta: ThetaRecord, _ news: inout News) {
    self.theta = theta
    add("cost/expected", theta.step, theta.expectedCost, &news)
    for (choice, shares) in zip(choices, theta.probabilities) where shares.count > 1 {
      news.figures.append(
        Figure(
          series: "probability/" + choice.id,
          step: theta.step,
          time: time,
          value: .shares(shares)
        )
      )
    }
  }

  private func take(_ epoch: EpochRecord, _ news: inout News) {
    lastEpoch = epoch.epoch
    time = clock.end(of: epoch)
    func add(_ series: String, _ value: Double?) { self.add(series, epoch.step, value, &news) }
    add("loss/train", epoch.trainLoss)
    add("loss/validation", epoch.validationLoss)
    add("accuracy/train", epoch.trainAccuracy)
    add("accuracy/validation", epoch.validationAccuracy)
    add("accuracy/top_five", epoch.topFive)
    add("epoch/seconds", epoch.seconds)
    guard settings.kind != .training else { return }
    add("accuracy/argmax", epoch.argmaxAccuracy)
    add("argmax/flops", epoch.argmaxFlops)
    add("argmax/params", epoch.argmaxParams)
    add("argmax/latency_ms", epoch.argmaxLatency)
    add("choices/settled", epoch.settled.map(Double.init))
    add("choices/mean_entropy_bits", epoch.meanEntropyBits)
    guard let theta else { return }
    let rows = zip(choices, theta.probabilities).map { choice, shares -> [String] in
      let top = shares.indices.max { shares[$0] < shares[$1] } ?? 0
      return [choice.name, choice.options.at(top)?.name ?? "\(top)", Format.percent(shares[top])]
    }
    self.add(
      "architecture/most_probable",
      epoch.step,
      markdown: Self.table([["choice", "most probable", "probability"]] + rows),
      &news
    )
  }

  /// Candidates in the order of their numbers: what draws them wants ascending steps.
  private func takeTrials(_ news: inout News) throws {
    for trial in try reader.trials(from: nextTrial) {
      guard trial.isSettled else { break }
      nextTrial = trial.number + 1
      time += trial.seconds
      func add(_ series: String, _ value: Double?) {
        self.add("candidate/" + series, trial.number, value, &news)
      }
      best = max(best, trial.accuracies.last ?? best)
      add("accuracy", trial.accuracies.last)
      add("best_accuracy", best < 0 ? nil : best)
      add("predicted", trial.predicted)
      add("spread", trial.spread)
      add("train_loss", trial.losses.last)
      add("flops", trial.flops)
      add("params", trial.params)
      add("latency_ms", trial.latency)
      add("resolution", Double(trial.resolution))
      add("epochs", Double(trial.accuracies.count))
      add("seconds", trial.seconds)
    }
  }

  /// The layers of a training, or the options of a search: what the buckets of its histograms are.
  private func takeNetwork(_ news: inout News) throws {
    guard !hasNetwork else { return }
    if settings.kind == .training {
      let network = try NetworkArchive.parse(try folder.network(), place: folder.networkPath)
      let rows = network.blocks.enumerated().map { ["\($0.offset + 1)", $0.element.summary] }
      add("architecture/layers", 0, markdown: Self.table([["layer", "block"]] + rows), &news)
    } else {
      guard !choices.isEmpty else { return }
      let rows = choices.map { [$0.id, $0.detail, $0.options.map(\.name).joined(separator: ", ")] }
      add(
        "architecture/options",
        0,
        markdown: Self.table([["choice", "shape", "options"]] + rows),
        &news
      )
    }
    hasNetwork = true
  }

  private func take(_ result: RunResult, _ news: inout News) {
    let figures: (accuracy: Double, loss: Double)
    var rows: [[String]] = []
    switch result {
    case .search(let result):
      figures = (result.testAccuracy, result.testLoss)
      rows = result.architecture.map { [$0.layer, $0.choice] }
    case .joint(let result):
      figures = (result.testAccuracy, result.testLoss)
      rows = result.architecture.map { [$0.choice, $0.option] }
      rows.append(["recipe", result.recipe.summary])
    case .training(let result): figures = (result.testAccuracy, result.testLoss)
    }
    add("accuracy/test", result.steps, figures.accuracy, &news)
    add("loss/test", result.steps, figures.loss, &news)
    guard !rows.isEmpty else { return }
    let text = Self.table([["layer", "chosen"]] + rows)
    add("architecture/chosen", result.steps, markdown: text, &news)
  }

  /// A table as Markdown; the first row is its head.
  static func table(_ rows: [[String]]) -> String {
    let lines = rows.map { row in
      "| " + row.map { $0.replacing("|", with: "\\|") }.joined(separator: " | ") + " |"
    }
    let rule = "|" + String(repeating: "---|", count: rows[0].count)
    return ([lines[0], rule] + lines.dropFirst()).joined(separator: "\n")
  }
}

extension ThetaRecord {
  /// softmax(θ), `[choice][option]`.
  var probabilities: [[Double]] { logits.map { softmax($0.map(Double.init)) } }
}
