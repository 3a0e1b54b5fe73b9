/// A cost model whose networks are the ways through a graph of costs: it repairs and samples there.
package protocol TrellisCostModel: CostModel {
  /// The networks by their exact costs.
  var trellis: CostTrellis { get }
  /// Options of each choice.
  var optionCounts: [Int] { get }
  /// Equal architectures for equal networks.
  func canonical(_ architecture: Architecture) -> Architecture
}

extension TrellisCostModel {
  /// As it is: every architecture is a network of its own.
  package func canonical(_ architecture: Architecture) -> Architecture { architecture }

  /// See `CostTrellis.mostProbable`.
  package func mostProbable(
    _ logProbabilities: [[Double]],
    within: ClosedRange<Double>
  ) -> Architecture? { trellis.mostProbable(logProbabilities, within: within) }

  /// See `CostTrellis.samples`.
  package func samples(
    _ count: Int,
    of probabilities: [[Double]]?,
    within: ClosedRange<Double>,
    seed: UInt64,
    stream: UInt64,
    except seen: Set<Architecture>
  ) -> [Architecture] {
    trellis.samples(
      count,
      of: probabilities ?? optionCounts.map { [Double](repeating: 1 / Double($0), count: $0) },
      within: within,
      seed: seed,
      stream: stream,
      except: seen,
      canonical: canonical
    )
  }
}
