import Foundation
import Testing

@testable import Runs

/// Where outputs go, and that they arrive whole or not at all.
struct OutputTests {
  private let folder: String

  init() throws {
    folder = NSTemporaryDirectory() + "supertop-output-\(UUID().uuidString)"
    #expect(makeFolders(folder) == 0)
  }

  private func content(_ name: String) -> String? {
    (try? readBytes(folder + "/" + name)).map { String(decoding: $0, as: UTF8.self) }
  }

  private func isLink(_ name: String) -> Bool {
    var info = stat()
    return lstat(folder + "/" + name, &info) == 0 && info.st_mode & S_IFMT == S_IFLNK
  }

  private func fault(_ path: String) -> UserError? {
    do {
      try writeWhole("new", to: path)
      return nil
    } catch {
      return error as? UserError
    }
  }

  @Test func `links are followed, in a chain, over folders and to what is not there yet`() throws {
    defer { removeAll(folder) }
    #expect(makeFolders(folder + "/deep/er") == 0)
    try writeWhole("old", to: folder + "/deep/real")
    for (link, target) in [
      ("link", "deep/real"), ("second", "link"), ("third", folder + "/second"), ("dir", "deep"),
      ("deep/back", "../later"), ("nowhere", "no/such"), ("loop", "loop"), ("slash", "later/"),
    ] {
      #expect(symlink(target, folder + "/" + link) == 0)
    }
    try writeWhole("one", to: folder + "/third")
    #expect(content("deep/real") == "one" && isLink("link") && isLink("second") && isLink("third"))
    try writeWhole("two", to: folder + "/dir/back")
    #expect(content("later") == "two" && isLink("deep/back"))
    for name in ["nowhere", "loop", "slash", "dir"] {
      #expect(fault(folder + "/" + name)?.code == .cannotCreate, "\(name)")
      #expect(isLink(name))
    }
    #expect(Set(names(in: folder) ?? []).isDisjoint(with: ["no", "-"]))
    #expect(!(names(in: folder + "/deep") ?? []).contains { $0.hasSuffix(unfinishedSuffix) })
  }

  @Test func `a file of the unfinished one's name and the mode of the old one stay`() throws {
    defer { removeAll(folder) }
    try writeWhole("mine", to: folder + "/x.part")
    try writeWhole("old", to: folder + "/x")
    chmod(folder + "/x", 0o600)
    try writeWhole("new", to: folder + "/x")
    #expect(content("x") == "new" && content("x.part") == "mine")
    var info = stat()
    #expect(stat(folder + "/x", &info) == 0 && info.st_mode & 0o777 == 0o600)
    // What fails midway leaves the old file and nothing else.
    struct Broken: Error {}
    #expect(throws: Broken.self) {
      try writeWhole(to: folder + "/x") { write in
        try Array("half".utf8).withUnsafeBytes(write)
        throw Broken()
      }
    }
    #expect(content("x") == "new" && names(in: folder)?.count == 2)
    let long = String(repeating: "é", count: 127) + "x"
    try writeWhole("long", to: folder + "/" + long)
    #expect(content(long) == "long")
  }

  @Test func `a pipe, a socket and a full device are written into and stay`() throws {
    defer { removeAll(folder) }
    let pipe = folder + "/pipe"
    #expect(mkfifo(pipe, 0o600) == 0)
    let reader = open(pipe, O_RDONLY | O_NONBLOCK)
    try writeWhole("through", to: pipe)
    var bytes = [UInt8](repeating: 0, count: 32)
    #expect(read(reader, &bytes, 32) == 7)
    close(reader)
    #expect(try OutputPlace(pipe) == .stream(realPath(pipe)))
    #expect(try OutputPlace("/dev/null") == .stream("/dev/null"))
    try writeWhole("gone", to: "/dev/null")
    var ends: [Int32] = [0, 0]
    #if os(Linux)
      #expect(socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &ends) == 0)
    #else
      #expect(socketpair(AF_UNIX, SOCK_STREAM, 0, &ends) == 0)
    #endif
    try writeWhole("across", to: "/dev/fd/\(ends[0])")
    #expect(read(ends[1], &bytes, 32) == 6)
    ends.forEach { close($0) }
    #if os(Linux)
      #expect(fault("/dev/full")?.code == .io)
      #expect(try OutputPlace("/dev/full") == .stream("/dev/full"))
    #endif
  }

  @Test func `descriptors have many names`() throws {
    defer { removeAll(folder) }
    for path in ["-", "/dev/stdout", "/dev/fd/1"] {
      #expect(try OutputPlace(path).isStandardOutput)
    }
    #expect(symlink("/dev/stdout", folder + "/out") == 0)
    #expect(try OutputPlace(folder + "/out").isStandardOutput)
    // Appended to where it stands, not begun again.
    let file = open(folder + "/log", O_WRONLY | O_CREAT | O_APPEND, 0o600)
    defer { close(file) }
    #expect(write(file, "a", 1) == 1)
    try writeWhole("b", to: "/dev/fd/\(file)")
    #expect(content("log") == "ab")
    #expect(fault("/dev/fd/999999")?.code == .io)
  }

  @Test func `what is no path of a file is reported`() {
    defer { removeAll(folder) }
    for path in ["", "x/", folder, folder + "/", ".", "..", "/"] {
      let fault = fault(path)
      #expect(fault?.code == .cannotCreate && fault?.remedy == "give the path of a file", "\(path)")
    }
    #expect(fault(folder + "/a/b")?.problem.contains("cannot be written") == true)
  }

  private func realPath(_ path: String) -> String {
    guard let text = realpath(path, nil) else { return path }
    defer { free(text) }
    return String(cString: text)
  }
}

struct PathTests {
  @Test(arguments: [
    ("x", ".", "x"), ("-", ".", "-"), ("", ".", ""), ("/", "/", "/"), ("//", "/", "/"),
    ("/x", "/", "x"), ("x/", ".", "x"), ("a/b", "a", "b"), ("a//b//", "a", "b"),
    ("/a/b/c", "/a/b", "c"), ("é", ".", "é"), ("a/\u{301}", "a", "\u{301}"), ("..", ".", ".."),
  ])
  func `paths of any length are taken apart`(path: String, folder: String, name: String) {
    #expect(Path.folder(path) == folder && Path.name(path) == name)
  }

  @Test func `a path from the root has no detours`() {
    #expect(Path.absolute("/a/./b//../c/") == "/a/c")
    #expect(Path.absolute("/..") == "/" && Path.absolute("/") == "/")
    #expect(Path.absolute("x").hasSuffix("/x") && Path.absolute("x").hasPrefix("/"))
    #expect(Path.address("/a b/ü?.x") == "file:/a%20b/%C3%BC%3F.x")
  }

  @Test func `suffixes, homes and siblings`() {
    #expect(Path.suffix("a.b/c.JSON") == "json" && Path.suffix("a.b/c") == "")
    #expect(Path.suffix(".json") == "" && Path.suffix("x") == "")
    #expect(Path.expandingTilde("a~") == "a~" && Path.expandingTilde("~") != "~")
    #expect(Path.expandingTilde("~/x").hasSuffix("/x") && Path.expandingTilde("~/x") != "~/x")
    #expect(Path.expandingTilde("~no-such-user/x") == "~no-such-user/x")
    #expect(Path.sibling(of: "x", ".s") == "x.s" && Path.sibling(of: "/x", ".s") == "/x.s")
    let long = Path.sibling(of: "a/" + String(repeating: "é", count: 127), ".part")
    #expect(long == "a/" + String(repeating: "é", count: 125) + ".part")
  }

  @Test func `folders are made and removed with all that is in them`() throws {
    let folder = NSTemporaryDirectory() + "supertop-path-\(UUID().uuidString)"
    #expect(makeFolders(folder + "/a/b/c") == 0 && isFolder(folder + "/a/b/c"))
    #expect(makeFolders(folder + "/a/b/c/") == 0 && makeFolders("") == ENOENT)
    try writeWhole("x", to: folder + "/a/f")
    #expect(makeFolders(folder + "/a/f") == EEXIST && makeFolders(folder + "/a/f/g") == ENOTDIR)
    #expect(try mapBytes(folder + "/a/f") == Data("x".utf8))
    #expect(symlink("/", folder + "/root") == 0)
    removeAll(folder)
    #expect(!pathExists(folder) && pathExists("/tmp"))
  }
}
