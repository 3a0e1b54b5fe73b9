import Networks

/// A number together with its derivatives by all weights of a mixture: forward differentiation.
///
/// Costs are counted by one text for any number; with these it gives the gradient as well.
struct Dual: CountingNumber {
  /// The number.
  var value: Double
  /// ∂/∂ of each weight; empty for a constant.
  var gradient: [Double]

  /// A number with its derivatives.
  init(_ value: Double, gradient: [Double] = []) {
    self.value = value
    self.gradient = gradient
  }

  /// A constant.
  init(_ value: Int) { self.init(Double(value)) }

  /// A constant.
  init(integerLiteral value: Int) { self.init(value) }

  /// A constant.
  init?<T: BinaryInteger>(exactly source: T) {
    guard let value = Double(exactly: source) else { return nil }
    self.init(value)
  }

  /// The size of the value, a constant.
  var magnitude: Double { value.magnitude }

  static func + (a: Dual, b: Dual) -> Dual {
    Dual(a.value + b.value, gradient: sum(a.gradient, 1, b.gradient, 1))
  }

  static func - (a: Dual, b: Dual) -> Dual {
    Dual(a.value - b.value, gradient: sum(a.gradient, 1, b.gradient, -1))
  }

  static func * (a: Dual, b: Dual) -> Dual {
    Dual(a.value * b.value, gradient: sum(a.gradient, b.value, b.gradient, a.value))
  }

  static func / (a: Dual, b: Dual) -> Dual {
    Dual(
      a.value / b.value,
      gradient: sum(a.gradient, 1 / b.value, b.gradient, -a.value / (b.value * b.value))
    )
  }

  static func *= (a: inout Dual, b: Dual) { a = a * b }

  /// a·s + b·t.
  private static func sum(_ a: [Double], _ s: Double, _ b: [Double], _ t: Double) -> [Double] {
    if b.isEmpty { return s == 1 ? a : a.map { $0 * s } }
    if a.isEmpty { return t == 1 ? b : b.map { $0 * t } }
    return zip(a, b).map { $0 * s + $1 * t }
  }
}
