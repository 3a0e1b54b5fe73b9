import Foundation

/// The system's words for the present `errno`.
func systemMessage() -> String { String(cString: strerror(errno)) }

/// A regular file's bytes; `.noInput` when it cannot be read.
package func readBytes(_ path: String) throws -> Data {
  var info = stat()
  guard stat(path, &info) == 0 else {
    throw UserError(.noInput, path, systemMessage().lowercased(), remedy: "check the path")
  }
  guard info.st_mode & S_IFMT == S_IFREG else {
    throw UserError(.noInput, path, "not a file", remedy: "check the path")
  }
  do {
    return try Data(contentsOf: URL(fileURLWithPath: path))
  } catch {
    throw UserError(.noInput, path, "cannot be read", remedy: "check its permissions")
  }
}

/// Writes a file whole or not at all: a temporary file beside it, flushed, then renamed over it.
///
/// `body` hands chunks to the function that it is given. A reader, or a power cut, meets the old
/// file or the new one. Errors: `.cannotCreate` when nothing can be made there, `.io` midway.
package func writeWhole(
  to path: String,
  _ body: ((UnsafeRawBufferPointer) throws -> Void) throws -> Void
) throws {
  let folder = (path as NSString).deletingLastPathComponent
  let temporary = temporaryPath(for: path)
  let file = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
  guard file >= 0 else {
    throw UserError(
      .cannotCreate,
      path,
      "cannot be written, \(systemMessage().lowercased())",
      remedy: "check that the folder exists and is writable"
    )
  }
  func failure() -> UserError {
    UserError(
      .io,
      path,
      "writing failed, \(systemMessage().lowercased())",
      remedy: "check the free space"
    )
  }
  do {
    defer { close(file) }
    try body { bytes in
      var rest = bytes[...]
      while !rest.isEmpty {
        let count = write(file, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
        if count < 0 && errno == EINTR { continue }
        guard count > 0 else { throw failure() }
        rest = rest.dropFirst(count)
      }
    }
    guard fsync(file) == 0 else { throw failure() }
    guard rename(temporary, path) == 0 else { throw failure() }
  } catch {
    unlink(temporary)
    throw error
  }
  // The name is only safe on disk once its folder is.
  let directory = open(folder.isEmpty ? "." : folder, O_RDONLY | O_CLOEXEC)
  if directory >= 0 {
    fsync(directory)
    close(directory)
  }
}

/// Where `writeWhole` keeps an unfinished file.
func temporaryPath(for path: String) -> String { path + ".part" }
