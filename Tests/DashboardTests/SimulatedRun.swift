@testable import Dashboard
import Foundation
import Runs
import Synchronization

/// A run without a trainer: plausible numbers as a pure function of the step, so that frames can be
/// compared to the letter.
final class SimulatedRun: RunSource {
  let layers: Int
  let epochs: Int
  let stepsPerEpoch = 40
  let summary: RunSummary
  let choices: [Choice]
  let prices: [ChoicePrices]
  /// Milliseconds of a FLOP where latency is the cost, else 1.
  let unit: Double
  private(set) var step = 0
  private(set) var requests: [Intervention.Action] = []
  /// What the next poll hands over.
  var pending = RunDelta()

  init(
    layers: Int = 8,
    space: SimulatedSpace = .blocks,
    epochs: Int = 30,
    budget: Double = 900_000,
    metric: CostMetric = .flops,
    name: String = "digits-1",
    preset: String = "digits",
    data: String = "digits"
  ) {
    self.layers = layers
    self.epochs = epochs
    let isTimed = metric == .latency
    unit = isTimed ? 2.5e-6 : 1
    summary = RunSummary(
      name: name,
      preset: preset,
      data: data,
      seed: 7,
      epochs: epochs,
      warmupEpochs: 3,
      schedule: TemperatureSchedule(form: .exponential, start: 5, rate: 0.09, end: 0.1),
      costMetric: metric,
      budget: budget * unit
    )
    choices = space.choices(layers)
    prices = space == .blocks ? SimulatedSpace.prices(choices, unit: isTimed ? unit : nil) : []
  }

  /// A number in 0…1 that looks random.
  static func noise(_ a: Int, _ b: Int, _ c: Int = 0) -> Double {
    var x = UInt64(bitPattern: Int64(a &* 7919 &+ b &* 104_729 &+ c &* 1_299_709 &+ 12_345))
    x = (x ^ (x >> 30)) &* 0xbf58_476d_1ce4_e5b9
    x = (x ^ (x >> 27)) &* 0x94d0_49bb_1331_11eb
    return Double((x ^ (x >> 31)) >> 11) / 9_007_199_254_740_992
  }

  func logits(_ epoch: Double) -> [[Float]] {
    choices.indices.map { layer in
      let count = choices[layer].options.count
      let favourite = [3, 6, 2, 7, 8, 4, 1, 5, 0][(layer * 5 + 1) % 9] * count / 9
      let rival = [2, 7, 6, 3, 4][layer % 5] * count / 9
      let age = max(0, epoch - 3) / Double(epochs)
      return choices[layer].options.indices.map { option in
        let pull = option == favourite ? 1.0 : option == rival ? 0.55 : 0
        let pace = 3 + 5 * Self.noise(layer, 1)
        let bump = option == rival ? 1.2 * exp(-pow((age - 0.25) * 6, 2)) : 0
        let wobble = 0.25 * sin(age * 22 + Double(option * 2 + layer))
        return Float(pull * pace * age + bump + wobble * age - Self.noise(layer, option, 2) * age)
      }
    }
  }

  func temperature(_ step: Int) -> Double {
    summary.schedule.value(epoch: step / stepsPerEpoch, of: epochs)
  }

  func expectedCost(_ epoch: Double) -> Double {
    unit
      * zip(logits(epoch), prices).reduce(210_000) { sum, item in
        sum + zip(softmax(item.0), item.1.flops).reduce(0) { $0 + Double($1.0) * $1.1 }
      }
  }

  /// Eight networks of which the larger ones are better in the end, and not yet at the beginning.
  private func ranking(_ epoch: Int) -> Ranking {
    let noise = 0.3 * exp(-Double(epoch) / 8)
    return Ranking(
      costs: (0..<8).map { 300_000 + 90_000 * Double($0) },
      accuracies: (0..<8).map {
        0.6 + 0.03 * Double($0) + noise * (Self.noise($0, epoch, 9) - 0.5)
      },
      losses: (0..<8).map { 1 - 0.05 * Double($0) }
    )
  }

  /// What the first `advance` of equal runs hands over: most tests begin with the same.
  private static let known = Mutex<[String: (delta: RunDelta, step: Int)]>([:])

  func advance(to target: Int, state: RunStatus.State = .running) -> RunDelta {
    guard step == 0 else { return advanced(to: target, state) }
    let name = "\(summary) \(choices) \(target) \(state)"
    if let known = Self.known.withLock({ $0[name] }) {
      step = known.step
      return known.delta
    }
    let delta = advanced(to: target, state)
    Self.known.withLock { $0[name] = (delta, step) }
    return delta
  }

  private func advanced(to target: Int, _ state: RunStatus.State) -> RunDelta {
    var delta = RunDelta()
    if step == 0 {
      delta.summary = summary
      delta.choices = choices
      delta.prices = prices
    }
    while step < min(target, epochs * stepsPerEpoch) {
      let x = Double(step) / Double(stepsPerEpoch)
      let epoch = step / stepsPerEpoch
      let isTheta = step % stepsPerEpoch >= 32
      let fall = exp(-x / 6)
      let loss = 0.06 + 2.2 * fall + (Self.noise(step, 3) - 0.5) * (0.1 + 0.5 * fall)
      let accuracy = min(1, 0.99 - 0.85 * fall + (Self.noise(step, 4) - 0.5) * 0.12)
      let cost = expectedCost(x) * (0.85 + 0.3 * Self.noise(step, 5))
      delta.steps.append(
        StepRecord(
          step: step,
          epoch: epoch,
          phase: isTheta ? .theta : .weights,
          loss: loss * 1.3,
          crossEntropy: loss,
          accuracy: accuracy,
          cost: cost,
          temperature: temperature(step),
          learningRate: 0.05,
          seconds: 0.04,
          images: 64
        )
      )
      if isTheta, epoch >= summary.warmupEpochs {
        let values = logits(x)
        delta.thetas.append(
          ThetaRecord(
            step: step,
            epoch: x,
            logits: values,
            accuracyPull: values.indices.map { l in
              values[l].indices.map {
                Float((Self.noise(l, $0, 6) - 0.6) * 0.04) - values[l][$0] * 0.004
              }
            },
            costPull: choices.indices.map { choice in
              choices[choice].options.indices.map {
                let price = prices.isEmpty ? 30_000 * Double($0) : prices[choice].flops[$0]
                return Float((price - 90_000) / 9e6)
              }
            },
            expectedCost: expectedCost(x)
          )
        )
      }
      step += 1
      if step % stepsPerEpoch == 0 {
        let cost = expectedCost(x)
        delta.epochs.append(
          EpochRecord(
            epoch: epoch,
            step: step,
            trainLoss: 0.06 + 2.2 * fall,
            trainAccuracy: 0.99 - 0.85 * fall,
            validationLoss: 0.11 + 2.1 * fall,
            validationAccuracy: 0.974 - 0.83 * fall,
            argmaxAccuracy: 0.968 - 0.88 * fall,
            expectedCost: cost,
            argmaxFlops: 812_000,
            argmaxParams: 21_400,
            temperature: temperature(step - 1),
            seconds: 1.9,
            argmaxLatency: unit < 1 ? 812_000 * unit : nil,
            ranking: (epoch + 1) % 5 == 0 ? ranking(epoch) : nil
          )
        )
      }
    }
    delta.status = status(state)
    return delta
  }

  /// The same curves as of one network that is trained: no choices, no temperature, a learning
  /// rate.
  func training(to target: Int) -> RunDelta {
    var delta = advance(to: target, state: target == .max ? .finished : .running)
    var recipe = Recipe()
    recipe.mixup = 0.2
    recipe.ema = 0.999
    delta.summary?.kind = .training
    delta.summary?.recipe = recipe
    delta.summary?.preset = "fbnet_96"
    delta.choices = nil
    delta.thetas = []
    for i in delta.steps.indices {
      let share = Double(i) / Double(epochs * stepsPerEpoch)
      delta.steps[i].phase = .weights
      delta.steps[i].cost = 12_809_496
      delta.steps[i].temperature = 0
      delta.steps[i].learningRate = min(0.1, 0.0025 * Double(i + 1)) * (1 + cos(.pi * share)) / 2
    }
    for i in delta.epochs.indices {
      delta.epochs[i].topFive = (1 + delta.epochs[i].validationAccuracy) / 2
      delta.epochs[i].argmaxFlops = 12_809_496
      delta.epochs[i].argmaxParams = 1_833_904
    }
    delta.status?.temperature = 0
    return delta
  }

  func status(_ state: RunStatus.State) -> RunStatus {
    var status = RunStatus(state: state)
    let total = epochs * stepsPerEpoch
    status.epoch = min(step / stepsPerEpoch, epochs - 1)
    status.epochs = epochs
    status.step = step
    status.totalSteps = total
    status.stepInEpoch = step - status.epoch * stepsPerEpoch
    status.stepsPerEpoch = stepsPerEpoch
    status.phase = status.stepInEpoch >= 32 ? .theta : .weights
    status.temperature = temperature(max(0, min(step, total - 1)))
    status.imagesPerSecond = 1612
    status.etaSeconds = Double(total - step) * 0.04
    status.memoryBytes = 148_000_000
    status.operations = [
      OperationTime(operation: "convolution 1x1", share: 0.46),
      OperationTime(operation: "depthwise 3x3", share: 0.21),
      OperationTime(operation: "batch-norm sums", share: 0.09),
      OperationTime(operation: "other", share: 0.24),
    ]
    status.processIdentifier = 4242
    status.heartbeat = 1_790_000_000
    return status
  }

  func poll() throws -> RunDelta {
    defer { pending = RunDelta() }
    return pending
  }

  func request(_ action: Intervention.Action) throws { requests.append(action) }
}
