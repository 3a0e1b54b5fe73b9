extension Int {
  /// The whole number nearest to `value`: of cells and dots, which a store's odd values must not
  /// make a crash of. What is no number is 0, and what is out of reach a million.
  init(near value: Double) {
    self = value.isNaN ? 0 : Int(Swift.min(Swift.max(value, -1e6), 1e6).rounded())
  }
}
