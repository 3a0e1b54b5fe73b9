import Foundation
import Runs
import TestSupport
import Testing

/// `supertop train` and `evaluate` as a person uses them.
struct TrainTests {
  static let network = """
    {"name": "small", "resolution": 8, "channels": 1, "classes": 10, "layers": [
      {"convolution": true, "kernel": 3, "width": 16},
      {"kernel": 3, "expansion": 3, "width": 24},
      {"kernel": 3, "expansion": 3, "width": 24},
      {"kernel": 3, "expansion": 3, "width": 32, "stride": 2},
      {"convolution": true, "kernel": 1, "width": 64}]}
    """

  private static let recipe = """
    optimiser: rmsprop
    learning_rate: 0.01
    mixup: 0.2
    dropout: 0.1
    drop_path: 0.1
    ema: 0.9
    batch: 128
    recalibration_images: 256
    """

  private func folder() throws -> Program.Folder {
    let folder = try Program.Folder()
    _ = try folder.write("small.json", Data(TrainTests.network.utf8))
    _ = try folder.write("recipe.yaml", Data(TrainTests.recipe.utf8))
    return folder
  }

  @Test func `a small network learns the digits, and its file gives the same figures`() throws {
    let folder = try folder()
    let ending = try Program.run(
      [
        "train", "small.json", "--data", "digits", "--epochs", "6", "--set", "learning_rate=0.1",
        "--json",
      ],
      in: folder
    )
    #expect(ending.code == 0 && ending.errors == "")
    let done = try #require(ending.objects.last)
    #expect(done["event"] as? String == "done" && done["name"] as? String == "small")
    let top1 = try #require(done["top1"] as? Double)
    #expect(top1 > 0.9 && (done["top5"] as? Double ?? 0) > 0.99)
    let epochs = ending.objects.filter { $0["event"] as? String == "epoch" }
    #expect(epochs.count == 6)
    #expect(done["test_accuracy"] as? Double == top1 && done["test_loss"] is Double)
    // Epochs are evaluated on a tenth of the training images, which trains nothing.
    #expect(epochs.last?["top1"] as? Double == done["val_accuracy"] as? Double)
    #expect(epochs.last?["val_loss"] as? Double == done["val_loss"] as? Double)
    #expect(epochs.allSatisfy { $0["val_loss"] is Double && $0["top5"] is Double })
    let steps = ending.objects.filter { $0["event"] as? String == "step" }
    #expect(steps.count == 6 * 20)
    #expect(steps.allSatisfy { $0["learning_rate"] is Double && $0["temperature"] == nil })

    for (name, data) in [
      ("runs/small-1", []), ("runs/small-1/exports/network.safetensors", ["--data", "digits"]),
    ] {
      let evaluated = try Program.run(["evaluate", name, "--json"] + data, in: folder)
      #expect(evaluated.code == 0)
      let object = try #require(evaluated.objects.first)
      #expect(object["top1"] as? Double == top1)
      #expect(object["top5"] as? Double == done["top5"] as? Double)
      #expect(object["images"] as? Int == 360)
      let loss = try #require(object["loss"] as? Double)
      #expect(abs(loss - (done["test_loss"] as? Double ?? 0)) < 1e-6)
      #expect(object["test_accuracy"] as? Double == top1 && object["test_loss"] as? Double == loss)
    }
    let words = try Program.run(["evaluate", "runs/small-1"], in: folder)
    #expect(words.lines.count == 1 && words.output.hasPrefix("top-1 "))

    let watched = try Program.run(["watch", "runs/small-1", "--headless"], in: folder)
    #expect(watched.code == 0 && watched.output.contains("epoch 6: top-1"))

    // What is trained is where another training starts.
    let tuned = try Program.run(
      ["train", "runs/small-1", "--epochs", "1", "--set", "learning_rate=0.001", "--json"],
      in: folder
    )
    #expect((tuned.objects.last?["top1"] as? Double ?? 0) > 0.9)
    #expect((tuned.objects.last?["run"] as? String)?.hasSuffix("/runs/small-2") == true)
  }

  @Test func `a training killed again and again ends byte for byte as one left alone`() throws {
    let arguments = [
      "train", "small.json", "--recipe", "recipe.yaml", "--run", "run", "--epochs", "16", "--json",
    ]
    let left = try Program.run(arguments, in: try folder())
    let expected = try #require(left.objects.last)
    #expect(left.code == 0)

    let folder = try folder()
    let (ending, kills) = try Program.killing(
      arguments,
      then: ["resume", "run", "--json"],
      in: folder
    )
    #expect(ending.code == 0 && kills > 0)
    let result = try #require(ending.objects.last)
    #expect(result["weights_sha256"] as? String == expected["weights_sha256"] as? String)
    for key in ["top1", "top5", "test_loss", "val_loss", "steps", "flops"] {
      #expect(result[key] as? Double == expected[key] as? Double, "\(key)")
    }
    func bytes(_ folder: Program.Folder) throws -> Data {
      try Data(contentsOf: URL(fileURLWithPath: folder.path + "/run/exports/network.safetensors"))
    }
    #expect(try bytes(folder).count > 10_000)
  }

  @Test func `what cannot be trained or evaluated is reported in one line`() throws {
    let folder = try folder()
    _ = try folder.write("bad.yaml", Data("mixpu: 0.2\n".utf8))
    let faults: [(arguments: [String], code: UserError.Code, words: [String])] = [
      (["train", "fbnet_q"], .noInput, ["fbnet_q"]),
      (["train", "none.json"], .noInput, ["none.json"]),
      (["train", "small.json", "--recipe", "bad.yaml"], .configuration, ["bad.yaml", "mixup"]),
      (["train", "small.json", "--recipe", "no.yaml"], .noInput, ["no.yaml"]),
      (["train", "small.json", "--set", "ema=2"], .configuration, ["--set recipe.ema", "2"]),
      (["train", "small.json", "--data", "nowhere"], .noInput, ["nowhere"]),
      (["evaluate", "fbnet_c", "--data", "digits"], .data, ["fbnet_c", "supertop train"]),
      (
        ["evaluate", "small.json", "--data", "digits"], .data, ["small.json", "no trained weights"]
      ),
    ]
    for fault in faults {
      let ending = try Program.run(fault.arguments, in: folder)
      #expect(ending.code == fault.code.rawValue, "\(fault.arguments): \(ending.errors)")
      #expect(ending.errorLines.count == 1, "\(fault.arguments)")
      for word in fault.words { #expect(ending.errors.contains(word), "\(ending.errors)") }
    }
    #expect(!FileManager.default.fileExists(atPath: folder.path + "/runs"))
  }

  @Test func `the default recipe is printed as a file that train takes`() throws {
    let folder = try folder()
    let printed = try Program.run(["config", "--recipe", "--set", "epochs=1"], in: folder)
    #expect(printed.code == 0)
    let path = try folder.write("mine.yaml", Data(printed.output.utf8))
    var expected = Recipe()
    expected.epochs = 1
    #expect(try Recipe.load(path: path) == expected)
  }
}
