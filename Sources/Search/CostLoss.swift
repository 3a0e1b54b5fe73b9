import Runs
import Tensor

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// How cross-entropy CE and expected cost become one loss (spec S8).
///
/// LAT is the cost of the whole network, fixed parts included, in thousands of FLOPs or parameters for
/// the log forms and in millions for `additive`:
/// - `log`: α·CE·log(LAT^β) = α·β·CE·log LAT
/// - `paper`: α·CE·(log LAT)^β
/// - `additive`: CE + α·LAT^β
/// - `target`: CE + α·d, d = max(0, |cost/budget − 1| − band); β has no part in it. As a limit, only what lies
///   above the budget counts: d = max(0, cost/budget − 1 − band).
///
/// Guard: the log forms need log LAT > 0. LAT is held at no less than 1.01 (no gradient comes from below),
/// and a search whose cheapest network lies there is refused before it starts.
package struct CostLoss: Sendable {
  private let settings: Configuration.LossSettings
  private let isLimit: Bool
  private static let least: Float = 1.01

  /// Checks that the loss stays positive for every network of the space.
  ///
  /// - Parameters:
  ///   - settings: form and its numbers.
  ///   - cheapest: cost of the cheapest network.
  ///   - isLimit: whether the target is a limit, free below the budget.
  /// - Throws: `UserError` naming the key when it would not.
  package init(
    _ settings: Configuration.LossSettings,
    cheapest: Double,
    isLimit: Bool = false
  ) throws {
    self.settings = settings
    self.isLimit = isLimit
    let isLog = settings.form == .log || settings.form == .paper
    if isLog && cheapest / 1e3 <= Double(CostLoss.least) {
      throw UserError(
        .configuration,
        "loss.form",
        "\(settings.form.rawValue) needs networks of more than 1,010 cost units, the cheapest has \(Int(cheapest))",
        remedy: "use loss.form=additive or target"
      )
    }
  }

  /// The loss of scalar tensors `crossEntropy` and `cost` (FLOPs or parameters), on their engine's tape.
  package func callAsFunction(crossEntropy: Tensor, cost: Tensor, engine: Engine) -> Tensor {
    let alpha = Float(settings.alpha)
    let beta = Float(settings.beta)
    switch settings.form {
    case .log, .paper:
      let above = engine.affine(cost, factor: 1e-3, constant: -CostLoss.least)
      let latency = engine.affine(
        engine.positivePart(above),
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
      let latency = engine.affine(cost, factor: 1e-6)
      return engine.add(
        crossEntropy,
        engine.affine(power(latency, beta, engine), factor: alpha)
      )
    case .target:
      let ratio = engine.affine(cost, factor: Float(1 / settings.budget))
      let band = Float(settings.band)
      let over = engine.positivePart(engine.affine(ratio, factor: 1, constant: -1 - band))
      if isLimit { return engine.add(crossEntropy, engine.affine(over, factor: alpha)) }
      let under = engine.positivePart(engine.affine(ratio, factor: -1, constant: 1 - band))
      return engine.add(crossEntropy, engine.affine(engine.add(over, under), factor: alpha))
    }
  }

  /// x^p for x > 0.
  private func power(_ x: Tensor, _ p: Float, _ engine: Engine) -> Tensor {
    engine.exponential(engine.affine(engine.logarithm(x), factor: p))
  }
}
