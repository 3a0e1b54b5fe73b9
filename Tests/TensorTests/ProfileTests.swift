import Tensor
import Testing

@Suite struct ProfileTests {
  /// A 1×1 convolution and a strided depthwise one, forward and backward; the input's gradient.
  private func step(_ engine: Engine) -> [Float]? {
    engine.isRecording = true
    let values = (0..<2 * 6 * 6 * 8).map { Float($0 % 13) - 6 }
    let x = engine.tensor(values, shape: [2, 6, 6, 8], requiresGradient: true)
    let filter = Parameter(name: "filter", shape: [1, 1, 8, 24], engine: engine)
    let taps = Parameter(name: "taps", shape: [3, 3, 24], engine: engine)
    for parameter in [filter, taps] {
      for i in 0..<parameter.value.count { parameter.value.pointer[i] = Float(i % 7) - 3 }
    }
    let wide = engine.convolution(x, filter: filter)
    let small = engine.depthwiseConvolution(wide, filter: taps, stride: 2)
    engine.backward(from: engine.averagePool(small))
    return x.gradientValues
  }

  @Test func `a profile has calls, arithmetic and bytes of each operation and direction`()
    throws
  {
    let engine = Engine(threads: 2)
    let profile = Profile()
    engine.profile = profile
    _ = step(engine)
    func entry(_ name: String, _ direction: Work.Direction) throws -> Profile.Entry {
      try #require(
        profile.entries.first { $0.work.operation == name && $0.work.direction == direction }
      )
    }
    let pixels = 2.0 * 6 * 6
    let forward = try entry("1x1", .forward)
    #expect(forward.calls == 1)
    #expect(forward.work.arithmetic == 2 * pixels * 8 * 24)
    #expect(forward.work.bytes == 4 * (pixels * (8 + 24) + 8 * 24))
    #expect(forward.seconds > 0)
    #expect(try entry("1x1", .backward).work.arithmetic == 2 * forward.work.arithmetic)
    let depthwise = try entry("depthwise 3x3 s2", .forward)
    #expect(depthwise.work.arithmetic == 2 * 9 * pixels / 4 * 24)
    #expect(
      try entry("depthwise 3x3 s2", .backward).work.arithmetic == 2 * depthwise.work.arithmetic
    )
    #expect(abs(profile.seconds - profile.entries.reduce(0) { $0 + $1.seconds }) < 1e-9)
  }

  @Test func `a profile changes no result and stays empty once it is taken away`() {
    let engine = Engine(threads: 2)
    let plain = step(engine)
    let profile = Profile()
    engine.profile = profile
    #expect(step(engine) == plain)
    profile.reset()
    engine.profile = nil
    #expect(step(engine) == plain)
    #expect(profile.entries.isEmpty)
  }
}
