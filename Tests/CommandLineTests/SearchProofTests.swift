import Foundation
import Testing

/// `supertop prove --run`: a search held against a table of its space, end to end.
@Suite struct SearchProofTests {
  /// A trained search of two layers with three candidates each, and a table of its nine networks.
  private func made(_ algorithm: String = "dnas", more: [String] = []) throws -> (
    folder: Program.Folder, table: String
  ) {
    let folder = try Program.Folder()
    let search = try Program.run(
      ["search", "--headless", "--run", "small", "--algorithm", algorithm, "--threads", "1"]
        + Program.tiny() + more,
      in: folder
    )
    #expect(search.code == 0, "\(search.errors)")
    return (folder, try folder.write("table.csv", Data(text().utf8)))
  }

  /// Accuracies that differ, and a cost that is not the space's.
  private func text(layers: Int = 2, most: Int = 3) -> String {
    var text = "arch,acc0,watts\n"
    for index in 0..<9 {
      let digits = [index / 3, index % 3 + most - 3] + Array(repeating: 0, count: layers - 2)
      let name = digits.map(String.init).joined()
      text += "\(name),\(80 + (index * 5) % 9),\(10 * index + 7)\n"
    }
    return text
  }

  private func prove(_ folder: Program.Folder, _ arguments: [String]) throws -> Program.Ending {
    try Program.run(["prove", "--run", "small", "--threads", "1"] + arguments, in: folder)
  }

  @Test func `every field is there and follows from the networks of the table`() throws {
    let (folder, table) = try made()
    let ending = try prove(folder, ["--table", table, "--refine", "4", "--json"])
    #expect(ending.code == 0, "\(ending.errors)")
    let value = try JSONValue(ending.output)
    #expect(
      Contract.faults(value, as: "object of prove of a run", with: ["blind_regret"]) == []
    )
    #expect(value["metric"] == .text("flops") && value["different"]?.number == 9)
    let networks = value["networks"]?.list ?? []
    #expect(networks.count == 9)
    let truth = networks.compactMap { $0["accuracy"]?.number }
    #expect(value["best"]?["accuracy"]?.number == truth.max())
    // All pairs, ties aside.
    let accuracy = networks.compactMap { $0["inherited_accuracy"]?.number }
    var (score, pairs) = (0.0, 0.0)
    for first in truth.indices {
      for second in 0..<first {
        let difference = accuracy[first] - accuracy[second]
        score += difference == 0 ? 0 : (difference * (truth[first] - truth[second])).sign()
        pairs += difference == 0 ? 0 : 1
      }
    }
    let tau = pairs > 0 ? score / (pairs * 36).squareRoot() : 0
    let rankings = value["rankings"]?.list ?? []
    #expect(rankings.map { $0["by"] } == [.text("accuracy"), .text("loss"), .text("cost")])
    #expect(abs((rankings.first?["tau"]?.number ?? 9) - tau) < 1e-9)
    let choices = value["choices"]?.list ?? []
    #expect(
      choices.map { $0["rule"] }
        == ["probability", "perturbation", "refinement", "inherited"].map { .text($0) }
    )
    for choice in choices {
      let regret = try #require(choice["regret"]?.number)
      let own = try #require(choice["accuracy"]?.number)
      #expect(abs(regret - ((truth.max() ?? 0) - own)) < 1e-9)
      let row = networks.first { $0["architecture"] == choice["architecture"] }
      #expect(row?["accuracy"]?.number == own)
      // The weights are the same, and so are the images.
      #expect(row?["inherited_accuracy"] == choice["inherited_accuracy"])
    }
    let first = networks.max {
      ($0["inherited_accuracy"]?.number ?? 0, -($0["inherited_loss"]?.number ?? 0))
        < ($1["inherited_accuracy"]?.number ?? 0, -($1["inherited_loss"]?.number ?? 0))
    }
    #expect(choices.last?["architecture"] == first?["architecture"])
    #expect(choices.last?["random_regret"] == choices.last?["regret"])
    let mean = truth.reduce(0, +) / 9
    #expect(abs((value["blind_regret"]?.number ?? 9) - ((truth.max() ?? 0) - mean)) < 1e-9)
    let again = try prove(folder, ["--table", table, "--refine", "4", "--json"])
    #expect(try JSONValue(again.output)["networks"] == value["networks"])
  }

  @Test func `a person gets tables, of a column of costs and of a random search`() throws {
    let (folder, table) = try made("random")
    let ending = try prove(
      folder,
      ["--table", table, "--metric", "watts", "--networks", "7", "--refine", "0"]
    )
    #expect(ending.code == 0, "\(ending.errors)")
    #expect(
      ending.lines.first?.hasPrefix("9 different networks of 2 layers, 7 evaluated with") == true
    )
    #expect(ending.output.contains(" watts\n"), "\(ending.output)")
    #expect(ending.output.contains("tau by tenth of watts"))
    #expect(ending.output.contains("\ntable "))
    // θ of a random search says nothing.
    #expect(!ending.output.contains("\nprobability "))
  }

  @Test func `what does not fit ends with one line and its code`() throws {
    let (folder, table) = try made()
    func refused(_ arguments: [String], _ code: Int32, _ part: String) throws {
      let ending = try Program.run(["prove"] + arguments, in: folder)
      #expect(ending.code == code, "\(arguments): \(ending.errors)")
      let lines = ending.errorLines.filter { $0.hasPrefix("supertop: ") || $0.hasPrefix("Error: ") }
      #expect(lines.count == 1 && ending.errors.contains(part), "\(ending.errors)")
    }
    let run = ["--run", "small"]
    let deep = try folder.write("deep.csv", Data(text(layers: 3).utf8))
    try refused(["--table", deep] + run, 65, "networks have 3 layers, the search has 2")
    let wide = try folder.write("wide.csv", Data(text(most: 4).utf8))
    try refused(["--table", wide] + run, 65, "candidate 3 in layer 2, where the search has 3")
    try refused(["--table", table, "--metric", "joules"] + run, 65, "no column 'joules'")
    try refused(["--table", table, "--run", "nowhere"], 66, "no such folder")
    try refused(["--table", table, "--networks", "few"] + run, 64, "--networks few")
    try refused(["--table", table, "--limit", "watts<=9"] + run, 64, "--limit: with --run")
    try refused(["--table", table, "--networks", "4"], 64, "--networks: needs --run")
    let training = try Program.run(
      ["train", "small", "--run", "trained", "--epochs", "1", "--headless", "--threads", "1"],
      in: folder
    )
    #expect(training.code == 0, "\(training.errors)")
    try refused(["--table", table, "--run", "trained"], 65, "name a search of dnas or random")
    try FileManager.default.removeItem(atPath: folder.path + "/small/checkpoints")
    try refused(["--table", table] + run, 65, "no checkpoint")
  }
}

extension Double {
  /// -1, 0 or 1.
  fileprivate func sign() -> Double { self > 0 ? 1 : self < 0 ? -1 : 0 }
}
