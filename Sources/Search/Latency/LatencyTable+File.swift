import Data
import Foundation
import Runs

extension LatencyTable {
  private static let format = "supertop latency table"

  /// Reads a table; `Documentation/latency-table.md` describes the file.
  ///
  /// Errors: `.noInput` for a file that cannot be read; `.data` naming cell and key for what is
  /// missing, negative, zero, not a number, unknown or there twice.
  package static func load(path: String) throws -> LatencyTable {
    try parse(try readText(path), place: path)
  }

  /// Writes the table whole or not at all.
  ///
  /// Errors: `.cannotCreate`, `.io`.
  package func write(to path: String) throws {
    try writeWhole(text, to: path)
  }

  /// The file's content, a line for each cell.
  package var text: String {
    var head = ["\"format\": \(LatencyTable.quoted(LatencyTable.format)), \"version\": 1"]
    head.append("\"device\": \(LatencyTable.quoted(device))")
    if let threads { head.append("\"threads\": \(threads)") }
    if let isa { head.append("\"isa\": \(LatencyTable.quoted(isa))") }
    head.append("\"date\": \(LatencyTable.quoted(date))")
    let cells = entries.map { "    {\($0.json)}" }.joined(separator: ",\n")
    return "{\n  \(head.joined(separator: ",\n  ")),\n  \"cells\": [\n\(cells)\n  ]\n}\n"
  }

  fileprivate static func quoted(_ text: String) -> String {
    let json = (try? JSONEncoder().encode(text)) ?? Foundation.Data()
    return String(decoding: json, as: UTF8.self).replacing("\\/", with: "/")
  }

  // MARK: Reading

  /// Parses the content of a file; `place` is what errors name.
  package static func parse(_ text: String, place: String) throws -> LatencyTable {
    // JSON has no NaN; as a text it reaches the check that names its cell.
    let sound = text.replacing(/:\s*([-+]?(?i:nan|inf|infinity))\b/) { ": \"\($0.1)\"" }
    guard
      case .object(let top)? = try? JSONDecoder().decode(
        JSONValue.self,
        from: Foundation.Data(sound.utf8)
      )
    else {
      throw UserError(
        .data,
        place,
        "not a JSON object",
        remedy: "Documentation/latency-table.md describes the file; a CSV goes through "
          + "'supertop latency import'"
      )
    }
    let reader = LatencyObject(place: place, values: top)
    try reader.allow(["format", "version", "device", "threads", "isa", "date", "cells"])
    if let format = try reader.text("format"), format != LatencyTable.format {
      throw reader.fault("'format' is '\(format)'", "it must be '\(LatencyTable.format)'")
    }
    if let version = try reader.integer("version"), version != 1 {
      throw reader.fault("version \(version) is unknown", "this program reads version 1")
    }
    var table = LatencyTable(device: try reader.needed("device", reader.text("device")))
    table.threads = try reader.integer("threads")
    table.isa = try reader.text("isa")
    table.date = try reader.text("date") ?? ""
    guard case .array(let cells)? = top["cells"] else {
      throw reader.fault("'cells' is missing", "it is the list of what was timed")
    }
    var places: [Key: Int] = [:]
    for (index, cell) in cells.enumerated() {
      guard case .object(let values) = cell else {
        throw reader.fault(
          "cell \(index + 1) is not an object",
          "see Documentation/latency-table.md"
        )
      }
      let entry = try Entry(LatencyObject(place: "\(place): cell \(index + 1)", values: values))
      if let first = places.updateValue(index + 1, forKey: entry.key) {
        throw UserError(
          .data,
          "\(place): cell \(index + 1) (\(entry.place))",
          "the same as cell \(first)",
          remedy: "remove one of the two"
        )
      }
      table.entries.append(entry)
    }
    return table
  }
}

extension LatencyTable.Entry {
  fileprivate var json: String {
    var parts = ["\"candidate\": \(LatencyTable.quoted(candidate))"]
    if let layer { parts.append("\"layer\": \(layer)") }
    parts.append("\"block\": \(LatencyTable.quoted(block))")
    parts.append("\"input\": [\(input.map { "\($0)" }.joined(separator: ", "))]")
    parts.append("\"output\": \(output), \"stride\": \(stride)")
    parts.append("\"ms\": \(LatencyTable.Entry.rounded(milliseconds, 1e6))")
    if let spread { parts.append("\"spread\": \(LatencyTable.Entry.rounded(spread, 1e4))") }
    if let repeats { parts.append("\"repeats\": \(repeats)") }
    if let networks { parts.append("\"networks\": \(networks)") }
    return parts.joined(separator: ", ")
  }

  /// A nanosecond and a hundredth of a per cent are more than was measured.
  private static func rounded(_ value: Double, _ scale: Double) -> Double {
    (value * scale).rounded() / scale
  }

  fileprivate init(_ reader: LatencyObject) throws {
    var reader = reader
    let candidate = try reader.needed("candidate", reader.text("candidate"))
    reader.name = candidate
    let layer = try reader.integer("layer")
    let input = try reader.needed("input", reader.integers("input", count: 3))
    let output = try reader.needed("output", reader.integer("output"))
    let stride = try reader.integer("stride") ?? 1
    reader.name =
      layer.map { "layer \($0), \(candidate)" }
      ?? "\(LatencyTable.shape(input, output, stride)), \(candidate)"
    try reader.allow([
      "candidate", "layer", "block", "input", "output", "stride", "ms", "spread", "repeats",
      "networks",
    ])
    let block = try reader.needed("block", reader.text("block"))
    let milliseconds = try reader.needed("ms", reader.number("ms"))
    if milliseconds < 0 {
      throw reader.fault(
        "'ms' is negative (\(milliseconds))",
        "a latency is above 0; measure it again"
      )
    }
    if milliseconds == 0, block != "identity", layer == nil {
      throw reader.fault("'ms' is 0", "only an identity costs nothing; measure the cell again")
    }
    let spread = try reader.number("spread")
    if let spread, spread < 0 {
      throw reader.fault("'spread' is negative (\(spread))", "it is a share of 'ms', such as 0.01")
    }
    self.init(
      candidate: candidate,
      layer: layer,
      block: block,
      input: input,
      output: output,
      stride: stride,
      milliseconds: milliseconds,
      spread: spread,
      repeats: try reader.integer("repeats"),
      networks: try reader.integer("networks")
    )
  }
}

/// Any JSON value, booleans and numbers told apart.
private enum JSONValue: Decodable {
  case null, flag(Bool), number(Double), text(String), array([JSONValue])
  case object([String: JSONValue])

  init(from decoder: any Decoder) throws {
    let value = try decoder.singleValueContainer()
    if value.decodeNil() {
      self = .null
    } else if let flag = try? value.decode(Bool.self) {
      self = .flag(flag)
    } else if let number = try? value.decode(Double.self) {
      self = .number(number)
    } else if let text = try? value.decode(String.self) {
      self = .text(text)
    } else if let array = try? value.decode([JSONValue].self) {
      self = .array(array)
    } else if let object = try? value.decode([String: JSONValue].self) {
      self = .object(object)
    } else {
      // A number that is too large for one.
      self = .text("out of range")
    }
  }

  var words: String {
    switch self {
    case .null: "null"
    case .flag(let flag): "\(flag)"
    case .number(let number): "\(number)"
    case .text(let text): "'\(text)'"
    case .array: "a list"
    case .object: "an object"
    }
  }
}

/// An object of the file, whose errors name its place.
private struct LatencyObject {
  let place: String
  let values: [String: JSONValue]
  /// What the cell is called, once that is known.
  var name = ""

  func fault(_ problem: String, _ remedy: String) -> UserError {
    UserError(.data, place + (name.isEmpty ? "" : " (\(name))"), problem, remedy: remedy)
  }

  func allow(_ keys: [String]) throws {
    guard let strange = values.keys.sorted().first(where: { !keys.contains($0) }) else { return }
    throw fault("unknown key '\(strange)'", "known are \(keys.joined(separator: ", "))")
  }

  func needed<Value>(_ key: String, _ value: Value?) throws -> Value {
    guard let value else { throw fault("'\(key)' is missing", "add it") }
    return value
  }

  func text(_ key: String) throws -> String? {
    guard let value = values[key] else { return nil }
    guard case .text(let text) = value, !text.isEmpty else {
      throw fault("'\(key)' is \(value.words)", "give a text")
    }
    return text
  }

  func number(_ key: String) throws -> Double? {
    guard let value = values[key] else { return nil }
    guard case .number(let number) = value, number.isFinite else {
      throw fault("'\(key)' is \(value.words), not a number", "measure the cell again")
    }
    return number
  }

  func integer(_ key: String) throws -> Int? {
    guard let value = values[key] else { return nil }
    return try integer(key, value)
  }

  func integers(_ key: String, count: Int) throws -> [Int]? {
    guard let value = values[key] else { return nil }
    guard case .array(let values) = value, values.count == count else {
      throw fault("'\(key)' is \(value.words)", "give [height, width, channels]")
    }
    return try values.map { try integer(key, $0) }
  }

  private func integer(_ key: String, _ value: JSONValue) throws -> Int {
    guard case .number(let number) = value, let whole = Int(exactly: number),
      (1...1_000_000_000).contains(whole)
    else { throw fault("'\(key)' is \(value.words)", "give a whole number from 1 on") }
    return whole
  }
}
