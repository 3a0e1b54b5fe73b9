import Runs
import Testing

/// How far two rankings of the same networks agree.
@Suite struct RankingTests {
  private func ranking(_ accuracies: [Double], losses: [Double]? = nil) -> Ranking {
    Ranking(
      costs: accuracies.indices.map { Double(10 * $0) },
      accuracies: accuracies,
      losses: losses ?? accuracies.map { 1 - $0 }
    )
  }

  @Test func `the same order agrees, the reverse does not`() throws {
    let up = ranking([0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8])
    let down = ranking([0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1])
    for (second, expected) in [(up, 1.0), (down, -1)] {
      let found = try #require(second.agreement(with: up))
      #expect(found.overall == expected && found.withinBands == expected)
    }
  }

  @Test func `bands of equal cost are judged by themselves`() throws {
    let up = ranking([0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8])
    // The larger half stays better, but within the halves the order is reversed.
    let halves = ranking([0.4, 0.3, 0.2, 0.1, 0.8, 0.7, 0.6, 0.5])
    let found = try #require(halves.agreement(with: up))
    #expect(found.withinBands == -1)
    #expect(abs(found.overall - (16.0 - 12) / 28) < 1e-12)
  }

  @Test func `among equals in accuracy the lower loss decides`() throws {
    let first = ranking([0.5, 0.5, 0.5], losses: [3, 2, 1])
    let second = ranking([0.5, 0.5, 0.5], losses: [1, 2, 3])
    #expect(first.agreement(with: second)?.overall == -1)
    #expect(first.agreement(with: first)?.overall == 1)
  }

  @Test func `what cannot be compared is not`() {
    let two = ranking([0.1, 0.2])
    #expect(two.agreement(with: two) == nil)
    let three = ranking([0.1, 0.2, 0.3])
    #expect(three.agreement(with: ranking([0.1, 0.2, 0.3, 0.4])) == nil)
    #expect(ranking([0.1, .nan, 0.3]).agreement(with: three) == nil)
    var other = three
    other.costs[1] = 7
    #expect(other.agreement(with: three) == nil)
    var short = three
    short.losses = []
    #expect(short.agreement(with: three) == nil)
  }

  @Test func `a store keeps rankings`() throws {
    try inTemporaryFolder { path in
      let run = try RunFolder.create(at: path + "/run", config: try Configuration.preset("digits"))
      let store = try run.store()
      var epoch = EpochRecord(
        epoch: 0,
        step: 10,
        trainLoss: 1,
        trainAccuracy: 0.5,
        validationLoss: 1,
        validationAccuracy: 0.5,
        argmaxAccuracy: 0.5,
        expectedCost: 1,
        argmaxFlops: 1,
        argmaxParams: 1,
        temperature: 1,
        seconds: 1
      )
      epoch.ranking = ranking([0.1, 0.2, 0.3])
      try store.record(epoch: epoch)
      #expect(try run.reader().epochs() == [epoch])
    }
  }
}
