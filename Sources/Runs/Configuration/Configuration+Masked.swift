extension Configuration.Space {
  /// A space of masked blocks (FBNetV2; spec S20–S23): widths, kernels and resolutions are masks
  /// over one shared-weight block.
  ///
  /// A list of one option is a setting, and no choice.
  package struct Masked: Codable, Sendable, Equatable {
    /// Widths of the stem, ascending; empty means that of `space.stem`.
    package var stemWidths: [Int]
    /// Sides of the images, pixels, ascending; empty means `data.resolution`.
    package var resolutions: [Int]
    /// What the widths inside a block are multiples of.
    package var divisor: Int
    /// The searched stages, from the input on.
    package var stages: [Stage]

    /// Whether squeeze-and-excite follows the depthwise convolution.
    package enum Squeeze: String, Codable, Sendable, CaseIterable { case none, se }

    /// Blocks of one width, which shortcuts join, so that they share its choice (spec S21).
    package struct Stage: Codable, Sendable, Equatable {
      /// Output channels, ascending; empty for the width of the stage before.
      package var widths: [Int]
      /// Number of blocks.
      package var depth: Int
      /// 1 or 2, of the first block.
      package var stride: Int
      /// Whether a 1×1 convolution goes before the depthwise one.
      package var expand: Bool
      /// Middle width over input width, ascending; 1 alone where nothing expands.
      package var expansions: [Double]
      /// Sides of the depthwise kernel, ascending.
      package var kernels: [Int]
      /// Without squeeze-and-excite, with it, or both to choose from.
      package var squeeze: [Squeeze]
      /// After the expansion and the depthwise convolution.
      package var activations: [Candidate.Activation]
      /// Whether a block that keeps its shape may be left out.
      package var skip: Bool

      package init(
        widths: [Int],
        depth: Int = 1,
        stride: Int = 1,
        expand: Bool = true,
        expansions: [Double],
        kernels: [Int] = [3],
        squeeze: [Squeeze] = [.none],
        activations: [Candidate.Activation] = [.relu],
        skip: Bool = false
      ) {
        self.widths = widths
        self.depth = depth
        self.stride = stride
        self.expand = expand
        self.expansions = expansions
        self.kernels = kernels
        self.squeeze = squeeze
        self.activations = activations
        self.skip = skip
      }

      /// Reads a stage, in which all keys but `expansions` may be missing.
      package init(from decoder: any Decoder) throws {
        let keys = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
          widths: try keys.decodeIfPresent([Int].self, forKey: .widths) ?? [],
          depth: try keys.decodeIfPresent(Int.self, forKey: .depth) ?? 1,
          stride: try keys.decodeIfPresent(Int.self, forKey: .stride) ?? 1,
          expand: try keys.decodeIfPresent(Bool.self, forKey: .expand) ?? true,
          expansions: try keys.decode([Double].self, forKey: .expansions),
          kernels: try keys.decodeIfPresent([Int].self, forKey: .kernels) ?? [3],
          squeeze: try keys.decodeIfPresent([Squeeze].self, forKey: .squeeze) ?? [.none],
          activations: try keys.decodeIfPresent([Candidate.Activation].self, forKey: .activations)
            ?? [.relu],
          skip: try keys.decodeIfPresent(Bool.self, forKey: .skip) ?? false
        )
      }
    }

    enum CodingKeys: String, CodingKey {
      case resolutions, divisor, stages
      case stemWidths = "stem_widths"
    }

    package init(
      stemWidths: [Int] = [],
      resolutions: [Int] = [],
      divisor: Int = 8,
      stages: [Stage]
    ) {
      self.stemWidths = stemWidths
      self.resolutions = resolutions
      self.divisor = divisor
      self.stages = stages
    }

    /// Reads a space, in which all keys but `stages` may be missing.
    package init(from decoder: any Decoder) throws {
      let keys = try decoder.container(keyedBy: CodingKeys.self)
      self.init(
        stemWidths: try keys.decodeIfPresent([Int].self, forKey: .stemWidths) ?? [],
        resolutions: try keys.decodeIfPresent([Int].self, forKey: .resolutions) ?? [],
        divisor: try keys.decodeIfPresent(Int.self, forKey: .divisor) ?? 8,
        stages: try keys.decode([Stage].self, forKey: .stages)
      )
    }
  }
}

extension Configuration.Space.Masked {
  /// Product of the strides of the stem and of all stages.
  func totalStride(stem: Int) -> Int { stages.reduce(stem) { $0 * $1.stride } }
}

extension Origin {
  /// Checks how the parts of a space of masked blocks fit together.
  func checkMasked(_ masked: Configuration.Space.Masked, _ config: Configuration) throws {
    let path = "space.masked"
    if let widest = masked.stemWidths.last, widest != config.space.stem.width {
      throw error(
        "\(path).stem_widths",
        "ends with \(widest), but the stem has \(config.space.stem.width) channels",
        remedy: "make the last one space.stem.width"
      )
    }
    try checkResolutions(masked, config)
    for (index, stage) in masked.stages.enumerated() {
      try check(stage, at: "\(path).stages[\(index)]")
    }
    if config.search.sampling == .sample {
      throw error(
        "search.sampling",
        "is sample, but a mask is shared by all images of a step",
        remedy: "set search.sampling to batch"
      )
    }
    let counts = [masked.stemWidths.count, masked.resolutions.count]
    if !counts.contains(where: { $0 > 1 }), !masked.stages.contains(where: \.hasChoice) {
      throw error(path, "leaves nothing to choose", remedy: "give a list more than one option")
    }
  }

  private func checkResolutions(
    _ masked: Configuration.Space.Masked,
    _ config: Configuration
  ) throws {
    let path = "space.masked.resolutions"
    guard let largest = masked.resolutions.last else { return }
    if largest != config.data.resolution {
      throw error(
        path,
        "ends with \(largest), but the images have \(config.data.resolution) pixels a side",
        remedy: "make the last one data.resolution"
      )
    }
    let stride = masked.totalStride(stem: config.space.stem.stride)
    if let odd = masked.resolutions.first(where: { $0 % stride != 0 }) {
      throw error(
        path,
        "\(odd) does not divide by \(stride), the product of all strides",
        remedy: "give multiples of \(stride)"
      )
    }
  }

  private func check(_ stage: Configuration.Space.Masked.Stage, at path: String) throws {
    if let even = stage.kernels.first(where: { $0 % 2 == 0 || $0 > 31 }) {
      throw error("\(path).kernels", "\(even) is no odd side up to 31", remedy: "give 3, 5 or 7")
    }
    let longest = Configuration.Space.Masked.mostOptions
    for (key, count) in [("widths", stage.widths.count), ("expansions", stage.expansions.count)]
    where count > longest {
      throw error("\(path).\(key)", "\(count) options", remedy: "give \(longest) at most")
    }
    if !stage.expand, stage.expansions != [1] {
      throw error(
        "\(path).expansions",
        "nothing expands where expand is false",
        remedy: "give [1], or set expand to true"
      )
    }
    if stage.skip, stage.depth == 1, !stage.widths.isEmpty || stage.stride > 1 {
      throw error(
        "\(path).skip",
        "the only block changes the shape and cannot be left out",
        remedy: "give the stage a depth of 2 or more, or set skip to false"
      )
    }
  }
}

extension Configuration.Space.Masked {
  /// Options of one choice: an architecture's name has a digit in base 36 for each.
  fileprivate static let mostOptions = 36
}

extension Configuration.Space.Masked.Stage {
  /// Whether any of its lists has more than one option.
  fileprivate var hasChoice: Bool {
    skip
      || [widths.count, expansions.count, kernels.count, squeeze.count, activations.count]
        .contains { $0 > 1 }
  }
}
