import Runs

/// The networks that a search has come to: the leading one, the chosen one, and those derived.
func drawNetworks(_ frame: inout Frame, _ model: Model, _ rect: Rect) {
  let glyphs = model.look.glyphs
  var lines: [(text: String, style: Style)] = []
  if let last = model.epochs.last {
    lines.append(("leading now", Style(.title)))
    lines.append(
      (
        "  \(Format.count(last.argmaxFlops)) FLOPs \(glyphs.dot) "
          + "\(Format.count(last.argmaxParams)) params"
          + (last.argmaxLatency.map { " \(glyphs.dot) \(Format.milliseconds($0))" } ?? ""),
        Style(.fg)
      )
    )
    lines.append(
      ("  \(Format.percent(last.argmaxAccuracy)) with the weights of the search", Style(.fg))
    )
  }
  if let found = model.found {
    lines.append(("chosen at the end", Style(.title)))
    let same = found.architecture.map(\.choice) == model.leadingOptions
    lines.append(("  " + (same ? "the leading one" : "another than the leading one"), Style(.fg)))
    let test = Format.percent(found.testAccuracy)
    lines.append(("  \(test) on the test images", Style(.good)))
  }
  lines.append(("derived", Style(.title)))
  if model.derived.isEmpty {
    let name = model.summary?.name ?? "RUN"
    lines.append(("  none yet; supertop derive \(name)", Style(.muted)))
  }
  for network in model.derived {
    let best =
      network.top1.map { "test \(Format.percent($0))" }
      ?? network.trainedAccuracy.map { "trained \(Format.percent($0))" }
      ?? network.accuracy.map { "search \(Format.percent($0))" } ?? ""
    let cost = "\(Format.count(network.flops)) FLOPs \(Format.count(network.params)) params"
    lines.append(("  \(network.source) \(cost) \(best)", Style(.fg)))
  }
  for (row, line) in lines.prefix(max(0, rect.height)).enumerated() {
    frame.put(rect.x, rect.y + row, clip(glyphs.plain(line.text), to: rect.width), line.style)
  }
}

extension Model {
  /// The most probable option of each choice, by name.
  var leadingOptions: [String] {
    choices.indices.map { index in
      let leader = leader(of: index)
      let options = choices[index].options
      return options.indices.contains(leader) ? options[leader].name : ""
    }
  }
}

/// Title of the picture of a network.
func blocksTitle(_ model: Model) -> Words {
  [("Blocks", Style(.title)), ("of the leading network", Style(.muted))]
}

/// The leading network as a picture: a row a choice, a block as long as its price.
func drawBlocks(_ frame: inout Frame, _ model: Model, _ rect: Rect) {
  let glyphs = model.look.glyphs
  guard !model.choices.isEmpty else { return }
  func cost(_ index: Int) -> Double? {
    price(model.prices[model.choices[index].id]?.flops, model.leader(of: index))
  }
  let costs = model.choices.indices.map { max(0, cost($0) ?? 0) }
  let most = max(costs.max() ?? 0, 1e-9)
  let names = model.choices.map { columns(of: $0.name) }.max() ?? 4
  let left = min(names, max(4, rect.width / 4)) + 1
  let chosen = model.found?.architecture.map(\.choice)
  let latest = max(0, model.choices.count - rect.height)
  let first = min(latest, max(0, model.selection - rect.height / 2))
  for (row, index) in (first..<model.choices.count).prefix(max(0, rect.height)).enumerated() {
    let choice = model.choices[index]
    let y = rect.y + row
    let leader = model.leader(of: index)
    guard choice.options.indices.contains(leader) else { continue }
    let isSelected = index == model.selection
    let style = Style(isSelected ? .title : .muted, on: .bg, isSelected ? .bold : [])
    frame.put(rect.x, y, clip(glyphs.plain(choice.name), to: left - 1), style)
    let name = glyphs.plain(choice.options[leader].name)
    let price = costs[index] > 0 ? " \(Format.count(costs[index]))" : ""
    let differs = chosen.map { $0.indices.contains(index) && $0[index] != name } ?? false
    let text = name + price + (differs ? " \(glyphs.arrow) \(chosen?[index] ?? "")" : "")
    let room = rect.width - left - columns(of: text) - 1
    let bar = room > 0 ? min(room, Int(near: costs[index] / most * Double(room))) : 0
    let fill = choice.look(of: leader)
    if model.look.hasColour {
      frame.fill(Rect(rect.x + left, y, bar, 1), Cell(32, Style(fill.text, on: fill.fill)))
    } else {
      let block = glyphs.isASCII ? UInt32(35) : 0x2588
      frame.fill(Rect(rect.x + left, y, bar, 1), Cell(block, Style(.fg)))
    }
    frame.put(
      rect.x + left + bar + 1,
      y,
      clip(text, to: rect.width - left - bar - 1),
      Style(differs ? .warn : .fg)
    )
  }
}

/// What the trainer's process is and uses.
func systemFacts(_ model: Model) -> [(name: String, text: String)] {
  guard let status = model.status else { return [] }
  let step = model.lastStep?.seconds
  let seconds = model.epochs.map(\.seconds)
  return [
    ("speed", status.imagesPerSecond > 0 ? "\(Format.grouped(status.imagesPerSecond)) img/s" : ""),
    ("a step", step.map { Format.milliseconds($0 * 1000) } ?? ""),
    ("an epoch", seconds.last.map { Format.duration($0) } ?? ""),
    ("trained", seconds.isEmpty ? "" : Format.duration(seconds.reduce(0, +))),
    ("left", model.isOver ? "" : status.etaSeconds.map { Format.duration($0) } ?? ""),
    ("memory", status.memoryBytes > 0 ? Format.bytes(status.memoryBytes) : ""),
    ("disk", model.freeBytes.map { "\(Format.bytes($0)) free" } ?? ""),
    ("process", status.processIdentifier > 0 ? "\(status.processIdentifier)" : ""),
    ("run", model.summary?.name ?? ""),
  ].filter { !$0.1.isEmpty }
}
