/// What a step takes on several hosts with one rank each, where every rank has one shard: a step on
/// one host and the exchange (spec S103).
///
/// A rank sends and receives (R − 1)/R of all gradients twice, over a link of its own, and adds
/// them once. Both exchanges go in rounds of a message each, R − 1 for each bucket.
package struct ScalingModel: Sendable {
  /// Seconds of a step on one shard.
  package var step: Double
  /// Numbers that are exchanged.
  package var floats: Int
  /// Seconds to add a number to another one.
  package var addition: Double
  /// Bytes a second of a host's link, each way.
  package var bandwidth: Double
  /// Seconds of a message besides its bytes.
  package var latency: Double

  /// Takes all of them as they are.
  package init(
    step: Double,
    floats: Int,
    addition: Double,
    bandwidth: Double,
    latency: Double
  ) {
    self.step = step
    self.floats = floats
    self.addition = addition
    self.bandwidth = bandwidth
    self.latency = latency
  }

  /// Seconds of a step.
  package func seconds(ranks: Int) -> Double { step + exchange(ranks: ranks) }

  /// Seconds of its exchange.
  package func exchange(ranks: Int) -> Double {
    guard ranks > 1 else { return 0 }
    let others = Double(ranks - 1)
    let share = Double(floats) * others / Double(ranks)
    let buckets = (Double(floats) / Double(Ranks.bucket)).rounded(.up)
    return share * addition + 2 * (4 * share / bandwidth + others * buckets * latency)
  }

  /// Images a second on so many ranks, over those of one rank times their number: 0…1.
  package func efficiency(ranks: Int) -> Double { step / seconds(ranks: ranks) }

  /// The most ranks, up to `most`, whose efficiency and that of all fewer is at least `least`.
  package func ranks(efficiency least: Double, most: Int = 4096) -> Int {
    (2...most).first { efficiency(ranks: $0) < least }.map { $0 - 1 } ?? most
  }
}
