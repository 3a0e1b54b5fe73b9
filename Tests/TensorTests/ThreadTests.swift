import Tensor
import TestSupport
import Testing

@Suite struct ThreadTests {
  /// Shapes of many chunks, in every operation that has threads.
  static let cases: [OperationCase] = [
    OperationCase(name: "inverted residual") { g in
      let x = g.input("x", [5, 24, 24, 16], .normal)
      let a = g.pointwise(x, "expand", to: 40, norm: .relu)
      let b = g.depthwise(a, "depthwise", kernel: 5, stride: 2, norm: .hswish)
      let c = g.pointwise(b, "project", to: 24, norm: .linear)
      return g.averagePool(c)
    },
    OperationCase(name: "grouped with shuffle, skip and stem") { g in
      let x = g.convolution(
        g.input("x", [5, 32, 32, 3], .normal),
        "stem",
        to: 16,
        geometry: .init(kernel: 3, stride: 1, padding: 1),
        bias: false,
        norm: .relu
      )
      let a = g.pointwise(x, "a", to: 32, groups: 2, norm: .relu)
      let b = g.channelShuffle(a, groups: 2)
      let c = g.depthwise(b, "c", kernel: 3, stride: 1, norm: .relu)
      let d = g.materialise(g.pointwise(c, "d", to: 16, groups: 2, norm: .linear))
      return g.convolution(
        d,
        "skip",
        to: 24,
        geometry: .init(kernel: 1, stride: 2),
        bias: false,
        norm: .relu
      )
    },
    OperationCase(name: "layer of inverted residuals") { g in
      OperationCase.residualLayer(
        g,
        [9, 16, 16, 16],
        [
          Residual("a", kernel: 3, middle: 16), Residual("b", kernel: 5, middle: 48, groups: 2),
          Residual("c", kernel: 5, middle: 96, norm: .hswish),
        ],
        to: 24,
        stride: 2
      )
    },
    OperationCase(name: "layer of wide inverted residuals") { g in
      OperationCase.residualLayer(
        g,
        [9, 8, 8, 112],
        [Residual("a", kernel: 3, middle: 112), Residual("b", kernel: 5, middle: 56)],
        to: 64,
        stride: 1
      )
    },
    OperationCase(name: "grouped 3×3, squeeze-and-excitation, narrow border") { g in
      let x = g.convolution(
        g.input("x", [5, 24, 24, 16], .normal),
        "grouped",
        to: 40,
        geometry: .init(kernel: 3, stride: 1, padding: 1, groups: 2),
        bias: false,
        norm: .hswish
      )
      let y = g.squeezeExcite(x, "excite", through: 8, inner: .relu)
      return g.materialise(
        g.depthwise(y, "narrow", kernel: 5, stride: 2, padding: 1, norm: .relu)
      )
    },
    OperationCase(name: "masked inverted residual at two resolutions") { g in
      let sizes = [MapSize(height: 12, width: 16), MapSize(height: 24, width: 24)]
      let x = g.input("x", [5, 24, 24, 16], .normal)
      let weights = g.unary(g.input("resolution", [2], .normal), .softmax)
      let y = g.resolutionSum(
        x,
        sizes: sizes,
        weights: weights,
        forward: nil,
        inputs: [],
        to: sizes[1]
      ) { OperationCase.maskedResidual(g, $0, middle: 40, to: 16) }
      return g.checkpoint([y]) { g.materialise(g.pointwise(y, "after", to: 24, norm: .relu)) }
    },
    OperationCase(name: "1×1 once for two sizes") { g in
      let raw = g.pointwise(g.input("x", [5, 24, 24, 16], .normal), "expand", to: 40)
      let options = [MapSize(height: 12, width: 16), MapSize(height: 24, width: 24)].map { size in
        let small = g.subsample(raw, to: size, "b", norm: .relu)
        let y = g.depthwise(small, "depthwise", kernel: 3, stride: 1, norm: .linear)
        return (g.scatter(y, to: MapSize(height: 24, width: 24)), isResidual: false)
      }
      let weights = g.unary(g.input("m", [2], .normal), .softmax)
      return g.weightedSum(options, shortcut: nil, weights: weights, forward: nil)
    },
    OperationCase(name: "mixture, one sample") { g in mixture(g, weights: [3]) },
    OperationCase(name: "mixture, a sample an image") { g in mixture(g, weights: [5, 3]) },
  ]

  static func mixture(_ g: any Graph, weights: [Int]) -> Node {
    let x = g.materialise(g.deferred([5, 20, 20, 24], .relu))
    let a = g.pointwise(x, "a", to: 24, norm: .linear)
    let b = g.depthwise(x, "b", kernel: 3, stride: 1, norm: .relu)
    let m = g.unary(g.input("m", weights, .normal), .softmax)
    return g.weightedSum(
      [(a, true), (b, false), (x, false)],
      shortcut: x,
      weights: m,
      forward: nil
    )
  }

  @Test(arguments: cases, instructionSets)
  func `one, two and five threads give the same bits`(
    _ operation: OperationCase,
    _ set: InstructionSet
  ) {
    let leaves = Leaves()
    let one = EngineGraph.run(Engine(instructionSet: set, threads: 1), leaves, operation.build)
    let reached = one.gradients.values.filter { gradient in gradient.contains { $0 != 0 } }
    #expect(reached.count == one.gradients.count)
    for threads in [2, 5] {
      let engine = Engine(instructionSet: set, threads: threads)
      // Twice: the second run works in memory that the first has used.
      for _ in 0..<2 {
        #expect(isIdentical(EngineGraph.run(engine, leaves, operation.build), one), "\(threads)")
      }
    }
  }

  @Test func `the shapes of this suite have several chunks`() {
    #expect(Chunks(rows: 5 * 24 * 24, rowFloats: 56).count > 5)
    #expect(Chunks(rows: 5 * 20 * 20, unit: 64, rowFloats: 4 * 24).count > 5)
  }

  @Test func `chunks cover all rows once, in order, at whole units`() {
    for rows in 0...130 {
      for unit in [1, 2, 3, 7, 64] {
        for rowFloats in [1, 300, 20_000] {
          for partialFloats in [0, 1000, 1 << 20] {
            let chunks = Chunks(
              rows: rows,
              unit: unit,
              rowFloats: rowFloats,
              partialFloats: partialFloats
            )
            var next = 0
            for chunk in 0..<chunks.count {
              let range = chunks[chunk]
              if range.lowerBound != next || range.isEmpty || next % unit != 0 {
                Issue.record("rows \(rows), unit \(unit): chunk \(chunk) is \(range)")
              }
              next = range.upperBound
            }
            if next != rows { Issue.record("rows \(rows), unit \(unit): ends at \(next)") }
          }
        }
      }
    }
    #expect(Chunks(rows: 100_000, rowFloats: 100).count == 64)
  }

  @Test func `a thread pool runs every chunk once`() {
    let pool = BufferPool()
    for threads in [1, 2, 5] {
      let threadPool = ThreadPool(threads: threads, pool: pool)
      for chunks in [0, 1, 2, 3, 17, 200] {
        let counts = pool.takeZeros(max(1, chunks))
        threadPool.run(chunks: chunks, workspaceFloats: 8) { chunk, workspace in
          workspace[7] = Float(chunk)
          counts.pointer[chunk] += 1
        }
        #expect(counts.elements.prefix(chunks).allSatisfy { $0 == 1 })
      }
    }
  }
}
