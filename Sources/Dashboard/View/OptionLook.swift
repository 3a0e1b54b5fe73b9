import Runs

/// How one option of a choice is told apart from the others: what fills its part of a bar, the text
/// on it, and its line in a chart.
struct OptionLook: Hashable, Sendable {
  var fill: Role
  var text: Role
  var line: Role
}

extension Choice {
  /// The look of option `index`.
  ///
  /// Sizes are on a scale from low to high, so that neighbours look alike and the ends do not.
  /// Other options have the nine colours of the theme; the next nine have them as text on a plain
  /// ground, so that no two of eighteen look the same.
  func look(of index: Int) -> OptionLook {
    if kind.isOrdered {
      let fill = Role.scale(options.count > 1 ? Double(index) / Double(options.count - 1) : 1)
      return OptionLook(fill: fill, text: .optionText, line: fill)
    }
    let colour = Role.option(index)
    return index / 9 % 2 == 0
      ? OptionLook(fill: colour, text: .optionText, line: colour)
      : OptionLook(fill: .faint, text: colour, line: colour)
  }

  /// The looks of all options, in their order.
  var looks: [OptionLook] { options.indices.map(look) }
}

extension Choice {
  /// The name; where it does not fit in `width` columns, with stage and block as `s2 b1`, since a
  /// name that is cut no longer says which choice of a block it is; and of a setting of the recipe
  /// its last word: `rate`, `decay`.
  func name(within width: Int) -> String {
    guard columns(of: name) > width else { return name }
    if kind == .recipe { return name.split(separator: " ").last.map(String.init) ?? name }
    return name.replacing("stage ", with: "s").replacing("block ", with: "b")
  }

  /// The sizes that the options stand for; nil where they are no sizes.
  var sizes: [Double]? {
    guard kind.isOrdered else { return nil }
    let sizes = options.compactMap(\.value)
    return sizes.count == options.count ? sizes : nil
  }
}

extension Choice.Kind {
  /// What an option is called, as the heading of a column.
  var word: String {
    switch self {
    case .operator: "block"
    case .width: "width"
    case .expansion: "expansion"
    case .depth: "depth"
    case .resolution: "pixels"
    case .recipe: "setting"
    }
  }
}

extension Model {
  /// Whether all that is searched is which block a layer gets.
  var choosesBlocks: Bool { choices.allSatisfy { $0.kind == .operator } }

  /// Whether choices of several kinds are searched.
  var mixesKinds: Bool { choices.contains { $0.kind != choices.first?.kind } }

  /// Where a choice sits; where kinds mix, what it is called in its group, `block 2 kernel`, or
  /// under the head of its block, `kernel`.
  func detail(of index: Int, isInBlock: Bool) -> String {
    let choice = choices[index]
    guard mixesKinds else { return look.glyphs.plain(choice.detail) }
    var name = choice.name
    for prefix in [choice.group] + (isInBlock ? [choice.block] : [])
    where name.hasPrefix(prefix + " ") { name.removeFirst(prefix.count + 1) }
    if isInBlock, name == choice.block { name = choice.kind.word }
    return look.glyphs.plain(name)
  }
}
