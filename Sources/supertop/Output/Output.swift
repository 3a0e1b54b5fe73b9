import Dashboard
import Foundation
import Runs
import Synchronization

/// Text to a file descriptor, unbuffered.
///
/// A reader that went away (`supertop … | head`) is no error: what follows is dropped and training
/// continues. SIGPIPE is ignored for that, see `Signals`.
final class Output {
  /// Error number of the first text that standard output had no room for; 0 while all went well.
  private static let fullness = Atomic<Int32>(0)

  private let descriptor: Int32
  /// Whether the reader has gone.
  private(set) var isClosed = false

  init(descriptor: Int32 = STDOUT_FILENO) {
    self.descriptor = descriptor
  }

  /// For what is said about a file that goes to `path`: never where the file itself goes.
  convenience init(beside path: String?) {
    let isTaken = path.flatMap { try? OutputPlace($0) }?.isStandardOutput ?? false
    self.init(descriptor: isTaken ? STDERR_FILENO : STDOUT_FILENO)
  }

  /// Size of the terminal behind the descriptor; nil where there is none.
  var terminal: (columns: Int, rows: Int)? {
    var size = winsize()
    guard ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return nil }
    return (Int(size.ws_col), Int(size.ws_row))
  }

  /// Throws `.io` if standard output has lost text that somebody wanted, a full disk's.
  static func check() throws {
    let number = fullness.load(ordering: .relaxed)
    guard number == 0 else {
      throw UserError(
        .io,
        "standard output",
        "writing failed, \(systemMessage(number))",
        remedy: "check the free space"
      )
    }
  }

  /// Writes one line; line breaks and other controls in `text` are shown, not done.
  ///
  /// Where `path` is in it, that is a link on a terminal that is known to take one.
  func line(_ text: String, linking path: String? = nil) {
    let shown = text.printable()
    guard let path, isatty(descriptor) == 1 else { return raw(shown + "\n") }
    raw(linked(shown, to: path) + "\n")
  }

  /// Writes lines, each with its line feed; other controls in `text` are shown, not done.
  func text(_ text: String) {
    raw(text.printable(keepingLines: true))
  }

  /// Writes `text` as it is: what moves the cursor of a terminal.
  func raw(_ text: String) {
    var text = text
    guard !isClosed else { return }
    isClosed = !text.withUTF8 { writeAll(UnsafeRawBufferPointer($0), to: descriptor) }
    if isClosed, descriptor == STDOUT_FILENO, [ENOSPC, EDQUOT, EFBIG].contains(errno) {
      Output.fullness.store(errno, ordering: .relaxed)
    }
  }
}

extension Output {
  /// Writes a value as one line of JSON.
  func json(
    _ value: some Encodable,
    keys: JSONEncoder.KeyEncodingStrategy = .useDefaultKeys
  ) throws {
    line(try JSONText.encode(value, keys: keys))
  }
}

/// One changing line on standard error, for a person at a terminal; nothing elsewhere.
final class Ticker {
  private let output = Output(descriptor: STDERR_FILENO)
  /// Whether there is a terminal that shows it.
  let isShown =
    isatty(STDERR_FILENO) == 1
    && ProcessInfo.processInfo.environment["TERM"].map { $0 != "dumb" && !$0.isEmpty } ?? false

  func show(_ text: String) {
    if isShown { output.raw("\r\u{1B}[K" + text.printable()) }
  }

  func clear() {
    show("")
  }
}
