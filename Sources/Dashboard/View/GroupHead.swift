import Foundation
import Runs

/// The head of a group of choices or of a block, and what its choices come to.
struct GroupHead {
  var head: ChoiceList.Head
  /// Mean probability of the leaders.
  var share: Double
  /// Mean entropy.
  var bits: Double
  /// Choices that are settled; nil where θ does not move.
  var settled: Int?
  /// The last width among the choices: the channels that leave the group.
  var width: Int?
  var isSelected: Bool

  init(_ model: Model, _ head: ChoiceList.Head) {
    self.head = head
    let choices = head.choices
    let values = choices.map { model.probabilities(of: $0) }
    let count = Double(max(1, choices.count))
    share = values.reduce(0) { $0 + Double($1.max() ?? 0) } / count
    bits = values.reduce(0) { $0 + entropyBits($1) } / count
    settled =
      model.verdict == nil
      ? nil : Verdict(probabilities: values.map { $0.map(Double.init) }).settled
    width = choices.last { model.choices[$0].kind == .width }
    isSelected = head.isFolded && choices.contains(model.selection)
  }
}

/// Name, number and means of a group, in the columns of the list.
func drawGroupHead(
  _ frame: inout Frame,
  _ model: Model,
  _ group: GroupHead,
  _ rows: Rect,
  _ y: Int,
  _ spec: LayerColumns
) {
  let (head, glyphs) = (group.head, model.look.glyphs)
  let ground: Role = group.isSelected ? .selectBg : .bg
  let title: Role = head.isBlock ? .fg : .title
  let strong = Style(group.isSelected ? .selectFg : title, on: ground, .bold)
  let muted = Style(group.isSelected ? .selectFg : .muted, on: ground)
  if group.isSelected {
    frame.fill(Rect(rows.x, y, rows.width, 1), Cell(32, muted))
    frame.put(rows.x, y, glyphs.selected, Style(.borderFocus, on: ground))
  }
  // The means are under the same titles as those of a choice.
  var right = rows.x + rows.width
  if spec.trend > 0 { right -= spec.trend + 1 }
  if spec.entropy > 0 {
    right -= 1
    frame.putRight(right, y, Format.fixed(group.bits, 2), muted)
    right -= spec.entropy
  }
  right -= 1
  frame.putRight(right, y, Format.percent(group.share, digits: 0), muted)
  right -= spec.percent + 1
  let mark = head.isFolded ? glyphs.folded : glyphs.unfolded
  let left = rows.x + 1 + (head.isBlock ? LayerColumns.indent : 0)
  let name = glyphs.plain(head.name.isEmpty ? "other" : head.name).capitalizedFirst
  let x = frame.put(left, y, "\(mark) \(name)", strong, limit: right - left) + 2
  // What is folded away says what it comes to.
  if head.isFolded, !head.isBlock, spec.name > 0, let width = group.width {
    right -= spec.name
    frame.put(right, y, clip(leader(of: width, model, width: spec.name), to: spec.name), muted)
    right -= 1
  }
  let facts: String
  if head.isFolded, head.isBlock {
    facts = head.choices.map { leader(of: $0, model, width: 0) }.joined(separator: " ")
  } else if head.isFolded, let settled = group.settled {
    facts = "\(settled)/\(head.choices.count) settled"
  } else {
    facts =
      Format.counted(head.choices.count, "choice")
      + (group.settled.map { ", \($0) settled" } ?? "")
  }
  frame.put(x, y, clip(facts, to: right - x), muted)
}

/// The option that leads a choice, of sizes with the expected one where both fit.
private func leader(of index: Int, _ model: Model, width: Int) -> String {
  let choice = model.choices[index]
  let option = model.leader(of: index)
  guard choice.options.indices.contains(option) else { return "" }
  let glyphs = model.look.glyphs
  let name = glyphs.plain(choice.options[option].name)
  return leaderText(choice, name, model.probabilities(of: index), width: width, glyphs)
}
