import Data
import Foundation
import Networks
import Runs
import Tensor

/// Networks of a search: drawn from its θ, brought within the budget and judged (spec S11).
///
/// Not Sendable: made and used on one thread.
package final class Deriver {
  private let task: SearchTask
  private let temperature: Double
  private let timedThreads: Int

  /// Takes up the newest checkpoint of a search.
  ///
  /// - Parameters:
  ///   - folder: the run.
  ///   - limit: what a network may cost, in the metric of the search; nil for the run's own budget.
  ///   - threads: workers; nil for as many as the run has.
  ///   - progress: receives the share of the data that is loaded and a line about it.
  /// - Throws: `.data` for a run that is no search or has no checkpoint; `.configuration` for a limit out of
  ///   reach, with the range of the space.
  package init(
    folder: RunFolder,
    limit: Double?,
    threads: Int?,
    progress: (Double, String) throws -> Void
  ) throws {
    var settings = try folder.configuration()
    if let limit { settings.budget[settings.search.cost] = limit }
    if let threads { settings.threads = threads }
    guard let latest = try folder.latestCheckpoint() else {
      throw UserError(
        .data,
        folder.path,
        "the search has no checkpoint yet",
        remedy: "press c in its dashboard, or wait for the end of its first epoch"
      )
    }
    let data = try Dataset.load(settings.data, progress: progress)
    let macro = MacroArchitecture(settings.space, data: data)
    let latency = try SearchLatency(settings: settings, folder: folder, macro: macro).prices { _ in
    }
    if let warning = latency?.warning { try progress(1, warning) }
    timedThreads = latency?.threads ?? 1
    task = try SearchTask(settings, data: data, latency: latency?.table)
    try task.restore(latest.checkpoint)
    temperature = try TrainingPlace(metadata: latest.checkpoint.metadata).lastTemperature
  }

  /// The metric of the search, and what a network may cost in it.
  package var budget: (metric: Configuration.SearchSettings.Cost, limit: Double?) {
    (task.configuration.search.cost, task.configuration.limit)
  }

  /// The likeliest network, as the search itself would end with it, and up to `samples` drawn from
  /// softmax(θ): all different, none above the budget.
  package func networks(samples: Int, seed: UInt64) -> [DerivedRecord] {
    let chosen = task.likeliest()
    let drawn = task.supernet.theta.derived(
      samples: samples,
      seed: seed,
      within: -.infinity...(budget.limit ?? .infinity)
    )
    // The first of them is the likeliest again.
    return [record("argmax", drawn: chosen.argmax, chosen.network)]
      + drawn.dropFirst().filter { $0.network != chosen.network }
      .map { record("sample", drawn: $0.drawn, $0.network) }
  }

  private func record(_ source: String, drawn: [Int], _ network: [Int]) -> DerivedRecord {
    let choices = task.supernet.choices
    return DerivedRecord(
      source: source,
      architecture: network,
      blocks: zip(choices, network).map { $0.options[$1].name },
      changes: choices.changes(from: drawn, to: network),
      logProbability: task.supernet.theta.logProbability(network),
      flops: task.supernet.flops(network),
      params: task.supernet.params(network),
      latency: task.latency?.cost(network)
    )
  }

  /// Judges a network on the images kept for θ, with the weights of the search after batch-norm
  /// recalibration; false if `stops` ended it.
  package func judge(_ record: inout DerivedRecord, stops: (Double) throws -> Bool) throws -> Bool {
    guard
      let score = try task.evaluate(
        record.architecture,
        onThetaImages: true,
        temperature: temperature,
        stops: stops
      )
    else { return false }
    record.accuracy = score.accuracy
    record.crossEntropy = score.crossEntropy
    return true
  }

  /// Times a whole network, batch 1, on as many threads as the latency table is for.
  ///
  /// Errors: `.unavailable` for blocks that the inference path lacks.
  package func measure(_ record: inout DerivedRecord) throws {
    let engine = Engine(instructionSet: .chosen, threads: timedThreads)
    record.measuredLatency = try NetworkTimer.milliseconds(network(record), engine: engine)
  }

  /// The network alone.
  package func network(_ record: DerivedRecord) -> NetworkDescription {
    task.supernet.macro.network(
      record.architecture,
      name: "\(task.configuration.preset)-\(record.name)"
    )
  }
}

extension DerivedRecord {
  /// Whether this network goes before `other`: retrained accuracy decides, then that with the search's
  /// weights.
  package func isBetter(than other: DerivedRecord) -> Bool {
    if top1 != other.top1 { return (top1 ?? -1) > (other.top1 ?? -1) }
    if accuracy != other.accuracy { return (accuracy ?? -1) > (other.accuracy ?? -1) }
    return (crossEntropy ?? .infinity) < (other.crossEntropy ?? .infinity)
  }
}
