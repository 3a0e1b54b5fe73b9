import Runs

extension Model {
  /// More rows than any list has.
  static let all = 1_000_000

  /// Whether the log is on the screen as one of the run's screens.
  var isShowingLog: Bool {
    guard kind.tabs.indices.contains(tab), case .log = kind.tabs[tab] else { return false }
    return true
  }

  /// The event of the log that belongs to the moment that is shown: the last one by then.
  func logPlace(in events: [RunEvent]) -> Int {
    guard let cursor else { return max(0, events.count - 1) }
    return events.lastIndex { $0.step.map { $0 <= cursor } ?? false } ?? 0
  }

  /// Goes to another line of the log, and to its moment.
  mutating func moveInLog(by rows: Int) -> [Effect] {
    let events = events
    // Behind the last line is now.
    guard !events.isEmpty, cursor != nil || rows < 0 else { return [] }
    let here = cursor == nil ? events.count : logPlace(in: events)
    var place = min(events.count - 1, max(0, here + rows))
    // Lines of the present step, and those without one, are passed over.
    while events.indices.contains(place),
      events[place].step == nil || events[place].step == cursor ?? done
    {
      place += rows < 0 ? -1 : 1
    }
    if events.indices.contains(place), let step = events[place].step { return setCursor(step) }
    return rows > 0 ? setCursor(done) : events.compactMap(\.step).first.map { setCursor($0) } ?? []
  }
}
