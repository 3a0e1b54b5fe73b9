import Foundation
import Networks
import Runs
import SwiftProtobuf
import Tensor

/// A network as an ONNX file (spec S63).
///
/// Input `image` [N, C, H, W], output `scores` [N, classes]; nodes and weights are called as in the
/// safetensors file. Batch-norm takes its running statistics.
package enum OnnxExport {
  /// Writes the network into memory.
  ///
  /// - Parameters:
  ///   - network: whose present weights and statistics are taken.
  ///   - foldsBatchNorm: whether batch-norm becomes part of the convolutions, or stays a node.
  ///   - metadata: texts to carry along.
  /// - Returns: the file's bytes.
  /// - Throws: `UserError` for a network over the 2 GiB that the format holds.
  package static func data(
    _ network: Network,
    foldsBatchNorm: Bool,
    metadata: [String: String] = [:]
  ) throws -> Data {
    var metadata = metadata
    metadata["network"] = NetworkFile.json(network.description)
    var writer = OnnxWriter(network, foldsBatchNorm: foldsBatchNorm)
    let description = network.description
    writer.write()
    let model = writer.graph.model(
      input: ("image", [description.channels, description.height, description.width]),
      output: ("scores", [description.classes]),
      metadata: metadata
    )
    do {
      return try model.serializedData()
    } catch {
      // The schema has no required field: only the size can be wrong.
      throw UserError(
        .data,
        description.name,
        "over 2 GiB, more than an ONNX file holds",
        remedy: "export it as safetensors"
      )
    }
  }
}

/// Walks through a network and puts its operations into a graph.
private struct OnnxWriter {
  var graph: OnnxGraph
  private let description: NetworkDescription
  private let arrays: StateDictionary
  private let epsilon: Double
  private let foldsBatchNorm: Bool

  init(_ network: Network, foldsBatchNorm: Bool) {
    graph = OnnxGraph(name: network.description.name)
    description = network.description
    arrays = network.state()
    epsilon = network.norms.first?.epsilon ?? 0
    self.foldsBatchNorm = foldsBatchNorm
  }

  mutating func write() {
    var x = "image"
    for (index, block) in description.blocks.enumerated() {
      let name = Network.name(of: index, in: description)
      let y = self.block(block, x, name: name)
      x = block.isResidual ? graph.node("Add", [y, x], name: name + ".add") : y
    }
    if case .pool = description.blocks.last?.kind {
      // Has taken the mean already.
    } else {
      x = graph.node("GlobalAveragePool", [x], name: "mean")
    }
    x = graph.node("Flatten", [x], name: "flatten", ["axis": .int(1)])
    let (weight, bias) = (array("classifier.weight"), array("classifier.bias"))
    let inputs = [
      x, graph.weight("classifier.weight", shape: weight.shape, weight.values),
      graph.weight("classifier.bias", shape: bias.shape, bias.values),
    ]
    _ = graph.node("Gemm", inputs, name: "classifier", output: "scores")
  }

  private mutating func block(_ block: BlockDescription, _ x: String, name: String) -> String {
    switch block.kind {
    case .skip where block.keepsShape: return x
    case .skip:
      return convolution(x, name + ".project", stride: block.stride, activation: .relu)
    case .convolution(let kernel, let padding, let activation):
      return convolution(
        x,
        name,
        stride: block.stride,
        padding: padding ?? kernel / 2,
        activation: activation
      )
    case .pool(_, let bias, let activation):
      var x = convolution(x, name + ".expand", activation: activation)
      x = graph.node("GlobalAveragePool", [x], name: name + ".mean")
      return convolution(
        x,
        name + ".project",
        end: bias ? .bias : .nothing,
        activation: activation
      )
    case .fused(let middle):
      let kernel = middle.kernels[0]
      let x = convolution(
        x,
        name + ".expand",
        stride: block.stride,
        padding: middle.padding ?? kernel / 2,
        activation: middle.activation
      )
      return tail(of: middle, x, name: name)
    case .bottleneck(let middle):
      var x = x
      if middle.expands {
        x = convolution(x, name + ".expand", activation: middle.activation)
      }
      if middle.groups > 1 { x = shuffle(x, block, middle, name: name + ".shuffle") }
      for (index, kernel) in middle.kernels.enumerated() {
        let isLast = index == middle.kernels.count - 1
        x = convolution(
          x,
          name + ".depthwise" + (index == 0 ? "" : "\(index + 1)"),
          isDepthwise: middle.depthwiseGroups == nil,
          stride: index == 0 ? block.stride : 1,
          padding: index == 0 ? middle.padding ?? kernel / 2 : kernel / 2,
          end: isLast ? .norm : .nothing,
          activation: isLast ? middle.activation : .none
        )
      }
      return tail(of: middle, x, name: name)
    }
  }

  /// Squeeze-and-excite and projection, where there are any.
  private mutating func tail(
    of middle: BlockDescription.Bottleneck,
    _ x: String,
    name: String
  ) -> String {
    var x = x
    if let squeeze = middle.squeeze {
      let name = name + ".squeeze"
      var gate = graph.node("GlobalAveragePool", [x], name: name + ".mean")
      gate = convolution(gate, name + ".reduce", end: .bias, activation: squeeze.inner)
      gate = convolution(gate, name + ".restore", end: .bias, activation: .none)
      gate = graph.node(
        "HardSigmoid",
        [gate],
        name: name + ".gate",
        ["alpha": .float(1 / 6), "beta": .float(0.5)]
      )
      x = graph.node("Mul", [x, gate], name: name + ".scale")
    }
    return middle.projects ? convolution(x, name + ".project", activation: .none) : x
  }

  /// Channel i·(C/g) + j moves to j·g + i.
  private mutating func shuffle(
    _ x: String,
    _ block: BlockDescription,
    _ middle: BlockDescription.Bottleneck,
    name: String
  ) -> String {
    let (groups, width) = (middle.groups, middle.middle / middle.groups)
    // A side of 0 keeps the input's: the number of images.
    let split = graph.integers(name + ".split", [0, groups, width, block.height, block.width])
    let merged = graph.integers(name + ".merged", [0, middle.middle, block.height, block.width])
    var x = graph.node("Reshape", [x, split], name: name + ".apart")
    x = graph.node("Transpose", [x], name: name + ".turn", ["perm": .ints([0, 2, 1, 3, 4])])
    return graph.node("Reshape", [x, merged], name: name)
  }

  /// What is between a convolution and its activation.
  private enum End { case norm, bias, nothing }

  /// A convolution whose filter is called `name.weight`, with what follows it.
  private mutating func convolution(
    _ x: String,
    _ name: String,
    isDepthwise: Bool = false,
    stride: Int = 1,
    padding: Int = 0,
    end: End = .norm,
    activation: Activation
  ) -> String {
    let array = array(name + ".weight")
    var filter = OnnxFilter(array.values, shape: array.shape, isDepthwise: isDepthwise)
    var bias = end == .bias ? self.array(name + ".bias").values : nil
    if end == .norm && foldsBatchNorm {
      let (scale, shift) = folded(name)
      filter.scale(by: scale)
      bias = shift
    }
    var inputs = [x, graph.weight(name + ".weight", shape: filter.shape, filter.values)]
    if let bias { inputs.append(graph.weight(name + ".bias", shape: [bias.count], bias)) }
    var y = graph.node(
      "Conv",
      inputs,
      name: name,
      [
        "kernel_shape": .ints([filter.kernel, filter.kernel]),
        "strides": .ints([stride, stride]),
        "pads": .ints([padding, padding, padding, padding]),
        "group": .int(filter.groups),
      ]
    )
    if end == .norm && !foldsBatchNorm {
      let inputs = ["gamma", "beta", "mean", "variance"].map { part in
        let array = self.array("\(name).\(part)")
        return graph.weight("\(name).\(part)", shape: array.shape, array.values)
      }
      y = graph.node(
        "BatchNormalization",
        [y] + inputs,
        name: name + ".norm",
        ["epsilon": .float(Float(epsilon))]
      )
    }
    return activate(y, activation, name: name)
  }

  private mutating func activate(_ x: String, _ activation: Activation, name: String) -> String {
    switch activation {
    case .none: x
    case .relu: graph.node("Relu", [x], name: name + ".relu")
    case .hswish: graph.node("HardSwish", [x], name: name + ".hswish")
    }
  }

  /// The factor γ/√(σ² + ε) and the term β − μ·γ/√(σ² + ε) of every channel.
  private func folded(_ name: String) -> (scale: [Double], shift: [Float]) {
    let (mean, variance) = (array(name + ".mean").values, array(name + ".variance").values)
    let scale = zip(array(name + ".gamma").values, variance).map {
      Double($0) / (Double($1) + epsilon).squareRoot()
    }
    let shift = array(name + ".beta").values.enumerated().map {
      Float(Double($0.element) - Double(mean[$0.offset]) * scale[$0.offset])
    }
    return (scale, shift)
  }

  /// A network has every array that its description names.
  private func array(_ name: String) -> NamedArray {
    guard let array = arrays[name] else { preconditionFailure("no array \(name)") }
    return array
  }
}
