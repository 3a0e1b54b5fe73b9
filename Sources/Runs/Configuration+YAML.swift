import Foundation
import Yams

extension Configuration {
  /// The configuration that the file at `path` and then the `key.path=value` overrides make.
  ///
  /// A file may be partial: it starts from its `preset:` (default `digits`). Errors: `.noInput` for
  /// a file that cannot be read, `.configuration` for anything wrong in it, with the dotted key.
  package static func load(path: String, overrides: [String] = []) throws -> Configuration {
    let origin = Origin(prefix: path + ": ")
    let inFile = try origin.resolve(try origin.parse(try readText(path)))
    var config = inFile
    for assignment in overrides { try config.set(assignment) }
    config.scaleWarmup(from: inFile, overrides: overrides)
    try origin.checkTogether(config)
    return config
  }

  /// A preset with `key.path=value` overrides, checked as a whole.
  package static func preset(_ name: String, overrides: [String]) throws -> Configuration {
    var config = try preset(name)
    try config.apply(overrides)
    return config
  }

  /// Overrides keys from `key.path=value` texts and checks the outcome as a whole.
  ///
  /// Changed epochs scale the warm-up in proportion unless an override names it too.
  package mutating func apply(_ assignments: [String]) throws {
    let before = self
    for assignment in assignments { try set(assignment) }
    scaleWarmup(from: before, overrides: assignments)
    try Origin(prefix: "--set ").checkTogether(self)
  }

  /// Overrides one key from `key.path=value`, checking that key's type and range only.
  ///
  /// A unique ending will do for the key (`batch=4`); lists are YAML (`space.candidates=[k3_e1,
  /// skip]`). Errors: `.usage` without `=`, `.configuration` for a wrong key or value.
  package mutating func set(_ assignment: String) throws {
    let parts = assignment.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
    guard parts.count == 2 else {
      throw UserError(
        .usage,
        "--set \(assignment)",
        "no value",
        remedy: "write key.path=value"
      )
    }
    let origin = Origin(prefix: "--set ")
    let key = try origin.key(named: parts[0].trimmingCharacters(in: .whitespaces))
    if key.path == "preset" {
      throw origin.error("preset", "a preset cannot be set over another", remedy: "use --preset")
    }
    var value = try origin.value(String(parts[1]), for: key)
    for name in key.path.split(separator: ".").reversed() {
      value = Node([(Node(String(name)), value)])
    }
    self = try origin.overlay(value, on: self)
  }

  /// The whole configuration as YAML; `load` gives back an equal value.
  package func yaml() -> String {
    do {
      return try serialize(node: Self.styled(tree()), width: -1, allowUnicode: true)
    } catch {
      // The tree holds plain scalars, lists and mappings only, and the emitter takes all of those.
      preconditionFailure("a configuration that YAML cannot write: \(error)")
    }
  }

  /// The configuration as a YAML tree, its keys in the order of the table.
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
      return Self.ordered(try compose(yaml: json) ?? Node([(Node, Node)]()), at: "")
    } catch {
      // Every stored value is a number, a string, a flag or a list of such: all can be encoded.
      preconditionFailure("a configuration that JSON cannot write: \(error)")
    }
  }

  /// Keeps the warm-up's share of the epochs where only the epochs were overridden (spec S9).
  private mutating func scaleWarmup(from before: Configuration, overrides: [String]) {
    guard search.epochs != before.search.epochs,
      !overrides.contains(where: { $0.prefix { $0 != "=" }.hasSuffix("warmup_epochs") })
    else { return }
    search.warmupEpochs = search.epochs * before.search.warmupEpochs / before.search.epochs
  }

  private static func ordered(_ node: Node, at path: String) -> Node {
    switch node {
    case .mapping(let mapping):
      return Node(
        ConfigurationKey.children(of: path).compactMap { key in
          mapping[key.name].map { (Node(key.name), ordered($0, at: key.path)) }
        }
      )
    case .sequence(let items):
      return Node(items.map { ordered($0, at: path + "[]") })
    case .scalar(let scalar):
      guard let kind = ConfigurationKey.at(path)?.kind else { return node }
      switch kind {
      case .number:
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
        .block
      )
    default: node
    }
  }
}

/// Where values come from, for the start of an error line: `FILE: ` or `--set `.
struct Origin {
  var prefix: String

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
      default: throw UserError(.configuration, file, "not YAML, \(error)")
      }
    }
  }

  /// A file's tree laid over the preset that it names.
  func resolve(_ node: Node?) throws -> Configuration {
    guard let node, !isNull(node) else { return try Configuration.preset("digits") }
    // An unknown preset is told by the check inside `overlay`.
    let name = node["preset"]?.scalar?.string
    let base =
      try (name.flatMap { try? Configuration.preset($0) }) ?? Configuration.preset("digits")
    var config = try overlay(node, on: base)
    if node["search"]?["epochs"] != nil, node["search"]?["warmup_epochs"] == nil {
      config.search.warmupEpochs =
        config.search.epochs * base.search.warmupEpochs / base.search.epochs
    }
    return config
  }

  /// `base` with the values of a partial tree in place of its own.
  func overlay(_ node: Node, on base: Configuration) throws -> Configuration {
    let node = try expandingCandidates(node)
    try check(node, at: "", shown: "")
    do {
      return try YAMLDecoder().decode(from: merged(base.tree(), node))
    } catch let error as DecodingError {
      throw UserError(.software, prefix, "cannot be decoded after its check: \(error)")
    }
  }

  /// The key of that path, or the only one that ends in it.
  func key(named name: String) throws -> ConfigurationKey {
    let settable = ConfigurationKey.all.filter { !$0.isInList }
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
    if !key.isLeaf {
      return try parse(text) ?? Node("")
    }
    if case .text = key.kind { return Node(text, .implicit, .doubleQuoted) }
    return Node(text.trimmingCharacters(in: .whitespaces), .implicit, .plain)
  }

  static func either(_ items: [String]) -> String {
    guard let last = items.last, items.count > 1 else { return items.joined() }
    return items.dropLast().joined(separator: ", ") + " or " + last
  }

  func isNull(_ node: Node) -> Bool { node.null != nil }

  private func merged(_ base: Node, _ over: Node) -> Node {
    guard case .mapping(var result) = base else { return over }
    guard case .mapping(let over) = over else { return isNull(over) ? base : over }
    for (key, value) in over { result[key] = result[key].map { merged($0, value) } ?? value }
    return .mapping(result)
  }

  /// `space.candidates` with bare names and left-out parts of items written out.
  private func expandingCandidates(_ node: Node) throws -> Node {
    guard var space = node["space"], let items = space["candidates"]?.sequence else { return node }
    var node = node
    space["candidates"] = Node(
      try items.enumerated().map { index, item in
        let name = item.scalar?.string ?? item["name"]?.scalar?.string
        let known = name.flatMap(Configuration.Space.Candidate.init(named:))
        if item.mapping == nil, known == nil {
          throw error(
            "space.candidates[\(index)]",
            "\(name ?? "a list") is not the name of a known block",
            remedy: "name it like k3_e6, k5_e1_g2 or skip, or give name, kernel and expansion"
          )
        }
        var parts: [(Node, Node)] = [
          (Node("groups"), Node("\(known?.groups ?? 1)")),
          (Node("activation"), Node((known?.activation ?? .relu).rawValue)),
        ]
        if let known {
          parts += [
            (Node("name"), Node(known.name)), (Node("kernel"), Node("\(known.kernel)")),
            (Node("expansion"), Node("\(known.expansion)")),
          ]
        }
        return item.mapping == nil ? Node(parts) : merged(Node(parts), item)
      }
    )
    node["space"] = space
    return node
  }
}
