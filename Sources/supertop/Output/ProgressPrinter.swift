import Dashboard
import Foundation
import Runs
import Search

/// Prints what a run records, as readable lines or as JSON.
///
/// It reads the run's store as the dashboard does, so a slow or blocked reader of the output never
/// holds up training.
final class ProgressPrinter {
  let reader: RunReader
  let json: Bool
  /// What the run does.
  private let kind: RunKind
  /// Metric of a search's costs.
  private let metric: CostMetric
  private let output: Output
  private let errors = Output(descriptor: STDERR_FILENO)
  private var lastStep: Int
  private var lastEpoch = -1
  private var lastLog: Int64 = 0
  private var lastLine = Date()
  /// What was last said on the progress: it is not said twice in a row.
  private var lastStatus = ""
  private var newest: StepRecord?
  private var head: [(text: String, path: String?)] = []
  /// Candidates of a joint search that are new or have changed.
  var trials = TrialChanges()

  /// Seconds between two lines within an epoch.
  private static let interval = 5.0

  /// Prints what comes after global step `step` (-1: all).
  init(_ folder: RunFolder, json: Bool, after step: Int, output: Output) throws {
    reader = try folder.reader()
    let settings = try folder.settings()
    kind = settings.kind
    metric = settings.metric
    self.json = json
    self.output = output
    lastStep = step
    if step >= 0 {
      lastEpoch = (try? reader.epochs().last?.epoch) ?? -1
      lastLog = (try? reader.log(limit: 1).last?.id) ?? 0
    }
  }

  /// Whether whoever read the output has gone.
  var isClosed: Bool { output.isClosed }

  /// Says what begins, and what stands in the way of a dashboard, before the first other line.
  func begin(_ folder: RunFolder, _ settings: RunSettings, obstacle: String?) {
    guard !json else { return }
    let text =
      "run \(folder.path): \(kind == .training ? "network" : "preset") \(settings.name), "
      + "data \(settings.data.source), seed \(settings.seed), "
      + Format.counted(settings.epochs, "epoch") + (kind == .joint ? " a candidate" : "")
    head = [(text, folder.path)]
    if let obstacle { head.insert(("\(obstacle): printing progress lines", nil), at: 0) }
  }

  /// Writes a line, after the head if that is still to come: a run that fails at once shows none.
  func line(_ text: String, linking path: String? = nil) {
    for line in head { output.line(line.text, linking: line.path) }
    head = []
    output.line(text, linking: path)
  }

  /// Prints what is new; warnings go to standard error.
  func poll() throws {
    for record in try reader.log(after: lastLog) {
      lastLog = record.id
      if record.level == .warning { errors.line("supertop: " + record.text) }
      if record.level == .notice, !json { line(record.text) }
    }
    if kind == .joint { try showCandidates() }
    // Epochs first: all steps of an epoch that is there are there as well.
    var epochs = try reader.epochs(after: lastEpoch)[...]
    let steps = try reader.steps(after: lastStep)
    for step in steps {
      while let epoch = epochs.first, epoch.step <= step.step {
        try show(epochs.removeFirst())
      }
      if json {
        line(
          try kind == .training
            ? object("step", TrainingStep(step)) : object("step", step)
        )
      }
      lastStep = step.step
      newest = step
    }
    for epoch in epochs { try show(epoch) }
    if !json { try showStatus() }
  }

  /// Says what the run came to.
  func end(_ result: RunResult, _ folder: RunFolder) throws {
    if json {
      line(try result.json())
      return
    }
    switch result {
    case .search(let result): end(result, folder)
    case .joint(let result): end(result, folder)
    case .training(let result):
      line(
        "done in \(Format.duration(result.seconds)): top-1 \(Format.percent(result.top1)), "
          + "top-5 \(Format.percent(result.top5)), loss \(Format.number(result.testLoss)) "
          + "on the test images"
      )
      line(
        "\(result.name): \(Format.count(result.flops)) FLOPs, "
          + "\(Format.count(result.params)) parameters by rule madds; "
          + "saved in \(folder.weightsPath)",
        linking: folder.weightsPath
      )
    }
  }

  private func end(_ result: SearchResult, _ folder: RunFolder) {
    line(
      "done in \(Format.duration(result.seconds)): validation accuracy "
        + "\(Format.percent(result.validationAccuracy)), the chosen network alone "
        + Format.percent(result.argmaxAccuracy)
        + "; on the test images \(Format.percent(result.supernetTestAccuracy)) and "
        + Format.percent(result.testAccuracy)
    )
    if let verdict = result.verdict { line("verdict: " + verdict) }
    line("network: " + result.architecture.map(\.choice).joined(separator: " "))
    if let networks = result.sampledNetworks, let mean = result.sampledMean {
      line(
        "random sampling: \(Format.percent(mean)) on average of "
          + "\(Format.counted(networks, "network")), "
          + "deviation \(Format.percent(result.sampledDeviation ?? 0))"
      )
    }
    if let uniform = result.uniform {
      line(
        "uniform scaling: all widths by \(Format.fixed(uniform.scale, 2)) cost "
          + "\(result.costMetric.text(uniform.cost)) and reach "
          + "\(Format.percent(uniform.testAccuracy)) on the test images"
      )
    }
    if result.repaired {
      line("the most probable network missed the budget; this one keeps it")
    }
    line(
      "\(Format.count(result.flops)) FLOPs, \(Format.count(result.params)) parameters by rule madds"
        + (result.latency.map { ", \(Format.milliseconds($0)) by the table" } ?? "")
        + "; saved in \(folder.exportsPath)/architecture.json",
      linking: folder.exportsPath + "/architecture.json"
    )
  }

  private func show(_ epoch: EpochRecord) throws {
    lastEpoch = epoch.epoch
    if json {
      line(
        try kind == .training
          ? object("epoch", TrainingEpoch(epoch)) : object("epoch", epoch)
      )
      return
    }
    lastLine = Date()
    if kind == .training {
      line(
        "epoch \(epoch.epoch + 1): top-1 \(Format.percent(epoch.validationAccuracy)), "
          + "top-5 \(Format.percent(epoch.topFive ?? 0)), "
          + "loss \(Format.number(epoch.validationLoss)), "
          + "train \(Format.number(epoch.trainLoss)), \(Format.duration(epoch.seconds))"
      )
      return
    }
    line(
      "epoch \(epoch.epoch + 1): val \(Format.percent(epoch.validationAccuracy)), "
        + "chosen net \(Format.percent(epoch.argmaxAccuracy)), "
        + "loss \(Format.number(epoch.validationLoss)), "
        + "cost \(metric.short(epoch.expectedCost)), "
        + (epoch.settled.map { "settled \($0)/\(choices), " } ?? "")
        + "t \(Format.number(epoch.temperature)), \(Format.duration(epoch.seconds))"
    )
  }

  /// Choices that are open, as the verdict counts them.
  private var choices: Int {
    ((try? reader.choices()) ?? []).count { $0.options.count > 1 }
  }

  /// A line on the progress, every few seconds.
  private func showStatus() throws {
    let silence = Date().timeIntervalSince(lastLine)
    guard silence >= ProgressPrinter.interval, let status = try reader.status() else { return }
    let text: String
    switch status.state {
    case .preparing, .validating:
      // A short validation ends in a line of its own.
      if status.state == .validating, silence < 3 * ProgressPrinter.interval { return }
      text = "\(status.message) (\(Int(status.progress * 100)) %)"
    case .paused:
      text = "paused at step \(status.step)"
    case .running where kind == .joint:
      text =
        "  candidate \(status.step + 1) of \(status.totalSteps)"
        + (status.message.isEmpty ? "" : ", \(status.message)")
        + (status.etaSeconds.map { ", \(Format.duration($0)) to go" } ?? "")
    case .running:
      guard let newest else { return }
      let eta = status.etaSeconds.map { ", \(Format.duration($0)) to go" } ?? ""
      text =
        "  epoch \(status.epoch + 1)/\(status.epochs), step \(status.step)/\(status.totalSteps): "
        + (kind == .training ? "" : "\(newest.phase.rawValue) ")
        + "loss \(Format.number(newest.loss)), "
        + "\(Format.number(status.imagesPerSecond)) images/s" + eta
    case .stopped, .finished, .failed:
      return
    }
    if text != lastStatus { line(text) }
    lastStatus = text
    lastLine = Date()
  }

  func object(_ event: String, _ record: some Encodable) throws -> String {
    try JSONText.encode(
      Tagged(event: event, record: record),
      keys: .custom { EventKey($0.last) }
    )
  }

  /// A record's fields with `event` among them.
  private struct Tagged<Record: Encodable>: Encodable {
    var event: String
    var record: Record

    enum CodingKeys: String, CodingKey { case event }

    func encode(to encoder: any Encoder) throws {
      try record.encode(to: encoder)
      var container = encoder.container(keyedBy: CodingKeys.self)
      try container.encode(event, forKey: .event)
    }
  }
}

/// What a step of a training prints: a step without choices, cost and temperature.
private struct TrainingStep: Encodable {
  var step: Int
  var epoch: Int
  var loss: Double
  var accuracy: Double
  var learningRate: Double
  var seconds: Double
  var images: Int

  init(_ record: StepRecord) {
    step = record.step
    epoch = record.epoch
    loss = record.loss
    accuracy = record.accuracy
    learningRate = record.learningRate
    seconds = record.seconds
    images = record.images
  }
}

/// What an epoch of a training prints.
private struct TrainingEpoch: Encodable {
  var epoch: Int
  var step: Int
  var trainLoss: Double
  var trainAccuracy: Double
  var validationLoss: Double
  var top1: Double
  var top5: Double
  var seconds: Double

  init(_ record: EpochRecord) {
    epoch = record.epoch
    step = record.step
    trainLoss = record.trainLoss
    trainAccuracy = record.trainAccuracy
    validationLoss = record.validationLoss
    top1 = record.validationAccuracy
    top5 = record.topFive ?? 0
    seconds = record.seconds
  }
}

/// A field's name in JSON: `validationLoss` as `val_loss`, so that every event spells it as `done`
/// does, and with its unit where that is not plain.
private struct EventKey: CodingKey {
  let stringValue: String
  var intValue: Int? { nil }

  init(_ key: (any CodingKey)?) {
    let name = key?.stringValue ?? ""
    // A name with an underscore is written as it is meant.
    guard !name.contains("_") else {
      stringValue = name
      return
    }
    let words = name.replacing("validation", with: "val")
      .replacing("argmaxLatency", with: "argmaxLatencyMs")
    stringValue = words.reduce(into: "") { name, letter in
      name += letter.isUppercase ? "_" + letter.lowercased() : String(letter)
    }
  }

  init?(stringValue: String) { self.stringValue = stringValue }

  init?(intValue: Int) { nil }
}
