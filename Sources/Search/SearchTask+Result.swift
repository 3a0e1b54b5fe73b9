import Data
import Foundation
import Networks
import Runs
import Tensor

extension SearchTask {
  /// Networks drawn from softmax(θ) for the export, besides the likeliest one.
  private static let sampledNetworks = 4

  /// Writes the exports and the result of a run whose epochs are done; nil if asked to stop.
  ///
  /// Everything here depends on the last checkpoint alone, so a run killed meanwhile ends the same.
  func conclude(_ session: TrainingSession) throws -> RunResult? {
    let last = try session.lastEpoch()
    guard let networks = try exportArchitectures(last, session) else { return nil }
    let argmax = supernet.argmax
    let layers = zip(supernet.choices, argmax).map { choice, index in
      let option = choice.options[index]
      return SearchResult.LayerChoice(
        layer: choice.name,
        choice: option.name,
        flops: option.flops,
        params: option.params
      )
    }
    let result = SearchResult(
      event: "done",
      validationAccuracy: last.validationAccuracy,
      argmaxAccuracy: last.argmaxAccuracy,
      validationLoss: last.validationLoss,
      architecture: layers,
      flops: supernet.flops(argmax),
      params: supernet.params(argmax),
      cost: configuration.search.cost == .flops
        ? supernet.flops(argmax) : supernet.params(argmax),
      expectedCost: supernet.expectedCost,
      thetaHash: supernet.theta.hash,
      weightsHash: supernet.weightsHash,
      run: session.folder.absolutePath,
      epochs: plan.epochs,
      steps: session.step,
      seconds: try session.store.reader.epochs().reduce(0) { $0 + $1.seconds }
    )
    try session.export(networks, as: "architecture.json")
    let network = supernet.macro.network(argmax, name: configuration.preset)
    try session.export(NetworkFile.json(network), as: "network.json")
    return .search(result)
  }

  /// The likeliest network and some drawn ones, best first, as the text of the export file.
  private func exportArchitectures(
    _ last: EpochRecord,
    _ session: TrainingSession
  ) throws -> String? {
    let argmax = supernet.argmax
    var seen: Set<[Int]> = [argmax]
    var drawn: [[Int]] = []
    // A settled search draws the same network over and over: give up after some tries.
    for index in 0..<(4 * SearchTask.sampledNetworks)
    where drawn.count < SearchTask.sampledNetworks {
      let network = supernet.theta.sample(seed: configuration.seed, index: index)
      if seen.insert(network).inserted { drawn.append(network) }
    }
    func entry(_ source: String, _ network: [Int], _ accuracy: Double) -> ArchitectureExport.Entry {
      ArchitectureExport.Entry(
        source: source,
        blocks: zip(supernet.choices, network).map { $0.options[$1].name },
        flops: supernet.flops(network),
        params: supernet.params(network),
        validationAccuracy: accuracy
      )
    }
    var sampled: [ArchitectureExport.Entry] = []
    for (index, network) in drawn.enumerated() {
      let share = Double(index) / Double(drawn.count)..<Double(index + 1) / Double(drawn.count)
      guard
        let judged = try evaluate(
          network,
          in: session,
          message: "validating sampled network \(index + 1) of \(drawn.count)",
          share: share
        )
      else { return nil }
      sampled.append(entry("sampled", network, judged.accuracy))
    }
    let export = ArchitectureExport(
      layers: supernet.choices.map(\.name),
      architectures: [entry("argmax", argmax, last.argmaxAccuracy)]
        + sampled.sorted { $0.validationAccuracy > $1.validationAccuracy }
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
    do {
      try FileManager.default.createDirectory(
        atPath: folder.exportsPath,
        withIntermediateDirectories: true
      )
    } catch {
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
    do {
      try Foundation.Data(text.utf8).write(to: URL(fileURLWithPath: path), options: .atomic)
    } catch {
      throw UserError(
        .io,
        path,
        "cannot be written",
        remedy: "check the folder's permissions and free space"
      )
    }
  }
}

extension RunFolder {
  /// The folder's path from the root, so that a result names it wherever it is read.
  var absolutePath: String { URL(fileURLWithPath: path).standardizedFileURL.path }
}

extension Supernet {
  /// SHA-256 over the little-endian bytes of weights and batch-norm parameters, in the order of state.
  package var weightsHash: String {
    var hash = SHA256()
    for parameter in parameters { hash.update(Array(parameter.value.elements)) }
    return hash.finalize()
  }
}
