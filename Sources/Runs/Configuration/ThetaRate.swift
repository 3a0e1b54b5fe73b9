/// Adam's rate on the architecture parameters: a number, or one that follows from the length of the
/// search.
///
/// FBNet's 0.01 belongs to its thousands of steps on θ. A search of a person's own images makes
/// some hundreds, in which θ has to travel as far: the rate that is not named is that distance over
/// the steps.
package enum ThetaRate: Codable, Sendable, Equatable {
  case automatic
  case named(Double)

  /// How far θ travels at most in a search, Σ rate: enough to settle a choice (Benchmarks has the
  /// table).
  package static let travel = 24.0
  /// The paper's rate, which longer searches keep; and one above which Adam's steps are too coarse
  /// to settle anything, however few there are.
  package static let range = 0.01...0.3
  /// How the automatic one is written.
  package static let word = "auto"

  /// The rate of a search of `steps` steps on θ.
  package func value(steps: Int) -> Double {
    switch self {
    case .named(let rate): rate
    case .automatic:
      max(Self.range.lowerBound, min(Self.range.upperBound, Self.travel / Double(max(1, steps))))
    }
  }

  /// More steps than any search makes.
  private static let most = 1e12

  /// Steps that usually settle the choices: a named rate may be too low for a search, the automatic
  /// one only finds too few steps.
  package var settlingSteps: Int {
    let rate =
      switch self {
      case .named(let rate): min(rate, Self.range.upperBound)
      case .automatic: Self.range.upperBound
      }
    return Int(min(Self.most, (Self.travel / rate).rounded(.up)))
  }

  /// Reads a number or `auto`.
  package init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    self = try (try? container.decode(Double.self)).map(ThetaRate.named) ?? .word(in: container)
  }

  private static func word(in container: any SingleValueDecodingContainer) throws -> ThetaRate {
    guard try container.decode(String.self) == word else {
      throw DecodingError.dataCorruptedError(in: container, debugDescription: "no rate")
    }
    return .automatic
  }

  /// Writes the number, or `auto`.
  package func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    switch self {
    case .automatic: try container.encode(Self.word)
    case .named(let rate): try container.encode(rate)
    }
  }
}
