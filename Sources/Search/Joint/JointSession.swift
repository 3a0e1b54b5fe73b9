import Data
import Foundation
import Networks
import Runs
import Training

/// A joint search on the trainer's queue: rounds of candidates that are trained, then the genetic
/// search over what was predicted, and the training of its best (FBNetV3; spec S43–S46).
///
/// Everything that decides is on record before it acts, and a round's candidates depend on the
/// records of the rounds before alone; so a run that was killed continues to the same end.
final class JointSession: RunSession {
  let settings: JointConfiguration
  let folder: RunFolder
  let store: RunStore
  let runner: TrialRunner
  let work: JointWork
  /// Where machines share the run: what it tells the others.
  let farm: Farm?
  var lead = Farm.Lead()
  /// Fingerprints of the images by their side, for the trainings of other machines.
  private(set) var data: [Int: DataFingerprint] = [:]
  var records: JointRecords
  var status: RunStatus
  var isPaused = false
  /// The algorithms under the limits of the last round: pretraining takes seconds.
  private var prepared: (constraints: [JointProblem.Constraint], search: JointSearch)?
  /// Requests to stop, by their ids.
  var openStops: [Int64] = []
  /// Candidates being trained, by their place in `trials`.
  var active: [Int: TrialRunner.Attempt] = [:]

  /// Takes up the search of `settings` where the store has it.
  ///
  /// Errors: `.configuration` for limits below every network of the space, `.usage` under a
  /// launcher.
  init(
    _ settings: JointConfiguration,
    _ preparation: Trainer.Preparation,
    work: JointWork
  ) throws {
    guard preparation.ranks == nil else {
      throw UserError(
        .usage,
        preparation.folder.path,
        "the candidates of a joint search are trained apart, not by processes together",
        remedy: "start it without a launcher"
      )
    }
    self.settings = settings
    folder = preparation.folder
    store = preparation.store
    self.work = work
    farm = folder.isShared ? try Farm(folder) : nil
    runner = TrialRunner(
      path: folder.path + "/trials",
      acceptsChangedData: true,
      sharing: farm?.sharing,
      threads: work.threads
    )
    let latency = try RunLatency(settings.latency, folder: folder).joint(
      settings,
      channels: preparation.data.channels,
      classes: preparation.data.classes,
      isNeeded: settings.budget.latency > 0 || !settings.latency.table.isEmpty,
      keeps: true
    ) { try preparation.report($0.line, $0.share) }
    if let warning = latency?.warning { try preparation.log(.warning, warning) }
    records = JointRecords(
      settings,
      space: try JointSpace.laidOut(
        settings,
        channels: preparation.data.channels,
        classes: preparation.data.classes,
        latency: latency?.latency
      ),
      trials: try store.reader.trials(),
      progress: try store.reader.jointProgress()
    )
    // Candidates that are trained side by side would each pack the same images.
    for side in settings.space.resolutions where side != settings.data.resolution {
      var images = settings.dataSettings
      images.resolution = side
      data[side] = try Dataset.load(images) { try preparation.report($1, $0) }.fingerprint
    }
    data[settings.data.resolution] = preparation.data.fingerprint
    status = try store.reader.status() ?? RunStatus()
    try store.setChoices(records.space.choices)
    if records.trials.isEmpty {
      // Before anything is trained: limits that nothing keeps end the run at once.
      _ = try search(in: 0)
    } else {
      try store.log(.info, "resumed at candidate \(records.trials.count { $0.isSettled } + 1)")
    }
  }

  // MARK: The stages

  func train() throws -> RunResult? {
    // However it ends, nothing is trained behind its back.
    defer { active.values.forEach { $0.stop() } }
    try beginLead()
    var round = 0
    while round < records.rounds {
      guard try coarse(round) else { return try stop() }
      round += 1
    }
    guard try fine() else { return try stop() }
    let result = try conclude()
    try store.setResult(try result.json())
    try tell { $0.isFinished = true }
    try show(.finished, "finished")
    return .joint(result)
  }

  /// The algorithms under the limits of a round.
  private func search(in round: Int) throws -> JointSearch {
    let problem = records.problem(in: round)
    if let known = prepared, known.constraints == problem.constraints { return known.search }
    let search = try JointSearch(problem, settings: settings, seed: settings.seed)
    prepared = (problem.constraints, search)
    return search
  }

  /// One round; false if somebody asked to stop.
  private func coarse(_ round: Int) throws -> Bool {
    if !records.trials.contains(where: { $0.round == round && $0.stage == .coarse }) {
      try show(.running, "picking the candidates of round \(round + 1)")
      let picks = try search(in: round).candidates(
        settings.search.candidates,
        round: round,
        history: records.history
      )
      try add(
        picks,
        .coarse,
        round: round,
        recipe: stopped(at: round == 0 ? nil : records.stopEpoch)
      )
      if picks.count < settings.search.candidates {
        try store.log(.notice, "round \(round + 1): only \(picks.count) new candidates are left")
      }
    }
    guard try run(round) else { return false }
    if round == 0, records.progress.stopEpoch == nil { try fixEarlyStop() }
    // Of a later round nothing is known yet when this one has ended.
    if records.trials.last?.round == round { try check() }
    return true
  }

  /// The genetic search and the training of its best; false if somebody asked to stop.
  private func fine() throws -> Bool {
    let round = records.rounds
    if !records.trials.contains(where: { $0.stage == .fine && $0.round == round }) {
      try show(.running, "genetic search over architectures and recipes")
      let search = try search(in: round)
      records.progress.generations = []
      var picks =
        settings.search.algorithm == .random
        ? try search.candidates(settings.fine.candidates, round: round, history: records.history)
        : try search.fine(settings.fine.candidates, history: records.history, progress: note)
      // The best of the coarse stage may have been stopped early.
      if let best = records.leader(in: records.problem(in: round))?.trial,
        best.recipe.trainedEpochs < settings.recipe.epochs
      {
        picks.append(JointSearch.Pick(point: best.point, predicted: nil, spread: nil))
      }
      try add(picks, .fine, round: round, recipe: stopped(at: nil))
    }
    return try run(round)
  }

  private func note(_ generation: JointSearch.Generation) throws {
    records.progress.generations.append(
      JointProgress.Generation(
        number: generation.number,
        best: LogOdds.accuracy(generation.best),
        mean: LogOdds.accuracy(generation.mean),
        children: generation.children
      )
    )
    try store.record(progress: records.progress)
    try show(.running, "genetic search: generation \(generation.number)")
  }

  // MARK: Candidates

  /// A recipe that stops after `epoch` epochs; nil for all of them.
  private func stopped(at epoch: Int?) -> (Recipe) -> Recipe {
    { recipe in
      var recipe = recipe
      recipe.stopEpoch = epoch.map { $0 < recipe.epochs ? $0 : 0 } ?? 0
      return recipe
    }
  }

  /// Records new candidates.
  func add(
    _ picks: [JointSearch.Pick],
    _ stage: TrialRecord.Stage,
    round: Int,
    recipe: (Recipe) -> Recipe
  ) throws {
    let new = picks.enumerated().map { index, pick in
      let costs = records.space.costs(of: pick.point)
      return TrialRecord(
        number: records.trials.count + index + 1,
        stage: stage,
        round: round,
        options: pick.point.options,
        resolution: records.space.resolution(of: pick.point),
        recipe: recipe(records.space.recipe(of: pick.point)),
        flops: costs.flops,
        params: costs.params,
        latency: costs.latency,
        predicted: pick.accuracy,
        spread: pick.accuracySpread
      )
    }
    try store.record(trials: new)
    records.trials += new
  }

  /// Fixes the early stop by the first round (spec S43).
  private func fixEarlyStop() throws {
    let finished = records.trials.filter { $0.state == .finished && $0.round == 0 }
    let ranks = JointProgress.EarlyRanks(finished)
    records.progress.earlyRanks = ranks
    records.progress.stopEpoch =
      ranks.stopEpoch(at: settings.search.rankCorrelation, by: settings.search.earlySignal)
      ?? settings.recipe.epochs
    try store.record(progress: records.progress)
    let (stop, all) = (records.stopEpoch, settings.recipe.epochs)
    let agreement = ranks.curve(settings.search.earlySignal).dropFirst(stop - 1).first ?? 1
    try store.log(
      .notice,
      stop < all
        ? "candidates stop after \(Format.counted(stop, "epoch")) of \(all): their ranks agree "
          + "with the last epoch's by \(Format.fixed(agreement, 2))"
        : "candidates are trained to the end: no earlier epoch ranks them as the last one does"
    )
  }

  /// Notes how well the predictor ranks candidates that it has not seen.
  private func check() throws {
    let history = records.history
    guard settings.search.algorithm != .random, history.count >= PredictorCheck.fewest,
      records.progress.held.last?.candidates ?? 0 < history.count
    else { return }
    try show(.validating, "checking the predictor")
    let found = try search(in: records.rounds).crossValidated(history)
    records.progress.held.append(
      JointProgress.Held(
        candidates: history.count,
        spearman: found.spearman,
        kendall: found.kendall
      )
    )
    try store.record(progress: records.progress)
  }

  // MARK: The end

  /// Writes what was found: the best by its validation images of those that were trained to the
  /// end.
  private func conclude() throws -> JointResult {
    let best = records.best
    let from = try best.map { try RunFolder.open(path: folder.path + "/" + $0.run) }
    guard let best, let from,
      case .training(let trained)? = try from.reader().result().map(RunResult.init(json:))
    else {
      throw UserError(
        .configuration,
        "ranges.learning_rates",
        "no candidate was trained to the end",
        remedy: "see supertop report \(folder.path) for the reasons, and lower the rates"
      )
    }
    try folder.makeExports()
    try Checkpoint.read(from: from.weightsPath).write(to: folder.weightsPath)
    try folder.export(String(decoding: try from.network(), as: UTF8.self), as: "network.json")
    try folder.export(best.recipe.yaml(), as: "recipe.yaml")
    let blind = records.trials.filter { $0.round == 0 && $0.state == .finished }
      .compactMap(\.accuracies.last)
    let mean = blind.reduce(0, +) / Double(max(1, blind.count))
    let squares = blind.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    return JointResult(
      algorithm: settings.search.algorithm,
      architecture: records.space.taken(by: best.point).filter { !$0.choice.hasPrefix("recipe.") },
      recipe: best.recipe,
      candidate: best.number,
      validationAccuracy: best.accuracies.last ?? 0,
      testAccuracy: trained.testAccuracy,
      testLoss: trained.testLoss,
      flops: best.flops,
      params: best.params,
      latency: best.latency,
      predictorRankCorrelation: records.progress.held.last?.spearman,
      predictorKendallTau: records.progress.held.last?.kendall,
      trainedCandidates: records.trials.count,
      failedCandidates: records.trials.count { $0.state == .failed },
      stopEpoch: records.stopEpoch,
      sampledMean: mean,
      sampledDeviation: (squares / Double(max(1, blind.count - 1))).squareRoot(),
      weights: folder.absolutePath + "/exports/network.safetensors",
      run: folder.absolutePath,
      epochs: records.trials.reduce(0) { $0 + $1.accuracies.count },
      seconds: records.trials.reduce(0) { $0 + $1.seconds }
    )
  }
}
