/// Where the mouse is, and whose.
struct Pointer: Hashable, Sendable {
  /// Whether clicks come here; else they select text, as the terminal has it.
  var isOurs = true
  /// Whether the border between list and panels is held.
  var isDragging = false
  /// Share of the columns that the list has, 0…1; nil for the usual one.
  var share: Double?
}
