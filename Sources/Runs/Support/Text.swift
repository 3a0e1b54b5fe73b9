import Foundation

/// A text file's content; `.noInput` when it cannot be read, `.data` when it is not UTF-8.
package func readText(_ path: String) throws -> String {
  try decodedText(try readBytes(path), path: path)
}

/// The text of a file's bytes, without the byte order mark that some editors and spreadsheets put
/// before UTF-8.
///
/// Every text file that a person may have saved goes through here. Errors: `.data` when the bytes
/// are not UTF-8.
package func decodedText(_ bytes: some Collection<UInt8>, path: String) throws -> String {
  if bytes.starts(with: [0xFE, 0xFF]) || bytes.starts(with: [0xFF, 0xFE]) {
    throw UserError(.data, path, "UTF-16 text, not UTF-8", remedy: "save it as UTF-8")
  }
  let mark: [UInt8] = [0xEF, 0xBB, 0xBF]
  let rest = bytes.starts(with: mark) ? bytes.dropFirst(mark.count) : bytes[...]
  guard let text = String(validating: rest, as: UTF8.self) else {
    throw UserError(.data, path, "not UTF-8 text", remedy: "save it as UTF-8")
  }
  return text
}

extension String {
  /// The text with every character escaped that would not stay on its line: controls, line
  /// breaks of any kind, marks that turn the direction of writing, and those that nobody sees.
  ///
  /// All text that is printed or shown goes through here, as names hold whatever an archive held.
  /// The escapes are JSON's (`\n`, `\u001b`), so a line of JSON stays JSON with the same values.
  /// Line feeds stay if `keepingLines`.
  package func printable(keepingLines: Bool = false) -> String {
    func isEscaped(_ scalar: Unicode.Scalar) -> Bool {
      scalar.isUnprintable && !(keepingLines && scalar == "\n")
    }
    guard unicodeScalars.contains(where: isEscaped) else { return self }
    var shown = ""
    for scalar in unicodeScalars {
      if isEscaped(scalar) { shown += scalar.escape } else { shown.unicodeScalars.append(scalar) }
    }
    return shown
  }

  /// The text in ASCII, the rest by its numbers: tells apart what looks the same.
  package var spelled: String {
    unicodeScalars.map { $0.isASCII && !$0.isUnprintable ? String($0) : $0.escape }.joined()
  }
}

extension Unicode.Scalar {
  fileprivate var isUnprintable: Bool {
    switch value {
    case ..<0x20, 0x7F...0x9F, 0x061C, 0x200B, 0x200E...0x200F, 0x2028...0x202E, 0x2060...0x206F,
      0xFEFF, 0xFFF9...0xFFFB, 0xFFFE...0xFFFF:
      true
    default: false
    }
  }

  fileprivate var escape: String {
    switch self {
    case "\n": "\\n"
    case "\r": "\\r"
    case "\t": "\\t"
    default:
      String(self).utf16.map { unit in
        let digits = String(unit, radix: 16)
        return "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      }.joined()
    }
  }
}
