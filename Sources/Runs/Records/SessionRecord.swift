/// A start of the trainer.
package struct SessionRecord: Sendable, Equatable {
  /// Ascending, from 1.
  package var id: Int
  /// Seconds since 1970.
  package var startedAt: Double
  /// Steps done before it; later ones that were on record were taken back.
  package var step: Int
  /// Process of the trainer.
  package var process: Int
}
