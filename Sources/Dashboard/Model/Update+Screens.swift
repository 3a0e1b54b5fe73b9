import Runs

/// Closes what is open, the newest first: the inspector, a zoomed panel, the past, a screen; false
/// where nothing was.
func back(_ model: inout Model) -> Bool {
  if model.screen != .main {
    model.screen = .main
    model.draft = nil
  } else if model.zoom != nil {
    model.zoom = nil
  } else if model.cursor != nil {
    (model.cursor, model.moment) = (nil, nil)
  } else if model.tab > 0 {
    model.tab = 0
  } else {
    return false
  }
  return true
}

func turn(_ model: inout Model, to tab: Int) {
  model.tab = tab
  model.screen = .main
  model.zoom = nil
}

/// One panel of the screen after another alone, then all again.
func zoom(_ model: inout Model) {
  model.screen = .main
  let panels = model.kind.panels(ofTab: model.tab)
  let next = model.zoom.flatMap { panels.firstIndex(of: $0) }.map { $0 + 1 } ?? 0
  model.zoom = panels.indices.contains(next) ? panels[next] : nil
  if panels.isEmpty { model.message = .notice("this screen has no panels") }
}

/// Goes to the moment of an alarm, or of what else was noticed; at each press to another.
func nextAlarm(_ model: inout Model) -> [Effect] {
  let found = model.findings.filter(\.isAlarm) + model.findings.filter { !$0.isAlarm }
  guard !found.isEmpty else {
    model.message = .notice("nothing has been noticed in this run")
    return []
  }
  let here = found.firstIndex { $0.step != nil && $0.step == model.cursor }
  let next = found[((here ?? -1) + 1) % found.count]
  let effects = next.step.map { model.setCursor($0) } ?? []
  model.message = next.isAlarm ? .problem(next.text) : .notice(next.text)
  return effects
}
