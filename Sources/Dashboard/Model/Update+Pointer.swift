extension Model {
  /// Columns of the list where it would have `usual` of `width`; both sides stay of use.
  func listWidth(of width: Int, usual: Int) -> Int {
    guard let share = pointer.share, share.isFinite else { return usual }
    let most = max(0, width - 24)
    return max(min(34, most), min(most, Int(near: share * Double(width))))
  }

  /// Takes hold of the border if that was pressed; whether it was.
  mutating func grab(_ x: Int, _ y: Int, _ button: Int, _ layout: Layout) -> Bool {
    pointer.isDragging = false
    guard button == 0, screen == .main, !isBlank, let split = layout.split,
      split - 1 == x || split == x, layout.body.contains(x, y)
    else { return false }
    pointer.isDragging = true
    return true
  }

  /// Moves the border that is held.
  mutating func drag(to x: Int) {
    guard pointer.isDragging, overlay == nil, size.width > 0 else { return }
    pointer.share = min(1, max(0, Double(x) / Double(size.width)))
  }

  /// Moves through the log; false for a key that does not.
  mutating func scrollLog(_ key: Key) -> Bool {
    let page = max(1, size.height - 5)
    let steps: Int
    switch key {
    case .up, .character("k"): steps = 1
    case .down, .character("j"): steps = -1
    case .pageUp: steps = page
    case .pageDown: steps = -page
    case .home, .character("g"): steps = log.count
    case .end, .character("G"): steps = -log.count
    default: return false
    }
    logScroll = min(max(0, log.count - page), max(0, logScroll + steps))
    return true
  }

  /// Gives the mouse to the terminal, or takes it again.
  mutating func switchMouse() -> [Effect] {
    pointer.isOurs.toggle()
    message = .notice(
      pointer.isOurs
        ? "the mouse is the dashboard's again: click, wheel, drag the border of the list"
        : "the mouse is the terminal's: select text with it; m takes it back"
    )
    return [.mouse(pointer.isOurs)]
  }
}
