/// Everything that a joint search of architecture and training recipe is made of (FBNetV3; spec
/// S40–S47); a run's `config.yaml` is this, complete.
///
/// Hardly a constant of the paper is public: unless a line says otherwise, the values are ours.
package struct JointConfiguration: Codable, Sendable, Equatable {
  /// Name of the preset that the settings started from.
  package var preset: String
  /// Seed of every random number (spec S121).
  package var seed: UInt64 = 1
  /// Worker threads; 0 means one for each core.
  package var threads = 0
  /// How activations are kept between the two passes of a step.
  package var precision = Configuration.Precision.float32
  /// Whether the widest activations are computed again in the backward pass instead of kept.
  package var recompute = false
  /// What to train on.
  package var data: TrainingConfiguration.Images
  /// The architectures that are searched (spec S41).
  package var space: Space
  /// The recipes that are searched (spec S41).
  package var ranges: Ranges
  /// What all candidates are trained by, but for the settings that `ranges` has options for.
  package var recipe: Recipe
  /// Limits that every candidate keeps, all at once (spec S40).
  package var budget = Configuration.Budget()
  /// Where latencies come from, if they are limited.
  package var latency = Configuration.LatencySettings(table: "", threads: 0)
  /// What is searched, and how many candidates are trained.
  package var search = Search()
  /// What predicts a candidate's accuracy (spec S42, S44).
  package var predictor = Predictor()
  /// The search by predicted accuracy that ends the run (spec S45).
  package var fine = Fine()

  /// The coarse stage: rounds of candidates that are trained (spec S43, S47).
  package struct Search: Codable, Sendable, Equatable {
    /// How candidates are picked.
    package enum Algorithm: String, Codable, Sendable, CaseIterable {
      /// Architecture and recipe together, by the predictor.
      case joint
      /// At random: the baseline.
      case random
      /// The architecture alone, by the predictor; every candidate has the recipe of `recipe`.
      case architecture
      /// The recipe alone, by the predictor, of one architecture.
      case recipe
    }

    /// What tells early how good a candidate will be.
    package enum EarlySignal: String, Codable, Sendable, CaseIterable {
      /// Accuracy on the validation images after the epoch.
      case accuracy
      /// Sum of the training losses up to the epoch, the less the better (Ru et al., NeurIPS 2021).
      case lossSum = "loss_sum"
    }

    /// How candidates are picked.
    package var algorithm = Algorithm.joint
    /// Rounds of the coarse stage.
    package var rounds = 4
    /// Candidates that a round trains.
    package var candidates = 16
    /// Share of a later round's candidates that are spread over the space, as the first round's
    /// are, and not picked by the predictor.
    package var explore = 0.0
    /// Points that a round picks from, and networks that the predictor is pretrained on.
    package var pool = 20_000
    /// What candidates that stop early are ranked by.
    package var earlySignal = EarlySignal.accuracy
    /// Rank correlation of early with full results that fixes the early stop (0.92 in the paper).
    package var rankCorrelation = 0.92
    /// Candidates that are trained at once; 0 means one for each core.
    package var parallel = 0

    package init() {}

    enum CodingKeys: String, CodingKey {
      case algorithm, rounds, candidates, explore, pool, parallel
      case earlySignal = "early_signal"
      case rankCorrelation = "rank_correlation"
    }
  }

  /// The accuracy predictor: a small network, several times (spec S42, S44).
  package struct Predictor: Codable, Sendable, Equatable {
    /// How a choice's option is given to the network.
    package enum Encoding: String, Codable, Sendable, CaseIterable {
      /// A number for each option, 1 for the one that is taken.
      case oneHot = "one_hot"
      /// One number from 0 to 1 for a choice of sizes, one for each option of another.
      case integer
    }

    /// What is minimised.
    package enum Loss: String, Codable, Sendable, CaseIterable {
      /// Huber's loss on the accuracies (the paper's).
      case huber
      /// The logistic loss of every pair in the wrong order.
      case ranking
    }

    /// How a choice's option is given to the network.
    package var encoding = Encoding.oneHot
    /// Width of the encoder's hidden layer.
    package var hidden = 64
    /// Width of the embedding (24 in the paper, as far as is known).
    package var embedding = 24
    /// Width of the accuracy head's hidden layer.
    package var head = 64
    /// What is minimised.
    package var loss = Loss.huber
    /// Where Huber's loss turns from a square to a line, in standard deviations of the accuracies.
    package var huberDelta = 1.0
    /// Whether the accuracy head is given the costs too.
    package var costs = false
    /// Whether the encoder is pretrained on the costs of the pool's architectures.
    package var pretraining = true
    /// Passes of the pretraining.
    package var pretrainingEpochs = 40
    /// Passes over the results with a frozen encoder (50 in the paper).
    package var frozenEpochs = 50
    /// Passes over the results with everything, at a falling learning rate (50 in the paper).
    package var epochs = 50
    /// Adam's learning rate.
    package var learningRate = 0.003
    /// Weight decay.
    package var weightDecay = 0.003
    /// Predictors that are trained from different first values; their mean predicts.
    package var ensemble = 5

    package init() {}

    enum CodingKeys: String, CodingKey {
      case encoding, hidden, embedding, head, loss, costs, pretraining, epochs, ensemble
      case huberDelta = "huber_delta"
      case pretrainingEpochs = "pretraining_epochs"
      case frozenEpochs = "frozen_epochs"
      case learningRate = "learning_rate"
      case weightDecay = "weight_decay"
    }
  }

  /// The genetic search over predicted accuracies (spec S45).
  package struct Fine: Codable, Sendable, Equatable {
    /// Best candidates that have children.
    package var parents = 40
    /// Random candidates beside them in the first generation.
    package var strangers = 40
    /// Children of a parent in a generation, at first.
    package var children = 6
    /// Share of the children that two parents have together.
    package var crossover = 0.5
    /// Predicted accuracy by which the best must improve for another generation (1e-6 in the
    /// paper).
    package var gain = 1e-6
    /// Generations without that gain after which the search ends.
    package var patience = 5
    /// Generations at most.
    package var generations = 100
    /// Candidates of the fine stage that are trained.
    package var candidates = 4

    package init() {}
  }
}
