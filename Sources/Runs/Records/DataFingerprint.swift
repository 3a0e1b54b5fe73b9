/// The identity of a run's data, so that a change between stop and resume is noticed (spec S122).
///
/// Only content counts: not the place, names or times of files, but their order within a class,
/// which decides what image is used when.
package struct DataFingerprint: Codable, Sendable, Equatable {
  /// The training or the test images.
  package struct Part: Codable, Sendable, Equatable {
    /// Images of each class.
    package var images: [Int]
    /// Hash of the packed pixels of each class, in the order of its images.
    package var content: [String]
    /// Hash of all labels, in the order of the images.
    package var order: String

    package init(images: [Int], content: [String], order: String) {
      self.images = images
      self.content = content
      self.order = order
    }
  }

  /// Class names and normalisation; the latter follows from the pixels.
  package var learned: LearnedData
  /// Images to train on.
  package var train: Part
  /// Images held out from all training.
  package var test: Part

  package init(learned: LearnedData, train: Part, test: Part) {
    self.learned = learned
    self.train = train
    self.test = test
  }

  /// What has changed since `old`, a clause each; empty where nothing has.
  package func changes(since old: DataFingerprint) -> [String] {
    let (names, before) = (learned.classNames, old.learned.classNames)
    var changes: [String] = []
    let renamed = before.filter { !names.contains($0) }.compactMap { name in
      names.first { !before.contains($0) && holds($0, whatHeld: name, in: old) }.map { (name, $0) }
    }
    changes += renamed.map { "class \($0) is now called \($1)" }
    let added = names.filter { name in
      !before.contains(name) && !renamed.contains { $0.1 == name }
    }
    let removed = before.filter { name in
      !names.contains(name) && !renamed.contains { $0.0 == name }
    }
    if !added.isEmpty { changes.append("new classes: \(added.listed())") }
    if !removed.isEmpty { changes.append("classes that are gone: \(removed.listed())") }
    let common = before.filter(names.contains)
    // Two classes that swapped their names hold each other's images.
    let swapped = common.filter { name in
      !holds(name, whatHeld: name, in: old)
        && common.contains { $0 != name && holds(name, whatHeld: $0, in: old) }
    }
    if !swapped.isEmpty {
      changes.append("classes that hold each other's images: \(swapped.listed())")
    }
    for (kind, now, then) in [("training", train, old.train), ("test", test, old.test)] {
      let rest = common.filter { !swapped.contains($0) }
      changes += imageChanges(kind, now, then, in: rest, old)
    }
    if changes.isEmpty, train.order != old.train.order || test.order != old.test.order {
      changes.append("the images come in another order")
    }
    return changes
  }

  /// Whether class `name` holds the pixels that `other` held in `old`.
  private func holds(_ name: String, whatHeld other: String, in old: DataFingerprint) -> Bool {
    guard let now = learned.classNames.firstIndex(of: name),
      let then = old.learned.classNames.firstIndex(of: other)
    else { return false }
    return train.content[now] == old.train.content[then]
      && test.content[now] == old.test.content[then]
  }

  /// Images added, removed and exchanged in classes that both have, a clause each.
  private func imageChanges(
    _ kind: String,
    _ now: Part,
    _ then: Part,
    in classes: [String],
    _ old: DataFingerprint
  ) -> [String] {
    var (more, fewer) = (0, 0)
    var (grown, shrunk, other): ([String], [String], [String]) = ([], [], [])
    for name in classes {
      guard let a = learned.classNames.firstIndex(of: name),
        let b = old.learned.classNames.firstIndex(of: name)
      else { continue }
      let difference = now.images[a] - then.images[b]
      if difference > 0 {
        more += difference
        grown.append(name)
      } else if difference < 0 {
        fewer -= difference
        shrunk.append(name)
      } else if now.content[a] != then.content[b] {
        other.append(name)
      }
    }
    func count(_ images: Int) -> String { Format.counted(images, "\(kind) image") }
    var changes: [String] = []
    if more > 0 { changes.append("\(count(more)) more in \(grown.listed())") }
    if fewer > 0 { changes.append("\(count(fewer)) fewer in \(shrunk.listed())") }
    if !other.isEmpty {
      changes.append("other pixels or another order of \(kind) images in \(other.listed())")
    }
    return changes
  }
}
