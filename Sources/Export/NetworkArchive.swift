import Foundation
import Networks
import Runs

/// A network and its weights as one safetensors file.
///
/// The arrays have readable names (`blocks.3.expand.weight`, see `Network.state()`) and the program's own
/// layouts: filters [K, K, C, D] or [g, C/g, D/g], depthwise ones [K, K, C], the classifier [D, classes].
/// The metadata holds the layers as JSON under `network`, in the format of `NetworkFile`.
package enum NetworkArchive {
  /// The network as a file to be written.
  ///
  /// - Parameters:
  ///   - network: whose weights and running statistics of now are taken.
  ///   - metadata: texts to carry along.
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

  /// The layers that a file tells of.
  ///
  /// Errors: `UserError` for a file that another program wrote, or one whose layers do not hold.
  package static func description(
    in file: Checkpoint,
    path: String
  ) throws -> NetworkDescription {
    guard let json = file.metadata["network"] else {
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
  /// Errors: `UserError` naming the first array that is missing, has another shape or belongs to no layer; the
  /// network is as it was then.
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
        Dictionary(
          file.tensors.map { ($0.name, (shape: $0.shape, values: $0.values)) },
          uniquingKeysWith: { first, _ in first }
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
