import Foundation

/// What there is to read of bytes that need not be UTF-8: those that are not as `\xE9`.
package func legible(_ bytes: some Collection<UInt8>) -> String {
  var shown = ""
  var rest = Array(bytes)[...]
  while let first = rest.first {
    var parser = Unicode.UTF8.ForwardParser()
    var iterator = rest.makeIterator()
    if case .valid(let scalar) = parser.parseScalar(from: &iterator) {
      shown.unicodeScalars.append(Unicode.UTF8.decode(scalar))
      rest = rest.dropFirst(scalar.count)
    } else {
      shown += "\\x" + String(first, radix: 16, uppercase: true)
      rest = rest.dropFirst()
    }
  }
  return shown
}

extension UserError {
  /// The error for a name that is not UTF-8, shown as far as it can be read.
  ///
  /// Swift would repair such a name, and a repaired name is another file's or nobody's.
  package static func notUTF8(_ code: Code, _ shown: String) -> UserError {
    UserError(
      code,
      shown,
      "a name that is not UTF-8",
      remedy: "rename the file or folder, as convmv does for whole trees"
    )
  }
}

/// A file or folder in a folder.
package struct FolderEntry: Sendable {
  /// Its name; nil if that is not UTF-8.
  fileprivate let name: String?
  /// Its name as far as it can be read.
  package let shown: String
  /// Whether it is a folder, or a link to one.
  package let isFolder: Bool

  /// Its name; `.data`, which names `folder` too, if that is not UTF-8.
  package func name(in folder: String) throws -> String {
    guard let name else { throw UserError.notUTF8(.data, folder + "/" + shown) }
    return name
  }
}

/// Visible entries of a folder, sorted by name; `.noInput` when it cannot be read.
package func visibleEntries(_ path: String) throws -> [FolderEntry] {
  guard let folder = opendir(path) else {
    throw UserError(
      .noInput,
      path,
      "the folder cannot be read, \(systemMessage().lowercased())",
      remedy: "check its permissions"
    )
  }
  defer { closedir(folder) }
  var entries: [FolderEntry] = []
  while let entry = readdir(folder) {
    var name = withUnsafeBytes(of: &entry.pointee.d_name) { Array($0.prefix { $0 != 0 }) }
    guard name.first != UInt8(ascii: ".") else { continue }
    let (text, shown) = (String(validating: name, as: UTF8.self), legible(name))
    name.append(0)
    entries.append(
      FolderEntry(name: text, shown: shown, isFolder: isFolder(entry.pointee.d_type, name, folder))
    )
  }
  return entries.sorted {
    // Texts that are one in Unicode still need an order, or it would be the folder's.
    $0.shown == $1.shown
      ? $0.shown.utf8.lexicographicallyPrecedes($1.shown.utf8) : $0.shown < $1.shown
  }
}

/// Asks the system only where the folder does not say: a data set may have a million files.
private func isFolder(_ type: UInt8, _ name: [UInt8], _ folder: OpaquePointer) -> Bool {
  guard type == DT_LNK || type == DT_UNKNOWN else { return type == DT_DIR }
  var info = stat()
  let name = name.map { CChar(bitPattern: $0) }
  return fstatat(dirfd(folder), name, &info, 0) == 0 && info.st_mode & S_IFMT == S_IFDIR
}

/// Refuses what this program would have to repair: an argument that is not UTF-8.
package func checkArguments() throws {
  for index in 1..<max(1, Int(CommandLine.argc)) {
    guard let argument = CommandLine.unsafeArgv[index] else { continue }
    try check(argument, as: "")
  }
}

/// Refuses a current folder, or a folder of the user's settings or caches, whose path is not UTF-8.
package func checkSurroundings() throws {
  for name in ["HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME"] {
    if let value = getenv(name) { try check(value, as: "$\(name), ") }
  }
  if let folder = getcwd(nil, 0) {
    defer { free(folder) }
    try check(folder, as: "the current folder, ")
  }
}

private func check(_ text: UnsafePointer<CChar>, as what: String) throws {
  guard String(validatingCString: text) == nil else { return }
  let bytes = UnsafeRawBufferPointer(start: text, count: strlen(text))
  throw UserError.notUTF8(.usage, what + legible(bytes))
}
