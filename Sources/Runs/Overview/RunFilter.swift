import Foundation

/// Which runs of a list are wanted: words, `key:value` and `/regex/`, joined by AND, OR, NOT and
/// parentheses.
///
/// Two terms side by side mean AND. Case does not matter.
package struct RunFilter: Sendable, Equatable {
  indirect enum Term: Sendable, Equatable {
    case all([Term])
    case any([Term])
    case not(Term)
    /// A text in the run's name, kind, preset, data or state.
    case word(Pattern)
    case key(String, Pattern)
  }

  /// What a text is to be like.
  enum Pattern: Sendable, Equatable {
    case text(String)
    case expression(String)
  }

  /// What was typed.
  package let text: String
  let term: Term

  /// Keys of a run beside those of its configuration.
  static let keys = ["name", "path", "state", "kind", "preset", "data", "parent"]

  /// Reads an expression; `.usage` with the place of the mistake where it is none.
  ///
  /// `place` is what the error begins with.
  package init(_ text: String, place: String = "--filter") throws {
    var parser = Parser(text: text, place: place)
    self.text = text
    term = try parser.parse()
  }

  /// The runs that are wanted, in their order.
  package func callAsFunction(_ runs: [RunOverview]) -> [RunOverview] {
    // A regular expression is compiled once for all runs.
    let test = Self.test(term)
    return runs.filter(test)
  }

  private typealias Test = (RunOverview) -> Bool

  private static func test(_ term: Term) -> Test {
    switch term {
    case .all(let terms):
      let tests = terms.map(test)
      return { run in tests.allSatisfy { $0(run) } }
    case .any(let terms):
      let tests = terms.map(test)
      return { run in tests.contains { $0(run) } }
    case .not(let term):
      let wanted = test(term)
      return { !wanted($0) }
    case .word(let pattern):
      let matches = matcher(pattern, whole: false)
      return { run in
        matches(run.name) || matches(run.kind?.rawValue ?? "") || matches(run.preset)
          || matches(run.data) || matches(run.state.rawValue)
      }
    case .key(let key, let pattern):
      let matches = matcher(pattern, whole: !["name", "path", "data", "parent"].contains(key))
      return { run in values(of: key, in: run).contains(where: matches) }
    }
  }

  /// What a run has under a key: of a configuration's key with all keys that end in it.
  private static func values(of key: String, in run: RunOverview) -> [String] {
    switch key {
    case "name": [run.name]
    case "path": [run.path]
    case "state": [run.state.rawValue]
    case "kind": run.kind.map { [$0.rawValue] } ?? []
    case "preset": [run.preset]
    case "data": [run.data]
    case "parent": run.parent.map { [$0] } ?? []
    default:
      run.values.filter { $0.key == key || $0.key.hasSuffix("." + key) }.map(\.text)
    }
  }

  private static func matcher(_ pattern: Pattern, whole: Bool) -> (String) -> Bool {
    switch pattern {
    case .text(let wanted):
      let wanted = wanted.lowercased()
      return { whole ? $0.lowercased() == wanted : $0.lowercased().contains(wanted) }
    case .expression(let text):
      guard let expression = try? Regex(text).ignoresCase() else { return { _ in false } }
      return { (try? expression.firstMatch(in: $0)) ?? nil != nil }
    }
  }
}

extension RunFilter {
  /// Recursive descent: OR binds least, then AND, then NOT.
  fileprivate struct Parser {
    private enum Token: Equatable {
      case and, or, not, open, close
      case word(Pattern)
      case key(String, Pattern)
    }

    private let place: String
    private let text: String
    private var rest: Substring
    private var next: Token?
    private var depth = 0
    /// Parentheses and NOTs within one another at most: more would overflow the stack.
    private static let mostDepth = 100

    init(text: String, place: String) {
      (self.text, self.place) = (text, place)
      rest = text[...]
    }

    mutating func parse() throws -> Term {
      next = try token()
      guard next != nil else {
        throw mistake("an empty filter", "write a word, or key:value such as state:running")
      }
      let term = try alternatives()
      guard next == nil else { throw mistake("a ) that nothing opens", "remove it") }
      return term
    }

    private mutating func alternatives() throws -> Term {
      var terms = [try conjunction()]
      while next == .or {
        next = try token()
        terms.append(try conjunction())
      }
      return terms.count == 1 ? terms[0] : .any(terms)
    }

    private mutating func conjunction() throws -> Term {
      var terms = [try factor()]
      while let token = next, token != .or, token != .close {
        if token == .and { next = try self.token() }
        terms.append(try factor())
      }
      return terms.count == 1 ? terms[0] : .all(terms)
    }

    private mutating func factor() throws -> Term {
      depth += 1
      defer { depth -= 1 }
      guard depth <= Self.mostDepth else {
        throw mistake(
          "parentheses or NOTs more than \(Self.mostDepth) deep",
          "leave the needless ones out"
        )
      }
      switch next {
      case .not:
        next = try token()
        return .not(try factor())
      case .open:
        next = try token()
        let term = try alternatives()
        guard next == .close else { throw mistake("a ( that is not closed", "add a )") }
        next = try token()
        return term
      case .word(let pattern):
        next = try token()
        return .word(pattern)
      case .key(let key, let pattern):
        next = try token()
        return .key(key, pattern)
      case .and, .or, .close, nil:
        let what =
          switch next {
          case .and: "before AND"
          case .or: "before OR"
          case .close: "before )"
          default: "at the end"
          }
        throw mistake("a term is missing \(what)", "write a word or key:value there")
      }
    }

    private mutating func token() throws -> Token? {
      rest = rest.drop(while: \.isWhitespace)
      guard let first = rest.first else { return nil }
      switch first {
      case "(":
        rest.removeFirst()
        return .open
      case ")":
        rest.removeFirst()
        return .close
      case "/", "\"": return .word(try pattern())
      default: break
      }
      let word = rest.prefix { !$0.isWhitespace && !"():".contains($0) }
      rest = rest[word.endIndex...]
      guard rest.first == ":" else {
        switch word {
        case "AND": return .and
        case "OR": return .or
        case "NOT": return .not
        default: return .word(.text(String(word)))
        }
      }
      rest.removeFirst()
      let key = word.lowercased()
      guard RunFilter.keys.contains(key) || RunSettings.hasKey(key) else {
        throw mistake(
          "\(word.isEmpty ? "an empty" : "an unknown") key before the colon\(quoted(word))",
          "use \(RunFilter.keys.joined(separator: ", ")) or a key of the configuration"
        )
      }
      guard let start = rest.first, !start.isWhitespace, start != ")" else {
        throw mistake("no value after \(key):", "write one, such as \(key):\(example(of: key))")
      }
      let value = try pattern()
      if key == "state", case .text(let text) = value {
        try check(text, among: RunOverview.State.allCases.map(\.rawValue), "state")
      }
      if key == "kind", case .text(let text) = value {
        try check(text, among: RunKind.allCases.map(\.rawValue), "kind")
      }
      return .key(key, value)
    }

    /// A text up to the next blank or parenthesis, one in quotes, or an expression in slashes.
    private mutating func pattern() throws -> Pattern {
      guard let mark = rest.first, mark == "/" || mark == "\"" else {
        let word = rest.prefix { !$0.isWhitespace && !"()".contains($0) }
        rest = rest[word.endIndex...]
        return .text(String(word))
      }
      rest.removeFirst()
      var content = ""
      while let character = rest.popFirst() {
        if character == mark {
          guard mark == "/" else { return .text(content) }
          do {
            _ = try Regex(content)
          } catch {
            throw mistake("/\(content)/ is no regular expression", "see its brackets and stars")
          }
          return .expression(content)
        }
        // Of all that can be escaped only the mark is ours.
        if character == "\\", rest.first == mark {
          content.append(rest.removeFirst())
        } else {
          content.append(character)
        }
      }
      throw mistake("a \(mark) that is not closed", "add a \(mark)")
    }

    private func check(_ text: String, among words: [String], _ what: String) throws {
      guard !words.contains(text.lowercased()) else { return }
      throw mistake("no \(what) \(text)", "use \(words.joined(separator: ", "))")
    }

    private func example(of key: String) -> String {
      switch key {
      case "state": "running"
      case "kind": "search"
      case "name", "path", "parent", "preset", "data": "digits"
      default: "1"
      }
    }

    private func quoted(_ word: Substring) -> String { word.isEmpty ? "" : " '\(word)'" }

    private func mistake(_ problem: String, _ remedy: String) -> UserError {
      UserError(.usage, "\(place) \(text)", problem, remedy: remedy)
    }
  }
}
