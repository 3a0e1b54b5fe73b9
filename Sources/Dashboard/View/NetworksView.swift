import Runs

/// How the panel of networks is divided: the list, a hint where none is derived, and the chart.
struct NetworkRows {
  /// Lines that the chart needs.
  private static let leastChart = 8

  let networks: [KnownNetwork]
  let points: [ParetoChart.Point]
  let list: Rect
  /// First network in sight.
  let first: Int
  /// The hint, from the second line below the list on; empty without one.
  let hint: [String]
  /// Empty where there is no room.
  let chart: Rect

  init(_ model: Model, _ rect: Rect) {
    let networks = model.networks
    self.networks = networks
    points = networks.enumerated().compactMap { index, network in
      guard let cost = network.cost(model.costMetric), let accuracy = network.accuracy,
        cost.isFinite, accuracy.isFinite
      else { return nil }
      return ParetoChart.Point(
        mark: Model.mark(index),
        name: network.name,
        cost: cost,
        accuracy: accuracy,
        isRetrained: network.isRetrained
      )
    }
    let text = "none is derived yet: supertop derive \(model.summary?.name ?? "RUN")"
    let lines = wrapped(model.look.glyphs.plain(text), to: rect.width)
    hint = model.derived.isEmpty && rect.height > networks.count + lines.count ? lines : []
    let hintRows = hint.isEmpty ? 0 : hint.count + 1
    let room = rect.height - hintRows
    let hasChart = points.count > 1 && room > min(networks.count, 3) + Self.leastChart
    // The list has what the chart leaves of it, at least three lines.
    let rows = min(
      networks.count,
      hasChart ? max(3, min(room / 2, room - 1 - Self.leastChart)) : max(0, room)
    )
    list = Rect(rect.x, rect.y, rect.width, rows)
    first = min(max(0, networks.count - rows), max(0, model.network - rows / 2))
    let top = list.maxY + hintRows + 1
    chart = Rect(rect.x, top, rect.width, hasChart ? rect.maxY - top : 0)
  }
}

/// The networks that a search has come to, and under them what they cost against how good they are.
func drawNetworks(_ frame: inout Frame, _ model: Model, _ rect: Rect) {
  let rows = NetworkRows(model, rect)
  guard !rows.networks.isEmpty else {
    let text = "the first network is evaluated after an epoch"
    frame.putCentred(rect, rect.y + max(0, rect.height - 1) / 2, text, Style(.muted))
    return
  }
  drawNetworkList(&frame, model, rows)
  for (row, text) in rows.hint.enumerated() {
    frame.put(rect.x, rows.list.maxY + 1 + row, clip(text, to: rect.width), Style(.muted))
  }
  guard rows.chart.height > 0 else { return }
  ParetoChart(points: rows.points, metric: model.costMetric)
    .draw(&frame, rows.chart, model.look.glyphs)
}

private func drawNetworkList(_ frame: inout Frame, _ model: Model, _ rows: NetworkRows) {
  let glyphs = model.look.glyphs
  let (networks, rect) = (rows.networks, rows.list)
  let names = networks.map { columns(of: $0.name) }.max() ?? 0
  let chosen = min(model.network, networks.count - 1)
  for (row, index) in (rows.first..<networks.count).prefix(rect.height).enumerated() {
    let network = networks[index]
    let y = rect.y + row
    let weight: Attributes = index == chosen ? .bold : []
    if index == chosen { frame.put(rect.x, y, glyphs.selected, Style(.borderFocus)) }
    frame.put(rect.x + 1, y, String(Model.mark(index)), Style(.title, on: .bg, weight))
    let accuracy =
      network.accuracy.map { "\(Format.percent($0)) \(network.measure.rawValue)" } ?? ""
    let costs =
      [
        "\(Format.count(network.flops)) FLOPs", "\(Format.count(network.params)) params",
        network.latency.map(Format.milliseconds),
      ].compactMap(\.self)
    let name = clip(glyphs.plain(network.name), to: max(0, rect.width - 3))
    frame.put(rect.x + 3, y, name, Style(index == chosen ? .title : .fg, on: .bg, weight))
    let left = rect.x + 4 + names
    let end = rect.maxX - columns(of: accuracy)
    guard end > left else { continue }
    // As many as fit whole: half a number is a wrong one.
    var shown = ""
    for cost in costs where columns(of: shown + cost) + 3 <= end - left { shown += cost + "  " }
    frame.put(left, y, shown, Style(.fg))
    frame.put(end, y, accuracy, Style(network.measure == .search ? .fg : .good))
  }
}

extension Layout {
  /// The network drawn at a cell, by its place in the model's list; nil where there is none.
  func network(at x: Int, _ y: Int, in model: Model) -> Int? {
    guard model.isShowingNetworks, let panel = panels.first(where: { $0.panel == .networks }) else {
      return nil
    }
    let rows = NetworkRows(model, inside(panel.rect))
    return rows.list.contains(x, y) ? rows.first + y - rows.list.y : nil
  }
}

/// Title of the picture of a network.
func blocksTitle(_ model: Model) -> Words {
  let name = model.chosenNetwork?.name ?? "leading"
  let mark = model.networks.isEmpty ? "" : "\(Model.mark(model.network)): "
  return [
    ("Blocks", Style(.title)),
    (model.look.glyphs.plain("of \(mark)the \(name) network"), Style(.muted)),
  ]
}

/// A network as a picture: a row a choice, a block as long as its price; where it differs from the
/// leading one, or that from the chosen one, the other option stands beside it.
func drawBlocks(_ frame: inout Frame, _ model: Model, _ rect: Rect) {
  let glyphs = model.look.glyphs
  guard !model.choices.isEmpty else { return }
  let leading = model.leadingOptions
  let shown = model.chosenNetwork.map(\.blocks) ?? leading
  let other = shown == leading ? model.chosenOptions : leading
  let sign = shown == leading ? glyphs.arrow : "leading:"
  func option(_ index: Int) -> Int? {
    guard shown.indices.contains(index) else { return nil }
    return model.choices[index].options.firstIndex { $0.name == shown[index] }
  }
  let costs = model.choices.indices.map { index in
    let prices = model.prices[model.choices[index].id]?.flops
    return max(0, option(index).flatMap { price(prices, $0) } ?? 0)
  }
  let most = max(costs.max() ?? 0, 1e-9)
  let names = model.choices.map { columns(of: $0.name) }.max() ?? 4
  let left = min(names, rect.width < 48 ? max(4, rect.width * 3 / 7) : rect.width / 3) + 1
  let latest = max(0, model.choices.count - rect.height)
  let first = min(latest, max(0, model.selection - rect.height / 2))
  for (row, index) in (first..<model.choices.count).prefix(max(0, rect.height)).enumerated() {
    let choice = model.choices[index]
    let y = rect.y + row
    guard let option = option(index) else { continue }
    let isSelected = index == model.selection
    let style = Style(isSelected ? .title : .muted, on: .bg, isSelected ? .bold : [])
    let name = glyphs.plain(choice.name(within: left - 1))
    frame.put(rect.x, y, clip(name, to: left - 1), style)
    let price = costs[index] > 0 ? " \(Format.count(costs[index]))" : ""
    let differs = other.map { $0.indices.contains(index) && $0[index] != shown[index] } ?? false
    let text =
      glyphs.plain(choice.options[option].name) + price
      + (differs ? " \(sign) \(glyphs.plain(other?[index] ?? ""))" : "")
    let room = rect.width - left - columns(of: text) - 1
    let length = costs[index] / most * Double(max(0, room))
    let bar = Int(near: length.rounded(.up))
    drawBar(
      &frame,
      rect.x + left,
      y,
      width: bar,
      share: length / Double(max(1, bar)),
      role: choice.look(of: option).fill,
      track: .bg,
      look: model.look
    )
    frame.put(
      rect.x + left + bar + 1,
      y,
      clip(text, to: rect.width - left - bar - 1),
      Style(differs ? .warn : .fg)
    )
  }
}
