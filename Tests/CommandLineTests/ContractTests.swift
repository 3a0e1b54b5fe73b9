import Foundation
import Runs
import Testing

/// What scripts rely on: JSON lines, exit codes, output that may be cut off.
struct ContractTests {
  @Test func `json lines report every step, every epoch and at last the result`() throws {
    let folder = try Program.Folder()
    let ending = try Program.run(
      ["search", "--headless", "--json", "--run", "run"] + Program.tiny(),
      in: folder
    )
    #expect(ending.code == 0)
    #expect(ending.errors == "")
    #expect(ending.objects.count == ending.lines.count)
    let steps = ending.objects.filter { $0["event"] as? String == "step" }
    let epochs = ending.objects.filter { $0["event"] as? String == "epoch" }
    #expect(steps.count + epochs.count + 1 == ending.objects.count)
    #expect(steps.compactMap { $0["step"] as? Int } == Array(steps.indices))
    #expect(epochs.compactMap { $0["epoch"] as? Int } == [0, 1, 2])
    // An epoch stands after its last step and before the next one's first.
    var ended = -1
    for object in ending.objects.dropLast() {
      #expect(object["epoch"] as? Int == ended + 1)
      if object["event"] as? String == "epoch" { ended += 1 }
    }
    #expect(ended == 2)
    #expect(ending.objects.last?["event"] as? String == "done")

    let again = try Program.run(["resume", "run", "--headless", "--json"], in: folder)
    #expect(again.code == 0)
    #expect(again.lines == [try #require(ending.lines.last)])

    let picture = try Program.run(["watch", "run", "--screenshot", "run.svg"], in: folder)
    #expect(picture.code == 0)
    #expect(try String(contentsOfFile: folder.path + "/run.svg", encoding: .utf8).contains("<svg"))
  }

  @Test func `without a terminal there are progress lines with one notice`() throws {
    let folder = try Program.Folder()
    let ending = try Program.run(["search"] + Program.tiny(), in: folder)
    #expect(ending.code == 0)
    #expect(ending.errors == "")
    #expect(ending.lines.filter { $0.contains("no terminal") }.count == 1)
    #expect(ending.lines.filter { $0.hasPrefix("epoch ") }.count == 3)
    #expect(ending.lines.contains { $0.hasPrefix("network: ") })
    #expect(!ending.output.contains("\u{1B}"))
    #expect(
      FileManager.default.fileExists(
        atPath: folder.path + "/runs/digits-1/exports/architecture.json"
      )
    )
  }

  @Test func `a reader that goes away does not end the training`() throws {
    let folder = try Program.Folder()
    let command =
      ([Program.path, "search", "--headless", "--json", "--run", "run"]
      + Program.tiny()).map { "'\($0)'" }.joined(separator: " ")
    let shell = try Program(
      ["-c", "set -o pipefail; \(command) | head -n 1"],
      in: folder,
      executable: "/bin/bash"
    )
    let ending = shell.ending()
    #expect(ending.code == 0)
    #expect(ending.lines.count == 1)
    #expect(ending.errors == "")
    let run = try RunFolder.open(path: folder.path + "/run")
    #expect(try run.reader().status()?.state == .finished)
  }

  @Test func `two searches with one seed print the same result`() throws {
    let folder = try Program.Folder()
    func result(_ run: String, _ options: [String]) throws -> [String: Any] {
      let ending = try Program.run(
        ["search", "--headless", "--json", "--run", run] + options + Program.tiny(epochs: 2),
        in: folder
      )
      return try #require(ending.objects.last)
    }
    let first = try result("a", ["--seed", "7", "--threads", "1"])
    let second = try result("b", ["--seed", "7", "--threads", "2"])
    let other = try result("c", ["--seed", "8"])
    for key in ["theta_sha256", "weights_sha256"] {
      #expect(first[key] as? String == second[key] as? String)
      #expect(first[key] as? String != other[key] as? String)
    }
  }

  @Test func `a printed preset is a configuration that searches the same`() throws {
    let folder = try Program.Folder()
    let printed = try Program.run(
      ["config", "--preset", "digits", "--set", "seed=5"],
      in: folder
    )
    #expect(printed.code == 0)
    let file = try folder.write("my.yaml", Data(printed.output.utf8))
    let ending = try Program.run(
      ["search", file, "--headless", "--run", "run"] + Program.tiny(epochs: 2),
      in: folder
    )
    #expect(ending.code == 0)
    #expect(try RunFolder.open(path: folder.path + "/run").configuration().seed == 5)
  }

  @Test(arguments: ["avx3", "AVX2", " baseline", "0"])
  func `a wrong instruction set of the environment is refused`(name: String) throws {
    let folder = try Program.Folder()
    let search = ["search", "--headless", "--run", "run"] + Program.tiny()
    for arguments in [search, ["models"], ["bench", "supernet", "--preset", "digits"]] {
      let ending = try Program.run(arguments, in: folder, environment: ["SUPERTOP_ISA": name])
      #expect(ending.code == 64 && ending.output == "")
      #expect(ending.errorLines.count == 1)
      #expect(ending.errors.contains("SUPERTOP_ISA=\(name)") && ending.errors.contains("baseline"))
    }
    #expect(!FileManager.default.fileExists(atPath: folder.path + "/run"))
  }

  @Test func `an instruction set of the environment is used, an empty one counts for nothing`()
    throws
  {
    let folder = try Program.Folder()
    let bench = [
      "bench", "supernet", "--preset", "digits", "--batch", "1", "--steps", "1", "--json",
    ]
    func isa(_ environment: [String: String]) throws -> String? {
      let ending = try Program.run(bench, in: folder, environment: environment)
      #expect(ending.code == 0)
      return ending.objects.first?["isa"] as? String
    }
    #expect(try isa(["SUPERTOP_ISA": "baseline"]) == "baseline")
    let best = try isa(["SUPERTOP_ISA": ""])
    #expect(best != nil)
  }

  @Test func `help, version, explanations and data are printed on standard output`() throws {
    let folder = try Program.Folder()
    for (arguments, word) in [
      (["--help"], "resume"), (["search", "--help"], "--skip-bad-images"),
      (["--version"], "supertop "), (["config", "--explain"], "temperature.rate"),
      (["data", "info", "digits"], "1437"),
    ] {
      let ending = try Program.run(arguments, in: folder)
      #expect(ending.code == 0)
      #expect(ending.output.contains(word), "\(arguments)")
      #expect(ending.errors == "")
    }
  }
}
