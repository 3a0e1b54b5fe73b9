import Foundation

/// What a network knows of the images it was trained on: the names of its classes and how pixels
/// become its input (spec S123).
package struct LearnedData: Codable, Sendable, Equatable {
  /// Names of the classes, in the order of the scores.
  package var classNames: [String]
  /// Mean of each channel over the training images, in 0…1.
  package var mean: [Float]
  /// Standard deviation of each channel over the training images, in 0…1; above 0.
  package var standardDeviation: [Float]
  /// Side of the squares that images are packed in before they are brought to the network's
  /// resolution, pixels.
  package var side: Int

  package init(classNames: [String], mean: [Float], standardDeviation: [Float], side: Int) {
    self.classNames = classNames
    self.mean = mean
    self.standardDeviation = standardDeviation
    self.side = side
  }

  private static let keys = (
    classes: "classes", mean: "mean", deviation: "deviation", side: "packed_side"
  )

  /// As texts that travel with weights: `classes`, `mean`, `deviation` and `packed_side`, each a
  /// JSON value.
  package var metadata: [String: String] {
    func json(_ value: some Encodable) -> String {
      let encoder = JSONEncoder()
      encoder.outputFormatting = .withoutEscapingSlashes
      // Texts and finite numbers only: all can be encoded.
      return (try? encoder.encode(value)).map { String(decoding: $0, as: UTF8.self) } ?? "[]"
    }
    return [
      Self.keys.classes: json(classNames), Self.keys.mean: json(mean),
      Self.keys.deviation: json(standardDeviation), Self.keys.side: json(side),
    ]
  }

  /// Reads what `metadata` made; nil where there is nothing of it, as in files of before.
  ///
  /// Errors: `.data` naming `path` and the text that is missing or does not hold.
  package init?(metadata: [String: String], path: String) throws {
    let keys = Self.keys
    let all = [keys.classes, keys.mean, keys.deviation, keys.side]
    guard all.contains(where: { metadata[$0] != nil }) else { return nil }
    func fault(_ key: String, _ problem: String) -> UserError {
      UserError(
        .data,
        path,
        "the text '\(key)' of its metadata \(problem)",
        remedy: "export the network again, or restore the file from a copy"
      )
    }
    func value<T: Decodable>(_ key: String, _ shape: String) throws -> T {
      guard let text = metadata[key] else { throw fault(key, "is missing") }
      guard let value = try? JSONDecoder().decode(T.self, from: Data(text.utf8)) else {
        throw fault(key, "is not \(shape)")
      }
      return value
    }
    classNames = try value(keys.classes, "a JSON list of names")
    mean = try value(keys.mean, "a JSON list of numbers")
    standardDeviation = try value(keys.deviation, "a JSON list of numbers")
    side = try value(keys.side, "a number")
    guard Set(classNames).count == classNames.count else {
      throw fault(keys.classes, "has a name twice")
    }
    guard mean.count == standardDeviation.count, mean.allSatisfy(\.isFinite) else {
      throw fault(keys.mean, "does not go with '\(keys.deviation)'")
    }
    guard standardDeviation.allSatisfy({ $0.isFinite && $0 > 0 }) else {
      throw fault(keys.deviation, "is not above 0")
    }
    guard (1...8192).contains(side) else { throw fault(keys.side, "is no size of an image") }
  }
}

extension [String] {
  /// The names in a sentence, at most `limit` of them: `a, b, c and 4 more`.
  package func listed(atMost limit: Int = 5) -> String {
    prefix(limit).joined(separator: ", ") + (count > limit ? " and \(count - limit) more" : "")
  }
}
