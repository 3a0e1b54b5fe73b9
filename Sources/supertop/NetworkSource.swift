import Export
import Foundation
import Networks
import Runs
import Tensor

/// A network that a person named, with its weights if it has any.
struct NetworkSource {
  /// What the person typed; errors about the network begin with it.
  let name: String
  /// Its layers.
  let description: NetworkDescription
  /// Trained weights, of a file or of a finished training.
  let weights: Checkpoint?

  /// Finds a network by the zoo's name in any case, in a JSON or safetensors file, or in a run.
  ///
  /// Errors: `UserError` that offers the nearest name, or names file, layer and key.
  init(_ name: String) throws {
    self.name = name
    if let entry = Zoo.named(name) {
      description = entry.network
      weights = nil
      return
    }
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: name, isDirectory: &isFolder) else {
      guard !name.contains("/"), (name as NSString).pathExtension.isEmpty else {
        throw UserError(
          .noInput,
          name,
          "no such file",
          remedy: "check the path, or give a name of 'supertop models'"
        )
      }
      // Throws, as no network has that name; says which is the nearest.
      description = try Zoo.found(name).network
      weights = nil
      return
    }
    let path = isFolder.boolValue ? try NetworkSource.path(inRun: name) : name
    if (path as NSString).pathExtension.lowercased() == "safetensors" {
      let file = try Checkpoint.read(from: path)
      description = try NetworkArchive.description(in: file, path: path)
      weights = file
    } else {
      description = try NetworkArchive.parse(Data(try readText(path).utf8), place: path)
      weights = nil
    }
  }

  /// Where a finished run keeps its network: a training with weights, a search the likeliest without.
  private static func path(inRun name: String) throws -> String {
    let run = try RunFolder.open(path: name)
    let paths = [run.weightsPath, run.exportsPath + "/network.json"]
    if let path = paths.first(where: FileManager.default.fileExists(atPath:)) { return path }
    throw UserError(
      .noInput,
      run.path,
      "holds no network, it has not finished",
      remedy: "finish it with supertop resume, or name another run"
    )
  }

  /// The same blocks for square images of `side` pixels with `channels`, and for `classes`.
  ///
  /// Errors: `UserError` where a block does not fit on so small a map.
  func adapted(side: Int, channels: Int, classes: Int) throws -> NetworkDescription {
    guard
      let adapted = description.adapted(
        height: side,
        width: side,
        channels: channels,
        classes: classes
      )
    else {
      throw UserError(
        .data,
        name,
        "too deep for images of \(side)x\(side) pixels",
        remedy: "raise the resolution or take a network with fewer strides"
      )
    }
    return adapted
  }

  /// The network in memory, with its weights, or with fresh ones drawn from `seed` where it has none.
  ///
  /// Errors: `UserError` naming an array that does not fit the network.
  func network(engine: Engine, seed: UInt64) throws -> Network {
    let network = Network(description, engine: engine, seed: seed)
    if let weights { try NetworkArchive.restore(weights, into: network, path: name) }
    return network
  }
}
