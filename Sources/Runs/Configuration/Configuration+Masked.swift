extension Configuration.Space {
  /// A space of masked blocks (FBNetV2; spec S20–S23): widths, kernels and resolutions are masks
  /// over one shared-weight block.
  ///
  /// A list of one option is a setting, and no choice.
  package struct Masked: Codable, Sendable, Equatable {
    /// Widths of the stem, ascending; empty means that of `space.stem`.
    package var stemWidths: [Int]
    /// Side of the stem's kernel, odd.
    package var stemKernel: Int
    /// After the stem.
    package var stemActivation: Candidate.Activation
    /// Widths of the last 1×1 convolution, ascending; empty means that of `space.head`.
    package var headWidths: [Int]
    /// After the last 1×1 convolution, and after the one before a pooling tail's mean.
    package var headActivation: Candidate.Activation
    /// Widths of the 1×1 convolution before the mean over all pixels, ascending, where the last one
    /// stands behind that mean; empty where there is no other.
    package var poolWidths: [Int]
    /// Whether the last 1×1 convolution has a bias; only behind the mean.
    package var poolBias: Bool
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
      /// Step of the first block.
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
      /// Whether each block is a plain convolution instead of an inverted residual; nil for no.
      package var convolution: Bool?
      /// Side of a second depthwise convolution behind the first; nil or 0 for none.
      package var secondKernel: Int?
      /// Zero border of the first block's depthwise convolution, pixels; nil for half its side.
      package var padding: Int?
      /// Channels inside the squeeze-and-excite of the widest block, narrower ones having their
      /// share; nil for a quarter of the middle, made divisible by 8.
      package var squeezeWidth: Int?
      /// Inside squeeze-and-excite; nil for the block's activation.
      package var squeezeActivation: Candidate.Activation?
      /// Whether the scale of the last batch-norm begins at 0; nil for no.
      package var zeroGamma: Bool?

      package init(
        widths: [Int],
        depth: Int = 1,
        stride: Int = 1,
        expand: Bool = true,
        expansions: [Double],
        kernels: [Int] = [3],
        squeeze: [Squeeze] = [.none],
        activations: [Candidate.Activation] = [.relu],
        skip: Bool = false,
        convolution: Bool? = nil,
        secondKernel: Int? = nil,
        padding: Int? = nil,
        squeezeWidth: Int? = nil,
        squeezeActivation: Candidate.Activation? = nil,
        zeroGamma: Bool? = nil
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
        self.convolution = convolution
        self.secondKernel = secondKernel
        self.padding = padding
        self.squeezeWidth = squeezeWidth
        self.squeezeActivation = squeezeActivation
        self.zeroGamma = zeroGamma
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
          skip: try keys.decodeIfPresent(Bool.self, forKey: .skip) ?? false,
          convolution: try keys.decodeIfPresent(Bool.self, forKey: .convolution),
          secondKernel: try keys.decodeIfPresent(Int.self, forKey: .secondKernel),
          padding: try keys.decodeIfPresent(Int.self, forKey: .padding),
          squeezeWidth: try keys.decodeIfPresent(Int.self, forKey: .squeezeWidth),
          squeezeActivation: try keys.decodeIfPresent(
            Candidate.Activation.self,
            forKey: .squeezeActivation
          ),
          zeroGamma: try keys.decodeIfPresent(Bool.self, forKey: .zeroGamma)
        )
      }

      enum CodingKeys: String, CodingKey {
        case widths, depth, stride, expand, expansions, kernels, squeeze, activations, skip, padding
        case convolution
        case secondKernel = "second_kernel"
        case squeezeWidth = "squeeze_width"
        case squeezeActivation = "squeeze_activation"
        case zeroGamma = "zero_gamma"
      }
    }

    enum CodingKeys: String, CodingKey {
      case resolutions, divisor, stages
      case stemWidths = "stem_widths"
      case stemKernel = "stem_kernel"
      case stemActivation = "stem_activation"
      case headWidths = "head_widths"
      case headActivation = "head_activation"
      case poolWidths = "pool_widths"
      case poolBias = "pool_bias"
    }

    package init(
      stemWidths: [Int] = [],
      stemKernel: Int = 3,
      stemActivation: Candidate.Activation = .relu,
      headWidths: [Int] = [],
      headActivation: Candidate.Activation = .relu,
      poolWidths: [Int] = [],
      poolBias: Bool = false,
      resolutions: [Int] = [],
      divisor: Int = 8,
      stages: [Stage]
    ) {
      self.stemWidths = stemWidths
      self.stemKernel = stemKernel
      self.stemActivation = stemActivation
      self.headWidths = headWidths
      self.headActivation = headActivation
      self.poolWidths = poolWidths
      self.poolBias = poolBias
      self.resolutions = resolutions
      self.divisor = divisor
      self.stages = stages
    }

    /// Reads a space, in which all keys but `stages` may be missing.
    package init(from decoder: any Decoder) throws {
      let keys = try decoder.container(keyedBy: CodingKeys.self)
      func value<T: Decodable>(_ key: CodingKeys, otherwise: T) throws -> T {
        try keys.decodeIfPresent(T.self, forKey: key) ?? otherwise
      }
      self.init(
        stemWidths: try value(.stemWidths, otherwise: []),
        stemKernel: try value(.stemKernel, otherwise: 3),
        stemActivation: try value(.stemActivation, otherwise: .relu),
        headWidths: try value(.headWidths, otherwise: []),
        headActivation: try value(.headActivation, otherwise: .relu),
        poolWidths: try value(.poolWidths, otherwise: []),
        poolBias: try value(.poolBias, otherwise: false),
        resolutions: try value(.resolutions, otherwise: []),
        divisor: try value(.divisor, otherwise: 8),
        stages: try keys.decode([Stage].self, forKey: .stages)
      )
    }
  }
}
