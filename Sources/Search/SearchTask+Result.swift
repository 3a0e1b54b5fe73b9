import Data
import Foundation
import Networks
import Runs
import Tensor

extension SearchTask {
  /// Networks drawn from softmax(θ) for the export, besides the likeliest one.
  private static let sampledNetworks = 4

  /// A network and how it did: on the test images, or on those kept for θ.
  private struct Judged {
    var source: String
    var network: [Int]
    var accuracy: Double?
    var thetaAccuracy: Double?
  }

  /// Writes the exports and the result of a run whose epochs are done; nil if asked to stop.
  ///
  /// Everything here depends on the last checkpoint alone, so a run killed meanwhile ends the same.
  func conclude(_ session: TrainingSession) throws -> RunResult? {
    let last = try session.lastEpoch()
    guard let judged = try drawn.isEmpty ? judgeLikely(last, session) : judgeDrawn(session),
      let best = judged.first
    else { return nil }
    let chosen = ChosenNetwork(
      network: best.network,
      argmax: drawn.isEmpty ? supernet.argmax : best.network
    )
    let prices = supernet.prices
    let result = SearchResult(
      event: "done",
      algorithm: configuration.search.algorithm.rawValue,
      validationAccuracy: last.validationAccuracy,
      argmaxAccuracy: best.accuracy ?? last.argmaxAccuracy,
      validationLoss: last.validationLoss,
      architecture: layers(of: chosen.network),
      flops: supernet.flops(chosen.network),
      params: supernet.params(chosen.network),
      latency: latency?.cost(chosen.network),
      costMetric: configuration.search.cost.rawValue,
      cost: prices.cost(chosen.network),
      expectedCost: supernet.expectedCost,
      argmaxCost: prices.cost(chosen.argmax),
      budget: configuration.limit,
      repaired: chosen.isRepaired,
      thetaHash: supernet.theta.hash,
      weightsHash: supernet.weightsHash,
      run: session.folder.absolutePath,
      epochs: plan.epochs,
      steps: session.step,
      seconds: try session.store.reader.epochs().reduce(0) { $0 + $1.seconds }
    )
    if let repair = repair(chosen) { try session.store.log(.info, repair) }
    try session.export(try export(judged), as: "architecture.json")
    let network = supernet.macro.network(chosen.network, name: configuration.preset)
    try session.export(NetworkFile.json(network), as: "network.json")
    return .search(result)
  }

  private func layers(of network: [Int]) -> [SearchResult.LayerChoice] {
    zip(supernet.choices, network).map { choice, index in
      let option = choice.options[index]
      return SearchResult.LayerChoice(
        layer: choice.name,
        choice: option.name,
        flops: option.flops,
        params: option.params,
        latency: option.latency
      )
    }
  }

  /// The likeliest network within the budget first, then the likeliest of all if that is another, then
  /// some drawn from softmax(θ), best first.
  private func judgeLikely(_ last: EpochRecord, _ session: TrainingSession) throws -> [Judged]? {
    let chosen = likeliest()
    var judged = [
      Judged(source: "argmax", network: chosen.argmax, accuracy: last.argmaxAccuracy)
    ]
    if chosen.isRepaired {
      guard
        let score = try evaluate(
          chosen.network,
          in: session,
          message: "validating the likeliest network within the budget",
          share: 0..<1
        )
      else { return nil }
      judged.insert(
        Judged(source: "repaired", network: chosen.network, accuracy: score.accuracy),
        at: 0
      )
    }
    var seen = Set(judged.map(\.network))
    var drawn: [[Int]] = []
    // A settled search draws the same network over and over: give up after some tries.
    for index in 0..<(4 * SearchTask.sampledNetworks)
    where drawn.count < SearchTask.sampledNetworks {
      let network = supernet.theta.sample(seed: configuration.seed, index: index)
      if seen.insert(network).inserted { drawn.append(network) }
    }
    var sampled: [Judged] = []
    for (index, network) in drawn.enumerated() {
      guard
        let score = try evaluate(
          network,
          in: session,
          message: "validating sampled network \(index + 1) of \(drawn.count)",
          share: Self.part(index, of: drawn.count)
        )
      else { return nil }
      sampled.append(Judged(source: "sampled", network: network, accuracy: score.accuracy))
    }
    return judged + sampled.sorted { ($0.accuracy ?? 0) > ($1.accuracy ?? 0) }
  }

  /// The drawn networks of a random search, best first.
  ///
  /// The images kept for θ decide, as they do in a search by gradients; the test images only tell how
  /// good the best one is.
  private func judgeDrawn(_ session: TrainingSession) throws -> [Judged]? {
    var judged: [(network: Judged, crossEntropy: Double)] = []
    for (index, network) in drawn.enumerated() {
      guard
        let score = try evaluate(
          network,
          onThetaImages: true,
          in: session,
          message: "judging random network \(index + 1) of \(drawn.count)",
          share: Self.part(index, of: drawn.count + 1)
        )
      else { return nil }
      judged.append(
        (
          Judged(source: "random", network: network, thetaAccuracy: score.accuracy),
          score.crossEntropy
        )
      )
    }
    judged.sort {
      ($0.network.thetaAccuracy ?? 0, -$0.crossEntropy)
        > ($1.network.thetaAccuracy ?? 0, -$1.crossEntropy)
    }
    guard
      let score = try evaluate(
        judged[0].network.network,
        in: session,
        message: "validating the best random network",
        share: Self.part(drawn.count, of: drawn.count + 1)
      )
    else { return nil }
    judged[0].network.source = "best"
    judged[0].network.accuracy = score.accuracy
    return judged.map(\.network)
  }

  private static func part(_ index: Int, of count: Int) -> Range<Double> {
    Double(index) / Double(count)..<Double(index + 1) / Double(count)
  }

  /// Networks as the text of the export file.
  private func export(_ judged: [Judged]) throws -> String {
    let export = ArchitectureExport(
      layers: supernet.choices.map(\.name),
      architectures: judged.map { judged in
        ArchitectureExport.Entry(
          source: judged.source,
          blocks: zip(supernet.choices, judged.network).map { $0.options[$1].name },
          flops: supernet.flops(judged.network),
          params: supernet.params(judged.network),
          latency: latency?.cost(judged.network),
          validationAccuracy: judged.accuracy,
          thetaAccuracy: judged.thetaAccuracy
        )
      }
    )
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(export), as: UTF8.self) + "\n"
  }
}

extension TrainingSession {
  /// The last epoch of a run whose epochs are done.
  func lastEpoch() throws -> EpochRecord {
    guard let last = try store.reader.epochs().last else {
      throw UserError(.data, folder.path, "the run has no finished epoch")
    }
    return last
  }

  /// Makes the exports folder anew if somebody has removed it.
  func makeExports() throws {
    guard makeFolders(folder.exportsPath) == 0 else {
      throw UserError(
        .cannotCreate,
        folder.exportsPath,
        "the folder cannot be made",
        remedy: "check the run folder's permissions"
      )
    }
  }

  /// Writes a file of the exports folder whole or not at all.
  func export(_ text: String, as name: String) throws {
    let path = folder.exportsPath + "/" + name
    try makeExports()
    try writeWhole(text, to: path)
  }
}

extension RunFolder {
  /// The folder's path from the root, so that a result names it wherever it is read.
  var absolutePath: String { Path.absolute(path) }
}

extension Supernet {
  /// SHA-256 over the little-endian bytes of weights and batch-norm parameters, in the order of state.
  package var weightsHash: String {
    var hash = SHA256()
    for parameter in parameters { hash.update(Array(parameter.value.elements)) }
    return hash.finalize()
  }
}
