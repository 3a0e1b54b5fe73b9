import Foundation

/// What the text of a path says, without a look at the disk.
///
/// Paths are taken apart byte by byte, as the system does it. Foundation's own functions are not
/// used for what a person may have typed: on some platforms they die of names of one character.
package enum Path {
  private static let slash = UInt8(ascii: "/")

  /// The last part: `c` of `a/b/c` and of `a/b/c/`; `/` of the root.
  package static func name(_ path: String) -> String { split(path).name }

  /// What the last part is in: `a/b` of `a/b/c`, `.` of `c`, `/` of `/c`.
  package static func folder(_ path: String) -> String { split(path).folder }

  /// What follows the name's last point, in small letters: `json` of `a/b.JSON`; empty for none.
  package static func suffix(_ path: String) -> String {
    let name = name(path).utf8
    guard let dot = name.lastIndex(of: UInt8(ascii: ".")), dot > name.startIndex else { return "" }
    return String(decoding: name[dot...].dropFirst(), as: UTF8.self).lowercased()
  }

  /// The path from the root, without `.`, `..`, and doubled or last slashes.
  package static func absolute(_ path: String) -> String {
    var parts: [String] = []
    let whole = path.utf8.first == slash ? path : workingFolder + "/" + path
    for part in whole.utf8.split(separator: slash) {
      switch String(decoding: part, as: UTF8.self) {
      case ".": break
      case "..": _ = parts.popLast()
      case let name: parts.append(name)
      }
    }
    return "/" + parts.joined(separator: "/")
  }

  /// A path as a person typed it, from the root; an empty one stays empty.
  package static func fromRoot(_ path: String) -> String {
    let path = expandingTilde(path)
    return path.isEmpty ? path : absolute(path)
  }

  /// `~` and `~name` at the beginning as the folders that they stand for; other paths as they are.
  package static func expandingTilde(_ path: String) -> String {
    guard path.utf8.first == UInt8(ascii: "~") else { return path }
    let end = path.utf8.firstIndex(of: slash) ?? path.endIndex
    let user = String(path[..<end].dropFirst())
    var home = user.isEmpty ? ProcessInfo.processInfo.environment["HOME"] ?? "" : ""
    if home.isEmpty, let entry = user.isEmpty ? getpwuid(getuid()) : getpwnam(user) {
      home = String(cString: entry.pointee.pw_dir)
    }
    // A user whom the machine does not know, as containers have, has the root for a home.
    if home.isEmpty, !user.isEmpty { return path }
    return (home == "/" ? "" : home) + path[end...]
  }

  /// A name beside `path`, its own with `suffix` behind it, cut where a name may be no longer.
  package static func sibling(of path: String, _ suffix: String) -> String {
    let (folder, name) = split(path)
    var scalars = name.unicodeScalars
    while String(scalars).utf8.count + suffix.utf8.count > 255 { scalars.removeLast() }
    let sibling = String(scalars) + suffix
    return path.utf8.contains(slash) ? (folder == "/" ? "/" : folder + "/") + sibling : sibling
  }

  /// The path as SQLite's `file:` address.
  static func address(_ path: String) -> String {
    let plain = Set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789/-._~".utf8)
    return absolute(path).utf8.reduce(into: "file:") { text, byte in
      let digits = String(byte, radix: 16, uppercase: true)
      text +=
        plain.contains(byte)
        ? String(Unicode.Scalar(byte)) : "%" + (byte < 16 ? "0" : "") + digits
    }
  }

  private static var workingFolder: String {
    guard let text = getcwd(nil, 0) else { return "" }
    defer { free(text) }
    return String(cString: text)
  }

  private static func split(_ path: String) -> (folder: String, name: String) {
    var bytes = Array(path.utf8)[...]
    while bytes.count > 1, bytes.last == slash { bytes.removeLast() }
    if bytes.elementsEqual([slash]) { return ("/", "/") }
    guard let cut = bytes.lastIndex(of: slash) else {
      return (".", String(decoding: bytes, as: UTF8.self))
    }
    let name = String(decoding: bytes[(cut + 1)...], as: UTF8.self)
    bytes = bytes[..<cut]
    while bytes.last == slash { bytes.removeLast() }
    return (bytes.isEmpty ? "/" : String(decoding: bytes, as: UTF8.self), name)
  }
}
