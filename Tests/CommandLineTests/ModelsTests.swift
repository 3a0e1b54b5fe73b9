import Foundation
import Runs
import Testing

/// `supertop models`, end to end.
@Suite struct ModelsTests {
  private func models(_ arguments: [String]) throws -> [[String: Any]] {
    let ending = try Program.run(["models"] + arguments, in: try Program.Folder())
    #expect(ending.code == 0)
    let json = try JSONSerialization.jsonObject(with: Data(ending.output.utf8))
    return try #require(json as? [[String: Any]])
  }

  @Test func `the list as JSON has every network with whole numbers`() throws {
    let all = try models(["--json"])
    #expect(all.count == 43)
    let keys: Set = [
      "name", "family", "resolution", "flops", "params", "published_flops", "published_params",
      "counting_rule", "match",
    ]
    for model in all { #expect(Set(model.keys) == keys) }
    let published = all.filter { !($0["published_flops"] is NSNull) }
    #expect(published.count == 28)
    #expect(published.allSatisfy { $0["match"] as? Bool == true })
    let c = try #require(all.first { $0["name"] as? String == "fbnet_c_2019" })
    // Of this release no mean over pixels was counted.
    #expect(c["counting_rule"] as? String == "madds")
    #expect(c["flops"] as? Int == 382_984_480)
    #expect(c["params"] as? Int == 5_520_784)
    #expect(c["published_params"] as? Int == 5_520_784)
  }

  @Test func `a rule counts all networks its way and is named`() throws {
    let counted = try models(["FBNetV3_B", "--json", "--rule", "with-batch-norm"])
    #expect(counted.count == 1)
    #expect(counted[0]["params"] as? Int == 8_598_464)
    #expect(counted[0]["counting_rule"] as? String == "with-batch-norm")
    #expect(
      try models(["FBNetV3_B", "--json", "--rule", "madds"])[0]["flops"] as? Int == 460_150_000
    )
  }

  @Test func `the layers of a network end in its total`() throws {
    let ending = try Program.run(["models", "fbnet_c", "--layers"], in: try Program.Folder())
    #expect(ending.code == 0)
    #expect(ending.lines.first?.hasPrefix("layer") == true)
    #expect(ending.lines.count == 27)
    let total = try #require(ending.lines.last)
    #expect(total.hasPrefix("total") && total.contains("zoo"))
    #expect(total.contains("378.233440") && total.hasSuffix("5.525424"))
  }

  @Test(arguments: [
    (["models", "fbnet_cc"], "fbnet_c", UserError.Code.noInput),
    (["models", "fbnet_c", "--rule", "macs"], "with-batch-norm", .usage),
    (["models", "--layers"], "--layers", .usage),
  ])
  func `a mistake gives one line with the remedy`(
    arguments: [String],
    word: String,
    code: UserError.Code
  ) throws {
    let ending = try Program.run(arguments, in: try Program.Folder())
    #expect(ending.code == code.rawValue)
    #expect(ending.output.isEmpty)
    #expect(ending.errorLines.count == 1)
    #expect(ending.errors.contains(word))
  }
}
