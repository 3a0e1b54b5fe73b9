import Foundation
import Yams

extension Configuration {
  /// Every key with its default in the `digits` preset, its type and range, and its meaning.
  ///
  /// One key a paragraph: `path  default  range` and the meaning below; sections lead their keys.
  package static func explain() -> String {
    // A preset name from the list itself is always known.
    guard let defaults = try? preset("digits"), let masked = try? preset("fbnet-v2-digits") else {
      return ""
    }
    return defaults.explained(
      [
        "Keys of a configuration file, with digits' defaults (fbnet-v2-digits' for masked).",
        "A file may leave keys out; --set key.path=value overrides one.",
      ],
      others: masked
    )
  }
}

extension JointConfiguration {
  /// Every key of a joint search, as `Configuration.explain()`; those of its recipe are in
  /// `Recipe.explain()`.
  package static func explain() -> String {
    guard let defaults = try? preset(presetNames[0]) else { return "" }
    return defaults.explained(
      [
        "Keys of a joint search (kind: joint), with the defaults of \(presetNames[0]).",
        "A file may leave keys out; values are ours where no line names the paper.",
      ],
      without: "recipe."
    )
  }
}

extension Recipe {
  /// Every key with its default, its type and range, and its meaning; as `Configuration.explain()`.
  package static func explain() -> String {
    Recipe().explained([
      "Keys of a recipe file (supertop train --recipe FILE), with their defaults.",
      "A file may leave keys out; --set key=value overrides one.",
    ])
  }
}

extension KeyedSettings {
  /// `head`, then one key a paragraph with the value that it has here, or in `others` where it has
  /// none here.
  ///
  /// Keys whose paths begin with `without` are left to another list.
  fileprivate func explained(
    _ head: [String],
    others: Self? = nil,
    without prefix: String? = nil
  ) -> String {
    let trees = [tree()] + (others.map { [$0.tree()] } ?? [])
    var lines = head
    var section: String? = nil
    for key in Self.keys.all where !(prefix.map(key.path.hasPrefix) ?? false) {
      let top = key.isLeaf && key.parent.isEmpty ? "" : key.path.prefix { $0 != "." }
      if section != String(top) { lines.append("") }
      section = String(top)
      if case .section = key.kind {
        lines.append((key.parent.isEmpty ? "" : "  ") + "\(key.path): \(key.meaning)")
        continue
      }
      let columns = [key.path.padded(to: 34), Self.defaultText(of: key, in: trees).padded(to: 20)]
      let start = "  " + columns.joined(separator: " ") + " "
      if case .word(let words) = key.kind, start.count + key.kind.range.count > 100 {
        lines.append(start + "one of these words:")
        lines += Self.listed(words)
      } else {
        lines.append(start + key.kind.range)
      }
      lines.append("      " + key.meaning)
    }
    return lines.joined(separator: "\n") + "\n"
  }

  /// Words in lines of their own; a line that goes on ends with a comma.
  private static func listed(_ words: [String]) -> [String] {
    words.dropFirst().reduce(into: ["      \(words.first ?? "")"]) { lines, word in
      lines[lines.count - 1] += ","
      let line = lines[lines.count - 1] + " " + word
      if line.count < 100 { lines[lines.count - 1] = line } else { lines.append("      " + word) }
    }
  }

  private static func defaultText(of key: ConfigurationKey, in trees: [Node]) -> String {
    let nodes = trees.map { Self.nodes(at: key.path, in: $0) }.first { !$0.isEmpty } ?? []
    guard key.isLeaf else { return "\(nodes.first?.sequence?.count ?? 0) items" }
    let text = nodes.map { node in
      node.scalar?.string
        ?? node.sequence.map { "[\($0.compactMap { $0.scalar?.string }.joined(separator: ", "))]" }
        ?? ""
    }.joined(separator: " ")
    guard !text.isEmpty else { return "''" }
    return text.count <= 20 ? text : text.prefix(17) + "..."
  }

  /// What stands at a path, once for each item of its lists.
  private static func nodes(at path: String, in tree: Node) -> [Node] {
    var nodes = [tree]
    for part in path.split(separator: ".") {
      let name = part.hasSuffix("[]") ? String(part.dropLast(2)) : String(part)
      nodes = nodes.compactMap { $0[name] }
      if part.hasSuffix("[]") { nodes = nodes.flatMap { $0.sequence.map(Array.init) ?? [] } }
    }
    return nodes
  }
}

extension String {
  fileprivate func padded(to width: Int) -> String {
    self + String(repeating: " ", count: max(0, width - count))
  }
}
