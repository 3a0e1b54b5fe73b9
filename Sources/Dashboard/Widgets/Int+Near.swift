extension Int {
  /// The whole number nearest to `value`; 0 for what is no number, a million for what is beyond.
  ///
  /// For cells and dots, so that no odd value of a store can end the program.
  init(near value: Double) {
    self = value.isNaN ? 0 : Int(Swift.min(Swift.max(value, -1e6), 1e6).rounded())
  }
}
