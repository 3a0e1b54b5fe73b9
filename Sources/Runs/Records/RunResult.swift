import Foundation

/// What a finished run came to.
package enum RunResult: Sendable, Equatable {
  case search(SearchResult)
  case joint(JointResult)
  case training(TrainingResult)

  /// The object in one line of JSON, keys in alphabetical order.
  package func json() throws -> String {
    switch self {
    case .search(let result): try result.json()
    case .joint(let result): try result.json()
    case .training(let result): try result.json()
    }
  }

  /// Reads what `json()` wrote.
  package init(json: String) throws {
    struct Tag: Decodable { var kind: RunKind }
    let (decoder, data) = (JSONDecoder(), Data(json.utf8))
    switch try decoder.decode(Tag.self, from: data).kind {
    case .search, .random: self = .search(try decoder.decode(SearchResult.self, from: data))
    case .joint: self = .joint(try decoder.decode(JointResult.self, from: data))
    case .training: self = .training(try decoder.decode(TrainingResult.self, from: data))
    }
  }

  /// Steps of the whole run.
  package var steps: Int {
    switch self {
    case .search(let result): result.steps
    case .joint(let result): result.steps
    case .training(let result): result.steps
    }
  }

  /// Seconds of training and evaluation, pauses excluded.
  package var seconds: Double {
    switch self {
    case .search(let result): result.seconds
    case .joint(let result): result.seconds
    case .training(let result): result.seconds
    }
  }

  /// The run's folder.
  package var run: String {
    get {
      switch self {
      case .search(let result): result.run
      case .joint(let result): result.run
      case .training(let result): result.run
      }
    }
    set {
      switch self {
      case .search(var result):
        result.run = newValue
        self = .search(result)
      case .joint(var result):
        result.run = newValue
        self = .joint(result)
      case .training(var result):
        result.run = newValue
        self = .training(result)
      }
    }
  }
}
