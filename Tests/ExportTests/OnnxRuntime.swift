import Export
import Foundation
import Networks
import Tensor

/// ONNX Runtime.
enum OnnxRuntime {
  static let script = PythonScript(
    "run_onnx.py",
    environment: "onnx",
    variable: "SUPERTOP_ONNX_PYTHON"
  )

  /// One network to be asked.
  struct Question {
    var name: String
    var model: Data
    /// [N, C, H, W].
    var images: [Float]
  }

  /// The answers [N, classes], in order.
  static func answers(_ questions: [Question]) throws -> [[Float]] {
    let folder = NSTemporaryDirectory() + "supertop-onnx-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    func file(_ name: String) -> URL { URL(fileURLWithPath: "\(folder)/\(name)") }
    for question in questions {
      try question.model.write(to: file(question.name + ".onnx"))
      try question.images.withUnsafeBytes { Data($0) }.write(to: file(question.name + ".input"))
    }
    try script.run([folder])
    return try questions.map { question in
      let data = try Data(contentsOf: file(question.name + ".output"))
      return [Float](unsafeUninitializedCapacity: data.count / 4) { buffer, count in
        count = data.copyBytes(to: buffer) / 4
      }
    }
  }
}

/// A network with random weights and batch-norms, none at its first value, and the statistics that
/// belong to them.
///
/// With other statistics, or scales far over those that training finds, activations grow from layer
/// to layer, and rounding with them.
func randomNetwork(_ description: NetworkDescription, engine: Engine, seed: UInt64) -> Network {
  let network = Network(description, engine: engine, seed: seed)
  var random = Philox(seed: seed, purpose: .test)
  for norm in network.norms {
    for c in norm.runningMean.indices {
      norm.gamma.value.pointer[c] = 0.25 + random.uniform() / 2
      norm.beta.value.pointer[c] = random.normal() / 4
    }
  }
  for parameter in network.parameters where parameter.name.hasSuffix(".bias") {
    for c in 0..<parameter.value.count { parameter.value.pointer[c] = random.normal() }
  }
  let shape = [8, description.height, description.width, description.channels]
  engine.mode = .recalibration
  _ = network(
    engine.tensor((0..<shape.reduce(1, *)).map { _ in random.normal() }, shape: shape)
  )
  engine.mode = .inference
  // A file holds 32 bits of them.
  for norm in network.norms {
    norm.runningMean = norm.runningMean.map { Double(Float($0)) }
    norm.runningVariance = norm.runningVariance.map { Double(Float($0)) }
  }
  return network
}

/// The network's own scores of random images, and the images in both orders of the sides.
func scores(
  of network: Network,
  images: Int,
  engine: Engine
) -> (scores: [Float], planes: [Float]) {
  let d = network.description
  let shape = [images, d.height, d.width, d.channels]
  var random = Philox(seed: 9, purpose: .test)
  let values = (0..<shape.reduce(1, *)).map { _ in random.normal() }
  let pixels = d.height * d.width
  var planes = [Float](repeating: 0, count: values.count)
  for image in 0..<images {
    for pixel in 0..<pixels {
      for channel in 0..<d.channels {
        planes[(image * d.channels + channel) * pixels + pixel] =
          values[(image * pixels + pixel) * d.channels + channel]
      }
    }
  }
  return (network(engine.tensor(values, shape: shape)).values, planes)
}
