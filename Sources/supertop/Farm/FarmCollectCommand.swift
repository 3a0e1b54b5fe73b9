import ArgumentParser
import Runs
import Search

/// `supertop farm collect RUN`: puts the results on the run's record.
struct FarmCollectCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "collect",
    abstract: "Put what workers have trained on the record of its search.",
    discussion: """
      Derived networks get their accuracies, which 'compare' and 'report' show. Of a joint search, \
      the next round is picked where one is complete; workers do that too.
      """
  )

  @OptionGroup var place: FarmPlace

  @Flag(help: "Print a JSON object.")
  var json = false

  func run() throws {
    let farm = try place.farm()
    try farm.sharing.check(place.path)
    if farm.isJoint {
      if try !farm.lead().isFinished {
        try FarmLead(folder: farm.folder, json: json, isQuiet: true).collect()
      }
    } else {
      try collectDerived(farm)
    }
    let summary = try FarmSummary(farm)
    try json ? Output().json(summary) : Output().text(summary.text)
  }

  private func collectDerived(_ farm: Farm) throws {
    let lock = try farm.folder.lock()
    let store = try farm.folder.store(under: lock)
    for var record in try store.reader.derived() {
      guard let name = record.run, farm.runs.contains(name), let run = farm.run(name) else {
        continue
      }
      let before = record
      let report = try run.report()
      record.epochs?[0] = report.epochs.count
      record.trainedAccuracy = report.epochs.last?.validationAccuracy
      record.top1 = report.result?.testAccuracy
      if record != before { try store.record(derived: record) }
    }
    withExtendedLifetime(lock) {}
  }
}
