import Foundation
import Runs
import TestSupport
import Testing

/// Networks that know their data and runs that know theirs again, as a person meets them (spec
/// S122, S123).
struct KnownDataTests {
  private static let network = """
    {"name": "net16", "resolution": 16, "channels": 3, "classes": 2,
     "stem": {"width": 8, "stride": 2},
     "layers": [{"kernel": 3, "expansion": 2, "width": 12, "stride": 2}], "head": 16}
    """

  private func folder() throws -> Program.Folder {
    let folder = try Program.Folder()
    _ = try folder.write("net.json", Data(Self.network.utf8))
    return folder
  }

  private func train(_ folder: Program.Folder, _ options: [String] = []) throws -> Program.Ending {
    try Program.run(
      [
        "train", "net.json", "--data", "own", "--epochs", "20", "--set", "batch=8", "--run", "run",
        "--json", "--threads", "1",
      ] + options,
      in: folder
    )
  }

  private let names = ["beagle", "a \"b\", c", "tabby"]

  @Test func `classes are matched by their names, wherever the weights lie`() throws {
    let folder = try folder()
    try Pictures.write(folder, "own", names, train: 20, test: 8)
    // Two classes in other places, no training images.
    try Pictures.write(folder, "some", ["a \"b\", c", "tabby"], kinds: [1, 2], test: 8)
    try Pictures.write(folder, "strange", ["tabby", "x_tabby"], kinds: [2, 2], test: 1)
    let trained = try train(folder)
    #expect(trained.code == 0, "\(trained.errors)")
    let done = try #require(trained.objects.last)
    let accuracy = try #require(done["test_accuracy"] as? Double)
    let loss = try #require(done["test_loss"] as? Double)
    #expect(accuracy > 0.9 && done["top1"] as? Double == accuracy)

    let exported = try Program.run(
      ["export", "run", "--safetensors", "net.safetensors", "--onnx", "net.onnx"],
      in: folder
    )
    #expect(exported.code == 0)
    let onnx = try Data(contentsOf: URL(fileURLWithPath: folder.path + "/net.onnx"))
    #expect(onnx.range(of: Data(#"["a \"b\", c","beagle","tabby"]"#.utf8)) != nil)
    for name in ["run", "net.safetensors"] {
      func evaluate(_ data: String) throws -> Program.Ending {
        try Program.run(["evaluate", name, "--data", data, "--json"], in: folder)
      }
      let own = try evaluate("own")
      #expect(own.errors == "" && own.objects.last?["test_accuracy"] as? Double == accuracy)
      #expect(abs((own.objects.last?["test_loss"] as? Double ?? 0) - loss) < 1e-6)
      let some = try evaluate("some")
      #expect(some.code == 0 && some.objects.last?["images"] as? Int == 16)
      #expect(some.objects.last?["top1"] as? Double ?? 0 > 0.9)
      #expect(some.errorLines.count == 1 && some.errors.contains("no test image of beagle"))
      let strange = try evaluate("strange")
      #expect(strange.code == UserError.Code.data.rawValue && strange.output == "")
      #expect(strange.errorLines.count == 1 && strange.errors.contains("never learned x_tabby"))
    }
  }

  @Test func `weights without names are evaluated as the folder says, with a line`() throws {
    let folder = try folder()
    try Pictures.write(folder, "own", names, train: 20, test: 8)
    let done = try #require(try train(folder).objects.last)
    var file = try Checkpoint.read(from: folder.path + "/run/exports/network.safetensors")
    file.metadata = file.metadata.filter { $0.key == "network" }
    try file.write(to: folder.path + "/old.safetensors")
    let evaluated = try Program.run(
      ["evaluate", "old.safetensors", "--data", "own", "--json"],
      in: folder
    )
    #expect(evaluated.code == 0)
    #expect(evaluated.objects.last?["top1"] as? Double == done["top1"] as? Double)
    #expect(evaluated.errorLines.count == 1 && evaluated.errors.contains("names no classes"))
  }

  @Test func `changed data is refused, reported and accepted by the option alone`() throws {
    let folder = try folder()
    try Pictures.write(folder, "own", ["a", "b"], train: 20, test: 4)
    let program = try Program(
      [
        "train", "net.json", "--data", "own", "--epochs", "1000000", "--set", "batch=8", "--run",
        "run", "--json", "--threads", "1",
      ],
      in: folder
    )
    #expect(eventually { program.output.contains("\"event\":\"epoch\"") })
    program.process.terminate()
    #expect(program.ending().code == 128 + SIGTERM)
    let run = try RunFolder.open(path: folder.path + "/run")
    let checkpoints = run.checkpointSteps()

    // The same files elsewhere are the same data.
    func goOn(_ options: [String]) throws -> Program {
      let next = try Program(["resume", "run", "--json"] + options, in: folder)
      let steps = try run.reader().status()?.step ?? 0
      #expect(
        eventually {
          !next.process.isRunning || ((try? run.reader().status()?.step) ?? 0) > steps
        }
      )
      return next
    }
    try FileManager.default.removeItem(atPath: folder.path + "/own")
    try Pictures.write(folder, "own", ["a", "b"], train: 20, test: 4)
    let same = try goOn([])
    #expect(same.process.isRunning)
    same.process.terminate()
    #expect(same.ending().code == 128 + SIGTERM)

    try Pictures.write(folder, "own", ["a", "b"], train: 23, test: 4)
    let refused = try Program.run(["resume", "run", "--json"], in: folder)
    #expect(refused.code == UserError.Code.data.rawValue && refused.output == "")
    #expect(refused.errorLines.count == 1)
    for words in ["6 training images more in a, b", "--accept-changed-data"] {
      #expect(refused.errors.contains(words), "\(refused.errors)")
    }
    #expect(run.checkpointSteps().count >= checkpoints.count)
    let accepted = try goOn(["--accept-changed-data"])
    #expect(accepted.process.isRunning)
    accepted.process.terminate()
    #expect(accepted.ending().code == 128 + SIGTERM)
    // From now on that is the run's data.
    let again = try goOn([])
    #expect(again.process.isRunning)
    again.process.terminate()
    #expect(again.ending().code == 128 + SIGTERM)
  }

  @Test func `weights that are no numbers are neither evaluated, exported nor trained on`() throws {
    let folder = try folder()
    try Pictures.write(folder, "own", ["a", "b"], train: 4, test: 2)
    #expect(try train(folder, ["--epochs", "1"]).code == 0)
    var file = try Checkpoint.read(from: folder.path + "/run/exports/network.safetensors")
    let index = try #require(file.tensors.firstIndex { $0.name == "head.mean" })
    file.tensors[index].values[0] = .nan
    try file.write(to: folder.path + "/nan.safetensors")
    for arguments in [
      ["evaluate", "nan.safetensors", "--data", "own", "--json"],
      ["export", "nan.safetensors", "--onnx", "out.onnx", "--svg", "out.svg"],
      ["export", "nan.safetensors", "--safetensors", "out.safetensors"],
      ["train", "nan.safetensors", "--data", "own", "--run", "out.run"],
    ] {
      let ending = try Program.run(arguments, in: folder)
      #expect(ending.code == UserError.Code.data.rawValue && ending.output == "")
      #expect(ending.errorLines.count == 1)
      #expect(ending.errors.contains("array head.mean holds values that are not finite"))
    }
    let left = try FileManager.default.contentsOfDirectory(atPath: folder.path)
    #expect(!left.contains { $0.hasPrefix("out.") && $0 != "out.run" })
    #expect(!FileManager.default.fileExists(atPath: folder.path + "/out.run"))
  }

  @Test func `a batch of one on maps of one pixel is refused before a run is made`() throws {
    let folder = try folder()
    try Pictures.write(folder, "own", ["a", "b"], train: 4, test: 2)
    let ending = try Program.run(
      [
        "train", "net.json", "--data", "own", "--resolution", "4", "--set", "batch=1", "--run", "r",
        "--headless",
      ],
      in: folder
    )
    #expect(ending.code == UserError.Code.configuration.rawValue && ending.errorLines.count == 1)
    #expect(ending.errors.contains("recipe.batch") && ending.errors.contains("batch-norm"))
    #expect(!FileManager.default.fileExists(atPath: folder.path + "/r"))
  }
}
