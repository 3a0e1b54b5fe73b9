import Runs
import Tensor

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// How cross-entropy CE and expected cost become one loss (spec S8).
///
/// LAT is the cost of the whole network, fixed parts included: for the log forms in thousands of
/// FLOPs or parameters, or in microseconds; for `additive` in millions, or in milliseconds:
/// - `log`: α·CE·log(LAT^β) = α·β·CE·log LAT
/// - `paper`: α·CE·(log LAT)^β
/// - `additive`: CE + α·LAT^β
/// - `target` and `limit`, with a learned multiplier λ (`CostMultiplier`): CE + λ·(C/B − 1), C the
///   cost of softmax(θ), B the budget; α is where λ starts. With a fixed one `target` is CE + α·d,
///   d = max(0, |C/B − 1| − band), and `limit` has d = max(0, LAT/B − 1 − band). β has no part in
///   them.
///
/// Guard: the log forms need log LAT > 0. LAT is held at no less than 1.01 (no gradient comes from
/// below), and a search whose cheapest network lies there is refused before it starts.
package struct CostLoss: Sendable {
  private let settings: Configuration.LossSettings
  private let metric: Configuration.SearchSettings.Cost
  /// Cost that the budget forms aim at; others have no use for it.
  private let budget: Double
  private static let least: Float = 1.01

  /// Takes costs in `metric` (milliseconds for latency); `budget` is that of target and limit,
  /// above 0.
  ///
  /// Checks that the loss stays positive for every network of the space: `cheapest` is what the
  /// least of them costs. With `mostExpensive`, what the most expensive one costs, also checks that
  /// a fixed weight leaves the cross-entropy a say. Throws a `UserError` naming the key.
  package init(
    _ settings: Configuration.LossSettings,
    metric: Configuration.SearchSettings.Cost,
    budget: Double?,
    cheapest: Double,
    mostExpensive: Double? = nil
  ) throws {
    self.settings = settings
    self.metric = metric
    self.budget = budget ?? 0
    precondition(!settings.needsBudget || self.budget > 0, "a form without the budget it needs")
    let isLog = settings.form == .log || settings.form == .paper
    if isLog && cheapest * Double(CostLoss.logUnits(metric)) <= Double(CostLoss.least) {
      throw UserError(
        .configuration,
        "loss.form",
        metric == .latency
          ? "\(settings.form.rawValue) needs networks of more than 1.01 microseconds, the cheapest "
            + "takes \(cheapest * 1e3)"
          : "\(settings.form.rawValue) needs networks of more than 1,010 \(metric.rawValue), the "
            + "cheapest has \(Int(cheapest))",
        remedy: "use loss.form=additive or a budget"
      )
    }
    if let mostExpensive { try checkWeight(of: mostExpensive) }
  }

  /// What a fixed weight may make of a cost, where cross-entropies are a few units: beyond it the
  /// accuracy has no say.
  private static let heaviest = 1000.0

  /// Refuses a fixed weight of the cost that drowns the cross-entropy.
  private func checkWeight(of cost: Double) throws {
    let part: Double
    switch settings.form {
    case .log, .paper: return
    case .additive: part = pow(metric == .latency ? cost : cost * 1e-6, settings.beta)
    case .target, .limit:
      guard settings.multiplier == .fixed else { return }
      part = max(0, cost / budget - 1)
    }
    guard settings.alpha * part > CostLoss.heaviest else { return }
    throw UserError(
      .configuration,
      "loss.alpha",
      "\(settings.alpha) makes the cost up to \(Format.number(settings.alpha * part)) and drowns "
        + "the cross-entropy, which is a few units",
      remedy: "give \(Format.number(CostLoss.heaviest / part)) or less"
    )
  }

  /// Whether the cost is that of softmax(θ) instead of the step's sample.
  ///
  /// The cost of a single sample has a high variance: a penalty on it would push even where the
  /// mean is right, would be biased where prices are skewed, and would have no gradient at a low
  /// temperature, when a sample is nearly discrete.
  var isOfProbabilities: Bool {
    settings.form == .target || settings.form == .limit && settings.multiplier == .learned
  }

  /// The learned weight of the cost, at its start; nil for the fixed forms.
  var multiplier: CostMultiplier? {
    guard settings.needsBudget, settings.multiplier == .learned else { return nil }
    return CostMultiplier(
      seed: settings.alpha,
      budget: budget,
      aim: settings.form == .limit ? .limit : .target(band: settings.band)
    )
  }

  /// What makes LAT of the log forms of a cost: thousands, or microseconds.
  private static func logUnits(_ metric: Configuration.SearchSettings.Cost) -> Float {
    metric == .latency ? 1e3 : 1e-3
  }

  /// The loss of scalar tensors `crossEntropy` and `cost`, on their engine's tape; `multiplier` is
  /// the learned one, where there is one.
  package func callAsFunction(
    crossEntropy: Tensor,
    cost: Tensor,
    multiplier: Float? = nil,
    engine: Engine
  ) -> Tensor {
    if let multiplier {
      let excess = engine.affine(
        cost,
        factor: multiplier / Float(budget),
        constant: -multiplier
      )
      return engine.add(crossEntropy, excess)
    }
    let alpha = Float(settings.alpha)
    let beta = Float(settings.beta)
    switch settings.form {
    case .log, .paper:
      let above = engine.affine(
        cost,
        factor: CostLoss.logUnits(metric),
        constant: -CostLoss.least
      )
      let latency = engine.affine(
        engine.relu(above),
        factor: 1,
        constant: CostLoss.least
      )
      let logarithm = engine.logarithm(latency)
      let factor =
        settings.form == .log
        ? engine.affine(logarithm, factor: alpha * beta)
        : engine.affine(power(logarithm, beta, engine), factor: alpha)
      return engine.multiply(crossEntropy, factor)
    case .additive:
      let latency = engine.affine(cost, factor: metric == .latency ? 1 : 1e-6)
      return engine.add(
        crossEntropy,
        engine.affine(power(latency, beta, engine), factor: alpha)
      )
    case .target, .limit:
      let ratio = engine.affine(cost, factor: Float(1 / budget))
      let band = Float(settings.band)
      let over = engine.relu(engine.affine(ratio, factor: 1, constant: -1 - band))
      if settings.form == .limit {
        return engine.add(crossEntropy, engine.affine(over, factor: alpha))
      }
      let under = engine.relu(engine.affine(ratio, factor: -1, constant: 1 - band))
      return engine.add(crossEntropy, engine.affine(engine.add(over, under), factor: alpha))
    }
  }

  /// x^p for x > 0.
  private func power(_ x: Tensor, _ p: Float, _ engine: Engine) -> Tensor {
    engine.exponential(engine.affine(engine.logarithm(x), factor: p))
  }
}
