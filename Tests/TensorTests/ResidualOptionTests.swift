import Tensor
import TestSupport
import Testing

/// How the middle of inverted residuals is kept, and where: must not show, or only within rounding.
@Suite struct ResidualOptionTests {
  /// Two layers of inverted residuals on `x`.
  static func layers(_ g: any Graph, on x: Node) -> Node {
    let first = g.invertedResiduals(
      x,
      [Residual("a", kernel: 3, middle: 24), Residual("b", kernel: 5, middle: 64, norm: .hswish)],
      to: 16,
      stride: 1
    )
    let m = g.unary(g.input("mix", [2], .normal), .softmax)
    let y = g.weightedSum(
      first.map { ($0, isResidual: false) },
      shortcut: nil,
      weights: m,
      forward: nil
    )
    return g.averagePool(
      g.invertedResiduals(y, [Residual("c", kernel: 5, middle: 160)], to: 24, stride: 2)[0]
    )
  }

  private func outcome(
    _ set: InstructionSet,
    threads: Int = 2,
    _ change: (Engine) -> Void
  ) -> (outcome: Outcome, floats: Int) {
    let engine = Engine(instructionSet: set, threads: threads)
    change(engine)
    let outcome = EngineGraph.run(engine, Leaves()) { g in
      Self.layers(g, on: g.input("x", [6, 12, 12, 16], .normal))
    }
    return (outcome, engine.pool.heldFloats)
  }

  @Test(arguments: instructionSets)
  func `hidden values computed again gives the same bits in less memory`(_ set: InstructionSet) {
    let kept = outcome(set) { _ in }
    let recomputed = outcome(set) { $0.recomputes = true }
    #expect(isIdentical(recomputed.outcome, kept.outcome))
    // The second layer's middle needs no memory of its own.
    #expect(recomputed.floats < kept.floats)
  }

  @Test(arguments: instructionSets)
  func `a middle written past the caches gives the same bits`(_ set: InstructionSet) {
    let usual = outcome(set) { _ in }
    let streamed = outcome(set) { $0.cacheFloats = 0 }
    #expect(isIdentical(streamed.outcome, usual.outcome))
  }

  @Test(arguments: instructionSets)
  func `frozen weights cost no gradient and change none that is left`(_ set: InstructionSet) {
    func gradients(_ shape: [Int], trains: Bool) -> [String: [Double]] {
      let engine = Engine(instructionSet: set, threads: 2)
      engine.trainsParameters = trains
      return EngineGraph.run(engine, Leaves()) { g in
        OperationCase.residualLayer(
          g,
          shape,
          [
            Residual("a", kernel: 3, middle: 24), Residual("b", kernel: 5, middle: 40, groups: 2),
            Residual("c", kernel: 5, middle: 32, norm: .hswish),
          ],
          to: 24,
          stride: 2
        )
      }.gradients
    }
    for shape in [[3, 9, 12, 16], [3, 6, 5, 112]] {
      let all = gradients(shape, trains: true)
      let rest = gradients(shape, trains: false)
      for (name, gradient) in all {
        guard let other = rest[name] else { continue }
        if name.contains(".") {
          #expect(other.allSatisfy { $0 == 0 }, "\(name)")
        } else {
          let size = gradient.reduce(0) { max($0, abs($1)) }
          let apart = zip(gradient, other).reduce(0) { max($0, abs($1.0 - $1.1)) }
          #expect(size > 0 && apart < 1e-4 * size, "\(name)")
        }
      }
      #expect(rest.keys.filter { !$0.contains(".") }.count >= 2)
    }
  }

  @Test(arguments: instructionSets)
  func `a middle in bfloat16 moves results by its rounding and no more`(_ set: InstructionSet) {
    let full = outcome(set) { _ in }
    let half = outcome(set) { $0.activationPrecision = .bfloat16 }
    #expect(!isIdentical(half.outcome, full.outcome))
    func distance(_ a: [Double], _ b: [Double]) -> Double {
      let squares = zip(a, b).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
      // Gradients that batch-norm makes zero are noise: an absolute part lets them be.
      let size = b.reduce(0) { $0 + $1 * $1 } + 1e-4 * Double(b.count)
      return (squares / size).squareRoot()
    }
    #expect(distance(half.outcome.output, full.outcome.output) < 0.02)
    for (name, gradient) in full.outcome.gradients {
      #expect(distance(half.outcome.gradients[name] ?? [], gradient) < 0.1, "\(name)")
    }
    #expect(half.floats < full.floats)
    let others = [
      outcome(set, threads: 5) { $0.activationPrecision = .bfloat16 },
      outcome(set) {
        $0.activationPrecision = .bfloat16
        $0.recomputes = true
      },
    ]
    for other in others { #expect(isIdentical(other.outcome, half.outcome)) }
  }
}
