/// A run that processes of several machines work on, over a file system that they share.
extension RunFolder {
  /// Whether its lock has to hold between machines.
  ///
  /// Its store is opened by the lock's holder alone then: SQLite's log is not for the file systems
  /// of networks.
  package var isShared: Bool { pathExists(Sharing.path(in: path)) }

  /// What those who work on it agree on; nil where it is of one machine.
  ///
  /// Errors: `.data` for a damaged file.
  package func sharing() throws -> Sharing? { try Sharing.of(path) }

  /// Lets its lock hold between machines from now on.
  package func share(_ sharing: Sharing) throws {
    guard try self.sharing() != sharing else { return }
    try writeRecord(sharing, to: Sharing.path(in: path))
  }
}
