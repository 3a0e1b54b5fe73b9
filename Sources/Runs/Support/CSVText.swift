/// Text as the cells of CSV files hold it (RFC 4180).
package enum CSVText {
  /// A text as a cell: quoted where it holds a comma, a quote or a line's end.
  package static func cell(_ text: String) -> String {
    guard text.contains(where: { ",\"".contains($0) || $0.isNewline }) else { return text }
    return "\"" + text.replacing("\"", with: "\"\"") + "\""
  }
}
