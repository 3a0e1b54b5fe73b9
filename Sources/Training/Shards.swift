import Data
import Ranks
import Runs
import Tensor

/// How a step's batch is cut: each shard is a step of its own, with the batch-norm statistics of
/// its images, and their gradients are added along one tree (spec S103).
///
/// So the bits depend on the number of shards alone, not on who computes which. Confined to the
/// trainer's queue.
package final class Shards {
  /// Their number.
  package var count: Int { tree.shards }
  /// The order of the additions.
  private let tree: ShardTree
  /// Who computes them; nil for this process alone.
  private let ranks: Ranks?
  /// The shards of this process.
  private let own: Range<Int>
  /// Sums that wait to be added, each of all gradients and figures.
  private var sums: [Float] = []
  private var total: [Float] = []

  /// Cuts batches into `count` shards.
  ///
  /// - Throws: `UserError` for more ranks than shards.
  package init(_ count: Int, ranks: Ranks? = nil) throws {
    tree = ShardTree(shards: count)
    self.ranks = ranks
    own = tree.shards(of: ranks?.rank ?? 0, ranks: ranks?.count ?? 1)
    if let ranks, ranks.count > count {
      throw UserError(
        .configuration,
        "shards: \(count)",
        "fewer than the \(ranks.count) processes",
        remedy: "set shards=\(ranks.count) or more, or start fewer processes"
      )
    }
  }

  /// The part of each batch that this process reads.
  package var part: BatchPart { BatchPart(own, of: tree.shards) }

  /// A shard that is computed now.
  package struct Shard {
    /// Its number among those of the batch.
    package let index: Int
    /// Its images among those of the batch.
    package let images: Range<Int>
    /// The same among the images that this process has read.
    package let read: Range<Int>
    /// Its share of the batch, 0…1.
    package let share: Float
  }

  /// Computes the shards of this process, and adds their gradients and figures over all shards.
  ///
  /// - Parameters:
  ///   - images: of the whole batch.
  ///   - gradients: what `evaluate` adds a shard's share of the gradients to, zeros before; the
  ///     sums over the batch are in them afterwards.
  ///   - figures: how many `evaluate` returns.
  ///   - evaluate: computes a shard, and returns its share of the figures.
  /// - Returns: the figures of the batch.
  package func sum(
    images: Int,
    gradients: [Buffer],
    figures: Int,
    _ evaluate: (Shard) -> [Float]
  ) -> [Float] {
    let first = part.images(in: images).lowerBound
    func shard(_ index: Int) -> Shard {
      let range = BatchPart(index..<index + 1, of: tree.shards).images(in: images)
      return Shard(
        index: index,
        images: range,
        read: range.lowerBound - first..<range.upperBound - first,
        share: Float(range.count) / Float(images)
      )
    }
    if tree.shards == 1 { return evaluate(shard(0)) }
    let size = gradients.reduce(figures) { $0 + $1.count }
    let subtrees = tree.subtrees(in: own)
    func depth(_ node: Range<Int>) -> Int {
      node.count == 1 ? 1 : 1 + depth(node.lowerBound..<ShardTree.middle(node))
    }
    let places = subtrees.enumerated().map { $0 + depth($1) }.max() ?? 0
    if sums.count < places * size { sums = [Float](repeating: 0, count: places * size) }
    if total.count < size { total = [Float](repeating: 0, count: size) }
    sums.withUnsafeMutableBufferPointer { sums in
      guard let base = sums.baseAddress else { return }
      func add(_ node: Range<Int>, at place: Int) {
        let sum = base + place * size
        guard node.count > 1 else {
          var end = sum
          let found = evaluate(shard(node.lowerBound))
          for gradient in gradients {
            end.update(from: gradient.pointer, count: gradient.count)
            end += gradient.count
            gradient.clear()
          }
          for i in 0..<figures { end[i] = found[i] }
          return
        }
        let middle = ShardTree.middle(node)
        add(node.lowerBound..<middle, at: place)
        add(middle..<node.upperBound, at: place + 1)
        Ranks.add(
          UnsafeBufferPointer(start: sum + size, count: size),
          to: UnsafeMutableBufferPointer(start: sum, count: size)
        )
      }
      for (place, node) in subtrees.enumerated() { add(node, at: place) }
      total.withUnsafeMutableBufferPointer { total in
        let whole = UnsafeMutableBufferPointer(rebasing: total[..<size])
        if let ranks {
          ranks.add(sums, of: tree, to: whole)
        } else {
          whole.baseAddress?.update(from: base, count: size)
        }
      }
    }
    var end = 0
    total.withUnsafeBufferPointer { total in
      guard let total = total.baseAddress else { return }
      for gradient in gradients {
        gradient.pointer.update(from: total + end, count: gradient.count)
        end += gradient.count
      }
    }
    return Array(total[end..<end + figures])
  }

  /// Computes the statistics of `norms` again from some batches, by turns: each on one rank, and
  /// all ranks have the statistics of all batches afterwards.
  ///
  /// `forward` takes a batch, whose number comes first, through the network.
  package func recalibrate<Batches: RandomAccessCollection<Batch>>(
    _ norms: [BatchNorm],
    on engine: Engine,
    _ batches: Batches,
    forward: (Int, Batch) -> Void
  ) where Batches.Index == Int {
    norms.forEach { $0.resetStatistics() }
    engine.isRecording = false
    engine.mode = .recalibration
    defer { engine.mode = .inference }
    guard let ranks else { return zip(batches.indices, batches).forEach(forward) }
    let numbers = Dictionary(
      uniqueKeysWithValues: norms.enumerated().map { (ObjectIdentifier($1), $0) }
    )
    // Of each batch how many norms it went through, then number, rows, means and variances of each.
    var own: [Double] = []
    for index in batches.indices where index % ranks.count == ranks.rank {
      var moments: [Engine.BatchMoments] = []
      engine.takesMoments = { moments.append($0) }
      forward(index, batches[index])
      own.append(Double(moments.count))
      for found in moments {
        own += [Double(numbers[ObjectIdentifier(found.norm)] ?? 0), Double(found.rows)]
        own += found.mean + found.variance
      }
    }
    engine.takesMoments = nil
    var rest = ranks.numbers(own).map { $0[...] }
    for index in batches.indices {
      func next(_ count: Int) -> [Double] {
        defer { rest[index % ranks.count].removeFirst(count) }
        return Array(rest[index % ranks.count].prefix(count))
      }
      for _ in 0..<Int(next(1)[0]) {
        let head = next(2)
        let norm = norms[Int(head[0])]
        let channels = norm.runningMean.count
        Engine.BatchMoments(
          norm: norm,
          mean: next(channels),
          variance: next(channels),
          rows: Int(head[1])
        ).record()
      }
    }
  }

  /// Evaluates the batches of a pass by turns: each on one rank, and its figures are there on all.
  ///
  /// - Parameters:
  ///   - plan: the pass.
  ///   - stops: is asked before each batch, with its number, on every rank; true ends the pass.
  ///   - evaluate: the figures of a batch, whose number comes first; as many for each.
  /// - Returns: the figures in the order of the batches; nil if asked to stop.
  package func byTurns(
    _ plan: BatchPlan,
    stops: (Int) throws -> Bool,
    evaluate: (Int, Batch) -> [Double]
  ) rethrows -> [[Double]]? {
    let (rank, count) = (ranks?.rank ?? 0, ranks?.count ?? 1)
    let loader = BatchLoader(plan, from: rank, every: count)
    var own: [[Double]] = []
    for index in 0..<plan.count {
      if try stops(index) { return nil }
      if index % count == rank, let batch = loader.next() { own.append(evaluate(index, batch)) }
    }
    guard let ranks else { return own }
    let all = ranks.numbers(own.flatMap(\.self))
    // The first rank has a batch wherever there is one.
    let figures = all[0].count / max(1, (plan.count + count - 1) / count)
    return (0..<plan.count).map {
      let place = $0 / count * figures
      return Array(all[$0 % count][place..<place + figures])
    }
  }
}
