/// A mistake in something from outside, reported in one line: what, where and the remedy.
package struct UserError: Error, CustomStringConvertible, Sendable, Equatable {
  /// Exit codes of sysexits.h.
  package enum Code: Int32, Sendable {
    /// Wrong command line (EX_USAGE).
    case usage = 64
    /// Wrong content of an input file (EX_DATAERR).
    case data = 65
    /// An input that does not exist or cannot be read (EX_NOINPUT).
    case noInput = 66
    /// An internal limit, such as no terminal (EX_UNAVAILABLE).
    case unavailable = 69
    /// Our own mistake (EX_SOFTWARE).
    case software = 70
    /// An output that cannot be created (EX_CANTCREAT).
    case cannotCreate = 73
    /// Reading or writing failed midway (EX_IOERR).
    case io = 74
    /// A run that another process holds (EX_TEMPFAIL).
    case busy = 75
    /// Wrong configuration (EX_CONFIG).
    case configuration = 78
  }

  /// The process's exit code.
  package var code: Code
  /// File, key or argument concerned.
  package var place: String
  /// What is wrong.
  package var problem: String
  /// What to do about it; may be empty.
  package var remedy: String

  package init(_ code: Code, _ place: String, _ problem: String, remedy: String = "") {
    self.code = code
    self.place = place
    self.problem = problem
    self.remedy = remedy
  }

  /// One line: `place: problem; remedy`.
  package var description: String {
    let line = (place.isEmpty ? "" : place + ": ") + problem + (remedy.isEmpty ? "" : "; " + remedy)
    return line.printable()
  }
}

extension UserError {
  /// `error` itself where it is one of these; another one is a fault of the program.
  package init(wrapping error: any Error, at place: String = "") {
    self = error as? UserError ?? UserError(.software, place, "\(error)")
  }
}
