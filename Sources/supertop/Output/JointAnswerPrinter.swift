import Foundation
import Networks
import Runs
import Search

/// Answers other limits from what a joint search has learnt (spec S45).
struct JointAnswerPrinter {
  /// Folder of the search.
  let run: String
  /// Whether one JSON object is printed.
  let json: Bool

  /// Candidates of an answer.
  private static let count = 5

  private struct Report: Encodable {
    struct Candidate: Encodable {
      var architecture: [JointResult.Taken]
      var recipe: Recipe
      var predicted: Double?
      var spread: Double?
      var flops: Double
      var params: Double
      var latencyMs: Double?
      var network: String
      var recipeFile: String

      enum CodingKeys: String, CodingKey {
        case architecture, recipe, predicted, spread, flops, params, network
        case latencyMs = "latency_ms"
        case recipeFile = "recipe_file"
      }
    }

    struct Trained: Encodable {
      var candidate: Int
      var accuracy: Double
      var flops: Double
      var params: Double
      var latencyMs: Double?

      enum CodingKeys: String, CodingKey {
        case candidate, flops, params
        case latencyMs = "latency_ms"
        case accuracy = "val_accuracy"
      }
    }

    var event = "done"
    var run: String
    var constraints: [String]
    var epochs: Int
    var candidates: [Candidate]
    var trained: Trained?
    var seconds: Double
  }

  /// Prints the best predicted under `limits` and writes each as a network and a recipe, ready for
  /// `supertop train`.
  ///
  /// Errors: those of `JointRecords` and `JointAnswer`; `.usage` without a limit.
  func print(limits: [CostLimit]) throws {
    guard !limits.isEmpty else {
      throw UserError(
        .usage,
        run,
        "a run, and no limit to answer",
        remedy: "give --constraint flops<=2M, or continue it with supertop resume"
      )
    }
    let folder = try RunFolder.open(path: run)
    let ticker = WorkTicker()
    let records: JointRecords
    do {
      records = try JointRecords(
        folder,
        latency: limits.contains { $0.name == CostMetric.latency.rawValue }
      ) {
        try ticker.show(
          $0.share,
          "timing blocks for the limit: \($0.cells) of \(Format.counted($0.cellCount, "cell"))",
          secondsLeft: $0.secondsLeft
        )
      }
    } catch {
      ticker.clear()
      throw error
    }
    ticker.clear()
    let clock = ContinuousClock()
    let start = clock.now
    let answer = try JointAnswer(records, limits: limits, count: JointAnswerPrinter.count)
    let name = limits.map { "\($0.name)-\(Self.text($0.most))" }.joined(separator: "-")
    let places = try answer.candidates.enumerated().map { index, candidate in
      let place = "answer-\(name)-\(index + 1)"
      try folder.export(NetworkFile.json(candidate.network), as: place + ".json")
      try folder.export(candidate.recipe.yaml(), as: place + ".yaml")
      return folder.exportsPath + "/" + place
    }
    let seconds = (clock.now - start).seconds
    let report = Report(
      run: folder.absolutePath,
      constraints: limits.map(\.text),
      epochs: answer.epochs,
      candidates: zip(answer.candidates, places).map { candidate, place in
        Report.Candidate(
          architecture: candidate.taken.filter { !$0.choice.hasPrefix("recipe.") },
          recipe: candidate.recipe,
          predicted: candidate.predicted,
          spread: candidate.spread,
          flops: candidate.network.flops,
          params: candidate.network.params,
          latencyMs: candidate.latency?.rounded(to: 5),
          network: place + ".json",
          recipeFile: place + ".yaml"
        )
      },
      trained: answer.trained.map {
        Report.Trained(
          candidate: $0.trial.number,
          accuracy: $0.value,
          flops: $0.trial.flops,
          params: $0.trial.params,
          latencyMs: answer.trainedLatency?.rounded(to: 5)
        )
      },
      seconds: seconds
    )
    if json { return try Output().json(report) }
    show(report, settings: try folder.settings(), side: answer.candidates.first?.network.height)
  }

  /// A limit in the name of a file: `60000`, `0.25`.
  private static func text(_ value: Double) -> String {
    value == value.rounded() && value < 1e15 ? "\(Int(value))" : "\(value)"
  }

  /// Prints for people; `side` is that of the images of the first candidate.
  private func show(_ report: Report, settings: RunSettings, side: Int?) {
    let isTimed = report.candidates.contains { $0.latencyMs != nil }
    let last = "network and recipe"
    var rows = [
      ["", "predicted", "spread", "FLOPs", "params"] + (isTimed ? ["latency", last] : [last])
    ]
    for candidate in report.candidates {
      rows.append([
        "\(rows.count)", candidate.predicted.map { Format.percent($0) } ?? "",
        candidate.spread.map { "±" + Format.percent($0) } ?? "", Format.count(candidate.flops),
        Format.count(candidate.params),
      ])
      rows[rows.count - 1] += candidate.latencyMs.map { [Format.milliseconds($0)] } ?? []
      rows[rows.count - 1].append(candidate.network.dropLast(5) + ".json, .yaml")
    }
    let output = Output()
    output.line(
      "\(report.constraints.joined(separator: ", ")): the best predicted after "
        + "\(Format.counted(report.epochs, "epoch")), in \(Format.fixed(report.seconds, 1)) s"
    )
    output.text(TextTable.aligned(rows, left: [rows[0].count - 1]))
    if let trained = report.trained {
      output.line(
        "the best trained so far within these limits: candidate \(trained.candidate) with "
          + "\(Format.percent(trained.accuracy)) at \(Format.count(trained.flops)) FLOPs, "
          + "\(Format.count(trained.params)) params"
          + (trained.latencyMs.map { ", \(Format.milliseconds($0))" } ?? "")
      )
    } else {
      output.line("no trained candidate keeps these limits")
    }
    if let first = report.candidates.first, let side = side {
      output.line(
        "train the first: supertop train \(first.network) --recipe \(first.recipeFile) "
          + "--data \(settings.data.source) --resolution \(side)"
      )
    }
  }
}
