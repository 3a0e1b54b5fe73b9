import Foundation
import Runs
import Tensor

/// What every fit of a predictor starts from: an encoder that knows what architectures cost (spec
/// S42).
///
/// The labels are free, so there are as many as the pool has points. Made once for a search; the
/// members of each round's ensemble fit copies.
struct PredictorStart: Sendable {
  let settings: JointConfiguration.Predictor
  let encoding: PointEncoding
  let widths: PredictorNetwork.Widths
  let seed: UInt64
  /// Points of the pool, where the members' disagreement is measured.
  let probes: (points: [Architecture], costs: [[Double]])
  private let costScales: [ValueScale]
  /// The pretrained encoder; nil without pretraining, where each member has one of its own.
  private let encoder: [[Float]]?

  /// Rows of a step (ours).
  static let batch = 128
  private static let mostProbes = 256

  /// Pretrains encoders on `points`, of which row i costs `costs[i]`, where settings say so.
  init(
    _ problem: JointProblem,
    settings: JointConfiguration.Predictor,
    points: [Architecture],
    costs: [[Double]],
    seed: UInt64
  ) {
    self.settings = settings
    self.seed = seed
    encoding = PointEncoding(problem.axes, settings.encoding)
    let metrics = problem.metrics.count
    costScales = (0..<metrics).map { metric in ValueScale(costs.map { log1p($0[metric]) }) }
    widths = PredictorNetwork.Widths(
      architecture: encoding.architectureWidth,
      hidden: settings.hidden,
      embedding: settings.embedding,
      costs: metrics,
      others: encoding.recipeWidth + (settings.costs ? metrics : 0),
      head: settings.head
    )
    probes = (
      Array(points.prefix(PredictorStart.mostProbes)),
      Array(costs.prefix(PredictorStart.mostProbes))
    )
    guard settings.pretraining, metrics > 0, !points.isEmpty else {
      encoder = nil
      return
    }
    let network = PredictorNetwork(widths, seed: seed, member: 0, engine: PredictorStart.engine())
    var order = Philox(seed: seed, purpose: .predictor, step: 1)
    network.pretrain(
      encoding.architectures(points),
      costs: PredictorStart.standardised(costs, costScales),
      PredictorNetwork.Course(
        epochs: settings.pretrainingEpochs,
        batch: PredictorStart.batch,
        rate: settings.learningRate,
        falls: true,
        decay: 0
      ),
      order: &order
    )
    encoder = network.encoderWeights
  }

  /// The arithmetic is small, and its bits must not depend on a run's threads.
  static func engine() -> Engine { Engine(threads: 1) }

  /// The network that a member of the ensemble is fitted from.
  func network(member: Int, on engine: Engine) -> PredictorNetwork {
    let network = PredictorNetwork(widths, seed: seed, member: member, engine: engine)
    if let encoder { network.encoderWeights = encoder }
    return network
  }

  /// A network with these weights.
  func network(_ weights: [[Float]], on engine: Engine) -> PredictorNetwork {
    PredictorNetwork(widths, weights: weights, engine: engine)
  }

  /// What the accuracy head gets beside the embedding [points, `widths.others`].
  func others(_ points: [Architecture], costs: [[Double]]) -> [Float] {
    let recipes = encoding.recipes(points)
    guard settings.costs, !costScales.isEmpty else { return recipes }
    let width = encoding.recipeWidth
    let scaled = PredictorStart.standardised(costs, costScales)
    var others: [Float] = []
    others.reserveCapacity(points.count * widths.others)
    for row in points.indices {
      others += recipes[row * width..<(row + 1) * width]
      others += scaled[row * costScales.count..<(row + 1) * costScales.count]
    }
    return others
  }

  /// Logarithms of costs in standard deviations of the pool's [rows, metrics]; a cost that is not
  /// finite counts as the mean.
  private static func standardised(_ costs: [[Double]], _ scales: [ValueScale]) -> [Float] {
    costs.flatMap { row in
      zip(row, scales).map { cost, scale in
        let value = Float(scale.standardised(log1p(cost)))
        return value.isFinite ? value : 0
      }
    }
  }
}

/// Mean and deviation that values are given to a network in.
struct ValueScale: Sendable {
  let mean: Double
  /// 1 where all values are the same.
  let deviation: Double

  /// The scale of the values that are finite.
  init(_ values: [Double]) {
    let finite = values.filter(\.isFinite)
    let mean = finite.reduce(0, +) / Double(max(1, finite.count))
    let variance =
      finite.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(max(1, finite.count))
    self.mean = mean
    deviation = variance > 0 ? variance.squareRoot() : 1
  }

  func standardised(_ value: Double) -> Double { (value - mean) / deviation }
  func value(_ standardised: Double) -> Double { mean + deviation * standardised }
}
