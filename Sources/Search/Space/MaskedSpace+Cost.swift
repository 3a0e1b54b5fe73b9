import Networks
import Tensor

extension MaskedSpace {
  /// What the network costs whose choices take their options with the given weights (FBNetV2
  /// equations 8–10; spec S24, S25).
  ///
  /// Every shape is the expected one, C̄ = Σ gᵢCᵢ and h̄ = Σ gᵢhᵢ, and a layer costs the product of
  /// its shapes; a depthwise convolution has C̄ of its input on both sides. Kernels and
  /// squeeze-and-excite are mixed by their cost, k̄² = Σ gᵢkᵢ², and a block counts by the weight of
  /// being there. For one-hot weights this is the cost of that network, to the last unit where
  /// `Number` is whole.
  ///
  /// - Parameter weights: g, [choice][option].
  /// - Returns: counts of one image.
  package func cost<Number: CountingNumber>(_ weights: [[Number]]) -> Cost<Number> {
    let channels = effectiveChannels(weights)
    let shares = resolution.choice.map { weights[$0] } ?? [1]
    // h̄·w̄ of the image, of what each block reads, and of what follows the last one.
    let areas =
      [area(sizes, shares)]
      + maps[0].indices.map { place in
        area(maps.map { $0[place] }, shares)
      }
    var total = Cost<Number>()
    total += stem(size: 0, width: 0).cost(
      BlockShape(
        input: Number(self.channels),
        output: channels[0],
        inputPixels: areas[0],
        outputPixels: areas[1]
      )
    )
    for (index, block) in blocks.enumerated() {
      let shape = BlockShape(
        input: channels[block.input],
        middle: middle(block, weights) { middle(of: block, $0, input: $1) },
        output: channels[block.output],
        squeeze: middle(block, weights) {
          block.form.squeeze(
            middle: middle(of: block, $0, input: $1),
            of: widestMiddle(of: block)
          )
        },
        inputPixels: areas[index + 1],
        outputPixels: areas[index + 2]
      )
      let presence = Self.weight(0, weights, block.skip)
      for (kernel, side) in block.kernels.enumerated() {
        for (option, hasSqueeze) in block.squeezes.enumerated() {
          var part = description(block, kernel: side, squeeze: hasSqueeze).cost(shape)
          part.scale(
            by: presence * Self.weight(kernel, weights, block.kernel)
              * Self.weight(option, weights, block.squeeze)
          )
          total += part
        }
      }
    }
    total += tail(Array(channels[lastWidth...]), pixels: areas[areas.count - 1])
    return total
  }

  /// C̄ = Σ gᵢCᵢ of each width (FBNetV2 equation 5).
  package func effectiveChannels<Number: CountingNumber>(_ weights: [[Number]]) -> [Number] {
    widths.map { Self.mean($0.channels.map { Number($0) }, weights, $0.axis) }
  }

  /// What follows the blocks, and the classifier; `channels` are the last block's, and those of the
  /// 1×1 convolutions behind it.
  func tail<Number: CountingNumber>(_ channels: [Number], pixels: Number) -> Cost<Number> {
    let head = channels[channels.count - 1]
    let left = end.pools ? 1 : pixels
    var cost = endBlock(size: 0, widths[lastWidth...].map { _ in 0 }).cost(
      BlockShape(
        input: channels[0],
        middle: channels[1],
        output: head,
        inputPixels: pixels,
        outputPixels: left
      )
    )
    cost.pooled += head * left
    cost.convolution(head, to: Number(classes), pixels: 1, norm: false)
    cost.biases += Number(classes)
    return cost
  }

  /// h̄·w̄, the mean of the heights times that of the widths.
  private func area<Number: CountingNumber>(_ sizes: [MapSize], _ shares: [Number]) -> Number {
    func mean(_ side: KeyPath<MapSize, Int>) -> Number {
      zip(shares, sizes).reduce(0) { $0 + $1.0 * Number($1.1[keyPath: side]) }
    }
    return mean(\.height) * mean(\.width)
  }

  /// A block of given kind, whose shapes do not matter.
  func description(_ block: Block, kernel: Int, squeeze: Bool) -> BlockDescription {
    let size = sizes[0]
    return BlockDescription(
      name: block.name,
      kind: kind(of: block, kernel: kernel, middle: 1, squeeze: squeeze, activation: .relu),
      input: 1,
      output: 1,
      stride: block.stride,
      height: size.height,
      width: size.width
    )
  }

  /// The weight of an option; 1 for a setting that is no choice.
  private static func weight<Number: CountingNumber>(
    _ option: Int,
    _ weights: [[Number]],
    _ axis: Axis
  ) -> Number { axis.choice.map { weights[$0][option] } ?? 1 }

  /// Σ gᵢxᵢ.
  private static func mean<Number: CountingNumber>(
    _ values: [Number],
    _ weights: [[Number]],
    _ axis: Axis
  ) -> Number {
    guard let choice = axis.choice else { return values[0] }
    return zip(weights[choice], values).reduce(0) { $0 + $1.0 * $1.1 }
  }

  /// Σ gᵢhⱼ·f(i, cⱼ) over the expansions and the widths of the input.
  private func middle<Number: CountingNumber>(
    _ block: Block,
    _ weights: [[Number]],
    _ channels: (_ expansion: Int, _ input: Int) -> Int
  ) -> Number {
    let input = widths[block.input]
    return Self.mean(
      block.expansions.indices.map { expansion in
        Self.mean(
          input.channels.map { Number(channels(expansion, $0)) },
          weights,
          input.axis
        )
      },
      weights,
      block.expansion
    )
  }
}
