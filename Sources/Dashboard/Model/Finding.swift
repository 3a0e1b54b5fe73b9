import Foundation
import Runs

/// Something that a run shows and a person should know: a diagnosis, no remedy.
struct Finding: Sendable, Equatable {
  enum Kind: String, Codable, Sendable, CaseIterable {
    /// The leading network has long been the same: more epochs will hardly change it.
    case settled
    /// The end is near and the entropy no longer falls.
    case undecided
    /// Most of the choices that may be skipped are about to be.
    case skips
    /// The choices were made while the temperature was still high.
    case early
    /// A loss that is no number.
    case notANumber = "not_a_number"
    /// The validation loss has long been rising.
    case diverging
    /// The cost will not come down to the budget at this pace.
    case overBudget = "over_budget"
    /// A step took many times as long as the others.
    case stalled
    /// The disk of the run is nearly full.
    case disk
  }

  var kind: Kind
  /// Whether something is going wrong.
  var isAlarm: Bool
  /// Steps done when it came to be so; nil for what belongs to no step.
  var step: Int?
  var text: String
}

extension Model {
  /// What the run shows now; derived anew when there is news.
  func diagnose() -> [Finding] {
    [
      settledNetwork, undecided, skipTakeover, earlyChoices, lostNumbers, divergence, outOfReach,
      stalledStep, diskSpace,
    ].compactMap(\.self)
  }

  /// Samples of θ that are enough to judge by.
  private static let enough = 12

  private var hasHistory: Bool { kind == .search && probabilities.samples.count >= Self.enough }

  private func network(_ sample: ProbabilityHistory.Sample) -> [Int] {
    sample.values.map(mostProbable)
  }

  /// Mean entropy of a sample as a share of that of even odds, over the choices that are open.
  private func openness(_ sample: ProbabilityHistory.Sample) -> Double {
    let open = sample.values.filter { $0.count > 1 }
    return open.map(entropyShare).reduce(0, +) / Double(max(1, open.count))
  }

  private var settledNetwork: Finding? {
    guard hasHistory, isSettled, let last = probabilities.samples.last else { return nil }
    let leading = network(last)
    let since = probabilities.samples.lastIndex { network($0) != leading }.map { $0 + 1 } ?? 0
    guard probabilities.samples.count - since >= max(8, probabilities.samples.count / 4) else {
      return nil
    }
    let epoch = probabilities.samples[since].epoch
    return Finding(
      kind: .settled,
      isAlarm: false,
      step: spans.step(at: epoch),
      text: "the leading network has been the same since epoch \(Format.epoch(epoch)), "
        + "\(verdict?.text ?? ""); more epochs will hardly change it"
    )
  }

  private var undecided: Finding? {
    guard hasHistory, progress >= 0.7, let verdict, 2 * verdict.settled < verdict.choices,
      let last = probabilities.samples.last
    else { return nil }
    let before = probabilities.samples[probabilities.samples.count * 3 / 4]
    let fall = openness(before) - openness(last)
    guard fall < 0.05 else { return nil }
    return Finding(
      kind: .undecided,
      isAlarm: true,
      step: spans.step(at: before.epoch),
      text: "since epoch \(Format.epoch(before.epoch)) the entropy is level at "
        + "\(Format.percent(openness(last), digits: 0)) of even odds: \(verdict.text)"
    )
  }

  private var skipTakeover: Finding? {
    guard hasHistory else { return nil }
    let skips = choices.indices.compactMap { index in
      choices[index].options.firstIndex { $0.name == "skip" }.map { (index, $0) }
    }
    func taken(_ sample: ProbabilityHistory.Sample) -> Int {
      let leading = network(sample)
      return skips.count { leading.indices.contains($0.0) && leading[$0.0] == $0.1 }
    }
    guard skips.count >= 4, let last = probabilities.samples.last,
      5 * taken(last) >= 3 * skips.count
    else { return nil }
    let since =
      probabilities.samples.lastIndex { 5 * taken($0) < 3 * skips.count }.map { $0 + 1 } ?? 0
    let epoch = probabilities.samples[since].epoch
    return Finding(
      kind: .skips,
      isAlarm: true,
      step: spans.step(at: epoch),
      text: "skip leads in \(taken(last)) of the \(skips.count) layers that have it, in most of "
        + "them since epoch \(Format.epoch(epoch)): the network is getting shallow"
    )
  }

  private var earlyChoices: Finding? {
    guard hasHistory, let schedule = summary?.schedule, schedule.start > schedule.end,
      schedule.end > 0
    else { return nil }
    let middle = schedule.start * pow(schedule.end / schedule.start, 1.0 / 3)
    guard
      let sample = probabilities.samples.first(where: { openness($0) < 0.3 }),
      let temperature = curves.temperature.upTo(sample.epoch).last, temperature > middle
    else { return nil }
    return Finding(
      kind: .early,
      isAlarm: true,
      step: spans.step(at: sample.epoch),
      text: "at epoch \(Format.epoch(sample.epoch)) the entropy had fallen below 30% of even odds "
        + "while the temperature was still \(Format.number(temperature)): the choices rest on "
        + "early, noisy steps"
    )
  }

  private var lostNumbers: Finding? {
    guard let first = curves.trainLoss.firstLost else { return nil }
    return Finding(
      kind: .notANumber,
      isAlarm: true,
      step: spans.step(at: first),
      text: "the training loss is no number since epoch \(Format.epoch(first))"
    )
  }

  private var divergence: Finding? {
    let losses = epochs.map(\.validationLoss)
    guard losses.count >= 4, let last = losses.last, let best = losses.min(),
      let place = losses.lastIndex(of: best), losses.count - place > 3, last > 1.5 * best
    else { return nil }
    return Finding(
      kind: .diverging,
      isAlarm: true,
      step: epochs[place].step,
      text: "the validation loss has risen from \(Format.number(best)) after epoch \(place + 1) to "
        + Format.number(last)
    )
  }

  /// The line through the last quarter of the expected costs, at the end of the run.
  private var outOfReach: Finding? {
    let costs = curves.expectedCost.buckets
    guard kind == .search, !isOver, let summary, summary.budget > 0, costs.count >= 8,
      let last = costs.last, last.mean > 1.02 * summary.budget
    else { return nil }
    let first = costs[costs.count * 3 / 4 - 1]
    guard last.end > first.end else { return nil }
    let slope = (last.mean - first.mean) / (last.end - first.end)
    let end = last.mean + slope * max(0, Double(summary.epochs) - last.end)
    guard end > 1.02 * summary.budget else { return nil }
    return Finding(
      kind: .overBudget,
      isAlarm: true,
      step: spans.step(at: first.end),
      text: "the expected cost is \(costMetric.short(last.mean)) and at this pace ends at "
        + "\(costMetric.short(max(0, end))), above the budget of "
        + costMetric.short(summary.budget)
    )
  }

  /// How many times as long as usual a step takes that has stalled, and its seconds at least.
  private static let stall = (factor: 20.0, seconds: 10.0)

  /// The slowest step, where the machine slept, swapped or was stopped in it.
  private var stalledStep: Finding? {
    let speeds = curves.throughput.buckets
    guard speeds.count >= Self.enough, let images = lastStep?.images,
      let slowest = speeds.min(by: { $0.low < $1.low }), slowest.low > 0
    else { return nil }
    let usual = speeds.map(\.mean).sorted()[speeds.count / 2]
    let seconds = Double(images) / slowest.low
    guard usual / slowest.low >= Self.stall.factor, seconds >= Self.stall.seconds else {
      return nil
    }
    return Finding(
      kind: .stalled,
      isAlarm: true,
      step: spans.step(at: slowest.end),
      text: "a step at epoch \(Format.epoch(slowest.end)) took \(Format.duration(seconds)), "
        + "\(Format.count(usual / slowest.low)) times as long as usual"
    )
  }

  /// Bytes below which a checkpoint may not find room.
  private static let leastSpace = 512 << 20

  private var diskSpace: Finding? {
    guard let freeBytes, freeBytes < Self.leastSpace, !isOver else { return nil }
    return Finding(
      kind: .disk,
      isAlarm: true,
      step: nil,
      text: "the disk of the run has \(Format.bytes(freeBytes)) left"
    )
  }
}

/// How far a choice is decided: how much its leader leads by, and how much that wobbles.
struct Decision: Sendable, Equatable {
  /// Mean lead of the leader over the next option, over the last quarter of the run; 0…1.
  var lead: Double
  /// Standard deviation of the same.
  var wobble: Double

  /// Whether the lead is more than its own wobble can take back.
  var isClear: Bool { lead > 2 * wobble && lead > 0.05 }
}

extension Model {
  /// How far choice `index` is decided; nil before θ has moved often enough.
  func decision(of index: Int) -> Decision? {
    let samples = probabilities.samples
    guard samples.count >= 8 else { return nil }
    let leader = leader(of: index)
    let leads = samples.suffix(max(8, samples.count / 4)).compactMap { sample -> Double? in
      guard sample.values.indices.contains(index), sample.values[index].count > 1,
        sample.values[index].indices.contains(leader)
      else { return nil }
      let values = sample.values[index]
      let next = values.indices.filter { $0 != leader }.map { values[$0] }.max() ?? 0
      return Double(values[leader] - next)
    }
    guard !leads.isEmpty else { return nil }
    let mean = leads.reduce(0, +) / Double(leads.count)
    let spread = leads.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(leads.count)
    return Decision(lead: mean, wobble: spread.squareRoot())
  }
}
