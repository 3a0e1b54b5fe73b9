import Foundation
import Runs

/// The head of a group of choices, and what its choices come to.
struct GroupHead {
  var name: String
  var choices: Range<Int>
  var isFolded: Bool
  /// Mean probability of the leaders.
  var share: Double
  /// Mean entropy.
  var bits: Double
  /// Choices that are settled; nil where θ does not move.
  var settled: Int?
  var isSelected: Bool

  init(_ model: Model, name: String, choices: Range<Int>, isFolded: Bool) {
    self.name = name
    self.choices = choices
    self.isFolded = isFolded
    let values = choices.map { model.probabilities(of: $0) }
    let count = Double(max(1, choices.count))
    share = values.reduce(0) { $0 + Double($1.max() ?? 0) } / count
    bits = values.reduce(0) { $0 + entropyBits($1) } / count
    settled =
      model.verdict == nil
      ? nil : Verdict(probabilities: values.map { $0.map(Double.init) }).settled
    isSelected = isFolded && choices.contains(model.selection)
  }
}

/// Name, number and means of a group, in the columns of the list.
func drawGroupHead(
  _ frame: inout Frame,
  _ model: Model,
  _ head: GroupHead,
  _ rows: Rect,
  _ y: Int,
  _ spec: LayerColumns
) {
  let glyphs = model.look.glyphs
  let ground: Role = head.isSelected ? .selectBg : .bg
  let strong = Style(head.isSelected ? .selectFg : .title, on: ground, .bold)
  let muted = Style(head.isSelected ? .selectFg : .muted, on: ground)
  if head.isSelected {
    frame.fill(Rect(rows.x, y, rows.width, 1), Cell(32, muted))
    frame.put(rows.x, y, glyphs.selected, Style(.borderFocus, on: ground))
  }
  // The means are under the same titles as those of a choice.
  var right = rows.x + rows.width
  if spec.trend > 0 { right -= spec.trend + 1 }
  if spec.entropy > 0 {
    right -= 1
    frame.putRight(right, y, Format.fixed(head.bits, 2), muted)
    right -= spec.entropy
  }
  right -= 1
  frame.putRight(right, y, Format.percent(head.share, digits: 0), muted)
  right -= spec.percent + 1
  let mark = head.isFolded ? glyphs.folded : glyphs.unfolded
  let room = right - rows.x - 1
  let name = glyphs.plain(head.name.isEmpty ? "other" : head.name).capitalizedFirst
  let x = frame.put(rows.x + 1, y, "\(mark) \(name)", strong, limit: room)
  let facts =
    Format.counted(head.choices.count, "choice")
    + (head.settled.map { ", \($0) settled" } ?? "")
  frame.put(x + 2, y, clip(facts, to: right - x - 2), muted)
}
