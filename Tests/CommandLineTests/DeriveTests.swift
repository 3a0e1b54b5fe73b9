import Foundation
import Runs
import TestSupport
import Testing

/// `supertop derive`: from a search to networks that are trained from scratch.
@Suite(.serialized) struct DeriveTests {
  private static let budget = 30000.0

  /// A folder with a finished search in `found`.
  private func searched() throws -> Program.Folder {
    let folder = try Program.Folder()
    let ending = try Program.run(
      ["search", "--run", "found", "--headless", "--set", "budget.flops=\(Self.budget)"]
        + Program.tiny(),
      in: folder
    )
    #expect(ending.code == 0, "\(ending.errors)")
    return folder
  }

  private func derived(_ ending: Program.Ending) throws -> [[String: Any]] {
    #expect(ending.code == 0, "\(ending.errors)")
    let done = try #require(ending.objects.last)
    #expect(done["event"] as? String == "done")
    return try #require(done["networks"] as? [[String: Any]])
  }

  @Test func `networks hold the budget, are ranked, trained and kept in the store`() throws {
    let folder = try searched()
    let arguments = [
      "derive", "found", "--samples", "6", "--top", "2", "--retrain-epochs", "2", "--json",
    ]
    let networks = try derived(Program.run(arguments, in: folder))
    let names = networks.compactMap { $0["name"] as? String }
    #expect(names.count > 1 && Set(names).count == names.count)
    #expect(networks.allSatisfy { ($0["flops"] as? Double ?? .infinity) <= Self.budget })
    // The most probable within the budget, and another where that leaves much of it.
    #expect((1...2).contains(networks.count { $0["source"] as? String == "argmax" }))
    // Two are trained, and their results decide the order.
    let trained = networks.compactMap { $0["top1"] as? Double }
    #expect(trained.count == 2 && trained[0] > 0.1)
    #expect(networks.prefix(2).allSatisfy { $0["top1"] is Double })
    // Validation images rank, so that the test images have no say.
    let ranked = networks.compactMap { $0["trained_val_accuracy"] as? Double }
    #expect(ranked.count == 2 && ranked[0] >= ranked[1])
    let left = networks.dropFirst(2).compactMap { $0["val_accuracy"] as? Double }
    #expect(left.count == networks.count - 2 && left == left.sorted(by: >))

    let run = try RunFolder.open(path: folder.path + "/found")
    let records = try run.reader().derived()
    #expect(Set(records.map(\.name)) == Set(names))
    let best = try #require(records.first { $0.name == names[0] })
    #expect(best.epochs == [2, 2])
    // Foundation reads the last digits of a number in JSON in two ways.
    #expect(abs((best.top1 ?? 0) - trained[0]) < 1e-12)
    // A training is a run as any other.
    let path = "found/" + (best.run ?? "")
    let evaluated = try Program.run(["evaluate", path, "--json"], in: folder)
    #expect(evaluated.objects.last?["top1"] as? Double == trained[0])
    // The comparison knows where it comes from, and what became of the search's own network.
    let compared = try Program.run(["compare", "found", path, "--json"], in: folder)
    let rows = try #require(compared.objects.last?["runs"] as? [[String: Any]])
    #expect(rows[1]["network"] as? String == best.blocks.joined(separator: " ") + " (of found)")
    let own = records.first { $0.blocks.joined(separator: " ") == rows[0]["network"] as? String }
    let retrained = rows[0]["retrained_accuracy"] as? Double
    #expect((retrained == nil) == (own?.top1 == nil))
    #expect(abs((retrained ?? 0) - (own?.top1 ?? 0)) < 1e-12)

    // Once more: nothing is trained again, and nothing is lost.
    let before = try modified(folder.path + "/" + path + "/run.sqlite")
    let again = try derived(Program.run(arguments, in: folder))
    #expect(again.compactMap { $0["name"] as? String } == names)
    #expect(try modified(folder.path + "/" + path + "/run.sqlite") == before)

    let table = try Program.run(["derive", "found", "--retrain-epochs", "0"], in: folder)
    #expect(table.code == 0)
    #expect(table.output.contains(names[0]) && table.output.contains("budget 30,000 FLOPs"))
  }

  private func modified(_ path: String) throws -> Date? {
    try FileManager.default.attributesOfItem(atPath: path)[.modificationDate] as? Date
  }

  @Test func `a tighter budget than the search's changes layers and says which`() throws {
    let folder = try searched()
    let networks = try derived(
      Program.run(
        ["derive", "found", "--budget", "20000", "--retrain-epochs", "0", "--json"],
        in: folder
      )
    )
    #expect(networks.allSatisfy { ($0["flops"] as? Double ?? .infinity) <= 20000 })
    #expect(networks.allSatisfy { $0["top1"] == nil })
    let changes = networks.compactMap { $0["changes"] as? [String] }
    #expect(changes.count == networks.count)
    #expect(changes.contains { $0.contains { $0.hasPrefix("layer ") && $0.contains(" -> ") } })
  }

  @Test func `an interrupted training continues where it was`() throws {
    let folder = try searched()
    let arguments = ["derive", "found", "--samples", "0", "--retrain-epochs", "5000", "--json"]
    let program = try Program(arguments, in: folder)
    #expect(eventually { program.output.contains("\"event\":\"epoch\"") })
    program.process.interrupt()
    let ending = program.ending()
    #expect(ending.code == 130)
    #expect(ending.errors.contains("the same command continues"))
    let run = try RunFolder.open(path: folder.path + "/found")
    let record = try #require(try run.reader().derived().first { $0.run != nil })
    let place = try RunFolder.open(path: run.path + "/" + (record.run ?? ""))
    let steps = try place.reader().steps().count
    #expect(steps > 0)
    let next = try Program(arguments, in: folder)
    #expect(eventually { next.output.contains("\"event\":\"epoch\"") })
    next.process.interrupt()
    #expect(next.ending().code == 130)
    #expect(try place.reader().steps().count > steps)
    let folders = try FileManager.default.contentsOfDirectory(atPath: run.path + "/derived")
    #expect(folders.count == 1)
  }

  @Test func `what nothing can be derived from is reported in one line`() throws {
    let folder = try searched()
    _ = try Program.run(["train", "found", "--run", "alone", "--epochs", "1"], in: folder)
    let faults: [(arguments: [String], words: [String])] = [
      (["nowhere"], ["nowhere"]),
      (["alone"], ["alone", "search"]),
      (["found", "--budget", "1"], ["budget.flops", "give "]),
      (["found", "--budget", "1e12"], ["budget.flops", "give "]),
      (["found", "--set", "mixpu=1"], ["mixpu", "mixup"]),
      (["found", "--recipe", "none.yaml"], ["none.yaml"]),
      (["found", "--top", "-1"], ["--top"]),
    ]
    for (arguments, words) in faults {
      let ending = try Program.run(["derive"] + arguments, in: folder)
      #expect(ending.code != 0)
      #expect(ending.errorLines.count == 1, "\(ending.errors)")
      #expect(words.allSatisfy(ending.errors.contains), "\(ending.errors)")
    }
  }
}
