@testable import Dashboard
import Foundation
import Runs
import Testing

/// Events at random: whatever comes, in whatever order, there is a whole frame.
///
/// `SUPERTOP_FUZZ=1000000 swift test --filter EventFuzz` tries that many.
@Suite struct EventFuzzTests {
  private static let count =
    ProcessInfo.processInfo.environment["SUPERTOP_FUZZ"].flatMap { Int($0) } ?? 3000
  /// Events of one model.
  private static let length = 500

  @Test func `any events and any bytes keep the grid`() throws {
    for seed in 0..<max(1, Self.count / Self.length) {
      var random = Dice(seed: UInt64(seed))
      var world = try World(&random, seed: seed)
      for step in 0..<Self.length {
        let event = world.step(&random)
        if step % 20 == random.below(20) || step == Self.length - 1 {
          try world.check("seed \(seed), step \(step): \(event)")
        }
      }
    }
  }

  @Test func `any bytes end in ground: a key is a key after a while`() {
    for seed in 0..<max(1, Self.count / 30) {
      var random = Dice(seed: UInt64(seed) &+ 77_777)
      var input = TerminalInput()
      var now = 10.0
      for _ in 0..<30 {
        _ = input.events(random.bytes(), at: now)
        now += random.of([0, 0.01, 0.06, 1, 3])
        _ = input.settle(at: now)
      }
      now += 100
      _ = input.events(Array("\u{18}".utf8), at: now)
      _ = input.settle(at: now + 1)
      let events = input.events(Array("q".utf8), at: now + 100)
      #expect("\(events.suffix(1))" == "\([Event.key(.character("q"))])", "seed \(seed)")
    }
  }
}

/// Numbers that look random, the same for a seed.
private struct Dice: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed &* 0x9e37_79b9_7f4a_7c15 &+ 1 }

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var x = state
    x = (x ^ (x >> 30)) &* 0xbf58_476d_1ce4_e5b9
    x = (x ^ (x >> 27)) &* 0x94d0_49bb_1331_11eb
    return x ^ (x >> 31)
  }

  mutating func below(_ count: Int) -> Int { Int(next() % UInt64(count)) }
  mutating func of<T>(_ items: [T]) -> T { items[below(items.count)] }
  mutating func chance(_ share: Int) -> Bool { below(100) < share }

  /// A number such as no healthy run writes.
  mutating func odd() -> Double {
    of([
      0, -0.0, 1, -1, .nan, .infinity, -.infinity, 1e308, -1e308, .leastNonzeroMagnitude, 1e15, 0.5,
      99.99,
    ])
  }

  mutating func oddCount() -> Int { of([0, 1, -1, 7, 40, 1200, 1_000_000_000_000_000]) }

  /// A text such as no careful person writes.
  mutating func text() -> String {
    of([
      "", " ", "a", "図形 16→24", "\u{1B}[31mred\u{07}", "e\u{301}\u{301}\u{301}", "\t\n\r\0",
      "👩‍👩‍👧‍👦🏳️‍🌈", "\u{202E}abc", String(repeating: "long ", count: 60), "\u{9B}2J", "k3_e6",
      "\u{FFFD}\u{FFFF}", "a;b|c=d", String(repeating: "ｗ", count: 90),
    ])
  }

  /// Pieces of what terminals send, cut anywhere, and noise.
  mutating func bytes() -> [UInt8] {
    var bytes: [UInt8] = []
    for _ in 0...below(4) {
      let pieces = [
        "\u{1B}", "\u{1B}[A", "\u{1B}[<0;10;5M", "\u{1B}[<32;70;9M", "\u{1B}[<0;3;3m",
        "\u{1B}[<65;0;0M", "\u{1B}[<0;65535;65535M", "\u{1B}]11;rgb:ffff/ffff/dddd\u{1B}\\",
        "\u{1B}]11;#000000\u{07}", "\u{1B}[?62;22c", "\u{1B}[?997;2n", "\u{1B}[200~paste q",
        "\u{1B}[201~", "\u{1B}P+q\u{1B}\\", "T", "j", "y", "m", "q", "c", ":", "l", "\r", "é", "図",
        "\u{1B}O", "\u{1B}[M !!", "\u{18}", "\u{9B}", "\u{1B}[[A",
      ]
      let piece = Array(of(pieces).utf8)
      bytes += chance(80) ? piece[...] : piece[..<below(piece.count + 1)]
      if chance(10) { bytes.append(UInt8(below(256))) }
    }
    return bytes
  }
}

/// A model with what happens to it.
private struct World {
  private var model: Model
  private var input = TerminalInput()
  private var now = 100.0
  private let run: SimulatedRun
  private let isJoint: Bool
  private static let keys: [Key] =
    KeyTable.bindings.flatMap(\.keys) + [.backspace, .delete, .help, .character("7")]

  init(_ random: inout Dice, seed: Int) throws {
    let space = random.of([SimulatedSpace.blocks, .widths, .mixed, .many])
    isJoint = random.chance(25)
    let size = Size(random.below(140), random.below(45))
    run = SimulatedRun(layers: 1 + random.below(9), space: space, epochs: 1 + random.below(4))
    model =
      isJoint
      ? try SimulatedJointRun.model(random.of(GoldenFrameTests.jointStates), size)
      : Fixture.model(random.of(GoldenFrameTests.states), size)
    model.look.glyphs = random.of(GlyphSet.allCases)
    model.look.depth = random.of([.none, .eight, .sixteen, .palette, .direct])
    model.look.themeIndex = random.below(model.look.library.themes.count)
    model.ownsTrainer = random.chance(50)
  }

  /// Lets something happen, and says what.
  mutating func step(_ random: inout Dice) -> String {
    switch random.below(16) {
    case 0: return take(.resize(Size(random.below(150), random.below(48))))
    case 1:
      let button = random.of([0, 0, 64, 65, 1, 2, 128, -1])
      return take(.mouse(x: random.below(160) - 5, y: random.below(50) - 3, button: button))
    case 2: return take(.drag(x: random.below(200) - 9, y: random.below(50)))
    case 3: return take(.release)
    case 4: return take(.data(isJoint ? odd(&random, RunDelta()) : grown(&random)))
    case 5: return take(.data(odd(&random, RunDelta())))
    case 6: return take(.tick(model.now + random.of([0, 0.1, 7, 100])))
    case 7: return take(random.of([.interrupt, .paste(random.text()), .stop]))
    case 8: return take(.capturedOutput(random.text()))
    case 9: return take(.copied(Copied(bytes: random.below(99), way: .sent, file: random.text())))
    case 10: return take(.themes(themes(&random)))
    case 11, 12:
      now += random.of([0, 0.01, 0.06, 3])
      for event in input.settle(at: now) + input.events(random.bytes(), at: now) {
        _ = take(event)
      }
      return "bytes"
    default: return take(.key(random.of(Self.keys)))
    }
  }

  private mutating func take(_ event: Event) -> String {
    // An end is followed by more here, as if nobody had left.
    for case .exit in update(&model, event) { model.isStopping = false }
    _ = model.answer
    _ = model.tabProgress
    return "\(event)".prefix(200).description
  }

  private mutating func grown(_ random: inout Dice) -> RunDelta {
    let delta = run.advance(to: run.step + random.below(30))
    return random.chance(50) ? odd(&random, delta) : delta
  }

  /// A delta with values that no healthy run has.
  private func odd(_ random: inout Dice, _ delta: RunDelta) -> RunDelta {
    var delta = delta
    for index in delta.steps.indices where random.chance(50) {
      delta.steps[index].crossEntropy = random.odd()
      delta.steps[index].accuracy = random.odd()
      delta.steps[index].cost = random.odd()
      delta.steps[index].seconds = random.odd()
      delta.steps[index].step = random.oddCount()
    }
    for index in delta.epochs.indices where random.chance(50) {
      delta.epochs[index].validationLoss = random.odd()
      delta.epochs[index].expectedCost = random.odd()
      delta.epochs[index].argmaxFlops = random.odd()
      delta.epochs[index].argmaxLatency = random.odd()
      delta.epochs[index].seconds = random.odd()
      delta.epochs[index].epoch = random.oddCount()
    }
    for index in delta.thetas.indices where random.chance(50) {
      delta.thetas[index].logits = (0..<random.below(12)).map { _ in
        (0..<random.below(12)).map { _ in Float(random.odd()) }
      }
      delta.thetas[index].costPull = [[Float(random.odd())], []]
      delta.thetas[index].expectedCost = random.odd()
      delta.thetas[index].epoch = random.odd()
    }
    var status = model.status ?? RunStatus(state: .running)
    status.state = random.of([
      .preparing, .running, .validating, .paused, .stopped, .finished, .failed,
    ])
    status.message = random.text()
    (status.progress, status.temperature) = (random.odd(), random.odd())
    (status.imagesPerSecond, status.etaSeconds) = (random.odd(), random.odd())
    status.operations = (0..<random.below(4)).map { _ in
      OperationTime(operation: random.text(), share: random.odd())
    }
    (status.step, status.totalSteps) = (random.oddCount(), random.oddCount())
    (status.stepInEpoch, status.stepsPerEpoch) = (random.oddCount(), random.oddCount())
    (status.epoch, status.epochs) = (random.oddCount(), random.oddCount())
    (status.memoryBytes, status.heartbeat) = (random.oddCount(), random.odd())
    status.pinned = [random.below(30), -1]
    if random.chance(60) { delta.status = status }
    if random.chance(20) { delta.trainerAlive = random.chance(50) }
    if random.chance(20) {
      delta.log = [
        LogRecord(
          id: 1,
          time: random.odd(),
          level: random.of([.info, .notice, .warning, .error]),
          text: random.text()
        )
      ]
    }
    if random.chance(20), var summary = model.summary {
      (summary.name, summary.data, summary.preset) = (random.text(), random.text(), random.text())
      (summary.budget, summary.epochs) = (random.odd(), random.oddCount())
      delta.summary = summary
    }
    if random.chance(10), !isJoint, !model.choices.isEmpty {
      var choices = model.choices
      let place = random.below(choices.count)
      (choices[place].name, choices[place].detail) = (random.text(), random.text())
      choices[place].options = (0..<random.below(40)).map { _ in
        Choice.Option(name: random.text(), value: random.odd())
      }
      delta.choices = choices
      delta.prices = [
        ChoicePrices(choice: choices[place].id, flops: [random.odd()], params: [random.odd()])
      ]
    }
    if isJoint, !model.trials.isEmpty, random.chance(50) {
      var trial = random.of(model.trials)
      trial.accuracies = (0..<random.below(5)).map { _ in random.odd() }
      (trial.flops, trial.params, trial.latency) = (random.odd(), random.odd(), random.odd())
      (trial.predicted, trial.spread, trial.seconds) = (random.odd(), random.odd(), random.odd())
      (trial.message, trial.run) = (random.text(), random.text())
      trial.state = random.of(TrialRecord.State.allCases)
      delta.trials = [trial]
    }
    return delta
  }

  private func themes(_ random: inout Dice) -> ThemeLibrary {
    var library = ThemeLibrary.builtIn
    library.add("fg = \(random.of(["red", "#123456", "300", "", "default bold"]))", file: "mine")
    return library
  }

  /// Draws, and looks at every cell.
  func check(_ what: String) throws {
    let frame = view(model)
    let (width, height) = (model.size.width, model.size.height)
    try #require(frame.cells.count == width * height, "\(what)")
    // No control ever reaches the terminal as a character.
    let isClean = frame.cells.allSatisfy { cell in
      cell.scalar == 0 || cell.scalar >= 32 && !(0x7F..<0xA0).contains(cell.scalar)
    }
    try #require(isClean, "\(what)")
    if let cursor = frame.cursor {
      try #require((0..<width).contains(cursor.x) && (0..<height).contains(cursor.y), "\(what)")
    }
  }
}
