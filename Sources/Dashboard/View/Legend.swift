import Runs

/// A word of the legend: an option's key and name, or the name of the choice whose options follow.
struct LegendItem: Sendable, Equatable {
  /// Nil for the name of a choice.
  var option: Int?
  var name: String

  var width: Int { columns(of: name) + (option == nil ? 2 : 4) }
}

/// The options of the list broken into lines of `width` columns, three at most.
///
/// Where choices differ in their options the legend is that of the chosen one, which it names.
func legendLines(_ model: Model, width: Int) -> [[LegendItem]] {
  guard let first = model.choices.first, width > 8 else { return [] }
  let isShared = model.choices.allSatisfy { $0.options == first.options && $0.kind == first.kind }
  let choice =
    model.choices.indices.contains(model.selection) ? model.choices[model.selection] : first
  let lines = broken(legend(of: isShared ? first : choice, named: !isShared), to: width)
  return Array(lines.prefix(3))
}

/// Lines that the longest legend of any choice takes, so that the list keeps its place.
func legendHeight(_ model: Model, width: Int) -> Int {
  guard width > 8, let first = model.choices.first else { return 0 }
  let isShared = model.choices.allSatisfy { $0.options == first.options && $0.kind == first.kind }
  guard !isShared else { return legendLines(model, width: width).count }
  let heights = model.choices.map { broken(legend(of: $0, named: true), to: width).count }
  return min(3, heights.max() ?? 0)
}

private func legend(of choice: Choice, named: Bool) -> [LegendItem] {
  let options = choice.options.enumerated().map { LegendItem(option: $0, name: $1.name) }
  return (named ? [LegendItem(name: choice.name)] : []) + options
}

private func broken(_ items: [LegendItem], to width: Int) -> [[LegendItem]] {
  var lines: [[LegendItem]] = [[]]
  var used = 0
  for item in items {
    if used + item.width > width, !(lines.last ?? []).isEmpty {
      lines.append([])
      used = 0
    }
    lines[lines.count - 1].append(item)
    used += item.width
  }
  return lines
}

/// Number, colour and name of every option.
func drawLegend(_ frame: inout Frame, _ model: Model, _ rect: Rect) {
  let index = model.choices.indices.contains(model.selection) ? model.selection : 0
  guard model.choices.indices.contains(index) else { return }
  let choice = model.choices[index]
  for (row, line) in legendLines(model, width: rect.width).prefix(rect.height).enumerated() {
    var x = rect.x
    for item in line {
      let name = model.look.glyphs.plain(item.name)
      guard let option = item.option else {
        x = frame.put(x, rect.y + row, name, Style(.fg), limit: rect.width) + 2
        continue
      }
      x = drawOptionKey(&frame, x, rect.y + row, choice, option, model.look)
      x = frame.put(x + 1, rect.y + row, name, Style(.muted)) + 2
    }
  }
}

/// The character that stands for an option, as it looks in bars; returns the column after it.
@discardableResult
func drawOptionKey(
  _ frame: inout Frame,
  _ x: Int,
  _ y: Int,
  _ choice: Choice,
  _ option: Int,
  _ look: Model.Look
) -> Int {
  let key = String(Unicode.Scalar(optionKey(option)) ?? "?")
  let style = choice.look(of: option)
  return frame.put(
    x,
    y,
    key,
    look.hasColour ? Style(style.text, on: style.fill) : Style(.fg, on: .bg, .bold)
  )
}
