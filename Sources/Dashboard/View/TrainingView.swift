import Runs

/// Titles of the panels that the training of one network has in place of cost and temperature.
func trainingTitle(_ model: Model, _ panel: Panel) -> [(text: String, style: Style)] {
  guard panel == .rate else {
    return [("Network", Style(.title)), (model.summary?.preset ?? "", Style(.seriesA))]
  }
  var words: Words = [("Learning rate", Style(.title))]
  if let rate = model.lastStep?.learningRate {
    words.append((Format.number(rate), Style(.seriesC, on: .bg, .bold)))
  }
  return words
}

/// The learning rate so far, on an axis of the whole run.
func rateChart(_ model: Model) -> Chart {
  var chart = Chart()
  chart.curves = [.init(buckets: model.curves.learningRate.buckets, role: .seriesC)]
  let epochs = max(1, model.summary?.epochs ?? 1)
  chart.x = 0...Double(epochs)
  let top = model.curves.learningRate.buckets.map(\.high).max() ?? 0
  chart.y = 0...max(top, model.summary?.recipe?.learningRate ?? 0, 1e-9)
  return chart
}

/// A fact a row, the least needed left out first.
func drawFacts(
  _ frame: inout Frame,
  _ facts: [(name: String, text: String)],
  _ rect: Rect,
  _ glyphs: GlyphSet
) {
  for (row, fact) in facts.prefix(max(0, rect.height)).enumerated() {
    frame.put(rect.x, rect.y + row, fact.name, Style(.muted), limit: min(10, rect.width))
    let room = rect.width - 11
    if room > 0 {
      let text = clip(glyphs.plain(fact.text), to: room)
      frame.put(rect.x + 11, rect.y + row, text, Style(.fg))
    }
  }
}

/// What is trained, on what and how.
func facts(_ model: Model) -> [(name: String, text: String)] {
  guard let summary = model.summary, let recipe = summary.recipe else { return [] }
  func share(_ name: String, _ value: Double) -> String? {
    value > 0 ? "\(name) \(value)" : nil
  }
  func list(_ items: [String?]) -> String {
    items.compactMap(\.self).joined(separator: " \(model.look.glyphs.dot) ")
  }
  let size = list([
    model.lastStep.map { Format.count($0.cost) + " FLOPs" },
    model.epochs.last.map { Format.count($0.argmaxParams) + " params" },
    "rule madds",
  ])
  let schedule =
    switch recipe.schedule {
    case .cosine, .constant: recipe.schedule.rawValue
    case .step:
      "×\(recipe.decayFactor) every \(Format.counted(recipe.stepEpochs, "epoch"))"
    case .exponential: "×\(recipe.decayFactor) an epoch"
    }
  let noise = list([
    share("mixup", recipe.mixup), share("dropout", recipe.dropout),
    share("drop path", recipe.dropPath), share("smoothing", recipe.labelSmoothing),
    recipe.shift > 0 ? "shift \(recipe.shift)" : nil, recipe.flip ? "flip" : nil,
  ])
  return [
    ("size", size),
    ("data", list([summary.data, "batch \(recipe.batch)"])),
    ("optimiser", list([recipe.optimiser.rawValue, "momentum \(recipe.momentum)"])),
    ("rate", list(["\(recipe.learningRate)", schedule])),
    ("warm-up", recipe.warmupEpochs > 0 ? Format.counted(recipe.warmupEpochs, "epoch") : ""),
    ("decay", "\(recipe.weightDecay)"),
    ("noise", noise),
    ("average", share("decay", recipe.ema) ?? ""),
    ("seed", "\(summary.seed)"),
  ].filter { !$0.1.isEmpty }
}

/// What the training came to; stays until it is closed.
func drawTrainingResult(_ frame: inout Frame, _ model: Model, _ layout: Layout) {
  let glyphs = model.look.glyphs
  let box = layout.dialog(width: 64, height: model.testAccuracy == nil ? 8 : 9)
  let inside = drawDialog(&frame, box, glyphs, "\(glyphs.check) The training is done", role: .good)
  guard let last = model.epochs.last else { return }
  let label = Style(.muted)
  var y = inside.y
  if let share = model.testAccuracy {
    let x = frame.put(inside.x, y, "test images: top-1 ", label, limit: inside.width)
    frame.put(x, y, Format.percent(share), Style(.good, on: .bg, .bold))
    y += 1
  }
  let start = model.testAccuracy == nil ? "top-1 " : "validation: top-1 "
  var x = frame.put(inside.x, y, start, label, limit: inside.width)
  x = frame.put(x, y, Format.percent(last.validationAccuracy), Style(.good, on: .bg, .bold)) + 3
  if let share = last.topFive, x + 14 < inside.maxX {
    x = frame.put(x, y, "top-5 ", label)
    x = frame.put(x, y, Format.percent(share), Style(.seriesC, on: .bg, .bold)) + 3
  }
  if x + 12 < inside.maxX {
    x = frame.put(x, y, "loss ", label)
    frame.put(x, y, Format.number(last.validationLoss), Style(.fg))
  }
  let seconds = model.epochs.reduce(0) { $0 + $1.seconds }
  for text in [
    "\(Format.count(last.argmaxFlops)) FLOPs \(glyphs.dot) "
      + "\(Format.count(last.argmaxParams)) params (madds) \(glyphs.dot) "
      + "\(Format.counted(model.epochs.count, "epoch")) in \(Format.duration(seconds))",
    "saved in exports/network.safetensors of \(model.summary?.name ?? "the run")",
  ] {
    y += 1
    guard y < inside.maxY - 1 else { break }
    frame.put(inside.x, y, clip(glyphs.plain(text), to: inside.width), Style(.fg))
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
