import Data
import Foundation
import Networks
import Runs
import Tensor
import Training

/// The stochastic supernet of FBNetV1: every layer runs all its candidates and mixes their outputs by a
/// Gumbel-softmax of its architecture parameters θ (spec S1–S6).
///
/// Not Sendable: made and used on one queue.
package final class Supernet {
  /// The layers as the dashboard sees them.
  package let choices: [Choice]
  /// The architecture parameters.
  package let theta: ArchitectureParameters
  /// Shapes and prices.
  package let macro: MacroArchitecture

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
  /// The network that `evaluate` judges, until weights or statistics change.
  var judged: (architecture: [Int], network: InferenceNetwork)?

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
    latency: CostTable? = nil,
    instructionSet: InstructionSet = .chosen
  ) throws {
    self.configuration = configuration
    let space = configuration.space
    macro = MacroArchitecture(
      space,
      classes: classes,
      channels: channels,
      height: height,
      width: width
    )
    choices = macro.choices
    let prices = try macro.prices(configuration, latency: latency)
    var loss = configuration.loss
    // Where θ rests nothing is learned from costs either.
    if configuration.search.algorithm == .random { loss.multiplier = .fixed }
    theta = ArchitectureParameters(
      prices: prices,
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
      output: space.stem.width,
      geometry: .init(kernel: 3, stride: space.stem.stride, padding: 1),
      activation: .relu,
      engine: engine,
      initialiser: &initialiser
    )
    var layers: [[Block]] = []
    for (index, candidates) in macro.layers.enumerated() {
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
      input: macro.lastWidth,
      output: space.head,
      activation: .relu,
      engine: engine,
      initialiser: &initialiser
    )
    classifier = Parameter(
      name: "classifier.weight",
      shape: [space.head, classes],
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
  ///   - step: names the Gumbel draw, so a resumed run draws the same.
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
    judged = nil
    engine.mode = .training
    engine.isRecording = true
    engine.trainsParameters = !trainsTheta
    let images = labels.count
    let draw = theta.draw(
      step: step,
      temperature: temperature,
      draws: configuration.search.sampling == .sample ? images : 1,
      trains: trainsTheta,
      on: engine
    )
    let scores = forward(image(pixels, count: images), mixtures: draw.mixtures)
    let (crossEntropy, correct) = engine.crossEntropy(
      scores,
      labels: labels,
      smoothing: Float(configuration.weights.labelSmoothing)
    )
    let mean = Double(crossEntropy.item)
    let (loss, cost) = theta.backward(draw, crossEntropy: crossEntropy, on: engine)
    if trainsTheta {
      theta.step(draw, learningRate: learningRate)
    } else {
      weightOptimiser.step(learningRate: Float(learningRate))
    }
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
  private func forward(_ image: Tensor, mixtures: [ArchitectureParameters.Mixture]) -> Tensor {
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
    _ mixture: ArchitectureParameters.Mixture
  ) -> Tensor {
    let outputs = Block.outputs(of: candidates.map { layers[layer][$0] }, on: x)
    let branches = zip(candidates, outputs).map {
      (tensor: $1, isResidual: macro.layers[layer][$0].isResidual)
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

  // MARK: Judging

  /// Takes batch-norm's statistics anew for an architecture, or for the noise-free mixture.
  ///
  /// A shared branch's training statistics are of no use to a derived network (spec S11). Only what
  /// `evaluate` reads is changed.
  ///
  /// - Parameters:
  ///   - architecture: one candidate index a layer; nil means the mixture softmax(θ/τ).
  ///   - temperature: τ of the mixture.
  ///   - batches: training images.
  package func recalibrate(_ architecture: [Int]?, temperature: Double, batches: [Batch]) {
    judged = nil
    norms.forEach { $0.resetStatistics() }
    engine.mode = .recalibration
    for batch in batches {
      _ = scores(architecture, temperature: temperature, batch.pixels, count: batch.count)
    }
    engine.mode = .inference
  }

  /// Mean cross-entropy and number of right answers on a batch, with the recalibrated statistics.
  package func evaluate(
    _ architecture: [Int]?,
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

  /// Mean cross-entropy of the mixture softmax(θ/τ) on a batch, with the batch's own statistics and without
  /// one candidate.
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
  private func network(_ architecture: [Int]) -> InferenceNetwork {
    if let judged, judged.architecture == architecture { return judged.network }
    let blocks = zip(layers.indices, architecture).compactMap { layer, candidate in
      layers[layer][candidate].inferenceLayer(macro.layers[layer][candidate])
    }
    let network = InferenceNetwork(
      shape: inputShape,
      layers: [.convolution(stem.folded, stride: configuration.space.stem.stride)] + blocks,
      head: head.folded,
      classifier: FoldedConvolution(classifier, bias: classifierBias),
      engine: engine
    )
    judged = (architecture, network)
    return network
  }

  private func scores(
    _ architecture: [Int]?,
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
          ArchitectureParameters.Mixture(weights: weights)
        )
      }
    }
    return classify(x)
  }
}
