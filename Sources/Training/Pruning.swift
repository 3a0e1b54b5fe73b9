import Runs

/// When an option leaves the search because it stays improbable (`search.prune_below`).
package struct Pruning: Sendable, Equatable {
  /// Probability below which it is improbable.
  package var floor: Double
  /// Epochs for which it has to be.
  package var epochs: Int

  package init(floor: Double, epochs: Int) {
    self.floor = floor
    self.epochs = epochs
  }

  /// The options that take part by `course` and were improbable in all of `thetas`.
  func places(_ thetas: [ThetaRecord], _ course: Course) -> [Course.Place] {
    guard let first = thetas.first else { return [] }
    // Exactly 0 is what an option has that was barred meanwhile.
    var isImprobable = first.logits.map { $0.map { _ in true } }
    for theta in thetas {
      for (choice, logits) in theta.logits.enumerated() {
        let probabilities = softmax(logits.map(Double.init))
        for (option, p) in probabilities.enumerated() where p == 0 || p >= floor {
          isImprobable[choice][option] = false
        }
      }
    }
    return isImprobable.enumerated().flatMap { choice, row in
      row.indices.filter { row[$0] }.map { Course.Place(choice: choice, option: $0) }
    }.filter(course.allows)
  }
}
