import Foundation
import Networks
import Runs

/// A network that a person named, with its weights if it has any.
struct NetworkSource {
  let description: NetworkDescription
  let weights: Checkpoint?

  init(_ name: String) throws {
    if let entry = Zoo.named(name) {
      description = entry.network
      weights = nil
      return
    }
    var path = name
    if let run = try? RunFolder.open(path: name) { path = run.weightsPath }
    if path.hasSuffix(".safetensors") {
      let file = try Checkpoint.read(from: path)
      description = try NetworkFile.parse(Data((file.metadata["network"] ?? "").utf8))
      weights = file
      return
    }
    description = try NetworkFile.parse(try Data(contentsOf: URL(fileURLWithPath: path)))
    weights = nil
  }
}
