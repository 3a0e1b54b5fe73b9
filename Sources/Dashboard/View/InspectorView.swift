import Foundation
import Runs

/// One choice in full: every candidate's probability now and over time, its price, and the pulls of
/// accuracy and of cost on it (spec S83).
func drawInspector(_ frame: inout Frame, _ model: Model, _ area: Rect, isBoxed: Bool) {
  guard model.choices.indices.contains(model.selection) else { return }
  let index = model.selection
  let choice = model.choices[index]
  let glyphs = model.look.glyphs
  let values = model.probabilities(of: index)
  let bits = entropyBits(values)
  let most = log2(Double(max(1, choice.options.count)))
  let title: Words = [
    (glyphs.plain(choice.name.capitalizedFirst), Style(.title)),
    (glyphs.plain(choice.detail), Style(.fg)),
    ("\(Format.fixed(bits, 2)) of \(Format.fixed(most, 2)) bits", Style(.muted)),
    ("\(index + 1) of \(model.choices.count)", Style(.muted)),
  ]
  let count = choice.options.count
  var sentences = isBoxed ? [whyLeads(model, index), whatIf(model, index)].compactMap(\.self) : []
  // In full where the options leave room for it.
  let lines = sentences.flatMap { wrapped(glyphs.plain($0), to: area.width - 4) }
  if count + lines.count + 4 <= area.height { sentences = lines }
  // With an empty line above them.
  let sentence = sentences.isEmpty ? 0 : sentences.count + 1
  // The table first; the chart takes what is left when that is worth a chart.
  let wanted = count + 1 + sentence + (isBoxed ? 2 : 1)
  let chartRows = area.height - wanted
  let hasChart = chartRows >= (isBoxed ? 6 : 4)
  let table = Rect(area.x, area.y, area.width, hasChart ? wanted : area.height)
  let inside: Rect
  if isBoxed {
    drawBox(&frame, table, glyphs, title: title, role: .borderFocus)
    inside = Rect(table.x + 2, table.y + 1, table.width - 4, table.height - 2)
  } else {
    drawTitle(&frame, table.x, table.y, table.width, title)
    inside = Rect(table.x + 1, table.y + 1, table.width - 2, table.height - 1)
  }
  drawCandidates(
    &frame,
    model,
    index,
    Rect(inside.x, inside.y, inside.width, inside.height - sentence)
  )
  if inside.height > sentence {
    for (row, text) in sentences.enumerated() {
      let y = inside.maxY - sentences.count + row
      frame.put(inside.x, y, clip(glyphs.plain(text), to: inside.width), Style(.fg))
    }
  }
  guard hasChart else { return }
  let rect = Rect(area.x, area.y + wanted, area.width, chartRows)
  if isBoxed {
    drawBox(&frame, rect, glyphs, title: [("Probability over time", Style(.title))])
    overTime(model) { probabilityChart($0, index) }.draw(
      &frame,
      Rect(rect.x + 2, rect.y + 1, rect.width - 4, rect.height - 2),
      glyphs
    )
  } else {
    overTime(model) { probabilityChart($0, index) }.draw(
      &frame,
      Rect(rect.x + 1, rect.y, rect.width - 2, rect.height),
      glyphs
    )
  }
}

/// Widths of the candidates' table.
private struct CandidateColumns {
  var name: Int
  var bar = 0
  var trend = 0
  var flops = 0
  var params = 0
  var latency = 0
  var pinned = 0
  var accuracyPull = 0
  var costPull = 0

  init(name: Int, width: Int, prices: ChoicePrices?) {
    self.name = name
    let fixed = 2 + name + 1 + 6
    var rest = width - fixed
    if prices != nil, rest >= 8 {
      flops = 6
      rest -= 7
    }
    if prices != nil, rest >= 8 {
      params = 7
      rest -= 8
    }
    if prices?.latency != nil, rest >= 8 {
      latency = 6
      rest -= 7
    }
    if rest >= 19 {
      accuracyPull = 9
      costPull = 9
      rest -= 20
    }
    if prices != nil, rest >= 28 {
      pinned = 9
      rest -= 10
    }
    if rest >= 18 {
      trend = min(40, rest * 2 / 5)
      rest -= trend + 1
    }
    bar = max(0, rest - 1)
  }
}

private func drawCandidates(_ frame: inout Frame, _ model: Model, _ index: Int, _ rect: Rect) {
  guard rect.height >= 1 else { return }
  let glyphs = model.look.glyphs
  let choice = model.choices[index]
  let values = model.probabilities(of: index)
  let names = choice.options.map { glyphs.plain($0.name) }
  let leader = model.leader(of: index)
  let prices = model.prices[choice.id]
  let title = choice.kind == .operator ? "option" : choice.kind.word
  let widest = max(columns(of: title), names.map { columns(of: $0) }.max() ?? 4)
  let spec = CandidateColumns(
    name: min(widest, max(5, rect.width / 4)),
    width: rect.width,
    prices: prices
  )

  // Titles.
  let style = Style(.muted)
  var x = rect.x
  let word =
    choice.kind != .operator
    ? choice.kind.word
    : model.mixesKinds ? "option" : spec.name >= 9 ? "candidate" : choice.kind.word
  frame.put(x + 2, rect.y, word, style, limit: spec.name)
  x += 2 + spec.name + 1
  frame.put(x, rect.y, Format.right("p", 5), style)
  x += 6
  if spec.bar > 0 {
    frame.put(x, rect.y, "now", style, limit: spec.bar)
    x += spec.bar + 1
  }
  if spec.trend > 0 {
    frame.put(x, rect.y, spec.trend < 9 ? "trend" : "over time", style)
    x += spec.trend + 1
  }
  // Where kinds mix, a price is what the option adds to the network of now.
  let sign = model.mixesKinds ? "+" : ""
  for (width, word) in [
    (spec.flops, sign + "FLOPs"), (spec.params, sign + "params"), (spec.latency, sign + "ms"),
    (spec.pinned, "if pinned"),
    (spec.accuracyPull, "accuracy"), (spec.costPull, "cost pull"),
  ] where width > 0 {
    frame.put(x, rect.y, Format.right(word, width), style)
    x += width + 1
  }

  // Where not all fit, the most probable are shown.
  let room = rect.height - 1
  var order = Array(choice.options.indices)
  if order.count > room {
    order = Array(order.sorted { (values[$0], -$0) > (values[$1], -$1) }.prefix(max(0, room)))
    if choice.kind.isOrdered { order.sort() }
  }
  let theta = model.theta
  for (row, option) in order.enumerated() {
    let y = rect.y + 1 + row
    let isLeader = option == leader
    let weight: Attributes = isLeader ? .bold : []
    let value = Double(values[option])
    var x = rect.x
    drawOptionKey(&frame, x, y, choice, option, model.look)
    frame.put(
      x + 2,
      y,
      clip(names[option], to: spec.name),
      Style(isLeader ? .title : .fg, on: .bg, weight)
    )
    x += 2 + spec.name + 1
    frame.put(
      x,
      y,
      Format.right(Format.percent(value, digits: value >= 0.9995 ? 0 : 1), 5),
      Style(.ramp(0.25 + value), on: .bg, weight)
    )
    x += 6
    if spec.bar > 0 {
      drawBar(
        &frame,
        x,
        y,
        width: spec.bar,
        share: value,
        role: choice.look(of: option).line,
        track: .bg,
        look: model.look
      )
      x += spec.bar + 1
    }
    if spec.trend > 0 {
      let history = model.history(of: index, option: option).map(\.share)
      drawSparkline(
        &frame,
        x,
        y,
        history,
        width: spec.trend,
        role: choice.look(of: option).line,
        range: 0...max(0.25, history.max() ?? 1),
        glyphs: glyphs
      )
      x += spec.trend + 1
    }
    for (width, text) in [
      (spec.flops, price(prices?.flops, option).map(Format.count) ?? ""),
      (spec.params, price(prices?.params, option).map(Format.count) ?? ""),
      (spec.latency, price(prices?.latency, option).map { Format.time($0, most: 4) } ?? ""),
      (spec.pinned, model.costIfPinned(index, option).map { signedCost(model, $0) } ?? ""),
    ] where width > 0 {
      frame.put(x, y, Format.right(text, width), Style(.fg))
      x += width + 1
    }
    for (width, pulls) in [
      (spec.accuracyPull, theta?.accuracyPull), (spec.costPull, theta?.costPull),
    ] where width > 0 {
      drawPull(&frame, x, y, width, pull(pulls, index, option), glyphs)
      x += width + 1
    }
  }
}

/// What option `option` costs; nil where that is not known.
func price(_ prices: [Double]?, _ option: Int) -> Double? {
  guard let prices, prices.indices.contains(option) else { return nil }
  return prices[option]
}

/// How strongly a part of the loss pushes a logit up: the gradient with its sign turned.
func pull(_ gradients: [[Float]]?, _ choice: Int, _ option: Int) -> Double? {
  guard let gradients, gradients.indices.contains(choice),
    gradients[choice].indices.contains(option)
  else { return nil }
  return -Double(gradients[choice][option])
}

private func drawPull(
  _ frame: inout Frame,
  _ x: Int,
  _ y: Int,
  _ width: Int,
  _ pull: Double?,
  _ glyphs: GlyphSet
) {
  guard let pull else {
    frame.put(x, y, Format.right(glyphs.level, width), Style(.muted))
    return
  }
  // Direction is a mark as well as a colour.
  let isFlat = isFlat(pull)
  let mark = isFlat ? " " : pull > 0 ? glyphs.up : glyphs.down
  let role: Role = isFlat ? .muted : pull > 0 ? .good : .warn
  frame.putRight(x + width, y, mark + Format.signed(isFlat ? 0 : pull), Style(role))
}

/// Whether a pull is too weak to be shown.
private func isFlat(_ pull: Double) -> Bool { !(abs(pull) >= 5e-7) }

/// Why the leader leads, in a sentence.
func whyLeads(_ model: Model, _ index: Int) -> String {
  let choice = model.choices[index]
  let values = model.probabilities(of: index)
  guard choice.options.count > 1, model.theta != nil else {
    return "θ has not moved yet: every candidate is as probable as the others."
  }
  let order = choice.options.indices.sorted { values[$0] > values[$1] }
  let (first, second) = (order[0], order[1])
  if model.isPinned(index) {
    return "\(choice.options[first].name) is pinned: nothing else is sampled here."
  }
  let lead = Double(values[first] - values[second]) * 100
  var text =
    "\(choice.options[first].name) leads \(choice.options[second].name) by "
    + (lead >= 1 ? Format.counted(Int(lead.rounded()), "point") : "less than a point")
  if let accuracy = pull(model.theta?.accuracyPull, index, first),
    let cost = pull(model.theta?.costPull, index, first)
  {
    text += "; now " + pullText(accuracy: accuracy, cost: cost)
  }
  if let decision = model.decision(of: index) {
    let spread = "\(points(decision.lead)) ± \(points(decision.wobble))"
    text +=
      decision.isClear
      ? "; of late its lead was \(spread) points" : "; of late its lead was \(spread): a toss-up"
  }
  return text + "."
}

private func pullText(accuracy: Double, cost: Double) -> String {
  func way(_ pull: Double) -> String { pull > 0 ? "up" : "down" }
  switch (isFlat(accuracy), isFlat(cost)) {
  case (true, true): return "neither accuracy nor cost pulls at it"
  case (true, false): return "cost pulls it \(way(cost)), accuracy not at all"
  case (false, true): return "accuracy pulls it \(way(accuracy)), cost not at all"
  case (false, false):
    return "accuracy pulls it \(way(accuracy))"
      + ((accuracy > 0) == (cost > 0) ? " and so does cost" : ", cost \(way(cost))")
  }
}

extension Model {
  /// By how much the expected cost changes if a choice is pinned to an option, in the metric of the
  /// search; nil where nothing is known of prices.
  func costIfPinned(_ index: Int, _ option: Int) -> Double? {
    let known = prices[choices[index].id]
    let values = probabilities(of: index)
    let all =
      switch costMetric {
      case .flops: known?.flops
      case .params: known?.params
      case .latency: known?.latency
      }
    guard let all, all.count == values.count, all.indices.contains(option) else { return nil }
    return all[option] - zip(all, values).reduce(0) { $0 + $1.0 * Double($1.1) }
  }
}

/// A change of the cost, short and with its sign.
private func signedCost(_ model: Model, _ change: Double) -> String {
  (change < 0 ? "-" : "+") + model.costMetric.short(abs(change))
}

/// What pinning a choice to its leader would change, in a sentence; nil where that is not known, or
/// done.
func whatIf(_ model: Model, _ index: Int) -> String? {
  let leader = model.leader(of: index)
  guard !model.isPinned(index), let cost = model.cost, cost.isFinite,
    let change = model.costIfPinned(index, leader), change.isFinite
  else { return nil }
  let name = model.choices[index].options[leader].name
  let budget = model.summary?.budget ?? 0
  let after = max(0, cost + change)
  let against =
    budget > 0
    ? ", \(Format.percent(after / budget, digits: 0)) of the budget" : ""
  // Prices of options between sizes depend on the other choices.
  let about = model.mixesKinds ? "about " : ""
  return "Pinned to \(name), the expected cost would go from \(model.costMetric.short(cost)) to "
    + "\(about)\(model.costMetric.shortText(after))\(against)."
}

private func points(_ share: Double) -> String { Format.fixed(share * 100, 0) }
