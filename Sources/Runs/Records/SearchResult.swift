import Foundation

/// What a finished search came to: the `done` object of `--json` and the result kept in the run.
///
/// The names of the fields in JSON are a contract with scripts.
package struct SearchResult: Codable, Sendable, Equatable {
  /// The block that a layer got.
  package struct LayerChoice: Codable, Sendable, Equatable {
    /// Name of the choice, `layer 3`.
    package var layer: String
    /// Name of its option, `k3_e6`.
    package var choice: String
    /// Multiply-accumulates of one image.
    package var flops: Double
    /// Weights of convolutions.
    package var params: Double
    /// Milliseconds for one image; nil without a latency table.
    package var latency: Double?

    package init(
      layer: String,
      choice: String,
      flops: Double,
      params: Double,
      latency: Double? = nil
    ) {
      self.layer = layer
      self.choice = choice
      self.flops = flops
      self.params = params
      self.latency = latency
    }

    enum CodingKeys: String, CodingKey {
      case layer, choice, flops, params
      case latency = "latency_ms"
    }
  }

  /// A uniformly scaled network, beside which a searched one can be judged.
  package struct Uniform: Codable, Sendable, Equatable {
    /// What all widths are multiplied by, before they are rounded to an option.
    package var scale: Double
    /// Cost in the metric of the search.
    package var cost: Double
    /// Accuracy on the test images with the supernet's weights, 0…1.
    package var testAccuracy: Double
    /// Cross-entropy of the same.
    package var testLoss: Double

    package init(scale: Double, cost: Double, testAccuracy: Double, testLoss: Double) {
      self.scale = scale
      self.cost = cost
      self.testAccuracy = testAccuracy
      self.testLoss = testLoss
    }

    enum CodingKeys: String, CodingKey {
      case scale, cost
      case testAccuracy = "test_accuracy"
      case testLoss = "test_loss"
    }
  }

  /// Always `done`.
  package var event: String
  /// `search` or `random`.
  package var kind: RunKind
  /// `dnas` or `random`.
  package var algorithm: String
  /// Accuracy on the validation images of the supernet without noise, 0…1.
  package var validationAccuracy: Double
  /// Accuracy of the chosen architecture alone on the validation images with the supernet's
  /// weights, 0…1.
  package var argmaxAccuracy: Double
  /// Cross-entropy of the supernet without noise on the validation images.
  package var validationLoss: Double
  /// Accuracy of the chosen architecture alone on the test images with the supernet's weights, 0…1;
  /// looked at once, after everything is decided.
  package var testAccuracy: Double
  /// Cross-entropy of the same.
  package var testLoss: Double
  /// Accuracy on the test images of the supernet without noise, 0…1.
  package var supernetTestAccuracy: Double
  /// Cross-entropy of the same.
  package var supernetTestLoss: Double
  /// The chosen block of every searched layer: the most probable within the budget.
  package var architecture: [LayerChoice]
  /// The chosen option of every choice, which may be a width and not a block; nil in runs of before
  /// it was written.
  package var options: [String]?
  /// Multiply-accumulates of the chosen architecture, fixed layers included.
  package var flops: Double
  /// Parameters of the chosen architecture, fixed layers included.
  package var params: Double
  /// Milliseconds of the chosen architecture by the latency table, fixed layers included; nil
  /// without one.
  package var latency: Double?
  /// Metric of the costs.
  package var costMetric: CostMetric
  /// Cost of the chosen architecture.
  package var cost: Double
  /// Cost expected under softmax(θ).
  package var expectedCost: Double
  /// Cost of the most probable architecture, which a budget may have changed.
  package var argmaxCost: Double
  /// Cost not to be passed; nil for none.
  package var budget: Double?
  /// The learned weight of the cost at the end, in units of the budget; nil where it is fixed.
  package var multiplier: Double?
  /// Whether the most probable architecture missed the budget and another was chosen.
  package var repaired: Bool
  /// Choices of the search; nil, as the next four, in a random search.
  package var choices: Int?
  /// Choices that are settled (`Verdict`).
  package var settled: Int?
  /// Choices that are coin tosses (`Verdict`).
  package var coinTosses: Int?
  /// Mean entropy of the choices' probabilities, bits.
  package var meanEntropyBits: Double?
  /// How decided the search is and what to change where it is not, in a line.
  package var verdict: String?
  /// The same blocks with all widths scaled by one factor, at no higher cost; nil where widths are
  /// not searched.
  package var uniform: Uniform?
  /// Random sampling, next to random search: how many networks were sampled; nil, as the next two,
  /// in a search by gradients.
  package var sampledNetworks: Int?
  /// Mean accuracy of all sampled networks on the validation images: what one picked blindly is
  /// worth, 0…1.
  package var sampledMean: Double?
  /// Standard deviation of the same.
  package var sampledDeviation: Double?
  /// SHA-256 over the little-endian bytes of all architecture parameters.
  package var thetaHash: String
  /// SHA-256 over the little-endian bytes of all weights and batch-norm parameters.
  package var weightsHash: String
  /// The run's folder.
  package var run: String
  /// Epochs of the whole run.
  package var epochs: Int
  /// Steps of the whole run, both phases.
  package var steps: Int
  /// Seconds of training and evaluation, pauses excluded.
  package var seconds: Double

  package init(
    event: String,
    kind: RunKind,
    algorithm: String,
    validationAccuracy: Double,
    argmaxAccuracy: Double,
    validationLoss: Double,
    testAccuracy: Double,
    testLoss: Double,
    supernetTestAccuracy: Double,
    supernetTestLoss: Double,
    architecture: [LayerChoice],
    options: [String]? = nil,
    flops: Double,
    params: Double,
    latency: Double? = nil,
    costMetric: CostMetric,
    cost: Double,
    expectedCost: Double,
    argmaxCost: Double,
    budget: Double? = nil,
    multiplier: Double? = nil,
    repaired: Bool,
    choices: Int? = nil,
    settled: Int? = nil,
    coinTosses: Int? = nil,
    meanEntropyBits: Double? = nil,
    verdict: String? = nil,
    uniform: Uniform? = nil,
    sampledNetworks: Int? = nil,
    sampledMean: Double? = nil,
    sampledDeviation: Double? = nil,
    thetaHash: String,
    weightsHash: String,
    run: String,
    epochs: Int,
    steps: Int,
    seconds: Double
  ) {
    self.event = event
    self.kind = kind
    self.algorithm = algorithm
    self.validationAccuracy = validationAccuracy
    self.argmaxAccuracy = argmaxAccuracy
    self.validationLoss = validationLoss
    self.testAccuracy = testAccuracy
    self.testLoss = testLoss
    self.supernetTestAccuracy = supernetTestAccuracy
    self.supernetTestLoss = supernetTestLoss
    self.architecture = architecture
    self.options = options
    self.flops = flops
    self.params = params
    self.latency = latency
    self.costMetric = costMetric
    self.cost = cost
    self.expectedCost = expectedCost
    self.argmaxCost = argmaxCost
    self.budget = budget
    self.multiplier = multiplier
    self.repaired = repaired
    self.choices = choices
    self.settled = settled
    self.coinTosses = coinTosses
    self.meanEntropyBits = meanEntropyBits
    self.verdict = verdict
    self.uniform = uniform
    self.sampledNetworks = sampledNetworks
    self.sampledMean = sampledMean
    self.sampledDeviation = sampledDeviation
    self.thetaHash = thetaHash
    self.weightsHash = weightsHash
    self.run = run
    self.epochs = epochs
    self.steps = steps
    self.seconds = seconds
  }

  enum CodingKeys: String, CodingKey {
    case event, kind, algorithm, architecture, options, flops, params, cost, budget, repaired
    case multiplier
    case choices, settled, verdict, uniform, run, epochs, steps, seconds
    case testAccuracy = "test_accuracy"
    case testLoss = "test_loss"
    case supernetTestAccuracy = "supernet_test_accuracy"
    case supernetTestLoss = "supernet_test_loss"
    case coinTosses = "coin_tosses"
    case meanEntropyBits = "mean_entropy_bits"
    case sampledNetworks = "sampled_networks"
    case sampledMean = "sampled_mean"
    case sampledDeviation = "sampled_deviation"
    case latency = "latency_ms"
    case costMetric = "cost_metric"
    case argmaxCost = "argmax_cost"
    case validationAccuracy = "val_accuracy"
    case argmaxAccuracy = "argmax_accuracy"
    case validationLoss = "val_loss"
    case expectedCost = "expected_cost"
    case thetaHash = "theta_sha256"
    case weightsHash = "weights_sha256"
  }

  /// The object in one line of JSON, keys in alphabetical order.
  package func json() throws -> String {
    try JSONText.encode(self)
  }
}

extension SearchResult {
  /// Notes what random sampling reaches: the accuracies of all networks that
  /// were sampled, 0…1; of none nothing is noted.
  package mutating func take(sampled accuracies: [Double]) {
    let count = Double(accuracies.count)
    guard count > 0 else { return }
    let mean = accuracies.reduce(0, +) / count
    let squares = accuracies.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    sampledNetworks = accuracies.count
    sampledMean = mean
    sampledDeviation = (squares / max(1, count - 1)).squareRoot()
  }

  /// Reads what `json()` wrote.
  package init(json: String) throws {
    self = try JSONDecoder().decode(SearchResult.self, from: Data(json.utf8))
  }
}
