import Networks
import Foundation
import Runs
import Tensor
import Testing

@testable import Search

/// The learned weight of the cost and the projection on the budget (spec S8).
struct CostMultiplierTests {
  private static let band = 0.01
  private static let rate = 0.05

  private func expected(_ logits: [[Float]], _ prices: AdditiveCost) -> Double {
    prices.expected(logits.map { softmax($0.map(Double.init)) })
  }

  /// Random θ and prices; a third of the spaces has θ of ±50, a third nearly the same prices in a
  /// layer.
  private func space(_ index: Int) -> (logits: [[Float]], prices: AdditiveCost) {
    var random = Philox(seed: 8, purpose: .test, index: UInt32(index))
    let scale = pow(10, Double(random.below(9)) - 2)
    var logits: [[Float]] = []
    var layers: [[Double]] = []
    for _ in 0..<1 + random.below(8) {
      let count = 2 + random.below(8)
      logits.append(
        (0..<count).map { _ in
          index % 3 == 0 ? (random.below(2) == 0 ? -50 : 50) : 3 * random.normal()
        }
      )
      let least = index % 3 == 1 ? 1.0 : 0
      layers.append((0..<count).map { _ in scale * (least + 0.3 * Double(random.uniform())) })
    }
    return (logits, AdditiveCost(layers: layers, fixed: scale * Double(random.below(3))))
  }

  @Test(arguments: [CostMultiplier.Aim.limit, .target(band: band)])
  func `the expected cost holds the budget after every step`(aim: CostMultiplier.Aim) {
    var projected = 0
    for index in 0..<90 {
      let (logits, prices) = space(index)
      let range = prices.range
      for share in [0.001, 0.02, 0.3, 0.5, 0.8, 0.98, 0.999] {
        let budget = range.lowerBound + share * (range.upperBound - range.lowerBound)
        var multiplier = CostMultiplier(seed: 1, budget: budget, aim: aim)
        var after = logits
        multiplier.step(&after, costModel: prices, learningRate: Self.rate)
        #expect(after.allSatisfy { $0.allSatisfy(\.isFinite) })
        let ratio = expected(after, prices) / budget
        let place = "space \(index), share \(share): \(ratio)"
        #expect(ratio <= 1 + 1e-4 + (aim == .limit ? 0 : Self.band), "\(place)")
        if aim != .limit { #expect(ratio >= 1 - 1e-4 - Self.band, "\(place)") }
        let before = expected(logits, prices) / budget
        if before <= 1, aim == .limit || before >= 1 - Self.band {
          #expect(after == logits, "\(place)")
        } else {
          projected += 1
        }
      }
    }
    #expect(projected > 200)
  }

  @Test func `the cheapest and the most expensive network can be the budget`() {
    let (logits, prices) = space(1)
    for budget in [prices.range.lowerBound, prices.range.upperBound] {
      for aim in [CostMultiplier.Aim.limit, .target(band: Self.band), .target(band: 0)] {
        var multiplier = CostMultiplier(seed: 1, budget: budget, aim: aim)
        var after = logits
        for _ in 0..<3 { multiplier.step(&after, costModel: prices, learningRate: Self.rate) }
        #expect(after.allSatisfy { $0.allSatisfy(\.isFinite) })
        let ratio = expected(after, prices) / budget
        #expect(ratio < 1 + Self.band + 1e-4)
        if aim != .limit { #expect(ratio > 1 - Self.band - 1e-4) }
      }
    }
  }

  @Test(arguments: [0.35, 0.5, 0.65])
  func `of all distributions within the budget the nearest is taken`(share: Double) {
    let logits: [[Float]] = [[0.5, -1, 1.2], [0.1, 1, -0.4]]
    let prices = AdditiveCost(layers: [[1, 2.5, 4], [0, 3, 7]], fixed: 2)
    let range = prices.range
    let budget = range.lowerBound + share * (range.upperBound - range.lowerBound)
    var after = logits
    var multiplier = CostMultiplier(seed: 1, budget: budget, aim: .target(band: 0))
    multiplier.step(&after, costModel: prices, learningRate: Self.rate)

    let before = logits.map { softmax($0.map(Double.init)) }
    func divergence(_ row: [Double], _ layer: Int) -> Double {
      zip(row, before[layer]).reduce(0) { $0 + ($1.0 > 0 ? $1.0 * log($1.0 / $1.1) : 0) }
    }
    func cost(_ row: [Double], _ layer: Int) -> Double {
      zip(row, prices.layers[layer]).reduce(0) { $0 + $1.0 * $1.1 }
    }
    let found = after.map { softmax($0.map(Double.init)) }
    let distance = divergence(found[0], 0) + divergence(found[1], 1)
    #expect(distance > 0.001)

    // All pairs of distributions on a grid, on the other side of the budget from P or at it.
    let steps = 48
    let grid = (0...steps).flatMap { a in
      (0...steps - a).map { b in
        [Double(a), Double(b), Double(steps - a - b)].map { $0 / Double(steps) }
      }
    }
    let isAbove = prices.expected(before) > budget
    let rows = [0, 1].map { layer in
      grid.map { (divergence: divergence($0, layer), cost: cost($0, layer)) }
    }
    var least = Double.infinity
    for a in rows[0] where a.divergence < distance + 0.1 {
      for b in rows[1] where a.divergence + b.divergence < least {
        let total = prices.fixed + a.cost + b.cost
        if isAbove ? total <= budget : total >= budget { least = a.divergence + b.divergence }
      }
    }
    #expect(least >= distance - 1e-6)
    #expect(least < distance + 0.02, "\(least) against \(distance)")
  }

  @Test func `a limit's multiplier is never negative, a target's may be`() {
    let prices = AdditiveCost(layers: [[1, 2], [1, 2]], fixed: 0)
    for seed in [0.1, 1, 10] {
      var limit = CostMultiplier(seed: seed, budget: 3.9, aim: .limit)
      var target = CostMultiplier(seed: seed, budget: 3.9, aim: .target(band: Self.band))
      for _ in 0..<300 {
        var logits: [[Float]] = [[5, -5], [5, -5]]
        limit.step(&logits, costModel: prices, learningRate: Self.rate)
        #expect(limit.value >= 0)
        #expect(logits == [[5, -5], [5, -5]])
        target.step(&logits, costModel: prices, learningRate: Self.rate)
        #expect(logits != [[5, -5], [5, -5]])
      }
      #expect(limit.value == 0)
      #expect(target.value < 0 && target.value.isFinite)
      for _ in 0..<20 {
        var logits: [[Float]] = [[-5, 5], [-5, 5]]
        limit.step(&logits, costModel: prices, learningRate: Self.rate)
      }
      #expect(limit.value > 0)
    }
  }

  @Test func `a theta that is not a number is left for others to report`() {
    let prices = AdditiveCost(layers: [[1, 2]], fixed: 0)
    var multiplier = CostMultiplier(seed: 1, budget: 1.2, aim: .limit)
    var logits: [[Float]] = [[.nan, 0]]
    multiplier.step(&logits, costModel: prices, learningRate: Self.rate)
    #expect(logits[0][0].isNaN && logits[0][1] == 0)
  }

  // MARK: In a search

  /// Twelve layers of four candidates, the more expensive the better with less and less gain, and
  /// what learns them.
  private struct Search {
    let prices = AdditiveCost(
      layers: (0..<12).map { layer in [0, 1, 2, 4].map { $0 * Double(1 + layer % 4) } },
      fixed: 10
    )
    let theta: ArchitectureParameters
    let budget: Double
    private let engine = Engine(instructionSet: .baseline, threads: 1)
    private var steps = 0

    init(_ form: Configuration.LossSettings.Form, alpha: Double, share: Double = 0.4) throws {
      budget = prices.range.lowerBound + share * (prices.range.upperBound - prices.range.lowerBound)
      let preset = try Configuration.preset("digits")
      var settings = preset.loss
      settings.form = form
      settings.alpha = alpha
      theta = ArchitectureParameters(
        optionCounts: prices.layers.map(\.count),
        costModel: prices,
        loss: try CostLoss(
          settings,
          metric: .flops,
          budget: budget,
          cheapest: prices.range.lowerBound
        ),
        settings: preset.theta,
        hard: false,
        seed: 3
      )
    }

    /// `count` steps at the temperature of a search of `of` steps.
    mutating func run(_ count: Int, of all: Int) {
      for _ in 0..<count {
        engine.isRecording = true
        let sample = theta.sample(
          step: steps,
          temperature: 0.1 + 4 * exp(-4 * Double(steps) / Double(all)),
          samples: 8,
          trains: true,
          on: engine
        )
        var loss = engine.tensor([3], shape: [])
        for (layer, mixture) in sample.mixtures.enumerated() {
          let gains = [0, -0.3, -0.5, -0.6].map { Float($0 * (1 + 0.1 * Double(layer)) / 8) }
          let rows = [[Float]](repeating: gains, count: 8).flatMap { $0 }
          loss = engine.add(loss, engine.sum(engine.multiply(mixture.weights, constant: rows)))
        }
        _ = theta.backward(sample, crossEntropy: loss, on: engine)
        theta.step(theta.pulls(sample), learningRate: ThetaRate.automatic.value(steps: all))
        steps += 1
      }
    }
  }

  @Test(arguments: [0.1, 1, 10], [Configuration.LossSettings.Form.limit, .target])
  func `a search ends near its budget whatever the weight began with`(
    alpha: Double,
    form: Configuration.LossSettings.Form
  ) throws {
    var search = try Search(form, alpha: alpha)
    search.run(300, of: 300)
    let ratio = search.theta.expectedCost / search.budget
    #expect(abs(ratio - 1) < 0.02, "\(ratio)")
    if form == .limit { #expect(ratio < 1 + 1e-5) }
    #expect(Verdict(probabilities: search.theta.probabilities).settled > 0)
  }

  @Test(arguments: [Configuration.LossSettings.Form.limit, .target])
  func `the expected cost holds the budget from the first step on`(
    form: Configuration.LossSettings.Form
  ) throws {
    var search = try Search(form, alpha: 0.1)
    for _ in 0..<30 {
      search.run(1, of: 30)
      let ratio = search.theta.expectedCost / search.budget
      #expect(ratio < 1 + Self.band + 1e-5)
      if form == .target { #expect(ratio > 1 - Self.band - 1e-5) }
    }
  }

  @Test func `a restored search continues to the same bits`() throws {
    func bits(_ search: Search) -> [[UInt32]] {
      search.theta.state().map { $0.values.map(\.bitPattern) }
    }
    func names(_ search: Search) -> [String] { search.theta.state().map(\.name) }
    var whole = try Search(.limit, alpha: 2)
    whole.run(7, of: 40)
    let saved = whole.theta.state()
    var copy = whole
    copy = try Search(.limit, alpha: 0.5)
    copy.run(7, of: 40)
    #expect(bits(copy) != bits(whole) && names(copy) == names(whole))
    try copy.theta.restore(saved)
    #expect(bits(copy) == bits(whole) && copy.theta.multiplier == whole.theta.multiplier)
    whole.run(9, of: 40)
    copy.run(9, of: 40)
    #expect(bits(copy) == bits(whole))
    #expect(whole.theta.multiplier != nil)
    // A state without the weight is another search's.
    var lacking = saved
    lacking["theta.multiplier"] = nil
    let error = #expect(throws: UserError.self) { try copy.theta.restore(lacking) }
    #expect(error?.problem.contains("theta.multiplier") == true)
  }
}
