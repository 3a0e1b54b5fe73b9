extension JointConfiguration {
  /// Inverted residuals in stages, whose ranges are data (spec S41, FBNetV3's table 1).
  ///
  /// A list of one option is a setting, and no choice.
  package struct Space: Codable, Sendable, Equatable {
    /// Sides of the images, pixels, ascending; empty means `data.resolution`.
    package var resolutions: [Int] = []
    /// The first convolution, 3×3.
    package var stem: Stem
    /// The stages, from the input on.
    package var stages: [Stage]
    /// What follows them.
    package var head: Head
    /// What the widths inside a block are multiples of.
    package var divisor = 8

    /// The first convolution.
    package struct Stem: Codable, Sendable, Equatable {
      /// Output channels, ascending.
      package var widths: [Int]
      /// Step, both ways.
      package var stride: Int
      /// After it.
      package var activation = Configuration.Space.Candidate.Activation.hswish

      package init(widths: [Int], stride: Int) {
        self.widths = widths
        self.stride = stride
      }
    }

    /// Blocks of one width; the first may differ from the rest in kernel and expansion.
    package struct Stage: Codable, Sendable, Equatable {
      /// Output channels, ascending; empty for those of the stage before.
      package var widths: [Int]
      /// Numbers of blocks, ascending.
      package var depths: [Int]
      /// Step of the first block.
      package var stride: Int
      /// Sides of the depthwise kernel, ascending.
      package var kernels: [Int]
      /// Middle width over input width of the first block, ascending.
      package var firstExpansions: [Double]
      /// The same of the other blocks; empty where there never are any.
      package var expansions: [Double]
      /// Without squeeze-and-excite, with it, or both to choose from, for the whole stage.
      package var squeeze: [Configuration.Space.Masked.Squeeze]
      /// After the expansion and the depthwise convolution, for the whole stage.
      package var activations: [Configuration.Space.Candidate.Activation]

      package init(
        widths: [Int],
        depths: [Int] = [1],
        stride: Int = 1,
        kernels: [Int] = [3, 5],
        firstExpansions: [Double],
        expansions: [Double] = [],
        squeeze: [Configuration.Space.Masked.Squeeze] = [.none],
        activations: [Configuration.Space.Candidate.Activation] = [.hswish]
      ) {
        self.widths = widths
        self.depths = depths
        self.stride = stride
        self.kernels = kernels
        self.firstExpansions = firstExpansions
        self.expansions = expansions
        self.squeeze = squeeze
        self.activations = activations
      }

      /// Reads a stage, in which all keys but `widths` and `first_expansions` may be missing.
      package init(from decoder: any Decoder) throws {
        let keys = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
          widths: try keys.decode([Int].self, forKey: .widths),
          firstExpansions: try keys.decode([Double].self, forKey: .firstExpansions)
        )
        func take<T: Decodable>(_ value: inout T, _ key: CodingKeys) throws {
          value = try keys.decodeIfPresent(T.self, forKey: key) ?? value
        }
        try take(&depths, .depths)
        try take(&stride, .stride)
        try take(&kernels, .kernels)
        try take(&expansions, .expansions)
        try take(&squeeze, .squeeze)
        try take(&activations, .activations)
      }

      enum CodingKeys: String, CodingKey {
        case widths, depths, stride, kernels, expansions, squeeze, activations
        case firstExpansions = "first_expansions"
      }
    }

    /// The end of the network before its classifier.
    package struct Head: Codable, Sendable, Equatable {
      /// Channels before the mean over all pixels, over those of the last stage; 0 for none, where
      /// the 1×1 convolution to `width` stands before the mean.
      package var expansion: Double
      /// Channels of the last 1×1 convolution.
      package var width: Int
      /// After its convolutions.
      package var activation = Configuration.Space.Candidate.Activation.hswish

      package init(expansion: Double, width: Int) {
        self.expansion = expansion
        self.width = width
      }
    }
  }

  /// Options of the recipe's seven axes (spec S41); an empty list leaves the setting to `recipe`.
  package struct Ranges: Codable, Sendable, Equatable {
    /// What turns gradients into steps.
    package var optimisers: [Recipe.Optimiser] = []
    /// Learning rates of RMSProp, ascending; SGD has `sgdFactor` times as much.
    package var learningRates: [Double] = []
    /// Learning rate of SGD over that of RMSProp (4 in the paper).
    package var sgdFactor = 4.0
    /// Weight decays, ascending.
    package var weightDecays: [Double] = []
    /// Strengths of mixup, ascending.
    package var mixups: [Double] = []
    /// Shares of dropout, ascending.
    package var dropouts: [Double] = []
    /// Shares of stochastic depth, ascending.
    package var dropPaths: [Double] = []
    /// Decays of the moving average of the weights, ascending, 0 for none.
    package var emas: [Double] = []

    package init() {}

    enum CodingKeys: String, CodingKey {
      case optimisers, mixups, dropouts, emas
      case learningRates = "learning_rates"
      case sgdFactor = "sgd_factor"
      case weightDecays = "weight_decays"
      case dropPaths = "drop_paths"
    }
  }
}
