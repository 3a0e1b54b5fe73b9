import Foundation
import Networks
import Runs
import Search
import Tensor

extension NetworkSource {
  /// The preset whose data, schedule and losses fit the network's images best.
  var preset: String {
    description.height <= 8 && description.channels == 1 ? "fbnet-v2-digits" : "fbnet-v2-cifar"
  }

  /// The settings of a search of this network's widths.
  ///
  /// - Parameters:
  ///   - fractions: of a width, ascending, the last one 1.
  ///   - share: of the network's cost, which becomes the budget; nil for none.
  ///   - preset: what gives all settings but the space.
  ///   - overrides: `key.path=value`.
  /// - Returns: settings that have been checked.
  /// - Throws: a `UserError` for a network that masks cannot slim, or a budget given twice.
  func slimming(
    by fractions: [Double],
    keeping share: Double? = nil,
    from preset: String,
    overrides: [String]
  ) throws -> Configuration {
    var settings = try Configuration.preset(preset)
    settings.space = try Configuration.Space(
      slimming: description,
      fractions: fractions,
      place: name
    )
    settings.search.sampling = .batch
    settings.data.resolution = description.height
    // Weights that are good already are tuned, not trained anew.
    if weights != nil { settings.weights.learningRate /= 5 }
    guard let share else {
      try settings.apply(overrides)
      return settings
    }
    var named = settings
    try named.apply(overrides)
    guard named.limit == nil else {
      throw UserError(
        .usage,
        "--keep \(share)",
        "a budget from two places",
        remedy: "give --keep or budget.\(named.search.cost.rawValue)"
      )
    }
    let budget = share * cost(named.search.cost, threads: named.latency.threads)
    try settings.apply(overrides + ["budget.\(named.search.cost.rawValue)=\(budget)"])
    return settings
  }

  /// What the network costs: FLOPs and params as counted, or the milliseconds of an image on this
  /// machine; 0 threads are one for each core.
  private func cost(_ metric: Configuration.SearchSettings.Cost, threads: Int) -> Double {
    switch metric {
    case .flops: return description.flops.rounded()
    case .params: return description.params.rounded()
    case .latency:
      let cores = ProcessInfo.processInfo.activeProcessorCount
      return NetworkTimer.milliseconds(
        description,
        engine: Engine(threads: threads > 0 ? threads : cores)
      )
    }
  }

  /// The weights under the names that they have without identities, and where a skip that changes
  /// the shape is a convolution; the channels that matter most first, as masks keep the first ones.
  var slimmingWeights: Checkpoint? {
    guard var weights else { return nil }
    let arrays = weights.tensors.map {
      NamedArray(name: $0.name, shape: $0.shape, values: $0.values)
    }
    weights.tensors = description.orderedByImportance(arrays).map {
      Checkpoint.Tensor(name: $0.name, shape: $0.shape, values: $0.values)
    }
    var names: [(before: String, now: String)] = []
    for (index, block) in description.blocks.enumerated() where !block.isIdentity {
      let isSkip = if case .skip = block.kind { true } else { false }
      names.append(("blocks.\(index)." + (isSkip ? "project." : ""), "blocks.\(names.count)."))
    }
    for index in weights.tensors.indices {
      let name = weights.tensors[index].name
      guard let moved = names.first(where: { name.hasPrefix($0.before) }) else { continue }
      weights.tensors[index].name = moved.now + name.dropFirst(moved.before.count)
    }
    return weights
  }
}
