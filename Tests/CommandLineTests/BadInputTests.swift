import Foundation
import Runs
import Testing

/// Every mistake gives one clear line on standard error and the right exit code of sysexits.h.
struct BadInputTests {
  /// A command line, what its error line has to name, and its exit code.
  struct Mistake: CustomTestStringConvertible, Sendable {
    var arguments: [String]
    var words: [String]
    var code: UserError.Code

    var testDescription: String { arguments.joined(separator: " ") }
  }

  private static let mistakes: [Mistake] = [
    .init(
      arguments: ["search", "--preset", "imagnet"],
      words: ["imagnet", "imagenet"],
      code: .configuration
    ),
    .init(
      arguments: ["search", "--set", "serch.batch=4"],
      words: ["serch.batch", "search.batch"],
      code: .configuration
    ),
    .init(
      arguments: ["search", "--set", "batch=-4"],
      words: ["search.batch", "-4"],
      code: .configuration
    ),
    .init(
      arguments: ["search", "--epochs", "-3"],
      words: ["search.epochs", "-3"],
      code: .configuration
    ),
    .init(
      arguments: ["search", "--set", "batch"],
      words: ["batch", "key.path=value"],
      code: .usage
    ),
    .init(
      arguments: ["search", "--preset", "cifar-small", "--data", "nowhere"],
      words: ["nowhere"],
      code: .noInput
    ),
    .init(
      arguments: ["search", "--space-from", "fbnet_a"],
      words: ["fbnet_a: block 12", "cannot be slimmed", "groups"],
      code: .data
    ),
    .init(
      arguments: ["search", "--space-from", "fbnet_c", "--widths", "0.5,0.25"],
      words: ["--widths 0.5,0.25", "0.25,0.5,0.75,1"],
      code: .usage
    ),
    .init(
      arguments: ["search", "--space-from", "fbnet_c", "--keep", "60"],
      words: ["--keep 60", "0.6"],
      code: .usage
    ),
    .init(
      arguments: [
        "search", "--space-from", "fbnet_c", "--keep", "0.6", "--set", "budget.flops=1000000",
      ],
      words: ["--keep 0.6", "two places"],
      code: .usage
    ),
    .init(
      arguments: ["search", "--keep", "0.6"],
      words: ["--keep 0.6", "--space-from"],
      code: .usage
    ),
    .init(
      arguments: [
        "search", "--preset", "fbnet-v2-digits", "--set", "loss.form=additive", "--set",
        "loss.alpha=100000", "--headless", "--run", "drowned",
      ],
      words: ["loss.alpha", "drowns"],
      code: .configuration
    ),
    .init(arguments: ["search", "missing.yaml"], words: ["missing.yaml"], code: .noInput),
    .init(arguments: ["serach"], words: ["serach", "search"], code: .noInput),
    .init(arguments: ["search", "--no-such-option"], words: ["--no-such-option"], code: .usage),
    .init(arguments: ["search", "--seed"], words: ["--seed"], code: .usage),
    .init(arguments: ["search", "--theme", "nosuch"], words: ["nosuch"], code: .usage),
    .init(arguments: ["resume"], words: ["runs", "no run here"], code: .noInput),
    .init(arguments: ["evaluate"], words: ["<network>"], code: .usage),
    .init(arguments: ["resume", "nowhere"], words: ["nowhere"], code: .noInput),
    .init(arguments: ["resume", "."], words: ["run.sqlite"], code: .data),
    .init(arguments: ["watch", "nowhere"], words: ["nowhere"], code: .noInput),
    .init(arguments: ["config"], words: ["--preset", "--explain"], code: .usage),
    .init(arguments: ["config", "--preset", "digit"], words: ["digit"], code: .configuration),
    .init(arguments: ["data", "info", "nowhere"], words: ["nowhere"], code: .noInput),
  ]

  @Test(arguments: mistakes)
  func `a mistake gives one line and its exit code`(mistake: Mistake) throws {
    let folder = try Program.Folder()
    let ending = try Program.run(mistake.arguments, in: folder)
    #expect(ending.code == mistake.code.rawValue)
    expectOneLine(ending, mistake.words)
    // Nothing is left behind that looks like a run.
    let runs = try? FileManager.default.contentsOfDirectory(atPath: folder.path + "/runs")
    #expect(runs ?? [] == [])
  }

  @Test func `a folder with one class is refused`() throws {
    let folder = try Program.Folder()
    for part in ["train", "test"] {
      _ = try folder.write("photos/\(part)/cat/1.png", Data())
    }
    let ending = try Program.run(
      ["search", "--preset", "cifar-small", "--data", "photos", "--headless"],
      in: folder
    )
    #expect(ending.code == UserError.Code.data.rawValue)
    expectOneLine(ending, ["photos", "cat"])
  }

  @Test func `a truncated photograph is named and can be skipped`() throws {
    let folder = try Program.Folder()
    let jpeg = try #require(Data(base64Encoded: BadInputTests.jpeg))
    for part in ["train", "test"] {
      for animal in ["cat", "dog"] {
        for number in 0..<4 {
          _ = try folder.write("photos/\(part)/\(animal)/\(number).jpg", jpeg)
        }
      }
    }
    _ = try folder.write("photos/train/dog/9.jpg", jpeg.prefix(jpeg.count / 2))
    let cache = ["XDG_CACHE_HOME": folder.path + "/cache"]
    let refused = try Program.run(
      ["data", "info", "photos", "--resolution", "16"],
      in: folder,
      environment: cache
    )
    #expect(refused.code == UserError.Code.data.rawValue)
    expectOneLine(refused, ["train/dog/9.jpg"])
    let skipped = try Program.run(
      ["data", "info", "photos", "--resolution", "16", "--skip-bad-images"],
      in: folder,
      environment: cache
    )
    #expect(skipped.code == 0)
    #expect(skipped.output.contains("9.jpg"))
    #expect(skipped.lines.contains { $0.hasPrefix("skipped") && $0.hasSuffix("1") })
  }

  @Test func `a run folder that cannot be made is named`() throws {
    let folder = try Program.Folder()
    let file = try folder.write("file", Data("x".utf8))
    let ending = try Program.run(["search", "--run", file + "/run"], in: folder)
    #expect(ending.code == UserError.Code.cannotCreate.rawValue)
    expectOneLine(ending, [file])
  }

  @Test(.enabled(if: getuid() != 0, "the superuser may write everywhere"))
  func `a read-only run cannot be resumed`() throws {
    let folder = try Program.Folder()
    let run = folder.path + "/run"
    _ = try RunFolder.create(at: run, config: try Configuration.preset("digits"))
    try FileManager.default.setAttributes([.posixPermissions: 0o555], ofItemAtPath: run)
    defer { try? FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: run) }
    let ending = try Program.run(["resume", run, "--headless"], in: folder)
    #expect(ending.code == UserError.Code.cannotCreate.rawValue)
    expectOneLine(ending, ["run"])
  }

  @Test func `a run of another version is told apart from a damaged one`() throws {
    let folder = try Program.Folder()
    let run = folder.path + "/run"
    let made = try RunFolder.create(at: run, config: try Configuration.preset("digits"))
    // The format's number stands in SQLite's user version: four bytes at offset 60.
    var bytes = try Data(contentsOf: URL(fileURLWithPath: made.storePath))
    bytes.replaceSubrange(60..<64, with: [0, 0, 0, 99])
    try bytes.write(to: URL(fileURLWithPath: made.storePath))
    for command in ["resume", "watch"] {
      let ending = try Program.run([command, run, "--headless"], in: folder)
      #expect(ending.code == UserError.Code.data.rawValue)
      expectOneLine(ending, ["99", "format"])
    }
  }

  @Test func `an unknown key of a file is reported with the nearest one`() throws {
    let folder = try Program.Folder()
    let file = try folder.write("my.yaml", Data("preset: digits\nsearch:\n  epoch: 3\n".utf8))
    let ending = try Program.run(["search", file], in: folder)
    #expect(ending.code == UserError.Code.configuration.rawValue)
    expectOneLine(ending, ["my.yaml", "search.epoch", "search.epochs"])
  }

  private func expectOneLine(_ ending: Program.Ending, _ words: [String]) {
    #expect(ending.errorLines.count == 1, "\(ending.errors)")
    #expect(ending.errors.hasPrefix("supertop: "))
    for word in words {
      #expect(ending.errors.contains(word), "\(word) is not in: \(ending.errors)")
    }
  }

  /// A grey pattern of 16x16 pixels as JPEG.
  private static let jpeg = """
    /9j/4AAQSkZJRgABAQAAAQABAAD/2wBDABQODxIPDRQSEBIXFRQYHjIhHhwcHj0sLiQySUBMS0dARkVQWnNiUFVtVk \
    VGZIhlbXd7gYKBTmCNl4x9lnN+gXz/2wBDARUXFx4aHjshITt8U0ZTfHx8fHx8fHx8fHx8fHx8fHx8fHx8fHx8fHx8 \
    fHx8fHx8fHx8fHx8fHx8fHx8fHx8fHz/wAARCAAQABADASIAAhEBAxEB/8QAFQABAQAAAAAAAAAAAAAAAAAABQb/xA \
    AiEAAABQQBBQAAAAAAAAAAAAAAAQQFIQIDETFREhMVI0H/xAAUAQEAAAAAAAAAAAAAAAAAAAAA/8QAFBEBAAAAAAAA \
    AAAAAAAAAAAAAP/aAAwDAQACEQMRAD8AIbk2oFS3JtQDG5NqAg8rPGNNXbq6VF/128HJc1bzBfeTIB//2Q==
    """.split(separator: " ").joined()
}
