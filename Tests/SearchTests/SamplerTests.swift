import Foundation
import Tensor
import Testing

@testable import Search

/// Algorithms that ask for networks and get what these reach.
struct SamplerTests {
  private let optionCounts = [3, 1, 4, 2, 3]

  private var all: [Architecture] { everyArchitecture(optionCounts) }

  /// A worth with one best network, that of the last options.
  private func value(_ architecture: Architecture) -> Double {
    zip(optionCounts, architecture).reduce(0) { $0 + Double($1.1 + 1) / Double($1.0) }
  }

  /// All that a sampler asks for, `most` at most, in order.
  private func asked(_ sampler: any Sampler, most: Int = .max) -> [Architecture] {
    var sampler = sampler
    var asked: [Architecture] = []
    while asked.count < most, let architecture = sampler.ask() {
      asked.append(architecture)
      sampler.tell(architecture, value: value(architecture))
    }
    return asked
  }

  @Test func `both ask for every allowed network once and end`() {
    let allowed = all.filter { $0[0] != 1 }
    for seed in 0..<5 {
      let random = asked(RandomSampler(allowed: allowed, seed: UInt64(seed)))
      #expect(random.count == allowed.count && Set(random) == Set(allowed))
      let evolved = asked(
        Evolution(optionCounts: optionCounts, allowed: allowed, seed: UInt64(seed))
      )
      #expect(evolved.count == allowed.count && Set(evolved) == Set(allowed))
    }
    #expect(asked(RandomSampler(allowed: [], seed: 0)).isEmpty)
    #expect(asked(Evolution(optionCounts: optionCounts, allowed: [], seed: 0)).isEmpty)
  }

  @Test func `a seed names the order`() {
    func order(_ seed: UInt64) -> [Architecture] {
      asked(Evolution(optionCounts: optionCounts, allowed: all, seed: seed))
    }
    #expect(order(1) == order(1) && order(1) != order(2))
    let random = asked(RandomSampler(allowed: all, seed: 1))
    #expect(random == asked(RandomSampler(allowed: all, seed: 1)))
    #expect(random != asked(RandomSampler(allowed: all, seed: 2)))
  }

  @Test func `behind the first generation each network is a child of the last 24`() {
    for seed in 0..<5 {
      let order = asked(
        Evolution(optionCounts: optionCounts, allowed: all, seed: UInt64(seed)),
        most: 40
      )
      for index in 24..<40 {
        let isChild = order[(index - 24)..<index].contains { parent in
          zip(parent, order[index]).count { $0 != $1 } == 1
        }
        #expect(isChild, "seed \(seed), network \(index)")
      }
    }
  }

  @Test func `evolution is led to the better networks and random search is not`() {
    let counts = [Int](repeating: 4, count: 5)
    let wide = everyArchitecture(counts)
    func worth(_ architecture: Architecture) -> Double { Double(architecture.reduce(0, +)) }
    func last(_ sampler: any Sampler) -> Double {
      var sampler = sampler
      var values: [Double] = []
      while values.count < 90, let architecture = sampler.ask() {
        values.append(worth(architecture))
        sampler.tell(architecture, value: worth(architecture))
      }
      return values.suffix(30).reduce(0, +) / 30
    }
    let seeds = [0, 1, 2] as [UInt64]
    let random = seeds.map { last(RandomSampler(allowed: wide, seed: $0)) }.reduce(0, +) / 3
    let evolved =
      seeds.map { last(Evolution(optionCounts: counts, allowed: wide, seed: $0)) }.reduce(0, +) / 3
    // Of 0 to 15, 7.5 on average.
    #expect(abs(random - 7.5) < 1.2 && evolved > 9, "\(random), \(evolved)")
  }
}
