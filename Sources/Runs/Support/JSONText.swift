import Foundation

/// JSON as scripts get it: keys in order, slashes as they are, and `null` where a number is none.
package enum JSONText {
  /// What the encoder writes for infinities and NaN; no name or text of a run holds a NUL.
  private static let none = "\u{0}"

  /// A value as one line, or as an indented text that ends in a line break.
  package static func encode(
    _ value: some Encodable,
    keys: JSONEncoder.KeyEncodingStrategy = .useDefaultKeys,
    indented: Bool = false
  ) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    if indented { encoder.outputFormatting.insert(.prettyPrinted) }
    encoder.keyEncodingStrategy = keys
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: none,
      negativeInfinity: none,
      nan: none
    )
    let text = String(decoding: try encoder.encode(value), as: UTF8.self)
    return text.replacing("\"\\u0000\"", with: "null") + (indented ? "\n" : "")
  }
}
