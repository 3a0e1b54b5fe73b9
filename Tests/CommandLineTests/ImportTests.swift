import Foundation
import Runs
import TestSupport
import Testing

/// `supertop import`: what it writes and says, and training from what it wrote.
struct ImportTests {
  /// A folder with the weights of mobile-vision's fbnet_96, of ten classes.
  private func folder() throws -> Program.Folder {
    let folder = try Program.Folder()
    let weights = try #require(try ForeignWeights.of("mobile-vision", "fbnet_96"))
    try Checkpoint(tensors: weights.arrays).write(to: folder.path + "/weights.safetensors")
    return folder
  }

  private func run(_ arguments: [String], in folder: Program.Folder) throws -> Program.Ending {
    try Program.run(arguments, in: folder)
  }

  @Test func `an imported network is trained on other classes, all but its classifier its own`()
    throws
  {
    let folder = try folder()
    let first = try run(
      ["import", "weights.safetensors", "--as", "FBNET_96", "--json"],
      in: folder
    )
    #expect(first.code == 0, "\(first.errors)")
    let report = try JSONValue(first.output)
    #expect(Contract.faults(report, as: "object of import", with: []) == [])
    #expect(report["name"]?.text == "fbnet_96" && report["naming"]?.text == "mobile-vision")
    let ignored = report["ignored"]?.list ?? []
    #expect(ignored.flatMap { Contract.faults($0, as: "ignored arrays", with: []) } == [])
    #expect(ignored.first?["names"]?.list.count == 31)

    let imported = try Checkpoint.read(from: folder.path + "/fbnet_96.safetensors")
    let learned = try LearnedData(metadata: imported.metadata, path: "")
    #expect(learned?.mean == [0.485, 0.456, 0.406] && learned?.side == 96)
    #expect(learned?.classNames.first == "class 0" && learned?.classNames.count == 10)
    #expect(try run(["export", "fbnet_96.safetensors", "--onnx", "a.onnx"], in: folder).code == 0)

    // Steps so small that the weights stay where they began.
    let training = try run(
      [
        "train", "fbnet_96.safetensors", "--data", "digits", "--resolution", "32", "--epochs", "1",
        "--headless", "--run", "tuned", "--set", "learning_rate=1e-12", "--set", "ema=0",
      ],
      in: folder
    )
    #expect(training.code == 0, "\(training.errors)")
    let tuned = try Checkpoint.read(from: folder.path + "/tuned/exports/network.safetensors")
    for array in imported.tensors where array.name.hasSuffix("weight") {
      let now = try #require(tuned[array.name])
      if array.name == "classifier.weight" {
        // Ten classes too, but none of the same name.
        #expect(now.shape == array.shape && now.values != array.values)
      } else if array.name != "stem.weight" {
        let worst = zip(now.values, array.values).map { abs($0 - $1) }.max() ?? .infinity
        #expect(now.shape == array.shape && worst < 1e-6, "\(array.name)")
      }
    }
  }

  @Test func `classes are named by a file, or new`() throws {
    let folder = try folder()
    let names = (0..<10).map { "n\($0)" }
    _ = try folder.write("names.txt", Data(names.joined(separator: "\n").utf8))
    let arguments = ["import", "weights.safetensors", "--as", "fbnet_96"]
    let named = try run(
      arguments + ["--class-names", "names.txt", "--output", "a.safetensors"],
      in: folder
    )
    #expect(named.code == 0 && named.output.contains("network: a.safetensors"))
    let file = try Checkpoint.read(from: folder.path + "/a.safetensors")
    #expect(try LearnedData(metadata: file.metadata, path: "")?.classNames == names)
    let fresh = try run(arguments + ["--classes", "4", "--output", "b.safetensors"], in: folder)
    #expect(fresh.output.contains("4 classes with a random classifier"))
    #expect(fresh.output.contains("a new classifier takes its place: head.conv.weight"))
    let short = try run(
      arguments + ["--classes", "4", "--class-names", "names.txt", "--output", "c.safetensors"],
      in: folder
    )
    #expect(short.code == 65)
    #expect(short.errors.contains("names.txt: holds 10 names, 10 of them different"))
    #expect(!FileManager.default.fileExists(atPath: folder.path + "/c.safetensors"))
  }

  /// What follows `import weights.safetensors`, what its line has to name, and its exit code.
  private struct Mistake {
    var arguments: String
    var words: [String]
    var code: UserError.Code
    var file = "weights.safetensors"
  }

  private static let mistakes: [Mistake] = [
    .init(arguments: "--as fbnet96", words: ["the nearest is fbnet_96"], code: .noInput),
    .init(
      arguments: "--as fbnet_c",
      words: ["weights.safetensors: holds 12 blocks, fbnet_c has 23", "--as"],
      code: .data
    ),
    .init(arguments: "--as fbnet_c", words: ["nowhere.pth"], code: .noInput, file: "nowhere.pth"),
    .init(
      arguments: "--as fbnet_c",
      words: ["own.json", "not a safetensors file"],
      code: .data,
      file: "own.json"
    ),
    .init(arguments: "--as fbnet_96 --classes 0", words: ["--classes 0"], code: .usage),
    .init(arguments: "--as fbnet_96 --epsilon 2", words: ["--epsilon 2"], code: .usage),
    .init(
      arguments: "--as fbnet_96 --output weights.safetensors",
      words: ["weights.safetensors: is the file to be read", "--output"],
      code: .cannotCreate
    ),
  ]

  @Test(arguments: mistakes.indices)
  func `a refused import is a line and leaves no file`(index: Int) throws {
    let mistake = Self.mistakes[index]
    let folder = try folder()
    _ = try folder.write("own.json", Data("{\"name\": \"own\"}".utf8))
    let before = try Data(contentsOf: URL(filePath: folder.path + "/weights.safetensors"))
    let ending = try run(
      ["import", mistake.file] + mistake.arguments.split(separator: " ").map(String.init),
      in: folder
    )
    #expect(ending.code == mistake.code.rawValue, "\(ending.errors)")
    #expect(ending.errors.split(separator: "\n").count == 1)
    for word in mistake.words { #expect(ending.errors.contains(word), "\(ending.errors)") }
    let files = try FileManager.default.contentsOfDirectory(atPath: folder.path)
      .filter { $0.hasSuffix(".safetensors") }
    #expect(files == ["weights.safetensors"])
    #expect(
      try Data(contentsOf: URL(filePath: folder.path + "/weights.safetensors")) == before
    )
  }
}
