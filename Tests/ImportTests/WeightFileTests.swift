import Foundation
import Runs
import Testing

@testable import Import

/// Files of `torch.save`; Fixtures/make_weights.py made `formats.pt`.
@Suite struct WeightFileTests {
  private static let names = (pickle: "formats/data.pkl", order: "formats/byteorder")

  /// The entries of `formats.pt`, to be changed.
  private func entries() throws -> [(name: String, content: Data)] {
    let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appending(path: "Fixtures/formats.pt")
    let archive = try ZipArchive(try Data(contentsOf: file), path: "formats.pt")
    return try archive.names.sorted().map { ($0, Data(try archive.content(of: $0))) }
  }

  private func read(_ data: Data) throws -> WeightFile {
    let path = NSTemporaryDirectory() + "\(UUID().uuidString).pt"
    defer { try? FileManager.default.removeItem(atPath: path) }
    try data.write(to: URL(fileURLWithPath: path))
    return try WeightFile(path)
  }

  private func fault(_ data: Data) -> UserError? {
    #expect(throws: UserError.self) { try read(data) }
  }

  private func checkArrays(_ file: WeightFile) throws {
    var found: [String: (shape: [Int], values: [Float])] = [:]
    for array in file.arrays { found[array.name] = (array.shape, try array.values()) }
    let base = (0..<24).map { Float($0) / 8 - 1 }
    for name in ["f64", "f32", "f16", "bf16"] {
      #expect(found[name]?.shape == [4, 6] && found[name]?.values == base, "\(name)")
    }
    for name in ["i64", "i32", "i16", "i8", "u8"] {
      #expect(found[name]?.shape == [2, 3], "\(name)")
      #expect(found[name]?.values == [0, 1, 2, 0, 1, 2], "\(name)")
    }
    #expect(found["bool"]?.values == [0, 1, 1, 0, 1, 1])
    #expect(found["transposed"]?.shape == [6, 4])
    #expect(
      found["transposed"]?.values == (0..<6).flatMap { x in (0..<4).map { base[$0 * 6 + x] } }
    )
    #expect(found["part"]?.values == [8, 9, 10, 14, 15, 16].map { base[$0] })
    #expect(found["every"]?.values == [0, 3, 12, 15].map { base[$0] })
    #expect(found["scalar"]?.shape == [] && found["scalar"]?.values == [2.5])
    #expect(found["empty"]?.shape == [0, 3] && found["empty"]?.values == [])
    #expect(found["parameter"]?.values == Array(base.prefix(6)))
    let half = found["half_range"]?.values ?? []
    #expect(Array(half.prefix(6)) == [0, -0.0, 0x1p-24, 0x1.ff8p-15, 1, -65504])
    #expect(half.count == 8 && half[6] == .infinity && half[7].isNaN)
    #expect(found.count == 17)
  }

  @Test func `arrays of every type and layout come out of a checkpoint`() throws {
    var writer = ZipWriter(entries: try entries())
    for (deflates, isWide) in [(false, false), (true, false), (false, true), (true, true)] {
      (writer.deflates, writer.isWide) = (deflates, isWide)
      let file = try read(writer.data)
      #expect(file.state == "state_dict_ema")
      #expect(
        file.others == [
          "betas", "done", "epoch", "lr", "names", "none", "size", "state_dict", "wide",
        ]
      )
      try checkArrays(file)
    }
  }

  @Test func `what could be a program is refused by name`() throws {
    var entries = try entries()
    let place = try #require(entries.firstIndex { $0.name == Self.names.pickle })
    for (name, pickle) in [
      ("os.system", "\u{2}cos\nsystem\nX\u{4}\0\0\0trueR."),
      ("builtins.eval", "\u{2}cbuiltins\neval\n."),
      ("torch.nn.Conv2d", "\u{2}ctorch.nn\nConv2d\n."),
      ("pickle operation 129", "\u{2})\u{81}."),
      ("pickle operation 105", "\u{2}i"),
      ("the state of an object", "\u{2}K\u{1}}b."),
    ] {
      entries[place].content = Data([0x80] + pickle.unicodeScalars.map { UInt8($0.value) })
      let fault = fault(ZipWriter(entries: entries).data)
      #expect(fault?.problem == "needs \(name), which is not read, as it could be a program")
      #expect(fault?.code == .data && fault?.remedy.contains("torch.save") == true)
    }
  }

  @Test func `files of other kinds are refused in a line`() throws {
    let entries = try entries()
    func without(_ name: String) -> [(name: String, content: Data)] {
      entries.filter { $0.name != name }
    }
    #expect(
      fault(Data([0x80, 2, 0x8A, 10]))?.problem == "is in the format of PyTorch before 1.6"
    )
    #expect(
      fault(ZipWriter(entries: without(Self.names.pickle)).data)?.problem
        == "is a zip file, but none of torch.save"
    )
    let big = without(Self.names.order) + [(Self.names.order, Data("big".utf8))]
    #expect(fault(ZipWriter(entries: big).data)?.problem == "was written on a big-endian machine")
    let script = entries + [("formats/constants.pkl", Data())]
    #expect(fault(ZipWriter(entries: script).data)?.problem == "is a TorchScript program")
    #expect(fault(Data("hello, world".utf8))?.problem.contains("safetensors") == true)
    for path in ["/nowhere.pt", NSTemporaryDirectory()] {
      #expect(#expect(throws: UserError.self) { try WeightFile(path) }?.code == .noInput)
    }
  }

  /// Reads whatever can be read; any other end than an error of the program stops the test.
  private func survives(_ data: Data) {
    do {
      for array in try read(data).arrays { _ = try array.values() }
    } catch {
      #expect((error as? UserError)?.code == .data, "\(error)")
      #expect((error as? UserError)?.description.contains("\n") == false)
    }
  }

  @Test func `no damage of the file does harm`() throws {
    let whole = ZipWriter(entries: try entries()).data
    for place in stride(from: 0, to: whole.count, by: 7) {
      survives(whole.prefix(place))
      var damaged = whole
      damaged[place] ^= UInt8(truncatingIfNeeded: 1 << (place % 8))
      survives(damaged)
      damaged[place] = 0xFF
      survives(damaged)
    }
  }

  @Test func `no pickle does harm, whatever it says`() throws {
    var entries = try entries()
    let place = try #require(entries.firstIndex { $0.name == Self.names.pickle })
    let pickle = entries[place].content
    for index in 0..<pickle.count {
      let bytes: [UInt8] = [pickle[index] ^ 1, pickle[index] ^ 0x80, 0xFF, 0x30, 0x52]
      entries[place].content[index] = bytes[index % bytes.count]
      survives(ZipWriter(entries: entries).data)
      entries[place].content[index] = pickle[index]
    }
    for length in stride(from: 0, to: pickle.count, by: 17) {
      entries[place].content = pickle.prefix(length)
      survives(ZipWriter(entries: entries).data)
    }
    // Tuples in tuples, a list in itself, marks and memory out of bounds, lengths beyond the end.
    let bombs: [[UInt8]] = [
      [0x80, 2, 0x29] + [UInt8](repeating: 0x85, count: 1_000_000) + [0x2E],
      [0x80, 2, 0x5D, 0x71, 0, 0x68, 0, 0x61, 0x2E],
      [0x80, 2] + [UInt8](repeating: 0x28, count: 100_000) + [0x74, 0x2E],
      [0x80, 2, 0x4E, 0x28, 0x30, 0x2E], [0x80, 2, 0x6A, 255, 255, 255, 255, 0x2E],
      [0x80, 2, 0x58, 255, 255, 255, 255, 0x2E],
      [0x80, 4, 0x8D] + [UInt8](repeating: 255, count: 8) + [0x2E],
      [0x80, 2, 0x8A, 8] + [UInt8](repeating: 255, count: 8) + [0x2E], [0x80, 2, 0x8A, 200], [],
    ]
    for bomb in bombs {
      entries[place].content = Data(bomb)
      survives(ZipWriter(entries: entries).data)
    }
  }

  /// The offset, shape and strides of a view of four numbers, as a pickle says them.
  private struct View {
    var offset: [UInt8]
    var shape: [UInt8]
    var strides: [UInt8]
    var isSound = false
  }

  private static func small(_ numbers: UInt8...) -> [UInt8] {
    [0x28] + numbers.flatMap { [0x4B, $0] } + [0x74]
  }

  private static let negative: [UInt8] = [0x4A, 255, 255, 255, 255]
  private static let huge: [UInt8] = [0x8A, 8, 255, 255, 255, 255, 255, 255, 255, 0x7F]
  private static let views = [
    View(offset: [0x4B, 0], shape: small(2, 2), strides: small(2, 1), isSound: true),
    View(offset: [0x4B, 0], shape: small(4), strides: small(0), isSound: true),
    View(offset: [0x4B, 1], shape: small(2, 2), strides: small(2, 1)),
    View(offset: [0x4B, 5], shape: small(0), strides: small(1)),
    View(offset: negative, shape: small(1), strides: small(1)),
    View(offset: huge, shape: small(1), strides: small(1)),
    View(offset: [0x4B, 0], shape: small(5), strides: small(0)),
    View(offset: [0x4B, 0], shape: [0x28] + negative + [0x74], strides: small(1)),
    View(offset: [0x4B, 0], shape: small(2), strides: [0x28] + negative + [0x74]),
    View(offset: [0x4B, 0], shape: small(2), strides: [0x28] + huge + [0x74]),
    View(offset: [0x4B, 0], shape: [0x28] + huge + [0x4B, 2, 0x74], strides: small(0, 0)),
    View(offset: [0x4B, 0], shape: small(2), strides: small(1, 1)),
  ]

  @Test(arguments: views.indices)
  func `a view never leaves its storage`(index: Int) throws {
    let view = Self.views[index]
    let array = "\u{2}}X\u{1}\0\0\0wctorch._utils\n_rebuild_tensor_v2\n((X\u{7}\0\0\0storage"
    let storage = "ctorch\nFloatStorage\nX\u{1}\0\0\u{0}0X\u{3}\0\0\0cpuK\u{4}tQ"
    var pickle: [UInt8] = [0x80] + Array(array.utf8) + Array(storage.utf8)
    pickle += view.offset + view.shape + view.strides + [0x89, 0x7D, 0x74, 0x52, 0x73, 0x2E]
    let file = try read(
      ZipWriter(entries: [("a/data.pkl", Data(pickle)), ("a/data/0", Data(count: 16))]).data
    )
    let found = try #require(file.arrays.first)
    if view.isSound {
      #expect(try found.values() == [0, 0, 0, 0])
    } else {
      let fault = #expect(throws: UserError.self) { try found.values() }
      #expect(fault?.problem == "array w lies outside its storage")
    }
  }
}
