import Foundation
import Runs

/// Columns of the list of choices.
struct LayerColumns {
  var index = 3
  var detail = 0
  var bar = 0
  var name = 0
  var percent = 4
  var entropy = 0
  var trend = 0
  /// Columns that what is in a block stands further to the right.
  static let indent = 2
  /// Whether `detail` is too narrow for some text, so that blocks are `b2` in all of them.
  var abbreviates = false

  /// Columns for a list `width` wide; the bar takes what the others leave.
  init(_ model: Model, width: Int) {
    // Whatever is folded now, so that no column moves with it.
    let all = ChoiceList(model.choices, folded: []).rows
    let details =
      all.map { row in
        guard case .choice(let index, let isInBlock) = row else { return 0 }
        return columns(of: model.detail(of: index, isInBlock: isInBlock))
          + (isInBlock ? Self.indent : 0)
      }.max() ?? 0
    let names =
      model.choices.flatMap { $0.options.map { columns(of: model.look.glyphs.plain($0.name)) } }
      .max() ?? 0
    index = max(3, columns(of: String(model.choices.count)) + 1)
    let sizes = model.choices.contains { $0.sizes != nil } ? 9 : 6
    if width >= 44 {
      name = min(10, max(sizes, names))
    } else if width >= 30 {
      name = min(6, names)
    }
    if width >= 40 { entropy = 4 }
    if width >= 62 {
      detail = min(16, details)
      trend = max(6, min(14, width / 11))
    } else if width >= 44 {
      detail = min(model.mixesKinds ? 13 : 9, details)
      trend = 1
    }
    abbreviates = detail < details
    let fixed = [index, detail, name, percent, entropy, trend].filter { $0 > 0 }
    bar = max(4, width - fixed.reduce(0) { $0 + $1 + 1 } - 1)
  }
}

/// One row a choice: where it sits, its probabilities, its leader and how settled it is.
func drawLayers(_ frame: inout Frame, _ model: Model, _ layout: Layout) {
  guard let box = layout.layers else { return }
  let list = model.list.rows
  if layout.isBoxed { drawListBox(&frame, model, layout, box, count: list.count) }
  let rows = layout.layerRows
  let spec = LayerColumns(model, width: rows.width)
  if layout.hasColumnTitles { drawColumnTitles(&frame, rows.x, rows.y - 1, spec, model) }
  for place in 0..<layout.visibleRows where layout.firstRow + place < list.count {
    let y = rows.y + place * layout.rowHeight
    switch list[layout.firstRow + place] {
    case .choice(let index, let isInBlock):
      drawLayer(&frame, model, index, isInBlock: isInBlock, rows, y, spec)
    case .head(let head):
      drawGroupHead(&frame, model, GroupHead(model, head), rows, y, spec)
    }
  }
  if layout.legendRows > 0 {
    drawLegend(&frame, model, Rect(rows.x + 1, rows.maxY, rows.width - 2, layout.legendRows))
  }
}

/// The frame of the list: how much there is, how much is settled, and which rows are in sight.
private func drawListBox(
  _ frame: inout Frame,
  _ model: Model,
  _ layout: Layout,
  _ box: Rect,
  count: Int
) {
  let glyphs = model.look.glyphs
  let name = model.choosesBlocks ? "Layers" : "Choices"
  var title: Words = [(name, Style(.title))]
  let settled = model.verdict.map { ", \($0.settled) settled" } ?? ""
  title.append(("\(model.choices.count) searched\(settled)", Style(.muted)))
  if model.theta?.logits.contains(where: { $0.contains(where: \.isNaN) }) ?? false {
    title = [(name, Style(.title)), ("\(glyphs.theta) is not a number", Style(.bad))]
  }
  drawBox(&frame, box, glyphs, title: title)
  let last = layout.firstRow + layout.visibleRows
  guard layout.firstRow > 0 || last < count else { return }
  let range = "\(layout.firstRow + 1)-\(min(last, count))"
  frame.putRight(box.maxX - 2, box.maxY - 1, " \(range) ", Style(.muted))
  if last < count {
    let right = box.maxX - 3 - columns(of: range) - 1
    frame.putRight(right, box.maxY - 1, " \(glyphs.down)", Style(.muted))
  }
  if layout.firstRow > 0 {
    frame.putRight(box.maxX - 2, box.y, " \(glyphs.up) ", Style(.muted))
  }
}

private func drawColumnTitles(
  _ frame: inout Frame,
  _ x: Int,
  _ y: Int,
  _ spec: LayerColumns,
  _ model: Model
) {
  let style = Style(.muted)
  var column = x
  frame.put(column, y, Format.right("#", spec.index), style)
  column += spec.index + 1
  if spec.detail > 0 {
    frame.put(column, y, model.choosesBlocks ? "shape" : "what", style)
    column += spec.detail + 1
  }
  frame.put(
    column,
    y,
    model.choosesBlocks
      ? spec.bar >= 17 ? "block probability" : "probability"
      : spec.bar >= 19 ? "probability or size" : "share",
    style,
    limit: spec.bar
  )
  column += spec.bar + 1
  if spec.name > 0 {
    frame.put(column, y, "leader", style, limit: spec.name)
    column += spec.name + 1
  }
  frame.put(column, y, Format.right("p", spec.percent), style)
  column += spec.percent + 1
  if spec.entropy > 0 {
    frame.put(column, y, "bits", style)
    column += spec.entropy + 1
  }
  if spec.trend > 1 { frame.put(column, y, "trend", style, limit: spec.trend) }
}

private func drawLayer(
  _ frame: inout Frame,
  _ model: Model,
  _ index: Int,
  isInBlock: Bool,
  _ rows: Rect,
  _ y: Int,
  _ spec: LayerColumns
) {
  let glyphs = model.look.glyphs
  let choice = model.choices[index]
  let values = model.probabilities(of: index)
  let leader = model.leader(of: index)
  let share = values.indices.contains(leader) ? Double(values[leader]) : 0
  let isSelected = index == model.selection
  let background: Role = isSelected ? .selectBg : .bg
  if isSelected {
    frame.fill(Rect(rows.x, y, rows.width, 1), Cell(32, Style(.selectFg, on: background)))
    frame.put(rows.x, y, glyphs.selected, Style(.borderFocus, on: background))
  }
  let plain = Style(isSelected ? .selectFg : .fg, on: background)
  let muted = Style(isSelected ? .selectFg : .muted, on: background)
  var x = rows.x
  frame.put(x + 1, y, Format.right(String(index + 1), spec.index - 1), muted)
  // A sign and not a colour alone: a pinned choice looks like a settled one otherwise.
  if model.isPinned(index) {
    frame.put(x + spec.index, y, "=", Style(.pinned, on: background, .bold))
  }
  x += spec.index + 1
  if spec.detail > 0 {
    let text = model.detail(of: index, isInBlock: isInBlock)
    let fitting = spec.abbreviates ? text.replacing("block ", with: "b") : text
    let indent = isInBlock ? LayerColumns.indent : 0
    frame.put(x + indent, y, shortened(fitting, spec.detail - indent), muted)
    x += spec.detail + 1
  }
  let names = choice.options.map { glyphs.plain($0.name) }
  if let sizes = choice.sizes {
    drawSizeBar(
      &frame,
      x,
      y,
      width: spec.bar,
      values,
      sizes: sizes,
      role: choice.look(of: leader).fill,
      background: background,
      look: model.look
    )
  } else {
    drawStackedBar(
      &frame,
      x,
      y,
      width: spec.bar,
      values,
      names: names,
      looks: choice.looks,
      look: model.look
    )
  }
  x += spec.bar + 1
  // A layer that has settled stands out by weight, not by hue alone.
  let strong: Attributes = share >= 0.5 ? .bold : []
  if spec.name > 0 {
    let name = names.indices.contains(leader) ? names[leader] : ""
    frame.put(
      x,
      y,
      clip(leaderText(choice, name, values, width: spec.name, glyphs), to: spec.name),
      Style(plain.foreground, on: background, strong)
    )
    x += spec.name + 1
  }
  let percent = Format.right(Format.percent(share, digits: 0), spec.percent)
  let certainty = choice.options.count > 1 ? share : 1
  frame.put(
    x,
    y,
    percent,
    Style(isSelected ? .selectFg : .ramp(0.25 + 0.75 * certainty), on: background, strong)
  )
  x += spec.percent + 1
  if spec.entropy > 0 {
    let bits = entropyBits(values)
    let most = log2(Double(max(2, choice.options.count)))
    frame.put(
      x,
      y,
      Format.fixed(bits, 2),
      Style(isSelected ? .selectFg : .ramp(1 - bits / most), on: background)
    )
    x += spec.entropy + 1
  }
  guard spec.trend > 0 else { return }
  // Of sizes the expected one over time, of other options the leader's probability.
  let history = model.probabilities.samples.compactMap { sample -> Double? in
    guard sample.values.indices.contains(index),
      sample.values[index].indices.contains(leader)
    else { return nil }
    guard let sizes = choice.sizes, let largest = sizes.last, largest > 0 else {
      return Double(sample.values[index][leader])
    }
    return expectedSize(sample.values[index], sizes) / largest
  }
  if spec.trend == 1 {
    let (mark, role) = trend(history, glyphs)
    frame.put(x, y, mark, Style(isSelected ? .selectFg : role, on: background))
  } else {
    drawSparkline(
      &frame,
      x,
      y,
      history,
      width: spec.trend,
      role: isSelected ? .selectFg : choice.look(of: leader).line,
      background: background,
      glyphs: glyphs
    )
  }
}

/// The leader's name; of sizes the expected one before it, where both fit: `15.2→16`.
func leaderText(
  _ choice: Choice,
  _ name: String,
  _ values: [Float],
  width: Int,
  _ glyphs: GlyphSet
) -> String {
  guard let sizes = choice.sizes else { return name }
  let expected = expectedSize(values, sizes)
  let text = Format.fixed(expected, expected < 99.95 ? 1 : 0) + glyphs.arrow + name
  return columns(of: text) <= width ? text : name
}

/// Where a probability is going: its newest value against that of a tenth of its history ago.
func trend(_ history: [Double], _ glyphs: GlyphSet) -> (mark: String, role: Role) {
  guard let last = history.last, history.count > 1 else { return (glyphs.level, .muted) }
  let before = history[max(0, history.count - 1 - max(1, history.count / 10))]
  if last - before > 0.005 { return (glyphs.rising, .good) }
  if last - before < -0.005 { return (glyphs.falling, .warn) }
  return (glyphs.level, .muted)
}

/// `text` in `width` columns, leading words dropped before anything is cut.
func shortened(_ text: String, _ width: Int) -> String {
  var words = text.split(separator: " ").map(String.init)
  while words.count > 1, columns(of: words.joined(separator: " ")) > width { words.removeFirst() }
  return clip(words.joined(separator: " "), to: width)
}

extension String {
  /// The text with its first letter in upper case.
  var capitalizedFirst: String { prefix(1).uppercased() + dropFirst() }
}
