import Foundation
import Runs
import Testing

/// What the dashboard shows, as words, as JSON and as pictures; branches of runs (spec S84, S87).
@Suite(.serialized) struct ScreenTests {
  private static let search =
    [
      "search", "--preset", "digits", "--run", "run", "--headless", "--epochs", "4",
      "--set", "search.warmup_epochs=1", "--set", "space.head=16", "--set", "budget.flops=90000",
      "--set", "batch=128", "--set", "recalibration_images=128",
      "--set", "space.candidates=[k3_e1, k5_e1, k3_e6, k5_e6, skip]",
      "--set",
      "space.stages=[{width: 8, depth: 1, stride: 1}, {width: 16, depth: 2, stride: 2}]",
    ]

  /// One that is looked at, and left as it is.
  private static let finished = Result { try searched() }

  private static func searched() throws -> Program.Folder {
    let folder = try Program.Folder()
    let ending = try Program.run(search, in: folder)
    try #require(ending.code == 0, "\(ending.errors)")
    return folder
  }

  @Test func `every screen of a search, now and then, has the fields of the page`() throws {
    let folder = try Self.finished.get()
    let now = try Program.run(["show", "run", "--json", "--choice", "layer2"], in: folder)
    #expect(now.code == 0, "\(now.errors)")
    let all = try #require(try now.values().last)
    #expect(Contract.faults(all, as: "object of show") == [])
    for name in ["choices", "choice", "learning", "cost", "networks", "log", "system"] {
      #expect(all[name] != nil, "\(name)")
    }
    #expect(all["status"]?["state"]?.text == "finished" && all["status"]?["is_past"]?.flag == false)

    // A moment is that of the records: θ's last step before it, the epochs that had ended.
    let run = try RunFolder.open(path: folder.path + "/run")
    let epochs = try run.reader().epochs()
    let step = epochs[1].step + 3
    let past = try Program.run(
      ["show", "run", "--json", "--choice", "layer2", "--at", "\(step)"],
      in: folder
    )
    let then = try #require(try past.values().last)
    #expect(Contract.faults(then, as: "object of show") == [])
    #expect(then["status"]?["step"]?.number == Double(step))
    #expect(then["status"]?["epoch"]?.number == 2 && then["status"]?["is_past"]?.flag == true)
    #expect(then["status"]?["val_accuracy"]?.number == epochs[1].validationAccuracy)
    let theta = try #require(try run.reader().moment(step: step).theta)
    let top = theta.logits[1].max() ?? 0
    let powers = theta.logits[1].map { exp(Double($0 - top)) }
    let shares = powers.map { $0 / powers.reduce(0, +) }
    let shown = then["choice"]?["options"]?.list.compactMap { $0["probability"]?.number } ?? []
    #expect(shown.count == shares.count)
    for (a, b) in zip(shown, shares) { #expect(abs(a - b) < 1e-6) }
    #expect(
      then["choice"]?["options"]?.list.first?["accuracy_pull"]?.number
        == -Double(theta.accuracyPull[1][0])
    )

    let text = try Program.run(
      ["show", "run", "--screen", "status", "--screen", "log"],
      in: folder
    )
    #expect(text.output.hasPrefix("status\n  finished") && text.output.contains("\nlog\n"))
    #expect(!text.output.contains("\u{1B}"))
  }

  @Test func `frames are those of the dashboard, and wrong words are one clear line`() throws {
    let folder = try Self.finished.get()
    let frame = try Program.run(["frame", "run", "--size", "100x30"], in: folder)
    #expect(frame.code == 0, "\(frame.errors)")
    #expect(frame.lines.count == 30 && frame.output.contains("Layers 3 searched"))
    for screen in ["learning", "cost", "film", "networks", "log", "system", "choice", "result"] {
      let ending = try Program.run(
        ["frame", "run", "--size", "80x24", "--screen", screen, "--svg", "\(screen).svg"],
        in: folder
      )
      #expect(ending.code == 0, "\(screen): \(ending.errors)")
      let picture = try String(contentsOfFile: "\(folder.path)/\(screen).svg", encoding: .utf8)
      #expect(picture.hasPrefix("<svg ") && picture.hasSuffix("</svg>\n"))
    }
    let past = try Program.run(["frame", "run", "--size", "100x30", "--at", "20"], in: folder)
    #expect(past.output.contains("STEP 20") && !past.output.contains("FINISHED"))
    for (arguments, word) in [
      (["frame", "run", "--size", "0x9"], "--size 0x9"),
      (["frame", "run", "--screen", "recipes"], "--screen recipes"),
      (["frame", "run", "--at", "99999"], "--at 99999"),
      (["frame", "run", "--theme", "none"], "--theme none"),
      (["show", "run", "--choice", "layer99"], "--choice layer99"),
      (["show", "run", "--at", "99999"], "--at 99999"),
      (["show", "run", "--screen", "candidates"], "--screen candidates"),
    ] {
      let ending = try Program.run(arguments, in: folder)
      #expect(ending.code == UserError.Code.usage.rawValue, "\(arguments)")
      #expect(ending.errorLines.count == 1 && ending.errors.contains(word), "\(ending.errors)")
    }
  }

  @Test(
    .enabled(if: Tmux.isInstalled, "tmux is not installed"),
    arguments: [(80, 24), (120, 36), (200, 60)]
  )
  func `a terminal shows what is printed`(columns: Int, rows: Int) throws {
    let folder = try Self.finished.get()
    let size = "\(columns)x\(rows)"
    let frame = try Program.run(["frame", "run", "--size", size], in: folder)
    // What goes into a pipe has no colour, and is drawn with other marks.
    let tmux = try Tmux(
      "NO_COLOR=1 SUPERTOP_BACKGROUND=dark '\(Program.path)' watch run",
      in: folder.path,
      columns: columns,
      rows: rows
    )
    try tmux.waits("the result") { $0.contains("FINISHED") }
    try tmux.press("Escape")
    try tmux.waits("the same frame") { Tmux.rows($0) == Tmux.rows(frame.output) }
  }

  @Test func `a branch without changes ends as its parent, to the bit, and replays`() throws {
    let folder = try Self.searched()
    let run = try RunFolder.open(path: folder.path + "/run")
    let middle = try run.reader().epochs()[1].step
    let made = try Program.run(
      ["branch", "run", "--at", "\(middle + 2)", "--json"],
      in: folder
    )
    #expect(made.code == 0, "\(made.errors)")
    let first = try #require(try made.values().first)
    #expect(Contract.faults(first, as: "object of branch") == [])
    #expect(first["step"]?.number == Double(middle))
    let branch = try RunFolder.open(path: folder.path + "/run-b1")
    let found = try RunComparison(run, branch)
    #expect(found.isIdentical, "\(String(describing: found.firstDifference))")
    #expect(try branch.reader().epochs().count == 4)
    let replay = try Program.run(["replay", "run-b1"], in: folder)
    #expect(replay.code == 0 && replay.output.contains("identical"), "\(replay.errors)")
  }

  @Test func `a branch with other settings goes another way from the same step`() throws {
    let folder = try Self.searched()
    let made = try Program.run(
      [
        "branch", "run", "--at", "30", "--run", "colder", "--set", "temperature.start=1",
        "--set", "search.epochs=5", "--headless",
      ],
      in: folder
    )
    #expect(made.code == 0, "\(made.errors)")
    let (run, colder) = (
      try RunFolder.open(path: folder.path + "/run"),
      try RunFolder.open(path: folder.path + "/colder")
    )
    let start = try #require(try colder.parent()?.step)
    let (a, b) = (try run.reader().steps(), try colder.reader().steps())
    #expect(a.prefix(start).map(\.loss) == b.prefix(start).map(\.loss))
    #expect(a[start].temperature != b[start].temperature)
    #expect(try colder.reader().epochs().count == 5)
    let replay = try Program.run(["replay", "colder"], in: folder)
    #expect(replay.code == 0 && replay.output.contains("identical"), "\(replay.errors)")
    let refused = try Program.run(["branch", "run", "--set", "search.batch=3"], in: folder)
    #expect(refused.code == UserError.Code.configuration.rawValue)
    #expect(refused.errorLines.count == 1)
  }

  @Test func `a training and a joint search are shown too`() throws {
    let folder = try Self.searched()
    let trained = try Program.run(
      ["train", "run", "--epochs", "2", "--run", "t", "--headless"],
      in: folder
    )
    #expect(trained.code == 0, "\(trained.errors)")
    let training = try #require(try Program.run(["show", "t", "--json"], in: folder).values().last)
    #expect(Contract.faults(training, as: "object of show") == [])
    #expect(training["recipe"]?.list.isEmpty == false && training["choices"] == nil)
    let joint = try Program.run(
      ["search", "--run", "j"] + JointTests.tiny,
      in: folder
    )
    #expect(joint.code == 0, "\(joint.errors)")
    for options in [[], ["--at", "3"], ["--choice", "2"]] {
      let shown = try Program.run(["show", "j", "--json"] + options, in: folder)
      let value = try #require(try shown.values().last, "\(shown.errors)")
      #expect(Contract.faults(value, as: "object of show") == [])
      let count = value["candidates"]?["candidates"]?.list.count
      #expect(options.isEmpty ? count ?? 0 > 3 : count == (options[1] == "3" ? 3 : 1))
    }
  }
}
