import Runs

/// Everything that the list of runs is drawn from; its `updateList` and `viewList` are pure.
struct RunListModel: Sendable {
  /// What lies over the list and takes the keys.
  enum Overlay: Sendable, Equatable {
    case help(scroll: Int)
    /// A filter is typed; `previous` comes back where it is given up.
    case filter(text: String, error: String, previous: RunFilter?)
  }

  /// What the chart shows of the marked runs.
  enum Curve: Sendable { case accuracy, loss }

  /// All runs, in their order.
  private(set) var runs: [RunOverview] = []
  /// Those that the filter leaves.
  private(set) var shown: [RunOverview] = []
  /// Whether the folders have been read once.
  private(set) var isRead = false
  /// Keys of the configuration in which the runs differ.
  private(set) var differing: [String] = []
  /// Place of each run, in the order in which they were first seen: their colours go by it, so
  /// that no filter and no new run changes one.
  private var places: [String: Int] = [:]

  var size: Size
  var look: Model.Look
  /// Place of the chosen run among those shown.
  private(set) var selection = 0
  /// Paths of the runs in the overlaid chart.
  private(set) var marked: Set<String> = []
  private(set) var filter: RunFilter?
  var curve = Curve.accuracy
  var overlay: Overlay?
  var message: Model.Message?
  /// Seconds since 1970, as of the last event that carries time.
  var now = 0.0

  init(size: Size, look: Model.Look = Model.Look()) {
    self.size = size
    self.look = look
  }

  /// The chosen run; nil where none is shown.
  var chosen: RunOverview? { shown.indices.contains(selection) ? shown[selection] : nil }

  /// Takes the runs as they are now; the chosen one stays chosen wherever it has moved.
  ///
  /// Until all that were there at the start are read, none is new.
  mutating func take(_ runs: [RunOverview], isComplete: Bool = true) {
    let wasRead = isRead
    isRead = isRead || isComplete
    guard runs != self.runs else { return }
    let news = runs.filter { places[$0.path] == nil }
    for run in news { places[run.path] = places.count }
    if wasRead, let first = news.first {
      let more = news.count > 1 ? " and \(Format.counted(news.count - 1, "other"))" : ""
      message = .notice("new in the list: \(first.name)\(more)")
    }
    if runs.map(\.values) != self.runs.map(\.values) {
      differing = RunOverview.differingKeys(runs)
    }
    self.runs = runs
    marked.formIntersection(runs.map(\.path))
    apply(filter)
  }

  /// Shows the runs that `filter` leaves.
  mutating func apply(_ filter: RunFilter?) {
    let path = chosen?.path
    self.filter = filter
    shown = filter.map { $0(runs) } ?? runs
    selection = shown.firstIndex { $0.path == path } ?? min(selection, max(0, shown.count - 1))
  }

  mutating func move(by steps: Int) { choose(selection + steps) }

  /// Chooses the run at a place of those shown, or the nearest there is.
  mutating func choose(_ place: Int) { selection = min(max(0, shown.count - 1), max(0, place)) }

  /// Takes the chosen run into the overlaid chart, or out of it.
  mutating func toggleMark() {
    guard let path = chosen?.path else { return }
    if marked.remove(path) == nil { marked.insert(path) }
  }

  /// The runs in the chart: those that are marked, else the chosen one.
  var charted: [RunOverview] {
    marked.isEmpty ? chosen.map { [$0] } ?? [] : runs.filter { marked.contains($0.path) }
  }

  /// Colour of a run.
  func role(of run: RunOverview) -> Role { .option(places[run.path] ?? 0) }

  /// Letter of a run, so that colour is never alone in telling runs apart.
  func tag(of run: RunOverview) -> UInt32 {
    let place = (places[run.path] ?? 0) % 52
    return UInt32(place < 26 ? 97 + place : 65 + place - 26)
  }
}

extension RunOverview.State {
  /// Mark and role of a state; its word is its name.
  func badge(_ glyphs: GlyphSet) -> (mark: String, role: Role) {
    switch self {
    case .new: (glyphs.waiting, .muted)
    case .preparing: (glyphs.taken, .seriesC)
    case .running: (glyphs.running, .good)
    case .paused: (glyphs.paused, .warn)
    case .stopped: (glyphs.done, .warn)
    case .finished: (glyphs.check, .good)
    case .failed, .gone: (glyphs.cross, .bad)
    case .silent: ("?", .warn)
    case .unreadable: ("!", .bad)
    }
  }

  /// The state in a line, with what can be done about it.
  func advice(_ name: String) -> String {
    switch self {
    case .new: "no trainer has begun"
    case .preparing: "prepares its data and network"
    case .running: "its trainer is at work"
    case .paused: "space in its dashboard resumes it"
    case .stopped, .gone: "continue with: supertop resume \(name)"
    case .finished: "at its end"
    case .failed: "ended by an error"
    case .silent: "no sign of life; end its process and continue with: supertop resume \(name)"
    case .unreadable: "cannot be read"
    }
  }
}
