import Runs

extension Format {
  /// `text` in `width` columns, blanks on its right.
  static func left(_ text: String, _ width: Int) -> String {
    let text = clip(text, to: width)
    return text + String(repeating: " ", count: max(0, width - columns(of: text)))
  }

  /// `text` in `width` columns, blanks on its left.
  static func right(_ text: String, _ width: Int) -> String {
    let text = clip(text, to: width)
    return String(repeating: " ", count: max(0, width - columns(of: text))) + text
  }
}
