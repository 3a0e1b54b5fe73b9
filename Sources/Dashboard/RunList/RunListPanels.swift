import Foundation
import Runs

/// What is known of the chosen run, and in what it differs from the others.
func drawDetails(_ frame: inout Frame, _ model: RunListModel, _ rect: Rect) {
  let glyphs = model.look.glyphs
  guard let run = model.chosen else {
    drawBox(&frame, rect, glyphs, title: [("Run", Style(.title))])
    return
  }
  drawBox(
    &frame,
    rect,
    glyphs,
    title: [
      (glyphs.plain(run.name), Style(.title)),
      (run.state.rawValue, Style(run.state.badge(glyphs).role)),
    ]
  )
  let inside = Rect(rect.x + 2, rect.y + 1, rect.width - 4, rect.height - 2)
  let facts = detailLines(run, model)
  let width = (facts.map { columns(of: $0.key) }.max() ?? 0) + 2
  for (row, fact) in facts.prefix(inside.height).enumerated() {
    if row == inside.height - 1, facts.count > inside.height {
      let text = "and \(facts.count - row) more"
      frame.put(inside.x, inside.y + row, text, Style(.muted), limit: inside.width)
      return
    }
    let y = inside.y + row
    frame.put(inside.x, y, glyphs.plain(fact.key), Style(.muted), limit: inside.width)
    let text = clip(glyphs.plain(fact.text), to: inside.width - width)
    frame.put(inside.x + width, y, text, Style(fact.role))
  }
}

private typealias Fact = (key: String, text: String, role: Role)

private func detailLines(_ run: RunOverview, _ model: RunListModel) -> [Fact] {
  if let problem = run.problem, run.state == .unreadable { return [("problem", problem, .bad)] }
  var facts: [Fact] = []
  func add(_ key: String, _ text: String?, _ role: Role = .fg) {
    if let text, !text.isEmpty { facts.append((key, text, role)) }
  }
  let dot = model.look.glyphs.dot
  add("kind", [run.kind?.rawValue ?? "", run.preset, run.data].joined(separator: " \(dot) "))
  add("problem", run.problem, .bad)
  if let status = run.status, status.epochs > 0 {
    let epoch = "epoch \(min(status.epoch + 1, status.epochs)) of \(status.epochs)"
    add("progress", "\(epoch) \(dot) step \(status.step) of \(status.totalSteps)")
    if let left = status.etaSeconds, run.isLive { add("left", Format.duration(left)) }
  }
  if let last = run.points.last {
    let loss = last.loss.map { " \(dot) loss \(Format.number($0))" } ?? ""
    add("validation", Format.percent(last.accuracy) + loss)
  }
  add("test", run.testAccuracy.map { Format.percent($0) })
  add("cost", run.cost.map(run.metric.shortText))
  if let begun = run.begun, model.now > 0 {
    add("begun", Format.duration(max(0, model.now - begun)) + " ago")
  }
  let step = run.parentStep.map { " at step \($0)" } ?? ""
  add("from", run.parent.map { $0 + step })
  for key in model.differing { add(key, run.text(of: key), .key) }
  return facts
}

/// Validation accuracy or loss of the marked runs over their epochs; of the chosen one while none
/// is marked.
func drawOverlaidChart(_ frame: inout Frame, _ model: RunListModel, _ rect: Rect) {
  let glyphs = model.look.glyphs
  let isLoss = model.curve == .loss
  let runs = model.charted
  var title: Words = [
    (isLoss ? "Validation loss" : "Validation accuracy", Style(.title))
  ]
  for run in runs {
    let tag = String(Unicode.Scalar(model.tag(of: run)) ?? "?")
    title.append(("\(tag) \(glyphs.plain(run.name))", Style(model.role(of: run))))
  }
  drawBox(&frame, rect, glyphs, title: title)
  var chart = Chart()
  chart.curves = runs.map { run in
    Chart.Curve(
      buckets: run.points.compactMap { point -> Series.Bucket? in
        let y = isLoss ? point.loss : point.accuracy
        return y.flatMap { $0.isFinite ? .point(point.x, $0) : nil }
      },
      role: model.role(of: run),
      tag: model.tag(of: run)
    )
  }
  let most = chart.curves.compactMap { $0.buckets.last?.end }.max() ?? 1
  chart.x = min(1, most)...max(most, 1)
  if !isLoss { chart.format = { Format.percent($0) } }
  chart.limits = isLoss ? 0 ... .infinity : 0...1
  chart.xLabels = ("1", Format.epoch(most))
  let isJoint = !runs.isEmpty && runs.allSatisfy { $0.kind == .joint }
  chart.empty =
    isLoss && isJoint ? "a joint search has no loss of its own" : "no epoch has ended yet"
  chart.draw(&frame, Rect(rect.x + 2, rect.y + 1, rect.width - 4, rect.height - 2), glyphs)
}
