import Foundation

/// A new file that others read while it grows, record by record.
///
/// Readers meet whole records only: one that there is no room for leaves nothing of itself. The
/// file is locked for as long as it grows; `isGrowing` asks for that.
package final class GrowingFile {
  /// Where it is.
  package let path: String
  private let file: Int32
  private var size = 0

  /// Makes the file; `.cannotCreate` where it cannot be made or there is one already.
  package init(creating path: String) throws {
    self.path = path
    file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
    guard file >= 0 else { throw cannotBeWritten(path, errno) }
    flock(file, LOCK_EX | LOCK_NB)
  }

  deinit { close(file) }

  /// Adds whole records; `.io` where they cannot be written, and then none of them is there.
  package func append(_ records: some ContiguousBytes) throws {
    try records.withUnsafeBytes { bytes in
      guard writeAll(bytes, to: file) else {
        let number = errno
        ftruncate(file, off_t(size))
        lseek(file, off_t(size), SEEK_SET)
        throw writingFailed(path, number)
      }
      size += bytes.count
    }
  }

  /// Empties a file that another has taken the place of, and removes one that is empty.
  ///
  /// A reader who is at a file's end goes on to the next one, but TensorBoard stays for ever at one
  /// that was removed.
  package static func empty(_ path: String) {
    if fileSize(path) == 0 { unlink(path) } else { truncate(path, 0) }
  }

  /// Whether another process, or this one, is still adding to a file.
  package static func isGrowing(_ path: String) -> Bool { LockFile.holder(of: path) != nil }
}

/// Makes a folder for outputs, and those above it; `.cannotCreate` where that does not go.
package func makeOutputFolder(_ path: String) throws {
  let fault = path.isEmpty ? ENOENT : makeFolders(path)
  guard fault == 0 else {
    throw UserError(
      .cannotCreate,
      path.isEmpty ? "''" : path,
      "the folder cannot be made, \(systemMessage(fault))",
      remedy: [EEXIST, ENOTDIR].contains(fault)
        ? "a file is in its place, or above it" : "choose another place"
    )
  }
}
