import Runs
import Training

/// The search by the gradient of θ (spec S9, S11): its networks are those that θ stands for within
/// the budget, and some sampled from softmax(θ) on condition that they are within it.
struct GradientSearch: SupernetAlgorithm {
  private let theta: ArchitectureParameters
  private let choices: [Choice]
  private let configuration: Configuration
  private let plan: TrainingPlan

  /// Networks sampled from softmax(θ) for the export, besides the most probable one.
  private static let samples = 4

  /// Reads `theta`, which the task trains by `configuration` and `plan`; `choices` name its
  /// options.
  init(
    _ theta: ArchitectureParameters,
    choices: [Choice],
    configuration: Configuration,
    plan: TrainingPlan
  ) {
    self.theta = theta
    self.choices = choices
    self.configuration = configuration
    self.plan = plan
  }

  /// The most probable network of all.
  var leader: Architecture { theta.argmax }
  var leaderName: String { "the most probable network" }

  var forecast: ThetaForecast? {
    ThetaForecast(
      rate: configuration.theta.learningRate,
      stepsPerEpoch: plan.thetaSteps,
      epochs: plan.epochs,
      warmup: plan.warmupEpochs
    )
  }

  var verdict: Verdict? { Verdict(probabilities: theta.probabilities) }

  private var within: ClosedRange<Double> { CostLimit.within(configuration.limit) }
  /// Whether the most probable network costs more than the budget.
  private var isOver: Bool { !within.contains(theta.costModel.cost(theta.argmax)) }

  /// Last comes the most probable network of all, where it costs more than the budget.
  func candidates() -> [Candidate] {
    let argmax = theta.argmax
    let probable = theta.probable(limit: configuration.limit)
    let sampled = theta.samples(
      Self.samples,
      seed: configuration.seed,
      within: within,
      except: Set(probable)
    )
    return probable.map {
      Candidate(source: $0 == argmax ? "argmax" : "repaired", architecture: $0)
    }
      + sampled.map { Candidate(source: "sampled", architecture: $0) }
      + (isOver ? [Candidate(source: "argmax", architecture: argmax)] : [])
  }

  /// Best first, but the network over the budget last.
  func ranked(_ evaluated: [EvaluatedNetwork]) -> [EvaluatedNetwork] {
    let count = evaluated.count - (isOver ? 1 : 0)
    return evaluated.prefix(count).sorted(by: EvaluatedNetwork.isBetter)
      + evaluated.dropFirst(count)
  }

  func unbounded(chosen: Architecture) -> Architecture { theta.argmax }

  func reason(for chosen: Architecture) -> String? {
    let argmax = theta.argmax
    guard chosen != argmax else { return nil }
    let costModel = theta.costModel
    let metric = configuration.search.cost
    let changes = choices.changes(from: argmax, to: chosen).joined(separator: ", ")
    return "the most probable network costs \(metric.text(costModel.cost(argmax))), "
      + (isOver
        ? "over the budget of \(metric.text(configuration.limit ?? 0)): "
        : "and another within reach does better on the validation images: ")
      + "\(changes); the exported one costs \(metric.text(costModel.cost(chosen)))"
  }

  /// Nothing: the verdict says it.
  func complete(_ result: inout SearchResult, _ evaluated: [EvaluatedNetwork]) {}

  var exportsThetaAccuracy: Bool { false }
}
