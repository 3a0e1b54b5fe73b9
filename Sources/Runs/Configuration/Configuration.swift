import Foundation

#if canImport(Glibc)
  import Glibc
#endif

/// Everything a search is made of; a run's `config.yaml` is this, complete (spec S2–S10).
package struct Configuration: Codable, Sendable, Equatable {
  /// Name of the preset that the settings started from.
  package var preset: String
  /// Seed of every random number (spec S121).
  package var seed: UInt64
  /// Worker threads; 0 means one for each core.
  package var threads: Int
  /// Parts of a batch that are steps of their own, and whose gradients are added (spec S103).
  package var shards: Int
  /// How activations are kept between the two passes of a step.
  package var precision: Precision
  /// Whether the widest activations are computed again in the backward pass instead of kept.
  package var recompute: Bool
  /// What to train on.
  package var data: DataSettings
  /// What is searched (spec S2, S3).
  package var space: Space
  /// How it is searched (spec S5, S9).
  package var search: SearchSettings
  /// What the network that is found may cost (spec S8).
  package var budget: Budget
  /// Where the latencies of its parts come from (spec S7).
  package var latency: LatencySettings
  /// How the weights are trained (spec S9).
  package var weights: WeightSettings
  /// How θ is trained (spec S9).
  package var theta: ThetaSettings
  /// The annealing of τ (spec S10).
  package var temperature: TemperatureSchedule
  /// How cross-entropy and cost are joined (spec S8).
  package var loss: LossSettings

  /// How activations are kept between the two passes of a step.
  package enum Precision: String, Codable, Sendable, CaseIterable {
    case float32
    /// Half the memory and traffic of the widest ones, three digits.
    case bf16Activations = "bf16-activations"
  }

  /// What to train on.
  package struct DataSettings: Codable, Sendable, Equatable {
    /// `digits`, a folder, or `cifar10:FOLDER`.
    package var source: String
    /// Side of the square images fed to the network, pixels.
    package var resolution: Int
    /// Largest shift of the random crop, pixels (zero-padded); 0 turns it off.
    package var shift: Int
    /// Random horizontal flip.
    package var flip: Bool
    /// Count undecodable images and continue instead of stopping.
    package var skipBadImages: Bool
    /// Folder for the packed images; empty means the user's cache folder.
    package var cache: String

    enum CodingKeys: String, CodingKey {
      case source, resolution, shift, flip, cache
      case skipBadImages = "skip_bad_images"
    }
  }

  /// The fixed frame of the network and the candidates (spec S2, S3).
  package struct Space: Codable, Sendable, Equatable {
    /// The first convolution.
    package var stem: Stem
    /// The searched layers, from the input on.
    package var stages: [Stage]
    /// Width of the last 1×1 convolution.
    package var head: Int
    /// What every layer chooses from, in the order of the logits.
    package var candidates: [Candidate]
    /// The masked blocks that are searched instead of `stages` and `candidates`; nil for FBNetV1.
    package var masked: Masked?

    package init(
      stem: Stem,
      stages: [Stage] = [],
      head: Int,
      candidates: [Candidate] = [],
      masked: Masked? = nil
    ) {
      self.stem = stem
      self.stages = stages
      self.head = head
      self.candidates = candidates
      self.masked = masked
    }

    /// Reads a space; one of masked blocks has no other stages.
    package init(from decoder: any Decoder) throws {
      let keys = try decoder.container(keyedBy: CodingKeys.self)
      stem = try keys.decode(Stem.self, forKey: .stem)
      head = try keys.decode(Int.self, forKey: .head)
      masked = try keys.decodeIfPresent(Masked.self, forKey: .masked)
      let isMasked = masked != nil
      stages = isMasked ? [] : try keys.decode([Stage].self, forKey: .stages)
      candidates = isMasked ? [] : try keys.decode([Candidate].self, forKey: .candidates)
    }

    /// Writes what the space is made of.
    package func encode(to encoder: any Encoder) throws {
      var keys = encoder.container(keyedBy: CodingKeys.self)
      try keys.encode(stem, forKey: .stem)
      try keys.encode(head, forKey: .head)
      if let masked {
        try keys.encode(masked, forKey: .masked)
      } else {
        try keys.encode(stages, forKey: .stages)
        try keys.encode(candidates, forKey: .candidates)
      }
    }

    private enum CodingKeys: String, CodingKey { case stem, stages, head, candidates, masked }

    /// The fixed first convolution, 3×3.
    package struct Stem: Codable, Sendable, Equatable {
      /// Output channels.
      package var width: Int
      /// Step, both ways.
      package var stride: Int

      package init(width: Int, stride: Int) {
        self.width = width
        self.stride = stride
      }
    }

    /// `depth` searched layers of one width; the first has `stride`.
    package struct Stage: Codable, Sendable, Equatable {
      /// Output channels.
      package var width: Int
      /// Searched layers.
      package var depth: Int
      /// 1 or 2, of the first layer.
      package var stride: Int

      package init(width: Int, depth: Int, stride: Int) {
        self.width = width
        self.depth = depth
        self.stride = stride
      }
    }

    /// One candidate block: an inverted residual, or `skip`.
    package struct Candidate: Codable, Sendable, Equatable {
      /// What follows the first two convolutions.
      package enum Activation: String, Codable, Sendable, CaseIterable { case relu, hswish }

      /// Unique in the list.
      package var name: String
      /// Depthwise kernel side; 0 for `skip`.
      package var kernel: Int
      /// Hidden width over input width; 0 for `skip`.
      package var expansion: Double
      /// Groups of the two 1×1 convolutions.
      package var groups: Int
      /// After the expansion and the depthwise convolution.
      package var activation: Activation

      /// Whether this passes its input on (spec S3).
      package var isSkip: Bool { kernel == 0 }

      package init(
        name: String,
        kernel: Int,
        expansion: Double,
        groups: Int = 1,
        activation: Activation = .relu
      ) {
        self.name = name
        self.kernel = kernel
        self.expansion = expansion
        self.groups = groups
        self.activation = activation
      }

      /// The candidate that a name of FBNetV1 stands for: `k5_e3`, `k3_e1_g2`, `skip` (spec S3);
      /// nil for any other name.
      package init?(named name: String) {
        if name == "skip" {
          self.init(name: name, kernel: 0, expansion: 0)
          return
        }
        guard let match = name.wholeMatch(of: /k(\d+)_e(\d+(?:\.\d+)?)(?:_g(\d+))?/),
          let kernel = Int(match.1), kernel > 0, let expansion = Double(match.2), expansion > 0
        else { return nil }
        self.init(
          name: name,
          kernel: kernel,
          expansion: expansion,
          groups: match.3.flatMap { Int($0) } ?? 1
        )
      }

      /// Width between the two 1×1 convolutions of a block with `width` input channels.
      package func middleWidth(from width: Int) -> Int {
        Int((Double(width) * expansion).rounded())
      }
    }
  }

  /// The search itself (spec S5, S9).
  package struct SearchSettings: Codable, Sendable, Equatable {
    /// What shares one Gumbel sample.
    package enum Sampling: String, Codable, Sendable, CaseIterable { case batch, sample }
    /// What a network costs.
    package typealias Cost = CostMetric
    /// How the network is found.
    package enum Algorithm: String, Codable, Sendable, CaseIterable {
      /// By the gradient of θ (spec S4–S10).
      case dnas
      /// By sampling networks at random and evaluating them (spec S12).
      case random
    }

    /// How the network is found.
    package var algorithm: Algorithm
    /// Passes over the training images.
    package var epochs: Int
    /// Images of a step.
    package var batch: Int
    /// Epochs of weight training before θ moves.
    package var warmupEpochs: Int
    /// Share of the training images kept for θ.
    package var thetaShare: Double
    /// Share of the training images kept for validation.
    package var validationShare: Double
    /// One Gumbel sample per layer per batch, or one per image.
    package var sampling: Sampling
    /// Straight-through hard choice instead of the soft mixture.
    package var hard: Bool
    /// Candidates of a step on the weights.
    package var paths: Paths
    /// How many are drawn.
    package var drawnPaths: Int
    /// Candidates of a step on θ.
    package var thetaPaths: ThetaPaths
    /// Probability below which a candidate is banned in the end; 0 bans none.
    package var pruneBelow: Double
    /// Epochs that a candidate has to stay below it.
    package var pruneAfter: Int
    /// Metric of the cost.
    package var cost: Cost
    /// Images for batch-norm recalibration before a validation.
    package var recalibrationImages: Int
    /// Networks that a random search samples and evaluates.
    package var randomNetworks: Int
    /// Fixed networks whose ranking by the supernet is followed.
    package var rankedNetworks: Int

    enum CodingKeys: String, CodingKey {
      case algorithm, epochs, batch, sampling, hard, paths, cost
      case drawnPaths = "drawn_paths"
      case thetaPaths = "theta_paths"
      case pruneBelow = "prune_below"
      case pruneAfter = "prune_after"
      case randomNetworks = "random_networks"
      case rankedNetworks = "ranked_networks"
      case warmupEpochs = "warmup_epochs"
      case thetaShare = "theta_share"
      case validationShare = "validation_share"
      case recalibrationImages = "recalibration_images"
    }
  }

  /// SGD on the weights with a cosine schedule (spec S9).
  package struct WeightSettings: Codable, Sendable, Equatable {
    /// At the start of the cosine.
    package var learningRate: Double
    /// 0 up to, but without, 1.
    package var momentum: Double
    /// Added to the gradient, times the weight.
    package var weightDecay: Double
    /// How the first weights are sampled.
    package var firstValues: FirstValues
    /// How the candidates of a layer start.
    package var candidateValues: CandidateValues
    /// Share of the target spread over all classes.
    package var labelSmoothing: Double

    enum CodingKeys: String, CodingKey {
      case momentum
      case firstValues = "first_values"
      case candidateValues = "candidate_values"
      case learningRate = "learning_rate"
      case weightDecay = "weight_decay"
      case labelSmoothing = "label_smoothing"
    }
  }

  /// Adam on the architecture parameters (spec S9).
  package struct ThetaSettings: Codable, Sendable, Equatable {
    /// First value of every θ.
    package enum Initial: String, Codable, Sendable, CaseIterable {
      /// 1/n each, 0 each or 1 each.
      case uniform, zero, one
    }

    /// Constant over the run.
    package var learningRate: ThetaRate
    /// Decay of the mean of the gradients.
    package var beta1: Double
    /// Decay of the mean of their squares.
    package var beta2: Double
    /// Added to the gradient, times θ.
    package var weightDecay: Double
    /// First value of every θ.
    package var initial: Initial

    enum CodingKeys: String, CodingKey {
      case beta1, beta2, initial
      case learningRate = "learning_rate"
      case weightDecay = "weight_decay"
    }
  }

  /// Loss form (spec S8).
  package struct LossSettings: Codable, Sendable, Equatable {
    /// The ways to join cross-entropy and cost; the last two hold a budget.
    package enum Form: String, Codable, Sendable, CaseIterable {
      case log, paper, additive
      /// From both sides.
      case target
      /// From above alone.
      case limit

      /// Whether the form holds a budget.
      package var needsBudget: Bool { self == .target || self == .limit }
    }

    /// What weighs the cost under a budget.
    package enum Multiplier: String, Codable, Sendable, CaseIterable {
      /// Dual ascent on expected cost / budget, from alpha on.
      case learned
      /// Alpha, all the time.
      case fixed
    }

    /// Which way.
    package var form: Form
    /// Whether the weight of the cost is learned where there is a budget.
    package var multiplier: Multiplier
    /// Factor of the cost, above 0; where the multiplier is learned, its first value.
    package var alpha: Double
    /// Exponent of the cost, above 0.
    package var beta: Double
    /// Half-width of the free band round the budget, as a share of it; a limit has none below it.
    package var band: Double

    /// Whether the form holds a budget.
    package var needsBudget: Bool { form.needsBudget }
  }
}

/// Temperature τ of the Gumbel softmax over the epochs (spec S10).
package struct TemperatureSchedule: Codable, Sendable, Equatable {
  /// Shape of the curve.
  package enum Form: String, Codable, Sendable, CaseIterable {
    case exponential, linear, cosine, constant
  }

  /// Shape of the curve.
  package var form: Form
  /// Value at epoch 0, above 0.
  package var start: Double
  /// Exponent per epoch of the exponential form: τ = start · exp(−rate · epoch).
  package var rate: Double
  /// Value at the last epoch of the linear and cosine forms; floor of the exponential one.
  package var end: Double

  package init(form: Form, start: Double, rate: Double, end: Double) {
    self.form = form
    self.start = start
    self.rate = rate
    self.end = end
  }

  /// τ during `epoch` (counted from 0) of `epochs`.
  package func value(epoch: Int, of epochs: Int) -> Double {
    let share = epochs > 1 ? min(1, Double(epoch) / Double(epochs - 1)) : 0
    return switch form {
    case .exponential: max(end, start * exp(-rate * Double(epoch)))
    case .linear: start + (end - start) * share
    case .cosine: end + (start - end) * 0.5 * (1 + cos(.pi * share))
    case .constant: start
    }
  }
}
