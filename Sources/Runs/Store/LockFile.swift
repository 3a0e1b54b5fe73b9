import Foundation

/// A file whose lock the kernel frees however its holder ends, and which names the holder.
final class LockFile: Sendable {
  /// Why a lock was not taken.
  enum Refusal: Error {
    /// The file cannot be opened; the system's error number.
    case unopened(Int32)
    /// Another holder has it, in that process if it is known.
    case held(by: Int32?)
  }

  /// Open for as long as the lock is held.
  let descriptor: Int32

  /// Takes the lock, or throws at once; a look of `holder(of:)` does not count as a holder.
  init(_ path: String) throws(Refusal) {
    let file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
    guard file >= 0 else { throw .unopened(errno) }
    // `holder(of:)` takes a shared lock for a moment: that is not a holder, so try for a while.
    for attempt in 0... {
      if flock(file, LOCK_EX | LOCK_NB) == 0 { break }
      guard attempt < 20 else {
        close(file)
        throw .held(by: Self.identifier(in: path))
      }
      usleep(10_000)
    }
    let text = "\(getpid())\n"
    ftruncate(file, 0)
    _ = text.withCString { pwrite(file, $0, strlen($0), 0) }
    descriptor = file
  }

  deinit { close(descriptor) }

  /// The process that holds the lock of a file, 0 for an unknown one; nil when none does.
  static func holder(of path: String) -> Int32? {
    let file = open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { return nil }
    defer { close(file) }
    return flock(file, LOCK_SH | LOCK_NB) == 0 ? nil : identifier(in: path) ?? 0
  }

  private static func identifier(in path: String) -> Int32? {
    (try? readText(path)).flatMap { Int32($0.trimmingCharacters(in: .whitespacesAndNewlines)) }
  }
}
