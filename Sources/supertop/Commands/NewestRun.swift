import Foundation
import Runs

/// The run that a command takes where a person names none: that of `runs/` which a trainer was at
/// work on last.
enum NewestRun {
  private static let place = "runs"

  /// What was named, or else the newest run, which standard error tells.
  ///
  /// Errors: `.noInput` where there is no run.
  static func path(_ named: String?) throws -> String {
    if let named { return named }
    let runs = isFolder(place) ? try RunScanner.runs(in: place) : []
    let paths = runs.compactMap { try? "\(place)/\($0.name(in: place))" }
    guard let newest = paths.max(by: { lastLife($0) < lastLife($1) }) else {
      throw UserError(
        .noInput,
        place,
        "no run here to take",
        remedy: "name one, or start one with supertop"
      )
    }
    Output(descriptor: STDERR_FILENO).line(
      "supertop: the newest run, \(newest)",
      linking: newest
    )
    return newest
  }

  /// When a trainer last lived, in seconds; a run that never had one begins with its store.
  private static func lastLife(_ run: String) -> Double {
    TrainerLock.lastSign(in: run) ?? modificationTime("\(run)/run.sqlite") ?? 0
  }
}
