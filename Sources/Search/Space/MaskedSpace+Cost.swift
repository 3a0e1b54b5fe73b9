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
    var map = EffectiveMap(weights: resolution.choice.map { weights[$0] } ?? [1], sizes: sizes)
    var total = Cost<Number>()
    let stem = stem(size: 0, width: 0)
    let outside = map.area
    map.reduce(stemStride)
    total += stem.cost(
      BlockShape(
        input: Number(self.channels),
        output: channels[0],
        inputPixels: outside,
        outputPixels: map.area
      )
    )
    for block in blocks {
      let inputPixels = map.area
      map.reduce(block.stride)
      let shape = BlockShape(
        input: channels[block.input],
        middle: middle(block, weights) { middle(of: block, $0, input: $1) },
        output: channels[block.output],
        squeeze: middle(block, weights) {
          squeeze(middle: middle(of: block, $0, input: $1))
        },
        inputPixels: inputPixels,
        outputPixels: map.area
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
    total += tail(channels[channels.count - 1], pixels: map.area)
    return total
  }

  /// C̄ = Σ gᵢCᵢ of each width (FBNetV2 equation 5).
  package func effectiveChannels<Number: CountingNumber>(_ weights: [[Number]]) -> [Number] {
    widths.map { Self.mean($0.channels.map { Number($0) }, weights, $0.axis) }
  }

  /// The 1×1 convolution behind the last block, and the classifier.
  func tail<Number: CountingNumber>(_ input: Number, pixels: Number) -> Cost<Number> {
    var cost = Cost<Number>()
    cost.convolution(input, to: Number(head), pixels: pixels)
    cost.pooled += Number(head) * pixels
    cost.convolution(Number(head), to: Number(classes), pixels: Number(1), norm: false)
    cost.biases += Number(classes)
    return cost
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

/// The expected size of a map: its size at each resolution, and their weights.
private struct EffectiveMap<Number: CountingNumber> {
  let weights: [Number]
  var sizes: [MapSize]

  /// h̄·w̄.
  var area: Number { mean(\.height) * mean(\.width) }

  /// Goes through a convolution of this step, which keeps the size otherwise.
  mutating func reduce(_ stride: Int) { sizes = sizes.map { $0.behind(stride) } }

  private func mean(_ side: KeyPath<MapSize, Int>) -> Number {
    zip(weights, sizes).reduce(0) { $0 + $1.0 * Number($1.1[keyPath: side]) }
  }
}
