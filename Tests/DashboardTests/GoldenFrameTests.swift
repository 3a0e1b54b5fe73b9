@testable import Dashboard
import Foundation
import Runs
import Testing

/// Frames to the letter; `SUPERTOP_RECORD=1 swift test --filter GoldenFrame` records them again.
@Suite struct GoldenFrameTests {
  static let sizes = ["80x24", "120x36", "200x60", "60x16", "40x10", "20x4", "1x1"]

  static let states = [
    "running", "paused", "preparing", "empty", "finished", "nan", "constant", "deep", "inspector",
    "help", "quit", "prompt", "gone", "ascii", "mono", "training", "trained", "timed",
    "timed-inspector", "timed-finished", "random", "quit-training", "widths", "widths-inspector",
    "mixed", "mixed-width", "many", "many-blocks", "many-folded",
    "many-finished", "themes", "networks", "networks-blocks", "film", "system",
  ]

  @Test(arguments: states)
  func `frames look as recorded`(state: String) throws {
    for name in Self.sizes {
      let parts = name.split(separator: "x").compactMap { Int($0) }
      let frame = view(Fixture.model(state, Size(parts[0], parts[1])))
      #expect(frame.width == parts[0] && frame.height == parts[1])
      try compare(frame.text + "\n", "\(state)-\(name)")
    }
  }

  static let jointStates = [
    "joint", "joint-begun", "joint-candidate", "joint-limit", "joint-progress", "joint-front",
    "joint-recipes", "joint-help", "joint-failed", "joint-finished", "joint-over",
  ]

  @Test(arguments: jointStates)
  func `frames of joint searches look as recorded`(state: String) throws {
    for name in Self.sizes {
      let parts = name.split(separator: "x").compactMap { Int($0) }
      let frame = view(try SimulatedJointRun.model(state, Size(parts[0], parts[1])))
      #expect(frame.width == parts[0] && frame.height == parts[1])
      try compare(frame.text + "\n", "\(state)-\(name)")
    }
  }

  @Test(arguments: ["running", "inspector", "finished", "widths"])
  func `roles are as recorded`(state: String) throws {
    try compare(view(Fixture.model(state, Size(80, 24))).roles + "\n", "\(state)-80x24-roles")
  }

  @Test func `a recolouring breaks no golden frame`() {
    var model = Fixture.model("running", Size(80, 24))
    let before = view(model)
    model.look.themeIndex = 1
    #expect(view(model) == before)
  }

  private func compare(_ text: String, _ name: String) throws {
    let file = URL(filePath: #filePath).deletingLastPathComponent()
      .appending(path: "Frames/\(name).txt")
    if ProcessInfo.processInfo.environment["SUPERTOP_RECORD"] != nil {
      try FileManager.default.createDirectory(
        at: file.deletingLastPathComponent(),
        withIntermediateDirectories: true
      )
      try Data(text.utf8).write(to: file)
      return
    }
    let expected = try String(contentsOf: file, encoding: .utf8)
    #expect(text == expected, "\(name) differs; SUPERTOP_RECORD=1 records it again")
  }
}

/// Models in the states that a person may meet.
enum Fixture {
  /// The result of a search whose most probable network missed its budget.
  static let found = SearchResult(
    event: "done",
    kind: .search,
    algorithm: "dnas",
    validationAccuracy: 0.968,
    argmaxAccuracy: 0.961,
    validationLoss: 0.11,
    testAccuracy: 0.958,
    testLoss: 0.13,
    supernetTestAccuracy: 0.963,
    supernetTestLoss: 0.12,
    architecture: [
      "k3_e6", "k5_e3", "skip", "k3_e3", "k5_e6", "k3_e1", "k3_e1_g2", "k5_e1",
    ].enumerated().map {
      .init(layer: "layer \($0 + 1)", choice: $1, flops: 90_000, params: 2_500)
    },
    flops: 790_000,
    params: 20_100,
    latency: 1.975,
    costMetric: .latency,
    cost: 1.975,
    expectedCost: 2.03,
    argmaxCost: 2.3,
    repaired: true,
    verdict: "8 of 8 choices are settled (0.31 bits on average)",
    uniform: .init(scale: 0.62, cost: 1.96, testAccuracy: 0.941, testLoss: 0.19),
    thetaHash: "",
    weightsHash: "",
    run: "/runs/digits-1",
    epochs: 30,
    steps: 1200,
    seconds: 57
  )

  /// Networks derived from a search, some of them trained from scratch.
  static func derived(_ choices: [Choice]) -> [DerivedRecord] {
    (0..<6).map { number in
      let options = choices.indices.map { (number * ($0 + 1)) % choices[$0].options.count }
      var network = DerivedRecord(
        source: ["argmax", "uniform", "sample", "sample", "sample", "refined"][number],
        architecture: options,
        blocks: zip(choices, options).map { $0.options[$1].name },
        changes: [],
        logProbability: -Double(number),
        flops: 420_000 + 60_000 * Double((number * 5) % 6),
        params: 9_000 + 1_500 * Double(number),
        latency: nil
      )
      network.accuracy = 0.91 + 0.01 * Double((number * 4) % 5)
      if number % 2 == 1 { network.trainedAccuracy = 0.95 + 0.004 * Double(number) }
      if number == 4 { network.step = 800 }
      if number == 5 { network.top1 = 0.966 }
      return network
    }
  }

  static func model(_ name: String, _ size: Size) -> Model {
    var look = Model.Look()
    if name == "ascii" { look.glyphs = .ascii }
    if name == "mono" { look.themeIndex = look.library.themes.count - 1 }
    var model = Model(size: size, look: look)
    model.now = 1_790_000_000
    let run = SimulatedRun(
      layers: name == "deep" ? 22 : 8,
      space: name.hasPrefix("widths")
        ? .widths : name.hasPrefix("mixed") ? .mixed : name.hasPrefix("many") ? .many : .blocks,
      metric: name.hasPrefix("timed") ? .latency : .flops
    )
    switch name {
    case "empty": return model
    case "preparing":
      var delta = RunDelta()
      delta.summary = run.summary
      var status = RunStatus(state: .preparing, message: "decoding images")
      status.progress = 0.44
      delta.status = status
      _ = update(&model, .data(delta))
      return model
    case "training", "trained", "quit-training":
      _ = update(&model, .data(run.training(to: name == "trained" ? .max : 700)))
      if name == "quit-training" { _ = update(&model, .key(.character("q"))) }
      return model
    case "timed-finished":
      var delta = run.advance(to: .max, state: .finished)
      delta.result = .search(found)
      _ = update(&model, .data(delta))
    case "random":
      var delta = run.advance(to: 700)
      delta.thetas = []
      delta.summary?.kind = .random
      delta.summary?.randomNetworks = 20
      _ = update(&model, .data(delta))
    case "system":
      _ = update(&model, .data(run.advance(to: 700)))
      model.tab = 6
    case "networks", "networks-blocks":
      var delta = run.advance(to: .max, state: .finished)
      delta.derived = derived(run.choices)
      _ = update(&model, .data(delta))
      for key in [Key.character("5"), .down, .down, .down] { _ = update(&model, .key(key)) }
      if name == "networks-blocks" { _ = update(&model, .key(.enter)) }
    case "finished", "many-finished":
      _ = update(&model, .data(run.advance(to: .max, state: .finished)))
    case "nan", "constant":
      var delta = run.advance(to: 400)
      for i in delta.steps.indices {
        delta.steps[i].crossEntropy = name == "nan" && i > 200 ? .nan : 1
        delta.steps[i].cost = name == "nan" ? .infinity : 5e5
        delta.steps[i].accuracy = name == "nan" ? .nan : 0.5
      }
      for i in delta.epochs.indices where name == "nan" {
        delta.epochs[i].validationLoss = .nan
        delta.epochs[i].validationAccuracy = .nan
        delta.epochs[i].expectedCost = .nan
      }
      for i in delta.thetas.indices where name == "nan" && i > 20 {
        delta.thetas[i].expectedCost = .nan
        delta.thetas[i].logits = delta.thetas[i].logits.map { $0.map { _ in .nan } }
      }
      _ = update(&model, .data(delta))
    case "paused":
      var delta = run.advance(to: 700, state: .paused)
      delta.status?.temperatureHeld = true
      delta.interventions = [
        Intervention(
          id: 3,
          action: .pause,
          state: .done,
          step: 700,
          requestedAt: 1_790_000_000,
          note: ""
        )
      ]
      _ = update(&model, .data(delta))
    default: _ = update(&model, .data(run.advance(to: 700)))
    }
    switch name {
    case "mixed-width": for _ in 0..<2 { _ = update(&model, .key(.down)) }
    case "many-blocks": _ = update(&model, .key(.character("F")))
    case "many-folded":
      // All groups but the second are folded, and there all blocks but the second.
      for key in "FFj".unicodeScalars { _ = update(&model, .key(.character(key))) }
      _ = update(&model, .key(.enter))
      _ = update(&model, .key(.down))
      _ = update(&model, .key(.enter))
    case "inspector", "timed-inspector", "widths-inspector":
      for key in [Key.down, .down, .enter] { _ = update(&model, .key(key)) }
    case "film": _ = update(&model, .key(.character("4")))
    case "themes": for key in "Tj".unicodeScalars { _ = update(&model, .key(.character(key))) }
    case "help": _ = update(&model, .key(.character("?")))
    case "quit": _ = update(&model, .key(.character("q")))
    case "prompt":
      for key in "t1.5x".unicodeScalars { _ = update(&model, .key(.character(key))) }
      _ = update(&model, .key(.enter))
    case "gone":
      var delta = RunDelta()
      delta.trainerAlive = false
      _ = update(&model, .data(delta))
    default: break
    }
    return model
  }
}
