import Foundation
import Networks
import Runs
import Search

/// What `compare` reports of a run; the names in JSON are a contract with scripts.
struct ComparedRun: Encodable {
  /// Name of the run's folder.
  var name: String
  /// The folder from the root.
  var run: String
  /// What the run does.
  private var kind: RunKind
  /// `dnas`, `random`, or `training` of one network.
  var algorithm: String
  /// The blocks of the searched layers, or the name of a trained network.
  var network: String
  var isFinished: Bool
  /// `finished`, or how far it is.
  var state: String
  /// Of a search's supernet, 0…1.
  var validationAccuracy: Double?
  /// Of a search's network alone, with the supernet's weights.
  var argmaxAccuracy: Double?
  /// Of a network trained from scratch.
  var retrainedAccuracy: Double?
  /// Networks that a random search sampled within its budget.
  var sampledNetworks: Int?
  /// Their mean accuracy, measured as `argmaxAccuracy` is: what random sampling, one of them
  /// unseen, is worth.
  var sampledMean: Double?
  /// The deviation of their accuracies.
  var sampledDeviation: Double?
  var flops: Double?
  var params: Double?
  /// Milliseconds by the search's table.
  var latency: Double?
  /// Metric that a search was to keep down; nil for a training.
  var costMetric: CostMetric?
  var budget: Double?
  /// Epochs done.
  var epochs: Int
  var seconds: Double
  /// Whether no other run beats it in both accuracy and cost.
  var isOnFront = false
  /// What was trained, or found; for recognising the same network elsewhere.
  private var description: NetworkDescription?

  enum CodingKeys: String, CodingKey {
    case name, run, algorithm, network, state, flops, params, budget, epochs, seconds
    case isFinished = "finished"
    case validationAccuracy = "val_accuracy"
    case argmaxAccuracy = "argmax_accuracy"
    case retrainedAccuracy = "retrained_accuracy"
    case sampledNetworks = "sampled_networks"
    case sampledMean = "sampled_mean"
    case sampledDeviation = "sampled_deviation"
    case latency = "latency_ms"
    case costMetric = "cost_metric"
    case isOnFront = "on_front"
  }

  /// Reads what a run has recorded, finished or not.
  init(_ folder: RunFolder) throws {
    let reader = try folder.reader()
    let settings = try folder.settings()
    let records = try reader.epochs()
    kind = settings.kind
    name = folder.name
    run = Path.absolute(folder.path)
    epochs = records.count
    seconds = records.reduce(0) { $0 + $1.seconds }
    let result = try reader.result().map { try RunResult(json: $0) }
    isFinished = result != nil
    let word = try reader.status()?.state.rawValue ?? "not begun"
    state = isFinished ? "finished" : "\(word), epoch \(records.count) of \(settings.epochs)"
    flops = records.last?.argmaxFlops
    params = records.last?.argmaxParams
    latency = records.last?.argmaxLatency
    switch settings {
    case .search(let settings):
      algorithm = settings.search.algorithm.rawValue
      network = "not chosen yet"
      costMetric = settings.search.cost
      budget = settings.limit
      validationAccuracy = records.last?.validationAccuracy
      argmaxAccuracy = records.last?.argmaxAccuracy
      description = Self.description(at: folder.exportsPath + "/network.json")
    case .joint(let settings):
      algorithm = settings.search.algorithm.rawValue
      network = "not chosen yet"
      description = Self.description(at: folder.exportsPath + "/network.json")
      let trials = try reader.trials()
      let settled = trials.count { $0.isSettled }
      if !isFinished { state = "\(word), candidate \(settled)" }
      epochs = trials.reduce(0) { $0 + $1.accuracies.count }
      seconds = trials.reduce(0) { $0 + $1.seconds }
    case .training(let settings):
      algorithm = "training"
      network = settings.network
      retrainedAccuracy = records.last?.validationAccuracy
      description = Self.description(at: folder.networkPath)
      try takeDerivation(folder)
    }
    if case .training(let result)? = result { retrainedAccuracy = result.testAccuracy }
    if case .joint(let result)? = result {
      network = "candidate \(result.candidate): \(result.recipe.summary)"
      retrainedAccuracy = result.testAccuracy
      (flops, params) = (result.flops, result.params)
    }
    if case .search(let result)? = result {
      let blocks = result.architecture.map(\.choice)
      network = blocks.joined(separator: " ")
      retrainedAccuracy = try reader.derived().first { $0.blocks == blocks && $0.isTrained }?.top1
      argmaxAccuracy = result.argmaxAccuracy
      flops = result.flops
      params = result.params
      latency = result.latency
      sampledNetworks = result.sampledNetworks
      sampledMean = result.sampledMean
      sampledDeviation = result.sampledDeviation
    }
  }

  /// What the search knows of a network that `derive` trains in its folder.
  private mutating func takeDerivation(_ folder: RunFolder) throws {
    let derivations = Path.folder(run)
    guard Path.name(derivations) == "derived",
      let parent = try? RunFolder.open(path: Path.folder(derivations)),
      let record = try parent.reader().derived().first(where: { $0.run == "derived/" + name })
    else { return }
    network = "\(record.blocks.joined(separator: " ")) (of \(parent.name))"
    latency = record.latency
  }

  /// How good the network is: trained from scratch if it was, else with the weights of its search.
  var accuracy: Double? { retrainedAccuracy ?? argmaxAccuracy }

  /// What the network costs; nil where that is not known.
  func cost(_ metric: CostMetric) -> Double? {
    switch metric {
    case .latency: latency
    case .params: params
    case .flops: flops
    }
  }

  /// Latency where every run has one; else the metric that all searches paid in; else FLOPs.
  static func usualMetric(_ runs: [ComparedRun]) -> CostMetric {
    if runs.allSatisfy({ $0.latency != nil }) { return .latency }
    let metrics = Set(runs.compactMap(\.costMetric))
    return metrics.count == 1
      ? metrics.first.map { $0 == .latency ? .flops : $0 } ?? .flops
      : .flops
  }

  /// A training takes blocks and latency from a search among the others that found the same
  /// network.
  static func shareLatencies(_ runs: inout [ComparedRun]) {
    let searches = runs.filter { $0.kind != .training && $0.description != nil }
    for index in runs.indices
    where runs[index].kind == .training && runs[index].latency == nil {
      guard
        let search = searches.first(where: {
          $0.description?.blocks == runs[index].description?.blocks
        })
      else { continue }
      runs[index].network = "\(search.network) (of \(search.name))"
      runs[index].latency = search.latency
    }
  }

  private static func description(at path: String) -> NetworkDescription? {
    guard let data = try? readBytes(path) else { return nil }
    return try? NetworkFile.parse(data)
  }
}
