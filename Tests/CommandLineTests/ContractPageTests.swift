import Foundation
import Runs
import Testing

/// The page of the JSON contract and that of scripting say what the tests hold the program to.
struct ContractPageTests {
  @Test func `the page lists every object and table with the fields that the tests expect`() throws
  {
    let page = try ContractPage().entries.map(\.shape)
    let lists = Contract.objects + Contract.store
    #expect(Set(page.map(\.name)).count == page.count, "a heading twice")
    #expect(Set(page.map(\.name)) == Set(lists.map(\.name)))
    for list in lists {
      let shown = try #require(page.first { $0.name == list.name }, "\(list.name)")
      #expect(shown.kinds == list.kinds, "kinds of \(list.name)")
      #expect(shown.sometimes == list.sometimes, "when of \(list.name)")
    }
  }

  @Test func `every object has an example that is one`() throws {
    for entry in try ContractPage().entries where !entry.shape.name.hasPrefix("table ") {
      let example = try #require(entry.example, "\(entry.shape.name) has no example")
      #expect(entry.shape.faults(try JSONValue(example)) == [])
    }
  }

  @Test func `a field too many, too few or of another kind is reported`() throws {
    let shape = try #require(Contract.shape("chosen layer"))
    let good = #""choice":"skip","flops":0,"layer":"layer 1","params":0"#
    #expect(shape.faults(try JSONValue("{\(good)}")) == [])
    for (text, word) in [
      (#"{\#(good),"extra":1}"#, "extra is not expected"),
      (#"{"choice":"skip","flops":0,"layer":"layer 1"}"#, "lacks params"),
      (good.replacing("0", with: "true"), "no amount"),
      (good.replacing("0", with: "null"), "no amount"),
      (good.replacing("0", with: #""NaN""#), "no amount"),
      (good.replacing("0", with: "-1"), "no amount"),
      (good.replacing(#""skip""#, with: "1"), "no text"),
    ] {
      let faults = shape.faults(try JSONValue(text.hasPrefix("{") ? text : "{\(text)}"))
      #expect(faults.contains { $0.contains(word) }, "\(text): \(faults)")
    }
    #expect(shape.faults(try JSONValue("{\(good)}"), with: ["latency_ms"]) != [])
  }

  @Test func `the page of scripting lists the exit codes that there are`() throws {
    let page = try ContractPage.read("Documentation/scripting.md")
    let table = try #require(page.components(separatedBy: "| exit code |").dropFirst().first)
    let rows = table.split(separator: "\n", omittingEmptySubsequences: false).dropFirst()
      .prefix { $0.hasPrefix("|") }
    let listed = rows.flatMap { row in
      row.split(separator: "|")[0].split(separator: ",")
        .compactMap { Int32($0.trimmingCharacters(in: .whitespaces)) }
    }
    let codes = (Int32(1)...255).filter { UserError.Code(rawValue: $0) != nil }
    #expect(Set(listed) == Set([0] + codes + [128 + SIGINT, 128 + SIGTERM]))
    #expect(listed.count == Set(listed).count)
    #expect(page.contains("(json.md"))
  }
}
