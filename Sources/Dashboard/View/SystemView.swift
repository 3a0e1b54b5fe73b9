import Runs

/// What the trainer's process is and uses, and what the time of a step goes into: beside it where
/// there is room, else under it.
func drawSystem(_ frame: inout Frame, _ model: Model, _ rect: Rect) {
  let facts = systemFacts(model)
  let operations = model.status?.operations ?? []
  let isWide = rect.width >= 64
  let left = isWide ? rect.width / 2 - 1 : rect.width
  drawFacts(&frame, facts, Rect(rect.x, rect.y, left, rect.height), model.look.glyphs)
  let below = facts.count + 1
  let room =
    isWide
    ? Rect(rect.x + left + 2, rect.y, rect.width - left - 2, rect.height)
    : Rect(rect.x, rect.y + below, rect.width, rect.height - below)
  drawOperations(&frame, operations, room, model.look)
}

/// An operation a row, its share as a bar and a number.
private func drawOperations(
  _ frame: inout Frame,
  _ operations: [OperationTime],
  _ rect: Rect,
  _ look: Model.Look
) {
  guard !operations.isEmpty, rect.height > 1, rect.width >= 24 else { return }
  let glyphs = look.glyphs
  frame.put(rect.x, rect.y, clip("time of a step", to: rect.width), Style(.title))
  let names = min(
    rect.width / 2,
    operations.map { columns(of: glyphs.plain($0.operation)) }.max() ?? 0
  )
  let most = operations.map(\.share).max() ?? 1
  let room = rect.width - names - 6
  for (row, operation) in operations.prefix(rect.height - 1).enumerated() {
    let y = rect.y + 1 + row
    frame.put(rect.x, y, clip(glyphs.plain(operation.operation), to: names), Style(.muted))
    let share = Format.percent(operation.share, digits: 0)
    frame.putRight(rect.x + names + 5, y, share, Style(.fg), limit: 4)
    drawBar(
      &frame,
      rect.x + names + 6,
      y,
      width: room,
      share: operation.share / max(most, 1e-9),
      role: .seriesA,
      track: .bg,
      look: look
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
