import Foundation
import Runs
import Tensor
import Testing

@testable import Search

/// Networks sampled on condition that they cost what a range says (spec S11, S12).
struct TrellisSamplerTests {
  @Test func `random networks are as likely as each other and lie in their range`() throws {
    let prices = AdditiveCost(layers: [[1, 2, 7.5], [0, 3, 4], [2.2, 2.3, 9]], fixed: 1)
    let range = 7.0...11.0
    var counts: [Architecture: Int] = [:]
    for a in 0..<3 {
      for b in 0..<3 {
        for c in 0..<3 where range.contains(prices.cost([a, b, c])) { counts[[a, b, c]] = 0 }
      }
    }
    let fitting = counts.count
    let source = TrellisSampler(prices: prices, within: range)
    let samples = 400 * fitting
    for index in 0..<UInt32(samples) {
      var random = Philox(seed: 3, purpose: .sampling, index: index)
      let network = try #require(source.sample(&random))
      #expect(range.contains(prices.cost(network)))
      counts[network, default: 0] += 1
    }
    #expect(counts.count == fitting)
    // Five standard deviations of a count round 400.
    #expect(counts.values.allSatisfy { abs($0 - 400) < 100 }, "\(counts)")
    var random = Philox(seed: 3, purpose: .sampling)
    #expect(TrellisSampler(prices: prices, within: 11.31...11.49).sample(&random) == nil)
  }

  @Test func `a rare range of a deep space is reached`() throws {
    let prices = AdditiveCost(layers: (0..<22).map { _ in [1, 2, 3, 10] }, fixed: 0)
    // All cheapest but a few: one sample in 4^20.
    let source = TrellisSampler(prices: prices, within: 22...23)
    var random = Philox(seed: 1, purpose: .sampling)
    let network = try #require(source.sample(&random))
    #expect((22...23).contains(prices.cost(network)))
  }

  /// Samples `count` networks and how often each came.
  private func counts(_ source: TrellisSampler, samples: Int) throws -> [Architecture: Int] {
    var counts: [Architecture: Int] = [:]
    for index in 0..<UInt32(samples) {
      var random = Philox(seed: 9, purpose: .sampling, index: index)
      counts[try #require(source.sample(&random)), default: 0] += 1
    }
    return counts
  }

  @Test(arguments: [1, 4, 15] as [Double])
  func `samples have the conditional distribution exactly`(sharpness: Double) throws {
    var random = Philox(seed: 6, purpose: .test)
    let prices = AdditiveCost(
      layers: (0..<4).map { _ in (0..<3).map { _ in Double(random.below(1000)) / 10 } },
      fixed: 12.5
    )
    let probabilities = prices.layers.map { layer in
      softmax(layer.map { _ in sharpness * Double(random.normal()) })
    }
    let span = prices.range.upperBound - prices.range.lowerBound
    let range =
      prices.range.lowerBound + 0.2 * span...prices.range.lowerBound + 0.55 * span
    var expected: [Architecture: Double] = [:]
    for network in prices.everyArchitecture where range.contains(prices.cost(network)) {
      expected[network] = zip(probabilities, network).reduce(1) { $0 * $1.0[$1.1] }
    }
    let total = expected.values.reduce(0, +)
    #expect(expected.count > 10 && expected.count < 60)

    let samples = 20_000
    let source = TrellisSampler(prices: prices, probabilities: probabilities, within: range)
    let counts = try counts(source, samples: samples)
    #expect(counts.keys.allSatisfy { expected[$0] != nil })
    // Chi-square over the networks that come often enough, the rest as one.
    var rest = (expected: 0.0, found: 0)
    var (statistic, cells) = (0.0, 0)
    for (network, share) in expected {
      let wanted = share / total * Double(samples)
      let found = counts[network] ?? 0
      if wanted < 10 {
        rest = (rest.expected + wanted, rest.found + found)
      } else {
        statistic += (Double(found) - wanted) * (Double(found) - wanted) / wanted
        cells += 1
      }
    }
    if rest.expected > 1 {
      let miss = Double(rest.found) - rest.expected
      statistic += miss * miss / rest.expected
      cells += 1
    }
    let freedom = Double(max(1, cells - 1))
    #expect(statistic < freedom + 5 * (2 * freedom).squareRoot(), "\(statistic) of \(freedom)")
  }

  @Test func `what a settled search holds for impossible is still sampled evenly`() throws {
    // All but one of the layers have to leave what they are sure of: 1e-15 to the power of 29.
    let prices = AdditiveCost(layers: (0..<30).map { _ in [1, 3] }, fixed: 0)
    let probabilities = prices.layers.map { _ in [1e-15, 1 - 1e-15] }
    let source = TrellisSampler(prices: prices, probabilities: probabilities, within: 0...32)
    let samples = 3000
    let counts = try counts(source, samples: samples)
    // With the one expensive layer it is 1e15 times as probable as without.
    #expect(counts.keys.allSatisfy { $0.reduce(0, +) == 1 } && counts.count == 30)
    #expect(counts.values.allSatisfy { abs($0 - samples / 30) < 50 }, "\(counts.values.sorted())")
  }

  @Test func `a candidate of no probability is never sampled`() throws {
    let prices = AdditiveCost(layers: [[1, 2, 3], [1, 2, 3]], fixed: 0)
    let probabilities = [[0.5, 0, 0.5], [0, 1, 0]]
    let source = TrellisSampler(prices: prices, probabilities: probabilities, within: 0...6)
    #expect(Set(try counts(source, samples: 100).keys) == [[0, 1], [2, 1]])
    let none = TrellisSampler(prices: prices, probabilities: probabilities, within: 0...2.5)
    var random = Philox(seed: 1, purpose: .sampling)
    #expect(none.sample(&random) == nil)
  }

  @Test func `different networks are different, new, and the same for a seed`() {
    let prices = AdditiveCost(layers: [[1, 2, 3], [1, 2, 3]], fixed: 0)
    let networks = prices.samples(4, within: 0...4, seed: 2, except: [[0, 0]])
    #expect(Set(networks).count == 4 && !networks.contains([0, 0]))
    #expect(prices.samples(4, within: 0...4, seed: 2, except: [[0, 0]]) == networks)
    // Six networks cost 4 at most.
    #expect(Set(prices.samples(50, within: 0...4, seed: 3)).count == 6)
    #expect(prices.samples(0, within: 0...4, seed: 3) == [])
    let sure = [[1.0, 0, 0], [1, 0, 0]]
    #expect(prices.samples(3, of: sure, within: 0...4, seed: 1) == [[0, 0]])
  }
}

extension TrellisSampler {
  /// Networks of additive prices; `probabilities` nil for even ones.
  init(
    prices: AdditiveCost,
    probabilities: [[Double]]? = nil,
    within range: ClosedRange<Double>
  ) {
    self.init(
      prices.trellis,
      probabilities: probabilities
        ?? prices.layers.map { [Double](repeating: 1 / Double($0.count), count: $0.count) },
      within: range
    )
  }
}

extension AdditiveCost {
  /// Samples without a stream, of even probabilities where none are given.
  func samples(
    _ count: Int,
    of probabilities: [[Double]]? = nil,
    within: ClosedRange<Double>,
    seed: UInt64,
    except seen: Set<Architecture> = []
  ) -> [Architecture] {
    samples(count, of: probabilities, within: within, seed: seed, stream: 0, except: seen)
  }
}
