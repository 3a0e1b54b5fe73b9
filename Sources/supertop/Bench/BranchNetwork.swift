import Networks
import Runs
import Tensor

/// The network of `ChoiceBench` with a branch of own weights for each option.
final class BranchNetwork {
  private let engine: Engine
  private let kind: ChoiceBench.Kind
  /// The stem, the blocks and the head: a branch for each option, or one where nothing is chosen.
  private let layers: [[Branch]]
  private let classifier: Parameter
  private let bias: Parameter
  private let optimiser: StochasticGradientDescent
  private let logits: [Float]

  /// A block of an option and the images that it is for.
  private struct Branch {
    let description: BlockDescription
    let block: Block
  }

  /// Builds the network with fresh weights.
  init(_ kind: ChoiceBench.Kind, options count: Int, engine: Engine) {
    self.kind = kind
    self.engine = engine
    var initialiser = Initialiser(seed: 1)
    let widths = kind == .channels ? ChoiceBench.widths(count) : [ChoiceBench.widest]
    let sizes = kind == .resolution ? ChoiceBench.sizes(count) : [ChoiceBench.side]
    var sides = sizes
    var input = 3
    var layers: [[Branch]] = []
    func add(_ block: BlockDescription.Kind, outputs: [Int], stride: Int = 1) {
      layers.append(
        sides.flatMap { side in
          outputs.map { output in
            let description = BlockDescription(
              name: "",
              kind: block,
              input: input,
              output: output,
              stride: stride,
              height: side,
              width: side
            )
            return Branch(
              description: description,
              block: Block(
                description,
                name: "layers.\(layers.count)",
                engine: engine,
                initialiser: &initialiser
              )
            )
          }
        }
      )
      sides = sides.map { ($0 - 1) / stride + 1 }
      input = outputs[outputs.count - 1]
    }
    func residual() -> BlockDescription.Kind {
      .invertedResidual(
        kernel: 3,
        middle: ChoiceBench.expansion * input,
        groups: 1,
        activation: .relu
      )
    }
    add(.convolution(kernel: 3, padding: nil, activation: .relu), outputs: [ChoiceBench.stem])
    for stride in [1, 2, 1] { add(residual(), outputs: widths, stride: stride) }
    add(.convolution(kernel: 1, padding: nil, activation: .relu), outputs: [ChoiceBench.head])
    self.layers = layers
    classifier = Parameter(
      name: "classifier.weight",
      shape: [ChoiceBench.head, ChoiceBench.classes],
      engine: engine
    )
    initialiser.normal(classifier, deviation: 0.01)
    bias = Parameter(name: "classifier.bias", shape: [ChoiceBench.classes], engine: engine)
    optimiser = StochasticGradientDescent(
      layers.joined().flatMap(\.block.parameters) + [classifier, bias],
      momentum: 0.9,
      weightDecay: 1e-4,
      engine: engine
    )
    logits = [Float](repeating: 0, count: count)
  }

  /// A step on the weights, or the gradients of one on the architecture parameters.
  func step(_ phase: Phase, pixels: [Float], labels: [Int32]) {
    engine.isRecording = true
    engine.trainsParameters = phase == .weights
    let side = ChoiceBench.side
    var x = engine.tensor(pixels, shape: [labels.count, side, side, 3])
    let weights = engine.softmax(
      engine.tensor(logits, shape: [logits.count], requiresGradient: phase == .theta)
    )
    for (index, layer) in layers.enumerated() {
      x = sum(layer, x, weights, pools: index == layers.count - 1)
    }
    let scores = engine.convolution(x, filter: classifier, bias: bias)
    engine.backward(from: engine.crossEntropy(scores, labels: labels).loss)
    if phase == .weights { optimiser.step(learningRate: 0.01) }
    engine.isRecording = false
  }

  /// Σ gᵢ·yᵢ over the branches, brought to one size; with the input added where a layer keeps it.
  private func sum(_ layer: [Branch], _ x: Tensor, _ weights: Tensor, pools: Bool) -> Tensor {
    let widest = layer[layer.count - 1]
    let isResidual = widest.description.isResidual
    let side = widest.description.outputSize(widest.description.height)
    let outputs = layer.map { branch in
      let size = MapSize(height: branch.description.height, width: branch.description.width)
      let isWhole = size.height == x.shape[1]
      let y = branch.block(isWhole ? x : engine.subsample(x, to: size))
      if pools { return engine.averagePool(y) }
      if y.channels < widest.description.output {
        return engine.padChannels(y, to: widest.description.output)
      }
      return y.shape[1] == side ? y : engine.scatter(y, to: MapSize(height: side, width: side))
    }
    if layer.count == 1, !isResidual {
      return outputs[0].normalisation == nil ? outputs[0] : engine.materialise(outputs[0])
    }
    return engine.weightedSum(
      outputs.map { (tensor: $0, isResidual: isResidual) },
      shortcut: isResidual ? x : nil,
      weights: layer.count == 1 ? engine.tensor([1], shape: [1]) : weights
    )
  }
}
