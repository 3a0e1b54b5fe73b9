extension Configuration {
  private typealias C = Configuration

  /// The keys of a space of masked blocks.
  static let maskedKeys: [ConfigurationKey] = [
    .init(
      "space.masked",
      .section,
      "Masked blocks (FBNetV2) in place of stages and candidates: widths are choices."
    ),
    .init(
      "space.masked.stem_widths",
      ConfigurationKey.ascending(from: 1, mayBeEmpty: true),
      "Widths of the stem, up to space.stem.width; [] for that alone."
    ),
    .init("space.masked.stem_kernel", .kernel(31), "Odd side of the stem's kernel."),
    .init(
      "space.masked.stem_activation",
      ConfigurationKey.words(C.Space.Candidate.Activation.self),
      "Activation of the stem."
    ),
    .init(
      "space.masked.head_widths",
      ConfigurationKey.ascending(from: 1, mayBeEmpty: true),
      "Widths of the last 1x1 convolution, up to space.head; [] for that alone."
    ),
    .init(
      "space.masked.head_activation",
      ConfigurationKey.words(C.Space.Candidate.Activation.self),
      "Activation of the 1x1 convolutions behind the blocks."
    ),
    .init(
      "space.masked.pool_widths",
      ConfigurationKey.ascending(from: 1, mayBeEmpty: true),
      "Widths of a 1x1 convolution before the mean, the last one following it; [] for none."
    ),
    .init(
      "space.masked.pool_bias",
      .flag,
      "Whether the 1x1 convolution behind the mean has a bias."
    ),
    .init(
      "space.masked.resolutions",
      ConfigurationKey.ascending(from: 4, mayBeEmpty: true),
      "Sides of the images, pixels, up to data.resolution; [] for that alone."
    ),
    .init(
      "space.masked.divisor",
      .integer(1...256),
      "What the widths inside a block are rounded to multiples of."
    ),
    .init("space.masked.stages", .list, "Stages of masked blocks, which share one width each."),
    .init(
      "space.masked.stages[].widths",
      ConfigurationKey.ascending(from: 1, mayBeEmpty: true),
      "Output channels to choose from; [] for the width of the stage before.",
      isOptional: true
    ),
    .init(
      "space.masked.stages[].depth",
      .integer(1...1000),
      "Number of blocks.",
      isOptional: true
    ),
    .init(
      "space.masked.stages[].stride",
      .integer(1...8),
      "Stride of the first block.",
      isOptional: true
    ),
    .init(
      "space.masked.stages[].expand",
      .flag,
      "Whether a 1x1 convolution goes before the depthwise one.",
      isOptional: true
    ),
    .init(
      "space.masked.stages[].expansions",
      .numbers(.init(low: 0, lowOpen: true, high: 64), areWhole: false, mayBeEmpty: false),
      "Middle width over input width, to choose from."
    ),
    .init(
      "space.masked.stages[].kernels",
      ConfigurationKey.ascending(from: 1),
      "Odd sides of the depthwise kernel to choose from.",
      isOptional: true
    ),
    .init(
      "space.masked.stages[].squeeze",
      ConfigurationKey.listed(C.Space.Masked.Squeeze.self),
      "Squeeze-and-excite: without, with, or both to choose from.",
      isOptional: true
    ),
    .init(
      "space.masked.stages[].activations",
      ConfigurationKey.listed(C.Space.Candidate.Activation.self),
      "Activations to choose from.",
      isOptional: true
    ),
    .init(
      "space.masked.stages[].skip",
      .flag,
      "Whether a block that keeps its shape may be left out.",
      isOptional: true
    ),
    .init(
      "space.masked.stages[].convolution",
      .flag,
      "Whether each block is a plain convolution of one kernel and activation.",
      isOptional: true
    ),
    .init(
      "space.masked.stages[].second_kernel",
      .kernel(31),
      "Odd side of a second depthwise kernel behind the first; 0 for none.",
      isOptional: true
    ),
    .init(
      "space.masked.stages[].padding",
      .integer(0...64),
      "Zero border of the first block's depthwise kernel; half its side unless given.",
      isOptional: true
    ),
    .init(
      "space.masked.stages[].squeeze_width",
      .integer(1...65536),
      "Channels inside the widest squeeze-and-excite; a quarter of the middle unless given.",
      isOptional: true
    ),
    .init(
      "space.masked.stages[].squeeze_activation",
      ConfigurationKey.words(C.Space.Candidate.Activation.self),
      "Activation inside squeeze-and-excite; the block's unless given.",
      isOptional: true
    ),
    .init(
      "space.masked.stages[].zero_gamma",
      .flag,
      "Whether the scale of a block's last batch-norm begins at 0.",
      isOptional: true
    ),
  ]
}
