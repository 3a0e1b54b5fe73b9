import Foundation
import Runs

/// What a finished search came to: the `done` object of `--json` and the result kept in the run.
///
/// The names of the fields in JSON are a contract with scripts.
package struct SearchResult: Codable, Sendable, Equatable {
  /// The block that a layer got.
  package struct LayerChoice: Codable, Sendable, Equatable {
    /// Name of the choice, `layer 3`.
    package var layer: String
    /// Name of its likeliest option, `k3_e6`.
    package var choice: String
    /// Multiply-accumulates of one image.
    package var flops: Double
    /// Weights of convolutions.
    package var params: Double
    /// Milliseconds for one image; nil without a latency table.
    package var latency: Double?

    enum CodingKeys: String, CodingKey {
      case layer, choice, flops, params
      case latency = "latency_ms"
    }
  }

  /// Always `done`.
  package var event: String
  /// `dnas` or `random`.
  package var algorithm: String
  /// Accuracy on the held-out images of the supernet without noise, 0…1.
  package var validationAccuracy: Double
  /// Accuracy of the chosen architecture alone on the held-out images with the supernet's weights, 0…1.
  package var argmaxAccuracy: Double
  /// Cross-entropy of the supernet without noise.
  package var validationLoss: Double
  /// The chosen block of every searched layer: the likeliest within the budget.
  package var architecture: [LayerChoice]
  /// Multiply-accumulates of the chosen architecture, fixed layers included.
  package var flops: Double
  /// Parameters of the chosen architecture, fixed layers included.
  package var params: Double
  /// Milliseconds of the chosen architecture by the latency table, fixed layers included; nil without
  /// one.
  package var latency: Double?
  /// Metric of the costs: `flops`, `params` or `latency` (milliseconds).
  package var costMetric: String
  /// Cost of the chosen architecture.
  package var cost: Double
  /// Cost expected under softmax(θ).
  package var expectedCost: Double
  /// Cost of the likeliest architecture, which a budget may have changed.
  package var argmaxCost: Double
  /// Cost not to be passed; nil for none.
  package var budget: Double?
  /// Whether the likeliest architecture missed the budget and another was chosen.
  package var repaired: Bool
  /// Networks that a random search drew, each as likely as any other within the budget; nil in others.
  package var sampledNetworks: Int? = nil
  /// Their mean accuracy as `argmaxAccuracy` is measured: what one network at random is worth, 0…1.
  package var sampledMean: Double? = nil
  /// The deviation of their accuracies, 0 for one.
  package var sampledDeviation: Double? = nil
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

  enum CodingKeys: String, CodingKey {
    case event, algorithm, architecture, flops, params, cost, budget, repaired
    case run, epochs, steps, seconds
    case latency = "latency_ms"
    case costMetric = "cost_metric"
    case argmaxCost = "argmax_cost"
    case validationAccuracy = "val_accuracy"
    case argmaxAccuracy = "argmax_accuracy"
    case validationLoss = "val_loss"
    case expectedCost = "expected_cost"
    case sampledNetworks = "sampled_networks"
    case sampledMean = "sampled_mean"
    case sampledDeviation = "sampled_deviation"
    case thetaHash = "theta_sha256"
    case weightsHash = "weights_sha256"
  }

  /// The object in one line of JSON, keys in alphabetical order.
  package func json() throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(self), as: UTF8.self)
  }
}

extension SearchResult {
  /// Notes what random sampling comes to beside the search: the accuracies of all networks that were drawn,
  /// 0…1; of none nothing is noted.
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

/// The file `exports/architecture.json`: the chosen architecture, and others drawn from softmax(θ).
struct ArchitectureExport: Codable {
  /// One architecture, its price, and how it does with the supernet's weights.
  struct Entry: Codable {
    var source: String
    var blocks: [String]
    var flops: Double
    var params: Double
    /// Milliseconds by the latency table; nil without one.
    var latency: Double?
    /// On the held-out images after batch-norm recalibration, 0…1; nil where it was not judged on them.
    var validationAccuracy: Double?
    /// The same on the training images kept for θ, by which a random search decides.
    var thetaAccuracy: Double?

    enum CodingKeys: String, CodingKey {
      case source, blocks, flops, params
      case latency = "latency_ms"
      case validationAccuracy = "val_accuracy"
      case thetaAccuracy = "theta_accuracy"
    }
  }

  var format = 1
  var layers: [String]
  var architectures: [Entry]
}
