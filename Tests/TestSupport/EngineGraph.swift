import Tensor

/// A `Graph` on the engine under test.
package final class EngineGraph: Graph {
  /// The engine; forward records on its tape.
  package let engine: Engine
  private let leaves: Leaves
  private var inputsByName: [String: Tensor] = [:]
  private var parametersByName: [String: Parameter] = [:]
  private var normsByName: [String: BatchNorm] = [:]
  /// Every tensor made, in order.
  package private(set) var tensors: [Tensor] = []
  /// Every parameter made, in order.
  package private(set) var parameters: [Parameter] = []
  private var readers: [(name: String, read: () -> [Float])] = []

  /// Makes an empty graph; one that `records` nothing has no gradients.
  package init(_ engine: Engine, leaves: Leaves, records: Bool = true) {
    self.engine = engine
    self.leaves = leaves
    engine.isRecording = records
  }

  /// Runs `build` forward and backward.
  package static func run(
    _ engine: Engine,
    _ leaves: Leaves,
    _ build: (any Graph) -> Node
  ) -> Outcome {
    let graph = EngineGraph(engine, leaves: leaves)
    return graph.outcome(of: build(graph))
  }

  /// The output of `node` and, where the graph was recorded, all gradients.
  package func outcome(of node: Node) -> Outcome {
    var tensor = tensors[node.index]
    if tensor.normalisation != nil { tensor = engine.materialise(tensor) }
    let output = tensor.values.map { Double($0) }
    let weights = leaves.outputWeights(output.count)
    var outcome = Outcome(
      output: output,
      gradients: [:],
      loss: zip(output, weights).reduce(0) { $0 + $1.0 * $1.1 }
    )
    guard engine.isRecording else { return outcome }
    engine.backward(from: tensor, gradient: weights.map { Float($0) })
    for reader in readers { outcome.gradients[reader.name] = reader.read().map { Double($0) } }
    return outcome
  }

  func push(_ tensor: Tensor) -> Node {
    tensors.append(tensor)
    return Node(index: tensors.count - 1)
  }

  private func parameter(_ name: String, _ shape: [Int], _ fill: Fill) -> Parameter {
    if let known = parametersByName[name] { return known }
    let p = Parameter(name: name, shape: shape, engine: engine)
    parametersByName[name] = p
    set(p, name, fill)
    return p
  }

  private func set(_ p: Parameter, _ name: String, _ fill: Fill) {
    parameters.append(p)
    let values = leaves.values(name, count: p.value.count, fill)
    for i in values.indices { p.value.pointer[i] = Float(values[i]) }
    readers.append((name, { Array(p.gradient.elements) }))
  }

  func batchNorm(_ name: String, _ norm: Norm, _ channels: Int) -> BatchNorm? {
    guard norm != .off else { return nil }
    if let known = normsByName[name] { return known }
    let batchNorm = BatchNorm(name: name, channels: channels, engine: engine)
    normsByName[name] = batchNorm
    set(batchNorm.gamma, name + ".gamma", .positive)
    set(batchNorm.beta, name + ".beta", .small)
    return batchNorm
  }

  package func input(_ name: String, _ shape: [Int], _ fill: Fill) -> Node {
    if let known = inputsByName[name] { return push(known) }
    let values = leaves.values(name, count: shape.reduce(1, *), fill).map { Float($0) }
    let tensor = engine.tensor(values, shape: shape, requiresGradient: true)
    inputsByName[name] = tensor
    readers.append(
      (name, { tensor.gradientValues ?? [Float](repeating: 0, count: values.count) })
    )
    return push(tensor)
  }

  package func convolution(
    _ x: Node,
    _ name: String,
    to channels: Int,
    geometry g: ConvolutionGeometry,
    bias: Bool,
    norm: Norm
  ) -> Node {
    let input = tensors[x.index]
    let slice = input.channels / g.groups
    let columns = channels / g.groups
    let filter = parameter(
      name + ".filter",
      (g.groups > 1 ? [g.groups] : []) + [g.kernel, g.kernel, slice, columns],
      .filter(fanIn: g.kernel * g.kernel * slice)
    )
    return push(
      engine.convolution(
        input,
        filter: filter,
        geometry: g,
        bias: bias ? parameter(name + ".bias", [channels], .small) : nil,
        norm: batchNorm(name, norm, channels),
        activation: norm.activation
      )
    )
  }

  package func depthwise(
    _ x: Node,
    _ name: String,
    kernel: Int,
    stride: Int,
    padding: Int?,
    norm: Norm
  ) -> Node {
    depthwise(x, name, kernel: kernel, stride: stride, padding: padding, taps: nil, norm: norm)
  }

  package func depthwise(
    _ x: Node,
    _ name: String,
    kernel: Int,
    stride: Int,
    taps: Node,
    norm: Norm
  ) -> Node {
    depthwise(x, name, kernel: kernel, stride: stride, padding: nil, taps: taps, norm: norm)
  }

  private func depthwise(
    _ x: Node,
    _ name: String,
    kernel: Int,
    stride: Int,
    padding: Int?,
    taps: Node?,
    norm: Norm
  ) -> Node {
    let input = tensors[x.index]
    let filter = parameter(
      name + ".filter",
      [kernel, kernel, input.channels],
      .filter(fanIn: kernel * kernel)
    )
    return push(
      engine.depthwiseConvolution(
        input,
        filter: filter,
        stride: stride,
        padding: padding,
        taps: taps.map { tensors[$0.index] },
        norm: batchNorm(name, norm, input.channels),
        activation: norm.activation
      )
    )
  }

  package func invertedResiduals(
    _ x: Node,
    _ branches: [Residual],
    to channels: Int,
    stride: Int
  ) -> [Node] {
    let input = tensors[x.index]
    func filter(_ name: String, _ from: Int, _ to: Int, _ groups: Int) -> Parameter {
      let (slice, columns) = (from / groups, to / groups)
      return parameter(
        name + ".filter",
        groups > 1 ? [groups, slice, columns] : [1, 1, slice, columns],
        .filter(fanIn: slice)
      )
    }
    func norm(_ name: String, _ channels: Int) -> BatchNorm {
      guard let norm = batchNorm(name, .linear, channels) else {
        preconditionFailure("batch-norm wanted")
      }
      return norm
    }
    let weights = branches.map { branch in
      InvertedResidualWeights(
        expand: filter(branch.name + ".expand", input.channels, branch.middle, branch.groups),
        expandNorm: norm(branch.name + ".expand", branch.middle),
        depthwise: parameter(
          branch.name + ".depthwise.filter",
          [branch.kernel, branch.kernel, branch.middle],
          .filter(fanIn: branch.kernel * branch.kernel)
        ),
        depthwiseNorm: norm(branch.name + ".depthwise", branch.middle),
        project: filter(branch.name + ".project", branch.middle, channels, branch.groups),
        projectNorm: norm(branch.name + ".project", channels),
        groups: branch.groups,
        activation: branch.norm.activation
      )
    }
    return engine.invertedResiduals(input, weights, stride: stride).map(push)
  }

  package func weightedSum(
    _ branches: [(Node, isResidual: Bool)],
    shortcut: Node?,
    weights: Node,
    forward: [Float]?
  ) -> Node {
    push(
      engine.weightedSum(
        branches.map { (tensors[$0.0.index], $0.isResidual) },
        shortcut: shortcut.map { tensors[$0.index] },
        weights: tensors[weights.index],
        forward: forward
      )
    )
  }

  package func averagePool(_ x: Node) -> Node { push(engine.averagePool(tensors[x.index])) }

  package func materialise(_ x: Node) -> Node { push(engine.materialise(tensors[x.index])) }

  package func channelShuffle(_ x: Node, groups: Int) -> Node {
    push(engine.channelShuffle(tensors[x.index], groups: groups))
  }

  package func padChannels(_ x: Node, to channels: Int) -> Node {
    push(engine.padChannels(tensors[x.index], to: channels))
  }

  package func scaleChannels(_ x: Node, by gate: Node) -> Node {
    push(engine.scaleChannels(tensors[x.index], by: tensors[gate.index]))
  }

  package func squeezeExcite(
    _ x: Node,
    _ name: String,
    through channels: Int,
    inner: Unary
  ) -> Node {
    let input = tensors[x.index]
    func filter(_ part: String, _ from: Int, _ to: Int) -> Parameter {
      parameter("\(name).\(part).filter", [from, to], .filter(fanIn: from))
    }
    let activation: Activation =
      switch inner {
      case .relu: .relu
      case .hswish: .hswish
      default: .none
      }
    return push(
      engine.squeezeExcite(
        input,
        reduce: filter("reduce", input.channels, channels),
        reduceBias: parameter(name + ".reduce.bias", [channels], .small),
        restore: filter("restore", channels, input.channels),
        restoreBias: parameter(name + ".restore.bias", [input.channels], .small),
        inner: activation
      )
    )
  }

  package func crossEntropy(
    _ x: Node,
    labels: [Int32],
    smoothing: Float,
    mixed: (labels: [Int32], share: Float)?
  ) -> Node {
    let x = tensors[x.index]
    return push(
      engine.crossEntropy(x, labels: labels, smoothing: smoothing, mixed: mixed).loss
    )
  }

  package func unary(_ x: Node, _ operation: Unary) -> Node {
    let x = tensors[x.index]
    let y =
      switch operation {
      case .softmax: engine.softmax(x)
      case .exponential: engine.exponential(x)
      case .logarithm: engine.logarithm(x)
      case .positivePart: engine.relu(x)
      case .relu: engine.activate(x, .relu)
      case .hswish: engine.activate(x, .hswish)
      case .hsigmoid: engine.hsigmoid(x)
      case .affine(let factor, let constant):
        engine.affine(x, factor: factor, constant: constant)
      case .sum: engine.sum(x)
      }
    return push(y)
  }

  package func repeatRows(_ x: Node, count: Int) -> Node {
    push(engine.repeatRows(tensors[x.index], count: count))
  }

  package func add(_ a: Node, _ b: Node) -> Node {
    push(engine.add(tensors[a.index], tensors[b.index]))
  }

  package func multiply(_ a: Node, _ b: Node) -> Node {
    push(engine.multiply(tensors[a.index], tensors[b.index]))
  }

  package func multiply(_ a: Node, constant values: [Float]) -> Node {
    push(engine.multiply(tensors[a.index], constant: values))
  }
}

extension Norm {
  /// The activation after the batch-norm.
  package var activation: Activation {
    switch self {
    case .off, .linear: .none
    case .relu: .relu
    case .hswish: .hswish
    }
  }
}
