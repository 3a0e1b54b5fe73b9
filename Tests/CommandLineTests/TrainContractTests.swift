import Foundation
import Testing

/// The JSON of trainings, `evaluate`, `derive` and `compare`, field by field
/// (Documentation/json.md).
struct TrainContractTests {
  /// A folder with a search in `found`, which holds a budget.
  private func searched(_ options: [String] = []) throws -> Program.Folder {
    let folder = try Program.Folder()
    let ending = try Program.run(
      ["search", "--run", "found", "--headless", "--set", "budget.flops=30000"] + Program.tiny()
        + options,
      in: folder
    )
    #expect(ending.code == 0, "\(ending.errors)")
    return folder
  }

  private func values(
    _ arguments: [String],
    in folder: Program.Folder
  ) throws -> [JSONValue] {
    let ending = try Program.run(arguments, in: folder)
    #expect(ending.code == 0, "\(ending.errors)")
    return try ending.values()
  }

  @Test func `a training, its resume and what evaluate finds`() throws {
    let folder = try searched()
    let all = try values(
      ["train", "found", "--run", "alone", "--json", "--epochs", "2"],
      in: folder
    )
    let steps = all.filter { $0["event"] == .text("step") }
    let epochs = all.filter { $0["event"] == .text("epoch") }
    let done = try #require(all.last)
    #expect(!steps.isEmpty && epochs.count == 2 && steps.count + 3 == all.count)
    #expect(steps.flatMap { Contract.faults($0, as: "`step` of a training", with: []) } == [])
    #expect(epochs.flatMap { Contract.faults($0, as: "`epoch` of a training", with: []) } == [])
    #expect(Contract.faults(done, as: "`done` of a training", with: []) == [])
    #expect(done["top1"] == done["test_accuracy"])
    #expect(done["val_accuracy"] == epochs.last?["top1"])
    #expect(done["val_loss"] == epochs.last?["val_loss"])
    #expect(done["steps"]?.number == Double(steps.count))
    let weights = try #require(done["weights"]?.text)
    #expect(FileManager.default.fileExists(atPath: weights))
    #expect(try values(["resume", "alone", "--json", "--headless"], in: folder) == [done])

    let evaluated = try values(["evaluate", "alone", "--json"], in: folder)
    #expect(evaluated.count == 1)
    #expect(Contract.faults(evaluated.first, as: "object of evaluate", with: []) == [])
    #expect(evaluated.first?["loss"] == evaluated.first?["test_loss"])
    #expect(evaluated.first?["top1"] == done["top1"])
  }

  @Test func `networks that derive evaluates, trains and ranks`() throws {
    let folder = try searched()
    let arguments = ["derive", "found", "--samples", "2", "--top", "1", "--refine", "5", "--json"]
    let evaluated = try values(arguments + ["--retrain-epochs", "0"], in: folder)
    for event in evaluated.dropLast() {
      #expect(Contract.faults(event, as: "event of derive", with: []) == [])
      #expect(event["event"] == .text("judged"))
      #expect(Contract.faults(event["network"], as: "derived network", with: []) == [])
    }
    #expect(Contract.faults(evaluated.last, as: "`done` of derive", with: []) == [])
    let networks = try #require(evaluated.last?["networks"]?.list)
    #expect(networks.count == evaluated.count - 1 && !networks.isEmpty)
    #expect(try #require(evaluated.last?["evaluations"]?.number) >= Double(networks.count))

    let trained = try values(arguments + ["--retrain-epochs", "1"], in: folder)
    let epochs = trained.filter { $0["event"] == .text("epoch") }
    #expect(epochs.count == 1)
    let running: Set = ["run", "epochs", "trained_val_accuracy"]
    #expect(
      Contract.faults(epochs.first?["network"], as: "derived network", with: running) == []
    )
    let best = trained.last?["networks"]?.list.first
    #expect(Contract.faults(best, as: "derived network", with: running.union(["top1"])) == [])
    #expect(best?["epochs"] == .list([.number(1), .number(1)]))

    // With a training behind it the search has a retrained accuracy.
    let compared = try values(["compare", "found", "--json"], in: folder)
    let row = compared.first?["runs"]?.list.first
    if best?["blocks"]?.list.compactMap(\.text).joined(separator: " ") == row?["network"]?.text {
      #expect(row?["retrained_accuracy"] == best?["top1"])
    }
  }

  @Test func `a selection by perturbation has a row a layer, in JSON and in words`() throws {
    let folder = try searched()
    let arguments = [
      "derive", "found", "--select", "perturbation", "--refine", "5", "--retrain-epochs", "0",
    ]
    let done = try #require(try values(arguments + ["--json"], in: folder).last)
    #expect(Contract.faults(done, as: "`done` of derive", with: ["selection"]) == [])
    let layers = try #require(done["selection"]?.list)
    #expect(layers.map { $0["layer"]?.text } == ["layer 1", "layer 2"])
    let networks = try #require(done["networks"]?.list)
    let selected = networks.filter { $0["source"] == .text("perturbation") }
    #expect(selected.count == 1)
    #expect(selected.first?["blocks"]?.list == layers.compactMap { $0["selected"] })
    #expect(try #require(done["evaluations"]?.number) >= Double(networks.count))

    let words = try Program.run(arguments, in: folder)
    #expect(words.code == 0, "\(words.errors)")
    let head = try #require(words.lines.firstIndex { $0.hasPrefix("layer  ") })
    #expect(words.lines[head].contains("by perturbation"))
    for (index, layer) in layers.enumerated() {
      let cells = words.lines[head + 1 + index].split(separator: " ").map(String.init)
      #expect(cells.prefix(2) == ["layer", "\(index + 1)"])
      #expect(cells.contains(layer["selected"]?.text ?? "none"))
      #expect(cells.contains("differs") == (layer["selected"] != layer["probable"]))
    }
    #expect(words.lines.contains { $0.contains("networks evaluated with the search's weights") })
    #expect(words.lines.last?.contains("of 2 layers differ") == true)
  }

  @Test func `runs of every kind in a comparison`() throws {
    let folder = try searched()
    let random = try Program.run(
      ["search", "--run", "luck", "--algorithm", "random", "--set", "random_networks=3"]
        + ["--headless", "--json"] + Program.tiny(),
      in: folder
    )
    #expect(random.code == 0, "\(random.errors)")
    _ = try values(["train", "found", "--run", "alone", "--epochs", "1", "--json"], in: folder)
    let lines = try values(["compare", "found", "luck", "alone", "--json"], in: folder)
    #expect(lines.count == 1)
    #expect(Contract.faults(lines.first, as: "object of compare", with: []) == [])
    let rows = try #require(lines.first?["runs"]?.list)
    let cost: Set = ["flops", "params"]
    let search = cost.union(["val_accuracy", "argmax_accuracy", "cost_metric"])
    let sampled: Set = ["sampled_networks", "sampled_mean", "sampled_deviation"]
    for (row, fields) in zip(
      rows,
      [search.union(["budget"]), search.union(sampled), cost.union(["retrained_accuracy"])]
    ) {
      #expect(Contract.faults(row, as: "compared run", with: fields) == [])
    }
    #expect(rows.count == 3)
    let done = try #require(try random.values().last)
    for key in sampled.union(["argmax_accuracy"]) { #expect(rows[1][key] == done[key], "\(key)") }
    // The mean of what was sampled stands below the best of it.
    let table = try Program.run(["compare", "found", "luck", "alone"], in: folder)
    let best = try #require(table.lines.firstIndex { $0.contains("luck  ") })
    #expect(table.lines[best].contains(" random "))
    #expect(table.lines[best + 1].contains("luck, mean of 3  sampling"))
    #expect(table.lines[best + 1].contains("deviation "))
    #expect(try #require(done["sampled_mean"]?.number) <= done["argmax_accuracy"]?.number ?? 0)
  }
}
