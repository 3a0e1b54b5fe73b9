import Foundation

/// The system's words for an error number, in small letters.
package func systemMessage(_ number: Int32 = errno) -> String {
  String(cString: strerror(number)).lowercased()
}

// MARK: Looking

/// Whether there is anything at `path`, links followed.
package func pathExists(_ path: String) -> Bool { fileMode(path) != nil }

/// Whether there is a folder at `path`, links followed.
package func isFolder(_ path: String) -> Bool { fileMode(path).map { $0 & S_IFMT } == S_IFDIR }

/// Bytes of the file at `path`, links followed; nil where there is none.
func fileSize(_ path: String) -> Int? {
  var info = stat()
  return stat(path, &info) == 0 ? Int(info.st_size) : nil
}

/// Bytes that a user may still write to the disk of `path`; nil where the system does not say.
package func freeSpace(_ path: String) -> Int? {
  var info = statvfs()
  guard statvfs(path, &info) == 0 else { return nil }
  return Int(clamping: UInt64(info.f_bavail) &* UInt64(info.f_frsize))
}

private func fileMode(_ path: String) -> mode_t? {
  var info = stat()
  return stat(path, &info) == 0 ? info.st_mode : nil
}

/// Seconds since 1970 at which a file was last changed, links followed; nil when there is none.
package func modificationTime(_ path: String) -> Double? {
  var info = stat()
  guard stat(path, &info) == 0 else { return nil }
  #if canImport(Darwin)
    let time = info.st_mtimespec
  #else
    let time = info.st_mtim
  #endif
  return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
}

/// The names in a folder, in no order; nil when it cannot be read.
package func names(in folder: String) -> [String]? {
  guard let stream = opendir(folder) else { return nil }
  defer { closedir(stream) }
  var names: [String] = []
  while let entry = readdir(stream) {
    let name = withUnsafeBytes(of: &entry.pointee.d_name) {
      String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
    }
    if name != ".", name != ".." { names.append(name) }
  }
  return names
}

// MARK: Reading

/// A regular file's bytes; `.noInput` when it cannot be read.
package func readBytes(_ path: String) throws -> Data {
  try reading(path) { file, size in
    var data = Data(count: size)
    var filled = 0
    while filled < size {
      let count = data.withUnsafeMutableBytes { bytes in
        let rest = UnsafeMutableRawBufferPointer(rebasing: bytes[filled...])
        return read(file, rest.baseAddress, rest.count)
      }
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else {
        throw UserError(.noInput, path, systemMessage(), remedy: "check the path")
      }
      if count == 0 { break }
      filled += count
    }
    return data.prefix(filled)
  }
}

/// A regular file's bytes, read where they are used; `.noInput` when it cannot be read.
///
/// With a packed data set it is memory that is short, not the disk.
package func mapBytes(_ path: String) throws -> Data {
  try reading(path) { file, size in
    guard size > 0 else { return Data() }
    guard let bytes = mmap(nil, size, PROT_READ, MAP_PRIVATE, file, 0), bytes != MAP_FAILED else {
      throw UserError(.noInput, path, systemMessage(), remedy: "check the path")
    }
    return Data(bytesNoCopy: bytes, count: size, deallocator: .unmap)
  }
}

/// Opens a regular file and gives its descriptor and size to `body`.
private func reading(_ path: String, _ body: (Int32, Int) throws -> Data) throws -> Data {
  var info = stat()
  // Looked at first: to open a named pipe would wait for its writer.
  guard stat(path, &info) == 0 else {
    throw UserError(.noInput, path, systemMessage(), remedy: "check the path")
  }
  guard info.st_mode & S_IFMT == S_IFREG else {
    throw UserError(.noInput, path, "not a file", remedy: "check the path")
  }
  let file = open(path, O_RDONLY | O_CLOEXEC)
  guard file >= 0, fstat(file, &info) == 0 else {
    throw UserError(.noInput, path, "cannot be read", remedy: "check its permissions")
  }
  defer { close(file) }
  return try body(file, Int(info.st_size))
}

// MARK: Folders

/// Makes a folder and those above it that are missing; 0, or the system's error number.
package func makeFolders(_ path: String) -> Int32 {
  if mkdir(path, 0o777) == 0 { return 0 }
  switch errno {
  case EEXIST: return isFolder(path) ? 0 : EEXIST
  case ENOENT where !path.isEmpty && Path.folder(path) != path:
    let above = makeFolders(Path.folder(path))
    guard above == 0 else { return above }
    // `a/.` has come with `a`, and another process may have been faster.
    return mkdir(path, 0o777) == 0 || isFolder(path) ? 0 : errno
  case let number: return isFolder(path) ? 0 : number
  }
}

/// Removes a file, or a folder with all that is in it, as far as that goes; follows no links.
package func removeAll(_ path: String) {
  if unlink(path) == 0 { return }
  var info = stat()
  guard lstat(path, &info) == 0, info.st_mode & S_IFMT == S_IFDIR else { return }
  for name in names(in: path) ?? [] { removeAll(path + "/" + name) }
  rmdir(path)
}
