import Runs

/// What people have changed of a training's course: everything that its numbers depend on beside
/// the configuration (spec S82).
///
/// A value; kept in checkpoints, so that a resumed run and a derived network go by it too.
package struct Course: Codable, Sendable, Equatable {
  /// An option of a choice.
  package struct Place: Codable, Sendable, Hashable, Comparable {
    /// Index of the choice.
    package var choice: Int
    /// Index of the option.
    package var option: Int

    package init(choice: Int, option: Int) {
      self.choice = choice
      self.option = option
    }

    /// By choice, then by option.
    package static func < (a: Place, b: Place) -> Bool {
      (a.choice, a.option) < (b.choice, b.option)
    }
  }

  /// Temperature that is held; nil while the schedule rules.
  package var temperature: Double?
  /// Options that their choices are bound to, one a choice at most, in order.
  package var pins: [Place] = []
  /// Options that are out of the search, in order.
  package var bans: [Place] = []
  /// Weight of the cost in the loss; nil for the configuration's.
  package var costWeight: Double?
  /// What a network may cost; nil for the configuration's.
  package var budget: Double?
  /// Factor of the weights' learning rate.
  package var weightsRate = 1.0
  /// Factor of θ's learning rate.
  package var thetaRate = 1.0

  package init(temperature: Double? = nil) { self.temperature = temperature }

  /// Factor of a phase's learning rate.
  package func rate(_ phase: Phase) -> Double { phase == .weights ? weightsRate : thetaRate }

  /// Whether a choice may take an option.
  package func allows(_ place: Place) -> Bool {
    if bans.contains(place) { return false }
    return !pins.contains { $0.choice == place.choice && $0.option != place.option }
  }

  /// The options that are barred, of choices with `counts` options: [choice][option].
  package func barred(_ counts: [Int]) -> [[Bool]] {
    counts.enumerated().map { choice, count in
      (0..<count).map { !allows(Place(choice: choice, option: $0)) }
    }
  }
}
