/// The one order in which the sums of a batch's shards are added, whoever has which: halves of
/// halves (spec S103).
///
/// A rank has neighbouring shards. It adds what lies in subtrees that are wholly its own and hands
/// on a sum for each: a single one wherever the number of ranks is a power of two.
package struct ShardTree: Sendable {
  /// Number of shards.
  package let shards: Int

  /// A tree over so many shards, 1 or more.
  package init(shards: Int) {
    precondition(shards > 0, "ShardTree: \(shards) shards")
    self.shards = shards
  }

  /// The shards of a rank.
  package func shards(of rank: Int, ranks: Int) -> Range<Int> {
    rank * shards / ranks..<(rank + 1) * shards / ranks
  }

  /// Where a node that is no leaf is cut.
  package static func middle(_ node: Range<Int>) -> Int {
    (node.lowerBound + node.upperBound + 1) / 2
  }

  /// The largest subtrees that lie in `range`, from left to right.
  package func subtrees(in range: Range<Int>) -> [Range<Int>] {
    func cut(_ node: Range<Int>) -> [Range<Int>] {
      if node.clamped(to: range) == node { return [node] }
      if !node.overlaps(range) { return [] }
      let middle = ShardTree.middle(node)
      return cut(node.lowerBound..<middle) + cut(middle..<node.upperBound)
    }
    return range.isEmpty ? [] : cut(0..<shards)
  }

  /// What to add to what, in order, so that the first of `leaves`, which make up the tree, becomes
  /// the sum of all.
  package func additions(of leaves: [Range<Int>]) -> [(to: Int, from: Int)] {
    var list: [(to: Int, from: Int)] = []
    func add(_ node: Range<Int>) -> Int {
      if let leaf = leaves.firstIndex(of: node) { return leaf }
      let middle = ShardTree.middle(node)
      let left = add(node.lowerBound..<middle)
      list.append((left, add(middle..<node.upperBound)))
      return left
    }
    _ = add(0..<shards)
    return list
  }
}
