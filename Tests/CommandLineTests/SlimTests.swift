import Foundation
import Testing

/// A trained network made narrower: `supertop search --space-from`, then `derive --inherit`.
struct SlimTests {
  @Test func `a network keeps the share of its cost that is asked for, beside its uniform scaling`()
    throws
  {
    let folder = try Program.Folder()
    _ = try folder.write("small.json", Data(TrainTests.network.utf8))
    func object(_ arguments: [String]) throws -> [String: Any] {
      let ending = try Program.run(arguments + ["--json"], in: folder)
      #expect(ending.code == 0, "\(ending.errors)")
      return try #require(ending.objects.last)
    }
    let trained = try object([
      "train", "small.json", "--data", "digits", "--epochs", "4", "--set", "learning_rate=0.1",
    ])
    let whole = try #require(trained["flops"] as? Double)
    let found = try object([
      "search", "--space-from", "runs/small-1", "--keep", "0.6", "--epochs", "4", "--run", "slim",
    ])
    let budget = try #require(found["budget"] as? Double)
    #expect(abs(budget - 0.6 * whole) <= 1)
    #expect(try #require(found["cost"] as? Double) <= budget)
    let uniform = try #require(found["uniform"] as? [String: Any])
    #expect(try #require(uniform["cost"] as? Double) <= budget)

    let derived = try object([
      "derive", "slim", "--samples", "2", "--refine", "8", "--top", "1", "--inherit", "--uniform",
      "--retrain-epochs", "1",
    ])
    let networks = try #require(derived["networks"] as? [[String: Any]])
    let retrained = networks.filter { $0["top1"] is Double }
    #expect(retrained.count == 2 && retrained.count { $0["source"] as? String == "uniform" } == 1)
    // Uniform scaling is one of those that the derivation begins with; the loss of the first epoch
    // ranks them.
    let judged = networks.filter { $0["source"] as? String != "uniform" }
    #expect(judged.allSatisfy { $0["flops"] as? Double ?? 0 >= 0.95 * budget })
    let losses = try networks.map { try #require($0["tuned_loss"] as? Double) }
    #expect(Set(losses).count > 1)
    let best = try #require(retrained.first { $0["source"] as? String != "uniform" })
    #expect(
      try #require(best["tuned_loss"] as? Double)
        == judged.compactMap { $0["tuned_loss"] as? Double }.min()
    )
    for network in retrained {
      // One epoch is enough with the weights of a trained network.
      #expect(try #require(network["top1"] as? Double) > 0.8)
      #expect(try #require(network["flops"] as? Double) <= budget)
    }
  }

  @Test func `where no widths scale so low a line says so and the rest is printed`() throws {
    let folder = try Program.Folder()
    func run(_ arguments: [String]) throws -> Program.Ending {
      try Program.run(arguments, in: folder)
    }
    // Expansions are at their greatest in a uniform network, so it costs more than the cheapest.
    let search = try run([
      "search", "--preset", "fbnet-v2-digits", "--epochs", "2", "--run", "tight", "--headless",
      "--set", "space.masked.head_widths=[32, 64, 128]", "--set", "budget.flops=60000",
    ])
    #expect(search.code == 0, "\(search.errors)")
    let derived = try run([
      "derive", "tight", "--samples", "1", "--refine", "0", "--uniform", "--retrain-epochs", "0",
      "--json",
    ])
    #expect(derived.code == 0)
    #expect(derived.errors.contains("--uniform: no widths scaled by one factor cost as little"))
    #expect(derived.errors.split(separator: "\n").count == 1, "\(derived.errors)")
    let networks = try #require(derived.objects.last?["networks"] as? [[String: Any]])
    #expect(!networks.isEmpty && !networks.contains { $0["source"] as? String == "uniform" })
  }
}
