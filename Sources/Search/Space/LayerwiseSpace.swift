import Data
import Networks
import Runs
import Tensor

/// A space with one choice a layer, that of its block: the fixed frame of a network and its
/// searched layers, with every candidate described and counted.
///
/// Built from a config for given data (spec S2, S3); pure values.
package struct LayerwiseSpace: SearchSpace {
  /// One searched layer: its candidates in the order of the logits.
  package let layers: [[BlockDescription]]
  /// The stage of each searched layer, from 0.
  private let stages: [Int]
  /// Channels that the last searched layer gives.
  package let lastWidth: Int
  /// The images, the classes and the stem.
  private let frame: NetworkDescription
  /// The first convolution.
  package let stem: Configuration.Space.Stem
  /// Channels of the 1×1 convolution behind the last searched layer.
  package let head: Int
  /// Multiply–accumulates of stem, head and classifier for one image.
  package let fixedFlops: Double
  /// Weights of stem, head and classifier.
  package let fixedParams: Double

  /// Lays out the network of `space` for images of `channels` × `height` × `width`.
  package init(_ space: Configuration.Space, classes: Int, channels: Int, height: Int, width: Int) {
    var frame = NetworkDescription(
      name: "network",
      height: height,
      width: width,
      channels: channels,
      classes: classes
    )
    frame.add(
      .convolution(kernel: 3, padding: nil, activation: .relu),
      output: space.stem.width,
      stride: space.stem.stride
    )
    self.frame = frame
    stem = space.stem
    head = space.head
    var (h, w, input) = frame.end
    var layers: [[BlockDescription]] = []
    for stage in space.stages {
      for i in 0..<stage.depth {
        let stride = i == 0 ? stage.stride : 1
        let layer = space.candidates.map { candidate in
          BlockDescription(
            name: candidate.name,
            kind: LayerwiseSpace.kind(of: candidate, input: input),
            input: input,
            output: stage.width,
            stride: stride,
            height: h,
            width: w
          )
        }
        layers.append(layer)
        input = stage.width
        h = (h - 1) / stride + 1
        w = (w - 1) / stride + 1
      }
    }
    self.layers = layers
    stages = space.stages.enumerated().flatMap { Array(repeating: $0, count: $1.depth) }
    lastWidth = input
    let head = BlockDescription(
      name: "head",
      kind: LayerwiseSpace.headKind,
      input: input,
      output: space.head,
      stride: 1,
      height: h,
      width: w
    )
    let fixed = [frame.blocks[0].cost, head.cost]
    let classifier = Double(space.head * classes)
    fixedFlops = fixed.reduce(classifier) { $0 + Double($1.flops(.madds)) }
    fixedParams = fixed.reduce(classifier) { $0 + Double($1.params(.madds)) }
  }

  /// Lays out the network of `space` for the images of `data`.
  init(_ space: Configuration.Space, data: Dataset) {
    self.init(
      space,
      classes: data.classes,
      channels: data.channels,
      height: data.height,
      width: data.width
    )
  }

  /// The 1×1 convolution behind the last searched layer.
  private static let headKind = BlockDescription.Kind.convolution(
    kernel: 1,
    padding: nil,
    activation: .relu
  )

  /// Image channels.
  package var channels: Int { frame.channels }
  /// Image height, pixels.
  package var height: Int { frame.height }
  /// Image width, pixels.
  package var width: Int { frame.width }
  /// Classes.
  package var classes: Int { frame.classes }

  /// Candidates of each layer.
  package var optionCounts: [Int] { layers.map(\.count) }

  /// The decisions of the search, a layer each.
  package var choices: [Choice] {
    layers.enumerated().map { index, candidates in
      let first = candidates[0]
      let widths =
        first.input == first.output ? "\(first.input)" : "\(first.input)→\(first.output)"
      return Choice(
        id: "layer\(index + 1).operator",
        name: "layer \(index + 1)",
        detail: "\(first.height)x\(first.width) \(widths)"
          + (first.stride > 1 ? " s\(first.stride)" : ""),
        kind: .operator,
        group: "stage \(stages[index] + 1)",
        options: candidates.map { Choice.Option(name: $0.name) }
      )
    }
  }

  /// What the options of the choices cost; `latency` in milliseconds where it is known.
  package func choicePrices(
    of _: Architecture,
    latency: (any LatencyCost)?
  ) -> [ChoicePrices] {
    // By option, of all layers at once: what a layer costs depends on no other.
    let milliseconds = latency.map { latency in
      (0..<(optionCounts.max() ?? 0)).map { option in
        latency.blocks(Architecture(optionCounts.map { min(option, $0 - 1) }))
      }
    }
    return zip(choices, layers.indices).map { choice, index in
      ChoicePrices(
        choice: choice.id,
        flops: layers[index].map(\.flops),
        params: layers[index].map(\.params),
        latency: milliseconds.map { rows in layers[index].indices.map { rows[$0][index] } }
      )
    }
  }

  /// The chosen candidate of each layer.
  package func parts(of architecture: Architecture) -> [NetworkPart] {
    zip(choices, zip(layers, architecture)).map { choice, layer in
      NetworkPart(name: choice.name, block: layer.0[layer.1])
    }
  }

  /// All candidates run.
  package var supernetFlops: Double { layers.joined().reduce(fixedFlops) { $0 + $1.flops } }

  /// Multiply–accumulates of one image through an architecture, fixed parts included.
  package func flops(_ architecture: Architecture) -> Double {
    zip(layers, architecture).reduce(fixedFlops) { $0 + $1.0[$1.1].flops }
  }

  /// Weights of an architecture, fixed parts included.
  package func params(_ architecture: Architecture) -> Double {
    zip(layers, architecture).reduce(fixedParams) { $0 + $1.0[$1.1].params }
  }

  /// An architecture as a network of its own.
  package func network(of architecture: Architecture, name: String) -> NetworkDescription {
    var network = frame
    network.name = name
    for (candidates, index) in zip(layers, architecture) {
      let block = candidates[index]
      network.add(block.kind, output: block.output, stride: block.stride, name: block.name)
    }
    network.add(LayerwiseSpace.headKind, output: head)
    return network
  }

  private static func kind(
    of candidate: Configuration.Space.Candidate,
    input: Int
  ) -> BlockDescription.Kind {
    if candidate.isSkip { return .skip }
    return .invertedResidual(
      kernel: candidate.kernel,
      middle: candidate.middleWidth(from: input),
      groups: candidate.groups,
      activation: Activation(candidate.activation)
    )
  }
}
