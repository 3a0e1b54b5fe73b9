@testable import Dashboard
import Foundation
import Runs
import Testing

/// What the dashboard notices by itself.
@Suite struct FindingTests {
  /// A search of two options a layer whose logit of option `favourite` follows `logit`.
  private func model(
    layers: Int = 6,
    options: [String] = ["k3_e1", "k3_e3", "skip"],
    favourite: Int = 1,
    temperature: (Double) -> Double = { 5 * pow(0.87, $0) },
    budget: Double = 0,
    cost: (Double) -> Double = { _ in 100 },
    losses: (Int) -> Double = { 2 / Double($0 + 1) },
    seconds: (Int) -> Double = { _ in 0.1 },
    logit: (Double) -> Double
  ) -> Model {
    var delta = RunDelta()
    delta.startsAnew = true
    delta.summary = RunSummary(
      name: "run",
      preset: "digits",
      data: "digits",
      seed: 1,
      epochs: 30,
      warmupEpochs: 0,
      schedule: TemperatureSchedule(form: .exponential, start: 5, rate: 0.14, end: 0.05),
      costMetric: .flops,
      budget: budget
    )
    delta.choices = (0..<layers).map { index in
      Choice(
        id: "layer\(index + 1).operator",
        name: "layer \(index + 1)",
        detail: "8x8",
        kind: .operator,
        group: "",
        options: options.map { Choice.Option(name: $0) }
      )
    }
    for epoch in 0..<29 {
      for part in 0..<4 {
        let step = epoch * 4 + part
        let x = Double(step + 1) / 4
        delta.steps.append(
          StepRecord(
            step: step,
            epoch: epoch,
            phase: part < 2 ? .weights : .theta,
            loss: losses(epoch),
            crossEntropy: losses(epoch),
            accuracy: 0.5,
            cost: cost(x),
            temperature: temperature(x),
            learningRate: 0.1,
            seconds: seconds(step),
            images: 32
          )
        )
        guard part >= 2 else { continue }
        let row = options.indices.map { Float($0 == favourite ? logit(x) : 0) }
        let zeros = Array(repeating: options.map { _ in Float(0) }, count: layers)
        delta.thetas.append(
          ThetaRecord(
            step: step,
            epoch: x,
            logits: Array(repeating: row, count: layers),
            accuracyPull: zeros,
            costPull: zeros
          )
        )
      }
      delta.epochs.append(
        EpochRecord(
          epoch: epoch,
          step: (epoch + 1) * 4,
          trainLoss: losses(epoch),
          trainAccuracy: 0.5,
          validationLoss: losses(epoch),
          validationAccuracy: 0.5,
          argmaxAccuracy: 0.5,
          expectedCost: cost(Double(epoch + 1)),
          argmaxFlops: 100,
          argmaxParams: 10,
          temperature: 1,
          seconds: 1
        )
      )
    }
    var status = RunStatus(state: .running)
    (status.step, status.totalSteps, status.stepsPerEpoch) = (116, 120, 4)
    (status.epoch, status.epochs, status.temperature) = (29, 30, 0.1)
    delta.status = status
    var model = Model(size: Size(120, 36))
    _ = update(&model, .data(delta))
    return model
  }

  private func kinds(_ model: Model) -> [Finding.Kind] { model.findings.map(\.kind) }

  @Test func `a network that has long been the same is settled, a wavering one is not`() throws {
    let calm = model { $0 < 8 ? $0 * 0.05 : $0 * 0.2 }
    #expect(kinds(calm) == [.settled])
    let found = try #require(calm.findings.first)
    #expect(!found.isAlarm && found.step.map { $0 < 8 } == true)
    let wavering = model { 2.5 * sin($0) }
    #expect(!kinds(wavering).contains(.settled))
  }

  @Test func `an entropy that no longer falls near the end is an alarm`() throws {
    let flat = model { _ in 0.1 }
    #expect(kinds(flat) == [.undecided])
    #expect(flat.findings[0].text.contains("0 of 6 choices"))
    // A search under way is not judged so.
    var early = flat
    early.status?.step = 40
    #expect(early.diagnose().isEmpty)
  }

  @Test func `skip that leads most layers is an alarm at the step where it came to`() throws {
    let shallow = model(favourite: 2) { $0 < 15 ? -0.5 : 0.4 * ($0 - 15) }
    let found = try #require(shallow.findings.first { $0.kind == .skips })
    #expect(found.text.contains("6 of the 6") && found.isAlarm)
    #expect(abs((found.step ?? 0) - 61) <= 2)
    #expect(!kinds(model { $0 * 0.2 }).contains(.skips))
  }

  @Test func `choices made while it is hot are an alarm`() {
    let rash = model { $0 < 3 ? 2 * $0 : 6 }
    #expect(kinds(rash).contains(.early))
    #expect(!kinds(model { $0 * 0.2 }).contains(.early))
  }

  @Test func `losses that rise or are no numbers are alarms`() {
    let rising = model(losses: { $0 < 10 ? 1 : 1 + Double($0 - 9) * 0.1 }) { $0 * 0.2 }
    #expect(kinds(rising).contains(.diverging))
    let lost = model(losses: { $0 == 12 ? .nan : 1 }) { $0 * 0.2 }
    let found = lost.findings.first { $0.kind == .notANumber }
    #expect(found?.step.map { abs($0 - 49) <= 1 } == true)
  }

  @Test func `a cost that will not reach its budget is an alarm`() {
    let far = model(budget: 60, cost: { 110 - $0 * 0.5 }) { $0 * 0.2 }
    #expect(kinds(far).contains(.overBudget))
    let near = model(budget: 60, cost: { max(59, 110 - $0 * 3) }) { $0 * 0.2 }
    #expect(!kinds(near).contains(.overBudget))
  }

  @Test func `a step that took far too long is an alarm at its moment`() throws {
    let stalled = model(seconds: { $0 == 60 ? 90 : 0.1 }) { $0 * 0.2 }
    let found = try #require(stalled.findings.first { $0.kind == .stalled })
    #expect(found.isAlarm && found.text.contains("900 times"), "\(found.text)")
    #expect(found.step.map { abs($0 - 61) <= 1 } == true)
    // Long, but not beside the others; and far from the others, but short.
    #expect(!kinds(model(seconds: { $0 == 60 ? 90 : 9 }) { $0 * 0.2 }).contains(.stalled))
    #expect(!kinds(model(seconds: { $0 == 60 ? 5 : 0.1 }) { $0 * 0.2 }).contains(.stalled))
  }

  @Test func `a full disk is told, and the key goes to the moment of what was noticed`() {
    var shallow = model(favourite: 2) { $0 < 15 ? -0.5 : 0.4 * ($0 - 15) }
    var delta = RunDelta()
    delta.freeBytes = 1 << 20
    _ = update(&shallow, .data(delta))
    #expect(kinds(shallow).contains(.disk))
    let alarm = shallow.findings.first(where: \.isAlarm)
    _ = update(&shallow, .key(.character("!")))
    #expect(shallow.cursor == alarm?.step)
    #expect(view(shallow).text.contains("skip leads"))
    var quiet = Fixture.model("preparing", Size(80, 24))
    _ = update(&quiet, .key(.character("!")))
    #expect(view(quiet).text.contains("nothing has been noticed"))
  }

  @Test func `a lead that wobbles as much as it is large is a toss-up`() throws {
    let clear = try #require(model { $0 * 0.2 }.decision(of: 0))
    #expect(clear.isClear && clear.lead > 0.5)
    let toss = try #require(model { 0.3 * sin($0 * 9) }.decision(of: 0))
    #expect(!toss.isClear)
    let why = whyLeads(model { 0.3 * sin($0 * 9) }, 0)
    #expect(why.contains("toss-up") && why.contains("neither accuracy nor cost pulls at it"))
    // What a person has pinned was no toss-up, and what pinning would change is done.
    var pinned = model { 0.3 * sin($0 * 9) }
    pinned.status?.pinned = [0]
    #expect(whyLeads(pinned, 0).contains("is pinned") && whatIf(pinned, 0) == nil)
  }
}
