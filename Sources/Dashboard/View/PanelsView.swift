import Runs

/// The chart panels of the main screen.
func drawPanels(_ frame: inout Frame, _ model: Model, _ layout: Layout) {
  let glyphs = model.look.glyphs
  for item in layout.panels {
    let rect = item.rect
    let title = panelTitle(model, item.panel, width: rect.width)
    let inside = layout.inside(rect)
    if layout.isBoxed {
      let continues = rect.y > layout.body.y && ![.film, .ranks].contains(item.panel)
      drawBox(&frame, rect, glyphs, title: title, continues: continues)
    } else {
      drawTitle(&frame, rect.x, rect.y, rect.width, title)
    }
    switch item.panel {
    case .loss: overTime(model, lossChart).draw(&frame, inside, glyphs)
    case .accuracy: overTime(model, accuracyChart).draw(&frame, inside, glyphs)
    case .cost: drawCost(&frame, model, inside)
    case .temperature: overTime(model, temperatureChart).draw(&frame, inside, glyphs)
    case .rate: overTime(model, rateChart).draw(&frame, inside, glyphs)
    case .throughput: overTime(model, throughputChart).draw(&frame, inside, glyphs)
    case .facts: drawFacts(&frame, facts(model), inside, glyphs)
    case .system: drawSystem(&frame, model, inside)
    case .film: drawFilm(&frame, model, inside)
    case .ranks: overTime(model, ranksChart).draw(&frame, inside, glyphs)
    case .networks: drawNetworks(&frame, model, inside)
    case .blocks: drawBlocks(&frame, model, inside)
    case .best, .scatter, .front, .stage, .axes:
      drawJointPanel(&frame, model, item.panel, inside)
    }
  }
}

/// A panel's name and its newest values, each in the role of its curve.
private func panelTitle(_ model: Model, _ panel: Panel, width: Int) -> Words {
  let isWide = width >= 44
  let glyphs = model.look.glyphs
  func value(_ name: String, _ short: String, _ text: String?, _ role: Role) -> Words {
    guard let text else { return [] }
    return [(isWide ? "\(glyphs.line) \(name) \(text)" : "\(short) \(text)", Style(role))]
  }
  let curves = model.curves
  switch panel {
  case .loss:
    var words: Words = [("Loss", Style(.title))]
    if curves.trainLoss.lost > 0, let at = curves.trainLoss.firstLost {
      words.append(
        (isWide ? "NaN since epoch \(Format.epoch(at))" : "NaN at \(Format.epoch(at))", Style(.bad))
      )
    }
    words += value("train", "tr", curves.trainLoss.last.map(Format.number), .seriesA)
    words += value("valid", "va", curves.validationLoss.last.map(Format.number), .seriesB)
    return words
  case .accuracy:
    var words: Words = [(width >= 56 ? "Accuracy" : "Acc", Style(.title))]
    words += value(
      "train",
      "tr",
      model.epochs.last.map { Format.percent($0.trainAccuracy) },
      .seriesA
    )
    words += value(
      "valid",
      "va",
      model.epochs.last.map { Format.percent($0.validationAccuracy) },
      .seriesB
    )
    if !model.kind.hasChoices {
      words += value(
        "top-5",
        "t5",
        model.epochs.last?.topFive.map { Format.percent($0) },
        .seriesC
      )
    } else if width >= 36 {
      words += value(
        "argmax",
        "am",
        model.epochs.last.map { Format.percent($0.argmaxAccuracy) },
        .seriesC
      )
    }
    return words
  case .cost:
    var words: Words = [("Cost", Style(.title))]
    if let cost = model.cost {
      words += value("expected", "E", model.costMetric.short(cost), .seriesA)
    }
    if let budget = model.summary?.budget, budget > 0 {
      words.append(
        (
          "\(isWide ? "budget" : "of") \(model.costMetric.short(budget))", Style(.warn)
        )
      )
    } else if isWide, let metric = model.summary?.costMetric {
      words.append((metric.title, Style(.muted)))
    }
    if isWide, let multiplier = model.lastStep?.multiplier {
      words.append(("\(glyphs.lambda) \(Format.number(multiplier))", Style(.muted)))
    }
    return words
  case .temperature:
    var words: Words = [(isWide ? "Temperature \(glyphs.tau)" : "Temp", Style(.title))]
    guard let status = model.status, status.temperature > 0 else { return words }
    words.append((Format.number(status.temperature), Style(.seriesC, on: .bg, .bold)))
    words.append(
      status.temperatureHeld
        ? ("\(glyphs.paused) held by hand", Style(.pinned)) : ("scheduled", Style(.muted))
    )
    return words
  case .rate, .facts: return trainingTitle(model, panel)
  case .film: return filmTitle(model, width: width)
  case .ranks:
    let last = model.agreements.last?.agreement
    return [("Rank thermometer", Style(.title))]
      + value("all", "all", last.map { Format.fixed($0.overall, 2) }, .seriesA)
      + value("of equal cost", "cost", last.map { Format.fixed($0.withinBands, 2) }, .seriesB)
  case .networks: return [("Networks", Style(.title))]
  case .blocks: return blocksTitle(model)
  case .throughput:
    return [("Images a second", Style(.title))]
      + value("", "", curves.throughput.last.map { Format.grouped($0) }, .seriesA)
  case .system: return [("System", Style(.title))]
  case .best, .scatter, .front, .stage, .axes: return jointTitle(model, panel, width: width)
  }
}

// MARK: The four charts

/// A chart over time as all of them are drawn: what came after the moment that is shown faint
/// behind what was known then, the part of the run that was chosen, the cursor, and the marks.
func overTime(_ model: Model, _ make: (Model) -> Chart) -> Chart {
  var chart = make(model)
  if let future = model.future {
    var whole = model
    (whole.curves, whole.probabilities) = (future.curves, future.probabilities)
    let all = make(whole)
    (chart.x, chart.y) = (all.x ?? all.xRange, all.yRange())
    let faint = all.curves.map { curve in
      var faint = curve
      (faint.role, faint.band, faint.tag) = (.faint, nil, nil)
      return faint
    }
    chart.curves = faint + chart.curves
  }
  guard let range = chart.x ?? chart.xRange else { return chart }
  if let window = model.window(of: range) {
    chart.x = window
    if chart.limits.lowerBound == -.infinity { chart.y = nil }
  }
  let shown = chart.x ?? range
  chart.xLabels = (
    model.charts.axis == .epoch
      ? Format.epoch(shown.lowerBound) : model.axisText(shown.lowerBound),
    model.axisText(shown.upperBound)
  )
  chart.marks = model.marks
  chart.cursor = model.cursor.map { model.spans.epochs(at: $0) }
  return chart
}

/// Without colour the curves are told apart by a letter at their end.
private func tag(_ model: Model, _ letter: Unicode.Scalar) -> UInt32? {
  model.look.hasColour ? nil : letter.value
}

/// The curve of a figure of single steps: where there are many, smoothed over the band of its
/// values.
private func stepCurve(
  _ series: Series,
  _ role: Role,
  _ charts: ChartView,
  tag: UInt32? = nil
) -> Chart.Curve {
  let isNoisy = series.buckets.count > 30
  return Chart.Curve(
    buckets: series.buckets,
    role: role,
    band: isNoisy ? .faint : nil,
    smoothing: isNoisy ? charts.smoothing : 0,
    tag: tag
  )
}

private func lossChart(_ model: Model) -> Chart {
  var chart = Chart()
  chart.curves = [
    stepCurve(model.curves.trainLoss, .seriesA, model.charts, tag: tag(model, "t")),
    .init(buckets: model.curves.validationLoss.buckets, role: .seriesB, tag: tag(model, "v")),
  ]
  chart.isLogarithmic = model.charts.isLogarithmic
  if model.curves.trainLoss.lost > 0 { chart.empty = "no finite value" }
  return chart
}

private func accuracyChart(_ model: Model) -> Chart {
  var chart = Chart()
  chart.curves = [
    stepCurve(model.curves.trainAccuracy, .seriesA, model.charts, tag: tag(model, "t")),
    !model.kind.hasChoices
      ? .init(buckets: model.curves.topFive.buckets, role: .seriesC, tag: tag(model, "5"))
      : .init(buckets: model.curves.argmaxAccuracy.buckets, role: .seriesC, tag: tag(model, "a")),
    .init(buckets: model.curves.validationAccuracy.buckets, role: .seriesB, tag: tag(model, "v")),
  ]
  chart.limits = 0...1
  chart.format = { Format.percent($0, digits: 0) }
  return chart
}

/// Kendall's τ between a ranking of the fixed networks and the one before.
private func ranksChart(_ model: Model) -> Chart {
  var chart = Chart()
  let agreements = model.agreements
  chart.curves = [
    .init(
      buckets: agreements.map { .point($0.epoch, $0.agreement.overall) },
      role: .seriesA,
      tag: tag(model, "a")
    ),
    .init(
      buckets: agreements.map { .point($0.epoch, $0.agreement.withinBands) },
      role: .seriesB,
      tag: tag(model, "c")
    ),
  ]
  chart.level = .init(value: Model.reliable, role: .muted)
  chart.limits = -1...1
  chart.y = -1...1
  chart.x = 0...Double(max(1, model.summary?.epochs ?? 1))
  chart.format = { Format.fixed($0, 1) }
  chart.empty = model.epochs.isEmpty ? "" : "fixed networks have not been ranked twice yet"
  return chart
}

private func throughputChart(_ model: Model) -> Chart {
  var chart = Chart()
  chart.curves = [stepCurve(model.curves.throughput, .seriesA, model.charts)]
  chart.format = { Format.count($0) }
  return chart
}

private func costChart(_ model: Model) -> Chart {
  var chart = Chart()
  chart.curves = [
    stepCurve(model.curves.cost, .muted, model.charts),
    .init(buckets: model.curves.expectedCost.buckets, role: .seriesA),
  ]
  let budget = model.summary?.budget ?? 0
  if budget > 0 { chart.level = .init(value: budget, role: .warn) }
  let isTime = model.costMetric == .latency
  chart.format = { isTime ? Format.time($0) : Format.count($0) }
  chart.isLogarithmic = model.charts.isLogarithmic
  if model.curves.cost.lost > 0 { chart.empty = "no finite value" }
  return chart
}

private func drawCost(_ frame: inout Frame, _ model: Model, _ rect: Rect) {
  let budget = model.summary?.budget ?? 0
  var chart = overTime(model, costChart)
  if rect.height < 7 { chart.xLabels = nil }
  // Without a budget there is nothing to measure the cost against.
  let hasGauge = rect.height >= 2 && model.cost != nil && budget > 0
  chart.draw(
    &frame,
    Rect(rect.x, rect.y, rect.width, rect.height - (hasGauge ? 1 : 0)),
    model.look.glyphs
  )
  if hasGauge, let cost = model.cost {
    drawGauge(&frame, model, cost: cost, budget: budget, rect.x, rect.maxY - 1, rect.width)
  }
}

/// The expected cost against the budget.
private func drawGauge(
  _ frame: inout Frame,
  _ model: Model,
  cost: Double,
  budget: Double,
  _ x: Int,
  _ y: Int,
  _ width: Int
) {
  guard width >= 8 else { return }
  let full = max(budget * 1.5, cost * 1.02)
  let share = cost / budget
  let text = Format.percent(share, digits: 0)
  let role = share <= 1.02 ? Role.good : share <= 1.2 ? .warn : .bad
  let bar = width - columns(of: text) - 1
  guard bar >= 4 else { return }
  drawProgress(
    &frame,
    x,
    y,
    width: bar,
    share: cost / full,
    role: role,
    mark: budget / full,
    look: model.look
  )
  frame.putRight(x + width, y, text, Style(role))
}

/// The whole schedule, what really was, and where it is now.
private func temperatureChart(_ model: Model) -> Chart {
  var chart = Chart()
  guard let summary = model.summary else { return chart }
  let epochs = max(1, summary.epochs)
  // More points than that no screen has columns for.
  let schedule = stride(from: 0, to: epochs, by: max(1, epochs / 1000)).flatMap {
    epoch -> [Series.Bucket] in
    let value = summary.schedule.value(epoch: epoch, of: epochs)
    return [Double(epoch), Double(epoch + 1)].map { .point($0, value) }
  }
  // Steps of few epochs would hide the shape of the curve.
  let smooth =
    epochs > 12 ? schedule.enumerated().filter { $0.offset % 2 == 0 }.map(\.element) : schedule
  chart.curves = [
    .init(buckets: smooth, role: .muted),
    .init(buckets: model.curves.temperature.buckets, role: .seriesC),
  ]
  chart.x = 0...Double(epochs)
  let values = chart.curves.flatMap { $0.buckets.flatMap { [$0.low, $0.high] } }
  chart.y = 0...max(values.max() ?? 1, model.status?.temperature ?? 0, 1e-3)
  if let status = model.status, status.temperature > 0 {
    chart.point = (
      model.position, status.temperature, status.temperatureHeld ? .pinned : .seriesC
    )
  }
  return chart
}
