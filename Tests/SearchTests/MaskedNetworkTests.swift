import Networks
import Runs
import Tensor
import TestSupport
import Testing

@testable import Search

/// The masked supernet as a whole: its networks cut out of it, and the gradients of its choices
/// (spec S20–S26).
@Suite struct MaskedNetworkTests {
  private static let sets = InstructionSet.allCases.filter { InstructionSet.available.contains($0) }

  // MARK: Networks

  @Test(arguments: [Engine.Mode.inference, .training], [false, true])
  func `a derived network has the scores of one-hot mixtures`(_ mode: Engine.Mode, pools: Bool) {
    var random = Philox(seed: 3, purpose: .test)
    var seen: [Set<Int>] = []
    for seed in 0..<50 as Range<UInt64> {
      let subject = MaskedSubject(seed: seed, pools: pools)
      let architecture = subject.architecture(&random)
      if seen.isEmpty { seen = architecture.map { _ in [] } }
      for (choice, option) in architecture.enumerated() { seen[choice].insert(option) }
      subject.recalibrate(architecture)
      subject.engine.mode = mode
      let expected = subject.network.scores(subject.image(), of: architecture).values
      #expect(expected.allSatisfy(\.isFinite) && Set(expected).count > 5)
      var ways = [("derived", subject.derivedScores(architecture))]
      if mode == .inference {
        ways.append(("alone", subject.network.alone(architecture)(subject.image()).values))
      }
      for (name, scores) in ways {
        let fault = difference(
          name,
          scores.map(Double.init),
          expected.map(Double.init),
          relative: 1e-5,
          absolute: 0
        )
        #expect(fault == nil, "seed \(seed), \(architecture)")
      }
    }
    // Fifty networks take every option of every choice.
    let space = MaskedSubject(seed: 0, pools: pools).space
    #expect(seen.map(\.count) == space.optionCounts)
  }

  @Test func `a stage begins without a shortcut, whatever its widths`() throws {
    let subject = MaskedSubject(seed: 1)
    let space = subject.space
    var random = Philox(seed: 4, purpose: .test)
    var equal = 0
    for _ in 0..<50 {
      let architecture = subject.architecture(&random)
      let network = space.network(of: architecture, name: "network")
      let kept = space.blocks.filter { $0.skip.option(architecture) == 0 }
      for (block, described) in zip(kept, network.blocks.dropFirst()) {
        #expect(described.isResidual == (block.input == block.output && block.stride == 1))
        if described.keepsShape && !described.isResidual { equal += 1 }
      }
    }
    #expect(equal > 20)
  }

  @Test(arguments: [Engine.Mode.inference, .training])
  func `weights that a network does not have change no bit of its scores`(_ mode: Engine.Mode) {
    var random = Philox(seed: 5, purpose: .test)
    for seed in 0..<20 as Range<UInt64> {
      let subject = MaskedSubject(seed: seed, pools: seed.isMultiple(of: 2))
      let architecture = subject.architecture(&random)
      subject.engine.mode = mode
      let entries = subject.entries
      let values = entries.map { $0.read() }
      let before = subject.network.scores(subject.image(), of: architecture).values
      // Numbers for the weights; those that the derived network has are its own.
      var place = 0
      for (entry, values) in zip(entries, values) {
        entry.write(values.indices.map { Float(place + $0) })
        place += values.count
      }
      #expect(place < 1 << 24)
      let own = Set(
        subject.network.derived(architecture).entries.flatMap { $0.read() }.map { Int($0) }
      )
      place = 0
      var changed = 0
      for (entry, values) in zip(entries, values) {
        let others = MaskedSubject.values(entry, &random)
        entry.write(
          values.indices.map { own.contains(place + $0) ? values[$0] : 50 * others[$0] }
        )
        changed += values.indices.count { !own.contains(place + $0) }
        place += values.count
      }
      #expect(changed > 0 && changed < place)
      let after = subject.network.scores(subject.image(), of: architecture).values
      #expect(
        after.map(\.bitPattern) == before.map(\.bitPattern),
        "\(architecture), \(changed) of \(place)"
      )
    }
  }

  // MARK: Gradients

  /// Cross-entropy and cost of mixtures, with their gradients and those of all weights.
  private func loss(
    _ subject: MaskedSubject,
    _ values: [[Float]],
    forward: Bool = false
  ) -> (loss: Double, mixtures: [[Float]], weights: [[Float]]) {
    let engine = subject.engine
    engine.mode = .training
    engine.isRecording = true
    let mixtures = values.map { row in
      Mixture(
        weights: engine.tensor(row, shape: [row.count], requiresGradient: true),
        forward: forward ? row.indices.map { $0 == 1 ? 1 : 0 } : nil
      )
    }
    let model = EffectiveShapeCost(subject.space, metric: .flops)
    let scores = subject.network.scores(subject.image(), mixtures)
    let entropy = engine.crossEntropy(scores, labels: subject.labels).loss
    let cost = engine.affine(
      model.expected(mixtures, on: engine),
      factor: Float(1 / model.range.upperBound)
    )
    let total = engine.add(entropy, cost)
    for parameter in subject.network.parameters { parameter.gradient.clear() }
    engine.backward(from: total)
    engine.isRecording = false
    return (
      Double(total.item), mixtures.map { $0.weights.gradientValues ?? [] },
      subject.network.parameters.map { Array($0.gradient.elements) }
    )
  }

  private func mixtures(_ subject: MaskedSubject, _ random: inout Philox) -> [[Float]] {
    subject.space.optionCounts.map { count in
      let values = (0..<count).map { _ in random.uniform() + 0.3 }
      return values.map { $0 / values.reduce(0, +) }
    }
  }

  @Test(arguments: MaskedSubject.kinds)
  func `the gradient of a choice is a central difference`(_ kind: String) throws {
    var random = Philox(seed: 6, purpose: .test)
    for seed in 0..<2 as Range<UInt64> {
      // Many images, so that no kink of a ReLU counts for much.
      let subject = MaskedSubject(seed: seed, pools: kind == "pool.width", images: 16)
      let choice = try #require(subject.space.choices.firstIndex { $0.id == kind })
      let start = mixtures(subject, &random)
      let gradient = loss(subject, start).mixtures[choice]
      let size = gradient.map { Double(abs($0)) }.max() ?? 0
      for option in gradient.indices {
        func moved(_ step: Float) -> Double {
          var values = start
          values[choice][option] += step
          return loss(subject, values).loss
        }
        let h: Float = 0.002
        let slope = (moved(h) - moved(-h)) / Double(2 * h)
        #expect(
          abs(slope - Double(gradient[option])) < 0.04 * size + 1e-3,
          "seed \(seed), option \(option): \(slope), gradient \(gradient)"
        )
      }
      #expect(size > 1e-3, "nothing to compare: \(gradient)")
    }
  }

  @Test(arguments: sets)
  func `any number of threads gives the same bits`(_ set: InstructionSet) {
    for forward in [false, true] {
      var all: [[[UInt32]]] = []
      for threads in [1, 2, 3] {
        let subject = MaskedSubject(seed: 8, images: 5, threads: threads, instructionSet: set)
        var random = Philox(seed: 8, purpose: .test)
        let found = loss(subject, mixtures(subject, &random), forward: forward)
        all.append(
          [[Float(found.loss).bitPattern]]
            + (found.mixtures + found.weights).map { $0.map(\.bitPattern) }
        )
      }
      #expect(all[0] == all[1] && all[0] == all[2])
      #expect(all[0].dropFirst().allSatisfy { !$0.isEmpty })
    }
  }

  @Test(arguments: sets)
  func `every instruction set has the same gradients`(_ set: InstructionSet) {
    func gradients(_ set: InstructionSet) -> [[Float]] {
      let subject = MaskedSubject(seed: 9, instructionSet: set)
      var random = Philox(seed: 9, purpose: .test)
      return loss(subject, mixtures(subject, &random)).mixtures
    }
    let expected = gradients(.baseline).joined().map(Double.init)
    let found = gradients(set).joined().map(Double.init)
    #expect(difference("gradients", found, expected, relative: 1e-3) == nil)
  }
}
