import Foundation
import Networks
import Runs
import Search

extension NetworkSource {
  /// The preset whose data, schedule and losses fit the network's images best.
  var preset: String {
    description.height <= 8 && description.channels == 1 ? "fbnet-v2-digits" : "fbnet-v2-cifar"
  }

  /// The settings of a search of this network's widths.
  ///
  /// - Parameters:
  ///   - fractions: of a width, ascending, the last one 1.
  ///   - preset: what gives all settings but the space.
  ///   - overrides: `key.path=value`.
  /// - Returns: settings that have been checked.
  /// - Throws: a `UserError` for a network that masks cannot slim.
  func slimming(
    by fractions: [Double],
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
    try settings.apply(overrides)
    return settings
  }

  /// The weights under the names that they have without identities.
  var slimmingWeights: Checkpoint? {
    guard var weights else { return nil }
    var names: [String: String] = [:]
    for (index, block) in description.blocks.enumerated() where !block.isIdentity {
      names["blocks.\(index)"] = "blocks.\(names.count)"
    }
    for index in weights.tensors.indices {
      let parts = weights.tensors[index].name.split(separator: ".", maxSplits: 2)
      guard parts.count == 3, let name = names[parts.prefix(2).joined(separator: ".")] else {
        continue
      }
      weights.tensors[index].name = name + "." + parts[2]
    }
    return weights
  }
}
