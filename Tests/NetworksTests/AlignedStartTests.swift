import Tensor
import Testing

@testable import Networks

/// First values that candidates have in common (`weights.candidate_values: aligned`).
@Suite struct AlignedStartTests {
  private let input = 16
  private let output = 24
  private let engine = Engine(instructionSet: .baseline, threads: 1)

  /// Kernel, hidden width and groups of the candidates.
  private let forms = [
    (3, 16, 1), (3, 16, 2), (3, 48, 1), (3, 96, 1), (5, 16, 1), (5, 16, 2), (5, 48, 1), (5, 96, 1),
  ]

  private func candidates(aligned: Bool, seed: UInt64 = 1) -> [Block] {
    var initialiser = Initialiser(seed: seed)
    let kinds: [BlockDescription.Kind] =
      forms.map { .invertedResidual(kernel: $0, middle: $1, groups: $2, activation: .relu) }
      + [.skip]
    let blocks = kinds.enumerated().map { index, kind in
      Block(
        BlockDescription(
          name: "block",
          kind: kind,
          input: input,
          output: output,
          stride: 1,
          height: 8,
          width: 8
        ),
        name: "block\(index)",
        engine: engine,
        initialiser: &initialiser
      )
    }
    if aligned { Block.align(blocks, initialiser: &initialiser) }
    return blocks
  }

  private func square(_ values: [Float]) -> Float { values.reduce(0) { $0 + $1 * $1 } }

  private func correlation(_ x: [Float], _ y: [Float]) -> Float {
    zip(x, y).reduce(0) { $0 + $1.0 * $1.1 } / (square(x) * square(y)).squareRoot()
  }

  @Test func `every array keeps the deviation of its values`() {
    for (own, aligned) in zip(candidates(aligned: false), candidates(aligned: true)) {
      for (before, after) in zip(own.parameters, aligned.parameters) {
        let (old, new) = (square(Array(before.value.elements)), square(Array(after.value.elements)))
        #expect(abs(old - new) <= 1e-4 * old, "\(after.name)")
      }
    }
  }

  @Test func `narrow candidates have the first channels of wide ones, small kernels the centre`() {
    let weights = Block.inverted(candidates(aligned: true)).map(\.weights)
    let widest = weights[7]
    for each in weights {
      let hidden = each.hidden
      var own: [[Float]] = [[], [], []]
      var wide = own
      for c in 0..<hidden {
        for i in 0..<input {
          guard let at = each.expandIndex(i, each.expanded(c), input: input) else { continue }
          own[0].append(each.expand.value.elements[at])
          wide[0].append(widest.expand.value.elements[i * widest.hidden + c])
        }
        for o in 0..<output {
          guard let at = each.projectIndex(c, o, output: output) else { continue }
          own[1].append(each.project.value.elements[at])
          wide[1].append(widest.project.value.elements[c * output + o])
        }
        let side = each.depthwise.shape[0]
        for (y, x) in (0..<9).map({ $0.quotientAndRemainder(dividingBy: 3) }) {
          let rim = (side - 3) / 2
          own[2].append(each.depthwise.value.elements[((y + rim) * side + x + rim) * hidden + c])
          wide[2].append(widest.depthwise.value.elements[((y + 1) * 5 + x + 1) * widest.hidden + c])
        }
      }
      for (own, wide) in zip(own, wide) {
        // Half of the places lie across groups.
        #expect(own.count >= hidden * 8)
        #expect(correlation(own, wide) > 0.9999)
      }
    }
  }

  @Test func `aligned candidates begin with similar outputs, independent ones do not`() {
    var random = Philox(seed: 2, purpose: .test)
    let values = (0..<4 * 64 * input).map { _ in random.normal() }
    let x = engine.tensor(values, shape: [4, 8, 8, input])
    func similarity(aligned: Bool) -> [Float] {
      engine.mode = .training
      let blocks = candidates(aligned: aligned).dropLast()
      let outputs = Block.outputs(of: Array(blocks), on: x).map { engine.materialise($0).values }
      return outputs.indices.flatMap { i in
        (0..<i).map { correlation(outputs[i], outputs[$0]) }
      }
    }
    let (aligned, independent) = (similarity(aligned: true), similarity(aligned: false))
    #expect(aligned.min() ?? 0 > 0.25, "\(aligned)")
    #expect(aligned.reduce(0, +) / Float(aligned.count) > 0.6)
    #expect(independent.allSatisfy { abs($0) < 0.2 }, "\(independent)")
  }
}
