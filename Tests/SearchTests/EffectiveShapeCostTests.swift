import Networks
import Runs
import Tensor
import Testing

@testable import Search

/// Costs of masked blocks: expected shapes, exact networks, repairs and samples (spec S24, S25).
struct EffectiveShapeCostTests {
  typealias Masked = Configuration.Space.Masked

  private static func space(
    _ masked: Masked,
    stem: Int = 16,
    head: Int = 40,
    side: Int = 32
  ) -> MaskedSpace {
    MaskedSpace(
      Configuration.Space(stem: .init(width: stem, stride: 1), head: head, masked: masked),
      masked,
      classes: 10,
      channels: 3,
      height: side,
      width: side
    )
  }

  /// Every kind of choice, small enough to count all of its 6,144 networks.
  private static let small = space(
    Masked(
      stemWidths: [8, 16],
      headWidths: [24, 40],
      resolutions: [16, 24, 32],
      divisor: 4,
      stages: [
        .init(
          widths: [8, 12, 16, 20],
          depth: 2,
          stride: 2,
          expansions: [0.75, 2],
          kernels: [3, 5],
          squeeze: [.none, .se],
          skip: true
        )
      ]
    )
  )

  /// Two widths behind the blocks, with the mean over all pixels between them.
  private static let pooled = space(
    Masked(
      headWidths: [16, 24, 40],
      poolWidths: [20, 32],
      poolBias: true,
      resolutions: [16, 32],
      divisor: 4,
      stages: [.init(widths: [8, 12, 20], depth: 2, stride: 2, expansions: [1, 2], skip: true)]
    )
  )

  private static let cifar: MaskedSpace = {
    // Presets are known to be there.
    guard let preset = try? Configuration.preset("fbnet-v2-cifar"),
      let masked = preset.space.masked
    else { preconditionFailure("no preset") }
    return MaskedSpace(
      preset.space,
      masked,
      classes: 10,
      channels: 3,
      height: 32,
      width: 32
    )
  }()

  private static func all(_ counts: [Int]) -> [Architecture] {
    counts.reduce([[]]) { starts, count in
      starts.flatMap { start in (0..<count).map { Array(start) + [$0] } }
    }.map { Architecture($0) }
  }

  private static func oneHot(_ architecture: Architecture, _ counts: [Int]) -> [[Int]] {
    zip(counts, architecture).map { count, option in (0..<count).map { $0 == option ? 1 : 0 } }
  }

  private static func random(_ counts: [Int], _ random: inout Philox) -> Architecture {
    Architecture(counts.map { random.below($0) })
  }

  private static func probabilities(_ counts: [Int], _ random: inout Philox) -> [[Double]] {
    counts.map { count in softmax((0..<count).map { _ in Double(random.normal()) }) }
  }

  @Test func `effective channels are the paper's example`() {
    let space = Self.space(Masked(stages: [.init(widths: [12, 16], expansions: [1])]))
    // 0.8 · 16 + 0.2 · 12.
    #expect(abs(space.effectiveChannels([[0.2, 0.8]])[1] - 15.2) < 1e-12)
  }

  @Test func `a network of three layers is priced by hand`() {
    let space = Self.space(
      Masked(
        divisor: 1,
        stages: [
          .init(widths: [10, 20], expansions: [1, 3]),
          .init(widths: [30, 40], stride: 2, expansions: [2], kernels: [3, 5]),
        ]
      ),
      stem: 8,
      head: 50
    )
    let weights: [[Double]] = [[0.25, 0.75], [0.5, 0.5], [0.1, 0.9], [0.6, 0.4]]
    // Widths 8, 17.5, 39; middles 8·2 = 16 and 2·17.5 = 35; kernels 9 and 9·0.6 + 25·0.4 = 15.4.
    let stem = 27.0 * 8
    let first: Double = 8 * 16 + 9 * 16 + 16 * 17.5
    let expand = 17.5 * 35
    let rest: Double = 15.4 * 35 + 35 * 39
    let head = 39.0 * 50
    let classifier = 500.0
    let cost = space.cost(weights)
    let flops: Double = (stem + first + expand) * 1024 + (rest + head) * 256 + classifier
    #expect(abs(cost.flops(.madds) - flops) < 1e-6)
    let params: Double = stem + first + expand + rest + head + classifier
    #expect(abs(cost.params(.madds) - params) < 1e-9)
  }

  @Test(arguments: [CostMetric.flops, .params])
  func `one-hot costs are the network's to the last unit`(metric: CostMetric) {
    for space in [Self.small, Self.pooled, Self.cifar] {
      let model = EffectiveShapeCost(space, metric: metric)
      var random = Philox(seed: 4, purpose: .test)
      for _ in 0..<500 {
        let architecture = Self.random(space.optionCounts, &random)
        let network = space.network(of: architecture, name: "network")
        let counted = space.cost(Self.oneHot(architecture, space.optionCounts))
        #expect(counted == network.cost)
        let expected = metric == .flops ? network.flops : network.params
        #expect(model.cost(architecture) == expected)
        #expect(
          model.expected(Self.oneHot(architecture, space.optionCounts).map { $0.map(Double.init) })
            == expected
        )
        #expect(model.trellis.cost(of: architecture) == expected)
      }
    }
  }

  @Test func `a pooling tail of expected widths is priced by hand`() {
    let space = Self.space(
      Masked(
        headWidths: [30, 50],
        poolWidths: [20, 40],
        poolBias: true,
        stages: [.init(widths: [8, 16], expansions: [1])]
      ),
      stem: 8,
      head: 50,
      side: 8
    )
    #expect(space.choices.map(\.id) == ["stage1.width", "pool.width", "head.width"])
    let cost = space.cost([[0.5, 0.5], [0.25, 0.75], [0.1, 0.9]] as [[Double]])
    // Widths 12, 35 and 48.
    let blocks: Double = 27 * 8 + 8 * 8 + 9 * 8 + 8 * 12
    let (pool, head): (Double, Double) = (12 * 35, 35 * 48 + 48 * 10)
    #expect(abs(cost.flops(.madds) - (64 * (blocks + pool) + head)) < 1e-9)
    #expect(abs(cost.params(.madds) - (blocks + pool + head)) < 1e-9)
    #expect(abs(cost.biases - 58) < 1e-9)
  }

  /// A stage of four blocks, joined by three shortcuts.
  private static let joined = space(
    Masked(divisor: 1, stages: [.init(widths: [12, 16], depth: 4, expansions: [2], kernels: [5])]),
    stem: 8,
    head: 20,
    side: 8
  )

  @Test func `shortcuts carry one expected width through a stage`() {
    let space = Self.joined
    let model = EffectiveShapeCost(space, metric: .flops)
    for architecture in Self.all(space.optionCounts) {
      #expect(model.cost(architecture) == space.network(of: architecture, name: "network").flops)
    }
    // 15.2 channels behind each of the four blocks; in the middle 16 once and 30.4 three times.
    let stem = 27.0 * 8
    let first: Double = 8 * 16 + 25 * 16 + 16 * 15.2
    let later: Double = 15.2 * 30.4 + 25 * 30.4 + 30.4 * 15.2
    let flops = (stem + first + 3 * later + 15.2 * 20) * 64 + 200
    #expect(abs(model.expected([[0.2, 0.8]]) - flops) < 1e-9 * flops)
  }

  @Test(arguments: [CostMetric.flops, .params])
  func `gradients are central differences`(metric: CostMetric) {
    let model = EffectiveShapeCost(Self.small, metric: metric)
    var random = Philox(seed: 5, purpose: .test)
    let weights = Self.probabilities(Self.small.optionCounts, &random)
    let gradient = model.gradient(weights)
    for choice in weights.indices {
      for option in weights[choice].indices {
        var (low, high) = (weights, weights)
        low[choice][option] -= 1e-4
        high[choice][option] += 1e-4
        let slope = (model.expected(high) - model.expected(low)) / 2e-4
        #expect(abs(slope - gradient[choice][option]) < 1e-5 * abs(slope) + 1e-3)
      }
    }
  }

  @Test(arguments: [1, 3], [false, true])
  func `the tape has the same value and gradient`(rows: Int, hard: Bool) {
    let model = EffectiveShapeCost(Self.small, metric: .flops)
    let counts = Self.small.optionCounts
    let engine = Engine(instructionSet: .baseline, threads: 1)
    engine.isRecording = true
    var random = Philox(seed: 6, purpose: .test)
    let weights = (0..<rows).map { _ in Self.probabilities(counts, &random) }
    let used = hard ? weights.map { Self.hardened($0) } : weights
    let mixtures = counts.indices.map { choice in
      Mixture(
        weights: engine.tensor(
          weights.flatMap { $0[choice].map(Float.init) },
          shape: rows == 1 ? [counts[choice]] : [rows, counts[choice]],
          requiresGradient: true
        ),
        forward: hard ? used.flatMap { $0[choice].map(Float.init) } : nil
      )
    }
    let cost = model.expected(mixtures, on: engine)
    engine.backward(from: cost)
    let expected = used.reduce(0) { $0 + model.expected($1) } / Double(rows)
    #expect(abs(Double(cost.item) - expected) < 1e-5 * expected)
    for (choice, mixture) in mixtures.enumerated() {
      let slopes = used.flatMap { model.gradient($0)[choice].map { $0 / Double(rows) } }
      let found = mixture.weights.gradientValues ?? []
      #expect(found.count == slopes.count)
      for (a, b) in zip(found, slopes) { #expect(abs(Double(a) - b) <= 1e-4 * abs(b) + 1e-3) }
    }
  }

  private static func hardened(_ weights: [[Double]]) -> [[Double]] {
    weights.map { row in
      let best = row.indices.max { row[$0] < row[$1] } ?? 0
      return row.indices.map { $0 == best ? 1 : 0 }
    }
  }

  @Test func `the cheapest and the most expensive network bound all`() {
    for space in [Self.small, Self.pooled] {
      let costs = Self.all(space.optionCounts).map { space.network(of: $0, name: "network").flops }
      let range = EffectiveShapeCost(space, metric: .flops).range
      #expect(range.lowerBound == costs.min() && range.upperBound == costs.max())
    }
  }

  @Test(arguments: [false, true])
  func `repairs are the best of all networks that fit`(isPooled: Bool) {
    let space = isPooled ? Self.pooled : Self.small
    let model = EffectiveShapeCost(space, metric: .flops)
    let networks = Self.all(space.optionCounts)
    let costs = networks.map { model.cost($0) }
    var random = Philox(seed: 7, purpose: .test)
    var repaired = 0
    for _ in 0..<20 {
      let scores = Self.probabilities(space.optionCounts, &random).map { $0.map { 3 * $0 } }
      func score(_ network: Architecture) -> Double {
        zip(scores, network).reduce(0) { $0 + $1.0[$1.1] }
      }
      let low = Double(random.uniform())
      let high = low + (1 - low) * Double(random.uniform())
      let span = model.range.upperBound - model.range.lowerBound
      let within =
        model.range.lowerBound + low * span...model.range.lowerBound + high * span
      let best = networks.indices.filter { within.contains(costs[$0]) }
        .map { score(networks[$0]) }.max()
      let found = model.mostProbable(scores, within: within)
      guard let best else {
        #expect(found == nil)
        continue
      }
      repaired += 1
      // A bin is 1/2048 of the span, and there are five steps: a network that near the edge may be
      // missed.
      let inner =
        within.lowerBound + span
        / 500...max(
          within.lowerBound + span / 500,
          within.upperBound - span / 500
        )
      let bound = networks.indices.filter { inner.contains(costs[$0]) }
        .map { score(networks[$0]) }.max()
      #expect(found.map { within.contains(model.cost($0)) } == true)
      #expect((found.map(score) ?? -.infinity) <= best + 1e-9)
      #expect((found.map(score) ?? -.infinity) >= (bound ?? -.infinity) - 1e-9)
    }
    #expect(repaired > 10)
  }

  @Test func `samples within a range have the conditional distribution`() throws {
    let space = Self.space(
      Masked(
        divisor: 1,
        stages: [
          .init(widths: [4, 8, 12], depth: 2, expansions: [1, 2], skip: true),
          .init(widths: [8, 16], stride: 2, expansions: [1]),
        ]
      ),
      stem: 4,
      head: 8,
      side: 8
    )
    let model = EffectiveShapeCost(space, metric: .flops)
    var random = Philox(seed: 8, purpose: .test)
    let probabilities = Self.probabilities(space.optionCounts, &random)
    let networks = Self.all(space.optionCounts)
    let costs = networks.map { model.cost($0) }.sorted()
    let within = costs[costs.count / 4]...costs[3 * costs.count / 4]
    func weight(_ network: Architecture) -> Double {
      zip(probabilities, network).reduce(1) { $0 * $1.0[$1.1] }
    }
    let fitting = networks.filter { within.contains(model.cost($0)) }
    let total = fitting.reduce(0) { $0 + weight($1) }
    let sampler = TrellisSampler(
      space.trellis(.flops),
      probabilities: probabilities,
      within: within
    )
    var counts: [Architecture: Int] = [:]
    let samples = 20_000
    for index in 0..<UInt32(samples) {
      var random = Philox(seed: 2, purpose: .sampling, index: index)
      counts[try #require(sampler.sample(&random)), default: 0] += 1
    }
    #expect(counts.keys.allSatisfy { within.contains(model.cost($0)) })
    for network in fitting {
      let share = weight(network) / total
      let deviation = (share * (1 - share) / Double(samples)).squareRoot()
      let found = Double(counts[network] ?? 0) / Double(samples)
      #expect(abs(found - share) < 5 * deviation + 1e-4, "\(network)")
    }
  }

  @Test func `different samples are different networks`() {
    let space = Self.small
    let model = EffectiveShapeCost(space, metric: .params)
    let found = model.samples(
      40,
      of: nil,
      within: model.range,
      seed: 3,
      stream: 0,
      except: []
    )
    let networks = found.map { space.network(of: $0, name: "network") }
    #expect(found.count == 40)
    for (index, network) in networks.enumerated() {
      #expect(!networks.prefix(index).contains(network))
    }
  }

  @Test func `the expected shapes' cost nears the mean cost as choices settle`() {
    let space = Self.small
    let model = EffectiveShapeCost(space, metric: .flops)
    var random = Philox(seed: 9, purpose: .test)
    let logits = space.optionCounts.map { count in (0..<count).map { _ in Double(random.normal()) }
    }
    var gaps: [Double] = []
    for temperature in [2, 0.5, 0.1, 0.02] {
      let probabilities = logits.map { softmax($0.map { $0 / temperature }) }
      // The exact mean over all networks.
      let mean = Self.all(space.optionCounts).reduce(0) { total, network in
        total
          + zip(probabilities, network).reduce(1) { $0 * $1.0[$1.1] } * model.cost(network)
      }
      gaps.append(abs(model.expected(probabilities) / mean - 1))
    }
    #expect(gaps[0] > 0.001 && gaps[0] < 0.2, "\(gaps)")
    #expect(zip(gaps, gaps.dropFirst()).allSatisfy { $0 > $1 }, "\(gaps)")
    #expect(gaps[3] < 1e-6, "\(gaps)")
  }

  @Test func `sampled mixtures cost what their networks do as the temperature falls`() {
    let space = Self.small
    let model = EffectiveShapeCost(space, metric: .flops)
    var random = Philox(seed: 10, purpose: .test)
    let samples = (0..<200).map { _ in
      space.optionCounts.map { count in (0..<count).map { _ in Double(random.gumbel()) } }
    }
    func argmax(_ row: [Double]) -> Int { row.indices.max { row[$0] < row[$1] } ?? 0 }
    let mean =
      samples.reduce(0) { $0 + model.cost(Architecture($1.map(argmax))) } / Double(samples.count)
    let gaps = [5, 1, 0.2, 0.02].map { temperature in
      let expected = samples.reduce(0) { sum, noise in
        sum + model.expected(noise.map { softmax($0.map { $0 / temperature }) })
      }
      return abs(expected / Double(samples.count) / mean - 1)
    }
    #expect(zip(gaps, gaps.dropFirst()).allSatisfy { $0 > $1 }, "\(gaps)")
    #expect(gaps[0] < 0.3 && gaps[3] < 0.02, "\(gaps)")
  }
}
