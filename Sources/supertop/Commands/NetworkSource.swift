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
  /// What the network knows of the data it was trained on; nil without weights, and for files of
  /// before.
  let learned: LearnedData?

  /// Finds a network by the zoo's name in any case, in a JSON or safetensors file, or in a run.
  ///
  /// Errors: `UserError` that offers the nearest name, or names file, layer and key.
  init(_ name: String) throws {
    self.name = name
    if let entry = Zoo.named(name) {
      description = entry.network
      (weights, learned) = (nil, nil)
      return
    }
    guard pathExists(name) else {
      guard !name.contains("/"), Path.suffix(name).isEmpty else {
        throw UserError(
          .noInput,
          name,
          "no such file",
          remedy: "check the path, or give a name of 'supertop models'"
        )
      }
      // Throws, as no network has that name; says which is the nearest.
      description = try Zoo.found(name).network
      (weights, learned) = (nil, nil)
      return
    }
    let path = isFolder(name) ? try NetworkSource.path(inRun: name) : name
    if Path.suffix(path) == "safetensors" {
      let file = try NetworkArchive.read(from: path)
      (description, weights) = file
      learned = try LearnedData(metadata: file.weights.metadata, path: path)
      try checkLearned(path)
    } else {
      description = try NetworkArchive.parse(Data(try readText(path).utf8), place: path)
      (weights, learned) = (nil, nil)
    }
  }

  /// Refuses names and figures that are not of this network.
  private func checkLearned(_ path: String) throws {
    guard let learned else { return }
    let (classes, channels) = (learned.classNames.count, learned.mean.count)
    guard classes == description.classes, channels == description.channels else {
      throw UserError(
        .data,
        path,
        "its metadata is of \(Format.counted(classes, "class")) and "
          + "\(Format.counted(channels, "channel")), its layers are of "
          + "\(description.classes) and \(description.channels)",
        remedy: "export the network again, or restore the file from a copy"
      )
    }
  }

  /// Where a finished run keeps its network: a training with weights, a search the chosen one
  /// without.
  private static func path(inRun name: String) throws -> String {
    let run = try RunFolder.open(path: name)
    let paths = [run.weightsPath, run.exportsPath + "/network.json"]
    if let path = paths.first(where: pathExists) { return path }
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

  /// The network in memory, with its weights, or with fresh ones sampled from `seed` where it has
  /// none.
  ///
  /// Errors: `UserError` naming an array that does not fit the network.
  func network(engine: Engine, seed: UInt64) throws -> Network {
    let network = Network(description, engine: engine, seed: seed)
    if let weights { try NetworkArchive.restore(weights, into: network, path: name) }
    return network
  }
}
