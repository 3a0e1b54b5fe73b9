import Foundation
import Runs
import Tensor

/// What the architecture parameters say: probabilities, networks and costs.
extension ArchitectureParameters {
  /// The most probable candidate of every layer.
  package var argmax: Architecture {
    Architecture(logits.map { row in row.indices.max { row[$0] < row[$1] } ?? 0 })
  }

  /// P = softmax(θ), one array a layer (spec S4).
  package var probabilities: [[Double]] {
    logits.map { softmax($0.map(Double.init)) }
  }

  /// log P(a) = Σ_l log P(b_l) (spec S4).
  package func logProbability(_ architecture: Architecture) -> Double {
    zip(probabilities, architecture).reduce(0) { $0 + log($1.0[$1.1]) }
  }

  /// The cost of softmax(θ), fixed parts included, in the metric of the cost model.
  package var expectedCost: Double { costModel.expected(probabilities) }

  /// SHA-256 over the little-endian bytes of all architecture parameters, in the order of the
  /// layers.
  package var hash: String {
    var hash = SHA256()
    for layer in logits { hash.update(layer) }
    return hash.finalize()
  }
}

extension ArchitectureParameters {
  /// The most probable architecture whose cost lies `within`; nil when nothing fits.
  package func mostProbable(within: ClosedRange<Double>) -> Architecture? {
    // θ is log P but for a constant of each layer, which decides nothing.
    costModel.mostProbable(
      logits.map { $0.map { $0 == Self.outOfSearch ? -.infinity : Double($0) } },
      within: within
    )
  }

  /// Costs that hold a limit and make use of it, as far as a network that is not barred
  /// does; see `CostModel.useful`.
  ///
  /// All within the limit where the expected cost leaves a tenth of it or more: then accuracy asks
  /// for no more, and a cheaper network is no loss.
  func useful(_ limit: Double?) -> ClosedRange<Double> {
    guard let limit, binds(limit) else { return CostLimit.within(limit) }
    return costModel.useful(limit, even: evenScores(logits.map(\.count), barred: barred))
  }

  /// Whether the expected cost comes near `limit`.
  func binds(_ limit: Double) -> Bool { expectedCost > 0.9 * limit }

  /// Up to `count` different architectures sampled from P on condition that their cost lies
  /// `within` (spec S11): the very distribution of the samples that happen to fit, without the
  /// others.
  ///
  /// - Parameters:
  ///   - count: wanted; fewer come where P is settled or few fit.
  ///   - seed: names the random numbers.
  ///   - within: the lowest and the highest cost allowed.
  ///   - seen: architectures that do not count.
  /// - Returns: the architectures in the order of the sampling.
  package func samples(
    _ count: Int,
    seed: UInt64,
    within: ClosedRange<Double>,
    except seen: Set<Architecture> = []
  ) -> [Architecture] {
    costModel.samples(
      count,
      of: probabilities,
      within: within,
      seed: seed,
      stream: 1,
      except: seen
    )
  }
}
