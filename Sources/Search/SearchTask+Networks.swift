import Networks
import Runs
import Training

extension SearchTask {
  package func networks(
    _ count: Int,
    derives: Bool,
    _ context: EvaluationContext
  ) throws -> [DerivedRecord]? {
    var records = derives ? Array(starts.prefix(count)) : []
    let sampled = supernet.theta.samples(
      count - records.count,
      seed: configuration.seed &+ UInt64(context.step),
      within: within,
      except: Set(records.map { Architecture($0.architecture) })
    )
    records += sampled.map { record("sample", $0) }
    let scores = try evaluate(records.map { Architecture($0.architecture) }, in: context) {
      "evaluating network \($0) of \(records.count)"
    }
    guard let scores else { return nil }
    for (index, score) in scores.enumerated() {
      records[index].accuracy = score.accuracy
      records[index].crossEntropy = score.crossEntropy
      try export(records[index], context.folder)
    }
    return records
  }

  /// Writes a network into the run's `exports`, for `train` and `export` to take.
  private func export(_ record: DerivedRecord, _ folder: RunFolder) throws {
    let network = supernet.space.network(
      of: Architecture(record.architecture),
      name: "\(configuration.preset)-\(record.name)"
    )
    try folder.export(NetworkFile.json(network), as: "\(record.name).json")
  }

  /// The networks that a search ends with before any is sampled, as records that nobody has
  /// evaluated; see `Supernet.starts`.
  var starts: [DerivedRecord] {
    let argmax = supernet.argmax
    return supernet.starts(limit: configuration.limit).map { start in
      ["uniform", "even"].contains(start.source)
        ? record(start.source, start.architecture)
        : record("argmax", start.architecture, from: argmax)
    }
  }

  /// A network of which nothing is evaluated; `origin` is what a budget changed into it, if one
  /// did.
  func record(
    _ source: String,
    _ network: Architecture,
    from origin: Architecture? = nil
  ) -> DerivedRecord {
    DerivedRecord(
      source: source,
      architecture: network.options,
      blocks: choices.names(of: network),
      changes: choices.changes(from: origin ?? network, to: network),
      logProbability: supernet.theta.logProbability(network),
      flops: supernet.flops(network),
      params: supernet.params(network),
      latency: latency?.cost(network)
    )
  }
}
