import Yams

extension RunSettings {
  /// A key of the configuration with its value as it would be written.
  package struct Value: Sendable, Equatable {
    /// Path of the key: `search.epochs`.
    package var key: String
    /// What it holds, lists in one line.
    package var text: String

    package init(key: String, text: String) {
      self.key = key
      self.text = text
    }
  }

  /// All keys with their values, in the order in which a file is written; `kind` is not among them.
  package func values() -> [Value] {
    let tree =
      switch self {
      case .search(let settings): settings.tree()
      case .joint(let settings): settings.tree()
      case .training(let settings): settings.tree()
      }
    return Self.leaves(of: tree, at: "").filter { $0.key != "kind" }
  }

  /// Whether a run of any kind has a key of that path, or one that ends in it.
  static func hasKey(_ name: String) -> Bool {
    [Configuration.keys, JointConfiguration.keys, TrainingConfiguration.keys].contains { table in
      table.all.contains { key in
        key.path != "kind" && (key.path == name || key.path.hasSuffix("." + name))
      }
    }
  }

  private static func leaves(of node: Node, at path: String) -> [Value] {
    guard case .mapping(let mapping) = node else { return [Value(key: path, text: text(node))] }
    return mapping.flatMap { key, value in
      leaves(of: value, at: (path.isEmpty ? "" : path + ".") + (key.string ?? ""))
    }
  }

  private static func text(_ node: Node) -> String {
    switch node {
    case .scalar(let scalar): scalar.string
    case .sequence(let items): "[" + items.map(text).joined(separator: ", ") + "]"
    case .mapping(let pairs):
      "{" + pairs.map { "\($0.key.string ?? ""): \(text($0.value))" }.joined(separator: ", ") + "}"
    case .alias: ""
    }
  }
}
