import Foundation
import Runs
import TestSupport
import Testing

/// The real program on a real terminal, driven by keys and checked by what is on the screen.
@Suite(.serialized, .enabled(if: Tmux.isInstalled, "tmux is not installed"))
struct EndToEndTests {
  @Test func `a person pauses, steps, sets the temperature, inspects, resizes and stops`() throws {
    let folder = try Program.Folder()
    let tmux = try search("", in: folder, columns: 120, rows: 36)
    try tmux.waits("a running search") { $0.contains("RUNNING") && $0.contains("Layers") }
    let run = try RunFolder.open(path: folder.path + "/runs/digits-1").reader()

    try tmux.press("Space")
    try tmux.waits("a paused search") { $0.contains("PAUSED") }
    let paused = try #require(try run.status())
    try tmux.press("s")
    #expect(
      try eventually {
        try run.status().map { $0.step == paused.step + 1 && $0.state == .paused } == true
      }
    )

    let before = try #require(try run.status()).temperature
    try tmux.press("+")
    #expect(try eventually { try run.status()?.temperatureHeld == true })
    #expect(abs((try run.status()?.temperature ?? 0) - before * 1.1) < 1e-9)
    try tmux.press("t")
    try tmux.press("1", ".", "2", "5", "Enter")
    #expect(try eventually { try run.status()?.temperature == 1.25 })
    try tmux.waits("the temperature and the hand that holds it") {
      $0.contains("1.25") && $0.contains("held")
    }
    try tmux.press("h")
    #expect(try eventually { try run.status()?.temperatureHeld == false })

    try tmux.press("Down", "Enter")
    let inspector = try tmux.waits("the inspector") { $0.contains("over time") }
    for word in ["k3_e1", "k5_e1", "skip", "FLOPs"] {
      #expect(inspector.contains(word), "\(word) is not in the inspector")
    }
    try tmux.press("Escape")
    try tmux.waits("the main screen") { $0.contains("Layers") }

    for (columns, rows) in [(80, 24), (40, 10), (120, 36)] {
      try tmux.resize(columns: columns, rows: rows)
      let screen = try tmux.waits("a screen of \(columns)x\(rows)") { screen in
        let lines = screen.split(separator: "\n", omittingEmptySubsequences: false)
        return screen.contains("PAUSED") && screen.contains("quit") && lines.count >= rows
          && lines.allSatisfy { $0.count <= columns }
      }
      #expect(screen.contains("k3_e1") || screen.contains("k5_e1") || screen.contains("skip"))
    }

    try tmux.press("q")
    try tmux.waits("the question") { $0.contains("Stop and save") }
    try tmux.press("s")
    let end = try tmux.waits("a clean terminal") { $0.contains("isig+") }
    #expect(end.contains("exit=0"))
    #expect(end.contains("supertop resume runs/digits-1"))
    #expect(end.contains("icanon+") && end.contains("echo+"))
    #expect(!end.contains("Layers"))
    #expect(try run.status()?.state == .stopped)
    let actions = try run.interventions()
    #expect(actions.map(\.state) == Array(repeating: .done, count: actions.count))
    #expect(
      actions.map(\.action) == [
        .pause, .singleStep, .scaleTemperature(1.1), .setTemperature(1.25), .releaseTemperature,
        .stop,
      ]
    )
  }

  @Test func `a search continues without its dashboard`() throws {
    let folder = try Program.Folder()
    let tmux = try search("--ascii", in: folder, columns: 80, rows: 24, epochs: 30)
    let screen = try tmux.waits("a running search") { $0.contains("RUNNING") }
    #expect(screen.unicodeScalars.allSatisfy { $0.isASCII })
    try tmux.press("q")
    try tmux.waits("the question") { $0.contains("Keep running") }
    try tmux.press("k")
    try tmux.waits("progress lines") { $0.contains("training continues here") }
    let end = try tmux.waits("the end") { $0.contains("isig+") }
    #expect(end.contains("done in"))
    #expect(end.contains("exit=0"))
  }

  @Test(arguments: [true, false])
  func `a search outlives its terminal`(leavesFirst: Bool) throws {
    let folder = try Program.Folder()
    var tmux: Tmux? = try search("", in: folder, columns: 80, rows: 24)
    try tmux?.waits("a running search") { $0.contains("RUNNING") }
    let run = try RunFolder.open(path: folder.path + "/runs/digits-1")
    if leavesFirst {
      try tmux?.press("q")
      try tmux?.waits("the question") { $0.contains("Keep running") }
      try tmux?.press("k")
      try tmux?.waits("progress lines") { $0.contains("training continues here") }
    }
    tmux = nil
    let step = try run.reader().status()?.step ?? 0
    #expect(try eventually { try run.reader().status()?.step ?? 0 > step + 40 })
    #expect(run.trainer() != nil)
    // Somebody else stops it.
    try run.reader().request(.stop)
    #expect(eventually { run.trainer() == nil })
    #expect(try run.reader().status()?.state == .stopped)
  }

  @Test func `Ctrl-C asks before it stops and saves`() throws {
    let folder = try Program.Folder()
    let tmux = try search("", in: folder, columns: 100, rows: 30)
    try tmux.waits("a running search") { $0.contains("RUNNING") }
    try tmux.press("C-c")
    try tmux.waits("the question") { $0.contains("Stop and save") }
    try tmux.press("s")
    let end = try tmux.waits("a clean terminal") { $0.contains("isig+") }
    #expect(end.contains("exit=0"))
    #expect(end.contains("icanon+") && end.contains("echo+"))
    let run = try RunFolder.open(path: folder.path + "/runs/digits-1")
    #expect(try run.reader().status()?.state == .stopped)
    #expect(!run.checkpointSteps().isEmpty)
  }

  @Test func `a watcher steers a search of another process and leaves it running`() throws {
    let folder = try Program.Folder()
    let program = try Program(
      ["search", "--headless", "--run", "run"] + Program.tiny(epochs: 2000),
      in: folder
    )
    defer { kill(program.process.processIdentifier, SIGKILL) }
    let path = folder.path + "/run"
    #expect(eventually { ((try? RunFolder.open(path: path).reader().status()?.step) ?? 0) > 0 })
    let run = try RunFolder.open(path: path).reader()
    let tmux = try Tmux("'\(Program.path)' watch run", in: folder.path, columns: 100, rows: 30)
    try tmux.waits("a running search") { $0.contains("RUNNING") }
    try tmux.press("Space")
    try tmux.waits("a paused search") { $0.contains("PAUSED") }
    #expect(try run.status()?.state == .paused)
    try tmux.press("q")
    try tmux.waits("the question") { $0.contains("Leave") }
    try tmux.press("k")
    let end = try tmux.waits("a clean terminal") { $0.contains("isig+") }
    #expect(end.contains("exit=0"))
    #expect(program.process.isRunning)
    #expect(try run.status()?.state == .paused)
  }

  @Test func `a terminal without cursor control gets progress lines and one notice`() throws {
    let folder = try Program.Folder()
    let tmux = try search("", in: folder, columns: 100, rows: 50, epochs: 3, terminal: "dumb")
    let end = try tmux.waits("the end") { $0.contains("isig+") }
    #expect(end.contains("exit=0"))
    #expect(end.components(separatedBy: "printing progress lines").count == 2)
    #expect(end.contains("network: "))
    #expect(!end.contains("Layers"))
  }

  @Test func `a mistake on a terminal is reported in a line and not on a screen`() throws {
    let folder = try Program.Folder()
    let tmux = try search("--data nowhere", in: folder, columns: 100, rows: 30)
    let end = try tmux.waits("the end") { $0.contains("isig+") }
    #expect(end.contains("exit=66"))
    #expect(end.contains("nowhere: no such folder"))
  }

  @Test func `a terminal of 40x10 is enough`() throws {
    let folder = try Program.Folder()
    let tmux = try search("", in: folder, columns: 40, rows: 10)
    let screen = try tmux.waits("a running search") { $0.contains("RUNNING") }
    #expect(screen.contains("quit"))
    try tmux.press("q", "s")
    #expect(try tmux.waits("a clean terminal") { $0.contains("isig+") }.contains("exit=0"))
  }

  @Test func `Ctrl-Z suspends and fg brings the dashboard back`() throws {
    let folder = try Program.Folder()
    let tmux = try Tmux("bash --norc --noprofile -i", in: folder.path, columns: 100, rows: 30)
    try tmux.press(commandLine("", epochs: 2000, terminal: nil), "Enter")
    try tmux.waits("a running search") { $0.contains("RUNNING") }
    try tmux.press("C-z")
    let suspended = try tmux.waits("the shell's word") { $0.contains("Stopped") }
    #expect(!suspended.contains("RUNNING"))
    try tmux.press("fg", "Enter")
    try tmux.waits("the dashboard again") { $0.contains("RUNNING") && $0.contains("Layers") }
    try tmux.press("q")
    try tmux.waits("the question") { $0.contains("Stop and save") }
    try tmux.press("s")
    try tmux.waits("the shell again") { $0.contains("supertop resume") }
  }

  @Test func `replies of the terminal and pastes are no keys, but text in a prompt`() throws {
    let folder = try Program.Folder()
    let tmux = try search("", in: folder, columns: 110, rows: 34)
    try tmux.waits("a running search") { $0.contains("RUNNING") }
    try tmux.press("Space")
    try tmux.waits("a paused search") { $0.contains("PAUSED") }
    let run = try RunFolder.open(path: folder.path + "/runs/digits-1").reader()
    for reply in [
      "\u{1B}]10;rgb:cccc/cccc/cccc\u{07}", "\u{1B}P1+r544e=787465\u{1B}\\", "\u{1B}[?62;22c",
    ] {
      let half = reply.utf8.count / 2
      try tmux.send(Array(reply.utf8.prefix(half)))
      usleep(300_000)
      try tmux.send(Array(reply.utf8.dropFirst(half)))
    }
    // tmux marks a paste only where the program has asked for it.
    try tmux.paste("q cats - hello + ts\n c")
    try tmux.press("t")
    try tmux.waits("the prompt") { $0.contains("0.001") || $0.contains("emperature") }
    try tmux.paste("1.25")
    usleep(200_000)
    try tmux.press("Enter")
    #expect(try eventually { try run.interventions().count == 2 })
    #expect(try run.interventions().map(\.action) == [.pause, .setTemperature(1.25)])
    try tmux.press("q", "s")
    #expect(try tmux.waits("a clean terminal") { $0.contains("isig+") }.contains("exit=0"))
  }

  @Test(arguments: ["xterm-nosuch", "ghostty"])
  func `an unknown terminal of xterm's family has the dashboard`(name: String) throws {
    let folder = try Program.Folder()
    let tmux = try search("", in: folder, columns: 100, rows: 30, terminal: name)
    try tmux.waits("a running search") { $0.contains("RUNNING") && $0.contains("Layers") }
    try tmux.press("q", "s")
    #expect(try tmux.waits("a clean terminal") { $0.contains("isig+") }.contains("exit=0"))
  }

  @Test func `an unknown terminal of no family says how to continue`() throws {
    let folder = try Program.Folder()
    let tmux = try search("", in: folder, columns: 120, rows: 50, epochs: 2, terminal: "nonsense")
    let end = try tmux.waits("the end") { $0.contains("isig+") }
    #expect(end.contains("exit=0") && !end.contains("Layers"))
    #expect(end.contains("TERM=xterm-256color"))
  }

  @Test func `a search trains in the background and fg brings its dashboard`() throws {
    let folder = try Program.Folder()
    let tmux = try Tmux("bash --norc --noprofile -i", in: folder.path, columns: 100, rows: 30)
    try tmux.press(commandLine("", epochs: 2000, terminal: nil) + " &", "Enter")
    let path = folder.path + "/runs/digits-1"
    func steps() -> Int { ((try? RunFolder.open(path: path).reader().status()?.step) ?? nil) ?? 0 }
    #expect(eventually { steps() > 3 })
    let begun = steps()
    #expect(eventually { steps() > begun + 3 })
    // The shell has its terminal.
    try tmux.press("jobs; echo still''here", "Enter")
    let shell = try tmux.waits("the shell") { $0.contains("stillhere") }
    #expect(shell.contains("Running") && !shell.contains("Stopped") && !shell.contains("Layers"))
    try tmux.press("fg", "Enter")
    try tmux.waits("the dashboard") { $0.contains("RUNNING") && $0.contains("Layers") }
    // The same by way of Ctrl-Z and bg.
    try tmux.press("C-z")
    try tmux.waits("the shell's word") { $0.contains("Stopped") }
    try tmux.press("bg", "Enter")
    let before = steps()
    #expect(eventually { steps() > before + 3 })
    try tmux.press("clear; jobs; echo once''more", "Enter")
    let again = try tmux.waits("the shell again") { $0.contains("oncemore") }
    #expect(again.contains("Running") && !again.contains("Layers"))
    try tmux.press("fg", "Enter")
    try tmux.waits("the dashboard again") { $0.contains("RUNNING") && $0.contains("Layers") }
    try tmux.press("Space")
    try tmux.waits("a paused search") { $0.contains("PAUSED") }
    try tmux.press("q", "s")
    try tmux.waits("the end") { $0.contains("supertop resume") }
  }

  @Test func `a search that ends in the background leaves its result and the shell's terminal`()
    throws
  {
    let folder = try Program.Folder()
    let tmux = try Tmux("bash --norc --noprofile -i", in: folder.path, columns: 100, rows: 40)
    try tmux.press(commandLine("", epochs: 3, terminal: nil) + " & wait; echo over''now", "Enter")
    let end = try tmux.waits("the end") { $0.contains("overnow") }
    #expect(end.contains("done in") && !end.contains("Layers"))
    try tmux.press("stty -a | grep -o ' icanon' ; echo", "Enter")
    try tmux.waits("the shell's modes") { $0.contains("\n icanon") }
  }

  /// A search that lasts until it is stopped, unless `epochs` says otherwise.
  private func search(
    _ options: String,
    in folder: Program.Folder,
    columns: Int,
    rows: Int,
    epochs: Int = 2000,
    terminal: String? = nil
  ) throws -> Tmux {
    try Tmux(
      commandLine(options, epochs: epochs, terminal: terminal),
      in: folder.path,
      columns: columns,
      rows: rows
    )
  }

  private func commandLine(_ options: String, epochs: Int, terminal: String?) -> String {
    let words = ([Program.path, "search"] + Program.tiny(epochs: epochs)).map { "'\($0)'" }
    return (terminal.map { "TERM=\($0) " } ?? "") + words.joined(separator: " ") + " " + options
  }
}
