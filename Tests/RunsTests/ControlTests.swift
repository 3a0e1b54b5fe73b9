import Testing

@testable import Runs

/// What people type to steer a run (spec S82).
@Suite struct ControlTests {
  private static let choices = (1...3).map { layer in
    Choice(
      id: "layer\(layer).operator",
      name: "layer \(layer)",
      detail: "",
      kind: .operator,
      group: "",
      options: ["k3_e1", "k5_e6", "skip"].map { Choice.Option(name: $0) }
    )
  }

  private func action(_ text: String, _ kind: RunKind = .search) throws -> Intervention.Action {
    try Control.action(text, kind: kind, choices: Self.choices)
  }

  @Test func `every control is understood as it is written`() throws {
    let expected: [(String, Intervention.Action)] = [
      ("pause", .pause), ("resume", .resume), ("step", .singleStep), ("run-to=3", .runToEpoch(3)),
      ("temperature=2", .setTemperature(2)), ("temperature 0,5", .setTemperature(0.5)),
      ("temperature-factor=1.5", .scaleTemperature(1.5)), ("hold", .holdTemperature),
      ("release", .releaseTemperature), ("pin=layer2:k5_e6", .pinChoice(choice: 1, option: 1)),
      ("pin layer 2:K5_E6", .pinChoice(choice: 1, option: 1)),
      ("pin=layer2.operator:skip", .pinChoice(choice: 1, option: 2)),
      ("unpin=layer3", .unpinChoice(2)), ("ban=layer1:skip", .banOption(choice: 0, option: 2)),
      ("unban=layer1:skip", .allowOption(choice: 0, option: 2)),
      ("cost-weight=0.2", .setCostWeight(0.2)), ("budget=150k", .setBudget(150_000)),
      ("weights-rate=0.5", .setRate(.weights, 0.5)), ("theta-rate=2", .setRate(.theta, 2)),
      ("undo", .undo), ("checkpoint", .checkpoint), ("sample=4", .sampleNetworks(4)),
      ("derive=3", .deriveNetworks(3)),
      ("stop", .stop),
    ]
    for (text, wanted) in expected { #expect(try action(text) == wanted, "\(text)") }
    let joint: [(String, Intervention.Action)] = [
      ("stop-candidate=7", .stopCandidate(7)), ("add-candidate=0,1,2", .addCandidate([0, 1, 2])),
      ("limit=latency<=0.5", .setLimit(metric: .latency, 0.5)),
      ("limit flops 2M", .setLimit(metric: .flops, 2e6)), ("fine-stage", .startFineStage),
    ]
    for (text, wanted) in joint { #expect(try action(text, .joint) == wanted, "\(text)") }
    // None is forgotten above.
    let named = Set((expected + joint).map { $0.0.prefix { $0 != "=" && $0 != " " } })
    #expect(named == Set(Control.all.map { $0.name[...] }))
  }

  @Test(arguments: [
    ("", "temperature"), ("hotter", "no control"), ("temperature", "0.001"),
    ("temperature=0", "temperature=NUMBER"), ("temperature=nan", "not a number"),
    ("pause=1", "no value"), ("run-to=1.5", "whole"), ("pin=layer2", "CHOICE:OPTION"),
    ("pin=layer9:skip", "layer 1"), ("ban=layer1:k7", "k3_e1, k5_e6, skip"),
    ("sample=0", "1 to 100"), ("fine-stage", "no such control"), ("budget=-1", "budget=NUMBER"),
  ])
  func `what is no control is answered by what there is`(text: String, words: String) {
    let error = #expect(throws: UserError.self) { try action(text) }
    #expect(error?.code == .usage)
    #expect(error?.description.contains(words) == true, "\(error?.description ?? "")")
  }

  @Test func `each kind of run has its own controls`() throws {
    #expect(throws: UserError.self) { try action("temperature=2", .training) }
    #expect(throws: UserError.self) { try action("step", .joint) }
    #expect(try action("weights-rate=0.5", .training) == .setRate(.weights, 0.5))
    for control in Control.all {
      #expect(!control.kinds.isEmpty && !control.meaning.isEmpty)
      #expect(Control.all.count { $0.name == control.name } == 1)
    }
  }
}
