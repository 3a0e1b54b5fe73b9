import Foundation
import Runs
import Tensor

/// What the machine gives at most, measured with an engine's threads and instruction set.
struct MachinePeaks {
  /// Multiply–adds in registers, floating-point operations a second.
  var arithmetic = 0.0
  /// Of memory far larger than the caches, bytes a second; the higher of reading and copying.
  var bandwidth = 0.0

  /// The time that `work` takes at least.
  func floor(_ work: Work) -> Double {
    max(work.arithmetic / arithmetic, work.bytes / bandwidth)
  }

  /// Whether memory, not arithmetic, sets the floor.
  func isBoundByMemory(_ work: Work) -> Bool {
    work.bytes / bandwidth > work.arithmetic / arithmetic
  }

  /// Floating-point operations a second in registers alone.
  static func arithmetic(_ engine: Engine, seconds: Double) -> Double {
    rate(seconds) { engine.runPeakSteps(200_000) }
  }

  /// Floating-point operations a second of the matrix micro-kernel on operands in the first-level
  /// cache.
  static func tiles(_ engine: Engine, seconds: Double) -> Double {
    rate(seconds) { engine.runPeakTiles(500) }
  }

  /// Bytes a second read from, and copied within, arrays of `mebibytes` each.
  static func bandwidth(
    _ engine: Engine,
    mebibytes: Int,
    seconds: Double
  ) -> (read: Double, copy: Double) {
    let from = engine.pool.take(mebibytes << 18)
    let to = engine.pool.take(mebibytes << 18)
    // Memory that nobody wrote to is not there.
    from.pointer.update(repeating: 1, count: from.count)
    to.clear()
    return (
      rate(seconds) { engine.readOnce(from) },
      rate(seconds) { engine.copyOnce(from, to: to) }
    )
  }

  /// The best of what `work` does a second; it returns how much it did.
  private static func rate(_ seconds: Double, _ work: () -> Double) -> Double {
    var done = 0.0
    let times = BenchTimes(seconds: seconds) { done = work() }
    return done / times.least
  }
}

/// One operation alone, as a step takes it: with batch-norm and what belongs to it.
struct OperationBench {
  /// Least time and work of a call.
  struct Timing {
    var seconds: Double
    var work: Work

    /// 10⁹ floating-point operations a second.
    var gflops: Double { work.arithmetic / seconds / 1e9 }
    /// 10⁹ bytes a second.
    var gigabytes: Double { work.bytes / seconds / 1e9 }
  }

  /// What it runs on.
  let engine: Engine
  /// Time given to each measurement.
  let seconds: Double

  /// A tensor of small numbers.
  func tensor(_ shape: [Int], requiresGradient: Bool = false) -> Tensor {
    engine.tensor(
      OperationBench.values(shape.reduce(1, *)),
      shape: shape,
      requiresGradient: requiresGradient
    )
  }

  /// A filter of small numbers.
  func filter(_ shape: [Int]) -> Parameter {
    let parameter = Parameter(name: "filter", shape: shape, engine: engine)
    for (i, value) in OperationBench.values(parameter.value.count).enumerated() {
      parameter.value.pointer[i] = value
    }
    return parameter
  }

  private static func values(_ count: Int) -> [Float] {
    (0..<count).map { Float($0 % 251) / 251 - 0.5 }
  }

  /// Times `operation` without a tape.
  func forward(_ operation: () -> Tensor) -> Timing {
    engine.isRecording = false
    let profile = Profile()
    engine.profile = profile
    _ = operation()
    engine.profile = nil
    let times = BenchTimes(seconds: seconds) { _ = operation() }
    return Timing(seconds: times.least, work: main(profile))
  }

  /// Times the gradients of `operation` by `x` and its parameters.
  ///
  /// The gradient comes from an average over the pixels, whose own time is taken off.
  func backward(from x: Tensor, _ operation: () -> Tensor) -> Timing {
    engine.isRecording = true
    defer { engine.isRecording = false }
    let profile = Profile()
    var all: [Double] = []
    let clock = ContinuousClock()
    let start = clock.now
    while all.count < 4 || (clock.now - start).seconds < seconds {
      let mean = engine.averagePool(operation())
      profile.reset()
      engine.profile = profile
      let whole = clock.measure { engine.backward(from: mean) }.seconds
      engine.profile = nil
      x.clearGradient()
      let pooling = profile.entries.first { $0.work.operation == "average pool" }
      all.append(whole - (pooling?.seconds ?? 0))
    }
    // The first one takes its memory from the system.
    return Timing(seconds: BenchTimes(Array(all.dropFirst())).least, work: main(profile))
  }

  /// The work that the operation is about.
  private func main(_ profile: Profile) -> Work {
    profile.entries.map(\.work).filter { $0.operation != "average pool" }
      .max { $0.arithmetic < $1.arithmetic } ?? Work("nothing", .forward, floats: 0)
  }
}
