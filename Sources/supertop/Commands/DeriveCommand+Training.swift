import ArgumentParser
import Foundation
import Networks
import Runs
import Search
import Training

/// The networks that are trained from scratch.
extension DeriveCommand {
  /// Trains the first `top` networks of the table, and the one at `extra`; the search's store keeps
  /// each epoch.
  func retrain(
    _ table: DeriveTable,
    _ deriver: Deriver,
    _ settings: TrainingConfiguration,
    _ folder: RunFolder,
    _ store: RunStore,
    _ signals: Signals,
    with extra: Int?
  ) throws {
    let places = trained(table, with: extra)
    let trials = trials(places, table, deriver, settings)
    let runner = TrialRunner(
      path: folder.path + "/derived",
      acceptsChangedData: acceptChangedData,
      sharing: try folder.sharing()
    )
    var reported: [Int: Int] = [:]
    let results = try runner.run(trials, stops: { signals.received != nil }) { trial, progress in
      let index = places[trial]
      table.records[index].run = "derived/" + progress.run.name
      table.records[index].epochs = [progress.epochsDone, progress.epochs]
      table.records[index].trainedAccuracy = progress.lastEpoch?.validationAccuracy
      if progress.epochsDone > reported[index, default: 0] {
        reported[index] = progress.epochsDone
        try store.record(derived: table.records[index])
        if json { try print(event: "epoch", table.records[index]) }
      }
      if let result = progress.result {
        table.records[index].top1 = result.testAccuracy
        try store.record(derived: table.records[index])
      }
      if !json { table.show() }
    }
    if results == nil {
      table.hide()
      throw interrupted(signals.received ?? SIGINT, Ticker())
    }
  }

  /// Makes the runs of the networks that `retrain` would train, for the workers of a farm.
  ///
  /// Errors: `.usage` where nothing is to be trained.
  func prepare(
    _ table: DeriveTable,
    _ deriver: Deriver,
    _ settings: TrainingConfiguration,
    _ folder: RunFolder,
    _ store: RunStore,
    _ sharing: Sharing,
    with extra: Int?
  ) throws {
    let places = settings.recipe.epochs > 0 ? trained(table, with: extra) : []
    guard !places.isEmpty else {
      throw UserError(
        .usage,
        "--top \(top) --retrain-epochs \(settings.recipe.epochs)",
        "nothing is left to train",
        remedy: "give 1 or more of both"
      )
    }
    let runner = TrialRunner(path: folder.path + "/derived", sharing: sharing)
    let images = try folder.configuration().data
    for (place, var trial) in zip(places, trials(places, table, deriver, settings)) {
      if images.source == settings.data.source, images.resolution == settings.data.resolution {
        trial.data = try store.reader.data()
      }
      let run = try runner.folder(of: trial)
      table.records[place].run = "derived/" + run.name
      table.records[place].epochs = [
        try run.report().epochs.count, trial.settings.recipe.trainedEpochs,
      ]
      try store.record(derived: table.records[place])
    }
    try Farm.make(
      folder,
      trials: places.compactMap { table.records[$0].run },
      isJoint: false,
      sharing: sharing
    )
  }

  /// Places of the networks that are trained: the first `top` of the table, and `extra`.
  private func trained(_ table: DeriveTable, with extra: Int?) -> [Int] {
    // Beside the uniform scaling, the best of those that it is compared with.
    let first = table.records.indices
      .filter { extra == nil || table.records[$0].source != "uniform" }
      .prefix(top)
    return first + (extra.map { [$0] } ?? [])
  }

  private func trials(
    _ places: [Int],
    _ table: DeriveTable,
    _ deriver: Deriver,
    _ settings: TrainingConfiguration
  ) -> [Trial] {
    places.map { place in
      let record = table.records[place]
      let network = deriver.network(record)
      var settings = settings
      settings.network = network.name
      return Trial(
        // Trainings that begin with other weights are not the same.
        name: record.name + (inherit ? "-inherited" : ""),
        network: network,
        settings: settings,
        start: inherit ? deriver.weights(record) : nil
      )
    }
  }
}
