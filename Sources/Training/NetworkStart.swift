import Networks
import Runs
import Tensor

extension Checkpoint {
  /// What `network` starts from; see `start(for:classifier:classNames:)`.
  func start(for network: Network, classNames: [String]?) throws -> StateDictionary {
    try start(
      for: network.state(),
      classifier: [network.classifier.name, network.classifierBias.name],
      classNames: classNames
    )
  }

  /// What a network of the state `fresh` starts from: these arrays where name and shape agree, its
  /// own sampled ones elsewhere.
  ///
  /// Where both the file and the data name their classes, the classifier's part of each class goes
  /// to the class of that name, wherever it is now. Errors: `.data` for names in the file that
  /// do not hold.
  package func start(
    for fresh: StateDictionary,
    classifier: [String],
    classNames: [String]?
  ) throws -> StateDictionary {
    let learned = try LearnedData(metadata: metadata, path: "start.safetensors")?.classNames
    return StateDictionary(
      fresh.map { fresh in
        var array = fresh
        if let given = self[fresh.name] {
          if classifier.contains(fresh.name), let learned, let classNames {
            if given.shape == Array(fresh.shape.dropLast()) + [learned.count] {
              given.copy(learned, to: &array.values, classNames)
            }
          } else if given.shape == fresh.shape {
            array.values = given.values
          }
        }
        return array
      }
    )
  }
}

extension Checkpoint.Tensor {
  /// Copies the columns of `learned` to those that `classNames` have under the same name; the
  /// classes are the last side of both arrays.
  fileprivate func copy(_ learned: [String], to values: inout [Float], _ classNames: [String]) {
    let columns = classNames.enumerated().compactMap { now, name in
      learned.firstIndex(of: name).map { (now: now, then: $0) }
    }
    for row in 0..<values.count / max(1, classNames.count) {
      for column in columns {
        values[row * classNames.count + column.now] =
          self.values[row * learned.count + column.then]
      }
    }
  }
}
