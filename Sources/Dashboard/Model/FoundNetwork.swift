import Foundation

/// The network that a search ended with, read from the run's result.
package struct FoundNetwork: Sendable, Equatable, Decodable {
  /// The block of each choice.
  package var blocks: [String]
  /// Accuracy on the validation images with the supernet's weights, 0…1.
  package var accuracy: Double
  /// Multiply–accumulates for one image.
  package var flops: Double
  /// Weights.
  package var params: Double
  /// Milliseconds for one image by the run's table; nil without one.
  package var latency: Double?
  /// Whether the most probable network missed the budget and another was taken.
  package var isRepaired: Bool
  /// How decided the search is, in a line; nil in a random search.
  package var verdict: String?
  /// Random sampling beside a random search: networks, mean accuracy and its deviation.
  package var sampledNetworks: Int?
  /// Mean accuracy of the sampled networks, 0…1.
  package var sampledMean: Double?
  /// Standard deviation of the same.
  package var sampledDeviation: Double?

  private struct Layer: Decodable { var choice: String }

  private enum CodingKeys: String, CodingKey {
    case architecture, flops, params, repaired, verdict
    case accuracy = "argmax_accuracy"
    case latency = "latency_ms"
    case sampledNetworks = "sampled_networks"
    case sampledMean = "sampled_mean"
    case sampledDeviation = "sampled_deviation"
  }

  /// Reads the fields of a search's result that a person wants to see.
  package init(from decoder: any Decoder) throws {
    let fields = try decoder.container(keyedBy: CodingKeys.self)
    blocks = try fields.decode([Layer].self, forKey: .architecture).map(\.choice)
    accuracy = try fields.decode(Double.self, forKey: .accuracy)
    flops = try fields.decode(Double.self, forKey: .flops)
    params = try fields.decode(Double.self, forKey: .params)
    latency = try fields.decodeIfPresent(Double.self, forKey: .latency)
    isRepaired = try fields.decode(Bool.self, forKey: .repaired)
    verdict = try fields.decodeIfPresent(String.self, forKey: .verdict)
    sampledNetworks = try fields.decodeIfPresent(Int.self, forKey: .sampledNetworks)
    sampledMean = try fields.decodeIfPresent(Double.self, forKey: .sampledMean)
    sampledDeviation = try fields.decodeIfPresent(Double.self, forKey: .sampledDeviation)
  }

  /// The network of a result; nil for that of a training.
  init?(result json: String) {
    guard let found = try? JSONDecoder().decode(Self.self, from: Data(json.utf8)) else {
      return nil
    }
    self = found
  }
}

/// What the network of a finished run came to on the test images.
package struct TestedNetwork: Sendable, Equatable, Decodable {
  /// Share of the test images whose class is the most probable, 0…1.
  package var accuracy: Double

  private enum CodingKeys: String, CodingKey { case accuracy = "test_accuracy" }

  init?(result json: String) {
    guard let tested = try? JSONDecoder().decode(Self.self, from: Data(json.utf8)) else {
      return nil
    }
    self = tested
  }
}
