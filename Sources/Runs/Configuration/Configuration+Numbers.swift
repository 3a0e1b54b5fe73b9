import Yams

extension Node.Scalar {
  /// Whether this is a plain decimal number: `12`, `-0.5`, `.5` or `5e-2`.
  ///
  /// YAML 1.1 knows others, and reads `010` as 8 and `1:30` as 90: who typed them meant something
  /// else.
  var isDecimal: Bool {
    guard style == .plain || style == .any, !hasLeadingZero else { return false }
    let unsigned = string.drop { $0 == "-" || $0 == "+" }
    let parts = unsigned.split(omittingEmptySubsequences: false) { $0 == "e" || $0 == "E" }
    let mantissa = parts[0].split(separator: ".", omittingEmptySubsequences: false)
    func areDigits(_ text: Substring) -> Bool { text.utf8.allSatisfy { (48...57).contains($0) } }
    return Double(string) != nil && parts.count <= 2 && mantissa.count <= 2
      && mantissa.allSatisfy(areDigits)
  }

  /// Why YAML does not read this as a number although it looks like one.
  var oddity: String? {
    let text = string.drop { $0 == "-" || $0 == "+" }.lowercased()
    let isQuoted =
      [.singleQuoted, .doubleQuoted].contains(style)
      || text.count > 1 && text.first == text.last && "'\"".contains(text.prefix(1))
    if isQuoted { return "\(string) is quoted, so it is text" }
    guard text.utf8.contains(where: { (48...57).contains($0) }) else { return nil }
    let value = Int.construct(from: self).map { ", \($0)" } ?? ""
    if text.hasPrefix("0x") { return "\(string) is hexadecimal\(value)" }
    if text.hasPrefix("0b") { return "\(string) is binary\(value)" }
    if text.hasPrefix("0o") { return "\(string) is octal\(value)" }
    if hasLeadingZero { return "\(string) has a leading zero, so to YAML it is octal\(value)" }
    if text.contains(":") { return "\(string) is a number to base 60\(value)" }
    if text.contains("_") { return "\(string) has underscores in it" }
    return nil
  }

  /// Whether this is an integer such as `010`.
  private var hasLeadingZero: Bool {
    let digits = string.drop { $0 == "-" || $0 == "+" }.utf8
    return digits.count > 1 && digits.first == UInt8(ascii: "0")
      && digits.allSatisfy { (48...57).contains($0) }
  }
}
