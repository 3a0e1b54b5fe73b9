import Foundation
import Runs
import TestSupport
import Testing

/// `supertop compare` and what it compares: searches with a budget, at random, trained, unfinished.
@Suite(.serialized) struct CompareTests {
  @Test func `runs of every kind are set side by side with the front marked`() throws {
    let folder = try Program.Folder()
    let options = ["--headless", "--json"] + Program.tiny()
    let found = try Program.run(
      ["search", "--run", "found", "--set", "budget.flops=30000"] + options,
      in: folder
    )
    #expect(found.code == 0, "\(found.errors)")
    let random = try Program.run(
      ["search", "--run", "luck", "--algorithm", "random", "--set", "random_networks=3"] + options,
      in: folder
    )
    #expect(random.code == 0, "\(random.errors)")
    let trained = try Program.run(
      ["train", "found", "--run", "alone", "--headless", "--epochs", "2"],
      in: folder
    )
    #expect(trained.code == 0, "\(trained.errors)")
    let names = ["found", "luck", "alone"]

    let ending = try Program.run(
      ["compare", "--json", "--out", "front.svg"] + names,
      in: folder
    )
    #expect(ending.code == 0, "\(ending.errors)")
    let rows = try #require(ending.objects.first?["runs"] as? [[String: Any]])
    #expect(rows.map { $0["name"] as? String } == names)
    #expect(rows.map { $0["algorithm"] as? String } == ["dnas", "random", "training"])
    #expect(rows.allSatisfy { $0["finished"] as? Bool == true })
    let done = try #require(found.objects.last)
    #expect(rows[0]["flops"] as? Double == done["flops"] as? Double)
    #expect((rows[0]["flops"] as? Double ?? .infinity) <= 30000)
    #expect(rows[0]["argmax_accuracy"] as? Double == done["argmax_accuracy"] as? Double)
    // The training is of the network that the search found.
    #expect((rows[2]["network"] as? String)?.contains("(of found)") == true)
    #expect(rows[2]["flops"] as? Double == rows[0]["flops"] as? Double)
    #expect(rows[2]["retrained_accuracy"] is Double && rows[0]["retrained_accuracy"] == nil)
    #expect(rows.contains { $0["on_front"] as? Bool == true })
    let picture = try String(contentsOfFile: folder.path + "/front.svg", encoding: .utf8)
    #expect(names.allSatisfy { picture.contains(">\($0)<") })
    #expect(picture.hasSuffix("</svg>\n"))

    let table = try Program.run(["compare", "--ascii"] + names, in: folder)
    #expect(names.allSatisfy { table.output.contains($0) })
    #expect(table.output.contains("* on the front"))
    #expect(table.output.utf8.allSatisfy { $0 < 128 })
    // A narrow terminal shows whole lines with the columns of most use.
    #expect(table.lines[0].contains("epochs"))
    guard Tmux.isInstalled else { return }
    let lines = try Tmux.lines(of: ["compare"] + names, in: folder, columns: 72)
    let head = try #require(lines.first { $0.contains("retrained") })
    #expect(head.hasSuffix("latency") && !head.contains("epochs"))
    #expect(lines.count { $0.contains("found ") && $0.hasSuffix("-") } == 1)
  }

  @Test func `random sampling is below the random search that sampled the networks`() throws {
    let folder = try Program.Folder()
    let random = try Program.run(
      ["search", "--run", "luck", "--algorithm", "random", "--set", "random_networks=3"]
        + ["--headless", "--json"] + Program.tiny(),
      in: folder
    )
    #expect(random.code == 0, "\(random.errors)")
    let run = try RunFolder.open(path: folder.path + "/luck")
    let json = try #require(try run.reader().result())
    var done = try #require(
      try JSONSerialization.jsonObject(with: Data(json.utf8)) as? [String: Any]
    )
    done["sampled_networks"] = 3
    done["sampled_mean"] = 0.625
    done["sampled_deviation"] = 0.0125
    let data = try JSONSerialization.data(withJSONObject: done)
    try run.store().setResult(String(decoding: data, as: UTF8.self))

    let ending = try Program.run(["compare", "--json", "luck"], in: folder)
    let row = try #require((ending.objects.first?["runs"] as? [[String: Any]])?.first)
    #expect(row["sampled_networks"] as? Int == 3)
    #expect(row["sampled_mean"] as? Double == 0.625)
    #expect(row["sampled_deviation"] as? Double == 0.0125)
    let table = try Program.run(["compare", "luck"], in: folder)
    #expect(table.lines[2].contains("luck, mean of 3  sampling"))
    #expect(table.lines[2].contains(" 62.5%") && table.lines[2].hasSuffix("deviation 1.2%"))
  }

  @Test func `an unfinished run is marked and a folder without a run is refused`() throws {
    let folder = try Program.Folder()
    let search = try Program(
      ["search", "--run", "cut", "--headless"] + Program.tiny(epochs: 2000),
      in: folder
    )
    #expect(eventually { search.output.contains("epoch 2:") })
    search.process.interrupt()
    #expect(search.ending().code == 130)
    let table = try Program.run(["compare", "cut"], in: folder)
    #expect(table.code == 0)
    #expect(table.output.contains("unfinished: stopped, epoch"))
    #expect(table.output.contains("of 2000"))
    let wrong = try Program.run(["compare", "cut", "nowhere"], in: folder)
    #expect(wrong.code == 66 && wrong.errorLines.count == 1)
  }
}
