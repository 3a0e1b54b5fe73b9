import Foundation
import Runs
import Testing

@Suite struct CheckpointTests {
  private static let sample = Checkpoint(
    metadata: ["step": "12", "words": "a \"quoted\" ünïcode/slash\nline"],
    tensors: [
      .init(
        name: "stem.filter",
        shape: [2, 3],
        values: [1, -2, .infinity, 0.1, -0.0, .leastNonzeroMagnitude]
      ),
      .init(name: "empty", shape: [0, 4], values: []),
      .init(name: "a/scalar", shape: [], values: [7]),
    ]
  )

  private static func bytes(_ path: String) throws -> Data {
    try Data(contentsOf: URL(fileURLWithPath: path))
  }

  @Test func `a checkpoint comes back bit for bit`() throws {
    try inTemporaryFolder {
      let path = $0 + "/a.safetensors"
      try Self.sample.write(to: path)
      let back = try Checkpoint.read(from: path)
      #expect(back == Self.sample)
      #expect(back["stem.filter"]?.values[4].sign == .minus)
      #expect(try FileManager.default.contentsOfDirectory(atPath: $0) == ["a.safetensors"])
    }
  }

  @Test func `a payload of NaN keeps its bits`() throws {
    try inTemporaryFolder {
      let value = Float(bitPattern: 0x7FC1_2345)
      try Checkpoint(tensors: [.init(name: "n", shape: [1], values: [value])]).write(to: $0 + "/n")
      #expect(try Checkpoint.read(from: $0 + "/n")["n"]?.values[0].bitPattern == 0x7FC1_2345)
    }
  }

  @Test func `the file is laid out as safetensors lays it out`() throws {
    try inTemporaryFolder {
      let path = $0 + "/a.safetensors"
      try Checkpoint(
        metadata: ["k": "v"],
        tensors: [.init(name: "t", shape: [2], values: [1, 2])]
      ).write(to: path)
      let data = try Self.bytes(path)
      let header =
        #"{"__metadata__":{"k":"v"},"t":{"data_offsets":[0,8],"dtype":"F32","shape":[2]}}"#
      let length = (header.utf8.count + 7) / 8 * 8
      var expected = Data([UInt8(length), 0, 0, 0, 0, 0, 0, 0])
      expected += Data(header.utf8) + Data(repeating: 0x20, count: length - header.utf8.count)
      expected += Data([0, 0, 0x80, 0x3F, 0, 0, 0, 0x40])
      #expect(data == expected)
    }
  }

  @Test func `texts are checked before any array, the first infinite value is found`() throws {
    try inTemporaryFolder {
      let path = $0 + "/a.safetensors"
      let header =
        #"{"__metadata__":{"k":"v"},"n":{"data_offsets":[0,8],"dtype":"I64","shape":[1]}}"#
      var bytes = Data([UInt8(header.utf8.count), 0, 0, 0, 0, 0, 0, 0])
      bytes += Data(header.utf8) + Data(count: 8)
      try bytes.write(to: URL(fileURLWithPath: path))
      let foreign = UserError(.data, path, "foreign")
      let early = try userError {
        _ = try Checkpoint.read(from: path) { if $0 == ["k": "v"] { throw foreign } }
      }
      #expect(early == foreign)
      let late = try userError { _ = try Checkpoint.read(from: path) }
      #expect(late?.problem == "n is I64, not F32")
    }
    #expect(Self.sample.firstNotFinite?.name == "stem.filter")
    #expect(Checkpoint(tensors: [Self.sample.tensors[2]]).firstNotFinite == nil)
  }

  @Test func `a file cut anywhere is refused`() throws {
    try inTemporaryFolder {
      let path = $0 + "/a.safetensors"
      try Self.sample.write(to: path)
      let whole = try Self.bytes(path)
      for count in 0..<whole.count {
        try whole.prefix(count).write(to: URL(fileURLWithPath: path))
        let error = try userError { _ = try Checkpoint.read(from: path) }
        #expect(error?.code == .data, "cut at \(count)")
      }
      try (whole + Data([0])).write(to: URL(fileURLWithPath: path))
      #expect(
        try userError { _ = try Checkpoint.read(from: path) }?.problem
          == "1 byte too many at its end"
      )
    }
  }

  @Test func `a header changed anywhere is refused or read, never trapped on`() throws {
    try inTemporaryFolder {
      let path = $0 + "/a.safetensors"
      try Self.sample.write(to: path)
      let whole = try Self.bytes(path)
      var refused = 0
      for index in 0..<(whole.count - 28) {
        for value in [0, 0x22, 0x2D, 0x39, 0xFF] as [UInt8] {
          var changed = whole
          changed[index] = value
          try changed.write(to: URL(fileURLWithPath: path))
          if let error = try userError({ _ = try Checkpoint.read(from: path) }) {
            #expect(error.code == .data)
            refused += 1
          }
        }
      }
      #expect(refused > whole.count)
    }
  }

  @Test(arguments: [
    (#"{"t":{"dtype":"F16","shape":[2],"data_offsets":[0,8]}}"#, "t is F16, not F32"),
    (#"{"t":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}}"#, "impossible shape"),
    (
      #"{"t":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,8]}}"#,
      "impossible shape"
    ),
    (#"{"t":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}}"#, "t lies at [0, 8], not 0+12"),
    (#"{"t":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}"#, "t lies at [4, 8], not 0+4"),
    (#"{"t":{"dtype":"F32","shape":[2],"data_offsets":[0]}}"#, "t lies at [0]"),
    (#"{"t":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#, "4 bytes too many"),
    (#"{"t":{"dtype":"F32","shape":[NaN],"data_offsets":[0,8]}}"#, "cannot be understood"),
    (#"{"t":{"dtype":"F32","shape":[1e99],"data_offsets":[0,8]}}"#, "cannot be understood"),
    (#"{"t":{"a":"b"}}"#, "t has no type, shape and place"), ("[1, 2, 3]", "not a safetensors"),
  ])
  func `a header that lies is named`(header: String, words: String) throws {
    try inTemporaryFolder {
      let path = $0 + "/a.safetensors"
      var data = Data([UInt8(header.utf8.count), 0, 0, 0, 0, 0, 0, 0])
      data += Data(header.utf8) + Data(repeating: 0, count: 8)
      try data.write(to: URL(fileURLWithPath: path))
      let error = try #require(try userError { _ = try Checkpoint.read(from: path) })
      #expect(error.description.contains(words), "\(error)")
    }
  }

  @Test func `foreign files and missing ones are told apart`() throws {
    try inTemporaryFolder {
      let path = try write("this is not a checkpoint at all", to: $0)
      #expect(try userError { _ = try Checkpoint.read(from: path) }?.code == .data)
      let missing = $0
      #expect(try userError { _ = try Checkpoint.read(from: missing + "/no") }?.code == .noInput)
      #expect(
        try userError { try Self.sample.write(to: path + "/below/a") }?.code == .cannotCreate
      )
    }
  }
}

@Suite struct SHA256Tests {
  @Test(arguments: [
    ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
    ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
    (
      "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
      "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
    ),
  ])
  func `the published examples hold`(text: String, hash: String) {
    #expect(SHA256.hex(text.utf8) == hash)
  }

  @Test func `a million letters in uneven pieces hash like one`() {
    let piece = [UInt8](repeating: UInt8(ascii: "a"), count: 997)
    var hash = SHA256()
    var left = 1_000_000
    while left > 0 {
      piece.prefix(left).withUnsafeBytes { hash.update($0) }
      left -= min(left, 997)
    }
    #expect(
      hash.finalize() == "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"
    )
  }

  @Test func `every length about a block differs from its cut and joins alike`() {
    for count in 0...130 {
      let bytes = (0..<count).map { UInt8($0) }
      var hash = SHA256()
      for byte in bytes { [byte].withUnsafeBytes { hash.update($0) } }
      #expect(hash.finalize() == SHA256.hex(bytes))
    }
  }

  @Test func `numbers are hashed by their little-endian bytes`() {
    #expect(SHA256.hex(of: [1, -2]) == SHA256.hex([0, 0, 0x80, 0x3F, 0, 0, 0, 0xC0] as [UInt8]))
  }
}
