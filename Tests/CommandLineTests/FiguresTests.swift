import Foundation
import Runs
import Testing

/// `supertop figures`: a live run, what it serves, and what it says of bad input.
struct FiguresTests {
  /// A finished search to look at.
  private static let search = Result {
    let folder = try Program.Folder()
    let arguments = ["search", "--headless", "--run", "runs/a"] + Program.tiny(epochs: 2)
    let ending = try Program.run(arguments, in: folder)
    try #require(ending.code == 0, "\(ending.errors)")
    return folder
  }

  private func figures(
    _ arguments: [String],
    in folder: Program.Folder
  ) throws -> Program.Ending {
    try Program.run(["figures"] + arguments, in: folder)
  }

  private func names(_ folder: Program.Folder, _ path: String) -> [String] {
    ((try? FileManager.default.contentsOfDirectory(atPath: folder.path + "/" + path)) ?? [])
      .sorted()
  }

  @Test func `one call writes every form, of each run in a folder of its name`() throws {
    let folder = try Self.search.get()
    let ending = try figures(
      ["runs", "--tensorboard", "b", "--mlflow", "m", "--csv", "t", "--jsonl", "t"],
      in: folder
    )
    #expect(ending.code == 0 && ending.errors.isEmpty && ending.output.isEmpty, "\(ending.errors)")
    #expect(names(folder, "b/a").count == 1)
    let tables = names(folder, "t/a")
    for table in ["steps", "epochs", "thetas", "choices", "options", "result", "log", "sessions"] {
      let path = folder.path + "/t/a/" + table
      let csv = try String(contentsOfFile: path + ".csv", encoding: .utf8)
      let jsonl = try String(contentsOfFile: path + ".jsonl", encoding: .utf8)
      let rows = Program.lines(jsonl)
      #expect(rows.count > 0 && Program.lines(csv).count == rows.count + 1, "\(table)")
      #expect(rows.allSatisfy { Program.object($0) != nil }, "\(table)")
    }
    // The page lists each, with its columns.
    let page = try String(contentsOfFile: Self.root + "/Documentation/figures.md", encoding: .utf8)
    for table in tables where table.hasSuffix(".csv") {
      let path = folder.path + "/t/a/" + table
      let head = try #require(
        Program.lines(try String(contentsOfFile: path, encoding: .utf8)).first
      )
      let columns = head.split(separator: ",").map { "`\($0)`" }.joined(separator: ", ")
      #expect(page.contains("| `\(table.dropLast(4))` | \(columns) |"), "\(table): \(columns)")
    }
  }

  private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent().path

  @Test func `a live run is followed to its end`() throws {
    let folder = try Program.Folder()
    let search = try Program(
      ["search", "--headless", "--run", "r"] + Program.tiny(epochs: 8),
      in: folder
    )
    // It has a number in it when it is locked.
    while FileManager.default.contents(atPath: folder.path + "/r/trainer.lock")?.isEmpty != false {
      try #require(search.process.isRunning)
      usleep(10_000)
    }
    let ending = try figures(["r", "--tensorboard", "b", "--csv", "t", "--follow"], in: folder)
    #expect(ending.code == 0, "\(ending.errors)")
    #expect(search.ending().code == 0)
    let epochs = try String(contentsOfFile: folder.path + "/t/r/epochs.csv", encoding: .utf8)
    #expect(Program.lines(epochs).count == 9)
    let events = try #require(names(folder, "b/r").last)
    let bytes = try #require(FileManager.default.contents(atPath: folder.path + "/b/r/" + events))
    #expect(bytes.range(of: Data("architecture/chosen".utf8)) != nil)
  }

  @Test func `Ctrl-C ends what is followed, with whole records and the other files`() throws {
    let folder = try Program.Folder()
    let search = try Program(
      ["search", "--headless", "--run", "r"] + Program.tiny(epochs: 10_000),
      in: folder
    )
    defer { search.process.terminate() }
    let follower = try Program(
      [
        "-c",
        "until [ -s r/trainer.lock ]; do sleep 0.1; done; exec \"$0\" \"$@\"", Program.path,
        "figures", "r", "--tensorboard", "b", "--csv", "t", "--follow",
      ],
      in: folder,
      executable: "/bin/bash"
    )
    func size() -> Int {
      let path = folder.path + "/b/r/" + (names(folder, "b/r").last ?? "")
      return FileManager.default.contents(atPath: path)?.count ?? 0
    }
    while size() < 1000 {
      try #require(follower.process.isRunning)
      usleep(50_000)
    }
    let first = size()
    while size() == first { usleep(50_000) }
    follower.process.interrupt()
    let ending = follower.ending()
    #expect(ending.code == 130, "\(ending.errors)")
    #expect(names(folder, "t/r").contains("steps.csv"))
  }

  // MARK: Prometheus

  @Test func `Prometheus is served until Ctrl-C, and bad requests are answered`() throws {
    let folder = try Self.search.get()
    let server = try Program(["figures", "runs", "--prometheus", "0"], in: folder)
    defer { server.process.terminate() }
    while !server.output.contains("\n") {
      try #require(server.process.isRunning)
      usleep(10_000)
    }
    let port = try #require(
      server.output.firstMatch(of: /^http:\/\/127\.0\.0\.1:(\d+)\/metrics;/)?.1
    )
    // A shell's own sockets: no client in between mends the request.
    func ask(_ request: String) throws -> Program {
      try Program(
        ["-c", "exec 3<>/dev/tcp/127.0.0.1/\(port); printf '\(request)' >&3; cat <&3"],
        in: folder,
        executable: "/bin/bash"
      )
    }
    func answer(_ request: String) throws -> String { try ask(request).ending().output }
    // One that says nothing holds up no other.
    let silent = try ask("")
    let good = try answer("GET /metrics HTTP/1.1\\r\\nHost: a\\r\\n\\r\\n")
    #expect(silent.process.isRunning)
    #expect(good.hasPrefix("HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4"))
    #expect(good.contains("supertop_state{run=\"a\",state=\"finished\"} 1.0\n"))
    #expect(good.contains("# TYPE supertop_accuracy gauge\n"))
    #expect(try answer("HEAD /metrics HTTP/1.1\\r\\n\\r\\n").hasSuffix("\r\n\r\n"))
    #expect(try answer("GET / HTTP/1.1\\r\\n\\r\\n").contains(" 404 "))
    #expect(try answer("POST /metrics HTTP/1.1\\r\\n\\r\\n").contains(" 405 "))
    #expect(try answer("hello\\r\\n\\r\\n").contains(" 400 "))
    #expect(try answer("GET /\(String(repeating: "a", count: 9000))").contains(" 431 "))
    #expect(silent.ending().output.contains(" 408 "))
    let taken = try figures(["runs", "--prometheus", String(port)], in: folder)
    #expect(taken.code == UserError.Code.unavailable.rawValue)
    #expect(taken.errorLines.count == 1 && taken.errors.contains("port \(port)"))
    server.process.interrupt()
    #expect(server.ending().code == 130)
  }

  // MARK: Mistakes

  @Test(arguments: [
    (["nowhere", "--csv", "x"], UserError.Code.noInput, "nowhere"),
    ([".", "--csv", "x"], .data, "not a run"),
    (["file", "--csv", "x"], .data, "a file"),
    (["runs", "--csv", "file"], .cannotCreate, "file"),
    (["runs", "--tensorboard", "file/x"], .cannotCreate, "file/x"),
    (["runs", "--mlflow", "/proc/x"], .cannotCreate, "/proc/x"),
    (["runs", "--csv", ""], .cannotCreate, "the folder cannot be made"),
    (["runs", "runs/a", "--csv", "x"], .usage, "called a as well"),
    (["runs"], .usage, "--tensorboard"),
    (["runs", "--prometheus", "70000"], .usage, "70000"),
    (["runs", "--prometheus", "1", "--csv", "x"], .usage, "alone"),
    (["--csv", "x"], .usage, "<run>"),
  ])
  func `a mistake gives one line, and nothing is written`(
    arguments: [String],
    code: UserError.Code,
    word: String
  ) throws {
    let folder = try Self.search.get()
    if !FileManager.default.fileExists(atPath: folder.path + "/file") {
      _ = try folder.write("file", Data("kept".utf8))
    }
    let ending = try figures(arguments, in: folder)
    #expect(ending.code == code.rawValue, "\(ending.errors)")
    #expect(ending.errorLines.count == 1 && ending.errors.contains(word), "\(ending.errors)")
    #expect(FileManager.default.contents(atPath: folder.path + "/file") == Data("kept".utf8))
    #expect(!FileManager.default.fileExists(atPath: folder.path + "/x"))
  }

  @Test func `a full disk loses nothing that was there`() throws {
    let folder = try Program.Folder()
    let search = ["search", "--headless", "--run", "a"] + Program.tiny(epochs: 130)
    #expect(try Program.run(search, in: folder).code == 0)
    let all = ["a", "--tensorboard", "f", "--csv", "f", "--jsonl", "f", "--mlflow", "f"]
    #expect(try figures(all, in: folder).code == 0)
    func contents() -> [String: Data] {
      let files = FileManager.default.enumerator(atPath: folder.path + "/f")?.allObjects ?? []
      return Dictionary(
        uniqueKeysWithValues: files.compactMap { $0 as? String }.map {
          ($0, FileManager.default.contents(atPath: "\(folder.path)/f/\($0)") ?? Data())
        }
      )
    }
    let before = contents()
    for outputs in [all.prefix(3), all.prefix(1) + all[3...4], all.prefix(1) + all[7...8]] {
      // A file may have 40 KiB, which the program is told as of a full disk; SQLite needs 32.
      let ending = try Program(
        ["-c", "ulimit -f 40; exec \"$0\" figures \"$@\"", Program.path] + outputs,
        in: folder,
        executable: "/bin/bash"
      ).ending()
      #expect(ending.code == UserError.Code.io.rawValue, "\(outputs): \(ending.errors)")
      #expect(ending.errors.contains("writing failed"), "\(ending.errors)")
      #expect(contents() == before, "\(outputs)")
    }
  }
}
