/// What moves parameters along their gradients.
///
/// Each rule is a file: SGD, RMSProp, Adam, from simple to complex.
package protocol Optimiser: AnyObject {
  /// What it trains, in a fixed order.
  var parameters: [Parameter] { get }
  /// One step along the present gradients, which are cleared.
  func step(learningRate: Float)
  /// What it continues from besides the parameters: moments and counters.
  var entries: [StateEntry] { get }
}

extension Optimiser {
  /// The present moments and counters.
  package var state: StateDictionary { StateDictionary(entries) }

  /// Takes up a saved state, all of it or nothing.
  ///
  /// - Throws: `StateFault` for the first array that is missing or of another shape.
  package func restore(_ state: StateDictionary) throws(StateFault) {
    try state.restore(entries)
  }

  /// An entry for each parameter's own array of a kind, `velocity.stem.weight`.
  func entries(_ kind: String, _ buffers: [Buffer]) -> [StateEntry] {
    zip(parameters, buffers).map { parameter, buffer in
      StateEntry(name: kind + "." + parameter.name, shape: parameter.shape, buffer: buffer)
    }
  }
}
