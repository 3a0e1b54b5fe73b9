import Networks
import Runs
import Tensor
import Training

/// The architecture parameters θ of a search, what they sample, and what trains them (spec S4–S6,
/// S8, S9).
///
/// A step has two halves: `sample` gives the mixtures that the caller evaluates on a tape of its
/// own, and `backward` joins the cross-entropy with the cost of the same sample into the loss. Who
/// evaluates does not matter here: a supernet by its images, or a table of results.
///
/// Not Sendable: made and used on one queue.
package final class ArchitectureParameters {
  /// θ, one array a layer; `outOfSearch` for the options that are barred.
  package internal(set) var logits: [[Float]] {
    get {
      let values = optimiser.parameters.map { Array($0.value.elements) }
      return barred.isEmpty
        ? values
        : zip(values, barred).map { zip($0, $1).map { $1 ? Self.outOfSearch : $0 } }
    }
    set {
      for (layer, (parameter, values)) in zip(optimiser.parameters, newValue).enumerated() {
        var values = values
        // What is barred comes back as it was.
        if !barred.isEmpty {
          for (i, own) in parameter.value.elements.enumerated() where barred[layer][i] {
            values[i] = own
          }
        }
        parameter.entry.write(values)
      }
    }
  }
  /// The options that people took out of the search, [layer][candidate]; empty for none.
  ///
  /// Their probability is 0, they have no gradient, and their θ waits.
  package var barred: [[Bool]] = []
  /// θ of what is barred: so low that its softmax is exactly 0, and a number all the same.
  package static let outOfSearch: Float = -1e9
  /// Part of ∂L/∂θ that came through the images, of the last θ step.
  package private(set) var accuracyPull: [[Float]]
  /// Part of ∂L/∂θ that came through the cost, of the last θ step.
  package private(set) var costPull: [[Float]]
  /// What networks cost, in the metric of the loss.
  package let costModel: any CostModel

  /// The learned weight of the cost; nil where it is fixed.
  package private(set) var multiplier: CostMultiplier?
  /// λ, as it is recorded; nil where the weight of the cost is fixed.
  var costWeight: Double? { multiplier.map { Double($0.value) } }

  private let optimiser: Adam
  private var loss: CostLoss
  private let hard: Bool
  /// Names the random numbers.
  let seed: UInt64
  /// θ → mixture → cost → loss runs on a tape of its own, apart from the images'.
  private let scalars = Engine(instructionSet: .baseline, threads: 1)

  /// What one step sampled.
  package struct Sample {
    /// A mixture for each layer.
    package let mixtures: [Mixture]
    /// The expected cost of the sample, or of softmax(θ) where the loss asks for that; a scalar on
    /// the tape of the costs.
    fileprivate let cost: Tensor
    /// θ on the images' tape and on the costs'.
    fileprivate let thetas: [Tensor]
    fileprivate let mirrors: [Tensor]
  }

  /// Starts θ as `settings` say.
  ///
  /// - Parameters:
  ///   - optionCounts: options of each choice of the search space; θ has an entry for each.
  ///   - costModel: what the networks of that space cost.
  ///   - loss: joins cross-entropy and cost.
  ///   - settings: start values and Adam's.
  ///   - hard: whether a sample is one network with the soft one's gradient (straight-through).
  ///   - seed: names the Gumbel noise, together with their step.
  package init(
    optionCounts: [Int],
    costModel: any CostModel,
    loss: CostLoss,
    settings: Configuration.ThetaSettings,
    hard: Bool,
    seed: UInt64
  ) {
    self.costModel = costModel
    self.loss = loss
    self.hard = hard
    self.seed = seed
    let logits = optionCounts.map { count in
      let initial: Float =
        switch settings.initial {
        case .uniform: 1 / Float(count)
        case .zero: 0
        case .one: 1
        }
      return [Float](repeating: initial, count: count)
    }
    multiplier = loss.multiplier
    accuracyPull = logits.map { [Float](repeating: 0, count: $0.count) }
    costPull = accuracyPull
    let engine = scalars
    optimiser = Adam(
      logits.enumerated().map { layer, values in
        let shape = [values.count]
        let theta = Parameter(name: "theta.\(layer + 1)", shape: shape, engine: engine)
        theta.entry.write(values)
        return theta
      },
      name: "theta",
      beta1: Float(settings.beta1),
      beta2: Float(settings.beta2),
      weightDecay: Float(settings.weightDecay),
      engine: engine
    )
  }

  /// Whether no option of an architecture is barred.
  package func allows(_ architecture: Architecture) -> Bool {
    barred.isEmpty || !zip(barred, architecture).contains { $0[$1] }
  }

  /// The options of a layer that are not barred.
  func allowed(_ layer: Int) -> [Int] {
    optimiser.parameters[layer].value.elements.indices.filter {
      barred.isEmpty || !barred[layer][$0]
    }
  }

  /// Goes on with another loss; a learned weight of the cost stays where it is.
  package func take(_ loss: CostLoss) {
    self.loss = loss
    if let budget = loss.multiplier?.budget { multiplier?.budget = budget }
  }

  // MARK: Training

  /// Samples the mixtures of a step (spec S5), and what they cost (S6).
  ///
  /// - Parameters:
  ///   - step: names the Gumbel noise, so a resumed run samples the same.
  ///   - temperature: τ of the Gumbel-softmax.
  ///   - samples: 1, or one for each image.
  ///   - rows: those of the samples that are wanted; nil for all.
  ///   - paths: the candidates that take part; one alone has the whole weight.
  ///   - trains: whether θ gets a gradient.
  ///   - engine: the tape of the images.
  /// - Returns: mixtures on `engine`, for `backward`.
  package func sample(
    step: Int,
    temperature: Double,
    samples: Int,
    rows: Range<Int>? = nil,
    paths: Paths = .all,
    trains: Bool,
    on engine: Engine
  ) -> Sample {
    scalars.isRecording = true
    let logits = logits
    var mixtures: [Mixture] = []
    // What the cost model is asked for, on the tape of the costs.
    var priced: [Mixture] = []
    var thetas: [Tensor] = []
    var mirrors: [Tensor] = []
    let count = samples == 1 ? 1 : rows?.count ?? samples
    for layer in logits.indices {
      let drawn = drawn(paths, layer: layer, logits[layer])
      if !trains, let drawn, drawn.count == 1 {
        mixtures.append(.alone(drawn[0], of: logits[layer].count, on: engine))
        priced.append(.alone(drawn[0], of: logits[layer].count, on: scalars))
        continue
      }
      let noise = gumbelNoise(
        step: step,
        layer: layer,
        samples: samples,
        rows: rows,
        drawn: drawn
      )
      func theta(on engine: Engine) -> Tensor {
        engine.tensor(logits[layer], shape: [logits[layer].count], requiresGradient: trains)
      }
      let leaf = theta(on: engine)
      let weights = gumbelSoftmax(leaf, noise, temperature, samples: count, on: engine)
      let mirror = theta(on: scalars)
      let forward = hard ? oneHot(weights) : nil
      priced.append(
        loss.isOfProbabilities
          ? Mixture(weights: scalars.softmax(mirror))
          : Mixture(
            weights: gumbelSoftmax(mirror, noise, temperature, samples: count, on: scalars),
            forward: forward
          )
      )
      thetas.append(leaf)
      mirrors.append(mirror)
      mixtures.append(Mixture(weights: weights, forward: forward))
    }
    return Sample(
      mixtures: mixtures,
      cost: costModel.expected(priced, on: scalars),
      thetas: thetas,
      mirrors: mirrors
    )
  }

  /// Joins cross-entropy and cost into the loss (spec S8) and takes the gradients of both tapes.
  ///
  /// - Parameters:
  ///   - sample: of this step.
  ///   - crossEntropy: a scalar on `engine`, computed from the sample's mixtures.
  ///   - share: what the gradients are multiplied by: the sample's share of the images.
  ///   - engine: the tape of the images.
  /// - Returns: the loss, and the expected cost of the sample.
  package func backward(
    _ sample: Sample,
    crossEntropy: Tensor,
    share: Float = 1,
    on engine: Engine
  ) -> (loss: Double, cost: Double) {
    let leaf = scalars.tensor([crossEntropy.item], shape: [], requiresGradient: true)
    let total = loss(
      crossEntropy: leaf,
      cost: sample.cost,
      multiplier: multiplier?.value,
      engine: scalars
    )
    let result = (loss: Double(total.item), cost: Double(sample.cost.item))
    scalars.backward(from: total, seed: share)
    engine.backward(from: crossEntropy, seed: leaf.gradientValues?[0] ?? 0)
    scalars.isRecording = false
    return result
  }

  /// The gradients that `backward` took for a sample that trains θ: all parts that came through the
  /// images, layer by layer, then all that came through the cost.
  package func pulls(_ sample: Sample) -> [Float] {
    (sample.thetas + sample.mirrors).flatMap {
      $0.gradientValues ?? [Float](repeating: 0, count: $0.count)
    }
  }

  /// One step of Adam along `pulls` (spec S9), and of the multiplier, which brings θ back to the
  /// budget (S8).
  package func step(_ pulls: some Collection<Float>, learningRate: Double) {
    var rest = pulls[...]
    func take(_ count: Int) -> [Float] {
      defer { rest = rest.dropFirst(count) }
      return Array(rest.prefix(count))
    }
    let sizes = optimiser.parameters.map(\.value.count)
    accuracyPull = sizes.map(take)
    costPull = sizes.map(take)
    for (layer, theta) in optimiser.parameters.enumerated() {
      for (i, pull) in accuracyPull[layer].enumerated() {
        theta.gradient.pointer[i] = pull + costPull[layer][i]
      }
    }
    optimiser.step(learningRate: Float(learningRate))
    multiplier?.step(&logits, costModel: costModel, learningRate: learningRate)
  }

  /// A whole step of the gradient search: sample, evaluation, gradients, and θ's optimiser.
  ///
  /// - Parameters:
  ///   - number: of the step; names the Gumbel noise.
  ///   - temperature: τ of the Gumbel-softmax.
  ///   - samples: 1, or one for each image.
  ///   - learningRate: of θ; nil freezes θ, so that whoever evaluates can train itself.
  ///   - engine: the tape of the evaluation, which records.
  ///   - crossEntropy: evaluates mixtures: a scalar on `engine`.
  /// - Returns: the loss, and the expected cost of the sample.
  package func step(
    _ number: Int,
    temperature: Double,
    samples: Int,
    learningRate: Double?,
    on engine: Engine,
    crossEntropy: ([Mixture]) -> Tensor
  ) -> (loss: Double, cost: Double) {
    let sample = sample(
      step: number,
      temperature: temperature,
      samples: samples,
      trains: learningRate != nil,
      on: engine
    )
    let result = backward(sample, crossEntropy: crossEntropy(sample.mixtures), on: engine)
    if let learningRate { step(pulls(sample), learningRate: learningRate) }
    return result
  }

  // MARK: State

  /// What a search continues from: θ and Adam's moments.
  package func state() -> StateDictionary { StateDictionary(entries) }

  /// Takes up a saved state, all of it or nothing.
  ///
  /// - Throws: `UserError` naming the array that is missing or of another shape.
  package func restore(_ state: StateDictionary) throws { try state.resume(entries) }

  /// What a state holds: each layer's θ and moments, Adam's steps, and the learned multiplier.
  var entries: [StateEntry] {
    let moments = optimiser.entries
    let layers = optimiser.parameters.enumerated().flatMap { layer, theta in
      [theta.entry] + moments[2 * layer..<2 * layer + 2]
    }
    return layers + moments.suffix(1)
      + (multiplier == nil
        ? []
        : [
          StateEntry(name: "theta.multiplier", shape: [1]) {
            self.multiplier.map { [$0.value] } ?? []
          } write: {
            // The steps precede it, so they are restored by now.
            self.multiplier?.restore(value: $0[0], steps: self.optimiser.steps)
          }
        ])
  }
}
