import Foundation
import Runs

extension Model {
  /// Of the choices but the chosen one, that of the greatest entropy, as a share of even odds.
  var mostOpen: Int {
    func share(_ index: Int) -> Double {
      choices[index].options.count > 1 ? entropyShare(probabilities(of: index)) : -1
    }
    return choices.indices.filter { $0 != selection }.max { share($0) < share($1) } ?? selection
  }
}

/// A choice's probabilities over time, under the list.
func drawPreview(_ frame: inout Frame, _ model: Model, _ index: Int, _ rect: Rect) {
  guard model.choices.indices.contains(index) else { return }
  let choice = model.choices[index]
  let glyphs = model.look.glyphs
  let values = model.probabilities(of: index)
  var title: Words = [
    (glyphs.plain(choice.name.capitalizedFirst), Style(.title)),
    (index == model.selection ? "over time" : "most open", Style(.muted)),
  ]
  // The two that compete, named in their own colours.
  for option in values.indices.sorted(by: { values[$0] > values[$1] }).prefix(2) {
    let share = Format.percent(Double(values[option]), digits: 0)
    title.append(
      (
        "\(glyphs.line) \(glyphs.plain(choice.options[option].name)) \(share)",
        Style(model.look.hasColour ? choice.look(of: option).line : .fg)
      )
    )
  }
  drawBox(&frame, rect, glyphs, title: title)
  overTime(model) { probabilityChart($0, index) }.draw(
    &frame,
    Rect(rect.x + 2, rect.y + 1, rect.width - 4, rect.height - 2),
    glyphs
  )
}

/// Every candidate of a choice as a curve; the leader is drawn over the others.
func probabilityChart(_ model: Model, _ index: Int) -> Chart {
  var chart = Chart()
  let leader = model.leader(of: index)
  let choice = model.choices[index]
  let count = choice.options.count
  // The leader last: later curves lie on top.
  for option in (0..<count).filter({ $0 != leader }) + [leader] {
    let buckets = model.history(of: index, option: option).map {
      Series.Bucket.point($0.epoch, $0.share)
    }
    chart.curves.append(
      .init(buckets: buckets, role: choice.look(of: option).line, tag: optionKey(option))
    )
  }
  chart.limits = 0...1
  let top = chart.curves.flatMap { $0.buckets.map(\.mean) }.max() ?? 1
  chart.y = 0...max(0.2, min(1, (top * 10).rounded(.up) / 10))
  chart.format = { Format.percent($0, digits: 0) }
  chart.empty = "θ has not moved yet"
  if let first = model.probabilities.samples.first, let last = model.probabilities.samples.last {
    chart.x = first.epoch...max(first.epoch, last.epoch)
  }
  return chart
}
