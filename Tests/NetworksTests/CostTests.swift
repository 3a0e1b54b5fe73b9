import Networks
import Testing

/// One text counts in whole numbers and in real ones.
struct CostTests {
  private func asReal(_ cost: Cost<Int>) -> Cost<Double> {
    var real = Cost<Double>()
    real.multiplies = Double(cost.multiplies)
    real.pooled = Double(cost.pooled)
    real.normalised = Double(cost.normalised)
    real.weights = Double(cost.weights)
    real.biases = Double(cost.biases)
    real.affine = Double(cost.affine)
    return real
  }

  @Test func `the whole zoo costs the same in real numbers, block by block`() {
    var blocks = 0
    for entry in Zoo.entries {
      for block in entry.network.blocks {
        let cost = block.cost(BlockShape<Double>(block))
        #expect(cost == asReal(block.cost), "\(entry.network.name): \(block.name)")
        for rule in CountingRule.allCases {
          #expect(cost.flops(rule) == Double(block.cost.flops(rule)))
          #expect(cost.params(rule) == Double(block.cost.params(rule)))
        }
        blocks += 1
      }
    }
    #expect(blocks > 100)
  }

  @Test func `an effective shape costs what lies between whole ones`() {
    // Channels in and out enter the count once each, so the mean of two widths costs the mean.
    for entry in Zoo.entries {
      for block in entry.network.blocks {
        let shape = BlockShape<Double>(block)
        var (narrow, mean, wide) = (shape, shape, shape)
        narrow.output -= 2
        mean.output += 0.5
        wide.output += 3
        let whole = block.cost(narrow).multiplies + block.cost(wide).multiplies
        #expect(abs(2 * block.cost(mean).multiplies - whole) <= 1e-9 * whole)
      }
    }
  }
}
