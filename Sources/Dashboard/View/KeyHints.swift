import Runs

/// A word of the key line that can be clicked.
struct KeyHint {
  var rect: Rect
  var key: String
  var word: String
  var command: Command
}

/// The words of the key line that fit `rect`; the most needed first.
func keyHints(_ model: Model, _ rect: Rect) -> [KeyHint] {
  guard rect.height > 0 else { return [] }
  var order = model.kind.keyLine(
    isOver: model.isOver,
    inInspector: model.screen == .inspector && model.kind != .training
  )
  // Of a past moment nothing can be steered.
  if model.future != nil {
    order = [.back, .quit, .help, .earlier, .later, .previousStop, .nextStop, .branch, .nextTab]
      .filter { model.kind.allows($0) }
  }
  if model.screen == .main, model.kind != .joint, model.future == nil,
    ChoiceList.hasGroups(model.choices),
    model.foldedHead?.isBlock ?? true,
    let open = order.firstIndex(of: .open)
  {
    order.insert(.fold, at: open + 1)
  }
  var chosen: [(binding: KeyBinding, word: String)] = []
  var used = 1
  for command in order {
    guard let binding = KeyTable.bindings.first(where: { $0.command == command }) else { continue }
    var word = binding.hint
    switch command {
    case .togglePause: word = model.state == .paused ? "resume" : "pause"
    case .toggleHold: word = model.status?.temperatureHeld ?? false ? "release" : "hold"
    case .open where model.kind == .joint: word = "look"
    case .open where model.isShowingNetworks: word = "blocks"
    case .open where model.foldedHead != nil: word = "unfold"
    case .fold: word = "fold"
    case .back: word = "back"
    case .earlier: word = "earlier"
    case .later: word = "later"
    case .previousStop: word = "previous"
    case .nextStop: word = "next"
    case .film: word = "shade"
    case .log: word = "log"
    default: break
    }
    word = model.look.glyphs.plain(word)
    let width = columns(of: binding.label.split(separator: " ")[0] + " " + word) + 2
    if used + width - 2 > rect.width { continue }
    used += width
    chosen.append((binding, word))
  }
  // Drawn in the order of the table, whatever was left out.
  let places = KeyTable.bindings.map(\.command)
  chosen.sort {
    (places.firstIndex(of: $0.binding.command) ?? 0)
      < (places.firstIndex(of: $1.binding.command) ?? 0)
  }
  var x = rect.x + 1
  return chosen.map { item in
    let key = String(item.binding.label.split(separator: " ")[0])
    let width = columns(of: key + " " + item.word)
    defer { x += width + 2 }
    return KeyHint(
      rect: Rect(x, rect.y, width, 1),
      key: key,
      word: item.word,
      command: item.binding.command
    )
  }
}
