import Foundation
import Runs
import Testing

/// Class names and normalisation as texts with weights (spec S123).
struct LearnedDataTests {
  private let learned = LearnedData(
    classNames: ["cat", "a \"b\", c\\d", "line\nbreak", "Käse 🧀/e\u{301}", "", "[1]"],
    mean: [0.1, 1.0 / 3, 0],
    standardDeviation: [0.25, 1.0e-3, .leastNormalMagnitude],
    side: 48
  )

  @Test func `names of any characters and figures come back to the bit, also from a file`() throws {
    #expect(try LearnedData(metadata: learned.metadata, path: "a") == learned)
    try inTemporaryFolder {
      let path = $0 + "/a.safetensors"
      try Checkpoint(metadata: learned.metadata).write(to: path)
      let back = try Checkpoint.read(from: path)
      #expect(try LearnedData(metadata: back.metadata, path: path) == learned)
    }
  }

  @Test func `every text is JSON of its own`() throws {
    let names = try #require(learned.metadata["classes"])
    #expect(try JSONDecoder().decode([String].self, from: Data(names.utf8)) == learned.classNames)
    #expect(learned.metadata["packed_side"] == "48")
  }

  @Test func `a file of before knows nothing`() throws {
    #expect(try LearnedData(metadata: ["network": "{}"], path: "a") == nil)
  }

  @Test(arguments: [
    ("classes", "a, b", "not a JSON list of names"), ("classes", #"["a", "a"]"#, "twice"),
    ("mean", nil, "is missing"), ("mean", "[0.1]", "does not go with 'deviation'"),
    ("deviation", "[0.25, 0, 1]", "not above 0"), ("packed_side", "0", "no size"),
  ])
  func `a text that does not hold is named`(key: String, text: String?, problem: String) throws {
    var metadata = learned.metadata
    metadata[key] = text
    let error = try userError { _ = try LearnedData(metadata: metadata, path: "net.safetensors") }
    #expect(error?.code == .data && error?.place == "net.safetensors")
    #expect(error?.problem.contains("'\(key)'") == true && error?.problem.contains(problem) == true)
  }
}
