import Foundation
import Runs

/// The list of a joint search's candidates.
func drawCandidates(_ frame: inout Frame, _ model: Model, _ layout: Layout) {
  guard let box = layout.layers else { return }
  let glyphs = model.look.glyphs
  let order = model.candidates
  if layout.isBoxed {
    let done = model.trials.count { $0.isSettled }
    var title: Words = [("Candidates", Style(.title))]
    title.append(("\(done) of \(model.status?.totalSteps ?? model.trials.count)", Style(.muted)))
    let failed = model.trials.count { $0.state == .failed }
    if failed > 0 { title.append(("\(failed) failed", Style(.warn))) }
    title.append((model.ranksCandidates ? "the best first" : "by number", Style(.muted)))
    drawBox(&frame, box, glyphs, title: title)
  }
  let rows = layout.layerRows
  let places = places(rows.width)
  let all = model.trials.flatMap { $0.accuracies.filter(\.isFinite) }
  let low = all.min() ?? 0
  let range = low...max(all.max() ?? 1, low + 1e-9)
  if layout.hasColumnTitles {
    drawRow(&frame, rows.x, rows.y - 1, rows.width, places, columnTitles, Style(.muted))
  }
  let last = min(order.count, layout.firstRow + layout.visibleRows)
  for place in layout.firstRow..<max(layout.firstRow, last) {
    let trial = model.trials[order[place]]
    let y = rows.y + place - layout.firstRow
    let isChosen = order[place] == model.selection
    if isChosen {
      frame.fill(Rect(rows.x, y, rows.width, 1), Cell(32, Style(.selectFg, on: .selectBg)))
    }
    let role: Role =
      switch trial.state {
      case .running: .seriesA
      case .finished: .fg
      case .waiting: .muted
      case .stopped: .warn
      case .failed: .bad
      }
    let style = isChosen ? Style(.selectFg, on: .selectBg) : Style(role)
    drawRow(&frame, rows.x, y, rows.width, places, cells(trial, model), style)
    if let start = places.first(where: { $0.column == 8 })?.x {
      drawCurve(&frame, model, trial, rows.x + start, y, range, isChosen)
    }
  }
  if order.count > layout.visibleRows, layout.isBoxed {
    let text = " \(layout.firstRow + 1)-\(last) of \(order.count) "
    frame.putRight(box.maxX - 2, box.maxY - 1, text, Style(.muted))
  }
}

/// Widths of the columns, and their titles.
private let columnTitles = [
  "#", "stage", "", "val", "predicted", "FLOPs", "params", "px", "curve", "recipe",
]
private let columnWidths = [4, 6, 2, 6, 9, 6, 6, 3, 8]
/// Columns in the order in which they are left out where there is little room: spread over many
/// screens people miss the prediction last.
private let dropped = [7, 6, 8, 1, 5, 4]

/// The columns that fit, with where they begin; the recipe takes what is left.
private func places(_ width: Int) -> [(column: Int, x: Int)] {
  var kept = Array(columnWidths.indices)
  for column in dropped {
    guard kept.reduce(1, { $0 + columnWidths[$1] + 1 }) > width else { break }
    kept.removeAll { $0 == column }
  }
  var x = 1
  var places: [(Int, Int)] = []
  for column in kept {
    places.append((column, x))
    x += columnWidths[column] + 1
  }
  if width - x >= 12 { places.append((columnWidths.count, x)) }
  return places
}

private func cells(_ trial: TrialRecord, _ model: Model) -> [String] {
  let glyphs = model.look.glyphs
  let mark =
    switch trial.state {
    case .waiting: glyphs.waiting
    case .running: glyphs.running
    case .finished: glyphs.check
    case .stopped: glyphs.paused
    case .failed: glyphs.cross
    }
  let predicted = trial.predicted.map { value in
    Format.percent(value) + (trial.spread.map { "±\(Int(near: $0 * 100))" } ?? "")
  }
  return [
    "\(trial.number)", trial.stage == .coarse ? "rd \(trial.round + 1)" : trial.stage.rawValue,
    mark, trial.accuracies.last.map { Format.percent($0) } ?? "", predicted ?? "",
    Format.count(trial.flops), Format.count(trial.params), "\(trial.resolution)", "",
    trial.state == .failed ? trial.message : trial.recipe.summary,
  ].map(glyphs.plain)
}

private func drawRow(
  _ frame: inout Frame,
  _ x: Int,
  _ y: Int,
  _ width: Int,
  _ places: [(column: Int, x: Int)],
  _ cells: [String],
  _ style: Style
) {
  for (column, start) in places {
    guard column < columnWidths.count else {
      frame.put(x + start, y, clip(cells[column], to: width - start), style)
      continue
    }
    let text = clip(cells[column], to: columnWidths[column])
    switch column {
    case 1, 2, 8: frame.put(x + start, y, text, style)
    default: frame.putRight(x + start + columnWidths[column], y, text, style)
    }
  }
}

/// Accuracy over the epochs as heights of one row; `range` is that of all candidates.
private func drawCurve(
  _ frame: inout Frame,
  _ model: Model,
  _ trial: TrialRecord,
  _ x: Int,
  _ y: Int,
  _ range: ClosedRange<Double>,
  _ isChosen: Bool
) {
  guard !trial.accuracies.isEmpty else { return }
  let epochs = max(1, model.summary?.epochs ?? 1)
  let width = max(1, columnWidths[8] * trial.accuracies.count / epochs)
  drawSparkline(
    &frame,
    x,
    y,
    trial.accuracies,
    width: min(columnWidths[8], width),
    role: trial.state == .running ? .seriesA : .seriesB,
    background: isChosen ? .selectBg : .bg,
    range: range,
    glyphs: model.look.glyphs
  )
}
