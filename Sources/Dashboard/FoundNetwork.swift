import Foundation

/// The network that a search ended with, read from the run's result.
package struct FoundNetwork: Sendable, Equatable, Decodable {
  /// The block of each choice.
  package var blocks: [String]
  /// Accuracy on the held-out images with the supernet's weights, 0…1.
  package var accuracy: Double
  /// Multiply–accumulates for one image.
  package var flops: Double
  /// Weights.
  package var params: Double
  /// Milliseconds for one image by the run's table; nil without one.
  package var latency: Double?
  /// Whether the likeliest network missed the budget and another was taken.
  package var isRepaired: Bool

  private struct Layer: Decodable { var choice: String }

  private enum CodingKeys: String, CodingKey {
    case architecture, flops, params, repaired
    case accuracy = "argmax_accuracy"
    case latency = "latency_ms"
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
  }

  /// The network of a result; nil for that of a training.
  init?(result json: String) {
    guard let found = try? JSONDecoder().decode(Self.self, from: Data(json.utf8)) else {
      return nil
    }
    self = found
  }
}
