import Tensor
import TestSupport
import Testing

let instructionSets = InstructionSet.allCases.filter { InstructionSet.available.contains($0) }

@Suite struct OperationTests {
  @Test(arguments: OperationCase.all)
  func `outputs and gradients are those of the plain reference`(_ operation: OperationCase) {
    let leaves = Leaves()
    let expected = ReferenceGraph.run(leaves, operation.build)
    for set in instructionSets {
      let engine = Engine(instructionSet: set, threads: 1)
      let outcome = EngineGraph.run(engine, leaves, operation.build)
      let fault = difference(outcome, expected)
      #expect(fault == nil, "\(set)")
    }
  }

  @Test(arguments: OperationCase.all.filter(\.isExact))
  func `the reference's gradients are central differences`(_ operation: OperationCase) {
    let leaves = Leaves()
    let expected = ReferenceGraph.run(leaves, operation.build)
    let fault = centralDifferenceFault(expected, leaves, step: 1e-7, tolerance: 1e-4) {
      ReferenceGraph.run($0, gradients: false, operation.build).loss
    }
    #expect(fault == nil)
  }

  @Test(arguments: OperationCase.all.filter(\.isSmooth))
  func `the engine's gradients are central differences`(_ operation: OperationCase) {
    let leaves = Leaves()
    for set in instructionSets {
      let engine = Engine(instructionSet: set, threads: 1)
      let outcome = EngineGraph.run(engine, leaves, operation.build)
      for name in outcome.gradients.keys.sorted() {
        let fault = centralDifferenceFault(
          outcome,
          leaves,
          moving: name,
          step: 1e-3,
          tolerance: 5e-2
        ) {
          let graph = EngineGraph(engine, leaves: $0, records: false)
          return graph.outcome(of: operation.build(graph)).loss
        }
        #expect(fault == nil, "\(set)")
      }
    }
  }

  @Test func `the table reaches every pair of deferred norms of a depthwise convolution`() {
    let names = OperationCase.depthwise.map(\.name)
    for stride in [1, 2] {
      for before in Norm.allCases {
        for after in Norm.allCases {
          let pair = "\(before) before, \(after) after"
          #expect(names.contains { $0.contains("/\(stride) ") && $0.hasSuffix(pair) }, "\(pair)")
        }
      }
    }
  }
}
