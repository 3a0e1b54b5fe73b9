import Runs
import Training

/// The search by the gradient of θ (spec S9, S11): its networks are those that θ stands for within
/// the budget, and some sampled from softmax(θ) on condition that they make use of it.
struct GradientSearch: SupernetAlgorithm {
  private let supernet: Supernet
  private let configuration: Configuration
  private let plan: TrainingPlan

  /// Networks sampled from softmax(θ) for the export, besides the most probable one.
  private static let samples = 4

  /// Reads `supernet`, which the task trains by `configuration` and `plan`.
  init(_ supernet: Supernet, configuration: Configuration, plan: TrainingPlan) {
    self.supernet = supernet
    self.configuration = configuration
    self.plan = plan
  }

  private var theta: ArchitectureParameters { supernet.theta }

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

  private var within: ClosedRange<Double> { theta.useful(configuration.limit) }
  private var argmaxCost: Double { theta.costModel.cost(theta.argmax) }
  /// Whether the most probable network costs more than the budget, or leaves much of it.
  private var isOutside: Bool { !within.contains(argmaxCost) }

  /// Last comes the most probable network of all, where the budget bars it.
  func candidates() -> [Candidate] {
    let starts = supernet.starts(limit: configuration.limit)
    let sampled = theta.samples(
      Self.samples,
      seed: configuration.seed,
      within: within,
      except: Set(starts.map(\.architecture))
    )
    return starts
      + sampled.map { Candidate(source: "sampled", architecture: $0) }
      + (isOutside ? [Candidate(source: "argmax", architecture: theta.argmax)] : [])
  }

  /// Best first, but the network that the budget bars last.
  func ranked(_ evaluated: [EvaluatedNetwork]) -> [EvaluatedNetwork] {
    let count = evaluated.count - (isOutside ? 1 : 0)
    return evaluated.prefix(count).sorted(by: EvaluatedNetwork.isBetter)
      + evaluated.dropFirst(count)
  }

  func unbounded(chosen: Architecture) -> Architecture { theta.argmax }

  func reason(for chosen: Architecture) -> String? {
    let argmax = theta.argmax
    guard chosen != argmax else { return nil }
    let costModel = theta.costModel
    let metric = configuration.search.cost
    let changes = supernet.choices.changes(from: argmax, to: chosen).joined(separator: ", ")
    let budget = configuration.limit ?? .infinity
    let why =
      if !isOutside {
        "and another within reach does better on the validation images: "
      } else if argmaxCost > budget {
        "over the budget of \(metric.text(budget)): "
      } else {
        "far below the budget of \(metric.text(budget)): "
      }
    return "the most probable network costs \(metric.text(argmaxCost)), \(why)\(changes); "
      + "the exported one costs \(metric.text(costModel.cost(chosen)))"
  }

  /// Nothing: the verdict says it.
  func complete(_ result: inout SearchResult, _ evaluated: [EvaluatedNetwork]) {}

  var exportsThetaAccuracy: Bool { false }
}
