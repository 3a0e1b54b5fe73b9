import Networks
import Runs
import Tensor

extension MaskedSpace {
  /// A block under all that its cost depends on: the option of each setting.
  struct Place: Hashable {
    /// Place in `blocks`.
    var block: Int
    /// Resolution.
    var size: Int
    /// Option of the input's width.
    var input: Int
    /// Option of the output's width.
    var output: Int
    /// Expansion.
    var expansion = 0
    /// Kernel.
    var kernel = 0
    /// Squeeze-and-excite.
    var squeeze = 0
    /// Activation.
    var activation = 0
  }

  /// All settings of a block that is there: resolution, input, output (where it is a choice of its
  /// own), expansion, kernel, squeeze-and-excite, and the activation where it counts, the last one
  /// fastest.
  func places(of block: Int, countingActivation: Bool = true) -> [Place] {
    let it = blocks[block]
    let inner = inner(of: block, activations: countingActivation ? it.activations.count : 1)
    return sizes.indices.flatMap { size in
      widths[it.input].channels.indices.flatMap { input in
        (it.isNew ? Array(widths[it.output].channels.indices) : [input]).flatMap { output in
          inner.map { inner in
            var place = inner
            (place.size, place.input, place.output) = (size, input, output)
            return place
          }
        }
      }
    }
  }

  /// The settings inside a block, at the first resolution and widths.
  private func inner(of block: Int, activations: Int) -> [Place] {
    let it = blocks[block]
    return it.expansions.indices.flatMap { expansion in
      it.kernels.indices.flatMap { kernel in
        it.squeezes.indices.flatMap { squeeze in
          (0..<activations).map { activation in
            Place(
              block: block,
              size: 0,
              input: 0,
              output: 0,
              expansion: expansion,
              kernel: kernel,
              squeeze: squeeze,
              activation: activation
            )
          }
        }
      }
    }
  }

  /// Where a block is in an architecture that has it.
  func place(of block: Int, in architecture: Architecture) -> Place {
    let it = blocks[block]
    return Place(
      block: block,
      size: resolution.option(architecture),
      input: widths[it.input].axis.option(architecture),
      output: widths[it.output].axis.option(architecture),
      expansion: it.expansion.option(architecture),
      kernel: it.kernel.option(architecture),
      squeeze: it.squeeze.option(architecture),
      activation: it.activation.option(architecture)
    )
  }

  /// Channels between the 1×1 convolutions of a block.
  func middle(_ place: Place) -> Int {
    let block = blocks[place.block]
    let input = widths[block.input].channels[place.input]
    return middle(of: block, place.expansion, input: input)
  }

  /// The block as a network has it, under its own name.
  func description(_ place: Place) -> BlockDescription {
    let block = blocks[place.block]
    let (input, output) = (
      widths[block.input].channels[place.input], widths[block.output].channels[place.output]
    )
    let map = maps[place.size][place.block]
    return BlockDescription(
      name: block.name,
      kind: kind(
        of: block,
        kernel: block.kernels[place.kernel],
        middle: middle(place),
        squeeze: block.squeezes[place.squeeze],
        activation: block.activations[place.activation],
        // A stage begins with a choice of its own, even where it takes as many channels.
        hasShortcut: block.isResidual || block.stride > 1 || input != output
      ),
      input: input,
      output: output,
      stride: block.stride,
      height: map.height,
      width: map.width
    )
  }

  /// The block under a name that says kernel, expansion, the rest and the width,
  /// `k5_e3_se_hs_c24`.
  func candidate(_ place: Place) -> BlockDescription {
    var candidate = description(place)
    candidate.name = name(place, output: candidate.output)
    return candidate
  }

  private func name(_ place: Place, output: Int) -> String {
    let block = blocks[place.block]
    let expansion =
      block.form.isConvolution ? "" : "_e\(block.expansions[place.expansion].shortest)"
    return "k\(block.kernels[place.kernel])" + expansion
      + (block.squeezes[place.squeeze] ? "_se" : "")
      + (block.activations[place.activation] == .hswish ? "_hs" : "") + "_c\(output)"
  }

  /// The stem at a resolution, with a width.
  func stem(size: Int, width: Int) -> BlockDescription {
    BlockDescription(
      name: "stem",
      kind: stemKind,
      input: channels,
      output: widths[0].channels[width],
      stride: stemStride,
      height: sizes[size].height,
      width: sizes[size].width
    )
  }

  /// The 1×1 convolution behind the last block, or the pooling tail, at a resolution, with options
  /// of the last block's width and of those behind it.
  func endBlock(size: Int, _ options: [Int]) -> BlockDescription {
    let map = maps[size][blocks.count]
    let channels = zip(widths[lastWidth...], options).map { $0.channels[$1] }
    return BlockDescription(
      name: "head",
      kind: endKind(pooling: channels[1]),
      input: channels[0],
      output: channels[channels.count - 1],
      stride: 1,
      height: map.height,
      width: map.width
    )
  }

  /// What follows the blocks, with as many channels where the mean over all pixels is taken.
  func endKind(pooling channels: Int) -> BlockDescription.Kind {
    end.pools
      ? .pool(middle: channels, bias: end.bias, activation: end.activation)
      : .convolution(kernel: 1, padding: nil, activation: end.activation)
  }

  /// Every combination of options of the last block's width and of those behind it, the last one
  /// fastest; of those that `options` holds for each width.
  func endOptions(among options: [[Int]]) -> [[Int]] {
    options[lastWidth...].reduce([[]]) { starts, options in
      starts.flatMap { start in options.map { start + [$0] } }
    }
  }

  /// Every combination of all of their options.
  var endOptions: [[Int]] { endOptions(among: widths.map { Array($0.channels.indices) }) }
}

extension MaskedSpace.Block {
  /// Whether its output has a width of its own.
  var isNew: Bool { input != output }
}
