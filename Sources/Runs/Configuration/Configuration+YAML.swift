import Foundation
import Yams

extension Configuration {
  /// The configuration that the file at `path` and then the `key.path=value` overrides make.
  ///
  /// A file may be partial: it starts from its `preset:` (default `digits`). Errors: `.noInput` for
  /// a file that cannot be read, `.configuration` for anything wrong in it, with the dotted key.
  package static func load(path: String, overrides: [String] = []) throws -> Configuration {
    let origin = Origin(prefix: path + ": ")
    let node = try origin.parse(try readText(path))
    let inFile = try origin.resolve(node)
    var config = inFile
    let overridden = try config.assign(overrides)
    config.scaleSchedule(from: inFile, said: overridden)
    config.followBudget(said: overridden.union(node.map { origin.paths($0) } ?? []))
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
  /// A budget makes the cost follow its metric, and the form the target, unless an override says
  /// them. Changed epochs scale warm-up and temperature in proportion unless an override names them
  /// too.
  package mutating func apply(_ assignments: [String]) throws {
    let before = self
    let said = try assign(assignments)
    scaleSchedule(from: before, said: said)
    followBudget(said: said)
    try Origin(prefix: "--set ").checkTogether(self)
  }

  /// Overrides one key from `key.path=value`, checking that key's type and range only.
  ///
  /// A unique ending will do for the key (`batch=4`); lists are YAML (`space.candidates=[k3_e1,
  /// skip]`). Errors: `.usage` without `=`, `.configuration` for a wrong key or value.
  package mutating func set(_ assignment: String) throws { try assign(assignment) }

  /// The whole configuration as YAML; `load` gives back an equal value.
  package func yaml() -> String { text() }

  /// Keeps the warm-up's share of the epochs, and the temperature that the last one ends with,
  /// where the epochs are others than `before` and the key itself was not `said` (spec S9).
  fileprivate mutating func scaleSchedule(from before: Configuration, said: Set<String>) {
    guard search.epochs != before.search.epochs else { return }
    if !said.contains("search.warmup_epochs") {
      search.warmupEpochs = search.epochs * before.search.warmupEpochs / before.search.epochs
    }
    if !said.contains("temperature.rate") {
      temperature.rate *= Double(before.search.epochs) / Double(search.epochs)
    }
  }
}

extension Origin {
  /// A file's tree laid over the preset that it names.
  func resolve(_ node: Node?) throws -> Configuration {
    guard let node, !isNull(node) else { return try Configuration.preset("digits") }
    // An unknown preset is reported by the check inside `overlay`.
    let name = node["preset"]?.scalar?.string
    let base =
      try (name.flatMap { try? Configuration.preset($0) }) ?? Configuration.preset("digits")
    var config = try overlay(node, on: base)
    config.scaleSchedule(from: base, said: paths(node))
    return config
  }

  /// `space.candidates` with bare names and left-out parts of items written out.
  func expandingCandidates(_ node: Node) throws -> Node {
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
