@testable import Tensor
import TestSupport
import Testing

@Suite struct BufferTests {
  @Test func `memory goes back to the pool and is used again`() {
    let pool = BufferPool()
    var first: Buffer? = pool.take(1000)
    let address = first?.pointer
    first = nil
    let second = pool.take(990)
    #expect(second.pointer == address)
    #expect(pool.systemAllocations == 1)
    let third = pool.take(1000)
    #expect(third.pointer != address)
    #expect(pool.systemAllocations == 2)
  }

  @Test func `buffers are aligned, hold what was asked for and waste at most a quarter`() {
    for count in [0, 1, 63, 64, 65, 100, 1000, 4097, 600_000] {
      let pool = BufferPool()
      let buffer = pool.takeZeros(count)
      #expect(Int(bitPattern: buffer.pointer) % 64 == 0)
      #expect(buffer.count == count && buffer.elements.allSatisfy { $0 == 0 })
      #expect(pool.heldFloats >= count && pool.heldFloats <= max(64, count + count / 4))
    }
  }

  @Test(arguments: instructionSets, [false, true])
  func `a steady step asks the system for no memory`(_ set: InstructionSet, _ recomputes: Bool) {
    let engine = Engine(instructionSet: set, threads: 2)
    engine.recomputes = recomputes
    var allocations: [Int] = []
    var outcomes: [Outcome] = []
    for _ in 0..<4 {
      let graph = EngineGraph(engine, leaves: Leaves())
      let mixture = ThreadTests.mixture(graph, weights: [3])
      let layer = ResidualOptionTests.layers(graph, on: mixture)
      outcomes.append(graph.outcome(of: layer))
      allocations.append(engine.pool.systemAllocations)
    }
    #expect(allocations[0] > 10)
    #expect(Set(allocations[1...]).count == 1, "\(allocations)")
    #expect(outcomes.allSatisfy { isIdentical($0, outcomes[0]) })
  }

  @Test func `the best instruction set is the widest of those offered`() {
    #expect(InstructionSet.best(of: [.baseline]) == .baseline)
    #expect(InstructionSet.best(of: [.baseline, .avx2]) == .avx2)
    #expect(InstructionSet.best(of: [.baseline, .avx2, .avx512]) == .avx512)
    #expect(InstructionSet.best(of: []) == .baseline)
    #expect(InstructionSet.available.contains(.baseline))
    #expect(InstructionSet.available.contains(InstructionSet.chosen))
  }

  /// Single operations at sizes that fill no vector, tile or block.
  static let odd: [OperationCase] = [1, 3, 5, 9, 17, 21, 35].flatMap { channels in
    [
      OperationCase(name: "1×1, \(channels) channels") { g in
        g.pointwise(g.input("x", [1, 7, 7, channels], .normal), "a", to: channels + 2)
      },
      OperationCase(name: "3×3, \(channels) channels") { g in
        g.convolution(
          g.input("x", [1, 5, 7, channels], .normal),
          "a",
          to: channels + 2,
          geometry: .init(kernel: 3, stride: 2, padding: 1),
          bias: true,
          norm: .off
        )
      },
      OperationCase(name: "depthwise, \(channels) channels") { g in
        g.depthwise(
          g.input("x", [1, 5, 7, channels], .normal),
          "a",
          kernel: 3,
          stride: 1,
          norm: .off
        )
      },
      OperationCase(name: "inverted residual, \(channels) channels") { g in
        g.invertedResiduals(
          g.input("x", [1, 5, 7, channels], .normal),
          [Residual("block", kernel: 3, middle: channels + 4)],
          to: channels + 2,
          stride: 2
        )[0]
      },
      OperationCase(name: "mixture, \(channels) channels") { g in
        let x = g.input("x", [1, 7, 9, channels], .normal)
        return g.weightedSum(
          [(x, true), (g.input("y", [1, 7, 9, channels], .normal), false)],
          shortcut: x,
          weights: g.input("m", [2], .normal),
          forward: nil
        )
      },
      OperationCase(name: "pool, \(channels) channels") { g in
        g.averagePool(g.input("x", [1, 3, 7, channels], .normal))
      },
      OperationCase(name: "materialise, \(channels) channels") { g in
        g.materialise(g.input("x", [1, 3, 7, channels], .normal))
      },
    ]
  }

  @Test(arguments: odd, instructionSets)
  func `kernels write nothing beyond an output`(_ operation: OperationCase, _ set: InstructionSet) {
    let engine = Engine(instructionSet: set, threads: 1)
    let guardValue: Float = 12_345.5
    // Fills the free memory of every small size to the brim, with enough of it that nothing else is
    // used; what a kernel does not own must keep the value.
    func prime() {
      var held: [Buffer] = []
      var size = 1
      while size < 12_000 {
        let capacity = BufferTests.capacity(size)
        let before = engine.pool.systemAllocations
        while engine.pool.systemAllocations < before + 40 {
          let buffer = engine.pool.take(capacity)
          buffer.pointer.update(repeating: guardValue, count: capacity)
          held.append(buffer)
        }
        size = capacity + 1
      }
    }
    prime()
    let graph = EngineGraph(engine, leaves: Leaves())
    let output = operation.build(graph)
    for tensor in graph.tensors {
      let end = BufferTests.capacity(tensor.count)
      for i in tensor.count..<end where tensor.buffer.pointer[i] != guardValue {
        Issue.record("forward: element \(i) of \(tensor.shape) was written")
      }
    }
    prime()
    _ = graph.outcome(of: output)
    let gradients =
      graph.tensors.compactMap { $0.gradient?.buffer } + graph.parameters.map(\.gradient)
    for buffer in gradients {
      let end = BufferTests.capacity(buffer.count)
      for i in buffer.count..<end where buffer.pointer[i] != guardValue {
        Issue.record("backward: element \(i) of a gradient of \(buffer.count) was written")
      }
    }
    #expect(!gradients.isEmpty)
  }

  @Test
  func `a workspace that is outgrown goes back to the system`() {
    let pool = BufferPool()
    var workspace = pool.takeWorkspace(1000)
    let small = pool.heldFloats
    workspace = pool.takeWorkspace(2000)
    #expect(workspace.count == 2000)
    #expect(pool.heldFloats == BufferTests.capacity(2000) && small == BufferTests.capacity(1000))
    #expect(pool.mostFloats == pool.heldFloats + small)
  }

  @Test
  func `smaller maps work in the buffers of larger ones`() {
    let pool = BufferPool()
    _ = pool.lendingLarger(times: 4) { pool.take(1000) }
    #expect(pool.heldFloats == BufferTests.capacity(4000))
    _ = pool.take(4000)
    _ = pool.lendingLarger(times: 2) { pool.take(2000) }
    #expect(pool.systemAllocations == 1)
    _ = pool.take(2000)
    #expect(pool.systemAllocations == 2)
  }

  @Test
  func `what nobody borrows goes back to the system, and what is borrowed stays`() {
    let pool = BufferPool()
    let kept = pool.take(1000)
    _ = pool.take(3000)
    pool.releaseFree()
    #expect(pool.heldFloats == BufferTests.capacity(1000))
    kept.elements[999] = 1
    _ = pool.take(3000)
    #expect(pool.systemAllocations == 3)
  }

  /// Floats that the pool holds for `count`.
  private static func capacity(_ count: Int) -> Int {
    let pool = BufferPool()
    return withExtendedLifetime(pool.take(count)) { pool.heldFloats }
  }
}
