import Foundation

/// How decided a search is: what its result is worth (spec S12).
///
/// A choice is a *coin toss* where its entropy is nine tenths or more of that of even odds, and
/// else *settled* where its leader has half of the probability or more: of two options one always
/// has.
package struct Verdict: Sendable, Equatable {
  /// Choices of the search.
  package let choices: Int
  /// Those that are settled.
  package let settled: Int
  /// Those that are a coin toss.
  package let coinTosses: Int
  /// Mean entropy of the choices, bits.
  package let meanEntropyBits: Double

  private static let settledShare = 0.5
  private static let tossShare = 0.9

  /// Of probabilities [choice][option].
  package init(probabilities: [[Double]]) {
    // A choice of one option was never open.
    let open = probabilities.filter { $0.count > 1 }
    choices = open.count
    settled = open.count(where: Self.isSettled)
    coinTosses = open.count(where: Self.isCoinToss)
    meanEntropyBits = open.map(entropyBits).reduce(0, +) / Double(max(1, open.count))
  }

  /// Whether a choice of these probabilities is a coin toss; one of a single option never is.
  package static func isCoinToss(_ probabilities: [Double]) -> Bool {
    probabilities.count > 1
      && entropyBits(probabilities) >= tossShare * log2(Double(probabilities.count))
  }

  /// Whether a choice of these probabilities is settled.
  package static func isSettled(_ probabilities: [Double]) -> Bool {
    !isCoinToss(probabilities) && (probabilities.max() ?? 0) >= settledShare
  }

  /// Whether the network stands for the search: three quarters of its choices are settled, none a
  /// coin toss.
  package var isSettled: Bool { 4 * settled >= 3 * choices && coinTosses == 0 }

  /// In words: `6 of 8 choices are settled, 1 is a coin toss (0.82 bits on average)`.
  package var text: String {
    let tosses =
      switch coinTosses {
      case 0: ""
      case 1: ", 1 is a coin toss"
      default: ", \(coinTosses) are coin tosses"
      }
    let are = settled == 1 ? "is" : "are"
    return "\(settled) of \(Format.counted(choices, "choice")) \(are) settled\(tosses) "
      + "(\(Format.fixed(meanEntropyBits, 2)) bits on average)"
  }
}

/// Entropy in bits; inlinable, so that callers get it for their own type of number.
@inlinable package func entropyBits(_ probabilities: [some BinaryFloatingPoint]) -> Double {
  // Probabilities are rounded: their sum may be above 1, and the entropy of one alone below 0.
  max(-probabilities.reduce(0) { $0 + ($1 > 0 ? Double($1) * log2(Double($1)) : 0) }, 0)
}

/// The steps on θ that a search has, against those that usually settle one: a verdict before the
/// start.
package struct ThetaForecast: Sendable, Equatable {
  /// Steps on θ of the whole search.
  package let steps: Int
  /// Steps that usually settle the choices at this rate.
  package let needed: Int
  /// Epochs with that many; nil where no sensible number of epochs has them.
  package let epochs: Int?
  private let hasSteps: Bool

  /// - Parameters:
  ///   - rate: of θ.
  ///   - stepsPerEpoch: on θ, in an epoch after the warm-up.
  ///   - epochs: of the search.
  ///   - warmup: epochs of them without a step on θ; their share stays when there are more.
  package init(rate: ThetaRate, stepsPerEpoch: Int, epochs: Int, warmup: Int) {
    func steps(_ count: Int) -> Int {
      (count - count * warmup / max(1, epochs)) * stepsPerEpoch
    }
    let needed = rate.settlingSteps
    self.steps = steps(epochs)
    self.needed = needed
    hasSteps = stepsPerEpoch > 0
    // The steps do not fall with the epochs.
    let most = max(epochs, Self.mostEpochs)
    guard steps(most) >= needed else {
      self.epochs = nil
      return
    }
    var (tooFew, enough) = (epochs - 1, most)
    while enough - tooFew > 1 {
      let middle = (tooFew + enough) / 2
      if steps(middle) >= needed { enough = middle } else { tooFew = middle }
    }
    self.epochs = enough
  }

  /// Beyond them a search is helped by other means.
  private static let mostEpochs = 1_000_000

  /// Whether the search is long enough.
  package var settles: Bool { steps >= needed }

  /// What is too short, and what to change: `theta makes 16 steps of the 80 that usually settle the
  /// choices; give --epochs 5 or more, or smaller batches`.
  package var text: String {
    "theta makes \(Format.counted(steps, "step")) of the \(needed) "
      + "that usually settle the choices; "
      + (epochs.map { "give --epochs \($0) or more, or a smaller search.batch" }
        ?? "give a larger " + (hasSteps ? "theta.learning_rate" : "search.theta_share"))
  }
}
