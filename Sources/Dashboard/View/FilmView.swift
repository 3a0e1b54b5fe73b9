import Foundation
import Runs

/// Where the film has which choice and which moment: choices down, time across.
struct FilmGrid {
  /// Cells of the film itself.
  let cells: Rect
  /// Row of the marks above it.
  let top: Int
  /// Columns of the names on the left.
  let names: Int
  /// Columns of the leaders on the right.
  let leaders: Int
  /// Rows of a choice.
  let rowHeight: Int
  /// Choices in sight, from the first.
  let choices: Range<Int>
  /// The part of the axis of epochs that is across.
  let epochs: ClosedRange<Double>
  private let spans: EpochSpans

  init(_ model: Model, _ rect: Rect) {
    let longest = model.choices.flatMap(\.options).map { columns(of: $0.name) }.max() ?? 4
    let names = model.choices.map { columns(of: $0.name) }.max() ?? 4
    let most = max(16, rect.width / 5)
    self.names = rect.width >= 60 ? min(most, names) + 1 : rect.width >= 24 ? 4 : 0
    leaders = rect.width >= 44 ? min(10, longest) + 6 : 0
    let hasMarks = rect.height >= 3
    top = rect.y
    let rows = rect.height - (hasMarks ? 2 : 0)
    let count = max(1, model.choices.count)
    rowHeight = max(1, min(3, rows / count))
    let shown = max(0, min(model.choices.count, rows / rowHeight))
    cells = Rect(
      rect.x + self.names,
      rect.y + (hasMarks ? 1 : 0),
      rect.width - self.names - leaders,
      shown * rowHeight
    )
    let latest = max(0, model.choices.count - shown)
    let first = min(latest, max(0, model.selection - shown / 2))
    choices = first..<first + shown
    let last = model.future?.position ?? model.position
    let all = 0...max(last, 1e-3)
    epochs = model.window(of: all) ?? all
    spans = model.spans
  }

  /// The moment at the right edge of a column.
  func epoch(ofColumn column: Int) -> Double {
    let share = Double(column + 1) / Double(max(1, cells.width))
    return epochs.lowerBound + share * (epochs.upperBound - epochs.lowerBound)
  }

  /// The column of a moment; nil where it is out of sight.
  func column(of epoch: Double) -> Int? {
    guard epochs.contains(epoch), cells.width > 0 else { return nil }
    let share = (epoch - epochs.lowerBound) / (epochs.upperBound - epochs.lowerBound)
    return min(cells.width - 1, Int(near: (share * Double(cells.width)).rounded(.down)))
  }

  /// The step of the moment at a column of the screen; nil beside the film.
  func step(at x: Int) -> Int? {
    guard x >= cells.x, x < cells.maxX else { return nil }
    return spans.step(at: epoch(ofColumn: x - cells.x))
  }
}

/// What the film shows, and how many choices are settled.
func filmTitle(_ model: Model, width: Int) -> Words {
  let shade =
    switch model.film {
    case .entropy: "how decided"
    case .leader: "p of the leader"
    case .skip: "p of skip"
    }
  var words: Words = [("Film", Style(.title)), (shade, Style(.seriesA))]
  if width >= 56 { words.append(("a letter: a new leader", Style(.muted))) }
  return words
}

/// Every choice over time: the shade says how decided it was, a letter which option took the lead.
func drawFilm(_ frame: inout Frame, _ model: Model, _ rect: Rect) {
  let grid = FilmGrid(model, rect)
  let glyphs = model.look.glyphs
  guard grid.cells.width > 0, grid.cells.height > 0 else { return }
  var whole = model
  if let future = model.future { whole.probabilities = future.probabilities }
  guard !whole.probabilities.samples.isEmpty else {
    frame.putCentred(
      rect,
      rect.y + rect.height / 2,
      glyphs.plain("θ has not moved yet"),
      Style(.muted)
    )
    return
  }
  let samples = (0..<grid.cells.width).map {
    whole.probabilities.sample(at: grid.epoch(ofColumn: $0))
  }
  let cursor = model.cursor.flatMap { grid.column(of: model.spans.epochs(at: $0)) }
  for (row, index) in grid.choices.enumerated() {
    let y = grid.cells.y + row * grid.rowHeight
    drawFilmRow(&frame, model, grid, index, y, samples, cursor)
  }
  // Else the first epochs would look like lost ones.
  if model.summary?.warmupEpochs ?? 0 > 0, let blank = samples.firstIndex(where: { $0 != nil }),
    blank > 8, grid.epochs.lowerBound == 0
  {
    let y = grid.cells.y + grid.cells.height / 2
    frame.putCentred(Rect(grid.cells.x, y, blank, 1), y, "warm-up", Style(.muted))
  }
  guard rect.height >= 3 else { return }
  for mark in model.marks {
    guard let column = grid.column(of: mark) else { continue }
    frame[grid.cells.x + column, grid.top] = Cell(glyphs.mark, Style(.pinned))
  }
  if let cursor {
    frame.put(grid.cells.x + cursor, grid.top, glyphs.down, Style(.pinned, on: .bg, .bold))
  }
  let y = min(rect.maxY - 1, grid.cells.maxY)
  let first = model.axisText(grid.epochs.lowerBound)
  frame.put(grid.cells.x, y, clip(first, to: grid.cells.width / 2), Style(.muted))
  let last = model.axisText(grid.epochs.upperBound)
  frame.putRight(grid.cells.maxX, y, last, Style(.muted), limit: grid.cells.width / 2)
}

private func drawFilmRow(
  _ frame: inout Frame,
  _ model: Model,
  _ grid: FilmGrid,
  _ index: Int,
  _ y: Int,
  _ samples: [ProbabilityHistory.Sample?],
  _ cursor: Int?
) {
  let choice = model.choices[index]
  let look = model.look
  let isSelected = index == model.selection
  if grid.names > 0 {
    let name =
      grid.names > 4 ? look.glyphs.plain(choice.name(within: grid.names - 1)) : "\(index + 1)"
    let style = Style(isSelected ? .title : .muted, on: .bg, isSelected ? .bold : [])
    frame.put(grid.cells.x - grid.names, y, clip(name, to: grid.names - 1), style)
  }
  let shown = model.leader(of: index)
  let skip = choice.options.firstIndex { $0.name == "skip" }
  var before: Int?
  for (column, sample) in samples.enumerated() {
    guard let values = sample?.values, values.indices.contains(index),
      values[index].count == choice.options.count
    else { continue }
    let leader = mostProbable(values[index])
    let share = shade(model.film, values[index], shown: shown, skip: skip)
    let isNew = before != nil && before != leader
    before = leader
    var cell = filmCell(share, look)
    if column == cursor { cell.style.attributes.insert(.reverse) }
    for row in 0..<grid.rowHeight { frame[grid.cells.x + column, y + row] = cell }
    if isNew {
      cell.scalar = optionKey(leader)
      frame[grid.cells.x + column, y] = cell
    }
  }
  guard grid.leaders > 0, choice.options.indices.contains(shown) else { return }
  let values = model.probabilities(of: index)
  let name = look.glyphs.plain(choice.options[shown].name)
  let percent = Format.right(Format.percent(Double(values[shown]), digits: 0), 4)
  let style = Style(isSelected ? .title : .fg, on: .bg, values[shown] >= 0.5 ? .bold : [])
  frame.put(grid.cells.maxX + 1, y, clip(name, to: grid.leaders - 6), style)
  frame.putRight(grid.cells.maxX + grid.leaders, y, percent, style)
}

/// What the shade of a cell stands for, 0…1.
private func shade(_ film: FilmShade, _ values: [Float], shown: Int, skip: Int?) -> Double {
  switch film {
  case .entropy:
    1 - entropyShare(values)
  case .leader: values.indices.contains(shown) ? Double(values[shown]) : 0
  case .skip: skip.map { Double(values[$0]) } ?? 0
  }
}

/// A share as a ground of colour, or without colours as the density of a character.
private func filmCell(_ share: Double, _ look: Model.Look) -> Cell {
  // Eight colours are too few for a ramp.
  guard look.hasColour, look.depth >= .palette else {
    let shades = look.glyphs.shades
    let step = Int(near: (share * Double(shades.count)).rounded(.down))
    return Cell(shades[min(shades.count - 1, max(0, step))], Style(.fg))
  }
  return Cell(32, Style(.optionText, on: .scale(share)))
}
