import Foundation
import Runs
import Tensor

/// What predicts the accuracy of points that nobody trained (spec S42, S44): a small network,
/// several times.
///
/// Each member is fitted to the history without its share, one row in as many as there are members;
/// their mean predicts. The square of the spread is, over the space, the mean square of
/// their mistakes on the rows that they were not fitted to: one half of it everywhere, for members
/// that agree may be wrong together, the other half in proportion to how far they disagree (ours).
package struct Predictor: Sendable {
  /// What a point is expected to reach.
  package struct Prediction: Sendable, Equatable {
    /// In the unit of the history.
    package var value: Double
    /// Standard deviation of the mistake that is expected, in the same unit.
    package var spread: Double
  }

  /// A fitted network; standardised value = slope · output + offset.
  private struct Member: Sendable {
    var weights: [[Float]]
    var slope = 1.0
    var offset = 0.0
  }

  private let start: PredictorStart
  private let scale: ValueScale
  private var members: [Member] = []
  /// Root mean square of the mistakes on rows that were left out, in standardised values.
  private var mistake = 1.0
  /// Mean square of the members' deviation over the space, in standardised values.
  private var disagreement = 0.0

  /// Fits the predictor to a history, of which row i costs `costs[i]`.
  ///
  /// The same for the same arguments. A value that is no number counts as the worst.
  init(_ start: PredictorStart, history: [JointSearch.Evaluated], costs: [[Double]]) {
    self.start = start
    let worst = history.map(\.value).filter(\.isFinite).min() ?? 0
    let values = history.map { $0.value.isFinite ? $0.value : worst }
    let scale = ValueScale(values)
    self.scale = scale
    let targets = values.map(scale.standardised)
    let rows = FittedRows(start, history.map(\.point), costs: costs, targets: targets)
    let engine = PredictorStart.engine()
    let order = Philox(seed: start.seed, purpose: .predictor, step: 2)
    let count = max(1, start.settings.ensemble)
    let folds = Predictor.folds(history.count, count, order)
    var mistakes: [Double] = []
    for index in 0..<count {
      let network = start.network(member: index, on: engine)
      rows.fit(network, leavingOut: folds.map { $0 == index }, member: index)
      var member = Member(weights: network.weights)
      let outputs = rows.outputs(network)
      if start.settings.loss == .ranking {
        (member.slope, member.offset) = Predictor.line(outputs, targets)
      }
      for row in targets.indices where folds[row] == index {
        mistakes.append(member.slope * outputs[row] + member.offset - targets[row])
      }
      members.append(member)
    }
    if !mistakes.isEmpty { mistake = Predictor.meanSquare(mistakes).squareRoot() }
    disagreement =
      members(start.probes.points, costs: start.probes.costs).map(\.variance).reduce(0, +)
      / Double(max(1, start.probes.points.count))
  }

  /// What points are expected to reach, of which row i costs `costs[i]`.
  package func predict(_ points: [Architecture], costs: [[Double]]) -> [Prediction] {
    members(points, costs: costs).map { mean, variance in
      let share = disagreement > 0 ? 0.5 + 0.5 * variance / disagreement : 1
      return Prediction(
        value: scale.value(mean),
        spread: scale.deviation * mistake * share.squareRoot()
      )
    }
  }

  /// Mean and variance of what the members say of points, standardised.
  private func members(
    _ points: [Architecture],
    costs: [[Double]]
  ) -> [(mean: Double, variance: Double)] {
    let engine = PredictorStart.engine()
    let networks = members.map { start.network($0.weights, on: engine) }
    var found: [(mean: Double, variance: Double)] = []
    found.reserveCapacity(points.count)
    for first in stride(from: 0, to: points.count, by: Predictor.batch) {
      let batch = first..<min(first + Predictor.batch, points.count)
      let inputs = start.encoding.architectures(Array(points[batch]))
      let others = start.others(Array(points[batch]), costs: Array(costs[batch]))
      let outputs = networks.map { $0.accuracies(inputs, others: others) }
      for row in 0..<batch.count {
        var (sum, squares) = (0.0, 0.0)
        for (member, output) in zip(members, outputs) {
          let value = member.slope * Double(output[row]) + member.offset
          sum += value
          squares += value * value
        }
        let mean = sum / Double(members.count)
        found.append((mean, max(0, squares / Double(members.count) - mean * mean)))
      }
    }
    return found
  }

  /// Points that are predicted at once.
  private static let batch = 4096

  /// The member that leaves each row out; −1 where there are too few rows to leave any.
  private static func folds(_ rows: Int, _ members: Int, _ order: Philox) -> [Int] {
    guard members > 1, rows >= 2 * members else { return [Int](repeating: -1, count: rows) }
    var order = order
    return order.permutation(rows).map { Int($0) % members }
  }

  private static func meanSquare(_ values: [Double]) -> Double {
    values.reduce(0) { $0 + $1 * $1 } / Double(max(1, values.count))
  }

  /// The line through the outputs of a network that knows the order of the targets alone.
  private static func line(_ outputs: [Double], _ targets: [Double]) -> (Double, Double) {
    let scale = ValueScale(outputs)
    let products = zip(outputs, targets).reduce(0) { $0 + ($1.0 - scale.mean) * $1.1 }
    let slope = products / Double(max(1, outputs.count)) / (scale.deviation * scale.deviation)
    let mean = targets.reduce(0, +) / Double(max(1, targets.count))
    return (slope, mean - slope * scale.mean)
  }
}

/// A history as the networks read it.
private struct FittedRows {
  let start: PredictorStart
  let architectures: [Float]
  let others: [Float]
  let targets: [Float]

  init(
    _ start: PredictorStart,
    _ points: [Architecture],
    costs: [[Double]],
    targets: [Double]
  ) {
    self.start = start
    architectures = start.encoding.architectures(points)
    others = start.others(points, costs: costs)
    self.targets = targets.map(Float.init)
  }

  /// The accuracy head alone, then everything (spec S44), without the rows that are left out.
  func fit(_ network: PredictorNetwork, leavingOut left: [Bool], member: Int) {
    let kept = targets.indices.filter { !left[$0] }
    guard !kept.isEmpty else { return }
    let settings = start.settings
    let own = kept.map { targets[$0] }
    let inputs = network.rows(kept, of: architectures, width: start.widths.architecture)
    let others = network.rows(kept, of: others, width: start.widths.others)
    let loss = PredictorLoss(settings)
    func gradient(_ batch: [Int], _ outputs: [Float]) -> [Float] {
      loss.gradient(outputs, targets: batch.map { own[$0] })
    }
    var order = Philox(seed: start.seed, purpose: .predictor, step: 3, index: UInt32(member))
    var course = PredictorNetwork.Course(
      epochs: settings.frozenEpochs,
      batch: PredictorStart.batch,
      rate: settings.learningRate,
      falls: false,
      decay: settings.weightDecay
    )
    network.fitHead(inputs, others: others, course, order: &order, gradient: gradient)
    (course.epochs, course.falls) = (settings.epochs, true)
    network.fit(inputs, others: others, course, order: &order, gradient: gradient)
  }

  func outputs(_ network: PredictorNetwork) -> [Double] {
    targets.isEmpty ? [] : network.accuracies(architectures, others: others).map(Double.init)
  }
}
