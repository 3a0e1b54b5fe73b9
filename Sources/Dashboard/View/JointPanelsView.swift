import Foundation
import Runs

/// Titles of the panels of a joint search.
func jointTitle(_ model: Model, _ panel: Panel, width: Int) -> Words {
  let glyphs = model.look.glyphs
  switch panel {
  case .best:
    var words: Words = [("Best so far", Style(.title))]
    if let best = model.bestSoFar.last {
      words.append((Format.percent(best), Style(.good, on: .bg, .bold)))
    }
    if model.result != nil, let chosen = model.bestText { words.append((chosen, Style(.good))) }
    if let blind = model.blindAccuracy {
      let dash = glyphs.isASCII ? "-" : "╌"
      let name = width >= 44 ? "picked blindly" : "blindly"
      words.append(("\(dash) \(name) \(Format.percent(blind))", Style(.warn)))
    }
    return words
  case .scatter:
    var words: Words = [(width >= 44 ? "Predicted against true" : "Predicted", Style(.title))]
    if let held = model.joint?.held.last {
      words.append(("rank \(Format.fixed(held.spearman, 2)) unseen", Style(.seriesA)))
    }
    return words
  case .front:
    return [("Accuracy against FLOPs", Style(.title))]
  case .stage:
    if let last = model.joint?.generations.last {
      return [
        ("Fine stage", Style(.title)),
        ("generation \(last.number)", Style(.muted)),
        ("best \(Format.percent(last.best))", Style(.seriesB)),
        ("m mean \(Format.percent(last.mean))", Style(.muted)),
      ]
    }
    var words: Words = [("Early ranks", Style(.title))]
    if let stop = model.joint?.stopEpoch, let all = model.summary?.epochs {
      words.append(("stop after \(stop) of \(all)", Style(.fg)))
    }
    // The letters at the ends of the curves.
    if model.joint?.earlyRanks != nil {
      words.append(("a all", Style(.seriesB)))
      if model.joint?.earlyRanks?.bestQuarter != nil {
        words.append(("q best quarter", Style(.seriesA)))
      }
      words.append(("s loss sums", Style(.seriesC)))
    }
    return words
  default:
    return [
      ("Recipes", Style(.title)), ("a line a candidate, the best quarter bright", Style(.muted)),
    ]
  }
}

func drawJointPanel(_ frame: inout Frame, _ model: Model, _ panel: Panel, _ rect: Rect) {
  let glyphs = model.look.glyphs
  switch panel {
  case .best: bestChart(model).draw(&frame, rect, glyphs)
  case .scatter: drawScatter(&frame, model, rect)
  case .front: drawFront(&frame, model, rect)
  case .stage: stageChart(model).draw(&frame, rect, glyphs)
  default: drawAxes(&frame, model, rect)
  }
}

// MARK: Best so far

/// Values over their numbers, counted from 1.
func buckets(_ values: [Double]) -> [Series.Bucket] {
  values.enumerated().map { .point(Double($0.offset + 1), $0.element) }
}

/// Best accuracy against trainings spent, and what a blind pick is worth.
private func bestChart(_ model: Model) -> Chart {
  var chart = Chart()
  chart.curves = [.init(buckets: buckets(model.bestSoFar), role: .seriesB)]
  chart.level = model.blindAccuracy.map { .init(value: $0, role: .warn) }
  chart.limits = 0...1
  chart.format = { Format.percent($0) }
  chart.x = 1...Double(max(2, model.status?.totalSteps ?? 2))
  chart.xLabels = ("1", "\(model.status?.totalSteps ?? 0) trainings")
  chart.empty = "no candidate is trained yet"
  return chart
}

// MARK: Predicted against true

/// A mark for each candidate that was predicted and trained; on the diagonal it was right.
private func drawScatter(_ frame: inout Frame, _ model: Model, _ rect: Rect) {
  let points = model.trials.compactMap { trial -> (Double, Double, TrialRecord.Stage)? in
    guard let predicted = trial.predicted, let value = model.value(of: trial) else { return nil }
    return (predicted, value, trial.stage)
  }
  guard !points.isEmpty, rect.height >= 2, rect.width >= 12 else {
    let text = model.trials.isEmpty ? "nothing is predicted yet" : "predictions begin in round 2"
    frame.putCentred(rect, rect.y + (rect.height - 1) / 2, text, Style(.muted))
    return
  }
  let all = points.flatMap { [$0.0, $0.1] }
  let range = ParetoChart.range(all, within: 0...1)
  let glyphs = model.look.glyphs
  let label = rect.width >= 24 ? 7 : 0
  let plot = Rect(
    rect.x + label,
    rect.y,
    rect.width - label,
    rect.height - (rect.height >= 6 ? 1 : 0)
  )
  var canvas = DotCanvas(width: plot.width, height: plot.height, glyphs: glyphs)
  func share(_ value: Double) -> Double {
    (value - range.lowerBound) / max(range.upperBound - range.lowerBound, 1e-9)
  }
  canvas.line(0, canvas.dotHeight - 1, canvas.dotWidth - 1, 0, .faint, rank: 1)
  canvas.draw(&frame, plot.x, plot.y)
  for (predicted, value, stage) in points {
    let column = Int(near: (share(predicted) * Double(plot.width)).rounded(.down))
    let row = Int(near: ((1 - share(value)) * Double(plot.height)).rounded(.down))
    let x = plot.x + min(plot.width - 1, max(0, column))
    let y = plot.y + min(plot.height - 1, max(0, row))
    let role: Role = stage == .coarse ? .seriesA : .seriesC
    frame[x, y] = Cell(glyphs.pointMark, Style(role, on: .bg, .bold))
  }
  if label > 0 {
    frame.putRight(plot.x - 1, plot.y, Format.percent(range.upperBound), Style(.muted))
    frame.putRight(
      plot.x - 1,
      plot.maxY - 1,
      Format.percent(range.lowerBound),
      Style(.muted)
    )
  }
  if plot.height < rect.height {
    frame.put(plot.x, rect.maxY - 1, "predicted", Style(.muted), limit: plot.width)
    frame.putRight(plot.maxX, rect.maxY - 1, "true, upwards", Style(.muted), limit: plot.width - 10)
  }
}

// MARK: Front

/// Candidates by FLOPs and accuracy, with the front of those that no other beats in both.
private func drawFront(_ frame: inout Frame, _ model: Model, _ rect: Rect) {
  let glyphs = model.look.glyphs
  let points = model.trials.filter { $0.state == .finished }.map { trial in
    ParetoChart.Point(
      mark: glyphs.isASCII
        ? (trial.stage == .coarse ? "." : "o") : (trial.stage == .coarse ? "•" : "◆"),
      name: "\(trial.number)",
      cost: trial.flops,
      accuracy: trial.accuracies.last ?? 0
    )
  }
  guard !points.isEmpty, rect.height >= 5, rect.width >= 20 else {
    let text = points.isEmpty ? "no candidate is trained yet" : "more room is needed"
    frame.putCentred(rect, rect.y + (rect.height - 1) / 2, text, Style(.muted))
    return
  }
  ParetoChart(points: points, metric: .flops).draw(&frame, rect, glyphs)
}

// MARK: Stages

/// Before the fine stage how well early results rank, then the generations.
private func stageChart(_ model: Model) -> Chart {
  var chart = Chart()
  if let generations = model.joint?.generations, !generations.isEmpty {
    chart.curves = [
      .init(buckets: buckets(generations.map(\.mean)), role: .muted, tag: 109),
      .init(buckets: buckets(generations.map(\.best)), role: .seriesB, tag: 98),
    ]
    chart.format = { Format.percent($0) }
    chart.xLabels = ("generation 1", "\(generations.count)")
    return chart
  }
  chart.empty = "the first round fixes the early stop"
  guard let ranks = model.joint?.earlyRanks else { return chart }
  chart.curves = [
    .init(buckets: buckets(ranks.lossSum), role: .seriesC, tag: 115),
    .init(buckets: buckets(ranks.bestQuarter ?? []), role: .seriesA, tag: 113),
    .init(buckets: buckets(ranks.accuracy), role: .seriesB, tag: 97),
  ].filter { !$0.buckets.isEmpty }
  chart.limits = -1...1
  chart.format = { Format.fixed($0, 2) }
  chart.xLabels = ("epoch 1", "\(ranks.accuracy.count)")
  return chart
}

// MARK: Recipes

/// The recipe's axes as parallel coordinates: a line for each candidate from option to option,
/// those of the best quarter over the others.
private func drawAxes(_ frame: inout Frame, _ model: Model, _ rect: Rect) {
  let axes = model.recipeAxes
  let glyphs = model.look.glyphs
  let finished = model.trials.filter { $0.state == .finished }
  guard axes.count >= 2, rect.height >= 4, rect.width >= 8 * axes.count, !finished.isEmpty else {
    let text =
      axes.count < 2
      ? "the recipe is fixed"
      : finished.isEmpty ? "no candidate is trained yet" : "more room is needed"
    frame.putCentred(rect, rect.y + (rect.height - 1) / 2, text, Style(.muted))
    return
  }
  // The names of the options stand right of each axis, the axis' own under it.
  let step = rect.width / axes.count
  let plot = Rect(rect.x, rect.y, rect.width, rect.height - 1)
  var canvas = DotCanvas(width: plot.width, height: plot.height, glyphs: glyphs)
  func x(_ axis: Int) -> Int { (axis * step + 1) * canvas.across }
  func y(_ axis: Int, _ option: Int) -> Int {
    let count = model.choices[axes[axis]].options.count
    let share = count > 1 ? Double(option) / Double(count - 1) : 0.5
    return Int(near: (1 - share) * Double(canvas.dotHeight - 1))
  }
  let sorted = finished.sorted { ($0.accuracies.last ?? 0) < ($1.accuracies.last ?? 0) }
  let best = sorted.count - max(1, sorted.count / 4)
  func draw(_ trial: TrialRecord, _ role: Role, rank: UInt8) {
    for axis in 0..<(axes.count - 1) {
      canvas.line(
        x(axis),
        y(axis, trial.options[axes[axis]]),
        x(axis + 1),
        y(axis + 1, trial.options[axes[axis + 1]]),
        role,
        rank: rank
      )
    }
  }
  for trial in sorted[..<best] { draw(trial, .faint, rank: 1) }
  for trial in sorted[best...] { draw(trial, .seriesB, rank: 3) }
  if let chosen = model.candidate { draw(chosen, .seriesC, rank: 5) }
  canvas.draw(&frame, plot.x, plot.y)
  for (axis, choice) in axes.enumerated() {
    let options = model.choices[choice].options
    for (option, item) in options.enumerated() {
      let row = plot.y + y(axis, option) / canvas.down
      let column = plot.x + axis * step
      frame[column + 1, row] = Cell(glyphs.pointMark, Style(.muted))
      let shows = options.count <= plot.height || option == 0 || option == options.count - 1
      if shows { frame.put(column + 2, row, clip(item.name, to: min(7, step - 3)), Style(.muted)) }
    }
    frame.put(
      plot.x + axis * step,
      rect.maxY - 1,
      clip(model.choices[choice].name(within: step - 1), to: step - 1),
      Style(.title)
    )
  }
}
