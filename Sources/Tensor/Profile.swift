import Kernels

/// What one fan-out over the thread pool computes, as a profile books it.
package struct Work {
  /// Which way a step's data goes.
  package enum Direction: String, Sendable, CaseIterable {
    case forward, backward, update
  }

  /// What it computes, `depthwise 3x3`.
  package var operation: String
  /// On which way.
  package var direction: Direction
  /// Floating-point operations: two for each multiply–add.
  package var arithmetic: Double
  /// Bytes that have to be read or written at least, each tensor once.
  package var bytes: Double

  /// Describes work that moves `floats` floats.
  package init(_ operation: String, _ direction: Direction, arithmetic: Int = 0, floats: Int) {
    self.operation = operation
    self.direction = direction
    self.arithmetic = Double(arithmetic)
    bytes = Double(floats) * 4
  }

  /// One group of a dense convolution forward: `inputs` floats are read.
  static func convolution(
    _ patches: Patches?,
    rows: Int,
    depth: Int,
    columns: Int,
    inputs: Int
  ) -> Work {
    Work(
      name(patches),
      .forward,
      arithmetic: 2 * rows * depth * columns,
      floats: min(inputs, rows * depth) + rows * columns + depth * columns
    )
  }

  /// The same backward, with as many matrix products as gradients are wanted.
  ///
  /// Reads the input, the raw output and its gradient, and writes the input's gradient.
  static func convolutionBackward(
    _ patches: Patches?,
    rows: Int,
    depth: Int,
    columns: Int,
    inputs: Int,
    forInput: Bool,
    forFilter: Bool
  ) -> Work {
    let products = (forInput ? 1 : 0) + (forFilter ? 1 : 0)
    return Work(
      name(patches),
      .backward,
      arithmetic: 2 * products * rows * depth * columns,
      floats: products * min(inputs, rows * depth) + 2 * rows * columns + depth * columns
    )
  }

  /// A depthwise convolution: `products` gradients backward, or one result forward.
  static func depthwise(
    _ direction: Direction,
    _ geometry: Patches,
    inputs: Int,
    outputs: Int,
    products: Int = 1
  ) -> Work {
    let k = geometry.kernel
    return Work(
      "depthwise \(k)x\(k)" + (geometry.stride > 1 ? " s\(geometry.stride)" : ""),
      direction,
      arithmetic: 2 * products * k * k * outputs,
      floats: products * inputs + (direction == .forward ? 1 : 2) * outputs
    )
  }

  private static func name(_ patches: Patches?) -> String {
    guard let patches else { return "1x1" }
    return "\(patches.kernel)x\(patches.kernel)"
      + (patches.stride > 1 ? " s\(patches.stride)" : "")
  }
}

/// Where the time of steps goes, by operation; an engine without one measures nothing.
package final class Profile {
  /// All work of one operation and direction.
  package struct Entry {
    /// Sums over the calls.
    package var work: Work
    /// Times that the workers were called.
    package var calls = 0
    /// Time between call and return.
    package var seconds = 0.0
  }

  /// In the order of the first call.
  package private(set) var entries: [Entry] = []
  private var index: [String: Int] = [:]

  package init() {}

  /// Forgets everything.
  package func reset() {
    entries = []
    index = [:]
  }

  /// Seconds spent in all that was attributed.
  package var seconds: Double { entries.reduce(0) { $0 + $1.seconds } }

  /// Runs `body` and books its time under `work`.
  func measure(_ work: Work, _ body: () -> Void) {
    let time = ContinuousClock().measure(body).components
    let key = work.operation + work.direction.rawValue
    let at = index[key] ?? entries.count
    if at == entries.count {
      index[key] = at
      entries.append(Entry(work: Work(work.operation, work.direction, floats: 0)))
    }
    entries[at].work.arithmetic += work.arithmetic
    entries[at].work.bytes += work.bytes
    entries[at].calls += 1
    entries[at].seconds += Double(time.seconds) + Double(time.attoseconds) * 1e-18
  }
}

extension Engine {
  /// Where the time of operations is booked; nil, the default, costs nothing.
  package var profile: Profile? {
    get { threadPool.profile }
    set { threadPool.profile = newValue }
  }
}
