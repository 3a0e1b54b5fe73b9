import Foundation
import Networks
import Runs

/// A network by the zoo's name or in a JSON file, as `supertop bench inference --network` takes it.
enum BenchNetworkFile {
  /// Finds the network, for square images of `size` pixels; nil takes its own.
  ///
  /// Errors: `UserError` naming file, layer and key.
  static func read(_ name: String, size: Int?) throws -> NetworkDescription {
    var network: NetworkDescription
    if let entry = Zoo.named(name) {
      network = entry.network
    } else {
      guard let data = FileManager.default.contents(atPath: name) else {
        throw UserError(
          .noInput,
          name,
          "no such network or file",
          remedy: "give a JSON file or a name of 'supertop models', such as fbnet_c"
        )
      }
      do {
        network = try NetworkFile.parse(data)
      } catch let fault as NetworkFault {
        throw UserError(
          .data,
          fault.path.isEmpty ? name : name + ": " + fault.path,
          fault.problem,
          remedy: fault.remedy ?? "see Documentation/network-format.md"
        )
      }
    }
    guard let size else { return network }
    guard
      let adapted = network.adapted(
        height: size,
        width: size,
        channels: network.channels,
        classes: network.classes
      )
    else {
      throw UserError(.usage, "--size \(size)", "too small for \(network.name)", remedy: "raise it")
    }
    return adapted
  }
}
