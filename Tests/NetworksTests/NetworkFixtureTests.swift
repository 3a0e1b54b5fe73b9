import Foundation
import Networks
import Tensor
import TestSupport
import Testing

/// Published networks against PyTorch's, with the same weights; Fixtures/make_networks.py made the
/// values.
@Suite struct NetworkFixtureTests {
  private struct Fixture: Decodable {
    var name: String
    var side: Int
    var scores: [Float]
    var loss: Double
    /// Norm, and product with a pseudorandom vector.
    var gradients: [String: [Double]]
  }

  private static func fixtures() throws -> [Fixture] {
    let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appending(path: "Fixtures/networks.json")
    return try JSONDecoder().decode([Fixture].self, from: Data(contentsOf: file))
  }

  private static let images = 8

  private func network(_ fixture: Fixture, engine: Engine) throws -> Network {
    let entry = try #require(Zoo.named(fixture.name))
    let side = fixture.side
    let description = try #require(
      entry.network.adapted(height: side, width: side, channels: 3, classes: 10)
    )
    let network = Network(description, engine: engine, seed: 1)
    for parameter in network.parameters {
      let u = pseudorandom(parameter.name, parameter.value.count)
      let fan =
        parameter.name.contains(".depthwise")
        ? parameter.shape[0] * parameter.shape[0] : parameter.shape.dropLast().reduce(1, *)
      let scale = (6 / Double(fan)).squareRoot()
      let isScale = parameter.name.hasSuffix(".gamma")
      let isShift = parameter.name.hasSuffix(".beta") || parameter.name.hasSuffix(".bias")
      for (i, u) in u.enumerated() {
        parameter.value.pointer[i] =
          isScale ? 0.5 + u : isShift ? (u - 0.5) / 2 : Float((2 * Double(u) - 1) * scale)
      }
    }
    for norm in network.norms {
      let mean = pseudorandom(norm.name + ".mean", norm.runningMean.count)
      let variance = pseudorandom(norm.name + ".variance", norm.runningMean.count)
      for c in mean.indices {
        norm.runningMean[c] = Double((mean[c] - 0.5) / 2)
        norm.runningVariance[c] = Double(2 + 2 * variance[c])
      }
    }
    return network
  }

  private func pixels(_ fixture: Fixture, engine: Engine) -> Tensor {
    let shape = [NetworkFixtureTests.images, fixture.side, fixture.side, 3]
    return engine.tensor(
      pseudorandom("images", shape.reduce(1, *)).map { 2 * $0 - 1 },
      shape: shape
    )
  }

  /// One test for both, as building a network of a few million weights takes its time.
  @Test func `scores, and a step's loss and gradients, are PyTorch's in every family`() throws {
    let fixtures = try NetworkFixtureTests.fixtures()
    #expect(fixtures.count == 5)
    for fixture in fixtures {
      let engine = Engine(threads: 2)
      let network = try network(fixture, engine: engine)
      engine.mode = .inference
      let inferred = network(pixels(fixture, engine: engine)).values
      let peak = fixture.scores.map { abs($0) }.max() ?? 0
      let worst = zip(inferred, fixture.scores).map { abs($0 - $1) }.max() ?? .infinity
      #expect(inferred.count == fixture.scores.count && worst <= 1e-4 * peak, "\(fixture.name)")

      engine.mode = .training
      engine.isRecording = true
      let scores = network(
        pixels(fixture, engine: engine),
        noise: TrainingNoise(dropout: 0, dropPath: 0.4, seed: 7, step: 11)
      )
      let images = NetworkFixtureTests.images
      let (loss, _) = engine.crossEntropy(
        scores,
        labels: (0..<images).map { Int32($0 % 10) },
        smoothing: 0.1,
        mixed: (labels: (0..<images).map { Int32((3 * $0 + 1) % 10) }, share: 0.3)
      )
      engine.backward(from: loss)
      #expect(abs(Double(loss.item) - fixture.loss) < 1e-4 * fixture.loss, "\(fixture.name)")
      #expect(Set(network.parameters.map(\.name)) == Set(fixture.gradients.keys))
      let largest = fixture.gradients.values.map { $0[0] }.max() ?? 0
      for parameter in network.parameters {
        let expected = try #require(fixture.gradients[parameter.name])
        let gradient = parameter.gradient.elements
        var (squares, product) = (0.0, 0.0)
        for (g, u) in zip(gradient, pseudorandom(parameter.name + "#", gradient.count)) {
          squares += Double(g) * Double(g)
          product += Double(g) * Double(2 * u - 1)
        }
        // Single precision through so many batch-norms over few values, where a ReLU's side may
        // turn: against its own double precision PyTorch is off by as much.
        let slack = 2e-2 * expected[0] + 1e-6 * largest
        #expect(
          abs(squares.squareRoot() - expected[0]) < slack && abs(product - expected[1]) < slack,
          "\(fixture.name) \(parameter.name): \(squares.squareRoot()) \(product) \(expected)"
        )
      }
    }
  }
}
