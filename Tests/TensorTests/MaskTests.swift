import Tensor
import TestSupport
import Testing

/// What the table of cases cannot say of a mask: exact zeros, and which passes it costs.
@Suite struct MaskTests {
  private let engine = Engine(threads: 1)

  /// A 1×1 convolution 4 → 6 with a batch-norm of shift 5, which would show in masked channels.
  private func shifted(_ activation: Activation) -> Tensor {
    let x = engine.tensor((0..<24).map { Float($0 % 7) - 3 }, shape: [1, 2, 3, 4])
    let filter = Parameter(name: "filter", shape: [1, 1, 4, 6], engine: engine)
    for i in 0..<24 { filter.value.pointer[i] = Float(i % 5) - 2 }
    let norm = BatchNorm(name: "norm", channels: 6, engine: engine)
    norm.beta.value.pointer.update(repeating: 5, count: 6)
    return engine.convolution(x, filter: filter, norm: norm, activation: activation)
  }

  @Test(arguments: Activation.allCases, [false, true])
  func `a masked channel is 0 whatever the shift of its batch-norm`(
    _ activation: Activation,
    isRecording: Bool
  ) {
    engine.isRecording = isRecording
    let weights = engine.tensor([0.2, 0.5, 0.3], shape: [3], requiresGradient: true)
    let mask = engine.channelMask(weights, widths: [2, 3, 6], forward: [0, 1, 0])
    let x = shifted(activation)
    let whole = engine.materialise(x).values
    let masked = engine.materialise(engine.mask(x, by: mask)).values
    #expect(whole.contains { $0 > 4 })
    for i in whole.indices { #expect(masked[i] == (i % 6 < 3 ? whole[i] : 0)) }
  }

  @Test
  func
    `a mask is a view behind batch-norm and ReLU, and a pass where that would lose its gradient`()
  {
    engine.isRecording = true
    func isView(_ activation: Activation, _ values: [Float], gradient: Bool = true) -> Bool {
      let x = shifted(activation)
      let mask = engine.tensor(values, shape: [6], requiresGradient: gradient)
      return engine.mask(x, by: mask).buffer === x.buffer
    }
    let soft: [Float] = [1, 1, 0.8, 0.5, 0.5, 0.1]
    let hard: [Float] = [1, 1, 1, 0, 0, 0]
    #expect(isView(.none, soft) && isView(.none, hard) && isView(.none, soft.map { -$0 }))
    #expect(isView(.relu, soft) && isView(.relu, hard, gradient: false))
    #expect(!isView(.relu, hard) && !isView(.relu, soft.map { -$0 }))
    #expect(!isView(.hswish, soft) && !isView(.hswish, hard))
  }

  @Test func `the mask of the widths 12 and 16 at 0.2 and 0.8 keeps 15.2 channels`() {
    let weights = engine.tensor([0.2, 0.8], shape: [2])
    let mask = engine.channelMask(weights, widths: [12, 16])
    #expect(mask.values == [Float](repeating: 1, count: 12) + [0.8, 0.8, 0.8, 0.8])
    #expect(abs(engine.sum(mask).item - 15.2) < 1e-5)
  }

  @Test func `the taps of 3×3 are the centre of 5×5`() {
    let weights = engine.tensor([1, 0], shape: [2])
    let border: [Float] = [0, 0, 0, 0, 0]
    let centre: [Float] = [0, 1, 1, 1, 0]
    #expect(
      engine.tapMask(weights, sides: [3, 5]).values == border + centre + centre + centre + border
    )
  }

  @Test func `frozen parameters get no gradient through masked taps, and the choice gets its own`()
  {
    engine.isRecording = true
    engine.trainsParameters = false
    let x = engine.tensor((0..<50).map { Float($0 % 9) }, shape: [1, 5, 5, 2])
    let filter = Parameter(name: "filter", shape: [5, 5, 2], engine: engine)
    filter.value.pointer.update(repeating: 0.5, count: 50)
    let weights = engine.tensor([0.4, 0.6], shape: [2], requiresGradient: true)
    let taps = engine.tapMask(weights, sides: [3, 5])
    engine.backward(from: engine.depthwiseConvolution(x, filter: filter, stride: 1, taps: taps))
    #expect(filter.gradient.elements.allSatisfy { $0 == 0 })
    #expect(weights.gradientValues?.allSatisfy { $0 != 0 } == true)
  }
}
