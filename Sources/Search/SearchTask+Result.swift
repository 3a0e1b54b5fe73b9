import Data
import Foundation
import Networks
import Runs
import Tensor
import Training

extension SearchTask {
  /// Writes the exports and the result of a run whose epochs are done; nil if asked to stop.
  ///
  /// Everything here depends on the last checkpoint alone, so a run killed meanwhile ends the same.
  package func conclude(
    _ context: EvaluationContext,
    log: (String) throws -> Void
  ) throws -> RunResult? {
    let last = try context.lastEpoch()
    guard let evaluated = try evaluateCandidates(context),
      let best = evaluated.first,
      let tests = try test(best.architecture, context)
    else { return nil }
    let argmax = algorithm.unbounded(chosen: best.architecture)
    let costModel = supernet.costModel
    let verdict = algorithm.verdict
    var result = SearchResult(
      event: "done",
      kind: configuration.search.algorithm == .random ? .random : .search,
      algorithm: configuration.search.algorithm.rawValue,
      validationAccuracy: last.validationAccuracy,
      argmaxAccuracy: best.accuracy,
      validationLoss: last.validationLoss,
      testAccuracy: tests.network.accuracy,
      testLoss: tests.network.crossEntropy,
      supernetTestAccuracy: tests.supernet.accuracy,
      supernetTestLoss: tests.supernet.crossEntropy,
      architecture: layers(of: best.architecture),
      options: choices.names(of: best.architecture),
      flops: supernet.flops(best.architecture),
      params: supernet.params(best.architecture),
      latency: latency?.cost(best.architecture),
      costMetric: configuration.search.cost,
      cost: costModel.cost(best.architecture),
      expectedCost: supernet.expectedCost,
      argmaxCost: costModel.cost(argmax),
      budget: configuration.limit,
      multiplier: supernet.theta.costWeight,
      repaired: !CostLimit.within(configuration.limit).contains(costModel.cost(argmax)),
      choices: verdict?.choices,
      settled: verdict?.settled,
      coinTosses: verdict?.coinTosses,
      meanEntropyBits: verdict?.meanEntropyBits,
      verdict: verdict.map { reported($0) },
      uniform: tests.uniform,
      thetaHash: supernet.theta.hash,
      weightsHash: supernet.weightsHash,
      run: context.folder.absolutePath,
      epochs: plan.epochs,
      steps: context.step,
      seconds: try context.seconds()
    )
    algorithm.complete(&result, evaluated)
    if let verdict, !verdict.isSettled, let text = result.verdict {
      try log(text)
    }
    if let reason = algorithm.reason(for: best.architecture) { try log(reason) }
    try context.folder.export(try export(evaluated), as: "architecture.json")
    let network = supernet.space.network(of: best.architecture, name: configuration.preset)
    try context.folder.export(NetworkFile.json(network), as: "network.json")
    return .search(result)
  }

  private func layers(of network: Architecture) -> [SearchResult.LayerChoice] {
    let milliseconds = latency?.blocks(network)
    func choice(_ part: NetworkPart, _ milliseconds: Double?) -> SearchResult.LayerChoice {
      SearchResult.LayerChoice(
        layer: part.name,
        choice: part.block.name,
        flops: part.block.flops,
        params: part.block.params,
        latency: milliseconds
      )
    }
    let space = supernet.space
    let blocks = space.parts(of: network).enumerated().map { choice($1, milliseconds?[$0]) }
    return blocks + (space.end(of: network).map { [choice($0, latency?.end(network))] } ?? [])
  }

  /// The verdict, and what to change where it is a poor one.
  private func reported(_ verdict: Verdict) -> String {
    guard !verdict.isSettled, let forecast = algorithm.forecast else { return verdict.text }
    if !forecast.settles { return "\(verdict.text): \(forecast.text)" }
    let longer = 2 * plan.epochs
    return "\(verdict.text): some candidates are as good as others here; give --epochs \(longer) "
      + "to tell them apart, or take the network as one of several"
  }

  /// The chosen network alone, the supernet, and the uniform scaling of the chosen network to the
  /// budget, on the test images, which nothing has looked at before; nil if somebody asked to stop.
  ///
  /// Errors: `.configuration` where a loss is no finite number, which no result can hold.
  private func test(
    _ network: Architecture,
    _ context: EvaluationContext
  ) throws -> (network: Evaluation, supernet: Evaluation, uniform: SearchResult.Uniform?)? {
    let costModel = self.supernet.costModel
    let scaled = self.supernet.uniform(like: network, limit: configuration.limit)
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
        share: 0.5..<(scaled == nil ? 1 : 0.75)
      )
    else { return nil }
    var uniform: SearchResult.Uniform?
    if let scaled {
      guard
        let test = try evaluate(
          scaled.architecture,
          on: .test,
          in: context,
          message: "testing its uniform scaling",
          share: 0.75..<1
        )
      else { return nil }
      uniform = SearchResult.Uniform(
        scale: scaled.scale,
        cost: costModel.cost(scaled.architecture),
        testAccuracy: test.accuracy,
        testLoss: test.crossEntropy
      )
    }
    guard supernet.crossEntropy.isFinite, alone.crossEntropy.isFinite else {
      throw context.diverged("the loss of the test images", remedy: remedy)
    }
    return (alone, supernet, uniform)
  }

  /// Evaluates the algorithm's networks one after the other on the validation images, the chosen
  /// one first; nil if somebody asked to stop.
  private func evaluateCandidates(_ context: EvaluationContext) throws -> [EvaluatedNetwork]? {
    let candidates = algorithm.candidates()
    let scores = try evaluate(candidates.map(\.architecture), in: context) {
      "evaluating network \($0) of \(candidates.count)"
    }
    guard let scores else { return nil }
    return algorithm.ranked(
      zip(candidates, scores).map { candidate, score in
        EvaluatedNetwork(
          source: candidate.source,
          architecture: candidate.architecture,
          accuracy: score.accuracy,
          crossEntropy: score.crossEntropy
        )
      }
    )
  }

  /// Networks as the text of the export file.
  private func export(_ evaluated: [EvaluatedNetwork]) throws -> String {
    let export = ArchitectureExport(
      layers: supernet.choices.map(\.name),
      architectures: evaluated.map { network in
        ArchitectureExport.Entry(
          source: network.source,
          blocks: zip(supernet.choices, network.architecture).map { $0.options[$1].name },
          flops: supernet.flops(network.architecture),
          params: supernet.params(network.architecture),
          latency: latency?.cost(network.architecture),
          validationAccuracy: network.accuracy,
          thetaAccuracy: algorithm.exportsThetaAccuracy ? network.accuracy : nil
        )
      }
    )
    return try JSONText.encode(export, indented: true)
  }
}

extension Supernet {
  /// SHA-256 over the little-endian bytes of weights and batch-norm parameters, in the order of
  /// state.
  package var weightsHash: String {
    var hash = SHA256()
    for parameter in parameters { hash.update(Array(parameter.value.elements)) }
    return hash.finalize()
  }
}
