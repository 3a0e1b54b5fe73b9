import Foundation
import Runs
import TestSupport
import Testing

/// `supertop report --checklist`: what a search and those beside it show.
struct ChecklistTests {
  private static func states(_ folder: Program.Folder, _ run: String) throws -> [(
    state: String, text: String
  )] {
    let ending = try Program.run(["report", run, "--checklist", "--json"], in: folder)
    #expect(ending.code == 0, "\(ending.errors)")
    let value = try #require(try ending.values().last)
    #expect(Contract.faults(value, as: "object of checklist") == [])
    let items = try #require(value["items"]?.list)
    #expect(items.map { $0["number"]?.number } == (1...14).map { Double($0) })
    return items.map { ($0["state"]?.text ?? "", $0["text"]?.text ?? "") }
  }

  private static func search(_ folder: Program.Folder, _ run: String, _ options: [String] = [])
    throws
  {
    let ending = try Program.run(
      ["search", "--headless", "--run", run] + Program.tiny() + options,
      in: folder
    )
    #expect(ending.code == 0, "\(ending.errors)")
  }

  @Test func `what is missing is named, and is kept once it is there`() throws {
    let folder = try Program.Folder()
    try Self.search(folder, "a")
    var found = try Self.states(folder, "a")
    // Ablation, training from scratch, random networks, seeds.
    let wanting = [5, 6, 8, 9]
    #expect((1...14).filter { found[$0 - 1].state == "missing" } == wanting)
    #expect(found[7].text.contains("--algorithm random"))
    #expect(found[11].text.contains("search.epochs"))

    try Self.search(folder, "b", ["--seed", "2"])
    #expect(try Self.states(folder, "a")[8].state == "missing")
    try Self.search(folder, "c", ["--seed", "3"])
    try Self.search(folder, "random", ["--algorithm", "random"])
    try Self.search(folder, "hard", ["--set", "search.hard=true"])
    // Neither a seed nor an ablation: it differs in two keys.
    let two = ["search.hard=true", "search.theta_share=0.4"].flatMap { ["--set", $0] }
    try Self.search(folder, "both", two)
    let derived = try Program.run(
      ["derive", "a", "--samples", "2", "--top", "3", "--refine", "0", "--retrain-epochs", "1"],
      in: folder
    )
    #expect(derived.code == 0, "\(derived.errors)")
    found = try Self.states(folder, "a")
    #expect(found.allSatisfy { $0.state != "missing" }, "\(found)")
    #expect(found[4].text.contains("search.hard") && !found[4].text.contains("theta_share"))
    #expect(found[8].text.contains("in 3 runs"))
    #expect(found[12].text.contains("3 × training") && found[12].text.contains("2 × search"))
    // In words as well.
    let words = try Program.run(["report", "a", "--checklist"], in: folder)
    #expect(words.output.contains("14 practices: 10 kept, 0 missing, 4 yours to say"))
    // A random search needs none beside it.
    #expect(try Self.states(folder, "random")[7].text.contains("this is a random search"))
  }

  @Test func `a search that people steered says so, and a training has no list`() throws {
    let folder = try Program.Folder()
    let program = try Program(
      ["search", "--headless", "--run", "run"] + Program.tiny(epochs: 5000),
      in: folder
    )
    defer { kill(program.process.processIdentifier, SIGKILL) }
    #expect(eventually { (try? RunFolder.open(path: folder.path + "/run")) != nil })
    let asked = try Program.run(["control", "run", "temperature=2", "--wait", "500"], in: folder)
    #expect(asked.code == 0, "\(asked.errors)")
    #expect(try Program.run(["control", "run", "stop"], in: folder).code == 0)
    #expect(program.ending().code == 0)
    let found = try Self.states(folder, "run")
    #expect(found[10].state == "missing" && found[10].text.contains("once"))
    // It has not ended.
    #expect(found[6].state == "missing" && found[12].state == "missing")
    _ = try folder.write("small.json", Data(TrainTests.network.utf8))
    let trained = try Program.run(
      ["train", "small.json", "--data", "digits", "--epochs", "1", "--run", "t", "--headless"],
      in: folder
    )
    #expect(trained.code == 0, "\(trained.errors)")
    let refused = try Program.run(["report", "t", "--checklist"], in: folder)
    #expect(refused.code == UserError.Code.data.rawValue && refused.errorLines.count == 1)
    let both = try Program.run(["report", "run", "--checklist", "--csv"], in: folder)
    #expect(both.code == UserError.Code.usage.rawValue)
  }
}
