import Foundation
import Runs
import Tensor
import Testing

@testable import Search

@Suite struct CostLossTests {
  private func settings(
    _ form: Configuration.LossSettings.Form
  ) throws -> Configuration.LossSettings {
    var settings = try Configuration.preset("digits").loss
    settings.form = form
    settings.multiplier = .fixed
    settings.alpha = 0.2
    settings.beta = 0.6
    settings.band = 0.05
    return settings
  }

  /// Loss and its derivatives after cross-entropy and cost.
  private func evaluate(
    _ settings: Configuration.LossSettings,
    crossEntropy: Float,
    cost: Float,
    metric: Configuration.SearchSettings.Cost = .flops,
    budget: Double = 4e6
  ) throws -> (loss: Double, dCrossEntropy: Double, dCost: Double) {
    let engine = Engine(instructionSet: .baseline, threads: 1)
    engine.isRecording = true
    let ce = engine.tensor([crossEntropy], shape: [], requiresGradient: true)
    let c = engine.tensor([cost], shape: [], requiresGradient: true)
    let loss = try CostLoss(settings, metric: metric, budget: budget, cheapest: 1e6)(
      crossEntropy: ce,
      cost: c,
      engine: engine
    )
    engine.backward(from: loss)
    return (
      Double(loss.item), Double(ce.gradientValues?[0] ?? 0), Double(c.gradientValues?[0] ?? 0)
    )
  }

  /// Values by hand for CE = 1.5 and a cost of 5 M: LAT is 5000 thousands, 5 millions.
  private static let published: [(form: Configuration.LossSettings.Form, loss: Double)] = [
    (form: .log, loss: 0.12 * 1.5 * log(5000.0)),
    (form: .paper, loss: 0.2 * 1.5 * pow(log(5000.0), 0.6)),
    (form: .additive, loss: 1.5 + 0.2 * pow(5.0, 0.6)),
    (form: .target, loss: 1.5 + 0.2 * 0.2), (form: .limit, loss: 1.5 + 0.2 * 0.2),
  ]

  @Test(arguments: published) func `each form has its published value`(
    form: Configuration.LossSettings.Form,
    expected: Double
  ) throws {
    let result = try evaluate(settings(form), crossEntropy: 1.5, cost: 5e6)
    #expect(abs(result.loss - expected) < 1e-5 * expected)
  }

  @Test(arguments: Configuration.LossSettings.Form.allCases, [2e6 as Float, 7e6])
  func `derivatives agree with central differences`(
    form: Configuration.LossSettings.Form,
    cost: Float
  ) throws {
    let settings = try settings(form)
    let result = try evaluate(settings, crossEntropy: 1.5, cost: cost)
    let h: Float = cost / 64
    let up = try evaluate(settings, crossEntropy: 1.5, cost: cost + h).loss
    let down = try evaluate(settings, crossEntropy: 1.5, cost: cost - h).loss
    let dCost = (up - down) / Double(2 * h)
    #expect(abs(result.dCost - dCost) <= 2e-3 * abs(dCost))
    // Below a limit cost is free.
    #expect((result.dCost == 0) == (form == .limit && cost < 4e6))
    let above = try evaluate(settings, crossEntropy: 1.625, cost: cost).loss
    let below = try evaluate(settings, crossEntropy: 1.375, cost: cost).loss
    #expect(abs(result.dCrossEntropy - (above - below) / 0.25) < 1e-4)
  }

  @Test func `latency counts in microseconds for the log forms and in milliseconds otherwise`()
    throws
  {
    for (form, flops) in [
      (Configuration.LossSettings.Form.log, 5e6 as Float), (.paper, 5e6), (.additive, 5e6),
    ] {
      // 5 ms are 5,000 us as 5 M are 5,000 thousands; and 5 ms as 5 millions.
      let counted = try evaluate(settings(form), crossEntropy: 1.5, cost: flops)
      let timed = try evaluate(settings(form), crossEntropy: 1.5, cost: 5, metric: .latency)
      #expect(abs(timed.loss - counted.loss) < 1e-6)
    }
    let target = try evaluate(
      settings(.target),
      crossEntropy: 1,
      cost: 3,
      metric: .latency,
      budget: 2.5
    )
    #expect(abs(target.loss - (1 + 0.2 * 0.15)) < 1e-6)
  }

  @Test func `the target form is free inside its band and pulls towards it on both sides`() throws {
    let inside = try evaluate(settings(.target), crossEntropy: 1, cost: 4.1e6)
    #expect(inside.loss == 1 && inside.dCost == 0)
    #expect(try evaluate(settings(.target), crossEntropy: 1, cost: 6e6).dCost > 0)
    #expect(try evaluate(settings(.target), crossEntropy: 1, cost: 2e6).dCost < 0)
  }

  @Test(arguments: [Configuration.LossSettings.Form.log, .paper])
  func `a log form is refused where the loss could not stay positive`(
    form: Configuration.LossSettings.Form
  ) throws {
    let error = #expect(throws: UserError.self) {
      try CostLoss(settings(form), metric: .flops, budget: nil, cheapest: 900)
    }
    #expect(error?.code == .configuration)
    #expect(error?.place == "loss.form")
    #expect(error?.description.contains("1,010 flops") == true)
    #expect(throws: Never.self) {
      try CostLoss(settings(.additive), metric: .flops, budget: nil, cheapest: 900)
    }
    // A microsecond is the unit of latencies in these forms.
    let brief = #expect(throws: UserError.self) {
      try CostLoss(settings(form), metric: .latency, budget: nil, cheapest: 0.001)
    }
    #expect(brief?.description.contains("microseconds") == true)
    #expect(throws: Never.self) {
      try CostLoss(settings(form), metric: .latency, budget: nil, cheapest: 0.0011)
    }
  }

  @Test func `the guard keeps a log form positive below its floor`() throws {
    let result = try evaluate(settings(.log), crossEntropy: 1.5, cost: 10)
    #expect(result.loss > 0)
    #expect(result.dCost == 0)
  }
}
