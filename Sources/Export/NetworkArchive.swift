import Foundation
import Networks
import Runs
import Tensor

/// A network and its weights as one safetensors file.
///
/// The arrays have readable names (`blocks.3.expand.weight`, see `Network.state()`) and the
/// program's own layouts: filters [K, K, C, D] or [g, C/g, D/g], depthwise ones [K, K, C], the
/// classifier [D, classes]. The metadata holds the layers as JSON under `network`, in the format of
/// `NetworkFile`, and what the network knows of its data (`LearnedData`).
package enum NetworkArchive {
  /// Puts network and weights into a file that can be written.
  ///
  /// - Parameters:
  ///   - network: whose present weights and running statistics are taken.
  ///   - metadata: texts to carry along.
  /// - Returns: the file, still in memory.
  package static func checkpoint(
    _ network: Network,
    metadata: [String: String] = [:]
  ) -> Checkpoint {
    var metadata = metadata
    metadata["network"] = NetworkFile.json(network.description)
    return Checkpoint(
      metadata: metadata,
      tensors: network.state().map {
        Checkpoint.Tensor(name: $0.name, shape: $0.shape, values: $0.values)
      }
    )
  }

  /// Reads a network's layers and weights.
  ///
  /// Errors: `UserError` for a file that cannot be read, one of another program, before anything
  /// about its arrays, one whose layers do not hold, and one with weights that are no numbers.
  package static func read(
    from path: String
  ) throws -> (description: NetworkDescription, weights: Checkpoint) {
    let file = try Checkpoint.read(from: path) { _ = try description(in: $0, path: path) }
    try check(file, path: path)
    return (try description(in: file.metadata, path: path), file)
  }

  /// Refuses weights and statistics with which a network gives no answers.
  private static func check(_ file: Checkpoint, path: String) throws {
    func fault(_ array: Checkpoint.Tensor, _ problem: String) -> UserError {
      UserError(
        .data,
        path,
        "array \(array.name) holds \(problem)",
        remedy: "train the network again with a lower recipe.learning_rate, or restore the file"
      )
    }
    if let array = file.firstNotFinite {
      throw fault(array, "values that are not finite numbers")
    }
    let variances = file.tensors.filter { $0.name.hasSuffix(".variance") }
    if let array = variances.first(where: { $0.values.contains { $0 < 0 } }) {
      throw fault(array, "variances below 0")
    }
  }

  /// The layers that a file's metadata names.
  ///
  /// Errors: `UserError` for a file that another program wrote, or one whose layers do not hold.
  package static func description(
    in metadata: [String: String],
    path: String
  ) throws -> NetworkDescription {
    guard let json = metadata["network"] else {
      throw UserError(
        .data,
        path,
        "holds arrays, but not the layers of a network",
        remedy: "give a file of supertop train or supertop export --safetensors"
      )
    }
    return try parse(Data(json.utf8), place: path)
  }

  /// Puts the weights of a file into a network.
  ///
  /// Errors: `UserError` naming the first array that is missing, has another shape or belongs to no
  /// layer; the network is as it was then.
  package static func restore(
    _ file: Checkpoint,
    into network: Network,
    path: String
  ) throws {
    let remedy = "use weights of \(network.description.name)"
    do {
      let known = Set(network.state().map(\.name))
      if let stranger = file.tensors.first(where: { !known.contains($0.name) }) {
        throw UserError(
          .data,
          path,
          "array \(stranger.name) belongs to no layer of the network",
          remedy: remedy
        )
      }
      try network.restore(
        StateDictionary(
          file.tensors.map { NamedArray(name: $0.name, shape: $0.shape, values: $0.values) }
        )
      )
    } catch let fault as StateFault {
      throw UserError(
        .data,
        path,
        fault.found.map { "array \(fault.name) has shape \($0), not \(fault.expected)" }
          ?? "has no array \(fault.name)",
        remedy: remedy
      )
    }
  }

  /// Layers in JSON.
  ///
  /// Errors: `UserError` with the place, the layer and the key.
  package static func parse(_ json: Data, place: String) throws -> NetworkDescription {
    do {
      return try NetworkFile.parse(json)
    } catch let fault as NetworkFault {
      throw UserError(
        .data,
        fault.path.isEmpty ? place : place + ": " + fault.path,
        fault.problem,
        remedy: fault.remedy ?? "see Documentation/network-format.md"
      )
    }
  }
}
