import Foundation
import Runs

@testable import Dashboard

/// A joint search as its store shows it, after some of its candidates.
struct SimulatedJointRun {
  static let choices: [Choice] = {
    func choice(_ id: String, _ name: String, _ kind: Choice.Kind, _ values: [Double]) -> Choice {
      Choice(
        id: id,
        name: name,
        detail: "",
        kind: kind,
        group: kind == .recipe ? "recipe" : "stage 1",
        options: values.map { Choice.Option(name: "\($0)", value: $0) }
      )
    }
    return [
      choice("network.resolution", "resolution", .resolution, [6, 8]),
      choice("stage1.width", "stage 1 width", .width, [8, 12, 16]),
      choice("stage1.depth", "stage 1 depth", .depth, [1, 2]),
      choice("stage1.first_expansion", "stage 1 first expansion", .expansion, [1, 2, 3]),
      Choice(
        id: "recipe.optimiser",
        name: "optimiser",
        detail: "",
        kind: .recipe,
        group: "recipe",
        options: [Choice.Option(name: "sgd"), Choice.Option(name: "rmsprop")]
      ),
      choice("recipe.learning_rate", "learning rate", .recipe, [0.001, 0.01, 0.1]),
      choice("recipe.mixup", "mixup", .recipe, [0, 0.2]),
      choice("recipe.dropout", "dropout", .recipe, [0, 0.1, 0.3]),
    ]
  }()

  static let epochs = 6

  /// The delta of a run with so many settled candidates of 20: two rounds of 8, then 4.
  static func delta(settled: Int, failed: Set<Int> = []) throws -> RunDelta {
    var delta = RunDelta()
    delta.startsAnew = true
    var settings = try JointConfiguration.preset("fbnet-v3-digits")
    settings.recipe.epochs = epochs
    delta.summary = RunSummary(name: "fbnet-v3-digits-1", settings: .joint(settings))
    delta.choices = choices
    let known = settled < 8 ? 8 : settled < 16 ? 16 : 20
    delta.trials = (1...known).map { trial($0, settled: settled, failed: failed) }
    var progress = JointProgress()
    if settled >= 8 {
      progress.earlyRanks = JointProgress.EarlyRanks(
        accuracy: [0.6, 0.85, 0.93, 0.95, 0.99, 1],
        bestQuarter: [-0.2, 0.4, 0.6, 0.7, 0.9, 1],
        lossSum: [0.5, 0.7, 0.8, 0.85, 0.88, 0.9]
      )
      progress.stopEpoch = 3
      progress.held = [JointProgress.Held(candidates: 8, spearman: 0.71, kendall: 0.55)]
    }
    if settled >= 16 {
      progress.held.append(JointProgress.Held(candidates: 16, spearman: 0.84, kendall: 0.68))
      progress.generations = (1...12).map {
        JointProgress.Generation(
          number: $0,
          best: 0.97 - 0.02 / Double($0),
          mean: 0.96 - 0.06 / Double($0),
          children: 40
        )
      }
    }
    delta.joint = progress
    var status = RunStatus(state: settled == 20 ? .finished : .running, message: "")
    (status.epoch, status.epochs) = (settled < 8 ? 0 : settled < 16 ? 1 : 2, 3)
    (status.step, status.totalSteps) = (settled, 20)
    (status.stepInEpoch, status.stepsPerEpoch) =
      settled < 8 ? (settled, 8) : settled < 16 ? (settled - 8, 8) : (settled - 16, 4)
    status.etaSeconds = settled == 20 ? nil : Double(20 - settled) * 4
    status.memoryBytes = 90 << 20
    status.heartbeat = 1_790_000_000
    delta.status = status
    delta.trainerAlive = settled < 20
    if settled == 20 { delta.result = .joint(result) }
    return delta
  }

  private static func trial(_ number: Int, settled: Int, failed: Set<Int>) -> TrialRecord {
    var options = choices.enumerated().map { index, choice in
      (number * (index + 3) + number / 3) % choice.options.count
    }
    options[0] = number % 3 == 0 ? 0 : 1
    var recipe = Recipe()
    recipe.optimiser = options[4] == 0 ? .sgd : .rmsprop
    recipe.learningRate = [0.001, 0.01, 0.1][options[5]]
    recipe.mixup = [0, 0.2][options[6]]
    recipe.dropout = [0, 0.1, 0.3][options[7]]
    recipe.epochs = epochs
    let round = number <= 8 ? 0 : number <= 16 ? 1 : 2
    var trial = TrialRecord(
      number: number,
      stage: round < 2 ? .coarse : .fine,
      round: round,
      options: options,
      resolution: [6, 8][options[0]],
      recipe: recipe,
      flops: Double(90_000 + number * 7919 % 60_000),
      params: Double(9_000 + number * 613 % 7_000),
      predicted: round == 0 ? nil : 0.9 + Double(number % 7) / 100,
      spread: round == 0 ? nil : 0.02
    )
    let length = number <= 8 || number > 16 ? epochs : 3
    let reached = min(0.985, 0.86 + Double(number * 37 % 90) / 1000 + Double(round) * 0.03)
    let curve = (1...epochs).map { reached - 0.5 * pow(0.4, Double($0)) }
    if failed.contains(number), number <= settled {
      trial.state = .failed
      trial.message = "epoch 1: the loss of step 4 is not a finite number"
    } else if number <= settled {
      trial.state = .finished
      trial.accuracies = Array(curve.prefix(length))
      trial.top1 = reached - 0.004
      trial.seconds = 4
    } else if number <= settled + 2 {
      trial.state = .running
      trial.accuracies = Array(curve.prefix(2))
    }
    trial.losses = trial.accuracies.map { 2 * (1 - $0) }
    if trial.state != .waiting { trial.run = "trials/candidate-\(number)" }
    return trial
  }

  static var result: JointResult {
    let best = trial(17, settled: 20, failed: [])
    return JointResult(
      algorithm: .joint,
      architecture: zip(choices, best.options).filter { $0.0.kind != .recipe }.map {
        JointResult.Taken(choice: $0.id, option: $0.options[$1].name)
      },
      recipe: best.recipe,
      candidate: best.number,
      validationAccuracy: best.accuracies.last ?? 0,
      testAccuracy: 0.971,
      testLoss: 0.11,
      flops: best.flops,
      params: best.params,
      latency: nil,
      predictorRankCorrelation: 0.84,
      predictorKendallTau: 0.68,
      trainedCandidates: 20,
      failedCandidates: 0,
      stopEpoch: 3,
      sampledMean: 0.9,
      sampledDeviation: 0.03,
      weights: "/tmp/run/exports/network.safetensors",
      run: "/tmp/run",
      epochs: 96,
      seconds: 80
    )
  }

  /// A model of the size that has taken up such a run.
  static func model(_ name: String, _ size: Size) throws -> Model {
    var model = Model(size: size)
    _ = update(&model, .tick(1_790_000_001))
    switch name {
    case "joint-failed":
      var delta = try delta(settled: 12, failed: [3, 9, 10])
      delta.status?.state = .failed
      delta.status?.message = "/tmp/images: no such folder; mount it, and continue with resume"
      _ = update(&model, .data(delta))
    case "joint-finished", "joint-over":
      _ = update(&model, .data(try delta(settled: 20)))
      if name == "joint-over" { _ = update(&model, .key(.escape)) }
    case "joint-begun": _ = update(&model, .data(try delta(settled: 3)))
    default: _ = update(&model, .data(try delta(settled: 12, failed: [3])))
    }
    switch name {
    case "joint-candidate":
      for key in [Key.down, .enter, .down, .character(">")] { _ = update(&model, .key(key)) }
    case "joint-limit":
      for key in "b60k".unicodeScalars { _ = update(&model, .key(.character(key))) }
    case "joint-progress": _ = update(&model, .key(.character("2")))
    case "joint-front": _ = update(&model, .key(.character("3")))
    case "joint-recipes": _ = update(&model, .key(.character("4")))
    case "joint-help": _ = update(&model, .key(.character("?")))
    default: break
    }
    return model
  }
}
