import Runs

/// The choices as rows of a list: those of a large space under the heads of their groups, and of
/// the blocks in a group, which fold.
struct ChoiceList: Sendable, Equatable {
  /// The head of a group, or of a block inside one.
  struct Head: Sendable, Equatable {
    /// What is kept where it is folded: `stage 2`, `stage 2/block 1`.
    var key: String
    /// For people: `stage 2`, `block 1`.
    var name: String
    /// What belongs to it.
    var choices: Range<Int>
    /// Whether it is a block's.
    var isBlock: Bool
    /// Whether its choices have no rows.
    var isFolded: Bool
  }

  /// One row.
  enum Row: Sendable, Equatable {
    case head(Head)
    /// A choice by its index, and whether it stands under the head of a block.
    case choice(Int, isInBlock: Bool)

    /// The choice that is chosen along with the row; nil for a head whose choices are below it.
    var selection: Int? {
      switch self {
      case .head(let head): head.isFolded ? head.choices.lowerBound : nil
      case .choice(let index, _): index
      }
    }
  }

  private(set) var rows: [Row] = []

  /// Up to so many choices of one kind a list without heads is easier to read.
  static let ungrouped = 24

  /// Rows of `choices`, those in `folded` as their heads alone.
  init(_ choices: [Choice], folded: Set<String>) {
    guard Self.hasGroups(choices) else {
      rows = choices.indices.map { .choice($0, isInBlock: false) }
      return
    }
    for group in Self.heads(choices, folded: folded) {
      rows.append(.head(group))
      if group.isFolded { continue }
      var rest = group.choices
      for block in Self.blocks(choices, in: group, folded: folded) {
        rows += (rest.lowerBound..<block.choices.lowerBound).map { .choice($0, isInBlock: false) }
        rows.append(.head(block))
        if !block.isFolded { rows += block.choices.map { .choice($0, isInBlock: true) } }
        rest = block.choices.upperBound..<rest.upperBound
      }
      rows += rest.map { .choice($0, isInBlock: false) }
    }
  }

  /// The groups in their order.
  static func heads(_ choices: [Choice], folded: Set<String>) -> [Head] {
    runs(choices, choices.indices, of: \.group).map { name, range in
      Head(
        key: name,
        name: name,
        choices: range,
        isBlock: false,
        isFolded: folded.contains(name)
      )
    }
  }

  /// The blocks of a group that have several choices; none where there is but one.
  static func blocks(_ choices: [Choice], in group: Head, folded: Set<String>) -> [Head] {
    let runs = runs(choices, group.choices, of: \.block).filter { !$0.name.isEmpty }
    guard runs.count > 1 else { return [] }
    return runs.filter { $0.range.count > 1 }.map { name, range in
      let key = "\(group.key)/\(name)"
      return Head(
        key: key,
        name: name,
        choices: range,
        isBlock: true,
        isFolded: folded.contains(key)
      )
    }
  }

  /// Neighbours of one name.
  private static func runs(
    _ choices: [Choice],
    _ range: Range<Int>,
    of name: (Choice) -> String
  ) -> [(name: String, range: Range<Int>)] {
    var runs: [(name: String, range: Range<Int>)] = []
    for index in range {
      let name = name(choices[index])
      if let last = runs.last, last.name == name {
        runs[runs.count - 1].range = last.range.lowerBound..<index + 1
      } else {
        runs.append((name, index..<index + 1))
      }
    }
    return runs
  }

  /// Whether there are so many choices, or kinds of them, that they are shown in groups.
  static func hasGroups(_ choices: [Choice]) -> Bool {
    (choices.count > ungrouped || Set(choices.map(\.kind)).count > 1)
      && Set(choices.map(\.group)).count > 1
  }

  /// The row that stands for choice `index`: its own, or the head that it is folded under.
  func place(of index: Int) -> Int {
    rows.firstIndex { row in
      switch row {
      case .choice(let own, _): own == index
      case .head(let head): head.isFolded && head.choices.contains(index)
      }
    } ?? 0
  }

  /// The choice `steps` rows below that of `index`, or above it; open heads are passed.
  func moved(from index: Int, by steps: Int) -> Int {
    let stops = rows.compactMap(\.selection)
    let here = rows[place(of: index)].selection ?? index
    guard let at = stops.firstIndex(of: here) else { return index }
    return stops[min(stops.count - 1, max(0, at + steps))]
  }
}

extension Choice {
  /// The part of its group that it belongs to, `block 2`, by its identity, `stage2.block2.kernel`;
  /// empty where it is the group's own.
  var block: String {
    let path = id.split(separator: ".").dropLast().joined()
    guard !path.isEmpty, path != group.filter({ $0 != " " }) else { return "" }
    let words = name.split(separator: " ")
    // As many words of the name as the path has.
    guard let count = (1...max(1, words.count)).first(where: { words.prefix($0).joined() == path })
    else { return "" }
    let whole = words.prefix(count).joined(separator: " ")
    return whole.hasPrefix(group + " ") ? String(whole.dropFirst(group.count + 1)) : whole
  }
}

extension Model {
  /// The rows of the list of choices.
  var list: ChoiceList { ChoiceList(choices, folded: folded) }

  /// The head that hides the chosen choice; nil where the choice has a row.
  var foldedHead: ChoiceList.Head? {
    let rows = list.rows
    guard choices.indices.contains(selection), !rows.isEmpty,
      case .head(let head) = rows[list.place(of: selection)], head.isFolded
    else { return nil }
    return head
  }

  /// Folds a head away, or opens it.
  mutating func toggle(_ head: ChoiceList.Head) {
    if folded.remove(head.key) == nil { folded.insert(head.key) }
  }

  /// Folds what is round the cursor: the block of a choice, then its group; opens a folded group.
  mutating func fold() {
    guard ChoiceList.hasGroups(choices), choices.indices.contains(selection) else { return }
    let groups = ChoiceList.heads(choices, folded: folded)
    guard let group = groups.first(where: { $0.choices.contains(selection) }) else { return }
    let block = ChoiceList.blocks(choices, in: group, folded: folded)
      .first { $0.choices.contains(selection) }
    if let block, !block.isFolded, !group.isFolded { toggle(block) } else { toggle(group) }
  }

  /// Folds all blocks away, then all groups; then opens all.
  mutating func foldAll() {
    guard ChoiceList.hasGroups(choices) else { return }
    let groups = ChoiceList.heads(choices, folded: folded)
    let blocks = groups.flatMap { ChoiceList.blocks(choices, in: $0, folded: folded) }
    if groups.allSatisfy(\.isFolded) {
      folded = []
    } else if blocks.allSatisfy(\.isFolded) {
      folded.formUnion(groups.map(\.key))
    } else {
      folded.formUnion(blocks.map(\.key))
    }
  }
}
