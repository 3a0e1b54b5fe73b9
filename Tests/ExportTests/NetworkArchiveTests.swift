import Export
import Foundation
import Networks
import Runs
import Tensor
import Testing

/// Networks in safetensors files.
@Suite struct NetworkArchiveTests {
  private func file() -> String { NSTemporaryDirectory() + "\(UUID().uuidString).safetensors" }

  private func small(_ name: String) throws -> NetworkDescription {
    let network = try #require(Zoo.named(name)).network
    return try #require(network.adapted(height: 64, width: 64, channels: 3, classes: 7))
  }

  @Test(arguments: ["fbnet_a", "FBNetV2_F1", "FBNetV3_A", "mobilenet_v3_large"])
  func `what is read back is the same network and answers the same`(name: String) throws {
    let path = file()
    defer { try? FileManager.default.removeItem(atPath: path) }
    let engine = Engine(threads: 2)
    let network = randomNetwork(try small(name), engine: engine, seed: 4)
    try NetworkArchive.checkpoint(network, metadata: ["classes": "[\"a\"]"]).write(to: path)

    let read = try Checkpoint.read(from: path)
    #expect(read.metadata["classes"] == "[\"a\"]")
    let description = try NetworkArchive.description(in: read.metadata, path: path)
    #expect(description == network.description)
    let again = Network(description, engine: engine, seed: 99)
    let asked = { scores(of: $0, images: 2, engine: engine).scores }
    #expect(asked(again) != asked(network))
    try NetworkArchive.restore(read, into: again, path: path)
    #expect(asked(again) == asked(network))
    // To the bit, and names with it.
    #expect(NetworkArchive.checkpoint(again, metadata: read.metadata) == read)
  }

  @Test func `arrays that do not fit are named and change nothing`() throws {
    let engine = Engine(threads: 1)
    let network = randomNetwork(try small("fbnet_a"), engine: engine, seed: 4)
    let before = NetworkArchive.checkpoint(network)
    func fault(_ change: (inout Checkpoint) -> Void) -> UserError? {
      var file = before
      for i in file.tensors.indices {
        file.tensors[i].values = file.tensors[i].values.map { $0 + 1 }
      }
      change(&file)
      return #expect(throws: UserError.self) {
        try NetworkArchive.restore(file, into: network, path: "a.safetensors")
      }
    }
    let missing = fault { $0.tensors.removeAll { $0.name == "stem.gamma" } }
    #expect(missing?.problem == "has no array stem.gamma")
    let reshaped = fault { $0.tensors[0].shape = [3, 3, 16, 3] }
    #expect(reshaped?.problem == "array stem.weight has shape [3, 3, 16, 3], not [3, 3, 3, 16]")
    let foreign = fault { $0.tensors.append(.init(name: "conv1.weight", shape: [1], values: [1])) }
    #expect(foreign?.problem == "array conv1.weight belongs to no layer of the network")
    #expect(foreign?.code == .data)
    #expect(NetworkArchive.checkpoint(network) == before)
  }

  @Test func `weights that are no numbers are named when a file is read`() throws {
    let network = randomNetwork(try small("fbnet_a"), engine: Engine(threads: 1), seed: 4)
    let sound = NetworkArchive.checkpoint(network)
    func fault(_ array: String, _ value: Float) throws -> UserError? {
      let path = file()
      defer { try? FileManager.default.removeItem(atPath: path) }
      var broken = sound
      let index = try #require(broken.tensors.firstIndex { $0.name == array })
      broken.tensors[index].values[broken.tensors[index].values.count - 1] = value
      try broken.write(to: path)
      do {
        _ = try NetworkArchive.read(from: path)
        return nil
      } catch let error as UserError {
        #expect(error.place == path && error.code == .data)
        return error
      }
    }
    #expect(try fault("head.weight", 3e38) == nil)
    for array in ["stem.weight", "head.gamma", "head.mean", "head.variance", "classifier.bias"] {
      for value in [Float.nan, .infinity, -.infinity] {
        let problem = try fault(array, value)?.problem
        #expect(problem == "array \(array) holds values that are not finite numbers")
      }
    }
    #expect(
      try fault("head.variance", -1)?.problem == "array head.variance holds variances below 0"
    )
  }

  @Test func `a file of another program is said to lack the layers, whatever its arrays are`()
    throws
  {
    let header =
      #"{"__metadata__":{"format":"pt"},"#
      + #""bn.count":{"data_offsets":[0,8],"dtype":"I64","shape":[]}}"#
    for arrays in [8, 3] {
      let path = file()
      defer { try? FileManager.default.removeItem(atPath: path) }
      var bytes = Data([UInt8(header.utf8.count), 0, 0, 0, 0, 0, 0, 0])
      bytes += Data(header.utf8) + Data(count: arrays)
      try bytes.write(to: URL(fileURLWithPath: path))
      let fault = #expect(throws: UserError.self) { try NetworkArchive.read(from: path) }
      #expect(fault?.problem == "holds arrays, but not the layers of a network")
    }
  }

  @Test func `a file without layers is foreign`() {
    let file = Checkpoint(tensors: [.init(name: "conv1.weight", shape: [1], values: [1])])
    let fault = #expect(throws: UserError.self) {
      try NetworkArchive.description(in: file.metadata, path: "a.safetensors")
    }
    #expect(fault?.place == "a.safetensors")
    #expect(fault?.problem == "holds arrays, but not the layers of a network")
  }
}
