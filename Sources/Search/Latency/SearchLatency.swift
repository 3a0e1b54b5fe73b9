import Data
import Foundation
import Runs

/// Finds the latencies that a search uses, and keeps them in the run's folder, so that it
/// resumes and repeats on the same numbers (spec S7).
struct SearchLatency {
  let settings: Configuration
  let folder: RunFolder
  private let space: any LatencySpace

  /// For the search of `settings` on `data`.
  init(settings: Configuration, folder: RunFolder, data: Dataset) {
    self.settings = settings
    self.folder = folder
    space = settings.space.laidOut(
      classes: data.classes,
      channels: data.channels,
      height: data.height,
      width: data.width
    )
  }

  /// What networks cost in milliseconds, what a person should know of that, and for how many
  /// threads.
  struct Prices {
    var cost: any LatencyCost
    var findings: [LatencyDiagnostics.Finding]
    var threads: Int?
    /// That the blocks will be timed again for the next run, if so.
    var warning: String?
  }

  /// The run's own table; else the file that the settings name; else this machine's, measured on
  /// first use.
  ///
  /// Nil where the search has no use for one: FLOPs or weights are the cost, and no table is named.
  /// `progress` hears of a measurement, and ends it by throwing; what was measured is kept. Errors:
  /// those of reading, of a table for another space, and `.unavailable` for a machine too busy to
  /// measure. A cache that cannot be written is none of them: it costs the next run the
  /// measurement.
  func prices(progress: (LatencyProgress) throws -> Void) throws -> Prices? {
    guard settings.search.cost == .latency || !settings.latency.table.isEmpty else { return nil }
    let found = try RunLatency(settings.latency, folder: folder)
      .table(for: space, keeps: true, progress: progress)
    var prices = try prices(found.table, place: found.place)
    prices.warning = found.warning
    return prices
  }

  private func prices(_ table: LatencyTable, place: String) throws -> Prices {
    Prices(
      cost: try space.latencyCost(table, place: place),
      findings: try space.latencyGrid(table, place: place).findings,
      threads: table.threads
    )
  }
}

/// The latency table of a run.
struct RunLatency {
  let settings: Configuration.LatencySettings
  let folder: RunFolder

  /// For the run in `folder`.
  init(_ settings: Configuration.LatencySettings, folder: RunFolder) {
    self.settings = settings
    self.folder = folder
  }

  /// The run's own table; else the file that the settings name; else this machine's, measured on
  /// first use.
  ///
  /// With `keeps` it becomes the run's own.
  ///
  /// `progress` hears of a measurement, and ends it by throwing; what was measured is kept. Errors:
  /// those of reading, of a table for another space, and `.unavailable` for a machine too busy to
  /// measure. A cache that cannot be written is none of them: it costs the next run the
  /// measurement, as `warning` says.
  func table(
    for space: any TimedSpace,
    keeps: Bool,
    progress: (LatencyProgress) throws -> Void
  ) throws -> (table: LatencyTable, place: String, warning: String?) {
    let path = folder.latencyPath
    if pathExists(path) { return (try LatencyTable.load(path: path), path, nil) }
    let named = settings.table
    let place = named.isEmpty ? "latency" : named
    var warning: String?
    let table: LatencyTable
    if named.isEmpty {
      table = try LatencyTable.kept(
        for: space,
        threads: settings.workers,
        progress: progress,
        unkept: {
          warning =
            "\($0.place): \($0.problem); so there is no cache, and each run times the blocks again"
        }
      )
    } else {
      table = try LatencyTable.load(path: named)
    }
    // A table that does not fit the space is reported by its own name, and not kept.
    _ = try space.milliseconds(by: table, place: place)
    guard keeps else { return (table, place, warning) }
    try table.write(to: path)
    // As the file has it, rounded, so that a resumed run pays the same.
    return (try LatencyTable.load(path: path), path, warning)
  }
}

extension Configuration.LatencySettings {
  /// Workers inside a block: as many as are set, or one for each core.
  package var workers: Int {
    threads > 0 ? threads : ProcessInfo.processInfo.activeProcessorCount
  }
}

extension LatencyProgress {
  /// A line for a person.
  package var line: String {
    "measuring latency: block \(cells) of \(cellCount)"
      + (secondsLeft.map { ", \(Int($0.rounded())) s to go" } ?? "")
  }
}

extension SearchTask {
  /// What a person should know of the prices before the search believes them, the worst first.
  ///
  /// `latency` is what its table is found to be, where that is the cost. Errors: `.data` for prices
  /// that no search may use.
  func findings(
    latency: [LatencyDiagnostics.Finding]?
  ) throws -> [(level: LogRecord.Level, text: String)] {
    // Counted costs that are no sum of prices have nothing to be looked over.
    let found =
      configuration.search.cost == .latency
      ? latency ?? []
      : (supernet.costModel as? AdditiveCost).map {
        LatencyDiagnostics.findings(prices: $0, choices: supernet.choices)
      } ?? []
    if let worst = found.first, worst.grade == .error {
      throw UserError(
        .data,
        "latency table",
        worst.text,
        remedy: "see all of it with supertop latency show"
      )
    }
    let ignoresBudget = configuration.limit != nil && !configuration.loss.needsBudget
    var findings: [(level: LogRecord.Level, text: String)] = found.map {
      ($0.grade == .note ? .info : .warning, "prices: \($0.text)")
    }
    if ignoresBudget {
      findings.append(
        (
          .warning,
          "loss.form \(configuration.loss.form.rawValue) does not aim at the budget; only the "
            + "network at the end will be within it"
        )
      )
    }
    return findings
  }
}
