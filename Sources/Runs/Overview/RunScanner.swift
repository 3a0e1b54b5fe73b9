import Foundation

/// Reads many runs, each again only when its store has changed.
///
/// No connection stays open between two scans: hundreds of runs would need more files than a
/// process may have.
package final class RunScanner {
  /// What a store looked like when it was read.
  private struct Stamp: Equatable {
    var store: Double?
    var log: Double?
    var settings: Double?
    var parent: Double?

    /// Whether a change could follow that leaves the times as they are.
    func isFresh(_ now: Double) -> Bool {
      [store, log, settings, parent].compactMap(\.self).contains { now - $0 < 0.05 }
    }
  }

  private struct Entry {
    /// Nil where the store has to be read again.
    var stamp: Stamp?
    var run: RunOverview
    /// Place of its last read among all reads.
    var place: Int
  }

  /// Whether the last scan has left out no run.
  package private(set) var isComplete = false

  private let places: [String]
  private var known: [String: Entry] = [:]
  private var reads = 0
  private var settings: [String: (time: Double?, value: RunSettings)] = [:]

  /// A scanner of runs and of folders that hold runs.
  package init(places: [String]) {
    self.places = places
  }

  /// Whether a folder is a run, by its store.
  package static func isRun(_ path: String) -> Bool { pathExists(path + "/run.sqlite") }

  /// The runs in a folder, by name; numbers in names count as numbers.
  ///
  /// Throws `.noInput` when the folder cannot be read.
  package static func runs(in folder: String) throws -> [FolderEntry] {
    try visibleEntries(folder).filter { entry in
      // A name that cannot be opened is still to be told of.
      guard entry.isFolder, let name = try? entry.name(in: folder) else { return entry.isFolder }
      return isRun(folder + "/" + name)
    }.sorted { $0.shown.compare($1.shown, options: .numeric) == .orderedAscending }
  }

  /// All runs there are now, in the order of their places.
  ///
  /// At least one run that has changed is read. After so many seconds the others are left as they
  /// were seen last, and those that were never read are left out.
  package func scan(within seconds: Double = .infinity) -> [RunOverview] {
    let end = Date().timeIntervalSince1970 + seconds
    var seen: Set<String> = []
    let found = places.flatMap(look).filter { seen.insert($0.path).inserted }
    known = known.filter { seen.contains($0.key) }
    for (path, stamp) in changed(found) {
      reads += 1
      known[path] = Entry(stamp: stamp, run: read(path), place: reads)
      guard Date().timeIntervalSince1970 < end else { break }
    }
    let runs = found.compactMap { run in
      run.state == .unreadable ? run : known[run.path].map { judged($0.run) }
    }
    isComplete = runs.count == found.count
    return runs
  }

  /// The runs to be read and what to keep of their stamps, the one that was read longest ago first:
  /// a large run that changes all the time would keep the others from ever being read.
  private func changed(_ found: [RunOverview]) -> [(path: String, stamp: Stamp?)] {
    found.enumerated().compactMap { index, run -> (order: (Int, Int), run: (String, Stamp?))? in
      guard run.state != .unreadable else { return nil }
      let (entry, stamp) = (known[run.path], Self.stamp(run.path))
      guard entry?.stamp != stamp else { return nil }
      let kept = stamp.isFresh(Date().timeIntervalSince1970) ? nil : stamp
      return ((entry?.place ?? 0, index), (run.path, kept))
    }.sorted { $0.order < $1.order }.map { (path: $0.run.0, stamp: $0.run.1) }
  }

  /// The runs of a place, not read yet.
  private func look(at place: String) -> [RunOverview] {
    if Self.isRun(place) { return [RunOverview(path: place)] }
    do {
      return try Self.runs(in: place).map { entry in
        do {
          let name = try entry.name(in: place)
          return RunOverview(path: place == "/" ? "/" + name : place + "/" + name)
        } catch {
          return RunOverview(
            path: place + "/" + entry.shown,
            state: .unreadable,
            problem: "\(error)"
          )
        }
      }
    } catch {
      return [RunOverview(path: place, state: .unreadable, problem: "\(error)")]
    }
  }

  private func read(_ path: String) -> RunOverview {
    do {
      let folder = try RunFolder.open(path: path)
      let time = modificationTime(folder.configurationPath)
      let loaded: RunSettings
      if let kept = settings[path], kept.time == time {
        loaded = kept.value
      } else {
        loaded = try folder.settings()
        settings[path] = (time, loaded)
      }
      return try RunOverview(reading: folder, settings: loaded)
    } catch {
      return RunOverview(path: path, state: .unreadable, problem: "\(error)")
    }
  }

  private func judged(_ run: RunOverview) -> RunOverview {
    run.judged(
      isAlive: TrainerLock.holder(of: run.path) != nil,
      lastSign: TrainerLock.lastSign(in: run.path),
      now: Date().timeIntervalSince1970
    )
  }

  private static func stamp(_ path: String) -> Stamp {
    Stamp(
      store: modificationTime(path + "/run.sqlite"),
      log: modificationTime(path + "/run.sqlite-wal"),
      settings: modificationTime(path + "/config.yaml"),
      parent: modificationTime(path + "/parent.json")
    )
  }
}
