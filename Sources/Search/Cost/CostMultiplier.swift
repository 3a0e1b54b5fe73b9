import Runs

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// The learned weight of the cost under a budget, and the projection that keeps to it (spec S8).
///
/// A search under a budget B minimises the Lagrangian CE + λ·(C/B − 1), C = Σ softmax(θ)·price.
/// After the t-th step on θ, with g = C/B − 1:
///
/// - Dual ascent: λ ← λ + r·(1 + |λ|)·clamp(g/w, −1…1), r = max(0.03, min(1, 3/t)), w = min(0.1,
///   rate of θ): how far a step can leave the budget is of the order of that rate. A target is met
///   from both sides, and λ may be negative; a limit holds from above, and λ is projected on λ ≥ 0.
/// - Projection: where C left the allowed costs, θ ← θ − ν·price/B with the least |ν| that brings
///   it back. Of all distributions within the budget this is the one nearest to softmax(θ) in
///   Kullback–Leibler divergence. So the expected cost holds from the first step on, however few
///   steps there are, and λ only has to learn how accuracy is traded for cost: it stays constant
///   when no step leaves the budget any more.
///
/// The rate is relative to 1 + |λ|, and large at first, so that a start of 0.1 or of 10 is soon
/// forgotten.
package struct CostMultiplier: Sendable, Equatable {
  /// What the expected cost is brought to.
  package enum Aim: Sendable, Equatable {
    /// No more than the budget.
    case limit
    /// The budget, give or take this share of it.
    case target(band: Double)
  }

  /// λ, the weight of the cost in units of the budget; a Float, so that a checkpoint keeps it
  /// whole.
  package private(set) var value: Float
  /// Steps on θ so far.
  private(set) var steps = 0
  /// Cost aimed at, above 0.
  var budget: Double
  /// From one side or from both.
  let aim: Aim

  private static let rate = 0.03
  private static let firstRates = 3.0
  private static let widest = 0.1

  /// Starts at `seed`, which is forgotten within some dozens of steps.
  package init(seed: Double, budget: Double, aim: Aim) {
    precondition(budget > 0, "a multiplier without a budget")
    value = Float(seed)
    self.budget = budget
    self.aim = aim
  }

  /// Continues from a saved state.
  mutating func restore(value: Float, steps: Int) {
    self.value = value
    self.steps = steps
  }

  /// Learns from θ after a step of its optimiser, and projects θ.
  ///
  /// - Parameters:
  ///   - logits: θ, [layer][candidate].
  ///   - costModel: of the same candidates.
  ///   - learningRate: of the step that θ made.
  package mutating func step(
    _ logits: inout [[Float]],
    costModel: any CostModel,
    learningRate: Double
  ) {
    let tilt = Tilt(logits, costModel, budget)
    let cost = tilt.cost(0)
    steps += 1
    let rate = max(Self.rate, min(1, Self.firstRates / Double(steps)))
    let width = min(Self.widest, learningRate)
    let excess = max(-1, min(1, (cost / budget - 1) / width))
    let learned = Double(value) + rate * (1 + abs(Double(value))) * excess
    value = Float(aim == .limit ? max(0, learned) : learned)
    let allowed = allowed
    guard cost.isFinite, !allowed.contains(cost) else { return }
    let nearest = cost > allowed.upperBound ? allowed.upperBound : allowed.lowerBound
    logits = tilt.logits(tilt.share(from: cost, to: nearest))
  }

  /// Expected costs that need no projection.
  private var allowed: ClosedRange<Double> {
    switch aim {
    case .limit: -.infinity...budget
    case .target(let band): budget * (1 - band)...budget * (1 + band)
    }
  }
}

/// The distributions softmax(θ − ν·∂C/∂P/B), one for each ν: their expected cost falls with ν.
///
/// ∂C/∂P is that of θ itself, which for an additive cost is the price and holds everywhere.
private struct Tilt {
  private let logits: [[Double]]
  /// ∂C/∂P/B; price/B for an additive cost.
  private let slopes: [[Double]]
  private let costModel: any CostModel

  private static let bisections = 60

  init(_ logits: [[Float]], _ costModel: any CostModel, _ budget: Double) {
    let logits = logits.map { $0.map(Double.init) }
    self.logits = logits
    self.costModel = costModel
    slopes = costModel.gradient(logits.map(softmax)).map { $0.map { $0 / budget } }
  }

  /// Σ P·price at ν.
  func cost(_ share: Double) -> Double {
    costModel.expected(
      zip(logits, slopes).map { row, slopes in
        softmax(zip(row, slopes).map { $0 - share * $1 })
      }
    )
  }

  func logits(_ share: Double) -> [[Float]] {
    zip(logits, slopes).map { row, slopes in zip(row, slopes).map { Float($0 - share * $1) } }
  }

  /// The ν at which the cost is `wanted`; the largest tried where no ν gets there.
  func share(from cost: Double, to wanted: Double) -> Double {
    let sign: Double = cost > wanted ? 1 : -1
    func isBeyond(_ size: Double) -> Bool { (self.cost(sign * size) - wanted) * sign <= 0 }
    var high = 1.0
    while !isBeyond(high), high < 1e6 { high *= 2 }
    var low = 0.0
    for _ in 0..<Self.bisections {
      let middle = (low + high) / 2
      if isBeyond(middle) { high = middle } else { low = middle }
    }
    return sign * high
  }
}
