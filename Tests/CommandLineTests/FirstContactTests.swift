import Foundation
import Runs
import Testing

/// What a person meets who tries the program for the first time: `supertop FOLDER`, commands
/// without a run, and slips of the tongue.
struct FirstContactTests {
  /// A folder of classes alone.
  private func photos(_ count: Int = 30) throws -> Program.Folder {
    let folder = try Program.Folder()
    try Pictures.write(folder, "all", ["cat", "dog"], train: count, test: 0)
    try folder.shell("mv all/train 'my photos'; rmdir all")
    return folder
  }

  @Test func `a folder of images alone starts a search, and the command told does the same`() throws
  {
    let folder = try photos()
    let first = try Program.run(
      ["my photos", "--set", "search.batch=16", "--epochs", "2", "--minutes", "9", "--prepare"],
      in: folder
    )
    #expect(first.code == 0, "\(first.errors)")
    let told = Program.lines(first.errors)
    try #require(told.count > 3)
    #expect(
      told[0].hasPrefix("my photos: 48 images of 2 classes to train on, 12 to test; in colour")
    )
    #expect(told[1].contains("digits at 16×16 pixels, 2 epochs in batches of 16"))
    let last = try #require(told.last)
    let command = try #require(last.components(separatedBy: ": supertop ").last)
    #expect(command.contains("--data 'my photos'") && command.contains("budget."))
    try folder.shell("'\(Program.path)' \(command) --run runs/by-hand --prepare")
    func settings(_ run: String) throws -> String {
      try String(contentsOfFile: "\(folder.path)/\(run)/config.yaml", encoding: .utf8)
    }
    let run = try #require(Program.lines(first.output).first)
    #expect(try settings(run) == settings("runs/by-hand"))
    #expect(try settings(run).contains("epochs: 2"))
    // The log of the run has what was told.
    let reader = try RunFolder.open(path: "\(folder.path)/\(run)").reader()
    #expect(try reader.log().map(\.text) == told)
    let resumed = try Program.run(["resume", run, "--headless"], in: folder)
    #expect(resumed.code == 0, "\(resumed.errors)")
    #expect(resumed.output.contains("on the test images"))
  }

  @Test func `commands take the newest run where none is named, and say so`() throws {
    let folder = try Program.Folder()
    for command in ["resume", "watch", "show", "derive", "compare"] {
      let none = try Program.run([command], in: folder)
      #expect(none.code == UserError.Code.noInput.rawValue)
      #expect(
        none.errors == "supertop: runs: no run here to take; name one, or start one with supertop\n"
      )
    }
    for _ in 0..<2 {
      let made = try Program.run(["search"] + Program.tiny(epochs: 2) + ["--headless"], in: folder)
      #expect(made.code == 0)
    }
    let told = "supertop: the newest run, runs/digits-2\n"
    for arguments in [
      ["resume", "--headless"], ["watch", "--headless"], ["show", "--screen", "status"],
      ["derive", "--retrain-epochs", "0", "--samples", "1", "--refine", "0"], ["compare"],
      ["export", "--json", "network.json"],
    ] {
      let ending = try Program.run(arguments, in: folder)
      #expect(ending.code == 0 && ending.errors.hasPrefix(told), "\(arguments): \(ending.errors)")
    }
    // That of the last sign of life is the newest.
    try folder.shell("touch runs/digits-1/trainer.lock")
    let shown = try Program.run(["show", "--screen", "status"], in: folder)
    #expect(shown.errors == "supertop: the newest run, runs/digits-1\n")
    // Any network is counted, not only the published ones.
    for network in ["runs/digits-1", "network.json"] {
      let counted = try Program.run(["models", network, "--json"], in: folder)
      #expect(counted.code == 0 && counted.output.contains("\"published_flops\" : null"))
    }
  }

  @Test(
    arguments: [
      ("cifar-small", "supertop search --preset cifar-small"),
      ("FBNET_C", "supertop train fbnet_c --data FOLDER"), ("wtach", "supertop watch?"),
      ("comprae", "supertop compare?"), ("a.jpg", "an image"), ("n.json", "supertop models n.json"),
      ("w.safetensors", "supertop train w.safetensors"), ("run/run.sqlite", "supertop watch run"),
      ("run", "supertop watch run"), ("kept", "supertop watch kept"),
      ("nowhere.yaml", "one of the commands"),
    ]
  )
  func `a slip of the first word is answered by the command that was meant`(
    word: String,
    meant: String
  ) throws {
    let folder = try Program.Folder()
    _ = try folder.write("a.jpg", Data("x".utf8))
    _ = try folder.write("w.safetensors", Data("x".utf8))
    _ = try Program.run(["export", "fbnet_c", "--json", "n.json"], in: folder)
    _ = try Program.run(["search", "--run", "run", "--prepare"], in: folder)
    _ = try Program.run(["search", "--run", "kept/a", "--prepare"], in: folder)
    let ending = try Program.run([word], in: folder)
    #expect([UserError.Code.usage, .noInput].map(\.rawValue).contains(ending.code))
    let lines = Program.lines(ending.errors)
    #expect(lines.count == 1 && lines[0].contains(meant), "\(lines)")
  }

  @Test func `images in the place of a run name the command that searches on them`() throws {
    let folder = try photos(5)
    for command in ["resume", "watch", "show", "derive", "train"] {
      let ending = try Program.run([command, "my photos"], in: folder)
      #expect(ending.code == UserError.Code.data.rawValue)
      #expect(ending.errors.contains("search on the images in it with supertop "))
    }
    for (arguments, words) in [
      (["my photos", "--minutes", "0"], "--minutes 0"),
      (["--minutes", "5"], "no folder of images"),
      (["my photos", "--data", "x"], "two places"),
      (["my photos", "--preset", "fbnet-v2-cifar"], "--preset fbnet-v2-cifar"),
      (["my photos", "--set", "search.epoch=1"], "search.epoch"),
    ] {
      let ending = try Program.run(arguments + ["--headless"], in: folder)
      #expect(ending.code != 0 && Program.lines(ending.errors).count == 1, "\(ending.errors)")
      #expect(ending.errors.contains(words))
    }
    #expect(!FileManager.default.fileExists(atPath: folder.path + "/runs"))
  }
}
