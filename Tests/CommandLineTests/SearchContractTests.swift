import Foundation
import Runs
import Testing

/// The JSON of searches, field by field (Documentation/json.md).
struct SearchContractTests {
  /// Lines of a finished search, told apart.
  private struct Lines {
    var steps: [JSONValue]
    var epochs: [JSONValue]
    var done: JSONValue

    init(_ ending: Program.Ending) throws {
      #expect(ending.code == 0, "\(ending.errors)")
      let all = try ending.values()
      steps = all.filter { $0["event"] == .text("step") }
      epochs = all.filter { $0["event"] == .text("epoch") }
      done = try #require(all.last)
      #expect(steps.count + epochs.count + 1 == all.count)
    }

    /// Expects the fields that are always there and those named, no others.
    func expect(steps step: Set<String>, epochs epoch: Set<String>, done result: Set<String>) {
      #expect(steps.flatMap { Contract.faults($0, as: "`step` of a search", with: step) } == [])
      #expect(epochs.flatMap { Contract.faults($0, as: "`epoch` of a search", with: epoch) } == [])
      #expect(Contract.faults(done, as: "`done` of a search", with: result) == [])
    }
  }

  private func search(
    _ options: [String] = [],
    in folder: Program.Folder
  ) throws -> Lines {
    try Lines(
      Program.run(
        ["search", "--headless", "--json", "--run", "run"] + Program.tiny() + options,
        in: folder
      )
    )
  }

  private static let decided: Set = [
    "choices", "settled", "coin_tosses", "mean_entropy_bits", "verdict",
  ]

  private func architectures(_ folder: Program.Folder) throws -> JSONValue {
    try JSONValue(
      String(contentsOfFile: folder.path + "/run/exports/architecture.json", encoding: .utf8)
    )
  }

  @Test func `a search by gradients`() throws {
    let folder = try Program.Folder()
    let lines = try search(in: folder)
    lines.expect(steps: [], epochs: ["settled", "mean_entropy_bits"], done: Self.decided)
    #expect(lines.steps.map { $0["step"]?.number } == lines.steps.indices.map(Double.init))
    #expect(Set(lines.steps.map { $0["phase"]?.text }) == ["weights", "theta"])
    #expect(lines.epochs.map { $0["epoch"]?.number } == [0, 1, 2])
    let (done, last) = (lines.done, try #require(lines.epochs.last))
    #expect(done["steps"]?.number == Double(lines.steps.count) && done["epochs"]?.number == 3)
    for key in ["val_accuracy", "val_loss", "settled", "mean_entropy_bits", "expected_cost"] {
      #expect(done[key] == last[key], "\(key)")
    }
    let choices = try #require(done["choices"]?.number)
    #expect(choices == 2 && done["architecture"]?.list.count == 2)
    #expect(try #require(done["settled"]?.number) <= choices)
    #expect(try #require(done["coin_tosses"]?.number) <= choices)
    #expect(try #require(done["mean_entropy_bits"]?.number) <= log2(3))
    for key in ["theta_sha256", "weights_sha256"] { #expect(done[key]?.text?.count == 64) }
    #expect(done["run"]?.text?.hasPrefix("/") == true)

    let export = try architectures(folder)
    #expect(Contract.faults(export, as: "exports/architecture.json") == [])
    #expect(export["format"] == .number(1))
    let first = try #require(export["architectures"]?.list.first)
    #expect(first["val_accuracy"] == done["argmax_accuracy"] && first["theta_accuracy"] == nil)
    #expect(first["flops"] == done["flops"])
  }

  @Test(arguments: ["learned", "fixed"])
  func `a search within a budget`(multiplier: String) throws {
    let options = ["--set", "budget.flops=30000", "--set", "loss.multiplier=\(multiplier)"]
    let lines = try search(options, in: try Program.Folder())
    let learned: Set<String> = multiplier == "learned" ? ["multiplier"] : []
    lines.expect(
      steps: learned,
      epochs: ["settled", "mean_entropy_bits"],
      done: Self.decided.union(learned).union(["budget"])
    )
    #expect(lines.done["budget"] == .number(30000))
    #expect(try #require(lines.done["cost"]?.number) <= 30000)
    #expect(lines.done["multiplier"] == lines.steps.last?["multiplier"])
  }

  @Test func `a search by a table of latencies`() throws {
    let folder = try Program.Folder()
    let rows = [
      "block,height,width,input,output,stride,milliseconds", "fixed,,,,,,2",
      "k3_e1,8,8,8,8,1,0.30", "k5_e1,8,8,8,8,1,0.40", "k3_e1,8,8,8,16,2,0.31",
      "k5_e1,8,8,8,16,2,0.35", "skip,8,8,8,16,2,0.01",
    ]
    _ = try folder.write("phone.csv", Data(rows.joined(separator: "\n").utf8))
    let imported = try Program.run(
      ["latency", "import", "phone.csv", "--device", "phone", "--out", "phone.json"]
        + Program.tiny().dropFirst(2),
      in: folder
    )
    #expect(imported.code == 0, "\(imported.errors)")
    let table = ["--set", "search.cost=latency", "--set", "latency.table=phone.json"]
    let lines = try search(table, in: folder)
    lines.expect(
      steps: [],
      epochs: ["settled", "mean_entropy_bits", "argmax_latency_ms"],
      done: Self.decided.union(["latency_ms"])
    )
    let done = lines.done
    #expect(done["cost_metric"] == .text("latency") && done["cost"] == done["latency_ms"])
    let layers = try #require(done["architecture"]?.list)
    for layer in layers {
      #expect(Contract.faults(layer, as: "chosen layer", with: ["latency_ms"]) == [])
    }
    let sum = layers.reduce(2) { $0 + ($1["latency_ms"]?.number ?? 0) }
    #expect(abs(sum - (done["latency_ms"]?.number ?? 0)) < 1e-9)
    for entry in try architectures(folder)["architectures"]?.list ?? [] {
      #expect(Contract.faults(entry, as: "exported architecture", with: ["latency_ms"]) == [])
    }
  }

  @Test(arguments: [nil, "30000"])
  func `a random search learns no multiplier and has no verdict`(budget: String?) throws {
    let folder = try Program.Folder()
    let lines = try search(
      ["--algorithm", "random", "--set", "random_networks=3"]
        + (budget.map { ["--set", "budget.flops=\($0)"] } ?? []),
      in: folder
    )
    let sampled: Set = ["sampled_networks", "sampled_mean", "sampled_deviation"]
    lines.expect(
      steps: [],
      epochs: [],
      done: sampled.union(budget == nil ? [] : ["budget"])
    )
    let entries = try #require(try architectures(folder)["architectures"]?.list)
    #expect(lines.done["sampled_networks"] == .number(Double(entries.count)))
    for entry in entries {
      #expect(Contract.faults(entry, as: "exported architecture", with: ["theta_accuracy"]) == [])
      #expect(entry["theta_accuracy"] == entry["val_accuracy"])
    }
    #expect(entries.first?["source"] == .text("best"))
    let accuracies = entries.compactMap { $0["val_accuracy"]?.number }
    #expect(accuracies == accuracies.sorted(by: >))
    #expect(lines.done["argmax_accuracy"]?.number == accuracies.first)
    let mean = accuracies.reduce(0, +) / Double(accuracies.count)
    #expect(abs(mean - (lines.done["sampled_mean"]?.number ?? 9)) < 1e-9)
  }

  @Test func `a number that is none is null`() throws {
    let folder = try Program.Folder()
    _ = try search(in: folder)
    let run = try RunFolder.open(path: folder.path + "/run")
    var step = try #require(try run.reader().steps().last)
    var epoch = try #require(try run.reader().epochs().last)
    let status = try #require(try run.reader().status())
    step.step += 1
    (step.loss, step.cost, step.learningRate) = (.nan, .infinity, -.infinity)
    epoch.epoch += 1
    epoch.step += 1
    (epoch.trainLoss, epoch.expectedCost) = (.nan, .infinity)
    try run.store().record(step: step, status: status)
    try run.store().record(epoch: epoch)
    let ending = try Program.run(["watch", "run", "--headless", "--json"], in: folder)
    #expect(ending.code == 0, "\(ending.errors)")
    let values = try ending.values()
    let bad = try #require(values.last { $0["event"] == .text("step") })
    #expect(bad["step"] == .number(Double(step.step)))
    for key in ["loss", "cost", "learning_rate"] { #expect(bad[key] == .null, "\(key)") }
    #expect(bad["accuracy"]?.number != nil)
    let end = try #require(values.last { $0["event"] == .text("epoch") })
    for key in ["train_loss", "expected_cost"] { #expect(end[key] == .null, "\(key)") }
    #expect(end["val_loss"]?.number != nil)
  }

  @Test func `a search that is too short says so before it begins`() throws {
    let folder = try Program.Folder()
    let ending = try Program.run(
      ["search", "--headless", "--epochs", "1", "--run", "run"],
      in: folder
    )
    #expect(ending.code == 0 && ending.errors == "")
    let notice = try #require(ending.lines.firstIndex { $0.contains("will hardly settle") })
    let epoch = try #require(ending.lines.firstIndex { $0.hasPrefix("epoch 1:") })
    #expect(notice < epoch && ending.lines[notice].contains("--epochs "))
    #expect(ending.lines.contains { $0.hasPrefix("verdict: ") && $0.contains("--epochs ") })
    let log = try RunFolder.open(path: folder.path + "/run").reader().log()
    let first = try #require(log.first { $0.text.contains("will hardly settle") })
    #expect(first.level == .notice && ending.lines[notice] == first.text)
  }

  @Test(arguments: ["dnas", "random"])
  func `labels of the test images change nothing but the test figures`(algorithm: String) throws {
    let names = ["a", "b", "c"]
    let folder = try Program.Folder()
    try Pictures.write(folder, "data", names, train: 20, test: 8)
    func search(_ run: String) throws -> Lines {
      try Lines(
        Program.run(
          ["search", "--data", "data", "--run", run, "--headless", "--json", "--seed", "3"]
            + ["--algorithm", algorithm] + Program.tiny(epochs: 6) + ["--set", "batch=16"]
            + ["--set", "weights.learning_rate=0.3", "--set", "random_networks=3"],
          in: folder
        )
      )
    }
    let right = try search("right")
    let files = FileManager.default
    let test = folder.path + "/data/test/"
    for name in names { try files.moveItem(atPath: test + name, toPath: test + "old" + name) }
    for (old, new) in zip(names, names.dropFirst() + names.prefix(1)) {
      try files.moveItem(atPath: test + "old" + old, toPath: test + new)
    }
    let turned = try search("turned")
    for key in ["theta_sha256", "weights_sha256", "architecture", "val_accuracy", "val_loss"] {
      #expect(right.done[key] == turned.done[key], "\(key)")
    }
    #expect(right.done["argmax_accuracy"] == turned.done["argmax_accuracy"])
    func evaluations(_ lines: Lines) -> [[JSONValue?]] {
      lines.epochs.map { [$0["val_accuracy"], $0["val_loss"], $0["argmax_accuracy"]] }
    }
    #expect(evaluations(right) == evaluations(turned) && right.epochs.count == 6)
    #expect(right.done["test_loss"] != turned.done["test_loss"])
    #expect(right.done["supernet_test_accuracy"] != turned.done["supernet_test_accuracy"])
  }
}
