import Data
import Foundation
import Networks
import Runs
import Tensor
import Training

extension SearchTask {
  /// Networks drawn from softmax(θ) for the export, besides the most probable one.
  private static let sampledNetworks = 4

  /// A network and how it did on the validation images.
  private struct Judged {
    var source: String
    var network: Architecture
    var accuracy: Double
    var crossEntropy: Double

    static func isBetter(_ a: Judged, _ b: Judged) -> Bool {
      (a.accuracy, -a.crossEntropy) > (b.accuracy, -b.crossEntropy)
    }
  }

  /// Writes the exports and the result of a run whose epochs are done; nil if asked to stop.
  ///
  /// Everything here depends on the last checkpoint alone, so a run killed meanwhile ends the same.
  package func conclude(
    _ context: EvaluationContext,
    log: (String) throws -> Void
  ) throws -> RunResult? {
    let last = try context.lastEpoch()
    guard let judged = try drawn.isEmpty ? judgeProbable(context) : judgeDrawn(context),
      let best = judged.first,
      let tests = try test(best.network, context)
    else { return nil }
    let argmax = drawn.isEmpty ? supernet.argmax : best.network
    let costModel = supernet.costModel
    let verdict = verdict
    var result = SearchResult(
      event: "done",
      kind: drawn.isEmpty ? .search : .random,
      algorithm: configuration.search.algorithm.rawValue,
      validationAccuracy: last.validationAccuracy,
      argmaxAccuracy: best.accuracy,
      validationLoss: last.validationLoss,
      testAccuracy: tests.network.accuracy,
      testLoss: tests.network.crossEntropy,
      supernetTestAccuracy: tests.supernet.accuracy,
      supernetTestLoss: tests.supernet.crossEntropy,
      architecture: layers(of: best.network),
      flops: supernet.flops(best.network),
      params: supernet.params(best.network),
      latency: latency?.cost(best.network),
      costMetric: configuration.search.cost,
      cost: costModel.cost(best.network),
      expectedCost: supernet.expectedCost,
      argmaxCost: costModel.cost(argmax),
      budget: configuration.limit,
      multiplier: supernet.theta.costWeight,
      repaired: !within.contains(costModel.cost(argmax)),
      choices: verdict?.choices,
      settled: verdict?.settled,
      coinTosses: verdict?.coinTosses,
      meanEntropyBits: verdict?.meanEntropyBits,
      verdict: verdict.map { told($0) },
      thetaHash: supernet.theta.hash,
      weightsHash: supernet.weightsHash,
      run: context.folder.absolutePath,
      epochs: plan.epochs,
      steps: context.step,
      seconds: try context.seconds()
    )
    if !drawn.isEmpty { result.take(sampled: judged.map(\.accuracy)) }
    if let verdict, !verdict.isSettled, let text = result.verdict {
      try log(text)
    }
    if let reason = reason(for: best.network) { try log(reason) }
    try context.folder.export(try export(judged), as: "architecture.json")
    let network = supernet.space.network(of: best.network, name: configuration.preset)
    try context.folder.export(NetworkFile.json(network), as: "network.json")
    return .search(result)
  }

  private func layers(of network: Architecture) -> [SearchResult.LayerChoice] {
    network.enumerated().map { layer, index in
      let block = supernet.space.layers[layer][index]
      return SearchResult.LayerChoice(
        layer: supernet.choices[layer].name,
        choice: block.name,
        flops: block.flops,
        params: block.params,
        latency: latency?.layers[layer][index]
      )
    }
  }

  /// The verdict, and what to change where it is a poor one.
  private func told(_ verdict: Verdict) -> String {
    guard !verdict.isSettled, let forecast else { return verdict.text }
    if !forecast.settles { return "\(verdict.text): \(forecast.text)" }
    let longer = 2 * plan.epochs
    return "\(verdict.text): some candidates are as good as others here; give --epochs \(longer) "
      + "to tell them apart, or take the network as one of several"
  }

  /// The chosen network alone, and the supernet, on the test images, which nothing has looked at before;
  /// nil if somebody asked to stop.
  ///
  /// Errors: `.configuration` where a loss is no finite number, which no result can hold.
  private func test(
    _ network: Architecture,
    _ context: EvaluationContext
  ) throws -> (network: Evaluation, supernet: Evaluation)? {
    guard
      let supernet = try evaluate(
        nil,
        on: .test,
        in: context,
        message: "testing the supernet",
        share: 0..<0.5
      ),
      let alone = try evaluate(
        network,
        on: .test,
        in: context,
        message: "testing the chosen network",
        share: 0.5..<1
      )
    else { return nil }
    guard supernet.crossEntropy.isFinite, alone.crossEntropy.isFinite else {
      throw context.diverged("the loss of the test images", remedy: remedy)
    }
    return (alone, supernet)
  }

  /// The networks that θ stands for within the budget and some drawn from softmax(θ) on condition that they
  /// hold it, best first; the validation images decide.
  ///
  /// Last comes the most probable network of all, where it costs more than the budget.
  private func judgeProbable(_ context: EvaluationContext) throws -> [Judged]? {
    let argmax = supernet.argmax
    let probable = probable
    let drawn = supernet.theta.samples(
      SearchTask.sampledNetworks,
      seed: configuration.seed,
      within: within,
      except: Set(probable)
    )
    let isOver = !within.contains(supernet.costModel.cost(argmax))
    guard
      let judged = try judge(
        probable + drawn + (isOver ? [argmax] : []),
        sources: probable.map { $0 == argmax ? "argmax" : "repaired" }
          + drawn.map { _ in "sampled" } + (isOver ? ["argmax"] : []),
        context
      )
    else { return nil }
    let count = probable.count + drawn.count
    return judged.prefix(count).sorted(by: Judged.isBetter) + judged.dropFirst(count)
  }

  /// The drawn networks of a random search, best first; the validation images decide.
  private func judgeDrawn(_ context: EvaluationContext) throws -> [Judged]? {
    guard var judged = try judge(drawn, sources: drawn.map { _ in "random" }, context) else {
      return nil
    }
    judged.sort(by: Judged.isBetter)
    judged[0].source = "best"
    return judged
  }

  /// Judges networks one after the other on the validation images; nil if somebody asked to stop.
  private func judge(
    _ networks: [Architecture],
    sources: [String],
    _ context: EvaluationContext
  ) throws -> [Judged]? {
    var judged: [Judged] = []
    for (index, network) in networks.enumerated() {
      guard
        let score = try evaluate(
          network,
          in: context,
          message: "judging network \(index + 1) of \(networks.count)",
          share: Self.part(index, of: networks.count)
        )
      else { return nil }
      judged.append(
        Judged(
          source: sources[index],
          network: network,
          accuracy: score.accuracy,
          crossEntropy: score.crossEntropy
        )
      )
    }
    return judged
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
          thetaAccuracy: drawn.isEmpty ? nil : judged.accuracy
        )
      }
    )
    return try JSONText.encode(export, indented: true)
  }
}

extension Supernet {
  /// SHA-256 over the little-endian bytes of weights and batch-norm parameters, in the order of state.
  package var weightsHash: String {
    var hash = SHA256()
    for parameter in parameters { hash.update(Array(parameter.value.elements)) }
    return hash.finalize()
  }
}
