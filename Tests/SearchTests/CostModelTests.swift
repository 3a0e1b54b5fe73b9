import Networks
import Foundation
import Runs
import Tensor
import Testing

@testable import Search

/// What a search asks of a cost model, by brute force on small spaces.
struct CostModelTests {
  private let model = AdditiveCost(
    layers: [[1, 2.5, 7], [0, 3], [4, 2, 9, 6.5]],
    fixed: 1.25,
    metric: .latency
  )
  private let probabilities = [[0.2, 0.5, 0.3], [0.9, 0.1], [0.1, 0.2, 0.3, 0.4]]

  private func probability(_ architecture: Architecture) -> Double {
    zip(probabilities, architecture).reduce(1) { $0 * $1.0[$1.1] }
  }

  @Test func `the expected cost is the mean over all architectures`() {
    let all = model.everyArchitecture
    #expect(all.count == 24)
    let mean = all.reduce(0) { $0 + probability($1) * model.cost($1) }
    #expect(abs(model.expected(probabilities) - mean) < 1e-12)
    let costs = all.map(model.cost)
    #expect(model.range == (costs.min() ?? 0)...(costs.max() ?? 0))
  }

  @Test func `its gradient is that of differences`() {
    let gradient = model.gradient(probabilities)
    for (choice, row) in probabilities.enumerated() {
      for option in row.indices {
        var (more, less) = (probabilities, probabilities)
        more[choice][option] += 0.5
        less[choice][option] -= 0.5
        let difference = model.expected(more) - model.expected(less)
        #expect(abs(gradient[choice][option] - difference) < 1e-12)
      }
    }
  }

  @Test func `a change costs the difference of two networks`() {
    let plain = Uneven()
    for architecture in model.everyArchitecture {
      for (choice, row) in model.layers.enumerated() {
        for option in row.indices {
          var changed = architecture
          changed[choice] = option
          let change = model.change(of: architecture, at: choice, to: option)
          #expect(abs(change - (model.cost(changed) - model.cost(architecture))) < 1e-12)
          #expect(
            plain.change(of: architecture, at: choice, to: option)
              == plain.cost(changed) - plain.cost(architecture)
          )
        }
      }
    }
  }

  /// Mixtures of `rows` on an engine's tape, [choice][sample][option].
  private func mixtures(_ rows: [[[Float]]], hard: Bool, _ engine: Engine) -> [Mixture] {
    rows.map { rows in
      let weights = engine.tensor(
        rows.flatMap { $0 },
        shape: rows.count == 1 ? [rows[0].count] : [rows.count, rows[0].count],
        requiresGradient: true
      )
      let forward = rows.flatMap { row in
        let best = row.indices.max { row[$0] < row[$1] } ?? 0
        return row.indices.map { $0 == best ? Float(1) : 0 }
      }
      return Mixture(weights: weights, forward: hard ? forward : nil)
    }
  }

  @Test(arguments: [1, 3], [false, true])
  func `a sample costs the mean of its rows and has the gradient of its weights`(
    samples: Int,
    hard: Bool
  ) {
    var random = Philox(seed: 5, purpose: .test)
    let rows = model.layers.map { layer in
      (0..<samples).map { _ in
        softmax(layer.map { _ in Double(random.normal()) }).map { Float($0) }
      }
    }
    let engine = Engine(instructionSet: .baseline, threads: 1)
    engine.isRecording = true
    let mixtures = mixtures(rows, hard: hard, engine)
    let cost = model.expected(mixtures, on: engine)
    let mean =
      (0..<samples).reduce(0.0) { total, sample in
        let used = zip(rows, mixtures).map { rows, mixture in
          let k = rows[sample].count
          let values = mixture.forward.map { Array($0[sample * k..<(sample + 1) * k]) }
          return (values ?? rows[sample]).map(Double.init)
        }
        return total + model.expected(used)
      } / Double(samples)
    #expect(abs(Double(cost.item) - mean) < 1e-5)
    engine.backward(from: cost)
    for (mixture, prices) in zip(mixtures, model.layers) {
      let expected = (0..<samples).flatMap { _ in prices.map { Float($0 / Double(samples)) } }
      let gradient = mixture.weights.gradientValues ?? []
      #expect(gradient.count == expected.count)
      #expect(zip(gradient, expected).allSatisfy { abs($0 - $1) < 1e-5 })
    }
  }

  @Test func `repair and sampling through the protocol hold the limit`() throws {
    let model: any CostModel = model
    let scores = probabilities.map { $0.map { log($0) } }
    let all = self.model.everyArchitecture
    for limit in [5.0, 8, 11, 14] {
      let within = CostLimit.within(limit)
      let fitting = all.filter { within.contains(model.cost($0)) }
      let best = fitting.max { probability($0) < probability($1) }
      #expect(model.mostProbable(scores, within: within) == best)
      let seen = Set(fitting.prefix(1))
      let samples = model.samples(
        99,
        of: nil,
        within: within,
        seed: 1,
        stream: 0,
        except: seen
      )
      #expect(Set(samples) == Set(fitting).subtracting(seen))
      #expect(samples.count == Set(samples).count)
      let others = model.samples(99, of: nil, within: within, seed: 1, stream: 9, except: seen)
      #expect(others != samples || samples.count < 3)
    }
  }

  /// A cost that is no sum: the product of what the choices take, as of the widths of two layers.
  private struct Uneven: CostModel {
    let metric = Metric.flops
    let range = 8.0...60

    typealias Metric = Configuration.SearchSettings.Cost

    func cost(_ architecture: Architecture) -> Double {
      architecture.reduce(1) { $0 * Double($1 + 2) }
    }
    func expected(_ probabilities: [[Double]]) -> Double {
      probabilities.reduce(1) { total, row in
        total * row.indices.reduce(0) { $0 + row[$1] * Double($1 + 2) }
      }
    }
    func gradient(_ probabilities: [[Double]]) -> [[Double]] {
      probabilities.indices.map { choice in
        let rest = probabilities.indices.filter { $0 != choice }.reduce(1) { total, other in
          total * expected([probabilities[other]])
        }
        return probabilities[choice].indices.map { rest * Double($0 + 2) }
      }
    }
    func expected(_ mixtures: [Mixture], on engine: Engine) -> Tensor {
      mixtures.reduce(engine.tensor([1], shape: [])) { total, mixture in
        let values = (0..<mixture.weights.count).map { Float($0 + 2) }
        return engine.multiply(
          total,
          engine.sum(engine.multiply(mixture.weights, constant: values))
        )
      }
    }
    func mostProbable(
      _ logProbabilities: [[Double]],
      within: ClosedRange<Double>
    ) -> Architecture? {
      func score(_ architecture: Architecture) -> Double {
        zip(logProbabilities, architecture).reduce(0) { $0 + $1.0[$1.1] }
      }
      return everyArchitecture(logProbabilities.map(\.count))
        .filter { within.contains(cost($0)) }.max { score($0) < score($1) }
    }
    func samples(
      _ count: Int,
      of probabilities: [[Double]]?,
      within: ClosedRange<Double>,
      seed: UInt64,
      stream: UInt64,
      except seen: Set<Architecture>
    ) -> [Architecture] { [] }
  }

  @Test(arguments: [0.3, 0.5, 0.8])
  func `theta is trained and projected on the budget of a cost that is no sum`(
    share: Double
  ) throws {
    let preset = try Configuration.preset("digits")
    var settings = preset.loss
    settings.form = .limit
    settings.multiplier = .learned
    let model = Uneven()
    let budget = 8 + share * 40
    let theta = ArchitectureParameters(
      optionCounts: [3, 2, 4],
      costModel: model,
      loss: try CostLoss(settings, metric: model.metric, budget: budget, cheapest: 8),
      settings: preset.theta,
      hard: false,
      seed: 1
    )
    #expect(theta.logits.map(\.count) == [3, 2, 4])
    let engine = Engine(instructionSet: .baseline, threads: 1)
    engine.isRecording = true
    for step in 0..<60 {
      // The more a network costs the better it is.
      _ = theta.step(
        step,
        temperature: 1,
        samples: 1,
        learningRate: 0.1,
        on: engine
      ) { mixtures in
        mixtures.reduce(engine.tensor([9], shape: [])) { loss, mixture in
          let gains = (0..<mixture.weights.count).map { -Float($0) }
          return engine.add(
            loss,
            engine.sum(engine.multiply(mixture.weights, constant: gains))
          )
        }
      }
      #expect(theta.expectedCost <= budget * (1 + 1e-5), "step \(step)")
    }
    #expect(theta.expectedCost > 0.6 * budget)
    let found = try #require(theta.mostProbable(within: CostLimit.within(budget)))
    #expect(model.cost(found) <= budget)
  }
}
