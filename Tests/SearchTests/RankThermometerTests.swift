import Runs
import TestSupport
import Testing

@testable import Search
@testable import Training

/// Fixed networks that a supernet ranks now and then.
@Suite struct RankThermometerTests {
  private func search(_ ranked: Int) throws -> (result: SearchResult, epochs: [EpochRecord]) {
    let run = try TinyRun(
      overrides: ["search.epochs=10", "warmup_epochs=1", "ranked_networks=\(ranked)"]
    )
    guard case .search(let result) = try run.session(try run.task()).train() else {
      throw UserError(.software, "test", "the search did not end")
    }
    return (result, try run.reader.epochs())
  }

  @Test func `networks are ranked now and then, and nothing else of the search changes`() throws {
    let (with, without) = (try search(4), try search(0))
    let ranked = with.epochs.filter { $0.ranking != nil }
    #expect(ranked.map(\.epoch) == [4, 9])
    #expect(without.epochs.allSatisfy { $0.ranking == nil })
    #expect(with.result.thetaHash == without.result.thetaHash)
    #expect(with.result.weightsHash == without.result.weightsHash)
    #expect(with.result.testAccuracy == without.result.testAccuracy)
    #expect(with.epochs.map(\.validationLoss) == without.epochs.map(\.validationLoss))
    let rankings = ranked.compactMap(\.ranking)
    #expect(rankings.allSatisfy { $0.accuracies.count == 4 && $0.losses.allSatisfy(\.isFinite) })
    #expect(rankings[0].costs == rankings[1].costs && Set(rankings[0].costs).count > 1)
    #expect(rankings[0].accuracies != rankings[1].accuracies)
    #expect(rankings[1].agreement(with: rankings[0]) != nil)
  }

  @Test func `a search has six looks, and a short one no more than every five epochs`() throws {
    func looks(_ epochs: Int, ranked: Int = 8) throws -> [Int] {
      let run = try TinyRun(overrides: ["search.epochs=\(epochs)", "ranked_networks=\(ranked)"])
      let thermometer = try run.task().thermometer
      return (0..<epochs).filter(thermometer.isDue)
    }
    #expect(try looks(90) == [14, 29, 44, 59, 74, 89])
    #expect(try looks(12) == [4, 9])
    #expect(try looks(4) == [])
    #expect(try looks(90, ranked: 2) == [], "two networks have no ranking to speak of")
    let networks = try TinyRun(overrides: ["ranked_networks=5"]).task().thermometer.networks
    #expect(Set(networks).count == networks.count && networks.count <= 5)
  }
}
