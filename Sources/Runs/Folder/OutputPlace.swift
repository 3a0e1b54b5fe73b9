import Foundation

/// Where an output goes that was asked for by a path, links followed.
///
/// A plain file is replaced as a whole. What is none (a device, a pipe, a socket) must stay what
/// it is and is written into; so is a descriptor of this process, however it is named (`-`,
/// `/dev/stdout`, `/dev/fd/3`).
package enum OutputPlace: Sendable, Equatable {
  /// A plain file or none yet, by its path without links.
  case file(String)
  /// A device or a named pipe.
  case stream(String)
  /// A socket of the file system, on which somebody listens.
  case socket(String)
  /// Already open in this process.
  case descriptor(Int32)

  /// Finds the place; `.cannotCreate` for what is no path of a file.
  package init(_ path: String) throws {
    func mistake(_ problem: String, _ remedy: String = "give the path of a file") -> UserError {
      UserError(.cannotCreate, path.isEmpty ? "''" : path, problem, remedy: remedy)
    }
    guard !path.isEmpty else { throw mistake("not a path") }
    if path == "-" {
      self = .descriptor(STDOUT_FILENO)
      return
    }
    var next = path
    for _ in 0..<40 {
      guard next.utf8.last != UInt8(ascii: "/") else {
        throw mistake(isFolder(next) ? "is a folder" : "names a folder")
      }
      let folder = realPath(Path.folder(next)) ?? Path.folder(next)
      if let number = Self.descriptor(folder, Path.name(next)) {
        self = .descriptor(number)
        return
      }
      let place = (folder == "/" ? "" : folder) + "/" + Path.name(next)
      var info = stat()
      guard lstat(place, &info) == 0 else {
        guard errno == ENOENT, isFolder(folder) else { throw cannotBeWritten(path, errno) }
        self = .file(place)
        return
      }
      switch info.st_mode & S_IFMT {
      case S_IFDIR: throw mistake("is a folder")
      case S_IFREG: self = .file(place)
      case S_IFSOCK: self = .socket(place)
      case S_IFLNK where folder.hasPrefix("/proc/") && folder.hasSuffix("/fd"):
        // What another process has open; the link's text need not be a path.
        self = .stream(place)
      case S_IFLNK:
        guard let target = linkTarget(place) else { throw cannotBeWritten(path, errno) }
        next = target.hasPrefix("/") ? target : folder + "/" + target
        continue
      default: self = .stream(place)
      }
      return
    }
    throw cannotBeWritten(path, ELOOP)
  }

  /// Whether standard output is meant, so that nothing else should be said there.
  package var isStandardOutput: Bool { self == .descriptor(STDOUT_FILENO) }

  /// The number of `name` in the folder of this process's descriptors.
  private static func descriptor(_ folder: String, _ name: String) -> Int32? {
    let own = ["/dev/fd", "/proc/self/fd"] + [realPath("/proc/self/fd")].compactMap(\.self)
    return own.contains(folder) ? Int32(name) : nil
  }
}

/// Writes an output: a plain file whole or not at all, anything else as it comes.
///
/// `body` hands chunks to the function that it is given. Whoever reads a plain file, or a power
/// cut, meets the old file or the new one. Errors: `.cannotCreate` when nothing can be made
/// there, `.io` midway.
package func writeWhole(
  to path: String,
  _ body: ((UnsafeRawBufferPointer) throws -> Void) throws -> Void
) throws {
  func write(to file: Int32) throws {
    try body { bytes in
      guard writeAll(bytes, to: file) else { throw writingFailed(path, errno) }
    }
  }
  switch try OutputPlace(path) {
  case .file(let place): try replaceFile(place, asked: path, write)
  case .descriptor(let number): try write(to: number)
  case .stream(let place):
    let file = open(place, O_WRONLY | O_TRUNC | O_NOCTTY | O_CLOEXEC)
    guard file >= 0 else { throw cannotBeWritten(path, errno) }
    defer { close(file) }
    try write(to: file)
  case .socket(let place):
    let file = connected(to: place)
    guard file >= 0 else { throw cannotBeWritten(path, errno) }
    defer { close(file) }
    try write(to: file)
  }
}

/// Writes a text as `writeWhole(to:_:)` does.
package func writeWhole(_ text: String, to path: String) throws {
  var text = text
  try writeWhole(to: path) { write in
    try text.withUTF8 { try write(UnsafeRawBufferPointer($0)) }
  }
}

/// A temporary file beside the old one, flushed, then renamed over it.
private func replaceFile(
  _ path: String,
  asked: String,
  _ write: (Int32) throws -> Void
) throws {
  let temporary = Path.sibling(of: path, ".\(getpid())" + unfinishedSuffix)
  // Left by a process of the same number, which is no more.
  unlink(temporary)
  let file = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
  guard file >= 0 else { throw cannotBeWritten(asked, errno) }
  do {
    defer { close(file) }
    var old = stat()
    if stat(path, &old) == 0 {
      // The new content of a file is still that file for those who may read it.
      _ = fchown(file, old.st_uid, old.st_gid)
      fchmod(file, old.st_mode & 0o777)
    }
    try write(file)
    guard fsync(file) == 0, rename(temporary, path) == 0 else { throw writingFailed(asked, errno) }
  } catch {
    unlink(temporary)
    throw error
  }
  // The name is only safe on disk once its folder is.
  let directory = open(Path.folder(path), O_RDONLY | O_CLOEXEC)
  if directory >= 0 {
    fsync(directory)
    close(directory)
  }
}

/// What the name of an unfinished file of `writeWhole` ends in.
let unfinishedSuffix = ".part"

/// Writes all bytes, waiting where they are not taken at once; false, with `errno`, if it fails.
package func writeAll(_ bytes: UnsafeRawBufferPointer, to file: Int32) -> Bool {
  var rest = bytes[...]
  while !rest.isEmpty {
    let count = write(file, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
    if count > 0 {
      rest = rest.dropFirst(count)
    } else if count < 0, errno == EAGAIN {
      // The other end may have made the descriptor non-blocking.
      var waiting = pollfd(fd: file, events: Int16(POLLOUT), revents: 0)
      poll(&waiting, 1, 100)
    } else if count == 0 || errno != EINTR {
      if count == 0 { errno = ENOSPC }
      return false
    }
  }
  return true
}

func cannotBeWritten(_ path: String, _ number: Int32) -> UserError {
  UserError(
    .cannotCreate,
    path,
    "cannot be written, \(systemMessage(number))",
    remedy: "check that the folder exists and is writable"
  )
}

func writingFailed(_ path: String, _ number: Int32) -> UserError {
  let remedy =
    switch number {
    case EPIPE: "its reader went away"
    case EBADF: "it is not open for writing"
    default: "check the free space"
    }
  return UserError(.io, path, "writing failed, \(systemMessage(number))", remedy: remedy)
}

private func realPath(_ path: String) -> String? {
  guard let text = realpath(path, nil) else { return nil }
  defer { free(text) }
  return String(cString: text)
}

private func linkTarget(_ path: String) -> String? {
  var text = [CChar](repeating: 0, count: Int(PATH_MAX))
  let count = readlink(path, &text, text.count)
  guard count > 0 else { return nil }
  return String(decoding: text[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
}

/// A stream to whoever listens on a socket of the file system; -1 with `errno` else.
private func connected(to path: String) -> Int32 {
  var address = sockaddr_un()
  address.sun_family = sa_family_t(AF_UNIX)
  let bytes = Array(path.utf8)
  guard bytes.count < MemoryLayout.size(ofValue: address.sun_path) else {
    errno = ENAMETOOLONG
    return -1
  }
  withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
  #if canImport(Darwin)
    let file = socket(AF_UNIX, SOCK_STREAM, 0)
  #else
    let file = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
  #endif
  guard file >= 0 else { return -1 }
  let isConnected = withUnsafePointer(to: &address) { pointer in
    pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
      connect(file, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) == 0
    }
  }
  if isConnected { return file }
  let number = errno
  close(file)
  errno = number
  return -1
}
