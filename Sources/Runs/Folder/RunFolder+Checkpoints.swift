import Foundation

extension RunFolder {
  /// Newest checkpoints that stay on disk.
  private static let newest = 3
  /// Older ones that stay beside them, to branch from.
  private static let older = 8
  /// Bytes that the older ones may take.
  private static let olderBytes = 256 << 20

  /// Path of the checkpoint after `step` steps.
  package func checkpointPath(step: Int) -> String {
    let digits = "\(step)"
    let zeros = String(repeating: "0", count: max(0, 8 - digits.count))
    return "\(checkpointsPath)/step-\(zeros)\(digits).safetensors"
  }

  /// Writes the state after `step` steps, whole or not at all, and keeps the newest three; of those
  /// before them up to eight, spread over the run, where they take no more than 256 MiB.
  ///
  /// Checkpoints of later steps belong to a future that a resume has left and go too. `confirm`
  /// throws where the run is another process's by now: before anything is written, and before
  /// anything is removed, for a process that was stopped meanwhile would remove what the other
  /// one writes.
  package func writeCheckpoint(
    _ checkpoint: Checkpoint,
    step: Int,
    confirm: () throws -> Void = {}
  ) throws {
    try confirm()
    try checkpoint.write(to: checkpointPath(step: step))
    try confirm()
    let steps = checkpointSteps()
    let past = steps.filter { $0 <= step }
    let size = fileSize(checkpointPath(step: step)) ?? 0
    let room = min(Self.older, Self.olderBytes / max(1, size))
    let kept =
      past.suffix(Self.newest)
      + Self.spread(
        past.dropLast(Self.newest),
        room,
        before: past.suffix(Self.newest).first ?? step
      )
    for old in Set(steps).subtracting(kept) { unlink(checkpointPath(step: old)) }
    // What a killed writer left behind; the lock makes this process the only writer.
    for name in names(in: checkpointsPath) ?? [] where name.hasSuffix(unfinishedSuffix) {
      unlink("\(checkpointsPath)/\(name)")
    }
  }

  /// `count` of ascending steps before `next` that are as evenly spaced as may be, the first among
  /// them.
  package static func spread(_ steps: ArraySlice<Int>, _ count: Int, before next: Int) -> [Int] {
    var kept = Array(steps)
    guard count > 0 else { return [] }
    while kept.count > count {
      // The one without which the gap round it stays smallest; never the first.
      let gaps = (1..<kept.count).map { place in
        (place + 1 < kept.count ? kept[place + 1] : next) - kept[place - 1]
      }
      guard let least = gaps.indices.min(by: { gaps[$0] < gaps[$1] }) else { break }
      kept.remove(at: least + 1)
    }
    return kept
  }

  /// The newest checkpoint that can be read, with the number of steps it was taken after.
  ///
  /// A broken one is passed over for the one before it, and `warn` gets a line about it. Nil when
  /// there is none at all; `.data` when all are broken.
  package func latestCheckpoint(
    warn: (String) -> Void = { _ in }
  ) throws -> (checkpoint: Checkpoint, step: Int)? {
    let steps = checkpointSteps()
    for step in steps.reversed() {
      do {
        return (try Checkpoint.read(from: checkpointPath(step: step)), step)
      } catch let error as UserError {
        warn("checkpoint passed over: \(error)")
      }
    }
    guard steps.isEmpty else {
      throw UserError(
        .data,
        checkpointsPath,
        "\(Format.counted(steps.count, "checkpoint")), none of which can be read",
        remedy: "restore one from a copy, or start a new run"
      )
    }
    return nil
  }

  /// Steps of the checkpoints on disk, ascending.
  package func checkpointSteps() -> [Int] {
    (names(in: checkpointsPath) ?? [])
      .compactMap { name in
        name.wholeMatch(of: /step-(\d{8,})\.safetensors/).flatMap { Int($0.1) }
      }
      .sorted()
  }
}
