import Foundation

/// A run on disk: `config.yaml`, `run.sqlite`, `checkpoints/` and `exports/`, and beside them in a
/// training `network.json` and perhaps `start.safetensors`, in a search perhaps `latency.json`
/// (spec S120).
package struct RunFolder: Sendable, Equatable {
  /// Path of the folder, as given and without a slash at its end.
  package let path: String

  /// Last part of the path.
  package var name: String { Path.name(path) }
  /// The complete and resolved settings.
  package var configurationPath: String { path + "/config.yaml" }
  /// The architecture that a training trains.
  package var networkPath: String { path + "/network.json" }
  /// The weights that a training starts from; no file where they are sampled.
  package var startPath: String { path + "/start.safetensors" }
  /// The trained network that a training leaves: weights, statistics and architecture.
  package var weightsPath: String { exportsPath + "/network.safetensors" }
  /// The latencies that a search went by; no file where none were needed.
  package var latencyPath: String { path + "/latency.json" }
  /// The SQLite store.
  package var storePath: String { path + "/run.sqlite" }
  /// Folder of the checkpoints.
  package var checkpointsPath: String { path + "/checkpoints" }
  /// Folder for what a person takes away.
  package var exportsPath: String { path + "/exports" }

  /// The folder at `path`, whatever is in it.
  init(path: String) {
    var bytes = path.utf8[...]
    while bytes.count > 1, bytes.last == UInt8(ascii: "/") { bytes.removeLast() }
    self.path = String(Substring(bytes))
  }

  /// Makes a search in a new or empty folder; errors as `create(at:settings:network:start:)`.
  package static func create(at path: String, config: Configuration) throws -> RunFolder {
    try create(at: path, settings: .search(config))
  }

  /// Makes a run in a new or empty folder and the missing folders above it.
  ///
  /// `network` is the architecture of a training as JSON, `start` weights to begin with. Errors:
  /// `.configuration` for settings that do not hold, `.cannotCreate` for a folder that cannot be
  /// made or holds something already.
  package static func create(
    at path: String,
    settings: RunSettings,
    network: Data? = nil,
    start: Checkpoint? = nil
  ) throws -> RunFolder {
    try settings.validate()
    let folder = RunFolder(path: path)
    let fault = makeFolders(folder.path)
    guard fault == 0 else {
      throw UserError(
        .cannotCreate,
        path.isEmpty ? "''" : folder.path,
        "the folder cannot be made, \(systemMessage(fault))",
        remedy: "choose another place with --run"
      )
    }
    let content = names(in: folder.path) ?? []
    guard content.isEmpty else {
      throw UserError(
        .cannotCreate,
        folder.path,
        content.contains("run.sqlite") ? "holds a run already" : "is not empty",
        remedy: content.contains("run.sqlite")
          ? "continue with supertop resume, or choose another folder" : "choose another folder"
      )
    }
    for part in [folder.checkpointsPath, folder.exportsPath] where mkdir(part, 0o755) != 0 {
      throw UserError(
        .cannotCreate,
        part,
        "the folder cannot be made, \(systemMessage())",
        remedy: "choose another place with --run"
      )
    }
    if let network {
      try writeWhole(to: folder.networkPath) { write in try network.withUnsafeBytes(write) }
    }
    try start?.write(to: folder.startPath)
    try writeWhole(settings.yaml(), to: folder.configurationPath)
    // Last: a folder with a store is a complete run.
    try RunStore.create(at: folder.storePath)
    return folder
  }

  /// Makes a search in the next free `<parent>/<preset>-<n>`, n counted from 1.
  package static func createNext(
    for config: Configuration,
    under parent: String = "runs"
  ) throws -> RunFolder {
    try createNext(settings: .search(config), under: parent)
  }

  /// Makes a run in the next free `<parent>/<preset or network>-<n>`, n counted from 1.
  package static func createNext(
    settings: RunSettings,
    network: Data? = nil,
    start: Checkpoint? = nil,
    under parent: String = "runs"
  ) throws -> RunFolder {
    let parent = RunFolder(path: parent).path
    let prefix = settings.name.replacing("/", with: "-") + "-"
    let taken = (names(in: parent) ?? [])
      .compactMap { $0.hasPrefix(prefix) ? Int($0.dropFirst(prefix.count)) : nil }
    _ = makeFolders(parent)
    var path = ""
    for number in ((taken.max() ?? 0) + 1)... {
      path = "\(parent)/\(prefix)\(number)"
      // Another process may take the number first; any other failure is reported by `create`.
      if mkdir(path, 0o755) == 0 || errno != EEXIST { break }
    }
    return try create(at: path, settings: settings, network: network, start: start)
  }

  /// An existing run, its store's format checked.
  ///
  /// Errors: `.noInput` for no such folder, `.data` for one that is no run, a run of another format
  /// version or a damaged store.
  package static func open(path: String) throws -> RunFolder {
    let folder = RunFolder(path: path)
    guard pathExists(path) else {
      throw UserError(.noInput, folder.path, "no such folder", remedy: "name a folder in runs/")
    }
    guard pathExists(folder.storePath) else {
      throw UserError(
        .data,
        folder.path,
        "not a run, it holds no run.sqlite",
        remedy: isFolder(path)
          ? "name a folder in runs/, or search on the images in it with supertop \(path)"
          : "name a folder in runs/"
      )
    }
    if !folder.isShared { _ = try folder.reader() }
    return folder
  }

  /// The settings of the run.
  package func settings() throws -> RunSettings { try RunSettings.load(path: configurationPath) }

  /// The settings of a search; `.data` for a run of another kind.
  package func configuration() throws -> Configuration {
    let settings = try settings()
    guard case .search(let configuration) = settings else {
      throw UserError(
        .data,
        path,
        settings.kind.settings,
        remedy: "name a search of dnas or random"
      )
    }
    return configuration
  }

  /// Takes the right to write; keep the value for as long as the trainer works.
  ///
  /// `.busy` when taken. Where machines share the run, it may take as long to know as a dead one is
  /// waited for, unless `waits` is false.
  package func lock(waits: Bool = true) throws -> TrainerLock {
    try TrainerLock(runFolder: path, waits: waits)
  }

  /// Process that trains on this run now, from its lock; nil when none does.
  package func trainer() -> Int32? { TrainerLock.holder(of: path) }

  /// Seconds since 1970 of the trainer's last sign of life; nil where none ever was at work.
  package func lastSign() -> Double? { TrainerLock.lastSign(in: path) }

  /// The store for the trainer, which holds the lock.
  package func store(under lock: TrainerLock? = nil) throws -> RunStore {
    try RunStore(path: storePath, lock: lock)
  }

  /// The store for those who watch, live or finished.
  ///
  /// `.busy` while a process of another machine writes it, as SQLite's log cannot be read then.
  package func reader() throws -> RunReader {
    if let holder = TrainerLock.leaseholder(in: path), holder.machine != Machine.identity {
      throw UserError(
        .busy,
        path,
        "process \(holder.process) on \(holder.host) is at work on it, or died there",
        remedy: "watch it there; supertop farm status knows the trials, and farm collect waits for "
          + "a dead process"
      )
    }
    return try RunReader(path: storePath)
  }
}
