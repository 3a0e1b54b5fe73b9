import Foundation
import Runs
import Tensor
import Testing

@testable import Search

/// The learned weight of the cost, and the projection onto the budget (spec S8).
struct CostMultiplierTests {
  private static let band = 0.01

  /// Random logits and prices; `saturated` logits are ±50.
  private func space(_ index: UInt32) -> (logits: [[Float]], prices: CostTable) {
    var random = Philox(seed: 3, purpose: .test, index: index)
    let isSaturated = index % 3 == 0
    let isWhole = index % 2 == 0
    var logits: [[Float]] = []
    var prices: [[Double]] = []
    for _ in 0..<1 + random.below(7) {
      let count = 2 + random.below(8)
      logits.append(
        (0..<count).map { _ in
          isSaturated ? (random.below(2) == 0 ? 50 : -50) : 3 * random.normal()
        }
      )
      prices.append(
        (0..<count).map { _ in isWhole ? Double(random.below(900)) : Double(random.uniform()) }
      )
    }
    return (logits, CostTable(layers: prices, fixed: isWhole ? 40 : 0.05))
  }

  private func cost(_ logits: [[Float]], _ prices: CostTable) -> Double {
    prices.expected(logits.map { softmax($0.map(Double.init)) })
  }

  @Test(arguments: [0.003, 0.1, 0.5, 0.9, 0.997])
  func `after a step the expected cost is allowed, wherever theta was`(share: Double) {
    var projected = 0
    for index: UInt32 in 0..<120 {
      let (logits, prices) = space(index)
      let range = prices.range
      let budget = range.lowerBound + share * (range.upperBound - range.lowerBound)
      // Logits are 32 bits, so the cost is met to what these can tell.
      let error = 1e-3
      for aim in [CostMultiplier.Aim.limit, .target(band: Self.band)] {
        var multiplier = CostMultiplier(seed: 1, budget: budget, aim: aim)
        var moved = logits
        multiplier.step(&moved, prices: prices, learningRate: 0.1)
        let before = cost(logits, prices) / budget - 1
        let after = cost(moved, prices) / budget - 1
        let lowest = aim == .limit ? -Double.infinity : -Self.band
        let highest = aim == .limit ? 0 : Self.band
        #expect(after <= highest + error, "space \(index), \(aim)")
        #expect(after >= lowest - error, "space \(index), \(aim)")
        #expect(moved.allSatisfy { $0.allSatisfy(\.isFinite) })
        #expect(multiplier.value.isFinite)
        // What was allowed stays as it is, to the bit.
        if (lowest...highest).contains(before) { #expect(moved == logits) } else { projected += 1 }
      }
    }
    #expect(projected > 50)
  }

  @Test(arguments: [0.3, 0.5, 0.7], [CostMultiplier.Aim.limit, .target(band: band)])
  func `the projection is the nearest distribution within the budget`(
    share: Double,
    aim: CostMultiplier.Aim
  ) {
    let prices = CostTable(layers: [[1, 4, 9], [2, 3, 7]], fixed: 1)
    let dear: [[Float]] = [[0, 0.5, 2], [0.3, -0.4, 1.5]]
    let cheap: [[Float]] = [[3, 0.5, -1], [2, 0.4, -2]]
    let budget = 4 + share * 13
    // Both sides of a target, the upper one of a limit.
    for logits in aim == .limit ? [dear] : [dear, cheap] {
      let now = cost(logits, prices)
      let bound =
        switch aim {
        case .limit: budget
        case .target(let band): now > budget ? budget * (1 + band) : budget * (1 - band)
        }
      let isAbove = now > bound
      guard isAbove || aim != .limit else { continue }
      var moved = logits
      var multiplier = CostMultiplier(seed: 1, budget: budget, aim: aim)
      multiplier.step(&moved, prices: prices, learningRate: 0.1)
      let before = logits.map { softmax($0.map(Double.init)) }
      let after = moved.map { softmax($0.map(Double.init)) }
      func divergence(_ q: [Double], _ p: [Double]) -> Double {
        zip(q, p).reduce(0) { $0 + ($1.0 > 0 ? $1.0 * log($1.0 / $1.1) : 0) }
      }
      let found = zip(after, before).reduce(0) { $0 + divergence($1.0, $1.1) }
      // Every pair of distributions in steps of a fortieth.
      let steps = 40
      let grid = (0...steps).flatMap { a in
        (0...steps - a).map { b in
          [Double(a), Double(b), Double(steps - a - b)].map { $0 / Double(steps) }
        }
      }
      let points = (0..<2).map { layer in
        grid.map { q in
          (
            cost: zip(q, prices.layers[layer]).reduce(0) { $0 + $1.0 * $1.1 },
            divergence: divergence(q, before[layer])
          )
        }
      }
      var least = Double.infinity
      for a in points[0] {
        for b in points[1] {
          let cost = 1 + a.cost + b.cost
          if isAbove ? cost <= bound : cost >= bound {
            least = min(least, a.divergence + b.divergence)
          }
        }
      }
      #expect(found <= least + 1e-5)
      #expect(least - found < 0.02)
    }
  }

  @Test func `a limit's weight is never negative and a target's may be`() {
    let prices = CostTable(layers: [[1, 5], [1, 5]], fixed: 0)
    let cheap: [[Float]] = [[4, 0], [4, 0]]
    for (aim, isNegative) in [(CostMultiplier.Aim.limit, false), (.target(band: 0.01), true)] {
      for seed in [0.1, 10] {
        var multiplier = CostMultiplier(seed: seed, budget: 8, aim: aim)
        for _ in 0..<300 {
          var logits = cheap
          multiplier.step(&logits, prices: prices, learningRate: 0.1)
          #expect(aim != .limit || multiplier.value >= 0)
          #expect(aim != .limit || logits == cheap)
        }
        #expect((multiplier.value < 0) == isNegative)
      }
    }
  }

  @Test(arguments: [0.1, 1, 10], [CostMultiplier.Aim.limit, .target(band: band)])
  func `any first weight ends at the budget`(seed: Double, aim: CostMultiplier.Aim) {
    // The dearer the better, with less and less gain.
    let prices = CostTable(layers: (0..<6).map { [1, 2 + Double($0), 9] }, fixed: 3)
    let losses = (0..<6).map { [1.0, 0.4 - 0.05 * Double($0), 0.1] }
    let budget = 0.5 * (prices.range.lowerBound + prices.range.upperBound)
    var multiplier = CostMultiplier(seed: seed, budget: budget, aim: aim)
    var logits = losses.map { [Float](repeating: 0, count: $0.count) }
    let rate = 0.3
    for _ in 0..<400 {
      for layer in logits.indices {
        let p = softmax(logits[layer].map(Double.init))
        let pull = zip(losses[layer], prices.layers[layer]).map {
          $0 + Double(multiplier.value) * $1 / budget
        }
        let mean = zip(p, pull).reduce(0) { $0 + $1.0 * $1.1 }
        for i in p.indices { logits[layer][i] -= Float(rate * p[i] * (pull[i] - mean)) }
      }
      multiplier.step(&logits, prices: prices, learningRate: rate)
    }
    #expect(abs(cost(logits, prices) / budget - 1) < 0.02, "\(cost(logits, prices) / budget)")
    #expect(multiplier.value > 0)
  }

  // MARK: With the architecture parameters

  private func parameters(_ form: Configuration.LossSettings.Form) throws -> ArchitectureParameters
  {
    let prices = CostTable(layers: [[1, 4, 9], [2, 3, 7]], fixed: 1)
    var settings = try Configuration.preset("digits")
    settings.loss.form = form
    settings.loss.multiplier = .learned
    return ArchitectureParameters(
      prices: prices,
      loss: try CostLoss(settings.loss, metric: .flops, budget: 9, cheapest: 4),
      settings: settings.theta,
      hard: false,
      seed: 4
    )
  }

  private func train(_ theta: ArchitectureParameters, _ steps: Range<Int>) {
    let engine = Engine(instructionSet: .baseline, threads: 1)
    for step in steps {
      engine.isRecording = true
      let draw = theta.draw(step: step, temperature: 1, draws: 2, trains: true, on: engine)
      var loss = engine.tensor([1], shape: [])
      for mixture in draw.mixtures {
        let worth: [Float] = [0.5, 0.2, 0.1, 0.5, 0.2, 0.1]
        loss = engine.add(loss, engine.sum(engine.multiply(mixture.weights, constant: worth)))
      }
      _ = theta.backward(draw, crossEntropy: loss, on: engine)
      theta.step(draw, learningRate: 0.1)
      engine.isRecording = false
    }
  }

  @Test(arguments: [Configuration.LossSettings.Form.limit, .target])
  func `a restored weight goes on to the same bits`(
    form: Configuration.LossSettings.Form
  ) throws {
    let whole = try parameters(form)
    train(whole, 0..<7)
    let state = Dictionary(
      uniqueKeysWithValues: whole.state().map { ($0.name, (shape: $0.shape, values: $0.values)) }
    )
    let resumed = try parameters(form)
    try resumed.restore(state)
    #expect(resumed.multiplier == whole.multiplier)
    train(whole, 7..<15)
    train(resumed, 7..<15)
    #expect(resumed.multiplier == whole.multiplier)
    #expect(resumed.hash == whole.hash)
    let fresh = try parameters(form)
    #expect(fresh.multiplier != whole.multiplier)
    // A state without the weight is refused, and leaves everything as it was.
    let lacking = state.filter { $0.key != "theta.multiplier" }
    let error = #expect(throws: UserError.self) { try fresh.restore(lacking) }
    #expect(error?.description.contains("theta.multiplier") == true)
    #expect(try fresh.hash == parameters(form).hash)
  }
}
