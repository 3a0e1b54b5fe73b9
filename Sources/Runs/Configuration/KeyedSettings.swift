import Foundation
import Yams

/// Settings whose keys are in a table, which writes, checks, overrides and explains them.
protocol KeyedSettings: Codable {
  /// Every key, in the order in which a file is written.
  static var keys: KeyTable { get }
  /// The kind of the run that these are the settings of, which a file says at its top.
  ///
  /// It follows from the other settings; nil where there is no run, as for a recipe.
  var kind: RunKind? { get }
}

extension KeyedSettings {
  /// None, unless a type says otherwise.
  package var kind: RunKind? { nil }
}

/// The keys of some settings.
struct KeyTable: Sendable {
  let all: [ConfigurationKey]

  func at(_ path: String) -> ConfigurationKey? { all.first { $0.path == path } }
  func children(of path: String) -> [ConfigurationKey] { all.filter { $0.parent == path } }
}

extension KeyedSettings {
  /// Overrides one key from `key.path=value`, checking that key's type and range only.
  ///
  /// A unique ending will do for the key (`batch=4`); lists are YAML (`space.candidates=[k3_e1,
  /// skip]`). Errors: `.usage` without `=`, `.configuration` for a wrong key or value.
  ///
  /// - Returns: paths of the keys that were said.
  @discardableResult
  mutating func assign(_ assignment: String) throws -> Set<String> {
    let parts = assignment.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
    guard parts.count == 2 else {
      throw UserError(
        .usage,
        "--set \(assignment)",
        "no value",
        remedy: "write key.path=value"
      )
    }
    let origin = Origin(prefix: "--set ", keys: Self.keys)
    let key = try origin.key(named: parts[0].trimmingCharacters(in: .whitespaces))
    switch key.path {
    case "kind":
      throw origin.error("kind", "a kind is no setting", remedy: "set search.algorithm")
    case "preset":
      throw origin.error("preset", "a preset cannot be set over another", remedy: "use --preset")
    case "network":
      throw origin.error("network", "a network is no setting", remedy: "name it as NETWORK")
    default: break
    }
    var value = try origin.value(String(parts[1]), for: key)
    for name in key.path.split(separator: ".").reversed() {
      value = Node([(Node(String(name)), value)])
    }
    self = try origin.overlay(value, on: self)
    return origin.paths(value)
  }

  /// Overrides keys one after the other.
  ///
  /// - Returns: paths of the keys that were said.
  mutating func assign(_ assignments: [String]) throws -> Set<String> {
    var said: Set<String> = []
    for assignment in assignments { said.formUnion(try assign(assignment)) }
    return said
  }

  /// All settings as YAML.
  func text() -> String {
    do {
      return try serialize(node: Self.styled(tree()), width: -1, allowUnicode: true)
    } catch {
      // The tree holds plain scalars, lists and mappings only, and the emitter takes all of those.
      preconditionFailure("settings that YAML cannot write: \(error)")
    }
  }

  /// The settings as a YAML tree, its keys in the order of the table.
  func tree() -> Node {
    do {
      let encoder = JSONEncoder()
      encoder.outputFormatting = .withoutEscapingSlashes
      encoder.nonConformingFloatEncodingStrategy = .convertToString(
        positiveInfinity: ".inf",
        negativeInfinity: "-.inf",
        nan: ".nan"
      )
      // JSON is YAML, and unlike the YAML encoder it writes the shortest number that reads back.
      let json = String(decoding: try encoder.encode(self), as: UTF8.self)
      var tree = try compose(yaml: json) ?? Node([(Node, Node)]())
      if let kind { tree["kind"] = Node(kind.rawValue) }
      return Self.ordered(tree, at: "")
    } catch {
      // Every stored value is a number, a string, a flag or a list of such: all can be encoded.
      preconditionFailure("settings that JSON cannot write: \(error)")
    }
  }

  private static func ordered(_ node: Node, at path: String) -> Node {
    switch node {
    case .mapping(let mapping):
      return Node(
        keys.children(of: path).compactMap { key in
          mapping[key.name].map { (Node(key.name), ordered($0, at: key.path)) }
        }
      )
    case .sequence(let items):
      return Node(items.map { ordered($0, at: path + "[]") })
    case .scalar(let scalar):
      guard let kind = keys.at(path)?.kind else { return node }
      switch kind {
      case .number, .numberOr:
        return Node(Double(scalar.string).map(written) ?? scalar.string)
      case .text, .word:
        let plain = Node(scalar.string)
        return plain.tag == Tag(.str) && !scalar.string.isEmpty
          ? plain : Node(scalar.string, .implicit, .doubleQuoted)
      default: return Node(scalar.string)
      }
    case .alias: return node
    }
  }

  /// `2e-05` as `2.0e-05`: without the point, YAML 1.1 readers take it for a string.
  private static func written(_ value: Double) -> String {
    let text = "\(value)"
    guard let exponent = text.firstIndex(of: "e"), !text[..<exponent].contains(".") else {
      return text
    }
    return text[..<exponent] + ".0" + text[exponent...]
  }

  /// Items of lists on one line each.
  private static func styled(_ node: Node) -> Node {
    switch node {
    case .mapping(let mapping):
      Node(mapping.map { ($0.key, styled($0.value)) }, .implicit, .block)
    case .sequence(let items):
      Node(
        items.map { item in
          item.mapping.map { Node($0.map { ($0.key, $0.value) }, .implicit, .flow) } ?? item
        },
        .implicit,
        items.contains { $0.scalar == nil } ? .block : .flow
      )
    default: node
    }
  }
}

/// Where values come from, for the start of an error line: `FILE: ` or `--set `.
struct Origin {
  var prefix: String
  /// The keys that are known there.
  var keys = Configuration.keys

  func error(_ key: String, _ problem: String, remedy: String = "") -> UserError {
    UserError(.configuration, prefix + key, problem, remedy: remedy)
  }

  /// The tree of a YAML text, aliases resolved; nil for an empty one.
  func parse(_ text: String) throws -> Node? {
    do {
      return try compose(yaml: text)
    } catch let error as YamlError {
      let file = prefix.trimmingCharacters(in: [" ", ":"])
      switch error {
      case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
        .composer(_, let problem, let mark, _):
        throw UserError(.configuration, "\(file): line \(mark.line)", "not YAML, \(problem)")
      case .duplicatedKeysInMapping(let keys, let context):
        throw UserError(
          .configuration,
          "\(file): line \(context.mark.line)",
          "key \(keys.joined(separator: ", ")) twice",
          remedy: "keep one"
        )
      default:
        let problem = "\(error)".split(whereSeparator: \.isNewline).joined(separator: " ")
        throw UserError(.configuration, file, "not YAML, \(problem)")
      }
    }
  }

  /// `base` with the values of a partial tree in place of its own.
  func overlay<T: KeyedSettings>(_ node: Node, on base: T) throws -> T {
    let node = try expandingCandidates(node)
    try checkKind(node, fits: base.kind)
    try check(node, at: "", shown: "")
    do {
      let settings: T = try YAMLDecoder().decode(from: merged(base.tree(), node))
      if let said = node.said(RunKind.self, at: "kind"), let kind = settings.kind, said != kind {
        throw wrongKind(said, kind)
      }
      return settings
    } catch let error as DecodingError {
      throw UserError(.software, prefix, "cannot be decoded after its check: \(error)")
    }
  }

  /// Checks that a file says no kind of another family than `kind`, before its keys seem unknown.
  private func checkKind(_ node: Node, fits kind: RunKind?) throws {
    guard let kind, let said = node.said(RunKind.self, at: "kind"), said.noun != kind.noun else {
      return
    }
    throw wrongKind(said, kind)
  }

  private func wrongKind(_ said: RunKind, _ kind: RunKind) -> UserError {
    error(
      "kind",
      "is \(said.rawValue), but these are the settings of \(kind.settings)",
      remedy: "write kind: \(kind.rawValue) or leave it out"
    )
  }

  /// The key of that path, or the only one that ends in it.
  func key(named name: String) throws -> ConfigurationKey {
    let settable = keys.all.filter { !$0.isInList }
    if let exact = settable.first(where: { $0.path == name }) { return exact }
    let endings = settable.filter { $0.path.hasSuffix("." + name) }
    guard let only = endings.first else { throw unknown(name, pattern: name) }
    guard endings.count == 1 else {
      throw error(
        name,
        "several keys end so",
        remedy: "write " + Self.either(endings.map(\.path))
      )
    }
    return only
  }

  /// The node for a value typed on the command line.
  func value(_ text: String, for key: ConfigurationKey) throws -> Node {
    switch key.kind {
    case .section, .list, .numbers, .words: return try parse(text) ?? Node("")
    default: break
    }
    if case .text = key.kind { return Node(text, .implicit, .doubleQuoted) }
    return Node(text.trimmingCharacters(in: .whitespaces), .implicit, .plain)
  }

  static func either(_ items: [String]) -> String {
    guard let last = items.last, items.count > 1 else { return items.joined() }
    return items.dropLast().joined(separator: ", ") + " or " + last
  }

  func isNull(_ node: Node) -> Bool { node.null != nil }

  func merged(_ base: Node, _ over: Node) -> Node {
    guard case .mapping(var result) = base else { return over }
    guard case .mapping(let over) = over else { return isNull(over) ? base : over }
    for (key, value) in over { result[key] = result[key].map { merged($0, value) } ?? value }
    return .mapping(result)
  }
}

extension Node {
  /// The word under `key` where it is one of a type's cases; nil for no word or another one.
  func said<T: RawRepresentable>(_: T.Type, at key: String) -> T? where T.RawValue == String {
    guard case .mapping = self else { return nil }
    return self[key]?.scalar.flatMap { T(rawValue: $0.string) }
  }
}
