import Foundation
import Runs

/// A row of the list of choices.
struct ChoiceScreen: Encodable, Sendable {
  struct Option: Encodable, Sendable {
    let name: String
    let probability: Double
  }

  let id: String
  let name: String
  let detail: String
  let group: String
  let kind: Choice.Kind
  let leader: String
  let probability: Double
  let entropyBits: Double
  /// Entropy of even odds.
  let mostBits: Double
  let settled: Bool
  /// Epoch since which the choice has been settled on its leader.
  let settledSince: Double?
  /// Mean lead of the leader over the last quarter of the run, and its standard deviation.
  let lead: Double?
  let wobble: Double?
  let pinned: Bool
  /// The size that the probabilities expect, of choices between sizes.
  let meanSize: Double?
  let options: [Option]

  init(_ model: Model, _ index: Int) {
    let choice = model.choices[index]
    let values = model.probabilities(of: index)
    let leader = model.leader(of: index)
    (id, name, detail) = (choice.id, choice.name, choice.detail)
    (group, kind) = (choice.group, choice.kind)
    self.leader = choice.options[leader].name
    probability = Double(values[leader])
    entropyBits = model.entropy(of: index)
    mostBits = log2(Double(max(1, values.count)))
    settled = values.count == 1 || Verdict.isSettled(values.map(Double.init))
    settledSince = model.settledSince(index)
    let decision = model.decision(of: index)
    (lead, wobble) = (decision?.lead, decision?.wobble)
    pinned = model.isPinned(index)
    meanSize = choice.sizes.map { expectedSize(values, $0) }
    options = zip(choice.options, values).map { Option(name: $0.name, probability: Double($1)) }
  }
}

/// The inspector of a choice: every option with its price, its pulls and its way here.
struct InspectorScreen: Encodable, Sendable {
  struct Option: Encodable, Sendable {
    let name: String
    let probability: Double
    let flops: Double?
    let params: Double?
    let latencyMs: Double?
    /// By how much the expected cost changes if the choice is pinned to it.
    let costIfPinned: Double?
    /// How strongly the images' loss pushes the logit up.
    let accuracyPull: Double?
    /// How strongly the cost pushes it up.
    let costPull: Double?
    /// Probability at the epochs of the inspector.
    let history: [Double]
  }

  let id: String
  let name: String
  let detail: String
  /// Place in the list of choices, from 1.
  let number: Int
  let entropyBits: Double
  let mostBits: Double
  let settledSince: Double?
  /// Why the leader leads, in a sentence.
  let reason: String
  /// Epochs of the options' histories.
  let epochs: [Double]
  let options: [Option]

  /// Points of a history at most.
  private static let points = 24

  init(_ model: Model, _ index: Int) {
    let choice = model.choices[index]
    let values = model.probabilities(of: index)
    let prices = model.prices[choice.id]
    let row = ChoiceScreen(model, index)
    (id, name, detail, number) = (row.id, row.name, row.detail, index + 1)
    (entropyBits, mostBits, settledSince) = (row.entropyBits, row.mostBits, row.settledSince)
    reason = whyLeads(model, index)
    epochs = thinned(model.history(of: index, option: 0).map(\.epoch), to: Self.points)
    options = choice.options.indices.map { option in
      Option(
        name: choice.options[option].name,
        probability: Double(values[option]),
        flops: price(prices?.flops, option),
        params: price(prices?.params, option),
        latencyMs: price(prices?.latency, option),
        costIfPinned: model.costIfPinned(index, option),
        accuracyPull: pull(model.theta?.accuracyPull, index, option),
        costPull: pull(model.theta?.costPull, index, option),
        history: thinned(model.history(of: index, option: option).map(\.share), to: Self.points)
      )
    }
  }
}

/// At most `count` of the values, evenly spread, first and last among them.
func thinned<T>(_ values: [T], to count: Int) -> [T] {
  guard values.count > count, count > 1 else { return values }
  return (0..<count).map { values[$0 * (values.count - 1) / (count - 1)] }
}
