import Data
import Foundation
import Networks
import Runs
import Tensor
import Testing

@testable import Search

/// Which candidates of a layer take part in a step (`search.paths`, `search.theta_paths`).
@Suite struct PathTests {
  private typealias Paths = ArchitectureParameters.Paths

  private func theta(_ counts: [Int], logits: [[Float]]? = nil) throws -> ArchitectureParameters {
    let settings = try Configuration.preset("digits", overrides: ["loss.form=additive"])
    let costs = AdditiveCost(layers: counts.map { (0..<$0).map(Double.init) }, fixed: 1)
    let theta = ArchitectureParameters(
      optionCounts: counts,
      costModel: costs,
      loss: try CostLoss(
        settings.loss,
        metric: .flops,
        budget: nil,
        cheapest: costs.range.lowerBound,
        mostExpensive: costs.range.upperBound
      ),
      settings: settings.theta,
      hard: false,
      seed: 3
    )
    if let logits { theta.logits = logits }
    return theta
  }

  private func supernet(_ change: (inout Configuration) -> Void) throws -> Supernet {
    var settings = try Configuration.preset("digits")
    settings.threads = 1
    change(&settings)
    return try Supernet(configuration: settings, classes: 10, channels: 1, height: 8, width: 8)
  }

  private func drawn(
    _ theta: ArchitectureParameters,
    _ paths: Paths,
    _ layer: Int
  ) throws -> [Int] {
    try #require(theta.drawn(paths, layer: layer, theta.logits[layer]))
  }

  @Test(arguments: [1, 2, 4])
  func `even draws give every candidate the same number of turns`(count: Int) throws {
    let theta = try theta([5, 9])
    for (layer, options) in [5, 9].enumerated() {
      var orders: Set<[Int]> = []
      for round in 0..<20 {
        var turns = [Int](repeating: 0, count: options)
        var order: [Int] = []
        for turn in 0..<options {
          let found = try drawn(theta, .even(count: count, draw: round * options + turn), layer)
          #expect(Set(found).count == count)
          for option in found { turns[option] += 1 }
          order.append(found[0])
        }
        #expect(turns.allSatisfy { $0 == count }, "\(turns)")
        orders.insert(order)
      }
      #expect(orders.count > 15)
    }
  }

  @Test func `draws follow softmax of theta, and the second the rest of it`() throws {
    let shares: [Float] = [0.5, 0.3, 0.15, 0.05]
    let theta = try theta([4], logits: [shares.map { log($0) }])
    let count = 20_000
    var (first, second) = ([Int](repeating: 0, count: 4), [Int](repeating: 0, count: 4))
    for draw in 0..<count {
      let one = try drawn(theta, .drawn(count: 1, draw: draw), 0)
      let two = try drawn(theta, .drawn(count: 2, draw: draw), 0)
      #expect(one[0] == two[0] && two[0] != two[1])
      first[two[0]] += 1
      second[two[1]] += 1
    }
    for option in 0..<4 {
      let share = Double(shares[option])
      let rest = (0..<4).filter { $0 != option }.reduce(0.0) {
        $0 + Double(shares[$1]) * share / (1 - Double(shares[$1]))
      }
      for (found, expected) in [(first[option], share), (second[option], rest)] {
        let deviation = (expected * (1 - expected) * Double(count)).squareRoot()
        #expect(abs(Double(found) - expected * Double(count)) < 4 * deviation)
      }
    }
  }

  @Test func `nothing that is barred is drawn`() throws {
    let theta = try theta([6])
    theta.barred = [[true, false, true, false, true, false]]
    for draw in 0..<60 {
      for paths: Paths in [.even(count: 2, draw: draw), .drawn(count: 2, draw: draw)] {
        #expect(try drawn(theta, paths, 0).allSatisfy { $0 % 2 == 1 })
      }
      // Fewer are left than are drawn.
      #expect(try drawn(theta, .drawn(count: 5, draw: draw), 0).count == 3)
      #expect(try drawn(theta, .even(count: 5, draw: draw), 0).count == 3)
    }
  }

  @Test func `a mixture of drawn candidates has weights of theirs alone, which add up`() throws {
    let theta = try theta([5, 9])
    let engine = Engine(instructionSet: .baseline, threads: 1)
    engine.isRecording = true
    func sample(_ paths: Paths, samples: Int, trains: Bool) -> ArchitectureParameters.Sample {
      theta.sample(
        step: 7,
        temperature: 2,
        samples: samples,
        paths: paths,
        trains: trains,
        on: engine
      )
    }
    for samples in [1, 4] {
      let paths = Paths.drawn(count: 3, draw: 7)
      let sample = sample(paths, samples: samples, trains: true)
      for (layer, mixture) in sample.mixtures.enumerated() {
        let options = try drawn(theta, paths, layer)
        #expect(mixture.needed == options.sorted())
        let k = mixture.weights.channels
        for row in 0..<samples {
          let values = Array(mixture.weights.values[row * k..<(row + 1) * k])
          #expect(abs(values.reduce(0, +) - 1) < 1e-5)
          #expect(options.allSatisfy { values[$0] > 0 })
        }
      }
    }
    // A layer may have one candidate left: its θ has a gradient, of 0.
    theta.barred = [5, 9].map { count in (0..<count).map { $0 > 0 } }
    let last = sample(.drawn(count: 2, draw: 8), samples: 1, trains: true)
    _ = theta.backward(
      last,
      crossEntropy: engine.sum(last.mixtures[0].weights),
      on: engine
    )
    #expect(theta.pulls(last) == [Float](repeating: 0, count: 28))
    theta.barred = []
    let alone = sample(.drawn(count: 1, draw: 7), samples: 4, trains: false)
    #expect(alone.mixtures.allSatisfy { $0.weights.values.filter { $0 == 1 }.count == 1 })
    #expect(alone.mixtures.allSatisfy { $0.weights.values.reduce(0, +) == 1 })
  }

  @Test func `steps that draw hold less memory than those with all candidates`() throws {
    func most(_ paths: Configuration.SearchSettings.Paths) throws -> Int {
      let net = try supernet {
        $0.search.paths = paths
        $0.search.thetaPaths = paths == .drawn ? .two : .all
      }
      let batch = images(0)
      for step in 0..<40 {
        _ = net.step(
          step % 5 == 4 ? .theta : .weights,
          batch,
          temperature: 2,
          learningRate: 0.01,
          step: step
        )
      }
      return net.engine.pool.mostFloats
    }
    #expect(try most(.drawn) < most(.all))
  }

  private func images(_ index: UInt32, count: Int = 32) -> Batch {
    var random = Philox(seed: 5, purpose: .test, index: index)
    return Batch(
      pixels: (0..<count * 64).map { _ in random.normal() },
      labels: (0..<count).map { _ in Int32(random.below(10)) }
    )
  }

  /// A supernet that draws `count` candidates (nil: all take part), after three steps.
  private func trained(drawing count: Int?) throws -> Supernet {
    let net = try supernet {
      $0.search.paths = count == nil ? .all : .drawn
      $0.search.drawnPaths = count ?? 1
    }
    for step in 0..<3 {
      _ = net.step(
        .weights,
        images(UInt32(step)),
        temperature: 2,
        learningRate: 0.01,
        step: step
      )
    }
    return net
  }

  @Test func `an evaluation draws as many candidates as a step on the weights`() throws {
    let net = try trained(drawing: 1)
    let batch = images(9)
    net.recalibrate(nil, temperature: 1, batches: [images(7), images(8), batch])
    let counts = (0..<3).map { draw in
      net.evaluate(nil, temperature: 1, pixels: batch.pixels, labels: batch.labels, draw: draw)
        .crossEntropy
    }
    #expect(Set(counts).count == 3)
    // One that is drawn alone is that network.
    net.recalibrate(nil, temperature: 1, batches: [batch])
    let drawnAlone = net.evaluate(
      nil,
      temperature: 1,
      pixels: batch.pixels,
      labels: batch.labels
    )
    let options = try net.theta.logits.indices.map {
      try drawn(net.theta, .evaluated(count: 1, draw: 0), $0)[0]
    }
    let architecture = Architecture(options)
    net.recalibrate(architecture, temperature: 1, batches: [batch])
    let alone = net.evaluate(
      architecture,
      temperature: 1,
      pixels: batch.pixels,
      labels: batch.labels
    )
    #expect(abs(drawnAlone.crossEntropy - alone.crossEntropy) < 1e-5)
    #expect(drawnAlone.correct == alone.correct)
  }

  @Test func `an evaluation that draws all candidates is that of the mixture`() throws {
    let batch = images(9)
    let (all, every) = (try trained(drawing: nil), try trained(drawing: 9))
    try every.restore(all.state())
    let found = [all, every].map { net in
      net.recalibrate(nil, temperature: 1, batches: [images(7), images(8)])
      return net.evaluate(
        nil,
        temperature: 1,
        pixels: batch.pixels,
        labels: batch.labels,
        draw: 1
      )
    }
    #expect(found[0] == found[1])
  }

  @Test func `candidates start as slices of one block where that is asked for`() throws {
    func start(_ values: CandidateValues) throws -> StateDictionary {
      try supernet { $0.weights.candidateValues = values }.state()
    }
    func ratios(_ state: StateDictionary) throws -> Set<Int> {
      let name = "layers.2.k%_e1.expand.weight"
      let (small, large) = (
        try #require(state[name.replacing("%", with: "3")]).values,
        try #require(state[name.replacing("%", with: "5")]).values
      )
      return Set(zip(small, large).map { Int(1000 * $0 / $1) })
    }
    #expect(try ratios(start(.aligned)).count <= 2)
    #expect(try ratios(start(.independent)).count > 100)
  }
}
