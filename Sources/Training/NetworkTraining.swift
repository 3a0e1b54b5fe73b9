import Data
import Networks
import Runs
import Tensor

/// One network, its optimiser and the average of its weights: the steps of a recipe (spec S41).
///
/// Not Sendable: made and used on one queue.
package final class NetworkTraining {
  /// What is trained.
  package let network: Network
  /// What it runs on.
  package let engine: Engine
  private let recipe: Recipe
  private let seed: UInt64
  /// How batches are cut.
  let shards: Shards
  private let optimiser: any Optimiser
  private let average: MovingAverage?
  /// Whether the averages are in the weights' place now.
  private var isAveraged = false

  /// Builds the network with weights sampled from `seed`, or those of `start` where they fit.
  ///
  /// `classNames` are those of the data, nil where nobody knows them; the classes of `start` are
  /// matched with them. Without `shards` a batch is trained whole.
  package init(
    _ description: NetworkDescription,
    recipe: Recipe,
    seed: UInt64,
    start: Checkpoint? = nil,
    classNames: [String]? = nil,
    shards: Shards? = nil,
    engine: Engine
  ) throws {
    self.recipe = recipe
    self.shards = try shards ?? Shards(1)
    self.seed = seed
    self.engine = engine
    network = Network(
      description,
      engine: engine,
      seed: seed,
      fanOut: recipe.firstValues.fanOut
    )
    if let start {
      try network.restore(try start.start(for: network, classNames: classNames))
    }
    let parameters = network.parameters
    optimiser =
      switch recipe.optimiser {
      case .sgd:
        StochasticGradientDescent(
          parameters,
          momentum: Float(recipe.momentum),
          weightDecay: Float(recipe.weightDecay),
          engine: engine
        )
      case .rmsprop:
        RMSProp(
          parameters,
          alpha: Float(recipe.rmsAlpha),
          epsilon: Float(recipe.rmsEpsilon),
          momentum: Float(recipe.momentum),
          weightDecay: Float(recipe.weightDecay),
          engine: engine
        )
      }
    average =
      recipe.ema > 0
      ? MovingAverage(parameters, decay: Float(recipe.ema), engine: engine) : nil
  }

  /// One optimiser step on a batch, of which this process may have a part; `step` names the random
  /// numbers, so a resumed run samples the same.
  package func train(_ batch: Batch, learningRate: Double, step: Int) -> StepOutcome {
    engine.mode = .training
    engine.isRecording = true
    engine.trainsParameters = true
    var blend: Float?
    if recipe.mixup > 0 {
      var random = Philox(seed: seed, purpose: .mixup, step: UInt64(step))
      blend = random.mixupShare(alpha: recipe.mixup)
    }
    let figures = shards.sum(
      images: batch.total,
      gradients: network.parameters.map(\.gradient),
      figures: 2
    ) { shard in
      var images = batch[shard.read]
      if let blend { images = images.blended(share: blend) }
      let noise =
        recipe.dropout > 0 || recipe.dropPath > 0
        ? TrainingNoise(
          dropout: Float(recipe.dropout),
          dropPath: Float(recipe.dropPath),
          seed: seed,
          step: step * shards.count + shard.index
        ) : nil
      let result = engine.crossEntropy(
        network(network.image(images, on: engine), noise: noise),
        labels: images.labels,
        smoothing: Float(recipe.labelSmoothing),
        mixed: blend.map { (images.labels.reversed(), $0) }
      )
      let loss = result.loss.item
      engine.backward(from: result.loss, seed: shard.share)
      return [loss * shard.share, Float(result.correct)]
    }
    engine.isRecording = false
    optimiser.step(learningRate: Float(learningRate))
    average?.update()
    return StepOutcome(
      loss: Double(figures[0]),
      crossEntropy: Double(figures[0]),
      cost: network.description.flops,
      correct: Int(figures[1])
    )
  }

  /// Runs `body` with the averages in the weights' place, where the recipe keeps any.
  package func averaged<T>(_ body: () throws -> T) rethrows -> T {
    average?.swap()
    isAveraged = true
    defer {
      average?.swap()
      isAveraged = false
    }
    return try body()
  }

  /// Computes batch-norm's statistics again for the present weights.
  package func recalibrate<Batches: RandomAccessCollection<Batch>>(_ batches: Batches)
  where Batches.Index == Int {
    shards.recalibrate(network.norms, on: engine, batches) { _, batch in
      _ = network(network.image(batch, on: engine))
    }
  }

  // MARK: State

  /// Everything that training continues from: weights, statistics, velocities, squares and
  /// averages.
  package func state() -> StateDictionary {
    // A checkpoint may be asked for in the middle of an evaluation.
    if isAveraged { average?.swap() }
    defer { if isAveraged { average?.swap() } }
    return StateDictionary(entries)
  }

  /// Takes up a saved state; throws a `UserError` naming the array that is missing or does not fit.
  package func restore(_ state: StateDictionary) throws { try state.resume(entries) }

  private var entries: [StateEntry] {
    network.entries + optimiser.entries + (average?.entries ?? [])
  }
}

extension Network {
  /// The images of a batch, [N, H, W, C].
  package func image(_ batch: Batch, on engine: Engine) -> Tensor {
    engine.tensor(
      batch.pixels,
      shape: [batch.count, description.height, description.width, description.channels]
    )
  }
}
