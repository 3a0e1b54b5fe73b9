import Tensor

/// The random parts of a training step, sampled again for each step of a seed.
package struct TrainingNoise: Sendable {
  /// Share of the classifier's inputs that are set to 0, the others raised in turn.
  package var dropout: Float
  /// Share of images that skip the last residual block; it rises from 0 with depth (Huang and
  /// others 2016).
  package var dropPath: Float
  /// Seed of the run.
  package var seed: UInt64
  /// Step that the sample belongs to.
  package var step: Int

  /// Describes the noise of a step.
  package init(dropout: Float, dropPath: Float, seed: UInt64, step: Int) {
    self.dropout = dropout
    self.dropPath = dropPath
    self.seed = seed
    self.step = step
  }

  /// `count` factors for the sample `index`: 0 with probability `rate`, 1/(1 − rate) otherwise.
  func mask(_ count: Int, rate: Float, index: Int) -> [Float] {
    var random = Philox(seed: seed, purpose: .dropout, step: UInt64(step), index: UInt32(index))
    return (0..<count).map { _ in random.uniform() < rate ? 0 : 1 / (1 - rate) }
  }
}

/// A network built from its description.
package final class Network {
  /// What it was built from.
  package let description: NetworkDescription
  /// Batch-norms, in order.
  package let norms: [BatchNorm]
  /// Weights and batch-norm parameters, in order.
  package let parameters: [Parameter]
  /// The blocks, the stem first.
  package let blocks: [Block]
  /// Weights of the linear classifier, [D, classes].
  package let classifier: Parameter
  /// Its biases, [classes].
  package let classifierBias: Parameter
  let engine: Engine

  /// Builds the network with fresh weights sampled from `seed` by the rule `fanOut`.
  package init(
    _ description: NetworkDescription,
    engine: Engine,
    seed: UInt64,
    fanOut: Initialiser.FanOut = .ofGroup
  ) {
    var initialiser = Initialiser(seed: seed, fanOut: fanOut)
    var blocks: [Block] = []
    for (index, block) in description.blocks.enumerated() {
      let name = Network.name(of: index, in: description)
      blocks.append(Block(block, name: name, engine: engine, initialiser: &initialiser))
    }
    self.blocks = blocks
    classifier = Parameter(
      name: "classifier.weight",
      shape: [description.end.channels, description.classes],
      engine: engine
    )
    initialiser.normal(classifier, deviation: 0.01)
    classifierBias = Parameter(
      name: "classifier.bias",
      shape: [description.classes],
      decays: false,
      engine: engine
    )
    norms = blocks.flatMap(\.norms)
    parameters = blocks.flatMap(\.parameters) + [classifier, classifierBias]
    self.description = description
    self.engine = engine
  }

  /// `stem`, `blocks.3`, `head`: what the arrays of a block are called.
  package static func name(of index: Int, in description: NetworkDescription) -> String {
    guard case .convolution = description.blocks[index].kind else { return "blocks.\(index)" }
    if index == 0 { return "stem" }
    return index == description.blocks.count - 1 ? "head" : "blocks.\(index)"
  }

  /// Class scores `[N, classes]` of images `[N, H, W, C]`, by the operations that training uses.
  ///
  /// Edge: with `noise` paths and values are dropped, so it is for training only.
  package func callAsFunction(_ x: Tensor, noise: TrainingNoise? = nil) -> Tensor {
    let images = x.shape[0]
    let residuals = description.blocks.count { $0.isResidual }
    var x = x
    var residual = 0
    for (index, block) in blocks.enumerated() {
      let isResidual = description.blocks[index].isResidual
      residual += isResidual ? 1 : 0
      let rate = (noise?.dropPath ?? 0) * Float(residual) / Float(max(1, residuals))
      if isResidual, let noise, rate > 0 {
        x = dropPath(block(x), beside: x, noise.mask(images, rate: rate, index: index))
      } else if isResidual || index < blocks.count - 1 {
        x = join(block(x), shortcut: isResidual ? x : nil)
      } else {
        x = block(x)
      }
    }
    var pooled = x.shape.count == 4 ? engine.averagePool(x) : x
    if let noise, noise.dropout > 0 {
      pooled = engine.multiply(
        pooled,
        constant: noise.mask(pooled.count, rate: noise.dropout, index: blocks.count)
      )
    }
    return engine.convolution(pooled, filter: classifier, bias: classifierBias)
  }

  /// A plain tensor of a block's output and its shortcut.
  private func join(_ y: Tensor, shortcut: Tensor?) -> Tensor {
    guard let shortcut else {
      return y.normalisation == nil ? y : engine.materialise(y)
    }
    return engine.weightedSum(
      [(tensor: y, isResidual: true)],
      shortcut: shortcut,
      weights: engine.tensor([1], shape: [1])
    )
  }

  /// x + mask·y, one factor an image.
  private func dropPath(_ y: Tensor, beside x: Tensor, _ mask: [Float]) -> Tensor {
    engine.weightedSum(
      [(tensor: y, isResidual: false), (tensor: x, isResidual: false)],
      shortcut: nil,
      weights: engine.tensor(mask.flatMap { [$0, 1] }, shape: [mask.count, 2])
    )
  }
}
