/// One key of the configuration: its place, what it may hold and what it means.
///
/// A list of them is behind `config --explain`, the checks of a user's file, the order of a written
/// file and the nearest-key hint. `[]` in a path stands for each item of a list.
struct ConfigurationKey: Sendable {
  /// What a key may hold.
  enum Kind: Sendable {
    case section, list
    case integer(ClosedRange<Int>)
    /// 0, or an odd number up to the bound: the sides of a depthwise kernel.
    case kernel(Int)
    case seed
    case number(Bounds)
    /// A number, or a word that leaves it to the program.
    case numberOr(String, Bounds)
    case flag
    case text(mayBeEmpty: Bool)
    case word([String])
    /// A list of numbers, each in the bounds and above the one before; whole ones alone, or any.
    case numbers(Bounds, areWhole: Bool, mayBeEmpty: Bool)
    /// A list of words, none twice.
    case words([String], mayBeEmpty: Bool = false)
  }

  /// An interval of real numbers; `open` ends do not belong to it.
  struct Bounds: Sendable {
    var low: Double
    var lowOpen = false
    var high = Double.infinity
    var highOpen = false

    static let positive = Bounds(low: 0, lowOpen: true)
    static let notNegative = Bounds(low: 0)
    /// 0 and up to, but without, 1.
    static let belowOne = Bounds(low: 0, high: 1, highOpen: true)

    func contains(_ value: Double) -> Bool {
      value.isFinite && (lowOpen ? value > low : value >= low)
        && (highOpen ? value < high : value <= high)
    }
  }

  let path: String
  let kind: Kind
  let meaning: String
  /// Whether an item of a list may leave it out.
  let isOptional: Bool

  init(_ path: String, _ kind: Kind, _ meaning: String, isOptional: Bool = false) {
    self.path = path
    self.kind = kind
    self.meaning = meaning
    self.isOptional = isOptional
  }

  /// Path without the section: `batch` of `search.batch`.
  var name: String { path.split(separator: ".").last.map(String.init) ?? path }
  /// Path of the section or list item that holds this key; empty at the top.
  var parent: String { path.split(separator: ".").dropLast().joined(separator: ".") }
  /// Whether the key holds a value of its own.
  var isLeaf: Bool {
    switch kind {
    case .section, .list: false
    default: true
    }
  }
  /// Whether the key is inside a list.
  var isInList: Bool { path.contains("[]") }

  /// What the words of `FirstValues` mean.
  static let firstValues =
    "KxK filters start at deviation sqrt(2/F) with F = K*K*outputs/groups, or F = K*K*outputs."

  /// The key that says at the top of a file what kind of run it describes.
  static let runKind = ConfigurationKey(
    "kind",
    words(RunKind.self),
    "Kind of the run; it follows from the other keys and may be left out."
  )

  /// The kind of a key that holds one of a type's cases.
  static func words<T: CaseIterable & RawRepresentable>(_: T.Type) -> Kind
  where T.RawValue == String { .word(T.allCases.map(\.rawValue)) }

  /// The kind of a key that holds a list of a type's cases.
  static func listed<T: CaseIterable & RawRepresentable>(_: T.Type) -> Kind
  where T.RawValue == String { .words(T.allCases.map(\.rawValue)) }

  /// The kind of a key that holds ascending widths or sizes.
  static func ascending(from least: Int, mayBeEmpty: Bool = false) -> Kind {
    .numbers(
      Bounds(low: Double(least), high: 65536),
      areWhole: true,
      mayBeEmpty: mayBeEmpty
    )
  }
}

extension Configuration: KeyedSettings {
  private typealias C = Configuration

  /// A search by gradients or at random, as `search.algorithm` says.
  package var kind: RunKind? { search.algorithm == .random ? .random : .search }

  static let keys = KeyTable(all: spaceKeys + maskedKeys + searchKeys)

  /// What comes before the space of masked blocks.
  private static let spaceKeys: [ConfigurationKey] = [
    .runKind,
    .init("preset", .word(C.presetNames), "Settings that this configuration starts from."),
    .init("seed", .seed, "Seed of every random number; the same seed gives the same bits."),
    .init("threads", .integer(0...1024), "Worker threads; 0 means one for each core."),
    .init(
      "shards",
      .integer(1...1024),
      "Parts of a batch with batch-norm statistics of their own, which processes can share."
    ),
    .init(
      "precision",
      ConfigurationKey.words(C.Precision.self),
      "How activations are kept for the backward pass; arithmetic is always float32."
    ),
    .init("recompute", .flag, "Compute wide activations again in the backward pass: less memory."),

    .init("data", .section, "What to train on."),
    .init(
      "data.source",
      .text(mayBeEmpty: false),
      "The built-in digits, a folder of train/CLASS/*.jpg|png or of CLASS, or cifar10:FOLDER."
    ),
    .init("data.resolution", .integer(4...1024), "Side of the square images, pixels."),
    .init(
      "data.shift",
      .integer(0...4096),
      "Largest shift of the random crop, pixels; 0 for none."
    ),
    .init("data.flip", .flag, "Mirror half of the training images left to right."),
    .init("data.skip_bad_images", .flag, "Count images that cannot be decoded and continue."),
    .init(
      "data.cache",
      .text(mayBeEmpty: true),
      "Folder for the packed images; empty means the user's cache folder."
    ),

    .init("space", .section, "The networks that are searched: fixed outside, chosen inside."),
    .init("space.stem", .section, "The fixed first convolution, 3x3."),
    .init("space.stem.width", .integer(1...65536), "Channels of the stem."),
    .init("space.stem.stride", .integer(1...8), "Stride of the stem."),
    .init("space.stages", .list, "Stages; all searched layers of a stage have one width."),
    .init("space.stages[].width", .integer(1...65536), "Output channels of the layers."),
    .init("space.stages[].depth", .integer(1...1000), "Number of searched layers."),
    .init("space.stages[].stride", .integer(1...2), "Stride of the first layer."),
    .init("space.head", .integer(1...65536), "Channels of the last 1x1 convolution."),
    .init(
      "space.candidates",
      .list,
      "Blocks that each layer chooses from; an item may be a name such as k3_e6 or skip."
    ),
    .init("space.candidates[].name", .text(mayBeEmpty: false), "Name of the block, used once."),
    .init("space.candidates[].kernel", .kernel(31), "Depthwise kernel side; 0 for skip."),
    .init(
      "space.candidates[].expansion",
      .number(.init(low: 0, high: 64)),
      "Hidden width over input width; 0 for skip."
    ),
    .init("space.candidates[].groups", .integer(1...1024), "Groups of the 1x1 convolutions."),
    .init(
      "space.candidates[].activation",
      ConfigurationKey.words(C.Space.Candidate.Activation.self),
      "Activation."
    ),
  ]

  /// What comes behind it.
  private static let searchKeys: [ConfigurationKey] = [
    .init("search", .section, "The search itself."),
    .init(
      "search.algorithm",
      ConfigurationKey.words(C.SearchSettings.Algorithm.self),
      "dnas: by the gradient of theta; random: theta is frozen, networks are sampled."
    ),
    .init("search.epochs", .integer(1...1_000_000), "Passes over the training images."),
    .init("search.batch", .integer(1...65536), "Images of a step."),
    .init(
      "search.warmup_epochs",
      .integer(0...1_000_000),
      "Epochs of weight training before theta moves; scaled with epochs unless given."
    ),
    .init(
      "search.theta_share",
      .number(.init(low: 0, lowOpen: true, high: 1, highOpen: true)),
      "Share of the training images kept for theta."
    ),
    .init(
      "search.validation_share",
      .number(.init(low: 0, lowOpen: true, high: 1, highOpen: true)),
      "Share of the training images kept for validation; curves, ranking and decisions use it."
    ),
    .init(
      "search.sampling",
      ConfigurationKey.words(C.SearchSettings.Sampling.self),
      "One Gumbel sample a layer for the whole batch, or one for each image."
    ),
    .init("search.hard", .flag, "Straight-through hard choice instead of the soft mixture."),
    .init(
      "search.paths",
      ConfigurationKey.words(C.SearchSettings.Paths.self),
      "Candidates of a layer in a step on the weights: all, or some that are drawn."
    ),
    .init(
      "search.drawn_paths",
      .integer(1...1000),
      "Candidates that are drawn: evenly in the warm-up, then by softmax(theta)."
    ),
    .init(
      "search.theta_paths",
      ConfigurationKey.words(C.SearchSettings.ThetaPaths.self),
      "Candidates of a layer in a step on theta: all, or two that are drawn."
    ),
    .init(
      "search.prune_below",
      .number(.init(low: 0, high: 1, highOpen: true)),
      "Bans candidates whose probability stays below it; 0 bans none."
    ),
    .init(
      "search.prune_after",
      .integer(1...1_000_000),
      "Epochs that a candidate's probability has to stay below search.prune_below."
    ),
    .init(
      "search.cost",
      ConfigurationKey.words(C.SearchSettings.Cost.self),
      "The cost of a network; by default what the budget limits."
    ),
    .init(
      "search.recalibration_images",
      .integer(1...1_000_000_000),
      "Images that give new batch-norm statistics before an evaluation."
    ),
    .init(
      "search.random_networks",
      .integer(1...1_000_000),
      "Networks that a random search samples and evaluates on the validation images."
    ),
    .init(
      "search.ranked_networks",
      .integer(0...1000),
      "Fixed networks that the supernet ranks up to six times, to show how reliable it is."
    ),

    .init(
      "budget",
      .section,
      "The cost the network may have: one of these; search.cost and loss.form follow unless given."
    ),
    .init("budget.latency", .number(.notNegative), "Milliseconds for one image; 0 for none."),
    .init(
      "budget.flops",
      .number(.notNegative),
      "Multiply-accumulates for one image; 0 for none."
    ),
    .init("budget.params", .number(.notNegative), "Weights; 0 for none."),

    .init("latency", .section, "Where the latencies of the blocks come from."),
    .init(
      "latency.table",
      .text(mayBeEmpty: true),
      "Latency table (supertop latency); empty: measured on this machine on first use."
    ),
    .init(
      "latency.threads",
      .integer(0...1024),
      "Threads of a network that is timed on this machine; 0 means one for each core."
    ),

    .init("weights", .section, "SGD on the weights, cosine schedule."),
    .init("weights.learning_rate", .number(.positive), "Learning rate at the start."),
    .init("weights.momentum", .number(.belowOne), "Momentum."),
    .init(
      "weights.weight_decay",
      .number(.notNegative),
      "Weight decay; biases and batch-norms have none."
    ),
    .init(
      "weights.first_values",
      ConfigurationKey.words(FirstValues.self),
      ConfigurationKey.firstValues
    ),
    .init(
      "weights.candidate_values",
      ConfigurationKey.words(CandidateValues.self),
      "First values of a layer's candidates: of their own, or slices of one block."
    ),
    .init("weights.label_smoothing", .number(.belowOne), "Label smoothing of the cross-entropy."),

    .init("theta", .section, "Adam on the architecture parameters."),
    .init(
      "theta.learning_rate",
      .numberOr(ThetaRate.word, .positive),
      "Learning rate; auto: 24 / steps on theta, but no less than 0.01 and no more than 0.3."
    ),
    .init("theta.beta1", .number(.belowOne), "Decay of the mean of the gradients."),
    .init("theta.beta2", .number(.belowOne), "Decay of the mean of their squares."),
    .init("theta.weight_decay", .number(.notNegative), "Weight decay."),
    .init(
      "theta.initial",
      ConfigurationKey.words(C.ThetaSettings.Initial.self),
      "Initial value of every theta: uniform is 1/n for n candidates."
    ),

    .init("temperature", .section, "Temperature of the Gumbel softmax over the epochs."),
    .init(
      "temperature.form",
      ConfigurationKey.words(TemperatureSchedule.Form.self),
      "Shape of the schedule."
    ),
    .init("temperature.start", .number(.positive), "Temperature of the first epoch."),
    .init(
      "temperature.rate",
      .number(.notNegative),
      "Exponential form: start * exp(-rate * epoch); scaled with epochs unless given."
    ),
    .init(
      "temperature.end",
      .number(.positive),
      "Last value of linear and cosine; floor of exponential."
    ),

    .init("loss", .section, "How cross-entropy CE and cost C are joined in one loss."),
    .init(
      "loss.form",
      ConfigurationKey.words(C.LossSettings.Form.self),
      "log: a*CE*log(C^b); paper: a*CE*log(C)^b; additive: CE + a*C^b; target or limit: the budget."
    ),
    .init(
      "loss.multiplier",
      ConfigurationKey.words(C.LossSettings.Multiplier.self),
      "Weight of the cost under a budget: learned from alpha on, or fixed at alpha."
    ),
    .init(
      "loss.alpha",
      .number(.positive),
      "Factor a; C counts thousands or us for log and paper, millions or ms for additive."
    ),
    .init("loss.beta", .number(.positive), "Exponent b of the cost; target and limit have none."),
    .init(
      "loss.band",
      .number(.belowOne),
      "Half-width of the free band around the budget, a share of it; fixed limit: above it only."
    ),
  ]
}
