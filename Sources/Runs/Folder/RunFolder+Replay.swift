import Foundation

extension RunFolder {
  /// Makes a run at `path` that repeats this one: its settings, prices and first weights, and every
  /// request that it had about its course, each before the step at which it was taken up.
  ///
  /// A run without a result is repeated up to the newest checkpoint's step, a branch from the step
  /// at which it branched. Errors: those of `create`, `.noInput` for a run that has done no step,
  /// `.data` for a joint search.
  package func makeReplay(at path: String) throws -> RunFolder {
    let settings = try settings()
    guard settings.kind != .joint else {
      throw UserError(
        .data,
        self.path,
        "a joint search trains its candidates side by side, so it has no steps to repeat",
        remedy: "replay one of its candidates, a run in \(self.path)/trials"
      )
    }
    let reader = try reader()
    guard let last = try latestCheckpoint()?.step else {
      throw UserError(
        .noInput,
        self.path,
        "the run has no checkpoint yet, so there is nothing to compare",
        remedy: "wait for its first epoch, or press c in its dashboard"
      )
    }
    let copy = try RunFolder.create(
      at: path,
      settings: settings,
      network: pathExists(networkPath) ? try network() : nil,
      start: try start()
    )
    var requests = try reader.replayed()
    if let start = try parent()?.step {
      try copyPast(to: copy, step: start)
      let done = Set(try copy.reader().interventions().map(\.id))
      requests.removeAll { done.contains($0.id) }
    } else if pathExists(latencyPath) {
      try writeWhole(try readText(latencyPath), to: copy.latencyPath)
    }
    if try reader.result() == nil {
      requests.removeAll { $0.step ?? 0 > last }
      requests.append(
        Intervention(
          id: .max,
          action: .stop,
          state: .requested,
          step: last,
          requestedAt: 0,
          note: ""
        )
      )
    }
    try copy.store().schedule(requests)
    return copy
  }
}

extension RunReader {
  /// What was asked of a run about its course and taken up or refused, in that order.
  package func replayed() throws -> [Intervention] {
    try interventions().filter { request in
      guard request.step != nil, request.state != .requested else { return false }
      return request.action.asksForNetworks
        ? request.state != .refused : request.action.changesTraining
    }.sorted { ($0.step ?? 0, $0.id) < ($1.step ?? 0, $1.id) }
  }
}

/// How two runs of the same settings agree, bit for bit (spec S82, S121).
package struct RunComparison: Codable, Sendable, Equatable {
  /// The first thing in which two runs differ.
  package struct Difference: Codable, Sendable, Equatable {
    /// What was compared: `steps`, `thetas`, `epochs`, `interventions`, `weights`.
    package var table: String
    /// Global step that it belongs to.
    package var step: Int
    /// What the run has.
    package var recorded: String
    /// What its repetition has.
    package var replayed: String
  }

  /// Steps that were compared.
  package var steps: Int
  /// Requests that were compared, those refused among them.
  package var interventions: Int
  /// Of those the refused ones.
  package var refused: Int
  /// Nil where all is equal.
  package var firstDifference: Difference?

  /// Whether every figure of every step and epoch, θ, requests and weights are equal.
  package var isIdentical: Bool { firstDifference == nil }

  /// Compares all but times and places; of steps and epochs those that both could have.
  ///
  /// Errors: those of reading.
  package init(_ run: RunFolder, _ replay: RunFolder) throws {
    let (first, second) = (try run.reader(), try replay.reader())
    let newest = try replay.latestCheckpoint()
    let limit = newest?.step ?? 0
    let requests = try first.replayed().filter { $0.step ?? 0 <= limit }
    interventions = requests.count
    refused = requests.count { $0.state == .refused }
    let pairs = (try first.steps().filter { $0.step < limit }, try second.steps())
    steps = pairs.0.count
    var found: [Difference] = []
    /// Notes the first pair that differs.
    func compare<T>(
      _ table: String,
      _ a: [T],
      _ b: [T],
      step: (T) -> Int,
      text: (T) -> String
    ) {
      for index in 0..<max(a.count, b.count) {
        let left = index < a.count ? text(a[index]) : "nothing"
        let right = index < b.count ? text(b[index]) : "nothing"
        guard left != right else { continue }
        let at = index < a.count ? step(a[index]) : step(b[index])
        found.append(Difference(table: table, step: at, recorded: left, replayed: right))
        return
      }
    }
    compare("steps", pairs.0, pairs.1, step: \.step) { record in
      var record = record
      record.seconds = 0
      return "\(record)"
    }
    compare(
      "thetas",
      try first.thetas().filter { $0.step < limit },
      try second.thetas(),
      step: \.step
    ) { "\($0)" }
    // A run that was stopped within an evaluation lacks that epoch.
    let evaluated = try first.epochs().filter { $0.step <= limit }
    compare(
      "epochs",
      evaluated,
      try second.epochs().filter { $0.step < limit || evaluated.last?.step == limit },
      step: \.step
    ) { record in
      var record = record
      record.seconds = 0
      return "\(record)"
    }
    compare(
      "interventions",
      requests,
      try second.replayed(),
      step: { $0.step ?? 0 }
    ) { "\($0.action) \($0.state == .refused ? "refused" : "done"): \($0.note)" }
    if let a = try run.checkpoint(step: limit), let b = newest?.checkpoint {
      let (own, other) = (a.tensors.map(\.name), b.tensors.map(\.name))
      for (left, right) in zip(a.tensors, b.tensors)
      where left.values.map(\.bitPattern) != right.values.map(\.bitPattern) {
        found.append(
          Difference(
            table: "weights",
            step: limit,
            recorded: left.name,
            replayed: "other values"
          )
        )
        break
      }
      if own != other {
        found.append(
          Difference(
            table: "weights",
            step: limit,
            recorded: own.joined(separator: " "),
            replayed: other.joined(separator: " ")
          )
        )
      }
    }
    // The cause comes before what follows from it.
    firstDifference = found.min { $0.step < $1.step }
  }
}

extension RunFolder {
  /// The checkpoint that was taken after so many steps; nil where it is not kept.
  func checkpoint(step: Int) throws -> Checkpoint? {
    let path = checkpointPath(step: step)
    return pathExists(path) ? try Checkpoint.read(from: path) : nil
  }
}
