import Foundation
import Runs

/// A candidate of a joint search: its choices, which may be changed into a new one, and its curve.
func drawCandidate(_ frame: inout Frame, _ model: Model, _ body: Rect, isBoxed: Bool) {
  guard let trial = model.candidate else { return }
  let glyphs = model.look.glyphs
  let left = isBoxed ? body.width * 45 / 100 : body.width / 2
  let box = Rect(body.x, body.y, left, body.height)
  var title: Words = [("Candidate \(trial.number)", Style(.title))]
  title.append(
    model.draft == nil
      ? (trial.state.rawValue, Style(trial.state == .failed ? .bad : .muted))
      : ("changed: a trains it", Style(.pinned))
  )
  drawBox(&frame, box, glyphs, title: title)
  let inside = Rect(box.x + 2, box.y + 1, box.width - 4, box.height - 2)
  let first = drawOptions(&frame, model, trial, inside)
  if model.choices.count > inside.height {
    let last = min(model.choices.count, first + inside.height)
    let text = " \(first + 1)-\(last) of \(model.choices.count) "
    frame.putRight(box.maxX - 2, box.maxY - 1, text, Style(.muted))
  }
  let right = Rect(body.x + left, body.y, body.width - left, body.height)
  let facts = factLines(model, trial, width: right.width - 15)
  let chartHeight = max(5, right.height - facts.count - 2)
  let chartBox = Rect(right.x, right.y, right.width, chartHeight)
  drawBox(
    &frame,
    chartBox,
    glyphs,
    title: [
      ("Learning", Style(.title)),
      (
        "\(glyphs.line) accuracy \(trial.accuracies.last.map { Format.percent($0) } ?? "")",
        Style(.seriesB)
      ),
    ]
  )
  curveChart(model, trial).draw(
    &frame,
    Rect(chartBox.x + 2, chartBox.y + 1, chartBox.width - 4, chartBox.height - 2),
    glyphs
  )
  let factBox = Rect(right.x, chartBox.maxY - 1, right.width, right.height - chartHeight + 1)
  guard factBox.height >= 3 else { return }
  drawBox(&frame, factBox, glyphs, title: [("Facts", Style(.title))], continues: true)
  for (row, fact) in facts.prefix(factBox.height - 2).enumerated() {
    let y = factBox.y + 1 + row
    frame.put(factBox.x + 2, y, fact.0, Style(.muted), limit: 10)
    frame.put(factBox.x + 13, y, clip(glyphs.plain(fact.1), to: factBox.width - 15), Style(fact.2))
  }
}

/// The choices and the options that the candidate takes; what was changed stands out.
///
/// Returns the first choice that is in sight.
private func drawOptions(
  _ frame: inout Frame,
  _ model: Model,
  _ trial: TrialRecord,
  _ rect: Rect
) -> Int {
  let glyphs = model.look.glyphs
  let options = model.drafted
  guard options.count == model.choices.count else { return 0 }
  let last = max(0, options.count - rect.height)
  let first = min(last, max(0, model.draftRow - rect.height / 2))
  let nameWidth = min(24, rect.width * 6 / 10)
  for (row, index) in (first..<min(options.count, first + rect.height)).enumerated() {
    let choice = model.choices[index]
    let y = rect.y + row
    let isChosen = index == model.draftRow
    let isChanged = options[index] != trial.options[index]
    let background: Role = isChosen ? .selectBg : .bg
    if isChosen {
      frame.fill(Rect(rect.x, y, rect.width, 1), Cell(32, Style(.selectFg, on: .selectBg)))
    }
    let role: Role = isChosen ? .selectFg : .muted
    frame.put(
      rect.x,
      y,
      clip(glyphs.plain(choice.name(within: nameWidth)), to: nameWidth),
      Style(role, on: background)
    )
    let name = choice.options[options[index]].name
    let x = frame.put(
      rect.x + nameWidth + 1,
      y,
      clip(name, to: 9),
      Style(isChanged ? .pinned : isChosen ? .selectFg : .fg, on: background, .bold)
    )
    // Where the option stands among the others.
    let scale = Rect(rect.x + nameWidth + 11, y, rect.maxX - rect.x - nameWidth - 11, 1)
    guard scale.width >= choice.options.count, scale.x > x else { continue }
    for option in choice.options.indices {
      let isTaken = option == options[index]
      frame[scale.x + option, y] = Cell(
        isTaken ? glyphs.pointMark : glyphs.isASCII ? 46 : 0xb7,
        Style(isTaken ? .seriesB : role, on: background)
      )
    }
  }
  return first
}

private func factLines(
  _ model: Model,
  _ trial: TrialRecord,
  width: Int
) -> [(String, String, Role)] {
  func percent(_ value: Double?) -> String { value.map { Format.percent($0) } ?? "not known" }
  var lines: [(String, String, Role)] = [
    ("FLOPs", "\(Format.grouped(trial.flops)) of one image", .fg),
    ("params", Format.grouped(trial.params), .fg),
  ]
  if let latency = trial.latency { lines.append(("latency", Format.milliseconds(latency), .fg)) }
  for (index, line) in wrapped(trial.recipe.summary, to: width).enumerated() {
    lines.append((index == 0 ? "recipe" : "", line, .fg))
  }
  lines += [
    (
      "predicted",
      percent(trial.predicted) + (trial.spread.map { " ± \(Format.percent($0))" } ?? ""), .fg
    )
  ]
  if trial.state == .finished {
    let epoch = min(model.decidingEpochs, trial.accuracies.count)
    lines.append(("epoch \(epoch)", percent(model.value(of: trial)), .seriesB))
    lines.append(("test", percent(trial.top1) + ", which decides nothing", .muted))
  }
  if !trial.message.isEmpty { lines.append(("failed", trial.message, .bad)) }
  if !trial.run.isEmpty { lines.append(("run", trial.run, .muted)) }
  return lines
}

private func curveChart(_ model: Model, _ trial: TrialRecord) -> Chart {
  var chart = Chart()
  let best = model.bestCandidate.flatMap { $0.number == trial.number ? nil : $0 }
  chart.curves =
    (best.map { [.init(buckets: buckets($0.accuracies), role: .muted)] } ?? [])
    + [.init(buckets: buckets(trial.accuracies), role: .seriesB)]
  chart.x = 1...Double(max(2, model.summary?.epochs ?? 2))
  chart.limits = 0...1
  chart.format = { Format.percent($0, digits: 0) }
  chart.xLabels = ("epoch 1", "\(model.summary?.epochs ?? 0)")
  chart.empty = "not trained yet"
  return chart
}

/// What a joint search came to; stays until it is closed.
func drawJointResult(_ frame: inout Frame, _ model: Model, _ layout: Layout) {
  guard case .joint(let result) = model.result else { return }
  let glyphs = model.look.glyphs
  var lines: [(String, Role)] = [
    (
      "validation accuracy \(Format.percent(result.validationAccuracy)) \(glyphs.dot) "
        + "test images \(Format.percent(result.testAccuracy))", .good
    ),
    (
      "candidate \(result.candidate) of \(result.trainedCandidates) \(glyphs.dot) "
        + "\(Format.count(result.flops)) FLOPs \(glyphs.dot) \(Format.count(result.params)) params"
        + (result.latency.map { " \(glyphs.dot) \(Format.milliseconds($0))" } ?? ""),
      .fg
    ),
    (
      "picked blindly \(Format.percent(result.sampledMean)) on average, "
        + "deviation \(Format.percent(result.sampledDeviation))", .muted
    ),
  ]
  if let rank = result.predictorRankCorrelation {
    lines.append(
      ("the predictor ranks unseen candidates by \(Format.fixed(rank, 2)) (Spearman)", .muted)
    )
  }
  let width = min(78, layout.size.width)
  lines.append(("", .fg))
  lines += wrapped("recipe: " + result.recipe.summary, to: width - 6).map { ($0, Role.fg) }
  let blocks = result.architecture.map { "\($0.choice)=\($0.option)" }.joined(separator: " ")
  lines += wrapped(blocks, to: width - 6).map { ($0, Role.muted) }
  lines.append(("saved in exports: network.safetensors, network.json, recipe.yaml", .fg))
  let box = layout.dialog(width: width, height: lines.count + 4)
  let inside = drawDialog(&frame, box, glyphs, "\(glyphs.check) The search is done", role: .good)
  for (row, line) in lines.prefix(max(0, inside.height - 1)).enumerated() {
    frame.put(inside.x, inside.y + row, clip(glyphs.plain(line.0), to: inside.width), Style(line.1))
  }
  if inside.height >= 3 {
    frame.putRight(
      inside.maxX,
      inside.maxY - 1,
      clip("Esc looks around  q leaves", to: inside.width),
      Style(.muted)
    )
  }
}
