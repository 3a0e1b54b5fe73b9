import Runs

/// Runs and folders of runs that a person names.
struct RunPlaces {
  /// As they were named, without slashes at their ends.
  let paths: [String]

  /// Checks that each path is a folder; `.noInput` for one that is not there, `.data` for a file.
  init(_ paths: [String]) throws {
    self.paths = try paths.map { path in
      guard pathExists(path) else {
        throw UserError(
          .noInput,
          path.isEmpty ? "''" : path,
          "no such folder",
          remedy: "name a run, or a folder that holds runs"
        )
      }
      guard isFolder(path) else {
        throw UserError(.data, path, "a file, not a folder", remedy: "name a folder of runs")
      }
      return path.count > 1 && path.hasSuffix("/") ? String(path.dropLast()) : path
    }
  }

  /// What a list is shown of; nil where one run is named, or one folder that has nothing to do with
  /// runs.
  init?(watching paths: [String]) throws {
    if paths.count == 1 {
      guard isFolder(paths[0]), !RunScanner.isRun(paths[0]) else { return nil }
      // An empty folder may get its first run while one looks; any other is a mistake.
      guard
        try visibleEntries(paths[0]).isEmpty || !(try RunScanner.runs(in: paths[0])).isEmpty
      else { return nil }
    }
    try self.init(paths)
  }
}
