import Foundation
import TestSupport
import Testing

/// A pseudo-terminal with a program in it, whose terminal the test is: it sees every byte.
final class PseudoTerminal {
  /// Whether a program can be given such a terminal as its own here.
  static let isPossible = FileManager.default.isExecutableFile(atPath: "/usr/bin/setsid")

  /// What the program has written so far.
  private(set) var output: [UInt8] = []
  private let main: Int32
  /// TIOCSPTLCK and TIOCGPTN.
  private static let (lock, name): (UInt, UInt) = (0x4004_5431, 0x8004_5430)
  private let process = Process()
  /// Kept, for it is removed with its last user.
  private let folder: Program.Folder

  /// Starts a command line of the shell; the modes of the terminal are kept before and after it.
  init(
    _ command: String,
    in folder: Program.Folder,
    environment: [String: String] = [:],
    columns: UInt16 = 100,
    rows: UInt16 = 30
  ) throws {
    self.folder = folder
    // Linux's own way: Glibc's names for it are not visible here.
    main = open("/dev/ptmx", O_RDWR | O_NOCTTY)
    var (locked, number) = (Int32(0), Int32(0))
    guard ioctl(main, Self.lock, &locked) == 0, ioctl(main, Self.name, &number) == 0 else {
      throw POSIXError(.ENXIO)
    }
    let side = open("/dev/pts/\(number)", O_RDWR | O_NOCTTY)
    var size = winsize(ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0)
    _ = ioctl(side, UInt(TIOCSWINSZ), &size)
    _ = fcntl(main, F_SETFL, O_NONBLOCK)
    let handle = FileHandle(fileDescriptor: side, closeOnDealloc: true)
    process.executableURL = URL(fileURLWithPath: "/usr/bin/setsid")
    // The inner shell becomes the program, so that its number is known; the outer one outlives it.
    let script =
      "trap : INT HUP QUIT; stty -g >before; sh -c 'echo $$ >pid; exec \(command)'; "
      + "echo $? >code; stty -g >after"
    process.arguments = ["--ctty", "--wait", "sh", "-c", script]
    process.currentDirectoryURL = URL(fileURLWithPath: folder.path)
    var all = ProcessInfo.processInfo.environment.filter { !$0.key.hasPrefix("SUPERTOP_") }
    for name in ["TMUX", "STY", "CI", "TERM_PROGRAM", "NO_COLOR", "COLORFGBG", "COLORTERM"] {
      all[name] = nil
    }
    all["TERM"] = "xterm-256color"
    all["LC_ALL"] = "C.UTF-8"
    process.environment = all.merging(environment) { $1 }
    process.standardInput = handle
    process.standardOutput = handle
    process.standardError = handle
    try process.run()
  }

  deinit {
    if process.isRunning { process.terminate() }
    close(main)
  }

  /// Types, or answers as a terminal does.
  func send(_ text: String) {
    let bytes = Array(text.utf8)
    _ = write(main, bytes, bytes.count)
  }

  /// Sends a signal to the program.
  func signal(_ number: Int32) throws { kill(try #require(Int32(file("pid"))), number) }

  /// What a file of the folder says, in a line.
  func file(_ name: String) -> String {
    let text = (try? String(contentsOfFile: folder.path + "/" + name, encoding: .utf8)) ?? ""
    return text.trimmingCharacters(in: .whitespacesAndNewlines)
  }

  /// The output as text.
  var text: String {
    read()
    return String(decoding: output, as: UTF8.self)
  }

  private func read() {
    var buffer = [UInt8](repeating: 0, count: 65_536)
    while true {
      let count = Foundation.read(main, &buffer, buffer.count)
      guard count > 0 else { return }
      output += buffer[..<count]
    }
  }

  /// Waits until the output holds a text, which comes after `offset` bytes of it.
  func waits(for text: String, after offset: Int = 0) -> Bool {
    eventually(pause: 0.05) {
      read()
      let rest = output.dropFirst(offset)
      return String(decoding: rest, as: UTF8.self).contains(text)
    }
  }

  /// Waits for the end of the program; the code that it gave the shell.
  func ending() -> Int32? {
    // Whoever does not read blocks the program.
    _ = eventually {
      read()
      return !process.isRunning
    }
    read()
    return Int32(file("code"))
  }

  /// Private modes that are on after all that was written.
  var modes: Set<Int> {
    read()
    var modes: Set<Int> = []
    for part in String(decoding: output, as: UTF8.self).components(separatedBy: "\u{1B}[?")
      .dropFirst()
    {
      let digits = part.prefix { $0.isNumber || $0 == ";" }
      let final = part.dropFirst(digits.count).first
      for mode in digits.split(separator: ";").compactMap({ Int($0) }) {
        if final == "h" { modes.insert(mode) }
        if final == "l" { modes.remove(mode) }
      }
    }
    return modes
  }
}
