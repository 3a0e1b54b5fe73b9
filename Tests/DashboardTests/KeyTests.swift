@testable import Dashboard
import Foundation
import Runs
import Testing

/// What the keys do, each by what a user sees or the trainer is asked.
@Suite struct KeyTests {
  /// A key, the model before it, and what is true after it.
  private struct Case: Sendable {
    var keys: [Key]
    var before: @Sendable (inout Model) -> Void = { _ in }
    var effects: [Effect] = []
    var after: @Sendable (Model) -> Bool = { _ in true }
  }

  private static func c(_ scalar: Unicode.Scalar) -> Key { .character(scalar) }

  private static let steering: [Case] = [
    Case(keys: [c(" ")], effects: [.request(.pause)]),
    Case(keys: [c("s")], effects: [.request(.singleStep)]),
    Case(keys: [c("+"), c("=")], effects: [.request(.scaleTemperature(1.1))]),
    Case(keys: [c("-"), c("_")], effects: [.request(.scaleTemperature(1 / 1.1))]),
    Case(keys: [c("t")], after: { $0.overlay == .prompt(.temperature, text: "", error: "") }),
    Case(keys: [c("h")], effects: [.request(.holdTemperature)]),
    Case(keys: [c("c")], effects: [.request(.checkpoint)]),
    Case(
      keys: [c("p")],
      before: { $0.status?.pinned = [3] },
      effects: [.request(.unpinChoice(3))]
    ),
    Case(keys: [c("u")], effects: [.request(.undo)]),
    Case(keys: [c(":")], after: { $0.overlay == .prompt(.control, text: "", error: "") }),
    Case(keys: [c("b")], after: { $0.overlay == .prompt(.branch, text: "", error: "") }),
  ]

  /// From the fourth of many choices in groups.
  private static let looking: [Case] = [
    Case(keys: [.up, c("k")], after: { $0.selection == 2 }),
    Case(keys: [.down, c("j")], after: { $0.selection == 4 }),
    Case(keys: [.pageUp], after: { $0.selection == 0 }),
    Case(keys: [.pageDown], after: { $0.selection > 4 }),
    Case(keys: [.home, c("g")], after: { $0.selection == 0 }),
    Case(keys: [.end, c("G")], after: { $0.selection == $0.choices.count - 1 }),
    Case(keys: [.enter, .right], after: { $0.screen == .inspector }),
    Case(keys: [c("f")], after: { $0.foldedHead?.isBlock == true }),
    Case(
      keys: [c("F")],
      after: { model in
        model.choices.indices.allSatisfy { index in
          var other = model
          other.selection = index
          // Those that are in a block.
          return (other.foldedHead != nil) == (1..<79).contains(index)
        }
      }
    ),
    Case(
      keys: [.escape, .left, .backspace],
      before: { $0.screen = .inspector },
      after: { $0.screen == .main }
    ),
    Case(keys: [.tab], after: { $0.tab == 1 }),
    Case(keys: [.backTab], after: { $0.tab == $0.kind.tabs.count - 1 }),
    Case(keys: [c("1")], before: { $0.tab = 2 }, after: { $0.tab == 0 }),
    Case(keys: [c("2")], after: { $0.tab == 1 }),
    Case(keys: [c("3")], after: { $0.tab == 2 }),
    Case(keys: [c("5")], after: { $0.tab == 4 }),
    Case(keys: [c("6")], after: { $0.tab == 5 }),
    Case(keys: [c("7")], after: { $0.tab == 6 }),
    Case(keys: [c("z")], after: { $0.zoom == .loss }),
    Case(keys: [c("e")], after: { $0.film == .leader }),
    Case(keys: [c("S")], after: { $0.charts.smoothing == 0.97 }),
    Case(keys: [c("L")], after: { $0.charts.isLogarithmic }),
    Case(keys: [c("X")], after: { $0.charts.axis == .step }),
    Case(keys: [c("(")], after: { $0.charts.closeness == 1 }),
    Case(
      keys: [c(")")],
      before: { $0.charts.closeness = 1 },
      after: { $0.charts.closeness == 0 }
    ),
    Case(
      keys: [c(",")],
      before: { $0.status?.step = 400 },
      effects: [.look(398)],
      after: { $0.cursor == 398 }
    ),
    Case(
      keys: [c(".")],
      before: { model in
        model.status?.step = 400
        model.cursor = 100
      },
      effects: [.look(102)]
    ),
    Case(keys: [c("[")], before: { asked(&$0) }, effects: [.look(120)]),
    Case(keys: [c("]")], before: { asked(&$0, cursor: 90) }, effects: [.look(120)]),
    Case(
      keys: [c("!")],
      before: { model in
        asked(&model)
        model.findings = [Finding(kind: .skips, isAlarm: true, step: 77, text: "skip leads")]
      },
      effects: [.look(77)],
      after: { $0.message == .problem("skip leads") }
    ),
    Case(keys: [c("l")], after: { $0.overlay == .log }),
    // The log is there already.
    Case(
      keys: [c("l")],
      before: { model in model.tab = model.kind.tabs.count - 2 },
      after: { $0.isShowingLog && $0.overlay == nil }
    ),
  ]

  /// Done 400 steps, with a request at step 120.
  private static func asked(_ model: inout Model, cursor: Int? = nil) {
    model.status?.step = 400
    (model.epochs, model.log, model.cursor) = ([], [], cursor)
    model.interventions = [
      Intervention(
        id: 1,
        action: .holdTemperature,
        state: .done,
        step: 120,
        requestedAt: 0,
        note: ""
      )
    ]
  }

  /// In a joint search, from a candidate that is being trained.
  private static let joint: [Case] = [
    Case(keys: [c("x")], effects: [.request(.stopCandidate(13))]),
    Case(keys: [c("b")], after: { $0.overlay == .prompt(.limit, text: "", error: "") }),
    Case(keys: [c("n")], effects: [.request(.startFineStage)]),
    Case(
      keys: [c(">")],
      before: { ($0.screen, $0.draftRow) = (.inspector, 1) },
      after: { $0.drafted[1] == min(2, $0.trials[12].options[1] + 1) }
    ),
    Case(
      keys: [c("<")],
      before: { ($0.screen, $0.draftRow) = (.inspector, 1) },
      after: { $0.drafted[1] == max(0, $0.trials[12].options[1] - 1) }
    ),
    Case(
      keys: [c("a")],
      before: { ($0.screen, $0.draft) = (.inspector, [0, 0, 0, 0, 0, 0, 0, 0]) },
      effects: [.request(.addCandidate([0, 0, 0, 0, 0, 0, 0, 0]))]
    ),
    Case(keys: [c("o")], after: { !$0.ranksCandidates }),
    Case(keys: [c("4")], after: { $0.tab == 3 }),
  ]

  private static let program: [Case] = [
    Case(keys: [c("T")], after: { $0.overlay == .themes(before: "default-dark") }),
    Case(
      keys: [c("y")],
      before: { model in
        (model.screen, model.selection) = (.inspector, 0)
        model.choices = [Choice(name: "first", detail: "", options: [])]
      },
      effects: [.copy("first")]
    ),
    Case(keys: [c("m")], effects: [.mouse(false)], after: { !$0.pointer.isOurs }),
    Case(keys: [c("?"), .help], after: { $0.overlay == .help(scroll: 0) }),
    Case(keys: [c("\u{0c}")], effects: [.repaint]),
    Case(keys: [c("q"), c("Q")], after: { $0.overlay == .quit(selected: 0) }),
  ]

  @Test func `every key of the table does what it says`() throws {
    var tested: [Key] = []
    for entry in Self.joint {
      for key in entry.keys {
        var model = try SimulatedJointRun.model("joint", Size(120, 36))
        model.selection = 12
        entry.before(&model)
        #expect(update(&model, .key(key)) == entry.effects, "\(key)")
        #expect(entry.after(model), "\(key)")
        tested.append(key)
      }
    }
    for entry in Self.steering + Self.looking + Self.program {
      for key in entry.keys {
        var model = Fixture.model("many", Size(120, 36))
        model.selection = 3
        entry.before(&model)
        #expect(update(&model, .key(key)) == entry.effects, "\(key)")
        #expect(entry.after(model), "\(key)")
        tested.append(key)
      }
    }
    for kind in RunKind.allCases {
      let bound = KeyTable.bindings(kind).flatMap(\.keys)
      #expect(Set(bound).count == bound.count, "a key is bound twice in a \(kind.noun)")
    }
    let bound = KeyTable.bindings.flatMap(\.keys)
    #expect(Set(tested) == Set(bound), "a key has no case here")
  }

  @Test func `the command line asks for what is typed, and Tab completes it`() throws {
    var model = Fixture.model("many", Size(120, 36))
    model.selection = 3
    func type(_ text: String) -> [Effect] {
      text.unicodeScalars.reduce([]) { $0 + update(&model, .key(.character($1))) }
    }
    _ = type(":ba")
    _ = update(&model, .key(.tab))
    #expect(model.overlay == .prompt(.control, text: "ban=", error: ""))
    let choice = model.choices[3]
    _ = type(choice.name.replacing(" ", with: "") + ":")
    _ = update(&model, .key(.tab))
    #expect(
      update(&model, .key(.enter)) == [.request(.banOption(choice: 3, option: 0))]
    )
    #expect(model.overlay == nil)
    _ = type(":budget=much")
    #expect(update(&model, .key(.enter)) == [])
    guard case .prompt(.control, "budget=much", let error) = model.overlay else {
      Issue.record("the prompt is gone")
      return
    }
    #expect(error.contains("not a number"))
    // A choice that is not pinned is pinned to its leader.
    model.overlay = nil
    model.status?.pinned = nil
    let leader = model.leader(of: 3)
    #expect(type("p") == [.request(.pinChoice(choice: 3, option: leader))])
  }

  @Test func `every key that does something is in the help`() throws {
    for model in [
      Fixture.model("help", Size(120, 50)),
      try SimulatedJointRun.model("joint-help", Size(120, 50)),
    ] {
      let text = view(model).text
      for binding in KeyTable.bindings(model.kind) {
        #expect(text.contains(binding.label) && text.contains(binding.help), "\(binding.label)")
      }
    }
  }
}
