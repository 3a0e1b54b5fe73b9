import Foundation
import Tensor
import TestSupport
import Testing

@Suite struct EngineTests {
  private func block(_ g: any Graph) -> Node {
    let x = g.input("x", [2, 6, 6, 8], .normal)
    let a = g.pointwise(x, "a", to: 24, norm: .relu)
    let b = g.depthwise(a, "b", kernel: 3, stride: 1, norm: .relu)
    let c = g.pointwise(b, "c", to: 8, norm: .linear)
    let m = g.input("m", [2], .positive)
    return g.weightedSum([(c, true), (x, false)], shortcut: x, weights: m, forward: nil)
  }

  @Test func `architecture weights get the same gradient when parameters train not at all`() {
    let full = EngineGraph.run(Engine(threads: 1), Leaves(), block)
    let engine = Engine(threads: 1)
    engine.trainsParameters = false
    let bare = EngineGraph.run(engine, Leaves(), block)
    #expect(bare.output == full.output)
    for name in ["x", "m"] { #expect(bare.gradients[name] == full.gradients[name]) }
    for (name, gradient) in bare.gradients where name != "x" && name != "m" {
      #expect(gradient.allSatisfy { $0 == 0 }, "\(name)")
    }
  }

  @Test func `an engine that does not record keeps no tape and no gradient`() {
    let engine = Engine(threads: 1)
    let x = engine.tensor([1, 2, 3], shape: [3], requiresGradient: true)
    let silent = engine.sum(engine.exponential(x))
    #expect(!silent.requiresGradient)
    engine.backward(from: silent)
    #expect(x.gradientValues == nil)
    engine.isRecording = true
    engine.backward(from: engine.sum(x), seed: 2)
    #expect(x.gradientValues == [2, 2, 2])
  }

  @Test func `gradients of parameters add up over passes`() {
    let engine = Engine(threads: 1)
    engine.isRecording = true
    let filter = Parameter(name: "w", shape: [1, 1, 2, 3], engine: engine)
    for _ in 0..<3 {
      let x = engine.tensor([1, 2], shape: [1, 2])
      engine.backward(from: engine.sum(engine.convolution(x, filter: filter)))
    }
    #expect(Array(filter.gradient.elements) == [3, 3, 3, 6, 6, 6])
  }

  @Test func `a branch of weight 0 is neither read nor given a gradient`() {
    let engine = Engine(threads: 1)
    engine.isRecording = true
    let a = engine.tensor([1, 2, 3, 4], shape: [2, 2], requiresGradient: true)
    let b = engine.tensor([.nan, 1, 1, 1], shape: [2, 2], requiresGradient: true)
    let m = engine.tensor([0.5, 0.5], shape: [2])
    let y = engine.weightedSum(
      [(a, false), (b, false)],
      shortcut: nil,
      weights: m,
      forward: [1, 0]
    )
    #expect(y.values == [1, 2, 3, 4])
    engine.backward(from: engine.sum(y))
    #expect(a.gradientValues == [1, 1, 1, 1])
    #expect(b.gradientValues == nil)
  }

  @Test func `cross-entropy counts the rows whose label is largest`() {
    let engine = Engine(threads: 1)
    let logits = engine.tensor([3, 1, 0, 0, 5, 9, 2, 2, 1], shape: [3, 3])
    #expect(engine.crossEntropy(logits, labels: [0, 1, 0]).correct == 2)
    let huge = engine.tensor([1e4, -1e4], shape: [1, 2])
    #expect(engine.crossEntropy(huge, labels: [1]).loss.item == 2e4)
    #expect(engine.crossEntropy(huge, labels: [0]).loss.item == 0)
  }

  @Test func `softmax of huge values is finite`() {
    let engine = Engine(threads: 1)
    let p = engine.softmax(engine.tensor([1e8, 1e8, -1e8, 0], shape: [2, 2])).values
    #expect(p == [0.5, 0.5, 0, 1])
  }

  @Test func `output sizes round as PyTorch's do`() {
    #expect(ConvolutionGeometry(kernel: 3, stride: 2, padding: 1).outputSize(7) == 4)
    #expect(ConvolutionGeometry(kernel: 3, stride: 2, padding: 1).outputSize(8) == 4)
    #expect(ConvolutionGeometry(stride: 2).outputSize(7) == 4)
    #expect(ConvolutionGeometry(kernel: 5, padding: 2).outputSize(1) == 1)
  }

  @Test func `batch-norm of a constant channel is its beta`() {
    let engine = Engine(threads: 1)
    let filter = Parameter(name: "w", shape: [1, 1, 1, 1], engine: engine)
    filter.value.pointer[0] = 1
    let norm = BatchNorm(name: "n", channels: 1, engine: engine)
    norm.beta.value.pointer[0] = 0.25
    let x = engine.tensor([Float](repeating: 100.7, count: 64), shape: [64, 1])
    let y = engine.materialise(engine.convolution(x, filter: filter, norm: norm))
    // Single-precision sums of squares leave a variance of about 1e-3 · ε at worst.
    #expect(y.values.allSatisfy { abs($0 - 0.25) < 0.05 })
  }
}
