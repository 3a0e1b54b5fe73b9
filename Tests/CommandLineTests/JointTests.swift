import Foundation
import Runs
import TestSupport
import Testing

/// Joint searches from the command line: their JSON, report and answers to other limits, and that
/// nothing is lost when the program is killed (spec S43–S46).
@Suite(.serialized) struct JointTests {
  /// Settings of a joint search that ends within seconds.
  static let tiny =
    [
      "--preset", "fbnet-v3-digits", "--headless", "--epochs", "3", "--constraint", "flops<=40K",
    ]
    + [
      "recipe.warmup_epochs=0", "recipe.batch=128", "recipe.recalibration_images=128",
      "space.head.width=16", "space.stem.widths=[4, 8]", "ranges.learning_rates=[0.001, 0.004]",
      "ranges.mixups=[]", "ranges.dropouts=[]", "ranges.drop_paths=[]", "ranges.weight_decays=[]",
      "space.stages=[{widths: [8, 12], depths: [1, 2], stride: 2, first_expansions: [1, 2]}]",
      "search.rounds=2", "search.candidates=4", "search.pool=200", "search.parallel=2",
      "fine.candidates=2", "fine.generations=3", "predictor.pretraining_epochs=2",
      "predictor.ensemble=2",
    ].flatMap { ["--set", $0] }

  private static func search(_ folder: Program.Folder, _ options: [String] = []) throws
    -> Program.Ending
  {
    try Program.run(["search", "--run", "run"] + tiny + options, in: folder)
  }

  /// The candidates of a run but for the times of their trainings.
  static func table(_ folder: Program.Folder) throws -> [TrialRecord] {
    try RunFolder.open(path: folder.path + "/run").reader().trials().map {
      var trial = $0
      trial.seconds = 0
      return trial
    }
  }

  @Test func `its JSON, its report and its answers are as the page lists them`() throws {
    let folder = try Program.Folder()
    let ending = try Self.search(folder, ["--json"])
    #expect(ending.code == 0, "\(ending.errors)")
    let lines = try ending.values()
    let candidates = lines.dropLast()
    #expect(candidates.allSatisfy { $0["event"] == .text("candidate") })
    #expect(candidates.flatMap { Contract.faults($0, as: "`candidate` of a joint search") } == [])
    let done = try #require(lines.last)
    let predicted: Set = ["predictor_rank_correlation", "predictor_kendall_tau"]
    #expect(Contract.faults(done, as: "`done` of a joint search", with: predicted) == [])
    let settled = Set(
      candidates.filter { $0["state"] == .text("finished") }.compactMap { $0["number"]?.number }
    )
    #expect(Double(settled.count) == done["trained_candidates"]?.number)

    let report = try Program.run(["report", "run", "--json"], in: folder)
    let value = try #require(try report.values().last)
    #expect(Contract.faults(value, as: "object of report", with: ["progress"]) == [])
    #expect(value["candidates"]?.list.count == settled.count)
    let csv = try Program.run(["report", "run", "--csv"], in: folder)
    #expect(csv.lines.count == settled.count + 1)
    #expect(csv.lines[0].contains("stage1.width") && csv.lines[0].contains("recipe.optimiser"))
    let text = try Program.run(["report", "run"], in: folder)
    #expect(text.output.contains("early stop after") && text.output.contains("predictor:"))

    let answer = try Program.run(
      ["search", "run", "--constraint", "flops<=20k", "--constraint", "params<=900", "--json"],
      in: folder
    )
    #expect(answer.code == 0, "\(answer.errors)")
    let found = try #require(try answer.values().last)
    #expect(Contract.faults(found, as: "answer to a constraint") == [])
    for candidate in try #require(found["candidates"]?.list) {
      #expect(try #require(candidate["flops"]?.number) <= 20_000)
      #expect(try #require(candidate["params"]?.number) <= 900)
    }
    // What is written can be trained.
    let first = try #require(found["candidates"]?.list.first)
    let trained = try Program.run(
      [
        "train", try #require(first["network"]?.text), "--recipe",
        try #require(first["recipe_file"]?.text), "--run", "alone", "--headless", "--epochs", "1",
      ],
      in: folder
    )
    #expect(trained.code == 0, "\(trained.errors)")
  }

  @Test func `the network that was found is evaluated as in its training`() throws {
    let folder = try Program.Folder()
    let done = try #require(try Self.search(folder, ["--json"]).values().last)
    let evaluated = try Program.run(["evaluate", "run", "--json"], in: folder)
    let again = try #require(try evaluated.values().last)
    #expect(again["test_accuracy"] == done["test_accuracy"])
    let compared = try Program.run(["compare", "run", "--json"], in: folder)
    let run = try #require(try compared.values().last?["runs"]?.list.first)
    #expect(run["retrained_accuracy"] == done["test_accuracy"])
    #expect(run["flops"] == done["flops"])
    let checked = try Program.run(["predictor", "run", "--seeds", "1"], in: folder)
    #expect(checked.code == 0 && checked.output.contains("pretrained on costs"))
  }

  @Test func `a search killed ten times ends with the candidates of one left alone`() throws {
    let alone = try Program.Folder()
    #expect(try Self.search(alone).code == 0)
    let folder = try Program.Folder()
    var arguments = ["search", "--run", "run"] + Self.tiny
    var generator = SystemRandomNumberGenerator()
    for _ in 0..<10 {
      let program = try Program(arguments, in: folder)
      #expect(eventually { (try? RunFolder.open(path: folder.path + "/run")) != nil })
      usleep(UInt32.random(in: 1000...700_000, using: &generator))
      kill(program.process.processIdentifier, SIGKILL)
      _ = program.ending()
      arguments = ["resume", "run", "--headless"]
    }
    let ending = try Program.run(["resume", "run", "--headless", "--json"], in: folder)
    #expect(ending.code == 0, "\(ending.errors)")
    #expect(try Self.table(folder) == Self.table(alone))
  }

  @Test(.enabled(if: Tmux.isInstalled, "tmux is not installed"))
  func `a person steers a joint search on its screen`() throws {
    let folder = try Program.Folder()
    let words = Self.tiny.filter { $0 != "--headless" } + ["--set", "search.rounds=30"]
    let tmux = try Tmux(
      "NO_COLOR=1 SUPERTOP_BACKGROUND=dark '\(Program.path)' search --run run "
        + words.map { "'\($0)'" }.joined(separator: " "),
      in: folder.path,
      columns: 120,
      rows: 36
    )
    try tmux.waits("candidates") { $0.contains("RUNNING") && $0.contains("✓") }
    try tmux.press("Space")
    try tmux.waits("a pause") { $0.contains("PAUSED") }
    let run = try RunFolder.open(path: folder.path + "/run").reader()
    // The one that is selected, with another stem.
    try tmux.press("Enter")
    let opened = try tmux.waits("the candidate") { $0.contains("Facts") }
    let word = try #require(opened.firstMatch(of: /Candidate (\d+)/)?.1)
    let selected = try run.trials()[(Int(word) ?? 0) - 1]
    try tmux.press("Down", selected.options[1] > 0 ? "<" : ">", "a")
    // Where another candidate is what was asked for, that is said.
    #expect(
      try eventually(pause: 0.05) {
        try run.trials().contains { $0.stage == .hand } || tmux.screen().contains("that is")
      }
    )
    try tmux.press("Escape")
    try tmux.waits("the list") { $0.contains("Candidates") }
    try tmux.press("b")
    try tmux.waits("the question for a limit") { $0.contains("flops 150k") }
    try tmux.press("p", "a", "r", "a", "m", "s", "Space", "9", "0", "0", "Enter")
    #expect(try eventually { try run.jointProgress()?.limits.map(\.most) == [900] })
    try tmux.press("n", "Space")
    try tmux.waits("the end") { $0.contains("FINISHED") }
    let trials = try run.trials()
    #expect(trials.count < 30 && trials.contains { $0.stage == .fine && $0.params <= 900 })
    // A frame has the first candidate selected.
    try tmux.press("Escape", "Home")
    let frame = try Program.run(["frame", "run", "--size", "120x36"], in: folder)
    // All but the line that says what was last done.
    func picture(_ text: String) -> [Substring] { Array(Tmux.rows(text).prefix(34)) }
    try tmux.waits("the same frame") { picture($0) == picture(frame.output) }
  }

  @Test(arguments: [
    (["--constraint", "flops<=10"], 78, "flops"),
    (["--constraint", "watts<=3"], 64, "give flops, params or latency"),
    (["--constraint", "flops=3"], 64, "--constraint flops=3"),
    (["--set", "ranges.dropouts=[0.2, 0.1]"], 78, "ranges.dropouts[1]"),
    (["--set", "search.parallel=-1"], 78, "search.parallel"),
  ])
  func `what cannot be searched is refused in a line`(
    options: [String],
    code: Int32,
    words: String
  ) throws {
    let folder = try Program.Folder()
    let ending = try Self.search(folder, options)
    #expect(ending.code == code)
    #expect(ending.errorLines.count == 1 && ending.errors.contains(words), "\(ending.errors)")
    #expect(!FileManager.default.fileExists(atPath: folder.path + "/run"))
  }

  @Test func `other commands say that a joint search is not theirs`() throws {
    let folder = try Program.Folder()
    #expect(try Self.search(folder).code == 0)
    let derived = try Program.run(["derive", "run"], in: folder)
    #expect(derived.code == UserError.Code.data.rawValue && derived.errorLines.count == 1)
    let asked = try Program.run(["search", "run"], in: folder)
    #expect(asked.code == UserError.Code.usage.rawValue && asked.errors.contains("--constraint"))
    let other = try Program.run(
      ["search", "--preset", "digits", "--constraint", "flops<=2k"],
      in: folder
    )
    #expect(other.code == UserError.Code.usage.rawValue)
    #expect(other.errors.contains("only a joint search"))
  }
}
