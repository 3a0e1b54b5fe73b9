import Tensor

/// A whole network as data, for images of one size: blocks from the stem on, then a mean over all
/// pixels (after a pooling tail there is but one) and a linear classifier.
package struct NetworkDescription: Sendable, Equatable {
  /// `fbnet_c`.
  package var name: String
  /// `FBNetV1`; empty for a user's own.
  package var family: String
  /// Image height, pixels.
  package let height: Int
  /// Image width, pixels.
  package let width: Int
  /// Image channels.
  package let channels: Int
  /// Classes.
  package var classes: Int
  /// The blocks, the stem first, each fitting the one before.
  package private(set) var blocks: [BlockDescription] = []

  /// Describes a network without blocks; `add` puts them in.
  package init(
    name: String,
    family: String = "",
    height: Int,
    width: Int,
    channels: Int,
    classes: Int
  ) {
    self.name = name
    self.family = family
    self.height = height
    self.width = width
    self.channels = channels
    self.classes = classes
  }

  /// Puts a block behind the others, its input being their output.
  package mutating func add(
    _ kind: BlockDescription.Kind,
    output: Int,
    stride: Int = 1,
    name: String = ""
  ) {
    let end = end
    blocks.append(
      BlockDescription(
        name: name,
        kind: kind,
        input: end.channels,
        output: output,
        stride: stride,
        height: end.height,
        width: end.width
      )
    )
  }

  /// The map behind the last block.
  package var end: (height: Int, width: Int, channels: Int) {
    guard let last = blocks.last else { return (height, width, channels) }
    return (last.outputSize(last.height), last.outputSize(last.width), last.output)
  }

  /// What one image and the parameters cost.
  package var cost: Cost<Int> {
    var cost = classifierCost
    for block in blocks { cost += block.cost }
    return cost
  }

  /// What the last mean and the classifier cost.
  package var classifierCost: Cost<Int> {
    var cost = Cost<Int>()
    cost.pooled = end.height * end.width * end.channels
    cost.convolution(end.channels, to: classes, pixels: 1, norm: false)
    cost.biases = classes
    return cost
  }

  /// Multiply–accumulates of one image, rule `madds`.
  package var flops: Double { Double(cost.flops(.madds)) }
  /// Weights of convolutions and the linear layer, rule `madds`.
  package var params: Double { Double(cost.params(.madds)) }

  /// The same blocks for other images and classes; nil where a block does not fit on so small a
  /// map.
  package func adapted(height: Int, width: Int, channels: Int, classes: Int) -> NetworkDescription?
  {
    var network = NetworkDescription(
      name: name,
      family: family,
      height: height,
      width: width,
      channels: channels,
      classes: classes
    )
    for block in blocks {
      network.add(block.kind, output: block.output, stride: block.stride, name: block.name)
      if network.end.height < 1 || network.end.width < 1 { return nil }
    }
    return network
  }
}

/// `value` rounded to a multiple of `divisor`: the nearest, halves up, at least one, and one more
/// where that is below 0.95 of the value (mobile-vision's `get_divisible_by`; spec S61).
package func divisible(_ value: Double, by divisor: Int) -> Int {
  let nearest = max(divisor, Int(value + Double(divisor) / 2) / divisor * divisor)
  return Double(nearest) < 0.95 * value ? nearest + divisor : nearest
}
