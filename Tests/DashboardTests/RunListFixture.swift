@testable import Dashboard
import Foundation
import Runs
import Testing

/// Lists of runs that a person may meet.
enum RunListFixture {
  static let now = 1_790_000_000.0

  /// A run that has done `epochs` of 30.
  static func run(
    _ name: String,
    _ kind: RunKind,
    _ state: RunOverview.State,
    epochs: Int,
    seed: Int
  ) -> RunOverview {
    var run = RunOverview(path: "runs/" + name, state: state)
    run.kind = kind
    run.preset = kind == .training ? "fbnet_96" : "digits"
    run.data = "digits"
    run.values = [
      .init(key: "seed", text: "\(seed)"), .init(key: "search.batch", text: "64"),
      .init(key: "search.epochs", text: seed > 2 ? "60" : "30"),
    ]
    run.points = (0..<epochs).map { epoch in
      let fall = exp(-Double(epoch) / Double(4 + seed))
      return .init(
        x: Double(epoch + 1),
        accuracy: 0.974 - 0.83 * fall,
        loss: 0.11 + 2.1 * fall
      )
    }
    run.cost = 400_000 + 25_000 * Double(seed)
    run.begun = now - 3600 * Double(seed)
    var status = RunStatus(state: .running)
    (status.epoch, status.epochs) = (min(epochs, 29), 30)
    (status.step, status.totalSteps) = (epochs * 40, 1200)
    status.etaSeconds = Double(30 - epochs) * 2
    run.status = status
    return run
  }

  static var several: [RunOverview] {
    var branch = run("digits-2", .search, .running, epochs: 11, seed: 2)
    (branch.parent, branch.parentStep) = ("digits-1", 400)
    var paused = run("digits-3", .search, .paused, epochs: 4, seed: 3)
    paused.status?.state = .paused
    var finished = run("luck", .random, .finished, epochs: 30, seed: 4)
    finished.testAccuracy = 0.958
    var trained = run("alone", .training, .silent, epochs: 20, seed: 5)
    trained.values = [.init(key: "seed", text: "5"), .init(key: "recipe.epochs", text: "30")]
    return [
      run("digits-1", .search, .running, epochs: 21, seed: 1), branch, paused, finished, trained,
      run("lost", .search, .gone, epochs: 2, seed: 6),
      RunOverview(path: "runs/broken", state: .unreadable, problem: "runs/broken: not a run"),
    ]
  }

  static func model(_ name: String, _ size: Size) -> RunListModel {
    var look = Model.Look()
    if name == "ascii" { look.glyphs = .ascii }
    var model = RunListModel(size: size, look: look)
    model.now = now
    switch name {
    case "none": model.take([])
    case "one": model.take([several[0]])
    case "many":
      model.take(
        (1...200).map { number in
          run("digits-\(number)", .search, .finished, epochs: 30, seed: number % 7)
        }
      )
    default: model.take(several)
    }
    func press(_ keys: [Key]) { for key in keys { _ = updateList(&model, .key(key)) } }
    func type(_ text: String) { press(text.unicodeScalars.map { .character($0) }) }
    switch name {
    case "marked", "loss", "ascii":
      type(" jj j ")
      if name == "loss" { press([.tab]) }
    case "filtered":
      type("/kind:search NOT state:gone")
      press([.enter])
    case "typing": type("/state:running")
    case "mistake":
      type("/luck AND")
      press([.enter])
    case "help": type("?")
    default: break
    }
    return model
  }
}

/// Frames to the letter; with SUPERTOP_RECORD they are recorded again.
enum Recorded {
  static func compare(
    _ text: String,
    _ name: String,
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
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
    #expect(
      text == expected,
      "\(name) differs; SUPERTOP_RECORD=1 records it again",
      sourceLocation: sourceLocation
    )
  }
}
