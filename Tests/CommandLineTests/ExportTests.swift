import Foundation
import Runs
import Testing

/// `supertop export`: what it writes, and what it says of bad input.
struct ExportTests {
  private static let small = """
    {"name": "small", "resolution": 16, "channels": 1, "classes": 4, "stem": {"width": 8},
     "layers": [{"kernel": 3, "expansion": 3, "width": 8}, {"kernel": 5, "middle": 24, "width": 12,
     "stride": 2}], "head": 20}
    """

  private func export(
    _ network: String,
    _ arguments: [String],
    in folder: Program.Folder
  ) throws -> Program.Ending {
    try Program.run(["export", network] + arguments, in: folder)
  }

  /// Files of the folder, without the program's own output.
  private func files(_ folder: Program.Folder) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: folder.path)
      .filter { !$0.hasSuffix(".out") && !$0.hasSuffix(".err") }.sorted()
  }

  @Test func `every format comes from one call, and what can be read gives the same again`() throws
  {
    let folder = try Program.Folder()
    _ = try folder.write("small.json", Data(Self.small.utf8))
    let first = try export(
      "small.json",
      [
        "--onnx", "a.onnx", "--safetensors", "a.safetensors", "--json", "a.json", "--svg", "a.svg",
      ],
      in: folder
    )
    #expect(first.code == 0)
    #expect(first.errors.contains("random"), "fresh weights are told of")
    #expect(
      try files(folder) == ["a.json", "a.onnx", "a.safetensors", "a.svg", "small.json"]
    )
    let second = try export(
      "a.safetensors",
      [
        "--onnx", "b.onnx", "--safetensors", "b.safetensors", "--json", "b.json", "--svg", "b.svg",
      ],
      in: folder
    )
    #expect(second.code == 0)
    #expect(second.errors.isEmpty)
    func bytes(_ name: String) throws -> Data {
      try #require(FileManager.default.contents(atPath: folder.path + "/" + name))
    }
    for ending in ["onnx", "safetensors", "json", "svg"] {
      #expect(try bytes("a." + ending) == bytes("b." + ending), "\(ending)")
    }
    #expect(try export("a.json", ["--json", "c.json"], in: folder).code == 0)
    #expect(try bytes("c.json") == bytes("a.json"))
    // A batch-norm apart needs room for its four arrays.
    #expect(try export("a.safetensors", ["--onnx", "c.onnx", "--no-fold"], in: folder).code == 0)
    #expect(try bytes("c.onnx").count > bytes("a.onnx").count)
  }

  @Test func `a network of the zoo is found in any case`() throws {
    let folder = try Program.Folder()
    #expect(try export("FBNET_c", ["--json", "c.json"], in: folder).code == 0)
    let text = try String(contentsOfFile: folder.path + "/c.json", encoding: .utf8)
    #expect(text.contains("\"fbnet_c\""))
  }

  /// One line on standard error, the code, nothing written.
  private func expectFault(
    _ network: String,
    _ arguments: [String],
    code: Int32,
    _ words: [String],
    in folder: Program.Folder
  ) throws {
    let before = try files(folder)
    let ending = try export(network, arguments, in: folder)
    #expect(ending.code == code, "\(ending.errors)")
    #expect(ending.errorLines.count == 1, "\(ending.errors)")
    for word in words { #expect(ending.errors.contains(word), "\(ending.errors)") }
    #expect(ending.output.isEmpty)
    #expect(try files(folder) == before)
  }

  @Test func `an unknown network is answered with the nearest`() throws {
    let folder = try Program.Folder()
    try expectFault("fbnetv3_aa", ["--json", "a.json"], code: 66, ["FBNetV3_A"], in: folder)
    try expectFault("no/such.json", ["--json", "a.json"], code: 66, ["no such file"], in: folder)
    try expectFault(".", ["--json", "a.json"], code: 65, ["not a run"], in: folder)
    try expectFault("fbnet_c", [], code: 64, ["--onnx"], in: folder)
  }

  @Test(arguments: [
    ("{", "not JSON"),
    (
      Self.small.replacingOccurrences(of: "\"kernel\": 5", with: "\"kernel\": 4"),
      "layers[1].kernel"
    ),
    (
      Self.small.replacingOccurrences(of: "\"width\": 12", with: "\"width\": 0"),
      "layers[1].width"
    ),
    (
      Self.small.replacingOccurrences(of: "\"kernel\": 5", with: "\"kernel\": 31, \"padding\": 0"),
      "layers[1]"
    ),
  ])
  func `a JSON of an impossible network names the layer`(json: String, place: String) throws {
    let folder = try Program.Folder()
    _ = try folder.write("bad.json", Data(json.utf8))
    try expectFault("bad.json", ["--onnx", "a.onnx"], code: 65, ["bad.json", place], in: folder)
  }

  @Test func `a truncated or foreign safetensors file is refused`() throws {
    let folder = try Program.Folder()
    _ = try folder.write("small.json", Data(Self.small.utf8))
    _ = try export("small.json", ["--safetensors", "whole.safetensors"], in: folder)
    let path = folder.path + "/whole.safetensors"
    let whole = try #require(FileManager.default.contents(atPath: path))
    for (name, bytes, words) in [
      ("cut", whole.dropLast(10), "truncated inside"), ("short", whole.prefix(300), "truncated"),
      ("empty", Data(), "truncated"), ("text", Data("no safetensors at all".utf8), "not a safe"),
    ] {
      _ = try folder.write(name + ".safetensors", Data(bytes))
      try expectFault(
        name + ".safetensors",
        ["--onnx", "a.onnx"],
        code: 65,
        [name + ".safetensors", words],
        in: folder
      )
    }
    let foreign = Checkpoint(tensors: [.init(name: "conv1.weight", shape: [1], values: [1])])
    try foreign.write(to: folder.path + "/foreign.safetensors")
    try expectFault(
      "foreign.safetensors",
      ["--json", "a.json"],
      code: 65,
      ["not the layers of a network"],
      in: folder
    )
    var other = try Checkpoint.read(from: path)
    other.tensors[0].shape.swapAt(2, 3)
    let name = other.tensors[0].name
    try other.write(to: folder.path + "/other.safetensors")
    try expectFault(
      "other.safetensors",
      ["--onnx", "a.onnx"],
      code: 65,
      ["array \(name) has shape"],
      in: folder
    )
  }

  @Test(arguments: ["--onnx", "--safetensors", "--json", "--svg"])
  func `a path that cannot be written is named and the file that is there stays`(
    option: String
  ) throws {
    let folder = try Program.Folder()
    _ = try folder.write("small.json", Data(Self.small.utf8))
    try expectFault(
      "small.json",
      [option, "missing/a"],
      code: 73,
      ["missing/a", "cannot be written"],
      in: folder
    )
    try expectFault("small.json", [option, "."], code: 73, ["is a folder"], in: folder)
    try expectFault("small.json", [option, "x/"], code: 73, ["x/", "names a folder"], in: folder)
    try expectFault("small.json", [option, ""], code: 73, ["''", "not a path"], in: folder)
    #if os(Linux)
      try expectFault("small.json", [option, "/dev/full"], code: 74, ["/dev/full"], in: folder)
    #endif
    #expect(try files(folder).sorted() == ["small.json"])
  }

  @Test func `a dash is standard output, a link is followed and a name may be one letter`() throws {
    let folder = try Program.Folder()
    _ = try folder.write("n", Data(Self.small.utf8))
    #expect(symlink("real", folder.path + "/l") == 0)
    let shown = try export("n", ["--json", "-", "--svg", "x", "--onnx", "l"], in: folder)
    #expect(shown.code == 0, "\(shown.errors)")
    let again = try export("n", ["--json", "y", "--svg", "/dev/stdout"], in: folder)
    let content = FileManager.default.contents(atPath:)
    #expect(content(folder.path + "/y") == Data(shown.output.utf8))
    #expect(content(folder.path + "/x") == Data(again.output.utf8))
    #expect(try files(folder) == ["l", "n", "real", "x", "y"])
    #expect(try FileManager.default.destinationOfSymbolicLink(atPath: folder.path + "/l") == "real")
    let search = ["search", "--headless", "--run", "r"] + Program.tiny(epochs: 2)
    #expect(try Program.run(search, in: folder).code == 0)
    for arguments in [["watch", "r", "--screenshot", "s"], ["compare", "r", "r", "--out", "c"]] {
      #expect(try Program.run(arguments, in: folder).code == 0)
      #expect(content(folder.path + "/" + (arguments.last ?? ""))?.isEmpty == false)
    }
    // The picture has standard output for itself.
    let compared = try Program.run(["compare", "r", "--out", "-"], in: folder)
    #expect(compared.code == 0 && compared.output.hasPrefix("<svg"))
    #expect(compared.errors.contains("dnas"))
  }

  @Test func `a finished search gives its network, an unfinished one says what to do`() throws {
    let folder = try Program.Folder()
    let search = try Program.run(
      ["search", "--headless", "--json", "--run", "run"] + Program.tiny(epochs: 2),
      in: folder
    )
    #expect(search.code == 0, "\(search.errors)")
    let ending = try export("run", ["--json", "a.json", "--onnx", "a.onnx"], in: folder)
    #expect(ending.code == 0, "\(ending.errors)")
    let json = try #require(FileManager.default.contents(atPath: folder.path + "/a.json"))
    let network = try #require(JSONSerialization.jsonObject(with: json) as? [String: Any])
    #expect(network["resolution"] as? Int == 8 && network["channels"] as? Int == 1)
    // Stem, two searched layers, head.
    #expect((network["layers"] as? [Any])?.count == 4)
    try FileManager.default.removeItem(atPath: folder.path + "/run/exports/network.json")
    try expectFault("run", ["--svg", "a.svg"], code: 66, ["run", "supertop resume"], in: folder)
  }
}
