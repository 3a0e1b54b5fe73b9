import Data
import Networks
import Runs
import Tensor

/// A space of masked blocks (FBNetV2; spec S20–S25): the network has one shared-weight block a
/// place, and what is chosen are its width, expansion, kernel, squeeze-and-excite and activation,
/// whether it is there at all, and the size of the images.
///
/// All blocks of a stage share one width, because shortcuts join them. A setting with one option is
/// no choice. The stem and what follows the blocks have widths too. Built from a configuration for
/// given data; pure values.
package struct MaskedSpace: SearchSpace {
  /// A setting of the network: the place of its choice, and how many options it has.
  package struct Axis: Sendable, Equatable {
    /// Index among the choices; nil for a setting with one option.
    package var choice: Int?
    /// How many options.
    package var count: Int

    /// The option that an architecture takes.
    package func option(_ architecture: Architecture) -> Int {
      choice.map { architecture[$0] } ?? 0
    }
  }

  /// A width that several blocks share.
  package struct Width: Sendable, Equatable {
    /// Its choice.
    package var axis: Axis
    /// Channels of each option, ascending.
    package var channels: [Int]
  }

  /// A block of the network and what is chosen in it.
  package struct Block: Sendable, Equatable {
    /// `stage 2 block 1`.
    package var name: String
    /// Place of the input's width in `widths`.
    package var input: Int
    /// Place of the output's width in `widths`.
    package var output: Int
    /// Step of the depthwise convolution.
    package var stride: Int
    /// What its options have in common.
    package var form: MaskedBlockForm
    /// Choice of the expansion.
    package var expansion: Axis
    /// Middle width over input width.
    package var expansions: [Double]
    /// Choice of the kernel.
    package var kernel: Axis
    /// Sides of the depthwise kernel.
    package var kernels: [Int]
    /// Choice of squeeze-and-excite.
    package var squeeze: Axis
    /// Whether each option has one.
    package var squeezes: [Bool]
    /// Choice of the activation.
    package var activation: Axis
    /// What each option computes.
    package var activations: [Activation]
    /// Choice of whether the block is there: options `block`, `skip`.
    package var skip: Axis

    /// Whether the input is added to the output.
    ///
    /// Not where a stage begins: its width is another choice, even where both happen to take as
    /// many channels.
    package var isResidual: Bool { input == output && stride == 1 && !form.isConvolution }

    /// The map that the block makes of another one.
    func map(behind map: MapSize) -> MapSize {
      guard let padding = form.padding else { return map.behind(stride) }
      func side(_ n: Int) -> Int { (n + 2 * padding - kernels[0]) / stride + 1 }
      return MapSize(height: side(map.height), width: side(map.width))
    }
  }

  /// What follows the blocks.
  package struct End: Sendable, Equatable {
    /// Whether the mean over all pixels lies between two 1×1 convolutions, and not behind one.
    package var pools: Bool
    /// Whether the convolution behind the mean has a bias.
    package var bias: Bool
    /// After each of them.
    package var activation: Activation
  }

  /// The widths: the stem's, one for each stage that has its own, and those of what follows.
  package let widths: [Width]
  /// Place of the last block's width in `widths`; those behind it are the 1×1 convolutions'.
  package let lastWidth: Int
  /// The blocks, from the stem on.
  package let blocks: [Block]
  /// Choice of the size of the images.
  package let resolution: Axis
  /// Height and width of the images of each option, pixels.
  package let sizes: [MapSize]
  /// What each block reads, and the 1×1 convolution behind the last one: [resolution][block].
  let maps: [[MapSize]]
  /// The choices, in the order of an architecture's indices.
  package let choices: [Choice]
  /// Step of the stem.
  package let stemStride: Int
  /// Side of the stem's kernel.
  package let stemKernel: Int
  /// After the stem.
  package let stemActivation: Activation
  /// What follows the blocks.
  package let end: End
  /// Image channels.
  package let channels: Int
  /// Classes.
  package let classes: Int
  /// What widths inside a block are multiples of.
  package let divisor: Int

  /// Lays out the network of `space`, which has masked blocks, for images of `channels` × `height`
  /// × `width`.
  ///
  /// Images of another size than the largest have the same shape, to whole pixels.
  package init(
    _ space: Configuration.Space,
    _ masked: Configuration.Space.Masked,
    classes: Int,
    channels: Int,
    height: Int,
    width: Int
  ) {
    var builder = Builder()
    let sides = masked.resolutions
    resolution = builder.axis(
      Choice(
        id: "network.resolution",
        name: "resolution",
        detail: "\(height)x\(width)",
        kind: .resolution,
        group: "network",
        options: sides.map { Choice.Option(name: "\($0)", value: Double($0)) }
      )
    )
    let largest = sides.last ?? height
    sizes =
      sides.isEmpty
      ? [MapSize(height: height, width: width)]
      : sides.map { MapSize(height: $0 * height / largest, width: $0 * width / largest) }
    let stem = masked.stemWidths.isEmpty ? [space.stem.width] : masked.stemWidths
    var widths = [builder.width(stem, group: "stem")]
    var blocks: [Block] = []
    for (index, stage) in masked.stages.enumerated() {
      let group = "stage \(index + 1)"
      let input = widths.count - 1
      if !stage.widths.isEmpty { widths.append(builder.width(stage.widths, group: group)) }
      for place in 0..<stage.depth {
        blocks.append(
          builder.block(
            stage,
            place: place,
            group: group,
            input: place == 0 ? input : widths.count - 1,
            output: widths.count - 1
          )
        )
      }
    }
    maps = sizes.map { size in
      blocks.reduce(into: [size.behind(space.stem.stride)]) { maps, block in
        maps.append(block.map(behind: maps[maps.count - 1]))
      }
    }
    lastWidth = widths.count - 1
    if !masked.poolWidths.isEmpty {
      widths.append(builder.width(masked.poolWidths, group: "head", name: "pool"))
    }
    let heads = masked.headWidths.isEmpty ? [space.head] : masked.headWidths
    widths.append(builder.width(heads, group: "head"))
    self.widths = widths
    self.blocks = blocks
    choices = builder.choices
    stemStride = space.stem.stride
    stemKernel = masked.stemKernel
    stemActivation = Activation(masked.stemActivation)
    end = End(
      pools: !masked.poolWidths.isEmpty,
      bias: masked.poolBias,
      activation: Activation(masked.headActivation)
    )
    self.channels = channels
    self.classes = classes
    divisor = masked.divisor
  }

  /// Lays out the network of `space` for the images of `data`.
  init(_ space: Configuration.Space, _ masked: Configuration.Space.Masked, data: Dataset) {
    self.init(
      space,
      masked,
      classes: data.classes,
      channels: data.channels,
      height: data.height,
      width: data.width
    )
  }

  /// Numbers the choices as they come.
  private struct Builder {
    var choices: [Choice] = []

    mutating func axis(_ choice: Choice) -> Axis {
      guard choice.options.count > 1 else { return Axis(choice: nil, count: 1) }
      choices.append(choice)
      return Axis(choice: choices.count - 1, count: choice.options.count)
    }

    mutating func width(_ channels: [Int], group: String, name: String? = nil) -> Width {
      let name = name ?? group
      return Width(
        axis: axis(
          Choice(
            id: name.filter { $0 != " " } + ".width",
            name: "\(name) width",
            detail: "\(channels[0]) to \(channels[channels.count - 1])",
            kind: .width,
            group: group,
            options: channels.map { Choice.Option(name: "\($0)", value: Double($0)) }
          )
        ),
        channels: channels
      )
    }

    mutating func block(
      _ stage: Configuration.Space.Masked.Stage,
      place: Int,
      group: String,
      input: Int,
      output: Int
    ) -> Block {
      let name = "\(group) block \(place + 1)"
      let stride = place == 0 ? stage.stride : 1
      func choice(
        _ what: String,
        _ kind: Choice.Kind,
        _ options: [Choice.Option]
      ) -> Choice {
        Choice(
          id: "\(group.filter { $0 != " " }).block\(place + 1).\(what)",
          name: "\(name) \(what)",
          detail: stride > 1 ? "s\(stride)" : "",
          kind: kind,
          group: group,
          options: options
        )
      }
      func words(_ words: [String]) -> [Choice.Option] { words.map { Choice.Option(name: $0) } }
      let canSkip = stage.skip && input == output && stride == 1
      return Block(
        name: name,
        input: input,
        output: output,
        stride: stride,
        form: MaskedBlockForm(
          isConvolution: stage.convolution ?? false,
          expands: stage.expand,
          secondKernel: stage.secondKernel.flatMap { $0 > 0 ? $0 : nil },
          padding: place == 0 ? stage.padding : nil,
          squeezeWidth: stage.squeezeWidth,
          squeezeActivation: stage.squeezeActivation.map { Activation($0) },
          zeroGamma: stage.zeroGamma ?? false
        ),
        expansion: axis(
          choice(
            "expansion",
            .expansion,
            stage.expansions.map { Choice.Option(name: "\($0.shortest)", value: $0) }
          )
        ),
        expansions: stage.expansions,
        kernel: axis(choice("kernel", .operator, words(stage.kernels.map { "\($0)x\($0)" }))),
        kernels: stage.kernels,
        squeeze: axis(choice("squeeze", .operator, words(stage.squeeze.map(\.rawValue)))),
        squeezes: stage.squeeze.map { $0 == .se },
        activation: axis(
          choice("activation", .operator, words(stage.activations.map(\.rawValue)))
        ),
        activations: stage.activations.map { Activation($0) },
        skip: axis(choice("skip", .operator, canSkip ? words(["block", "skip"]) : []))
      )
    }
  }
}
