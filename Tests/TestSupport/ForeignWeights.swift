import Foundation
import Runs

/// A network of another program as ImportTests/Fixtures/make_weights.py made it: its arrays follow
/// from their names and shapes, the scores are that program's.
package struct ForeignWeights: Decodable, Sendable {
  /// `timm` or `mobile-vision`.
  package var naming: String
  /// The network's name in the zoo.
  package var name: String
  /// Side of the images, pixels.
  package var side: Int
  /// Answers to `images`, ten each.
  package var scores: [Float]
  private var variance: Double
  private var modules: String

  /// How many images were asked about.
  package static let images = 2

  /// All of the fixture.
  package static func all() throws -> [ForeignWeights] {
    let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appending(path: "../ImportTests/Fixtures/weights.json")
    // The networks of `make_weights.py --all`, where somebody has made them.
    let other = ProcessInfo.processInfo.environment["SUPERTOP_WEIGHTS"]
      .map { URL(fileURLWithPath: $0) }
    return try JSONDecoder().decode([ForeignWeights].self, from: Data(contentsOf: other ?? file))
  }

  /// The network of that naming and name.
  package static func of(_ naming: String, _ name: String) throws -> ForeignWeights? {
    try all().first { $0.naming == naming && $0.name == name }
  }

  /// The images [2, side, side, 3].
  package var pixels: [Float] {
    pseudorandom("images", ForeignWeights.images * side * side * 3).map { 2 * $0 - 1 }
  }

  /// The state dict.
  package var arrays: [Checkpoint.Tensor] {
    modules.split(separator: ";").flatMap { module in
      let parts = module.split(separator: " ")
      let hasBias = parts[1].hasSuffix("+")
      let sizes = parts[1].trimmingSuffix("+").split(separator: ",").compactMap { Int($0) }
      let outputs = Array(sizes.prefix(1))
      var leaves = [("weight", sizes)]
      if sizes.count == 1 {
        leaves += ["bias", "running_mean", "running_var"].map { ($0, sizes) }
        leaves.append(("num_batches_tracked", []))
      } else if hasBias {
        leaves.append(("bias", outputs))
      }
      return leaves.map { leaf, shape in
        array("\(parts[0]).\(leaf)", shape)
      }
    }
  }

  private func array(_ name: String, _ shape: [Int]) -> Checkpoint.Tensor {
    let u = pseudorandom(name, shape.reduce(1, *))
    let values: [Float]
    if shape.count > 1 {
      let scale = (6 / Double(shape.dropFirst().reduce(1, *))).squareRoot()
      values = u.map { Float((2 * Double($0) - 1) * scale) }
    } else if name.hasSuffix("running_var") {
      values = u.map { Float(variance * (1 + 2 * Double($0))) }
    } else {
      values = name.hasSuffix("weight") ? u.map { 0.5 + $0 } : u.map { ($0 - 0.5) / 2 }
    }
    return Checkpoint.Tensor(name: name, shape: shape, values: values)
  }
}

extension Substring {
  fileprivate func trimmingSuffix(_ suffix: String) -> Substring {
    hasSuffix(suffix) ? dropLast(suffix.count) : self
  }
}
