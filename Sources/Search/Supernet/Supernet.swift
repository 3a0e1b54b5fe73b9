import Data
import Foundation
import Networks
import Ranks
import Runs
import Tensor
import Training

/// A stochastic supernet: one network of shared weights in which every choice of a space is mixed
/// by a Gumbel-softmax of its architecture parameters θ (spec S1–S6, S20–S23).
///
/// Not Sendable: made and used on one queue.
package final class Supernet {
  /// The choices as the dashboard sees them.
  package let choices: [Choice]
  /// The architecture parameters.
  package let theta: ArchitectureParameters
  /// What there is to choose from, with shapes and counts.
  package let space: any SearchSpace

  /// What the images' tape runs on.
  package let engine: Engine
  /// How batches are cut.
  let shards: Shards
  let weightOptimiser: StochasticGradientDescent
  let network: any SharedNetwork
  private let inputShape: [Int]
  private let configuration: Configuration
  /// Whether the free memory has the sizes of steps that draw candidates.
  private var holdsDrawnMaps = false
  /// The network that was evaluated last, until weights or statistics change.
  var evaluated: (architecture: Architecture, network: (Tensor) -> Tensor)?

  /// Builds the supernet with fresh weights.
  ///
  /// `latency` is what networks take in milliseconds, and must be there where that is the cost;
  /// `ranks` train it together.
  ///
  /// - Throws: `UserError` for a loss that could become non-positive, a budget out of reach, a
  ///   latency that is not at hand, and fewer shards than ranks.
  package init(
    configuration: Configuration,
    classes: Int,
    channels: Int,
    height: Int,
    width: Int,
    latency: (any LatencyCost)? = nil,
    ranks: Ranks? = nil,
    instructionSet: InstructionSet = .chosen
  ) throws {
    self.configuration = configuration
    shards = try Shards(configuration.shards, ranks: ranks)
    engine = Engine.ofRun(
      threads: configuration.threads,
      precision: configuration.precision,
      recompute: configuration.recompute,
      instructionSet: instructionSet
    )
    var initialiser = Initialiser(
      seed: configuration.seed,
      fanOut: configuration.weights.firstValues.fanOut
    )
    let costModel: any CostModel
    let metric = configuration.search.cost
    if let masked = configuration.space.masked {
      let space = MaskedSpace(
        configuration.space,
        masked,
        classes: classes,
        channels: channels,
        height: height,
        width: width
      )
      self.space = space
      costModel = try metric.costModel(latency) { EffectiveShapeCost(space, metric: metric) }
      network = MaskedNetwork(space, engine: engine, initialiser: &initialiser)
    } else {
      let space = LayerwiseSpace(
        configuration.space,
        classes: classes,
        channels: channels,
        height: height,
        width: width
      )
      self.space = space
      costModel = try metric.costModel(latency) { space.prices(metric) }
      network = LayerwiseNetwork(
        space,
        aligned: configuration.weights.candidateValues == .aligned,
        engine: engine,
        initialiser: &initialiser
      )
    }
    try costModel.check(limit: configuration.limit)
    choices = space.choices
    theta = ArchitectureParameters(
      optionCounts: space.optionCounts,
      costModel: costModel,
      loss: try Supernet.loss(configuration, costModel),
      settings: configuration.theta,
      hard: configuration.search.hard,
      seed: configuration.seed
    )
    inputShape = [height, width, channels]
    weightOptimiser = StochasticGradientDescent(
      network.parameters,
      momentum: Float(configuration.weights.momentum),
      weightDecay: Float(configuration.weights.weightDecay),
      engine: engine
    )
  }

  /// What joins cross-entropy and cost by settings of this supernet.
  ///
  /// - Throws: `UserError` for a loss that could become non-positive.
  func loss(_ configuration: Configuration) throws -> CostLoss {
    try Supernet.loss(configuration, theta.costModel)
  }

  private static func loss(
    _ configuration: Configuration,
    _ costModel: any CostModel
  ) throws -> CostLoss {
    var settings = configuration.loss
    // Where θ is frozen nothing is learned from costs either.
    if configuration.search.algorithm == .random { settings.multiplier = .fixed }
    return try CostLoss(
      settings,
      metric: configuration.search.cost,
      budget: configuration.limit,
      cheapest: costModel.range.lowerBound,
      mostExpensive: costModel.range.upperBound
    )
  }

  /// Number of all weights and batch-norm parameters.
  package var weightCount: Int { parameters.reduce(0) { $0 + $1.value.count } }

  /// Weights and batch-norm parameters, in a fixed order.
  var parameters: [Parameter] { network.parameters }

  // MARK: Training

  /// One optimiser step on the weights or on θ (spec S5, S8, S9).
  ///
  /// - Parameters:
  ///   - phase: what is trained.
  ///   - batch: the images of this process's shards, [N, H, W, C], normalised.
  ///   - temperature: τ of the Gumbel-softmax.
  ///   - learningRate: of the phase's optimiser.
  ///   - step: names the Gumbel noise, so a resumed run samples the same.
  ///   - isWarmup: whether θ has not moved yet.
  /// - Returns: the figures of the step, of the whole batch.
  package func step(
    _ phase: Phase,
    _ batch: Batch,
    temperature: Double,
    learningRate: Double,
    step: Int,
    isWarmup: Bool = false
  ) -> StepOutcome {
    let trainsTheta = phase == .theta
    evaluated = nil
    engine.mode = .training
    engine.isRecording = true
    engine.trainsParameters = !trainsTheta
    let isDrawn = paths(phase, draw: 0, isWarmup: isWarmup) != .all
    prepareMemory(isDrawn: isDrawn)
    let figures = engine.pool.lendingLarger(times: isDrawn ? 1 : nil) {
      shards.sum(
        images: batch.total,
        gradients: trainsTheta ? [] : network.parameters.map(\.gradient),
        figures: 4 + (trainsTheta ? 2 * theta.logits.joined().count : 0)
      ) { shard in
        let images = batch[shard.read]
        let sample = theta.sample(
          step: step,
          temperature: temperature,
          samples: configuration.search.sampling == .sample ? batch.total : 1,
          rows: shard.images,
          paths: paths(phase, draw: step * shards.count + shard.index, isWarmup: isWarmup),
          trains: trainsTheta,
          on: engine
        )
        let result = engine.crossEntropy(
          network.scores(image(images.pixels, count: images.count), sample.mixtures),
          labels: images.labels,
          smoothing: Float(configuration.weights.labelSmoothing)
        )
        let crossEntropy = result.loss.item
        let (loss, cost) = theta.backward(
          sample,
          crossEntropy: result.loss,
          share: shard.share,
          on: engine
        )
        // All of them come from 32 bits, so one shard's are exact.
        let means = [Float(loss), crossEntropy, Float(cost)].map { $0 * shard.share }
        return means + [Float(result.correct)] + (trainsTheta ? theta.pulls(sample) : [])
      }
    }
    if trainsTheta {
      theta.step(figures.dropFirst(4), learningRate: learningRate)
    } else {
      weightOptimiser.step(learningRate: Float(learningRate))
    }
    engine.isRecording = false
    return StepOutcome(
      loss: Double(figures[0]),
      crossEntropy: Double(figures[1]),
      cost: Double(figures[2]),
      correct: Int(figures[3]),
      multiplier: theta.costWeight
    )
  }

  /// Candidates that are drawn have other maps in every batch, none of the sizes that all of them
  /// together need: where the one follows the other, what is free goes back to the system.
  private func prepareMemory(isDrawn: Bool) {
    if isDrawn != holdsDrawnMaps { engine.pool.releaseFree() }
    holdsDrawnMaps = isDrawn
  }

  /// The candidates that take part in a step.
  private func paths(_ phase: Phase, draw: Int, isWarmup: Bool) -> ArchitectureParameters.Paths {
    switch phase {
    case .weights where configuration.search.paths == .drawn:
      isWarmup
        ? .even(count: configuration.search.drawnPaths, draw: draw)
        : .drawn(count: configuration.search.drawnPaths, draw: draw)
    case .theta where configuration.search.thetaPaths == .two: .drawn(count: 2, draw: draw)
    default: .all
    }
  }

  /// The candidates that take part in the evaluation of the mixture: as many as in a step on the
  /// weights.
  private func evaluatedPaths(draw: Int) -> ArchitectureParameters.Paths {
    configuration.search.paths == .drawn
      ? .evaluated(count: configuration.search.drawnPaths, draw: draw)
      : .all
  }

  private func image(_ pixels: [Float], count: Int) -> Tensor {
    engine.tensor(pixels, shape: [count] + inputShape)
  }

  // MARK: Evaluation

  /// Computes batch-norm's statistics again for an architecture, or for the noise-free mixture.
  ///
  /// A shared branch's training statistics are of no use to a derived network (spec S11). Only what
  /// `evaluate` reads is changed. With drawn candidates (`search.paths`) each batch has a draw of
  /// its own.
  ///
  /// - Parameters:
  ///   - architecture: a network; nil means the mixture softmax(θ/τ).
  ///   - temperature: τ of the mixture.
  ///   - batches: training images.
  package func recalibrate<Batches: RandomAccessCollection<Batch>>(
    _ architecture: Architecture?,
    temperature: Double,
    batches: Batches
  ) where Batches.Index == Int {
    evaluated = nil
    prepareMemory(isDrawn: architecture == nil && evaluatedPaths(draw: 0) != .all)
    shards.recalibrate(network.norms, on: engine, batches) { index, batch in
      _ = scores(architecture, temperature, batch.pixels, count: batch.count, draw: index)
    }
  }

  /// Mean cross-entropy and number of right answers on a batch, with the recalibrated statistics.
  ///
  /// Where candidates are drawn, `draw` is the number of a batch of the recalibration: its
  /// candidates, which have statistics, take part.
  package func evaluate(
    _ architecture: Architecture?,
    temperature: Double,
    pixels: [Float],
    labels: [Int32],
    draw: Int = 0
  ) -> (crossEntropy: Double, correct: Int) {
    engine.mode = .inference
    engine.isRecording = false
    let scores =
      if let architecture {
        alone(architecture)(image(pixels, count: labels.count))
      } else {
        scores(nil, temperature, pixels, count: labels.count, draw: draw)
      }
    let result = engine.crossEntropy(scores, labels: labels)
    return (Double(result.loss.item), result.correct)
  }

  /// Mean cross-entropy of the mixture softmax(θ/τ) on a batch, with the batch's own statistics and
  /// without one candidate.
  package func crossEntropy(
    without masked: (layer: Int, candidate: Int)?,
    temperature: Double,
    batch: Batch
  ) -> Double {
    // The batch's own statistics, which recalibration would keep.
    engine.mode = .training
    let mixtures = theta.logits.enumerated().map { choice, logits in
      mixture(temperature, logits) { masked?.layer != choice || masked?.candidate != $0 }
    }
    engine.isRecording = false
    let scores = network.scores(image(batch.pixels, count: batch.count), mixtures)
    let loss = Double(engine.crossEntropy(scores, labels: batch.labels).loss.item)
    engine.mode = .inference
    return loss
  }

  /// A derived network alone, made once for all batches.
  private func alone(_ architecture: Architecture) -> (Tensor) -> Tensor {
    if let evaluated, evaluated.architecture == architecture { return evaluated.network }
    let network = network.alone(architecture)
    evaluated = (architecture, network)
    return network
  }

  /// What a batch scores by an architecture, or by the mixture, of the candidates of a draw.
  private func scores(
    _ architecture: Architecture?,
    _ temperature: Double,
    _ pixels: [Float],
    count: Int,
    draw: Int
  ) -> Tensor {
    engine.isRecording = false
    let image = image(pixels, count: count)
    if let architecture { return network.scores(image, of: architecture) }
    let paths = evaluatedPaths(draw: draw)
    return engine.pool.lendingLarger(times: paths == .all ? nil : 1) {
      network.scores(
        image,
        theta.logits.enumerated().map { layer, logits in
          let drawn = theta.drawn(paths, layer: layer, logits)
          return mixture(temperature, logits) { drawn?.contains($0) != false }
        }
      )
    }
  }

  /// softmax(θ/τ) of the options of a choice that take part.
  private func mixture(
    _ temperature: Double,
    _ logits: [Float],
    where takesPart: (Int) -> Bool
  ) -> Mixture {
    let values = logits.indices.map { takesPart($0) ? logits[$0] : -.infinity }
    let tensor = engine.tensor(values, shape: [values.count])
    return Mixture(weights: engine.softmax(engine.affine(tensor, factor: Float(1 / temperature))))
  }
}
