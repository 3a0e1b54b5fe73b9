import Foundation
import Runs
import TestSupport
import Testing

/// Steering from another process, and repeating a steered run to the bit (spec S82).
@Suite(.serialized) struct ControlReplayTests {
  private static let search = [
    "search", "--preset", "digits", "--run", "run", "--headless", "--epochs", "6",
    "--set", "batch=128", "--set", "recalibration_images=128",
    "--set", "space.candidates=[k3_e1, k5_e1, k3_e6, k5_e6, skip]",
    "--set", "search.warmup_epochs=1", "--set", "budget.flops=90000",
    "--set", "loss.multiplier=fixed", "--set", "search.cost=flops", "--set", "space.head=16",
    "--set", "space.stages=[{width: 8, depth: 1, stride: 1}, {width: 16, depth: 2, stride: 2}]",
  ]

  /// Waits until the search has done so many steps.
  private static func wait(for steps: Int, _ folder: Program.Folder) -> Bool {
    eventually {
      (try? RunFolder.open(path: folder.path + "/run").reader().status()?.step ?? 0) ?? 0 >= steps
    }
  }

  /// Asks a search for something after its first steps.
  ///
  /// Until it has been asked, the search, which takes about a second, gets little time: on a busy
  /// machine it would end before that.
  private static func asking(
    _ search: Program,
    _ requests: String...,
    in folder: Program.Folder
  ) throws -> Program.Ending {
    #expect(Self.wait(for: 3, folder))
    let control = try Program(["control", "run", "--wait", "300"] + requests, in: folder)
    let run = try RunFolder.open(path: folder.path + "/run").reader()
    let process = search.process.processIdentifier
    defer { kill(process, SIGCONT) }
    #expect(
      eventually(pause: 0.2) {
        // Some time it needs: it may have stopped with the store locked.
        kill(process, SIGCONT)
        Thread.sleep(forTimeInterval: 0.002)
        kill(process, SIGSTOP)
        return (try? run.interventions().isEmpty) == false || !control.process.isRunning
      }
    )
    kill(process, SIGCONT)
    return control.ending()
  }

  @Test func `a steered search is repeated to the bit, refusals included`() throws {
    let folder = try Program.Folder()
    let program = try Program(Self.search, in: folder)
    let first = try Self.asking(
      program,
      "temperature=3",
      "pin=layer1:k3_e1",
      "ban=layer2:k5_e6",
      "weights-rate=0.5",
      "theta-rate=2",
      "cost-weight=0.3",
      "budget=80k",
      "pause",
      "--json",
      in: folder
    )
    #expect(first.code == 0, "\(first.errors)")
    let answer = try #require(try first.values().last)
    #expect(Contract.faults(answer, as: "object of control") == [])
    #expect(answer["requests"]?.list.allSatisfy { $0["state"]?.text == "done" } == true)
    // Paused until the last command: the search would end while a busy machine starts that one.
    let refused = try Program.run(
      [
        "control", "run", "ban=layer1:k3_e1", "budget=1", "unban=layer2:k5_e6", "--wait", "300",
      ],
      in: folder
    )
    #expect(refused.code == UserError.Code.data.rawValue && refused.output.contains("refused"))
    let last = try Program.run(
      [
        // Nearly everything that is sampled keeps this budget.
        "control", "run", "budget=450k", "sample=2", "derive=2", "temperature-factor=0.5", "hold",
        "release", "undo", "unpin=layer1", "resume", "--wait", "300",
      ],
      in: folder
    )
    #expect(last.code == 0 && last.output.contains("resume: done"), "\(last.errors)")
    let networks = try RunFolder.open(path: folder.path + "/run").reader().derived()
    #expect(networks.contains { $0.source == "argmax" } && networks.count >= 2)
    #expect(networks.allSatisfy { $0.step != nil && $0.accuracy != nil && $0.run == nil })
    for network in networks {
      let file = "run/exports/\(network.name).json"
      #expect(try Program.run(["export", file, "--svg", "network.svg"], in: folder).code == 0)
    }
    let ending = program.ending()
    #expect(ending.code == 0, "\(ending.errors)")

    let replay = try Program.run(["replay", "run", "--json"], in: folder)
    #expect(replay.code == 0, "\(replay.errors)")
    let found = try #require(try replay.values().last)
    #expect(Contract.faults(found, as: "object of replay") == [])
    #expect(found["identical"]?.flag == true)
    #expect(try #require(found["interventions"]?.number) >= 15)
    #expect(found["refused"]?.number == 2)
  }

  @Test func `a pinned choice and a banned option hold to the exported network`() throws {
    let folder = try Program.Folder()
    let program = try Program(Self.search, in: folder)
    let asked = try Self.asking(
      program,
      "pin=layer1:k5_e1",
      "ban=layer2:k3_e1",
      "ban=layer2:k3_e6",
      in: folder
    )
    #expect(asked.code == 0, "\(asked.errors)")
    #expect(program.ending().code == 0)
    let run = try RunFolder.open(path: folder.path + "/run")
    let choices = try run.reader().choices()
    let theta = try #require(try run.reader().thetas().last)
    let shares = theta.logits.map { row in
      let top = row.max() ?? 0
      return row.map { exp(Double($0 - top)) }
    }
    let pinned = try #require(choices[0].options.firstIndex { $0.name == "k5_e1" })
    for option in choices[0].options.indices where option != pinned {
      #expect(shares[0][option] == 0)
    }
    for name in ["k3_e1", "k3_e6"] {
      let option = try #require(choices[1].options.firstIndex { $0.name == name })
      #expect(shares[1][option] == 0)
    }
    let derived = try Program.run(
      ["derive", "run", "--samples", "4", "--refine", "6", "--top", "0", "--json"],
      in: folder
    )
    #expect(derived.code == 0, "\(derived.errors)")
    for network in try #require(try derived.values().last?["networks"]?.list) {
      let blocks = try #require(network["blocks"]?.list).map { $0.text ?? "" }
      #expect(blocks[0] == "k5_e1" && !["k3_e1", "k3_e6"].contains(blocks[1]))
    }
  }

  @Test func `killed and resumed a steered search ends as its replay`() throws {
    let folder = try Program.Folder()
    let program = try Program(Self.search, in: folder)
    let asked = try Self.asking(
      program,
      "ban=layer2:k5_e6",
      "theta-rate=3",
      "temperature=2",
      in: folder
    )
    #expect(asked.code == 0, "\(asked.errors)")
    #expect(Self.wait(for: 20, folder))
    kill(program.process.processIdentifier, SIGKILL)
    _ = program.ending()
    #expect(try Program.run(["resume", "run", "--headless"], in: folder).code == 0)
    let replay = try Program.run(["replay", "run"], in: folder)
    #expect(replay.code == 0 && replay.output.contains("identical"), "\(replay.errors)")
  }

  @Test func `a run that was changed afterwards is no replay`() throws {
    let folder = try Program.Folder()
    let options = Self.search.map { $0 == "6" ? "2" : $0 }
    #expect(try Program.run(options, in: folder).code == 0)
    let path = folder.path + "/run/config.yaml"
    let text = try String(contentsOfFile: path, encoding: .utf8)
    try text.replacing("seed: 1", with: "seed: 2").write(
      toFile: path,
      atomically: true,
      encoding: .utf8
    )
    let replay = try Program.run(["replay", "run", "--json"], in: folder)
    #expect(replay.code == UserError.Code.data.rawValue)
    #expect(replay.errorLines.last?.contains("step 0 differs") == true)
    let found = try #require(try replay.values().last)
    #expect(found["identical"]?.flag == false)
    #expect(found["first_difference"]?["step"]?.number == 0)
  }

  @Test func `controls are listed, and asked for where nobody trains refused`() throws {
    let folder = try Program.Folder()
    let options = Self.search.map { $0 == "6" ? "2" : $0 }
    #expect(try Program.run(options, in: folder).code == 0)
    let listed = try Program.run(["control", "run", "--json"], in: folder)
    let list = try #require(try listed.values().last)
    #expect(Contract.faults(list, as: "list of control") == [])
    #expect(list["controls"]?.list.contains { $0["name"]?.text == "ban" } == true)
    let text = try Program.run(["control", "run"], in: folder)
    #expect(text.output.contains("pin=CHOICE:OPTION"))
    for (request, code) in [("pause", UserError.Code.unavailable), ("jump", .usage)] {
      let ending = try Program.run(["control", "run", request], in: folder)
      #expect(ending.code == code.rawValue && ending.errorLines.count == 1, "\(ending.errors)")
    }
  }
}
