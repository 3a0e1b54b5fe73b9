import Tensor
import Testing

@Suite struct RandomTests {
  private typealias Block = (UInt32, UInt32, UInt32, UInt32)

  @Test func `blocks are the published ones`() {
    // Known answers of Random123 1.14, kat_vectors, philox4x32 with 10 rounds.
    let all = UInt32.max
    let vectors: [(counter: Block, key: (UInt32, UInt32), block: Block)] = [
      ((0, 0, 0, 0), (0, 0), (0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8)),
      (
        (all, all, all, all), (all, all),
        (0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd)
      ),
      (
        (0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344), (0xa409_3822, 0x299f_31d0),
        (0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1)
      ),
    ]
    for vector in vectors {
      #expect(Philox.block(counter: vector.counter, key: vector.key) == vector.block)
    }
  }

  @Test func `uniform numbers lie inside (0, 1), evenly`() {
    var random = Philox(seed: 7, purpose: .test)
    var counts = [Int](repeating: 0, count: 10)
    var sum = 0.0
    for _ in 0..<20_000 {
      let u = random.uniform()
      #expect(u > 0 && u < 1)
      counts[Int(u * 10)] += 1
      sum += Double(u)
    }
    #expect(abs(sum / 20_000 - 0.5) < 0.01)
    #expect(counts.allSatisfy { abs($0 - 2000) < 200 })
  }

  @Test func `normal numbers have mean 0 and deviation 1`() {
    var random = Philox(seed: 7, purpose: .initialisation)
    let x = (0..<20_000).map { _ in Double(random.normal()) }
    let mean = x.reduce(0, +) / 20_000
    let variance = x.reduce(0) { $0 + $1 * $1 } / 20_000
    #expect(abs(mean) < 0.03 && abs(variance - 1) < 0.04)
    #expect(x.filter { abs($0) > 1.96 }.count > 800 && x.filter { abs($0) > 1.96 }.count < 1200)
  }

  @Test func `Gumbel noise has Euler's constant as its mean and the right variance`() {
    var random = Philox(seed: 3, purpose: .gumbel)
    let x = (0..<40_000).map { _ in Double(random.gumbel()) }
    let mean = x.reduce(0, +) / 40_000
    let variance = x.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 40_000
    #expect(x.allSatisfy { $0.isFinite })
    #expect(abs(mean - 0.5772) < 0.02)
    #expect(abs(variance - 1.6449) < 0.06)
  }

  @Test func `whole numbers below a bound are even and in range`() {
    var random = Philox(seed: 5, purpose: .sampling)
    var counts = [Int](repeating: 0, count: 7)
    for _ in 0..<14_000 { counts[random.below(7)] += 1 }
    #expect(counts.allSatisfy { abs($0 - 2000) < 200 })
    #expect(random.below(1) == 0)
  }

  @Test func `a permutation holds every number once and moves most`() {
    for count in [0, 1, 2, 3, 50, 1000] {
      var random = Philox(seed: 5, purpose: .shuffle, step: UInt64(count))
      let order = random.permutation(count)
      #expect(order.sorted() == (0..<Int32(count)).map { $0 })
      if count >= 50 { #expect(order.enumerated().filter { $0.offset == $0.element }.count < 10) }
    }
  }

  @Test func `streams differ by seed, purpose, step and index, and repeat themselves`() {
    func first(_ seed: UInt64, _ purpose: Philox.Purpose, _ step: UInt64, _ index: UInt32)
      -> [UInt32]
    {
      var random = Philox(seed: seed, purpose: purpose, step: step, index: index)
      return (0..<9).map { _ in random.next() }
    }
    var streams: [[UInt32]] = []
    for seed in [UInt64(0), 1, 1 << 32] {
      for purpose in Philox.Purpose.allCases {
        for step in [UInt64(0), 1, 1 << 32] {
          for index in [UInt32(0), 1] { streams.append(first(seed, purpose, step, index)) }
        }
      }
    }
    #expect(Set(streams).count == streams.count)
    #expect(Set(streams.flatMap { $0 }).count > streams.count * 9 - 3)
    #expect(first(4, .gumbel, 2, 1) == first(4, .gumbel, 2, 1))
  }
}
