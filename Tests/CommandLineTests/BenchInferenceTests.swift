import Foundation
import Testing

/// `supertop bench inference`: what it reports, and what it says of a bad file.
struct BenchInferenceTests {
  private static let small = """
    {"name": "small", "resolution": 16, "channels": 3, "classes": 10,
     "stem": {"width": 8},
     "layers": [
       {"kernel": 3, "width": 8},
       {"kernel": 5, "middle": 24, "width": 12, "stride": 2, "groups": 2, "activation": "hswish"},
       {"skip": true, "width": 12}],
     "head": 20}
    """

  private func run(_ network: String, _ arguments: [String] = []) throws -> Program.Ending {
    let folder = try Program.Folder()
    let file = folder.path + "/network.json"
    try network.write(toFile: file, atomically: true, encoding: .utf8)
    return try Program.run(
      ["bench", "inference", "--network", file, "--seconds", "0.001", "--json"] + arguments,
      in: folder
    )
  }

  @Test func `FBNet-C has the published cost`() throws {
    let folder = try Program.Folder()
    let ending = try Program.run(
      [
        "bench", "inference", "--seconds", "0.001", "--threads", "1", "--isa", "baseline",
        "--json",
      ],
      in: folder
    )
    #expect(ending.code == 0)
    let report = try #require(ending.objects.first)
    #expect(report["network"] as? String == "fbnet_c")
    #expect(report["size"] as? Int == 224)
    // Mobile-vision's figures without its count of the pooling.
    let operations = report["floating_point_operations"] as? Double
    #expect(operations == Double(2 * 378_136_224))
    #expect(report["flops"] as? Double == operations)
    #expect(report["params"] as? Double == Double(5_525_424))
    let median = try #require(report["median_ms"] as? Double)
    #expect(try #require(report["min_ms"] as? Double) <= median)
    #expect(try abs(#require(report["images_per_s"] as? Double) * median / 1000 - 1) < 0.01)
  }

  @Test func `a network of a file is counted at the size asked for`() throws {
    let ending = try run(Self.small, ["--batch", "2", "--threads", "1", "--size", "8"])
    #expect(ending.code == 0)
    let report = try #require(ending.objects.first)
    #expect(report["network"] as? String == "small")
    #expect(report["batch"] as? Int == 2)
    let stem = 27 * 8 * 64
    let first = (9 * 8 + 64) * 64
    let second = 8 * 12 * 64 + (25 * 24 + 12 * 12) * 16
    let end = 12 * 20 * 16 + 200
    #expect(report["flops"] as? Double == Double(4 * (stem + first + second + end)))
  }

  @Test func `a dump holds all weights, the images and the scores`() throws {
    let folder = try Program.Folder()
    let file = folder.path + "/network.json"
    try Self.small.write(toFile: file, atomically: true, encoding: .utf8)
    let ending = try Program.run(
      [
        "bench", "inference", "--network", file, "--seconds", "0.001", "--batch", "3", "--dump",
        folder.path + "/dump",
      ],
      in: folder
    )
    #expect(ending.code == 0)
    func floats(_ name: String) throws -> Int {
      let path = folder.path + "/dump/\(name).f32"
      return try #require(FileManager.default.contents(atPath: path)).count / 4
    }
    #expect(try floats("images") == 3 * 16 * 16 * 3)
    #expect(try floats("scores") == 30)
    let stem = 27 * 8 + 8
    let first = 9 * 8 + 8 + 64 + 8
    // Groups are written as dense filters.
    let second = 8 * 24 + 24 + 25 * 24 + 24 + 24 * 12 + 12
    let end = 12 * 20 + 20 + 200 + 10
    #expect(try floats("weights") == stem + first + second + end)
  }

  @Test(arguments: [
    ("{", "not JSON"),
    (#"{"name": "a"}"#, "resolution"),
    (Self.small.replacingOccurrences(of: "\"width\": 12, ", with: ""), "layers[1].width"),
    (
      Self.small.replacingOccurrences(of: "\"kernel\": 5", with: "\"kernel\": 4"),
      "layers[1].kernel"
    ),
    (Self.small.replacingOccurrences(of: "hswish", with: "gelu"), "layers[1].activation"),
    (
      Self.small.replacingOccurrences(of: "\"groups\": 2", with: "\"groups\": 5"),
      "layers[1].groups"
    ),
    (Self.small.replacingOccurrences(of: "\"head\"", with: "\"tail\""), "tail"),
  ])
  func `a bad file is named with layer and key`(network: String, place: String) throws {
    let ending = try run(network)
    #expect(ending.code == 65)
    #expect(ending.output.isEmpty)
    #expect(ending.errors.contains("network.json"))
    #expect(ending.errors.contains(place))
    #expect(ending.errors.split(separator: "\n").count == 1)
  }

  @Test func `an unknown network is no input`() throws {
    let folder = try Program.Folder()
    let ending = try Program.run(["bench", "inference", "--network", "fbnet_z"], in: folder)
    #expect(ending.code == 66)
    #expect(ending.errors.contains("fbnet_a"))
  }
}
