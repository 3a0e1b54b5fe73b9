import Foundation
import Runs
import TestSupport
import Testing

/// The terminal is left as it was, whatever ends the program, and gets what it can take.
@Suite(.serialized, .enabled(if: PseudoTerminal.isPossible, "setsid is not installed"))
struct HygieneTests {
  /// A finished run to look at.
  private static let run = Result {
    let folder = try Program.Folder()
    let ending = try Program.run(
      ["search", "--headless", "--run", "run"] + Program.tiny(epochs: 2),
      in: folder
    )
    try #require(ending.code == 0)
    return folder
  }

  /// How a watcher is made to end, and its code.
  enum End: String, CaseIterable {
    case q, interrupt, terminate, hangUp, segmentation, abort
  }

  /// What is on while the dashboard is shown: the mouse, pastes, reports, and the other screen.
  private static let shown: Set<Int> = [1000, 1002, 1006, 2004, 2031, 1049]

  /// Opens the finished run, answers what is asked, and waits for the first frame.
  private func watch(
    environment: [String: String] = [:],
    background: String? = "1e1e/1e1e/1e1e",
    in folder: Program.Folder? = nil
  ) throws -> PseudoTerminal {
    let run = try Self.run.get()
    let terminal = try PseudoTerminal(
      "\(Program.path) watch \(run.path)/run",
      in: folder ?? run,
      environment: environment
    )
    if background != nil || environment["TERM"] == nil {
      #expect(terminal.waits(for: "\u{1B}]11;?\u{1B}\\\u{1B}[c"))
      if let background { terminal.send("\u{1B}]11;rgb:\(background)\u{1B}\\") }
      terminal.send("\u{1B}[?62;22c")
    }
    #expect(terminal.waits(for: "The search"))
    return terminal
  }

  @Test(arguments: End.allCases)
  func `modes and settings are as they were, whatever ends the dashboard`(end: End) throws {
    let terminal = try watch(environment: ["SUPERTOP_PROGRESS": "on"], in: try Program.Folder())
    #expect(terminal.modes.isSuperset(of: Self.shown))
    switch end {
    case .q: terminal.send("q")
    case .interrupt: terminal.send("\u{03}")
    case .terminate: try terminal.signal(SIGTERM)
    case .hangUp: try terminal.signal(SIGHUP)
    case .segmentation: try terminal.signal(SIGSEGV)
    case .abort: try terminal.signal(SIGABRT)
    }
    let code = terminal.ending()
    #expect(!terminal.file("before").isEmpty)
    #expect(terminal.file("after") == terminal.file("before"), "\(end)")
    #expect(terminal.modes.isDisjoint(with: Self.shown.union([2026])), "\(end)")
    // The cursor is shown and the tab is clear.
    #expect(terminal.modes.contains(25), "\(end)")
    let text = terminal.text
    if end == .segmentation || end == .abort {
      let name = end == .abort ? "SIGABRT" : "SIGSEGV"
      #expect(code == 128 + (end == .abort ? SIGABRT : SIGSEGV))
      let last = try #require(text.components(separatedBy: "\u{1B}[?1049l").last)
      #expect(last.contains("supertop: crashed by \(name)"), "\(last)")
      #expect(text.contains("\u{1B}]9;4;0;0\u{1B}\\"))
    } else {
      #expect(code == 0 || end == .terminate || end == .hangUp, "\(String(describing: code))")
      #expect(!text.contains("crashed"))
    }
  }

  @Test func `the first frame waits for the answer and has its colours`() throws {
    func colours(_ background: String) throws -> String {
      let terminal = try watch(background: background, in: try Program.Folder())
      let before = terminal.output.count
      terminal.send("T")
      #expect(terminal.waits(for: "Enter takes it", after: before))
      terminal.send("\u{1B}")
      usleep(200_000)
      terminal.send("q")
      #expect(terminal.ending() == 0)
      return terminal.text
    }
    let (dark, light) = (try colours("1e1e/1e1e/1e1e"), try colours("ffff/ffff/eded"))
    // default-light has dark text on its light ground, default-dark the reverse.
    let grounds = { (text: String) in
      Set(
        text.components(separatedBy: "48;5;").dropFirst().map { $0.prefix { $0.isNumber } }
      )
    }
    #expect(grounds(dark) != grounds(light))
    #expect(!grounds(dark).isEmpty && !grounds(light).isEmpty)
  }

  @Test func `a terminal that answers nothing is drawn on after a while`() throws {
    let run = try Self.run.get()
    let terminal = try PseudoTerminal(
      "\(Program.path) watch \(run.path)/run",
      in: try Program.Folder()
    )
    #expect(terminal.waits(for: "The search"))
    terminal.send("q")
    #expect(terminal.ending() == 0)
  }

  @Test func `nothing is asked where a person has said it, and a theme is followed by none`() throws
  {
    for setting in [["SUPERTOP_THEME": "ember"], ["SUPERTOP_BACKGROUND": "light"]] {
      let run = try Self.run.get()
      let terminal = try PseudoTerminal(
        "\(Program.path) watch \(run.path)/run",
        in: try Program.Folder(),
        environment: setting
      )
      #expect(terminal.waits(for: "The search"))
      terminal.send("q")
      #expect(terminal.ending() == 0)
      #expect(!terminal.text.contains("]11;?") && !terminal.text.contains("2031h"))
    }
    let terminal = try PseudoTerminal(
      "\(Program.path) watch \(try Self.run.get().path)/run",
      in: try Program.Folder(),
      environment: ["SUPERTOP_MOUSE": "maybe"]
    )
    #expect(terminal.ending() == UserError.Code.usage.rawValue)
    #expect(terminal.text.contains("SUPERTOP_MOUSE=maybe: not one of its values"))
  }

  @Test func `y sends the answer and leaves it in a file; m hands the mouse over`() throws {
    let terminal = try watch(in: try Program.Folder())
    terminal.send("y")
    #expect(terminal.waits(for: "]52;c;"))
    #expect(terminal.waits(for: "OSC 52"))
    let path = try Self.run.get().path + "/run/exports/copied.txt"
    let kept = try String(contentsOfFile: path, encoding: .utf8)
    #expect(Program.object(kept)?["event"] as? String == "done")
    let sent = try #require(terminal.text.components(separatedBy: "]52;c;").last)
    let data = Data(base64Encoded: String(sent.prefix { $0 != "\u{1B}" }))
    #expect(data.map { String(decoding: $0, as: UTF8.self) + "\n" } == kept)
    terminal.send("m")
    #expect(eventually { terminal.modes.isDisjoint(with: [1000, 1002, 1006]) })
    terminal.send("m")
    #expect(eventually { terminal.modes.contains(1002) })
    terminal.send("q")
    #expect(terminal.ending() == 0)
  }

  @Test func `paths are links on a terminal that takes them, and nowhere else`() throws {
    let folder = try Program.Folder()
    let words =
      ([Program.path, "search", "--headless", "--run", "run"] + Program.tiny(epochs: 2))
      .map { "\"\($0)\"" }.joined(separator: " ")
    let terminal = try PseudoTerminal(words, in: folder, environment: ["SUPERTOP_LINKS": "on"])
    #expect(terminal.ending() == 0)
    let address = "/run\u{1B}\\run\u{1B}]8;;\u{1B}\\"
    #expect(terminal.text.contains("\u{1B}]8;;file://") && terminal.text.contains(address))
    let piped = try Program.run(
      ["watch", "run", "--headless"],
      in: folder,
      environment: ["SUPERTOP_LINKS": "on"]
    )
    #expect(piped.code == 0 && !piped.output.contains("\u{1B}"))
  }

  @Test func `the tab shows progress, and the end is told once`() throws {
    let folder = try Program.Folder()
    let words =
      ([Program.path, "search", "--run", "run"] + Program.tiny(epochs: 60))
      .map { "\"\($0)\"" }.joined(separator: " ")
    let terminal = try PseudoTerminal(
      words,
      in: folder,
      environment: [
        "SUPERTOP_PROGRESS": "on", "SUPERTOP_NOTIFY": "osc9", "SUPERTOP_BACKGROUND": "dark",
      ]
    )
    #expect(terminal.waits(for: "\u{1B}]9;4;1;"))
    terminal.send(" ")
    #expect(terminal.waits(for: "\u{1B}]9;4;4;"))
    terminal.send(" ")
    #expect(terminal.waits(for: "\u{1B}]9;supertop: run is finished"))
    #expect(terminal.waits(for: "\u{1B}]9;4;0;0"))
    usleep(500_000)
    terminal.send("q")
    #expect(terminal.ending() == 0)
    #expect(terminal.text.components(separatedBy: "]9;supertop: ").count == 2)
  }
}
