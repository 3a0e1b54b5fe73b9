extension JointConfiguration: KeyedSettings {
  private typealias J = JointConfiguration

  /// Always a joint search.
  package var kind: RunKind? { .joint }

  /// Every key, in the order in which a file is written; those that other settings have too are the
  /// same.
  static let keys: KeyTable = {
    func shared(_ path: String) -> ConfigurationKey? { Configuration.keys.at(path) }
    let recipe = Recipe.keys.all.map {
      ConfigurationKey("recipe." + $0.path, $0.kind, $0.meaning)
    }
    return KeyTable(
      all: [.runKind, .init("preset", .word(J.presetNames), "Settings that these start from.")]
        + [
          "seed", "threads", "precision", "recompute", "data", "data.source", "data.resolution",
          "data.skip_bad_images", "data.cache",
        ].compactMap(shared)
        + spaceKeys + rangeKeys
        + [
          .init(
            "recipe",
            .section,
            "How candidates are trained where ranges has no options: keys of a recipe."
          )
        ]
        + recipe
        + [
          .init("budget", .section, "What every candidate keeps, all limits at once."),
          .init(
            "budget.flops",
            .number(.notNegative),
            "Multiply-accumulates for one image; 0 for none."
          ),
          .init("budget.params", .number(.notNegative), "Weights; 0 for none."),
          .init("budget.latency", .number(.notNegative), "Milliseconds for one image; 0 for none."),
        ]
        + ["latency", "latency.table", "latency.threads"].compactMap(shared)
        + searchKeys + predictorKeys + fineKeys
    )
  }()

  private static let spaceKeys: [ConfigurationKey] = [
    .init("space", .section, "The architectures that are searched; a list of one is no choice."),
    .init(
      "space.resolutions",
      ConfigurationKey.ascending(from: 4, mayBeEmpty: true),
      "Sides of the images, pixels; [] for data.resolution."
    ),
    .init("space.stem", .section, "The first convolution, 3x3."),
    .init("space.stem.widths", ConfigurationKey.ascending(from: 1), "Channels of the stem."),
    .init("space.stem.stride", .integer(1...8), "Stride of the stem."),
    .init("space.stem.activation", activation, "Activation of the stem."),
    .init("space.stages", .list, "Stages of inverted residuals."),
    .init(
      "space.stages[].widths",
      ConfigurationKey.ascending(from: 1, mayBeEmpty: true),
      "Output channels; [] for those of the stage before."
    ),
    .init(
      "space.stages[].depths",
      ConfigurationKey.ascending(from: 1),
      "Numbers of blocks.",
      isOptional: true
    ),
    .init(
      "space.stages[].stride",
      .integer(1...8),
      "Stride of the first block.",
      isOptional: true
    ),
    .init(
      "space.stages[].kernels",
      ConfigurationKey.ascending(from: 1),
      "Odd sides of the depthwise kernel, of the first block and of the others apart.",
      isOptional: true
    ),
    .init(
      "space.stages[].first_expansions",
      expansions(mayBeEmpty: false),
      "Middle width over input width of the first block."
    ),
    .init(
      "space.stages[].expansions",
      expansions(mayBeEmpty: true),
      "The same of the other blocks; [] for those of the first.",
      isOptional: true
    ),
    .init(
      "space.stages[].squeeze",
      ConfigurationKey.listed(Configuration.Space.Masked.Squeeze.self),
      "Squeeze-and-excite of the stage: without, with, or both to choose from.",
      isOptional: true
    ),
    .init(
      "space.stages[].activations",
      ConfigurationKey.listed(Configuration.Space.Candidate.Activation.self),
      "Activations of the stage.",
      isOptional: true
    ),
    .init("space.head", .section, "What follows the stages."),
    .init(
      "space.head.expansion",
      .number(.init(low: 0, high: 64)),
      "Channels before the mean over those of the last stage; 0: the last convolution precedes it."
    ),
    .init("space.head.width", .integer(1...65536), "Channels of the last 1x1 convolution."),
    .init("space.head.activation", activation, "Activation of its convolutions."),
    .init(
      "space.divisor",
      .integer(1...256),
      "What the widths inside a block are rounded to multiples of."
    ),
  ]

  private static let activation = ConfigurationKey.words(
    Configuration.Space.Candidate.Activation.self
  )

  private static func expansions(mayBeEmpty: Bool) -> ConfigurationKey.Kind {
    .numbers(.init(low: 0, lowOpen: true, high: 64), areWhole: false, mayBeEmpty: mayBeEmpty)
  }

  private static let rangeKeys: [ConfigurationKey] = [
    .init(
      "ranges",
      .section,
      "The recipes that are searched; an empty list leaves a setting to recipe."
    ),
    .init(
      "ranges.optimisers",
      .words(Recipe.Optimiser.allCases.map(\.rawValue), mayBeEmpty: true),
      "What turns gradients into steps."
    ),
    .init(
      "ranges.learning_rates",
      numbers(.positive),
      "Learning rates of RMSProp at the end of the warm-up."
    ),
    .init(
      "ranges.sgd_factor",
      .number(.positive),
      "Learning rate of SGD over that of RMSProp; 4 is the paper's."
    ),
    .init("ranges.weight_decays", numbers(.notNegative), "Weight decays."),
    .init("ranges.mixups", numbers(.notNegative), "Alphas of mixup, 0 for none."),
    .init("ranges.dropouts", numbers(.belowOne), "Shares of dropout before the classifier."),
    .init("ranges.drop_paths", numbers(.belowOne), "Shares of stochastic depth."),
    .init(
      "ranges.emas",
      numbers(.belowOne),
      "Decays of the moving average of the weights, 0 for none."
    ),
  ]

  private static func numbers(_ bounds: ConfigurationKey.Bounds) -> ConfigurationKey.Kind {
    .numbers(bounds, areWhole: false, mayBeEmpty: true)
  }

  private static let searchKeys: [ConfigurationKey] = [
    .init("search", .section, "The coarse stage: rounds of candidates that are trained."),
    .init(
      "search.algorithm",
      ConfigurationKey.words(Search.Algorithm.self),
      "joint, or a baseline: random, architecture (with one recipe), recipe (of one network)."
    ),
    .init("search.rounds", .integer(1...1000), "Rounds; ours."),
    .init("search.candidates", .integer(2...10_000), "Candidates trained in a round; ours."),
    .init(
      "search.explore",
      .number(.belowOne),
      "Share of a later round that is spread over the space instead of picked; ours."
    ),
    .init(
      "search.pool",
      .integer(10...10_000_000),
      "Sobol points that a round picks from; 20000 as recalled from the paper."
    ),
    .init(
      "search.early_signal",
      ConfigurationKey.words(Search.EarlySignal.self),
      "What ranks candidates that stop early: accuracy, or loss_sum (sum of the training losses)."
    ),
    .init(
      "search.rank_correlation",
      .number(.init(low: 0, lowOpen: true, high: 1)),
      "Candidates stop at the first epoch whose ranks agree so well with the last one's."
    ),
    .init(
      "search.parallel",
      .integer(0...1024),
      "Candidates trained at once; 0 means one for each core."
    ),
  ]

  private static let predictorKeys: [ConfigurationKey] = [
    .init("predictor", .section, "What predicts the accuracy of a candidate; all values ours."),
    .init(
      "predictor.encoding",
      ConfigurationKey.words(Predictor.Encoding.self),
      "one_hot, or integer: one number from 0 to 1 for a choice of sizes."
    ),
    .init("predictor.hidden", .integer(1...4096), "Width of the encoder's hidden layer."),
    .init("predictor.embedding", .integer(1...4096), "Width of the embedding."),
    .init("predictor.head", .integer(1...4096), "Width of the accuracy head's hidden layer."),
    .init(
      "predictor.loss",
      ConfigurationKey.words(Predictor.Loss.self),
      "huber (the paper's), or ranking: the logistic loss of pairs in the wrong order."
    ),
    .init(
      "predictor.huber_delta",
      .number(.positive),
      "Where Huber's loss turns to a line, in standard deviations of the accuracies."
    ),
    .init("predictor.costs", .flag, "Whether the accuracy head is given FLOPs and params too."),
    .init(
      "predictor.pretraining",
      .flag,
      "Whether the encoder is pretrained on the costs of the pool's architectures."
    ),
    .init("predictor.pretraining_epochs", .integer(1...10_000), "Passes of the pretraining."),
    .init(
      "predictor.frozen_epochs",
      .integer(0...10_000),
      "Passes over the results with a frozen encoder; 50 is the paper's."
    ),
    .init(
      "predictor.epochs",
      .integer(0...10_000),
      "Passes with everything at a falling learning rate; 50 is the paper's."
    ),
    .init("predictor.learning_rate", .number(.positive), "Learning rate of Adam."),
    .init("predictor.weight_decay", .number(.notNegative), "Weight decay."),
    .init(
      "predictor.ensemble",
      .integer(1...100),
      "Predictors from different first values, whose mean predicts."
    ),
  ]

  private static let fineKeys: [ConfigurationKey] = [
    .init("fine", .section, "The genetic search by predicted accuracy that ends the run; ours."),
    .init("fine.parents", .integer(1...10_000), "Best candidates that have children."),
    .init("fine.strangers", .integer(0...10_000), "Random candidates of the first generation."),
    .init("fine.children", .integer(1...1000), "Children of a parent, at first."),
    .init(
      "fine.crossover",
      .number(.init(low: 0, high: 1)),
      "Share of the children that two parents have together."
    ),
    .init(
      "fine.gain",
      .number(.notNegative),
      "Predicted accuracy that the best must gain; 1e-6 as recalled from the paper."
    ),
    .init(
      "fine.patience",
      .integer(1...1000),
      "Generations without that gain that end the search."
    ),
    .init("fine.generations", .integer(1...100_000), "Generations at most."),
    .init("fine.candidates", .integer(0...1000), "Candidates of the fine stage that are trained."),
  ]
}
