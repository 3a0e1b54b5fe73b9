import Runs
import Tensor
import Training

/// The architecture parameters θ of a search, what they draw, and what trains them (spec S4–S6, S8, S9).
///
/// A step has two halves: `draw` gives the mixtures whose images the caller judges on a tape of its own,
/// and `backward` joins the cross-entropy with the cost of the same draw into the loss. Who judges does not
/// matter here: a supernet by training, or a table of results.
///
/// Not Sendable: made and used on one queue.
package final class ArchitectureParameters {
  /// θ, one array a layer.
  package internal(set) var logits: [[Float]] {
    get { optimiser.parameters.map { Array($0.value.elements) } }
    set {
      for (parameter, values) in zip(optimiser.parameters, newValue) {
        parameter.entry.write(values)
      }
    }
  }
  /// Part of ∂L/∂θ that came through the images, of the last θ step.
  package private(set) var accuracyPull: [[Float]]
  /// Part of ∂L/∂θ that came through the cost, of the last θ step.
  package private(set) var costPull: [[Float]]
  /// Prices of the candidates, in the metric of the cost.
  package let prices: CostTable

  /// The learned weight of the cost; nil where it is fixed.
  package private(set) var multiplier: CostMultiplier?
  /// λ, as it is recorded; nil where the weight of the cost is fixed.
  var costWeight: Double? { multiplier.map { Double($0.value) } }

  private let optimiser: Adam
  private let loss: CostLoss
  private let hard: Bool
  private let seed: UInt64
  /// θ → mixture → cost → loss runs on a tape of its own, apart from the images'.
  private let scalars = Engine(instructionSet: .baseline, threads: 1)

  /// How a layer mixes its candidates: weights [k] or [N, k], and values that replace them forward.
  package struct Mixture {
    /// m of spec S5, on the tape of the images.
    package var weights: Tensor
    /// The one-hot values of a hard draw, as many as `weights` has; nil for a soft one.
    package var forward: [Float]?
  }

  /// What one step drew.
  package struct Draw {
    /// A mixture for each layer.
    package fileprivate(set) var mixtures: [Mixture] = []
    /// The expected cost of the draw, or of softmax(θ) where the loss asks for that; a scalar on the tape
    /// of the costs.
    fileprivate var cost: Tensor
    /// θ on the images' tape and on the costs'.
    fileprivate var thetas: [Tensor] = []
    fileprivate var mirrors: [Tensor] = []
  }

  /// Starts θ as `settings` say, an array for each layer of `prices`.
  ///
  /// - Parameters:
  ///   - prices: of every candidate; θ has an entry for each.
  ///   - loss: joins cross-entropy and cost.
  ///   - settings: start values and Adam's.
  ///   - hard: whether a draw is one network with the soft one's gradient (straight-through).
  ///   - seed: names the Gumbel draws, together with their step.
  package init(
    prices: CostTable,
    loss: CostLoss,
    settings: Configuration.ThetaSettings,
    hard: Bool,
    seed: UInt64
  ) {
    self.prices = prices
    self.loss = loss
    self.hard = hard
    self.seed = seed
    let logits = prices.layers.map { layer in
      let initial: Float =
        switch settings.initial {
        case .uniform: 1 / Float(layer.count)
        case .zero: 0
        case .one: 1
        }
      return [Float](repeating: initial, count: layer.count)
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

  // MARK: Training

  /// Draws the mixtures of a step (spec S5), and what they cost (S6).
  ///
  /// - Parameters:
  ///   - step: names the Gumbel noise, so a resumed run draws the same.
  ///   - temperature: τ of the Gumbel-softmax.
  ///   - draws: 1, or one for each image.
  ///   - trains: whether θ gets a gradient.
  ///   - engine: the tape of the images.
  /// - Returns: mixtures on `engine`, for `backward` and `step`.
  package func draw(
    step: Int,
    temperature: Double,
    draws: Int,
    trains: Bool,
    on engine: Engine
  ) -> Draw {
    scalars.isRecording = true
    let logits = logits
    var draw = Draw(cost: scalars.tensor([Float(prices.fixed)], shape: []))
    for layer in logits.indices {
      let noise = gumbelNoise(step: step, layer: layer, count: draws * logits[layer].count)
      func theta(on engine: Engine) -> Tensor {
        engine.tensor(logits[layer], shape: [logits[layer].count], requiresGradient: trains)
      }
      let leaf = theta(on: engine)
      let weights = gumbelSoftmax(leaf, noise, temperature, draws: draws, on: engine)
      let mirror = theta(on: scalars)
      let forward = hard ? oneHot(weights) : nil
      let cost =
        loss.isOfProbabilities
        ? layerCost(scalars.softmax(mirror), hard: nil, layer: layer, draws: 1)
        : layerCost(
          gumbelSoftmax(mirror, noise, temperature, draws: draws, on: scalars),
          hard: forward,
          layer: layer,
          draws: draws
        )
      draw.cost = scalars.add(draw.cost, cost)
      draw.thetas.append(leaf)
      draw.mirrors.append(mirror)
      draw.mixtures.append(Mixture(weights: weights, forward: forward))
    }
    return draw
  }

  /// Joins cross-entropy and cost into the loss (spec S8) and takes the gradients of both tapes.
  ///
  /// - Parameters:
  ///   - draw: of this step.
  ///   - crossEntropy: a scalar on `engine`, computed from the draw's mixtures.
  ///   - engine: the tape of the images.
  /// - Returns: the loss, and the expected cost of the draw.
  package func backward(
    _ draw: Draw,
    crossEntropy: Tensor,
    on engine: Engine
  ) -> (loss: Double, cost: Double) {
    let leaf = scalars.tensor([crossEntropy.item], shape: [], requiresGradient: true)
    let total = loss(
      crossEntropy: leaf,
      cost: draw.cost,
      multiplier: multiplier?.value,
      engine: scalars
    )
    let result = (loss: Double(total.item), cost: Double(draw.cost.item))
    scalars.backward(from: total)
    engine.backward(from: crossEntropy, seed: leaf.gradientValues?[0] ?? 0)
    scalars.isRecording = false
    return result
  }

  /// One step of Adam along the gradients that `backward` took for a draw that trains θ (spec S9), and of
  /// the multiplier, which brings θ back to the budget (S8).
  package func step(_ draw: Draw, learningRate: Double) {
    for (layer, theta) in optimiser.parameters.enumerated() {
      let none = [Float](repeating: 0, count: theta.value.count)
      accuracyPull[layer] = draw.thetas[layer].gradientValues ?? none
      costPull[layer] = draw.mirrors[layer].gradientValues ?? none
      for (i, pull) in accuracyPull[layer].enumerated() {
        theta.gradient.pointer[i] = pull + costPull[layer][i]
      }
    }
    optimiser.step(learningRate: Float(learningRate))
    multiplier?.step(&logits, prices: prices, learningRate: learningRate)
  }

  private func gumbelNoise(step: Int, layer: Int, count: Int) -> [Float] {
    var random = Philox(seed: seed, purpose: .gumbel, step: UInt64(step), index: UInt32(layer))
    return (0..<count).map { _ in random.gumbel() }
  }

  /// m = softmax((θ + g)/τ), [k] or [draws, k] (FBNetV1 equation 7; spec S5).
  private func gumbelSoftmax(
    _ theta: Tensor,
    _ noise: [Float],
    _ temperature: Double,
    draws: Int,
    on engine: Engine
  ) -> Tensor {
    let k = theta.count
    let shape = draws == 1 ? [k] : [draws, k]
    let rows = draws == 1 ? theta : engine.repeatRows(theta, count: draws)
    let noisy = engine.add(rows, engine.tensor(noise, shape: shape))
    return engine.softmax(engine.affine(noisy, factor: Float(1 / temperature)))
  }

  /// The largest weight of each row as 1, the others as 0.
  private func oneHot(_ weights: Tensor) -> [Float] {
    let k = weights.channels
    let soft = weights.values
    var values = [Float](repeating: 0, count: weights.count)
    for row in 0..<weights.rows {
      let at = row * k
      let best = (0..<k).max { soft[at + $0] < soft[at + $1] } ?? 0
      values[at + best] = 1
    }
    return values
  }

  /// Σᵢ mᵢ·costᵢ, mean over the draws; with `hard` the value is the chosen one's, the gradient the soft's.
  private func layerCost(_ weights: Tensor, hard: [Float]?, layer: Int, draws: Int) -> Tensor {
    let prices = (0..<draws).flatMap { _ in self.prices.layers[layer].map(Float.init) }
    let soft = scalars.affine(
      scalars.sum(scalars.multiply(weights, scalars.tensor(prices, shape: weights.shape))),
      factor: 1 / Float(draws)
    )
    guard let hard else { return soft }
    let value = zip(hard, prices).reduce(Float(0)) { $0 + $1.0 * $1.1 } / Float(draws)
    return scalars.affine(soft, factor: 1, constant: value - soft.item)
  }

  // MARK: State

  /// What a search goes on from: θ and Adam's moments.
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
            // The steps stand before it, so they are restored by now.
            self.multiplier?.restore(value: $0[0], steps: self.optimiser.steps)
          }
        ])
  }
}
