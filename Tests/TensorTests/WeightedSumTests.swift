import TestSupport
import Testing

@testable import Tensor

/// A mixture of which some branches are left out.
@Suite struct WeightedSumTests {
  /// What a mixture gives and hands back, with its branches of weight 0 or without them.
  private func mixed(_ rows: [[Float]], hard: [Float]?, leavesOut: Bool) -> [[UInt32]] {
    let engine = Engine(instructionSet: .chosen, threads: 2)
    engine.isRecording = true
    let (images, k) = (rows.count == 1 ? 3 : rows.count, rows[0].count)
    var random = Philox(seed: 3, purpose: .test)
    func tensor(_ shape: [Int]) -> Tensor {
      engine.tensor(
        (0..<shape.reduce(1, *)).map { _ in random.normal() },
        shape: shape,
        requiresGradient: true
      )
    }
    let shape = [images, 6, 5, 8]
    let x = tensor(shape)
    let branches = (0..<k).map { (tensor: tensor(shape), isResidual: $0 % 2 == 0) }
    let weights = engine.tensor(
      rows.flatMap(\.self),
      shape: rows.count == 1 ? [k] : [rows.count, k],
      requiresGradient: true
    )
    let values = hard ?? rows.flatMap(\.self)
    let used = (0..<k).filter { option in
      stride(from: option, to: values.count, by: k).contains { values[$0] != 0 }
    }
    let kept = leavesOut ? used : Array(0..<k)
    let y = engine.weightedSum(
      kept.map { branches[$0] },
      shortcut: kept.contains { branches[$0].isResidual } ? x : nil,
      weights: weights,
      forward: hard,
      places: leavesOut ? kept : nil
    )
    let values2 = y.values
    engine.backward(from: y)
    // Of what is left out ∂L/∂mᵢ is 0 instead of a number that nobody needs.
    let slopes = (weights.gradientValues ?? []).enumerated().map {
      used.contains($0 % k) ? $1 : 0
    }
    let gradients = ([x] + used.map { branches[$0].tensor }).map { $0.gradientValues ?? [] }
    return ([values2, slopes] + gradients).map { $0.map(\.bitPattern) }
  }

  @Test(
    arguments: [
      ([[0.5, 0, 0.25, 0.25]], nil), ([[0, 0, 0.9, 0]], nil), ([[0, 0.7, 0, 0.3]], nil),
      ([[0.1, 0.2, 0.3, 0.4]], [0, 0, 0, 1]),
      ([[0.5, 0, 0.5, 0], [0, 0, 1, 0], [0.25, 0, 0.75, 0]], nil),
    ] as [([[Float]], [Float]?)]
  )
  func `branches of weight 0 can be left out to the bit`(rows: [[Float]], hard: [Float]?) {
    let whole = mixed(rows, hard: hard, leavesOut: false)
    #expect(whole == mixed(rows, hard: hard, leavesOut: true))
    #expect(whole.dropFirst(2).contains { bits in bits.contains { $0 << 1 != 0 } })
  }
}
