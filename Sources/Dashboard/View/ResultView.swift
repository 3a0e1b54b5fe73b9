import Foundation
import Runs

/// What else there is to say of a result: the test images, the verdict in lines that fit, random
/// sampling.
private func resultRemarks(_ model: Model) -> [(String, Role)] {
  var remarks: [(String, Role)] = []
  if let share = model.testAccuracy.map({ Format.percent($0) }) {
    remarks.append(("test images: the chosen network alone \(share)", .fg))
  }
  if let verdict = model.found?.verdict {
    let role: Role = model.isSettled ? .muted : .warn
    // The figures, and what to change.
    let parts = verdict.split(separator: ": ", maxSplits: 1).map(String.init)
    remarks += parts.flatMap { wrapped($0, to: 70) }.map { ($0, role) }
  }
  if let uniform = model.found?.uniform {
    remarks.append(
      (
        "uniform scaling by \(Format.fixed(uniform.scale, 2)): "
          + "\(Format.percent(uniform.testAccuracy)) of the test images at "
          + model.costMetric.shortText(uniform.cost), .muted
      )
    )
  }
  if let networks = model.found?.sampledNetworks, let mean = model.found?.sampledMean {
    let deviation = Format.percent(model.found?.sampledDeviation ?? 0)
    remarks.append(
      (
        "random sampling: \(Format.percent(mean)) on average of \(networks), "
          + "deviation \(deviation)", .muted
      )
    )
  }
  return remarks
}

/// What the search came to; stays until it is closed.
func drawResult(_ frame: inout Frame, _ model: Model, _ layout: Layout) {
  if model.kind == .joint { return drawJointResult(&frame, model, layout) }
  if model.kind == .training { return drawTrainingResult(&frame, model, layout) }
  let glyphs = model.look.glyphs
  let wide = min(76, layout.size.width)
  // Each layer's pick, as many to a line as fit; of choices of several kinds the blocks they make.
  let found = model.mixesKinds ? model.found?.architecture : nil
  let picks: [(Int, String, Int?)] =
    found.map { blocks in
      blocks.enumerated().map { ($0.offset, glyphs.plain($0.element.choice), nil) }
    }
    ?? model.choices.indices.map { index in
      let names = model.choices[index].options.map(\.name)
      let block = model.found.flatMap {
        $0.architecture.indices.contains(index)
          ? names.firstIndex(of: $0.architecture[index].choice) : nil
      }
      let pick = block ?? model.leader(of: index)
      return (index, names.indices.contains(pick) ? glyphs.plain(names[pick]) : "?", pick)
    }
  let part = model.choosesBlocks ? "layer" : found == nil ? "choice" : "block"
  let item = (picks.map { columns(of: $0.1) }.max() ?? 6) + 5
  let perLine = max(1, (wide - 4) / max(1, item))
  let pickLines = (picks.count + perLine - 1) / perLine
  let remarks = resultRemarks(model)
  let height = min(layout.size.height, 9 + pickLines + remarks.count)
  let box = layout.dialog(width: wide, height: height)
  let inside = drawDialog(
    &frame,
    box,
    glyphs,
    model.isSettled
      ? "\(glyphs.check) The search is done" : "\(glyphs.waiting) The search ended undecided",
    role: model.isSettled ? .good : .warn
  )
  var y = inside.y + (inside.height >= 8 ? 1 : 0)
  let label = Style(.muted)
  if let last = model.epochs.last {
    var x = frame.put(inside.x, y, "validation accuracy ", label, limit: inside.width)
    x = frame.put(x, y, Format.percent(last.validationAccuracy), Style(.good, on: .bg, .bold)) + 3
    if x + 22 < inside.maxX {
      x = frame.put(x, y, "chosen network alone ", label)
      let alone = model.found?.argmaxAccuracy ?? last.argmaxAccuracy
      frame.put(x, y, Format.percent(alone), Style(.seriesC, on: .bg, .bold))
    }
    y += 1
    let seconds = model.epochs.reduce(0) { $0 + $1.seconds }
    let latency = model.found?.latency ?? last.argmaxLatency
    let facts =
      "\(Format.count(model.found?.flops ?? last.argmaxFlops)) FLOPs \(glyphs.dot) "
      + "\(Format.count(model.found?.params ?? last.argmaxParams)) params (madds) \(glyphs.dot) "
      + (latency.map { Format.milliseconds($0) + " \(glyphs.dot) " } ?? "")
      + Format.counted(model.epochs.count, "epoch") + " in \(Format.duration(seconds))"
    if y < inside.maxY { frame.put(inside.x, y, clip(facts, to: inside.width), Style(.fg)) }
    for remark in remarks where y + 1 < inside.maxY {
      y += 1
      frame.put(inside.x, y, clip(glyphs.plain(remark.0), to: inside.width), Style(remark.1))
    }
    y += 2
  }
  if y < inside.maxY - 1 {
    frame.put(
      inside.x,
      y,
      model.found?.repaired == true
        ? "The most probable network within the budget, \(part) by \(part)"
        : "The network that was found, \(part) by \(part)",
      Style(.title),
      limit: inside.width
    )
    y += 1
  }
  let lines = max(0, inside.maxY - 1 - y)
  for (order, pick) in picks.enumerated() {
    let (row, column) = (y + order / perLine, inside.x + order % perLine * item)
    guard order / perLine < lines else {
      let rest = " \(picks.count - order) more are in the run's exports "
      frame.put(inside.x, inside.maxY - 1, clip(rest, to: inside.width - 27), label)
      break
    }
    frame.put(column, row, Format.right(String(pick.0 + 1), 2), label)
    if model.look.hasColour, let option = pick.2 {
      frame.put(
        column + 3,
        row,
        pick.1,
        Style(model.choices[pick.0].look(of: option).line, on: .bg, .bold)
      )
    } else {
      frame.put(column + 3, row, pick.1, Style(.fg, on: .bg, .bold))
    }
  }
  if inside.height >= 3 {
    frame.putRight(
      inside.maxX,
      inside.maxY - 1,
      clip("Esc looks around  q leaves", to: inside.width),
      label
    )
  }
}
