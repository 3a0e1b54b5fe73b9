import Foundation
import Yams

extension Configuration {
  /// Every key with its default in the `digits` preset, its type and range, and its meaning.
  ///
  /// One key a paragraph: `path  default  range` and the meaning below; sections lead their keys.
  package static func explain() -> String {
    let tree = digitsTree
    var lines = [
      "Keys of a configuration file, with the defaults of the digits preset.",
      "A file may leave keys out; --set key.path=value overrides one.",
    ]
    var section: String? = nil
    for key in ConfigurationKey.all {
      let top = key.isLeaf && key.parent.isEmpty ? "" : key.path.prefix { $0 != "." }
      if section != String(top) { lines.append("") }
      section = String(top)
      if case .section = key.kind {
        lines.append((key.parent.isEmpty ? "" : "  ") + "\(key.path): \(key.meaning)")
        continue
      }
      let columns = [key.path.padded(to: 31), defaultText(of: key, in: tree).padded(to: 20)]
      lines.append("  " + columns.joined(separator: " ") + " " + key.kind.range)
      lines.append("      " + key.meaning)
    }
    return lines.joined(separator: "\n") + "\n"
  }

  private static var digitsTree: Node {
    // A preset name from the list itself is always known.
    (try? preset("digits"))?.tree() ?? Node("")
  }

  private static func defaultText(of key: ConfigurationKey, in tree: Node) -> String {
    var nodes = [tree]
    for part in key.path.split(separator: ".") {
      let name = part.hasSuffix("[]") ? String(part.dropLast(2)) : String(part)
      nodes = nodes.compactMap { $0[name] }
      if part.hasSuffix("[]") { nodes = nodes.flatMap { $0.sequence.map(Array.init) ?? [] } }
    }
    guard key.isLeaf else { return "\(nodes.first?.sequence?.count ?? 0) items" }
    let text = nodes.compactMap { $0.scalar?.string }.joined(separator: " ")
    guard !text.isEmpty else { return "''" }
    return text.count <= 20 ? text : text.prefix(17) + "..."
  }
}

extension String {
  fileprivate func padded(to width: Int) -> String {
    self + String(repeating: " ", count: max(0, width - count))
  }
}
