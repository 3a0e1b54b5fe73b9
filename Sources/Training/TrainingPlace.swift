import Foundation
import Runs

/// Where in a run a checkpoint was taken; kept in the checkpoint's metadata.
package struct TrainingPlace: Codable, Sendable, Equatable {
  package var epoch: Int
  package var position: Int
  package var step: Int
  package var heldTemperature: Double?
  package var lastTemperature: Double
  package var lastIntervention: Int64

  private static let key = "training"

  func metadata() throws -> [String: String] {
    [TrainingPlace.key: String(decoding: try JSONEncoder().encode(self), as: UTF8.self)]
  }
}

extension TrainingPlace {
  package init(metadata: [String: String]) throws {
    guard let text = metadata[TrainingPlace.key],
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
