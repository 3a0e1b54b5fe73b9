import Data
import Foundation
import Networks
import Runs
import Tensor
import Training

/// The stochastic supernet of FBNetV1: every layer runs all its candidates and mixes their outputs
/// by a Gumbel-softmax of its architecture parameters θ (spec S1–S6).
///
/// Not Sendable: made and used on one queue.
package final class Supernet {
  /// The layers as the dashboard sees them.
  package let choices: [Choice]
  /// The architecture parameters.
  package let theta: ArchitectureParameters
  /// What there is to choose from, with shapes and prices.
  package let space: LayerwiseSpace

  /// What the images' tape runs on.
  package let engine: Engine
  let parameters: [Parameter]
  let weightOptimiser: StochasticGradientDescent
  private let norms: [BatchNorm]
  private let stem: ConvolutionNorm
  private let layers: [[Block]]
  private let head: ConvolutionNorm
  private let classifier: Parameter
  private let classifierBias: Parameter
  private let inputShape: [Int]
  private let configuration: Configuration
  /// The network that was evaluated last, until weights or statistics change.
  var evaluated: (architecture: Architecture, network: InferenceNetwork)?

  /// Builds the supernet with fresh weights.
  ///
  /// `latency` prices the candidates in milliseconds, and must be there where that is the cost.
  ///
  /// - Throws: `UserError` for a loss that could become non-positive.
  package init(
    configuration: Configuration,
    classes: Int,
    channels: Int,
    height: Int,
    width: Int,
    latency: AdditiveCost? = nil,
    instructionSet: InstructionSet = .chosen
  ) throws {
    self.configuration = configuration
    let frame = configuration.space
    space = LayerwiseSpace(
      frame,
      classes: classes,
      channels: channels,
      height: height,
      width: width
    )
    choices = space.choices
    let prices = try space.prices(configuration, latency: latency)
    var loss = configuration.loss
    // Where θ is frozen nothing is learned from costs either.
    if configuration.search.algorithm == .random { loss.multiplier = .fixed }
    theta = ArchitectureParameters(
      optionCounts: space.optionCounts,
      costModel: prices,
      loss: try CostLoss(
        loss,
        metric: configuration.search.cost,
        budget: configuration.limit,
        cheapest: prices.range.lowerBound
      ),
      settings: configuration.theta,
      hard: configuration.search.hard,
      seed: configuration.seed
    )

    let engine = Engine.ofRun(
      threads: configuration.threads,
      precision: configuration.precision,
      recompute: configuration.recompute,
      instructionSet: instructionSet
    )
    var initialiser = Initialiser(
      seed: configuration.seed,
      fanOut: configuration.weights.firstValues.fanOut
    )
    stem = ConvolutionNorm(
      name: "stem",
      input: channels,
      output: frame.stem.width,
      geometry: .init(kernel: 3, stride: frame.stem.stride, padding: 1),
      activation: .relu,
      engine: engine,
      initialiser: &initialiser
    )
    var layers: [[Block]] = []
    for (index, candidates) in space.layers.enumerated() {
      var blocks: [Block] = []
      for description in candidates {
        blocks.append(
          Block(
            description,
            name: "layers.\(index + 1).\(description.name)",
            engine: engine,
            initialiser: &initialiser
          )
        )
      }
      layers.append(blocks)
    }
    self.layers = layers
    head = ConvolutionNorm(
      name: "head",
      input: space.lastWidth,
      output: frame.head,
      activation: .relu,
      engine: engine,
      initialiser: &initialiser
    )
    classifier = Parameter(
      name: "classifier.weight",
      shape: [frame.head, classes],
      engine: engine
    )
    initialiser.normal(classifier, deviation: 0.01)
    classifierBias = Parameter(name: "classifier.bias", shape: [classes], engine: engine)
    parameters =
      stem.parameters + layers.flatMap { $0.flatMap(\.parameters) } + head.parameters
      + [classifier, classifierBias]
    norms = [stem.norm] + layers.flatMap { $0.flatMap(\.norms) } + [head.norm]
    self.engine = engine
    inputShape = [height, width, channels]

    weightOptimiser = StochasticGradientDescent(
      parameters,
      momentum: Float(configuration.weights.momentum),
      weightDecay: Float(configuration.weights.weightDecay),
      engine: engine
    )
  }

  // MARK: Training

  /// One optimiser step on the weights or on θ (spec S5, S8, S9).
  ///
  /// - Parameters:
  ///   - phase: what is trained.
  ///   - pixels: [N, H, W, C], normalised.
  ///   - labels: N class numbers.
  ///   - temperature: τ of the Gumbel-softmax.
  ///   - learningRate: of the phase's optimiser.
  ///   - step: names the Gumbel noise, so a resumed run samples the same.
  /// - Returns: the figures of the step.
  package func step(
    _ phase: Phase,
    pixels: [Float],
    labels: [Int32],
    temperature: Double,
    learningRate: Double,
    step: Int
  ) -> StepOutcome {
    let trainsTheta = phase == .theta
    evaluated = nil
    engine.mode = .training
    engine.isRecording = true
    engine.trainsParameters = !trainsTheta
    let images = labels.count
    var mean = 0.0
    var correct = 0
    let (loss, cost) = theta.step(
      step,
      temperature: temperature,
      samples: configuration.search.sampling == .sample ? images : 1,
      learningRate: trainsTheta ? learningRate : nil,
      on: engine
    ) { mixtures in
      let scores = forward(image(pixels, count: images), mixtures: mixtures)
      let result = engine.crossEntropy(
        scores,
        labels: labels,
        smoothing: Float(configuration.weights.labelSmoothing)
      )
      mean = Double(result.loss.item)
      correct = result.correct
      return result.loss
    }
    if !trainsTheta { weightOptimiser.step(learningRate: Float(learningRate)) }
    engine.isRecording = false
    return StepOutcome(
      loss: loss,
      crossEntropy: mean,
      cost: cost,
      correct: correct,
      multiplier: theta.costWeight
    )
  }

  private func image(_ pixels: [Float], count: Int) -> Tensor {
    engine.tensor(pixels, shape: [count] + inputShape)
  }

  /// Class scores [N, classes].
  private func forward(_ image: Tensor, mixtures: [Mixture]) -> Tensor {
    var x = engine.materialise(stem(image))
    for (layer, mixture) in zip(layers.indices, mixtures) {
      x = mix(layer, x, Array(layers[layer].indices), mixture)
    }
    return classify(x)
  }

  private func mix(
    _ layer: Int,
    _ x: Tensor,
    _ candidates: [Int],
    _ mixture: Mixture
  ) -> Tensor {
    let outputs = Block.outputs(of: candidates.map { layers[layer][$0] }, on: x)
    let branches = zip(candidates, outputs).map {
      (tensor: $1, isResidual: space.layers[layer][$0].isResidual)
    }
    return engine.weightedSum(
      branches,
      shortcut: branches.contains { $0.isResidual } ? x : nil,
      weights: mixture.weights,
      forward: mixture.forward
    )
  }

  private func classify(_ x: Tensor) -> Tensor {
    engine.convolution(
      engine.averagePool(head(x)),
      filter: classifier,
      bias: classifierBias
    )
  }

  // MARK: Evaluation

  /// Computes batch-norm's statistics again for an architecture, or for the noise-free mixture.
  ///
  /// A shared branch's training statistics are of no use to a derived network (spec S11). Only what
  /// `evaluate` reads is changed.
  ///
  /// - Parameters:
  ///   - architecture: a network; nil means the mixture softmax(θ/τ).
  ///   - temperature: τ of the mixture.
  ///   - batches: training images.
  package func recalibrate(_ architecture: Architecture?, temperature: Double, batches: [Batch]) {
    evaluated = nil
    norms.forEach { $0.resetStatistics() }
    engine.mode = .recalibration
    for batch in batches {
      _ = scores(architecture, temperature: temperature, batch.pixels, count: batch.count)
    }
    engine.mode = .inference
  }

  /// Mean cross-entropy and number of right answers on a batch, with the recalibrated statistics.
  package func evaluate(
    _ architecture: Architecture?,
    temperature: Double,
    pixels: [Float],
    labels: [Int32]
  ) -> (crossEntropy: Double, correct: Int) {
    engine.mode = .inference
    let scores =
      if let architecture {
        network(architecture)(image(pixels, count: labels.count))
      } else {
        scores(nil, temperature: temperature, pixels, count: labels.count)
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
    let scores = scores(
      nil,
      temperature: temperature,
      batch.pixels,
      count: batch.count,
      without: masked
    )
    let loss = Double(engine.crossEntropy(scores, labels: batch.labels).loss.item)
    engine.mode = .inference
    return loss
  }

  /// A derived network alone, on the inference path.
  private func network(_ architecture: Architecture) -> InferenceNetwork {
    if let evaluated, evaluated.architecture == architecture { return evaluated.network }
    let blocks = zip(layers.indices, architecture).compactMap { layer, candidate in
      layers[layer][candidate].inferenceLayer(space.layers[layer][candidate])
    }
    let network = InferenceNetwork(
      shape: inputShape,
      layers: [.convolution(stem.folded, stride: configuration.space.stem.stride)] + blocks,
      head: head.folded,
      classifier: FoldedConvolution(classifier, bias: classifierBias),
      engine: engine
    )
    evaluated = (architecture, network)
    return network
  }

  private func scores(
    _ architecture: Architecture?,
    temperature: Double,
    _ pixels: [Float],
    count: Int,
    without masked: (layer: Int, candidate: Int)? = nil
  ) -> Tensor {
    engine.isRecording = false
    var x = engine.materialise(stem(image(pixels, count: count)))
    for layer in layers.indices {
      if let architecture {
        x = mix(
          layer,
          x,
          [architecture[layer]],
          .init(weights: engine.tensor([1], shape: [1]))
        )
      } else {
        var values = theta.logits[layer]
        if let masked, masked.layer == layer { values[masked.candidate] = -.infinity }
        let logits = engine.tensor(values, shape: [layers[layer].count])
        let weights = engine.softmax(engine.affine(logits, factor: Float(1 / temperature)))
        x = mix(
          layer,
          x,
          Array(layers[layer].indices),
          Mixture(weights: weights)
        )
      }
    }
    return classify(x)
  }
}
