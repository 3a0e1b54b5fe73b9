import Foundation
import Runs
import TestSupport
import Testing

/// `supertop runs`, and what is refused where nothing may be steered.
@Suite(.serialized) struct RunsTests {
  private func listed(_ arguments: [String], in folder: Program.Folder) throws -> JSONValue {
    let ending = try Program.run(["runs", "--json"] + arguments, in: folder)
    #expect(ending.code == 0 && ending.lines.count == 1, "\(ending.errors)")
    let value = try JSONValue(ending.output)
    #expect(Contract.faults(value, as: "object of runs") == [])
    return value
  }

  private func rows(_ value: JSONValue) -> [JSONValue] {
    guard case .list(let rows)? = value["runs"] else { return [] }
    return rows
  }

  @Test func `runs of every kind and state are listed, with the settings in which they differ`()
    throws
  {
    let folder = try Program.Folder()
    let empty = try Program.run(["runs"], in: folder)
    #expect(empty.code == UserError.Code.noInput.rawValue && empty.errors.contains("runs"))
    let options = ["--headless", "--json"] + Program.tiny(epochs: 2)
    for (name, more) in [
      ("one", ["--seed", "7"]),
      (
        "luck",
        [
          "--algorithm", "random", "--set", "random_networks=2",
          "--set", "space.candidates=[k3_e1, k5_e1, k3_e3, skip]",
        ]
      ),
    ] {
      let ending = try Program.run(
        ["search", "--run", "runs/" + name] + options + more,
        in: folder
      )
      #expect(ending.code == 0, "\(ending.errors)")
    }
    let trained = try Program.run(
      ["train", "runs/one", "--run", "runs/alone", "--headless", "--epochs", "1"],
      in: folder
    )
    #expect(trained.code == 0, "\(trained.errors)")
    let branch = try RunFolder.open(path: folder.path + "/runs/luck")
    try branch.write(parent: RunParent(run: "one", step: 12))
    _ = try folder.write("runs/broken/run.sqlite", Data("nothing".utf8))

    let all = rows(try listed([], in: folder))
    #expect(all.map { $0["name"]?.text } == ["alone", "broken", "luck", "one"])
    #expect(all.map { $0["state"]?.text } == ["finished", "unreadable", "finished", "finished"])
    let known: Set = [
      "kind", "preset", "data", "progress", "step", "total_steps", "epoch", "epochs",
      "val_accuracy", "test_accuracy", "cost_metric", "cost", "begun_at",
    ]
    let present = [known, ["problem"], known.union(["parent", "parent_step"]), known]
    for (row, fields) in zip(all, present) {
      #expect(Contract.faults(row, as: "listed run", with: fields) == [])
    }
    #expect(all[2]["parent"]?.text == "one" && all[2]["parent_step"]?.number == 12)
    #expect(all[3]["progress"]?.number == 1 && all[3]["kind"]?.text == "search")

    let some = try listed(["--filter", "kind:search OR kind:random"], in: folder)
    #expect(rows(some).map { $0["name"]?.text } == ["luck", "one"])
    guard case .list(let keys)? = some["differing"] else {
      Issue.record("no keys")
      return
    }
    #expect(keys.contains(.text("seed")) && keys.contains(.text("search.algorithm")))
    #expect(!keys.contains(.text("search.epochs")))

    let table = try Program.run(["runs"], in: folder)
    #expect(table.code == 0 && table.errors == "")
    #expect(table.lines.count == 5)
    #expect(table.lines[0].hasPrefix("run") && table.lines[0].contains("seed"))
    let broken = try #require(table.lines.first { $0.hasPrefix("broken") })
    #expect(broken.contains("unreadable") && broken.contains("run.sqlite"))
    #expect(table.lines.contains { $0.contains("one at step 12") })
    // A list leaves room for the other settings.
    let long = try #require(table.lines.first { $0.hasPrefix("luck") })
    #expect(long.contains("…") && !long.contains("skip"))
    let none = try Program.run(["runs", "--filter", "state:running"], in: folder)
    #expect(none.code == 0 && none.output.contains("none of 4 runs"))
  }

  @Test(arguments: [
    (["runs", "nowhere"], UserError.Code.noInput, "nowhere"),
    (["runs", "--filter", "seed:"], .usage, "no value after seed:"),
    (["runs", "--filter", "luck AND"], .usage, "a term is missing at the end"),
    (["watch", "nowhere", "elsewhere"], .noInput, "nowhere"),
  ])
  func `a mistake is one line`(arguments: [String], code: UserError.Code, words: String) throws {
    let folder = try Program.Folder()
    let ending = try Program.run(arguments, in: folder)
    #expect(ending.code == code.rawValue && ending.output == "")
    #expect(ending.errorLines.count == 1 && ending.errors.contains(words), "\(ending.errors)")
  }

  @Test func `several runs are watched on a terminal only, and drawn without one`() throws {
    let folder = try Program.Folder()
    for name in ["a", "b"] {
      _ = try RunFolder.create(
        at: folder.path + "/runs/" + name,
        config: try Configuration.preset("digits")
      )
    }
    let ending = try Program.run(["watch", "runs"], in: folder)
    #expect(ending.code == UserError.Code.unavailable.rawValue && ending.errorLines.count == 1)
    #expect(ending.errors.contains("supertop runs"))
    let picture = try Program.run(["watch", "runs", "--screenshot", "list.svg"], in: folder)
    #expect(picture.code == 0, "\(picture.errors)")
    let svg = try String(contentsOfFile: folder.path + "/list.svg", encoding: .utf8)
    #expect(svg.hasPrefix("<svg") && svg.contains("2 runs"))
  }

  @Test func `scripts steer beside any viewer, but not under SUPERTOP_READ_ONLY`() throws {
    let folder = try Program.Folder()
    let program = try Program(
      ["search", "--headless", "--run", "run"] + Program.tiny(epochs: 2000),
      in: folder
    )
    defer { kill(program.process.processIdentifier, SIGKILL) }
    let path = folder.path + "/run"
    #expect(eventually { ((try? RunFolder.open(path: path).reader().status()?.step) ?? 0) > 0 })
    let run = try RunFolder.open(path: path)
    let claim = SteeringClaim(run)
    #expect(claim.look() == .granted)
    let refused = try Program.run(
      ["control", "run", "pause"],
      in: folder,
      environment: ["SUPERTOP_READ_ONLY": "1"]
    )
    #expect(refused.code == UserError.Code.unavailable.rawValue && refused.errorLines.count == 1)
    #expect(refused.errors.contains("SUPERTOP_READ_ONLY=1"))
    #expect(try run.reader().interventions().isEmpty)
    let taken = try Program.run(["control", "run", "pause"], in: folder)
    #expect(taken.code == 0, "\(taken.errors)")
    withExtendedLifetime(claim) {}
  }

  @Test func `a stopped trainer is noticed, and its return too`() throws {
    let folder = try Program.Folder()
    let program = try Program(
      ["search", "--headless", "--run", "run"] + Program.tiny(epochs: 2000),
      in: folder
    )
    let process = program.process.processIdentifier
    defer { kill(process, SIGKILL) }
    let path = folder.path + "/run"
    #expect(eventually { ((try? RunFolder.open(path: path).reader().status()?.step) ?? 0) > 0 })
    let scanner = RunScanner(places: [path])
    func state() -> RunOverview.State? { scanner.scan().first?.state }
    #expect(eventually { state() == .running })
    kill(process, SIGSTOP)
    #expect(eventually { state() == .silent })
    kill(process, SIGCONT)
    #expect(eventually { state() == .running })
    kill(process, SIGKILL)
    program.process.waitUntilExit()
    #expect(state() == .gone)
  }
}
