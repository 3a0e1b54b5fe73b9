import Foundation
import Runs

/// What a finished search came to: the `done` object of `--json` and the result kept in the run.
///
/// The names of the fields in JSON are a contract with scripts.
package struct SearchResult: Codable, Sendable, Equatable {
  /// The block that a layer got.
  package struct LayerChoice: Codable, Sendable, Equatable {
    package var layer: String
    package var choice: String
    /// Multiply-accumulates of one image, and weights.
    package var flops: Double
    package var params: Double
  }

  package var event: String
  /// Accuracy on the held-out images of the supernet without noise, 0…1.
  package var validationAccuracy: Double
  /// Accuracy of the chosen architecture alone with the supernet's weights, 0…1.
  package var argmaxAccuracy: Double
  /// Cross-entropy of the supernet without noise.
  package var validationLoss: Double
  /// The likeliest block of every searched layer.
  package var architecture: [LayerChoice]
  /// Multiply-accumulates and parameters of the chosen architecture, fixed layers included.
  package var flops: Double
  package var params: Double
  /// Cost of the chosen architecture in the metric of the config.
  package var cost: Double
  /// Cost expected under softmax(θ).
  package var expectedCost: Double
  /// SHA-256 over the little-endian bytes of all architecture parameters.
  package var thetaHash: String
  /// SHA-256 over the little-endian bytes of all weights and batch-norm parameters.
  package var weightsHash: String
  /// The run's folder.
  package var run: String
  package var epochs: Int
  package var steps: Int
  /// Seconds of training and evaluation, pauses excluded.
  package var seconds: Double

  enum CodingKeys: String, CodingKey {
    case event, architecture, flops, params, cost, run, epochs, steps, seconds
    case validationAccuracy = "val_accuracy"
    case argmaxAccuracy = "argmax_accuracy"
    case validationLoss = "val_loss"
    case expectedCost = "expected_cost"
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
    /// On the held-out images after batch-norm recalibration, 0…1.
    var validationAccuracy: Double

    enum CodingKeys: String, CodingKey {
      case source, blocks, flops, params
      case validationAccuracy = "val_accuracy"
    }
  }

  var format = 1
  var layers: [String]
  var architectures: [Entry]
}
