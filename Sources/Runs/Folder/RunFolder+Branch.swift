import Foundation

extension RunFolder {
  /// Makes a run that goes on from the newest checkpoint of this one at or before `step`, with
  /// `changes` of its settings as `key.path=value`; at `path`, or at the next free `<run>-b<n>`.
  ///
  /// It has this run's records up to there, so it is shown and resumed like any other; this run
  /// stays as it is, and may be under way. Errors: those of `create`, `.usage` for a step before
  /// the first checkpoint, `.configuration` for a change that its weights or records do not allow,
  /// `.data` for a joint search.
  package func makeBranch(
    at path: String? = nil,
    step: Int? = nil,
    changes: [String] = []
  ) throws -> RunFolder {
    let settings = try settings()
    guard settings.kind != .joint else {
      throw UserError(
        .data,
        self.path,
        "a joint search has no steps to branch from",
        remedy: "give it more rounds with supertop resume --rounds"
      )
    }
    let steps = checkpointSteps()
    guard let start = steps.last(where: { $0 <= step ?? .max }) else {
      throw UserError(
        .usage,
        step.map { "--at \($0)" } ?? self.path,
        steps.isEmpty ? "the run has no checkpoint yet" : "the run has no checkpoint so early",
        remedy: steps.first.map { "branch at step \($0) or later" }
          ?? "wait for its first epoch, or press c in its dashboard"
      )
    }
    let branch = try RunFolder.create(
      at: path ?? nextBranch,
      settings: try settings.changed(by: changes),
      network: pathExists(networkPath) ? try network() : nil,
      start: try self.start()
    )
    do {
      try copyPast(to: branch, step: start)
      try branch.write(parent: RunParent(run: absolutePath, step: start))
      try branch.store().log(.info, "branched from \(name) at step \(start)")
    } catch {
      // Half a branch is of no use to anybody.
      removeAll(branch.path)
      throw error
    }
    return branch
  }

  /// Where the next branch goes unless somebody says otherwise.
  private var nextBranch: String {
    let number = (1...).first { !pathExists("\(path)-b\($0)") } ?? 1
    return "\(path)-b\(number)"
  }

  /// Gives a new run the checkpoint after `step` steps, and what was recorded by then.
  func copyPast(to copy: RunFolder, step: Int) throws {
    let checkpoint = try Checkpoint.read(from: checkpointPath(step: step))
    try checkpoint.write(to: copy.checkpointPath(step: step))
    if pathExists(latencyPath) { try writeWhole(try readText(latencyPath), to: copy.latencyPath) }
    let store = try copy.store()
    try store.adopt(from: storePath, step: step, lastRequest: checkpoint.lastRequest)
    var status = try reader().status() ?? RunStatus()
    status.state = .stopped
    status.message = "stopped at step \(step)"
    status.step = step
    let epochs = try store.reader.epochs()
    status.epoch = epochs.count
    status.stepInEpoch = step - (epochs.last?.step ?? 0)
    (status.progress, status.etaSeconds, status.imagesPerSecond) = (0, nil, 0)
    try store.setStatus(status)
  }
}

extension Checkpoint {
  /// Key of the text that says where in its training a checkpoint was taken.
  package static let placeKey = "training"

  /// The last request that had changed the training by then; -1 where the checkpoint says none.
  fileprivate var lastRequest: Int64 {
    struct Place: Decodable { var lastIntervention: Int64 }
    guard let text = metadata[Self.placeKey],
      let place = try? JSONDecoder().decode(Place.self, from: Data(text.utf8))
    else { return -1 }
    return place.lastIntervention
  }
}

extension RunSettings {
  /// The settings with `changes`, each `key.path=value`, of what weights and records do not depend
  /// on.
  ///
  /// Errors: `.configuration` for any other key, and for settings that do not fit together.
  package func changed(by changes: [String]) throws -> RunSettings {
    var changed = self
    for change in changes {
      let before = changed
      switch changed {
      case .search(var settings):
        try settings.set(change)
        changed = .search(settings)
      case .training(var settings):
        try settings.assign(change)
        changed = .training(settings)
      case .joint(var settings):
        try settings.set(change)
        changed = .joint(settings)
      }
      guard changed.goesOn(from: before) else {
        throw UserError(
          .configuration,
          "--set \(change)",
          "a branch keeps its parent's data, seed, batches, space and network",
          remedy: "start a new run for it"
        )
      }
    }
    try changed.validate()
    return changed
  }

  /// Whether a run of these settings can go on from weights and records of one of `other`.
  private func goesOn(from other: RunSettings) -> Bool {
    switch (self, other) {
    case (.search(var own), .search(let other)):
      (own.threads, own.recompute) = (other.threads, other.recompute)
      (own.budget, own.weights, own.theta) = (other.budget, other.weights, other.theta)
      (own.temperature, own.loss) = (other.temperature, other.loss)
      own.search.epochs = other.search.epochs
      own.search.recalibrationImages = other.search.recalibrationImages
      own.search.randomNetworks = other.search.randomNetworks
      own.search.rankedNetworks = other.search.rankedNetworks
      return own == other
    case (.training(var own), .training(let other)):
      (own.threads, own.recompute) = (other.threads, other.recompute)
      var recipe = other.recipe
      recipe.optimiser = own.recipe.optimiser
      recipe.validationShare = own.recipe.validationShare
      recipe.batch = own.recipe.batch
      recipe.ema = own.recipe.ema
      (recipe.shift, recipe.flip) = (own.recipe.shift, own.recipe.flip)
      own.recipe = recipe
      return own == other
    default: return self == other
    }
  }
}
