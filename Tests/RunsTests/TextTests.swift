import Foundation
import Testing

@testable import Runs

@Suite struct TextTests {
  private static let mark: [UInt8] = [0xEF, 0xBB, 0xBF]

  private func read(_ bytes: [UInt8]) throws -> String {
    try inTemporaryFolder {
      let path = $0 + "/file"
      try Data(bytes).write(to: URL(fileURLWithPath: path))
      return try readText(path)
    }
  }

  @Test func `a byte order mark is passed over, other encodings are named`() throws {
    #expect(try read(Self.mark + Array("seed: 1\n".utf8)).unicodeScalars.first == "s")
    #expect(try read(Self.mark) == "")
    #expect(try read(Array("a".utf8) + Self.mark).unicodeScalars.count == 2)
    for mark in [[0xFF, 0xFE], [0xFE, 0xFF]] as [[UInt8]] {
      let error = try userError { _ = try read(mark + [0x61, 0]) }
      #expect(error?.code == .data)
      #expect(error?.problem.contains("UTF-16") == true)
    }
    #expect(try userError { _ = try read([0x63, 0xE9]) }?.problem == "not UTF-8 text")
  }

  @Test func `configurations and recipes may begin with a mark`() throws {
    try inTemporaryFolder { folder in
      let path = folder + "/my.yaml"
      for text in ["seed: 7\n", "# saved\nseed: 7\n", "preset: digits\r\nseed: 7\r\n"] {
        try Data(Self.mark + Array(text.utf8)).write(to: URL(fileURLWithPath: path))
        #expect(try Configuration.load(path: path).seed == 7)
      }
      try Data(Self.mark + Array("epochs: 2\n".utf8)).write(to: URL(fileURLWithPath: path))
      #expect(try Recipe.load(path: path).epochs == 2)
    }
  }

  @Test func `controls are shown as JSON escapes them, and nothing else is changed`() throws {
    let text =
      "a\nb\r\n\tc\u{1B}[2J\u{7F}\u{9B}\u{2028}\u{202E}\u{FEFF}é漢\u{1F469}\u{200D}\u{1F4BB}\\"
    let shown =
      #"a\nb\r\n\tc\u001b[2J\u007f\u009b\u2028\u202e\ufeff"# + "é漢\u{1F469}\u{200D}\u{1F4BB}\\"
    #expect(text.printable() == shown)
    #expect(text.printable().printable() == shown)
    #expect("a\nb\tc\r\nd".printable(keepingLines: true) == "a\nb\\tc\\r\nd")
    for value in UInt8.min...UInt8.max {
      let scalar = Unicode.Scalar(value)
      let isControl = value < 0x20 || (0x7F...0x9F).contains(value)
      #expect((String(scalar).printable() != String(scalar)) == isControl, "\(value)")
    }
    // What was JSON stays the same JSON.
    let json = String(decoding: try JSONEncoder().encode([text]), as: UTF8.self)
    let decoded = try JSONDecoder().decode([String].self, from: Data(json.printable().utf8))
    #expect(decoded.first.map { Array($0.utf8) } == Array(text.utf8))
  }

  @Test func `an error is one line, and a line feed in a name is no blank`() {
    let error = UserError(.data, "zero\nbyte.png", "the file is empty", remedy: "remove it")
    #expect(error.description == #"zero\nbyte.png: the file is empty; remove it"#)
  }

  @Test func `names are shown as far as they can be read`() {
    #expect(legible(Array("mu\u{F1}oz".utf8)) == "muñoz")
    #expect(legible([0x6D, 0x75, 0xF1, 0x6F, 0x7A]) == #"mu\xF1oz"#)
    // Cut within a character, a lone continuation, and a surrogate.
    #expect(legible([0xE6, 0xBC]) == #"\xE6\xBC"#)
    #expect(legible([0x80, 0x61]) == #"\x80a"#)
    #expect(legible([0xED, 0xA0, 0x80]) == #"\xED\xA0\x80"#)
    #expect(legible([UInt8]()) == "")
    #expect("e\u{301}\u{E9}\n".spelled == #"e\u0301\u00e9\n"#)
    #expect("\u{1F600}".spelled == #"\ud83d\ude00"#)
  }

  @Test func `entries of a folder come in one order, with links to folders as folders`() throws {
    try inTemporaryFolder { folder in
      for name in ["b", "e\u{301}", "\u{E9}", "a", ".hidden"] {
        try Data().write(to: URL(fileURLWithPath: folder + "/" + name))
      }
      #expect(mkdir(folder + "/d", 0o755) == 0)
      #expect(symlink("d", folder + "/link") == 0)
      #expect(symlink("nowhere", folder + "/broken") == 0)
      let entries = try visibleEntries(folder)
      let names = try entries.map { Array(try $0.name(in: folder).utf8) }
      let expected = ["a", "b", "broken", "d", "link", "e\u{301}", "\u{E9}"]
      #expect(names == expected.map { Array($0.utf8) })
      #expect(entries.filter(\.isFolder).map(\.shown) == ["d", "link"])
      #expect(try userError { _ = try visibleEntries(folder + "/none") }?.code == .noInput)
    }
  }

  #if os(Linux)  // Other systems refuse to make such a file.
    @Test func `a name that is not UTF-8 is refused as such`() throws {
      try inTemporaryFolder { folder in
        let path = folder.utf8.map { CChar(bitPattern: $0) } + [0x2F, 0x78, -15, 0x79, 0]
        close(open(path, O_CREAT | O_WRONLY, 0o644))
        let entry = try #require(try visibleEntries(folder).first)
        #expect(entry.shown == #"x\xF1y"#)
        let error = try userError { _ = try entry.name(in: folder) }
        #expect(error?.place == folder + #"/x\xF1y"#)
        #expect(error?.problem.contains("UTF-8") == true)
      }
    }
  #endif
}
