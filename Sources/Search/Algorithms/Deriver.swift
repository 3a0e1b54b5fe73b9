import Data
import Foundation
import Networks
import Runs
import Tensor
import Training

/// Networks of a search: sampled from its θ, brought within the budget and evaluated (spec S11).
///
/// Not Sendable: made and used on one thread.
package final class Deriver {
  private let task: SearchTask
  private let temperature: Double
  private let timedThreads: Int
  private let tuning: Tuning?

  /// Takes up the newest checkpoint of a search.
  ///
  /// - Parameters:
  ///   - folder: the run.
  ///   - store: its store, to be written to.
  ///   - acceptsChangedData: whether the data may be another than the search began with.
  ///   - limit: what a network may cost, in the metric of the search; nil for the run's own budget.
  ///   - threads: workers; nil for as many as the run has.
  ///   - trial: the training whose first epoch, from the weights of the search, ranks the networks;
  ///     nil for none.
  ///   - progress: receives the share of the data that is loaded and a line about it.
  /// - Throws: `.data` for a run that is no search or has no checkpoint, or whose data has changed;
  ///   `.configuration` for a limit out of reach, with the range of the space.
  package init(
    folder: RunFolder,
    store: RunStore,
    acceptsChangedData: Bool = false,
    limit: Double?,
    threads: Int?,
    trial: TrainingConfiguration? = nil,
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
    try store.check(data, source: settings.data.source, accepts: acceptsChangedData)
    let latency = try SearchLatency(settings: settings, folder: folder, data: data).prices { _ in }
    if let warning = latency?.warning { try progress(1, warning) }
    timedThreads = latency?.threads ?? 1
    task = try SearchTask(settings, data: data, latency: latency?.cost)
    try task.restore(latest.checkpoint)
    temperature = try TrainingPlace(metadata: latest.checkpoint.metadata).lastTemperature
    tuning = if let trial { Tuning(trial, of: task) } else { nil }
  }

  /// The metric of the search, and what a network may cost in it.
  package var budget: (metric: Configuration.SearchSettings.Cost, limit: Double?) {
    (task.configuration.search.cost, task.configuration.limit)
  }

  /// What the search chooses from.
  package var space: any SearchSpace { task.supernet.space }

  /// Whether the search leaves θ as it began.
  package var isRandom: Bool { task.configuration.search.algorithm == .random }

  /// What a network costs, in the metric of the search.
  package func cost(_ network: Architecture) -> Double { task.supernet.costModel.cost(network) }

  /// Whether a network costs no more than the budget.
  package func keepsBudget(_ network: Architecture) -> Bool {
    CostLimit.within(task.configuration.limit).contains(cost(network))
  }

  /// A network that somebody names, as a record that nobody has evaluated.
  package func record(of network: Architecture) -> DerivedRecord { task.record("table", network) }

  /// The most probable network within the budget, its scalings, and up to `samples` networks
  /// sampled from softmax(θ): all different, and all making use of the budget where the space has
  /// enough such networks.
  ///
  /// - Parameters:
  ///   - samples: sampled ones at most.
  ///   - seed: names the random numbers.
  ///   - selected: the network that perturbation chose, in place of the most probable one.
  /// - Returns: records that nobody has evaluated.
  package func networks(samples: Int, seed: UInt64, selected: Architecture? = nil)
    -> [DerivedRecord]
  {
    var records: [DerivedRecord] = []
    if let selected { records.append(task.record("perturbation", selected)) }
    records += task.starts.filter { Architecture($0.architecture) != selected }
    // A small space may have fewer networks that make use of the budget than are wanted.
    let using = task.supernet.costModel.samples(
      records.count + samples,
      of: nil,
      within: task.within,
      seed: seed,
      stream: 1,
      except: []
    )
    let isSmall = using.count < records.count + samples
    let sampled = task.supernet.theta.samples(
      samples,
      seed: seed,
      within: isSmall ? CostLimit.within(task.configuration.limit) : task.within,
      except: Set(records.map { Architecture($0.architecture) })
    )
    return records + sampled.map { task.record("sample", $0) }
  }

  /// Selects a network by perturbation, and says where it differs from the most probable one.
  ///
  /// - Returns: the network, a row for each layer and the evaluations made; nil if `stops`, which
  ///   receives the share that is done, ended it.
  package func selectedByPerturbation(
    stops: (Double) throws -> Bool
  ) throws -> (network: Architecture, layers: [SelectedLayer], evaluations: Int)? {
    guard let found = try task.perturbation(temperature: temperature, stops: stops) else {
      return nil
    }
    let selected = task.selected(by: found)
    return (selected.network, selected.layers, found.evaluations)
  }

  /// Neighbours of the best networks that are better than all of them (spec S11), in the order in
  /// which they were found: evaluated as all are.
  ///
  /// - Parameters:
  ///   - evaluated: the networks so far.
  ///   - trials: evaluations at most.
  ///   - stops: receives how many were made and the share of the present one; true from it ends
  ///     everything.
  /// - Returns: the better ones, and the evaluations made; nil if `stops` ended it.
  /// - Throws: what `stops` throws.
  package func refined(
    _ evaluated: [DerivedRecord],
    trials: Int,
    stops: (Int, Double) throws -> Bool
  ) throws -> (networks: [DerivedRecord], evaluations: Int)? {
    let costModel = task.supernet.costModel
    let refinement = Refinement(
      costModel: costModel,
      within: task.within,
      probabilities: task.supernet.theta.probabilities
    )
    var best = evaluated.min { $0.isMorePromising(than: $1) }
    var better: [DerivedRecord] = []
    var evaluations = 0
    var isStopped = false
    try refinement.run(
      from: evaluated.map { (Architecture($0.architecture), $0.worth) }
        .filter { task.within.contains(costModel.cost($0.0)) },
      trials: trials
    ) { network in
      var record = task.record("refined", network)
      guard try evaluate(&record, stops: { try stops(evaluations, $0) }) else {
        isStopped = true
        return nil
      }
      evaluations += 1
      if best.map({ record.isMorePromising(than: $0) }) ?? true {
        best = record
        better.append(record)
      }
      return record.worth
    }
    return isStopped ? nil : (better, evaluations)
  }

  /// The widths of `best` scaled by one factor to the budget, for a comparison; nil where the
  /// search has no widths.
  package func uniform(like best: DerivedRecord) -> DerivedRecord? {
    task.supernet.uniform(like: Architecture(best.architecture), limit: task.configuration.limit)
      .map { task.record("uniform", $0.architecture) }
  }

  /// The weights that a network has in the search, to begin its training with.
  package func weights(_ record: DerivedRecord) -> Checkpoint {
    let architecture = Architecture(record.architecture)
    return Checkpoint(
      tensors: task.supernet.state(of: architecture).map {
        Checkpoint.Tensor(name: $0.name, shape: $0.shape, values: $0.values)
      }
    )
  }

  /// Evaluates a network on the images that train no weights, with the weights of the search after
  /// batch-norm recalibration, and by the first epoch of a training where that ranks; false if
  /// `stops` ended it.
  package func evaluate(
    _ record: inout DerivedRecord,
    stops: (Double) throws -> Bool
  ) throws -> Bool {
    guard
      let score = try task.evaluate(
        Architecture(record.architecture),
        on: .heldOut,
        temperature: temperature,
        stops: stops
      )
    else { return false }
    record.accuracy = score.accuracy
    record.crossEntropy = score.crossEntropy
    guard let tuning else { return true }
    record.tunedLoss = try tuning.loss(network(record), from: weights(record), stops: stops)
    return record.tunedLoss != nil
  }

  /// Times a whole network, batch 1, on as many threads as the latency table is for.
  package func measure(_ record: inout DerivedRecord) {
    let engine = Engine(instructionSet: .chosen, threads: timedThreads)
    record.measuredLatency = NetworkTimer.milliseconds(network(record), engine: engine)
  }

  /// The network alone.
  package func network(_ record: DerivedRecord) -> NetworkDescription {
    task.supernet.space.network(
      of: Architecture(record.architecture),
      name: "\(task.configuration.preset)-\(record.name)"
    )
  }
}

extension DerivedRecord {
  /// Whether this network goes before `other`: retrained accuracy decides, then the evaluation.
  package func isBetter(than other: DerivedRecord) -> Bool {
    if trainedAccuracy != other.trainedAccuracy {
      return (trainedAccuracy ?? -1) > (other.trainedAccuracy ?? -1)
    }
    return isMorePromising(than: other)
  }

  /// Whether this network is to be trained before `other`, whatever trainings there have been: the
  /// loss of the first epoch of training decides, then accuracy with the search's weights.
  package func isMorePromising(than other: DerivedRecord) -> Bool {
    if tunedLoss != other.tunedLoss {
      return (tunedLoss ?? .infinity) < (other.tunedLoss ?? .infinity)
    }
    if accuracy != other.accuracy { return (accuracy ?? -1) > (other.accuracy ?? -1) }
    return (crossEntropy ?? .infinity) < (other.crossEntropy ?? .infinity)
  }

  /// The same order as a number: that loss, or accuracy and cross-entropy among equals.
  fileprivate var worth: Double {
    tunedLoss.map { -$0 } ?? (accuracy ?? 0) - 1e-6 * (crossEntropy ?? 0)
  }
}
