/// One line of the run's log.
package struct LogRecord: Codable, Sendable, Equatable {
  /// How grave a line is.
  package enum Level: String, Codable, Sendable {
    case info
    /// Worth a person's attention, though nothing is wrong: also a progress line.
    case notice
    case warning, error
  }

  /// Ascending.
  package var id: Int64
  /// Seconds since 1970.
  package var time: Double
  /// How grave it is.
  package var level: Level
  /// One line.
  package var text: String
  /// Steps done when it was written, in a joint search candidates; nil where that is not recorded.
  package var step: Int?

  package init(id: Int64, time: Double, level: Level, text: String, step: Int? = nil) {
    self.id = id
    self.time = time
    self.level = level
    self.text = text
    self.step = step
  }
}
