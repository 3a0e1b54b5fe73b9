extension JointConfiguration {
  /// Names that `preset(_:)` knows, smallest networks first.
  package static let presetNames = ["fbnet-v3-digits", "fbnet-v3-cifar", "fbnet-v3"]

  /// Complete settings by name; an unknown name is a configuration error.
  package static func preset(_ name: String) throws -> JointConfiguration {
    switch name {
    case "fbnet-v3-digits": digits
    case "fbnet-v3-cifar": cifar
    case "fbnet-v3": paper
    default:
      throw UserError(
        .configuration,
        "preset",
        "unknown preset \(name)",
        remedy: "known are " + presetNames.joined(separator: ", ")
      )
    }
  }

  /// Small networks on 8×8 grey images; ours.
  private static var digits: JointConfiguration {
    var space = Space(
      stem: Space.Stem(widths: [4, 8, 12], stride: 1),
      stages: [
        Space.Stage(
          widths: [4, 8, 12],
          depths: [1, 2],
          firstExpansions: [1, 2],
          expansions: [1, 2, 3]
        ),
        Space.Stage(
          widths: [12, 16, 20, 24],
          depths: [1, 2, 3],
          stride: 2,
          firstExpansions: [2, 3, 4],
          expansions: [1, 2, 3],
          squeeze: [.none, .se],
          activations: [.relu, .hswish]
        ),
        Space.Stage(
          widths: [16, 24, 32, 40],
          depths: [1, 2],
          stride: 2,
          firstExpansions: [2, 3, 4],
          expansions: [1, 2, 3],
          squeeze: [.none, .se],
          activations: [.relu, .hswish]
        ),
      ],
      head: Space.Head(expansion: 0, width: 64)
    )
    space.resolutions = [6, 8]
    space.divisor = 4
    var it = JointConfiguration(
      preset: "fbnet-v3-digits",
      data: TrainingConfiguration.Images(source: "digits", resolution: 8),
      space: space,
      ranges: smallRanges,
      recipe: Recipe()
    )
    it.budget.flops = 60_000
    it.search.candidates = 48
    it.search.explore = 0.25
    it.recipe.epochs = 12
    it.recipe.batch = 32
    it.recipe.shift = 1
    it.recipe.validationShare = 0.25
    it.recipe.recalibrationImages = 512
    return it
  }

  /// Networks for 32×32 images; ours.
  private static var cifar: JointConfiguration {
    var space = Space(
      stem: Space.Stem(widths: [16, 20, 24], stride: 1),
      stages: [
        Space.Stage(
          widths: [16, 20, 24],
          depths: [1, 2],
          firstExpansions: [1, 2],
          expansions: [1, 2, 3]
        ),
        stage([24, 32, 40, 48], [1, 2, 3, 4], [3, 4, 5, 6], [2, 3, 4]),
        stage([48, 64, 80, 96], [1, 2, 3, 4], [3, 4, 5, 6], [2, 3, 4]),
        stage([96, 112, 128, 160], [1, 2, 3], [3, 4, 5, 6], [2, 3, 4]),
      ],
      head: Space.Head(expansion: 0, width: 256)
    )
    space.resolutions = [24, 28, 32]
    var it = JointConfiguration(
      preset: "fbnet-v3-cifar",
      data: TrainingConfiguration.Images(source: "cifar10:cifar-10-batches-bin", resolution: 32),
      space: space,
      ranges: smallRanges,
      recipe: Recipe()
    )
    it.search.explore = 0.25
    it.recipe.epochs = 20
    it.recipe.shift = 4
    it.recipe.flip = true
    return it
  }

  /// A stage whose squeeze-and-excite and activation are chosen too.
  private static func stage(
    _ widths: [Int],
    _ depths: [Int],
    _ first: [Double],
    _ rest: [Double]
  ) -> Space.Stage {
    Space.Stage(
      widths: widths,
      depths: depths,
      stride: 2,
      firstExpansions: first,
      expansions: rest,
      squeeze: [.none, .se],
      activations: [.relu, .hswish]
    )
  }

  /// Recipes for trainings of some dozen epochs; ours.
  private static var smallRanges: Ranges {
    var it = Ranges()
    it.optimisers = Recipe.Optimiser.allCases
    it.learningRates = [0.0005, 0.001, 0.002, 0.004, 0.008, 0.016]
    // On small images the best rates of the two optimisers were measured to lie so far apart.
    it.sgdFactor = 24
    it.weightDecays = [1e-5, 1e-4, 1e-3]
    it.mixups = [0, 0.1, 0.2, 0.4]
    it.dropouts = [0, 0.1, 0.2, 0.3]
    it.dropPaths = [0, 0.1, 0.2]
    it.emas = [0, 0.98]
    return it
  }

  /// The space of FBNetV3's table 1 (spec S41); the steps of the recipe's ranges are ours, as are
  /// epochs and batch.
  private static var paper: JointConfiguration {
    func stage(
      _ widths: (Int, Int),
      by step: Int = 4,
      _ depths: ClosedRange<Int>,
      stride: Int,
      squeeze: Bool
    ) -> Space.Stage {
      Space.Stage(
        widths: Array(Swift.stride(from: widths.0, through: widths.1, by: step)),
        depths: Array(depths),
        stride: stride,
        firstExpansions: [4, 5, 6, 7],
        expansions: [2, 3, 4, 5],
        squeeze: [squeeze ? .se : .none]
      )
    }
    var space = Space(
      stem: Space.Stem(widths: [16, 18, 20, 22, 24], stride: 2),
      stages: [
        Space.Stage(
          widths: [16, 18, 20, 22, 24],
          depths: [1, 2, 3, 4],
          firstExpansions: [1],
          expansions: [1]
        ),
        stage((20, 32), 4...7, stride: 2, squeeze: false),
        stage((24, 48), 4...7, stride: 2, squeeze: true),
        stage((56, 84), 4...8, stride: 2, squeeze: false),
        stage((96, 144), 6...10, stride: 1, squeeze: true),
        stage((180, 224), 5...9, stride: 2, squeeze: true),
        Space.Stage(widths: [], firstExpansions: [6], squeeze: [.se]),
      ],
      head: Space.Head(expansion: 6, width: 1984)
    )
    space.resolutions = Array(stride(from: 224, through: 272, by: 8))
    var ranges = Ranges()
    func steps(_ low: Int, _ high: Int, by step: Int, of unit: Double) -> [Double] {
      stride(from: low, through: high, by: step).map { Double($0) / unit }
    }
    ranges.optimisers = Recipe.Optimiser.allCases
    ranges.learningRates = steps(20, 30, by: 1, of: 1000)
    ranges.weightDecays = steps(7, 21, by: 1, of: 1_000_000)
    ranges.mixups = steps(0, 41, by: 2, of: 100)
    ranges.dropouts = steps(1, 31, by: 2, of: 100)
    ranges.dropPaths = steps(1, 31, by: 2, of: 100)
    ranges.emas = [0, 0.9999]
    var it = JointConfiguration(
      preset: "fbnet-v3",
      data: TrainingConfiguration.Images(source: "imagenet", resolution: 272),
      space: space,
      ranges: ranges,
      recipe: Recipe()
    )
    it.recipe.epochs = 150
    it.recipe.batch = 256
    it.recipe.warmupEpochs = 5
    it.recipe.shift = 16
    it.recipe.flip = true
    it.search.candidates = 48
    it.search.explore = 0.25
    return it
  }
}
