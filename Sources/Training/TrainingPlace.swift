import Foundation
import Runs

/// Where in a run a checkpoint was taken; kept in the checkpoint's metadata.
package struct TrainingPlace: Codable, Sendable, Equatable {
  /// Epoch under way, from 0.
  package var epoch: Int
  /// Steps done in it.
  package var position: Int
  /// Steps done in the whole run.
  package var step: Int
  /// Temperature that a person holds; nil while the schedule rules.
  ///
  /// Older checkpoints have this alone, and no `course`.
  package var heldTemperature: Double?
  /// What people have changed; nil in older checkpoints.
  package var course: Course?
  /// The courses before that, the newest last; nil in older checkpoints.
  package var earlier: [Course]?
  /// Temperature of the last step done.
  package var lastTemperature: Double
  /// The last temperature intervention taken up, by its id.
  package var lastIntervention: Int64

  /// The course in whichever form the checkpoint has it.
  package var presentCourse: Course { course ?? Course(temperature: heldTemperature) }

  func metadata() throws -> [String: String] {
    [Checkpoint.placeKey: String(decoding: try JSONEncoder().encode(self), as: UTF8.self)]
  }
}

extension TrainingPlace {
  package init(metadata: [String: String]) throws {
    guard let text = metadata[Checkpoint.placeKey],
      let place = try? JSONDecoder().decode(TrainingPlace.self, from: Foundation.Data(text.utf8))
    else {
      throw UserError(
        .data,
        "checkpoint",
        "does not say where training was",
        remedy: "delete it and resume from the one before"
      )
    }
    self = place
  }
}
