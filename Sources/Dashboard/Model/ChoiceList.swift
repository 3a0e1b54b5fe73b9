import Runs

/// The choices as rows of a list: those of a large space under heads of groups that fold.
struct ChoiceList: Sendable, Equatable {
  /// One row.
  enum Row: Sendable, Equatable {
    /// The head of a group, and the choices that belong to it.
    case group(name: String, choices: Range<Int>, isFolded: Bool)
    /// A choice by its index.
    case choice(Int)

    /// The choice that is chosen along with the row; nil for a head whose choices are below it.
    var selection: Int? {
      switch self {
      case .group(_, let choices, let isFolded): isFolded ? choices.lowerBound : nil
      case .choice(let index): index
      }
    }
  }

  private(set) var rows: [Row] = []

  /// Up to so many choices of one kind a list without heads is easier to read.
  static let ungrouped = 24

  /// Rows of `choices`, the groups in `folded` as their heads alone.
  init(_ choices: [Choice], folded: Set<String>) {
    guard Self.hasGroups(choices) else {
      rows = choices.indices.map { .choice($0) }
      return
    }
    var start = 0
    while start < choices.count {
      let name = choices[start].group
      let end = choices[start...].firstIndex { $0.group != name } ?? choices.count
      rows.append(.group(name: name, choices: start..<end, isFolded: folded.contains(name)))
      if !folded.contains(name) { rows += (start..<end).map { .choice($0) } }
      start = end
    }
  }

  /// Whether there are so many choices, or kinds of them, that they are shown in groups.
  static func hasGroups(_ choices: [Choice]) -> Bool {
    (choices.count > ungrouped || Set(choices.map(\.kind)).count > 1)
      && Set(choices.map(\.group)).count > 1
  }

  /// The row that stands for choice `index`: its own, or the head of its folded group.
  func place(of index: Int) -> Int {
    rows.firstIndex { row in
      switch row {
      case .choice(let own): own == index
      case .group(_, let choices, let isFolded): isFolded && choices.contains(index)
      }
    } ?? 0
  }

  /// The choice `steps` rows below that of `index`, or above it; heads of open groups are passed.
  func moved(from index: Int, by steps: Int) -> Int {
    let stops = rows.compactMap(\.selection)
    let here = rows[place(of: index)].selection ?? index
    guard let at = stops.firstIndex(of: here) else { return index }
    return stops[min(stops.count - 1, max(0, at + steps))]
  }
}

extension Model {
  /// The rows of the list of choices.
  var list: ChoiceList { ChoiceList(choices, folded: folded) }

  /// Whether the chosen choice is hidden under the head of its group.
  var isSelectionFolded: Bool {
    choices.indices.contains(selection) && ChoiceList.hasGroups(choices)
      && folded.contains(choices[selection].group)
  }

  /// Folds a group away, or opens it.
  mutating func toggle(group: String) {
    if folded.remove(group) == nil { folded.insert(group) }
  }

  /// Folds all groups away; opens them where all of them are folded.
  mutating func toggleAllGroups() {
    let groups = Set(choices.map(\.group))
    folded = folded.isSuperset(of: groups) ? [] : groups
  }
}
