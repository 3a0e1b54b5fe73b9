/// A candidate of a joint search: what it is, what was predicted of it, and what it came to (spec
/// S46).
package struct TrialRecord: Codable, Sendable, Equatable {
  /// Who picked it.
  package enum Stage: String, Codable, Sendable, CaseIterable {
    /// A round of the coarse stage.
    case coarse
    /// The fine stage, or one of the best of the coarse stage that is trained to the end.
    case fine
    /// A person.
    case hand
  }

  /// How far its training has come.
  package enum State: String, Codable, Sendable, CaseIterable {
    case waiting, running, finished
    /// A person stopped it; nothing is concluded from it.
    case stopped
    /// Its training ended in an error, which `message` says; it counts as the worst.
    case failed

    /// Whether nothing more will be known of it.
    package var isSettled: Bool { self != .waiting && self != .running }
  }

  /// Counted from 1, in the order in which they were picked.
  package var number: Int
  /// Who picked it.
  package var stage: Stage
  /// The round of the coarse stage, counted from 0; of the fine stage the number of rounds.
  package var round: Int
  /// The option of each of the run's choices, those of the recipe among them.
  package var options: [Int]
  /// Side of the images, pixels.
  package var resolution: Int
  /// How it is trained.
  package var recipe: Recipe
  /// Multiply–accumulates of one image.
  package var flops: Double
  /// Weights.
  package var params: Double
  /// Milliseconds for one image by the run's latency table; nil where it has none.
  package var latency: Double?
  /// Accuracy that was predicted when it was picked, 0…1; nil before the first fit.
  package var predicted: Double?
  /// Standard deviation of that prediction.
  package var spread: Double?
  /// How far its training has come.
  package var state: State
  /// Why it failed; empty otherwise.
  package var message: String
  /// Accuracy on its validation images after each epoch, 0…1.
  package var accuracies: [Double]
  /// Mean loss of the training images in each epoch.
  package var losses: [Double]
  /// Share of right answers on the test images once its training has ended, 0…1; decides nothing.
  package var top1: Double?
  /// Its own run, seen from the search's folder.
  package var run: String
  /// Seconds of its training.
  package var seconds: Double

  package init(
    number: Int,
    stage: Stage,
    round: Int,
    options: [Int],
    resolution: Int,
    recipe: Recipe,
    flops: Double,
    params: Double,
    latency: Double? = nil,
    predicted: Double? = nil,
    spread: Double? = nil
  ) {
    self.number = number
    self.stage = stage
    self.round = round
    self.options = options
    self.resolution = resolution
    self.recipe = recipe
    self.flops = flops
    self.params = params
    self.latency = latency
    self.predicted = predicted
    self.spread = spread
    state = .waiting
    message = ""
    accuracies = []
    losses = []
    run = ""
    seconds = 0
  }

  /// Accuracy after so many epochs, or its last where it has fewer, 0…1; nil before the first.
  package func accuracy(after epochs: Int) -> Double? {
    accuracies.isEmpty || epochs < 1 ? nil : accuracies[min(epochs, accuracies.count) - 1]
  }

  /// Whether nothing more will be known of it.
  package var isSettled: Bool { state.isSettled }

  enum CodingKeys: String, CodingKey {
    case number, stage, round, options, resolution, recipe, flops, params, predicted, spread, state
    case message, top1, run, seconds
    case latency = "latency_ms"
    case accuracies = "val_accuracies"
    case losses = "train_losses"
  }
}

/// How far a joint search has come, beside its candidates (spec S43, S45).
package struct JointProgress: Codable, Sendable, Equatable {
  /// How well early results of the first round rank its candidates, an epoch each.
  package struct EarlyRanks: Codable, Sendable, Equatable {
    /// Rank correlation of the accuracies after each epoch with those after the last.
    package var accuracy: [Double]
    /// The same within the best quarter; nil where that has fewer than three.
    package var bestQuarter: [Double]?
    /// Rank correlation of the sums of training losses up to each epoch, negated.
    package var lossSum: [Double]

    package init(accuracy: [Double], bestQuarter: [Double]?, lossSum: [Double]) {
      self.accuracy = accuracy
      self.bestQuarter = bestQuarter
      self.lossSum = lossSum
    }

    enum CodingKeys: String, CodingKey {
      case accuracy
      case bestQuarter = "best_quarter"
      case lossSum = "loss_sum"
    }
  }

  /// How well the predictor ranks candidates that it has not seen, after a round.
  package struct Held: Codable, Sendable, Equatable {
    /// Candidates it was fitted to and tested on, in turns.
    package var candidates: Int
    /// Spearman's rank correlation.
    package var spearman: Double
    /// Kendall's τ.
    package var kendall: Double

    package init(candidates: Int, spearman: Double, kendall: Double) {
      self.candidates = candidates
      self.spearman = spearman
      self.kendall = kendall
    }
  }

  /// A generation of the fine stage.
  package struct Generation: Codable, Sendable, Equatable {
    /// Counted from 1.
    package var number: Int
    /// Predicted accuracy of the best.
    package var best: Double
    /// Mean predicted accuracy of the population.
    package var mean: Double
    /// Children that were scored.
    package var children: Int

    package init(number: Int, best: Double, mean: Double, children: Int) {
      self.number = number
      self.best = best
      self.mean = mean
      self.children = children
    }
  }

  /// A limit that a person set.
  package struct Limit: Codable, Sendable, Equatable {
    /// The first round that keeps it.
    package var round: Int
    /// What is limited.
    package var metric: CostMetric
    /// The most that a candidate may cost; 0 lifts the limit.
    package var most: Double

    package init(round: Int, metric: CostMetric, most: Double) {
      self.round = round
      self.metric = metric
      self.most = most
    }
  }

  /// Limits in the order in which people set them.
  package var limits: [Limit] = []
  /// Rounds of the coarse stage where a person ended it early.
  package var rounds: Int?
  /// Of the first round; nil before its end.
  package var earlyRanks: EarlyRanks?
  /// Epochs that candidates are trained from the second round on; nil before the first one's end.
  package var stopEpoch: Int?
  /// After each round but those of a search without a predictor.
  package var held: [Held] = []
  /// Of the fine stage.
  package var generations: [Generation] = []

  package init() {}

  enum CodingKeys: String, CodingKey {
    case limits, rounds, held, generations
    case earlyRanks = "early_ranks"
    case stopEpoch = "stop_epoch"
  }
}
