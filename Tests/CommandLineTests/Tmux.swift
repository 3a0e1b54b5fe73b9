import Foundation
import TestSupport
import Testing

/// A terminal of a tmux server of its own, with a program in it.
final class Tmux {
  /// Whether tmux is installed.
  static let isInstalled =
    (try? run(["-V"]))?.hasPrefix("tmux") ?? false

  private let socket = "supertop-\(UUID().uuidString.prefix(8))"

  /// Starts `command` in a shell; what the shell prints after it says how the program ended and
  /// whether the terminal is as it was.
  init(_ command: String, in folder: String, columns: Int, rows: Int) throws {
    let script =
      "cd '\(folder)'; \(command); echo exit=$?; "
      + "stty -a | tr ' ;' '\\n\\n' | grep -x -e icanon -e echo -e isig | tr '\\n' '+'; "
      + "echo; exec cat"
    _ = try Tmux.run([
      "-L", socket, "-f", "/dev/null", "new-session", "-d", "-x", "\(columns)", "-y", "\(rows)",
      script,
    ])
  }

  /// The lines that the program prints on a terminal of `columns`, once it has ended well.
  static func lines(
    of arguments: [String],
    in folder: Program.Folder,
    columns: Int
  ) throws -> [Substring] {
    let words = ([Program.path] + arguments).map { "'\($0)'" }.joined(separator: " ")
    let tmux = try Tmux(words, in: folder.path, columns: columns, rows: 50)
    return try tmux.waits("the end of \(arguments[0])") { $0.contains("exit=0") }
      .split(separator: "\n")
  }

  /// The rows of a screen, without what is blank at their end and at that of the screen.
  static func rows(_ text: String) -> [Substring] {
    var rows = text.split(separator: "\n", omittingEmptySubsequences: false).map { row in
      row.prefix(upTo: row.lastIndex { $0 != " " }.map(row.index(after:)) ?? row.startIndex)
    }
    while rows.last?.isEmpty == true { rows.removeLast() }
    return rows
  }

  deinit {
    _ = try? Tmux.run(["-L", socket, "kill-server"])
    // The server leaves its socket.
    let place = ProcessInfo.processInfo.environment["TMUX_TMPDIR"] ?? "/tmp"
    try? FileManager.default.removeItem(atPath: "\(place)/tmux-\(getuid())/\(socket)")
  }

  /// Presses keys, named as tmux names them.
  func press(_ keys: String...) throws {
    _ = try Tmux.run(["-L", socket, "send-keys"] + keys)
  }

  /// Sends bytes as the terminal itself would.
  func send(_ bytes: [UInt8]) throws {
    let digits = bytes.map { String($0, radix: 16) }
    _ = try Tmux.run(["-L", socket, "send-keys", "-H"] + digits)
  }

  /// Pastes, between marks if the program has asked for them.
  func paste(_ text: String) throws {
    _ = try Tmux.run(["-L", socket, "set-buffer", "-b", "p", "--", text])
    _ = try Tmux.run(["-L", socket, "paste-buffer", "-p", "-r", "-b", "p"])
  }

  func resize(columns: Int, rows: Int) throws {
    _ = try Tmux.run([
      "-L", socket, "resize-window", "-x", "\(columns)", "-y", "\(rows)",
    ])
  }

  /// What the terminal shows.
  func screen() throws -> String {
    try Tmux.run(["-L", socket, "capture-pane", "-p"])
  }

  /// Nobody waits for what would follow.
  private struct WaitedInVain: Error {}

  /// Waits until the screen `holds`, and returns it; records an issue with the screen otherwise,
  /// and throws.
  @discardableResult
  func waits(
    _ what: String,
    sourceLocation: SourceLocation = #_sourceLocation,
    until holds: (String) throws -> Bool
  ) throws -> String {
    var last = ""
    // Each look is a process.
    let found = try eventually(pause: 0.05) {
      last = try screen()
      return try holds(last)
    }
    if !found {
      Issue.record("waited in vain for \(what):\n\(last)", sourceLocation: sourceLocation)
      throw WaitedInVain()
    }
    return last
  }

  /// Through the shell: Foundation's Process would wait for the tmux server too, which inherits its
  /// sign of life.
  private static func run(_ arguments: [String]) throws -> String {
    let quoted = arguments.map { "'" + $0.replacingOccurrences(of: "'", with: "'\\''") + "'" }
    let command =
      "LC_ALL=C.UTF-8 TERM=screen-256color TMUX= tmux \(quoted.joined(separator: " ")) 2>/dev/null"
    let pipe = try #require(popen(command, "r"))
    defer { pclose(pipe) }
    var bytes: [UInt8] = []
    while case let byte = fgetc(pipe), byte != EOF { bytes.append(UInt8(byte)) }
    return String(decoding: bytes, as: UTF8.self)
  }
}
