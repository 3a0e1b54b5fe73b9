import Runs
import Testing

/// What a run says of data that is not what it began with (spec S122).
struct DataFingerprintTests {
  /// Classes with the content of their training images; each has five of them and two test images.
  private func data(_ classes: KeyValuePairs<String, String>) -> DataFingerprint {
    DataFingerprint(
      learned: LearnedData(
        classNames: classes.map(\.key),
        mean: [0.5],
        standardDeviation: [0.25],
        side: 8
      ),
      train: .init(
        images: classes.map { _ in 5 },
        content: classes.map(\.value),
        order: "1"
      ),
      test: .init(
        images: classes.map { _ in 2 },
        content: classes.map { "test " + $0.value },
        order: "2"
      )
    )
  }

  private let before = KeyValuePairs(dictionaryLiteral: ("ant", "A"), ("bee", "B"), ("cow", "C"))

  @Test func `the same data has not changed`() {
    #expect(data(before).changes(since: data(before)) == [])
  }

  @Test func `renamed, swapped, new and lost classes are told apart`() {
    func changes(_ classes: KeyValuePairs<String, String>) -> [String] {
      data(classes).changes(since: data(before))
    }
    #expect(changes(["ant": "A", "bug": "B", "cow": "C"]) == ["class bee is now called bug"])
    #expect(
      changes(["ant": "B", "bee": "A", "cow": "C"]) == [
        "classes that hold each other's images: ant, bee"
      ]
    )
    #expect(changes(["ant": "A", "bee": "B"]) == ["classes that are gone: cow"])
    #expect(
      changes(["ant": "A", "bee": "B", "cow": "C", "dog": "D", "emu": "E"]) == [
        "new classes: dog, emu"
      ]
    )
    #expect(
      changes(["ant": "A", "bee": "B", "dog": "D"]) == [
        "new classes: dog", "classes that are gone: cow",
      ]
    )
  }

  @Test func `images more, fewer and other are counted by their part`() {
    var now = data(before)
    now.train.images = [15, 4, 5]
    now.train.content = ["A+", "B-", "X"]
    now.test.images = [2, 2, 3]
    now.test.content[2] = "test C+"
    #expect(
      now.changes(since: data(before)) == [
        "10 training images more in ant", "1 training image fewer in bee",
        "other pixels or another order of training images in cow", "1 test image more in cow",
      ]
    )
  }

  @Test func `classes that are mixed in another order are noticed, other means are not`() {
    var now = data(before)
    now.test.order = "3"
    #expect(now.changes(since: data(before)) == ["the images come in another order"])
    now = data(before)
    now.learned.mean = [0.4]
    #expect(now.changes(since: data(before)) == [])
  }

  @Test func `the store keeps it`() throws {
    try inTemporaryFolder {
      let run = try RunFolder.create(
        at: $0 + "/run",
        config: try Configuration.preset("digits")
      )
      let store = try run.store()
      #expect(try store.reader.data() == nil)
      try store.record(data: data(["x\"\n": "A"]))
      try store.record(data: data(before))
      #expect(try run.reader().data() == data(before))
    }
  }
}
