import ArgumentParser
import Foundation
import Runs
import Search

/// The options of `supertop prove` that hold a search against the table of its space.
struct SearchProofOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "A search of the table's space: evaluate its networks with the weights of that search.",
      valueName: "run"
    ),
    completion: .directory
  )
  var run: String?

  @Option(
    help: ArgumentHelp(
      "With --run: networks of the table to evaluate, evenly over ten classes of cost, or all.",
      valueName: "n"
    )
  )
  var networks: String?

  @Option(
    help: ArgumentHelp(
      "With --run: neighbours that may be evaluated to refine the search's network (64).",
      valueName: "n"
    )
  )
  var refine: Int?

  @Option(
    help: ArgumentHelp("With --run: which networks are evaluated (0).", valueName: "n")
  )
  var seed: UInt64?

  @Option(help: ArgumentHelp("With --run: worker threads (default: the run's).", valueName: "n"))
  var threads: Int?

  @Flag(help: acceptHelp)
  var acceptChangedData = false

  func validate() throws {
    if run == nil {
      for (name, given) in [
        ("networks", networks != nil), ("refine", refine != nil), ("seed", seed != nil),
        ("threads", threads != nil), ("accept-changed-data", acceptChangedData),
      ] where given {
        throw ValidationError("--\(name): needs --run")
      }
    }
    guard (0...100_000).contains(refine ?? 0) else {
      throw ValidationError("--refine \(refine ?? 0): give 0 to 100000")
    }
    guard (0...1024).contains(threads ?? 0) else {
      throw ValidationError("--threads \(threads ?? 0): give 0 to 1024")
    }
    _ = try count()
  }

  /// How many networks to evaluate, nil for all.
  private func count() throws -> Int? {
    guard let networks else { return 200 }
    if networks == "all" { return nil }
    guard let count = Int(networks), count >= 0 else {
      throw ValidationError("--networks \(networks): give a number of networks, or all")
    }
    return count == 0 ? nil : count
  }

  /// Evaluates, and prints what came of it as JSON or for a person.
  func prove(_ run: String, table path: String, metric: String?, json: Bool) throws {
    let table = try ResultTable(path: path)
    let folder = try RunFolder.open(path: run)
    let lock = try folder.lock()
    let ticker = WorkTicker()
    let deriver = try Deriver(
      folder: folder,
      store: try folder.store(under: lock),
      acceptsChangedData: acceptChangedData,
      limit: nil,
      threads: threads
    ) { share, message in try ticker.show(share, message) }
    let seed = seed ?? 0
    let proof = try SearchProof(
      deriver,
      table,
      metric: metric,
      networks: try count(),
      seed: seed
    )
    let total = proof.sample.count
    let ranking = try proof.ranking { done, share in
      try ticker.show(
        (Double(done) + share) / Double(total),
        "evaluating network \(done + 1) of \(total)"
      )
      return false
    }
    guard let ranking else { return }
    let chosen = try proof.chosen(
      ranking,
      samples: SearchProofOptions.samples,
      trials: refine ?? 64,
      seed: seed
    ) { what, share in
      try ticker.show(share, what)
      return false
    }
    ticker.clear()
    let report = SearchProofReport(
      run: folder.path,
      proof: proof,
      ranking: ranking,
      chosen: chosen ?? [],
      seconds: ticker.seconds
    )
    if json {
      try Output().json(report)
    } else {
      report.show()
    }
    withExtendedLifetime(lock) {}
  }

  /// Networks sampled from θ before the refinement, as `derive` has by default.
  private static let samples = 8
}
