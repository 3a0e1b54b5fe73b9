import Networks
import Tensor

/// What blocks take that were not timed, by those that were.
///
/// A block's time is fitted as a sum of what its parts work on: multiply–accumulates of the 1×1
/// convolutions and of the depthwise one, values that are written, weights that are read, and a
/// constant. No part's price is negative. Widths count in whole vectors of channels, for an engine
/// computes those. The relative errors are what the fit makes small.
struct BlockLatencyFit: Sendable {
  /// What a block's time depends on.
  struct Cell: Hashable {
    private let numbers: [Int]

    init(_ block: BlockDescription) {
      var numbers = [block.height, block.width, block.input, block.output, block.stride]
      switch block.kind {
      case .convolution(let kernel, let padding, let activation):
        numbers += [0, kernel, padding ?? -1, Int(activation.rawValue)]
      case .bottleneck(let it), .fused(let it):
        let isFused = if case .fused = block.kind { 1 } else { 0 }
        numbers += [1, isFused, it.middle, it.expands ? 1 : 0, it.groups]
        numbers += [it.squeeze?.channels ?? 0, Int(it.activation.rawValue)] + it.kernels
      case .pool(let middle, let bias, let activation):
        numbers += [2, middle, bias ? 1 : 0, Int(activation.rawValue)]
      case .skip: numbers += [3]
      }
      self.numbers = numbers
    }
  }

  /// Prices of the parts, milliseconds each, by the kind of block.
  private let prices: [Kind: [Double]]

  private enum Kind: Hashable { case convolution, bottleneck, pool, other }

  /// Channels of a vector, as wide as the engine's widest.
  private static let vector = 16
  /// Passes of the descent at most, and the change of a price that counts as none.
  private static let (passes, negligible) = (3000, 1e-10)

  /// Fits to timed blocks.
  init(_ cells: [(block: BlockDescription, milliseconds: Double)]) {
    let groups = Dictionary(grouping: cells.filter { $0.milliseconds > 0 }) { Self.kind($0.block) }
    prices = groups.mapValues { cells in
      Self.fitted(cells.map { Self.parts($0.block) }, cells.map(\.milliseconds))
    }
  }

  /// Milliseconds of a block; 0 for a kind of which none was timed.
  func milliseconds(of block: BlockDescription) -> Double {
    guard let prices = prices[Self.kind(block)] else { return 0 }
    return zip(prices, Self.parts(block)).reduce(0) { $0 + $1.0 * $1.1 }
  }

  private static func kind(_ block: BlockDescription) -> Kind {
    switch block.kind {
    case .convolution: .convolution
    case .bottleneck, .fused: .bottleneck
    case .pool: .pool
    case .skip: .other
    }
  }

  private static func padded(_ channels: Int) -> Double {
    Double((channels + vector - 1) / vector * vector)
  }

  /// What the parts of a block work on.
  private static func parts(_ block: BlockDescription) -> [Double] {
    let pixels = Double(block.height * block.width)
    let after = Double(block.outputSize(block.height) * block.outputSize(block.width))
    switch block.kind {
    case .bottleneck(let it), .fused(let it):
      let middle = padded(it.middle)
      let kernel = Double(it.kernels[0] * it.kernels[0])
      let isCurved = it.activation == .hswish
      let depthwise = after * middle * kernel
      let isWide = block.stride > 1
      let squeeze = it.squeeze.map { Double($0.channels) * middle } ?? 0
      return [
        1, it.expands ? 1 : 0,
        it.expands ? pixels * Double(block.input) * middle : 0,
        it.expands ? pixels * middle : 0,
        isWide ? 0 : depthwise, isWide ? depthwise : 0,
        after * middle,
        after * Double(it.middle) * padded(block.output),
        after * padded(block.output),
        isCurved ? ((it.expands ? pixels : 0) + after) * middle : 0,
        it.squeeze == nil ? 0 : 1, it.squeeze == nil ? 0 : after * middle, squeeze,
        block.params,
      ]
    default:
      return [1, block.flops, after * padded(block.output), block.params]
    }
  }

  /// The non-negative prices with the least sum of squared relative errors, by descent along one
  /// price after the other.
  private static func fitted(_ rows: [[Double]], _ times: [Double]) -> [Double] {
    let count = rows[0].count
    let relative = zip(rows, times).map { row, time in row.map { $0 / time } }
    // Each part in units of its own size, so that no price is lost beside another.
    let scales = (0..<count).map { part in
      max(relative.reduce(0) { $0 + $1[part] * $1[part] }.squareRoot(), .leastNormalMagnitude)
    }
    let scaled = relative.map { row in zip(row, scales).map { $0 / $1 } }
    var gram = [[Double]](repeating: [Double](repeating: 0, count: count), count: count)
    var right = [Double](repeating: 0, count: count)
    for row in scaled {
      for i in 0..<count {
        right[i] += row[i]
        for j in 0..<count { gram[i][j] += row[i] * row[j] }
      }
    }
    var prices = [Double](repeating: 0, count: count)
    for _ in 0..<passes {
      var change = 0.0
      for i in 0..<count where gram[i][i] > 0 {
        var slope = right[i]
        for j in 0..<count where j != i { slope -= gram[i][j] * prices[j] }
        let price = max(0, slope / gram[i][i])
        change = max(change, abs(price - prices[i]))
        prices[i] = price
      }
      if change < negligible { break }
    }
    return zip(prices, scales).map { $0 / $1 }
  }
}
