import Networks
import Tensor
import TestSupport
import Testing

/// A block with choices against the ordinary blocks that its options stand for (spec S26).
@Suite struct MaskedBlockTests {
  private static let joined = MaskedBlockDescription(
    input: 20,
    outputs: [8, 12, 20],
    middles: [8, 20, 48, 72],
    kernels: [3, 5],
    activations: [.relu, .hswish],
    squeezes: [true, false],
    hasShortcut: true,
    canSkip: true,
    height: 7,
    width: 6
  )
  private static let reducing = MaskedBlockDescription(
    input: 16,
    outputs: [10, 24],
    middles: [12, 24, 96],
    kernels: [3, 5, 7],
    activations: [.hswish, .relu],
    squeezes: [false, true],
    stride: 2,
    height: 9,
    width: 7
  )
  private static let plain = MaskedBlockDescription(
    input: 16,
    outputs: [8, 24],
    middles: [16, 32],
    activations: [.relu],
    stride: 2,
    height: 8,
    width: 8
  )
  private static let separable = MaskedBlockDescription(
    input: 16,
    outputs: [8, 16],
    middles: [8, 12, 16],
    kernels: [3, 5],
    activations: [.hswish],
    squeezes: [true],
    form: .init(expands: false),
    height: 6,
    width: 6
  )

  /// What the ordinary block of these options gives with the sliced weights, its shortcut added.
  private func derived(
    _ subject: Subject,
    _ setting: Setting
  ) throws -> (values: [Float], state: StateDictionary) {
    let d = subject.block.description
    let description = d.derived(setting.options, input: setting.input)
    var initialiser = Initialiser(seed: 99)
    let block = Block(
      description,
      name: "blocks.1",
      engine: subject.engine,
      initialiser: &initialiser
    )
    let entries = block.parameters.map(\.entry) + block.norms.flatMap(\.entries)
    try StateDictionary(subject.block.entries).sliced(to: entries).restore(entries)
    for norm in block.norms { norm.batches = 0 }
    let x = subject.engine.tensor(
      setting.x,
      shape: [3, d.height, d.width, setting.input]
    )
    let y = subject.engine.materialise(block(x))
    let joined = description.isResidual ? subject.engine.add(y, x) : y
    return (joined.values, StateDictionary(block.norms.flatMap(\.entries)))
  }

  @Test(
    arguments: [joined, reducing, plain, separable],
    [Engine.Mode.inference, .recalibration]
  )
  func `one-hot weights give the output of the sliced block`(
    _ description: MaskedBlockDescription,
    _ mode: Engine.Mode
  ) throws {
    var random = Philox(seed: 5, purpose: .test)
    for seed in 0..<50 as Range<UInt64> {
      let subject = Subject(description, seed: seed)
      subject.engine.mode = mode
      let setting = Setting(description, &random)
      let expected = try derived(subject, setting)
      for norm in subject.block.norms { norm.batches = 0 }
      let found = subject.output(setting.options, setting.x, width: setting.input).values
      let width = description.outputs[setting.options.output]
      let widest = description.outputs.max() ?? 0
      let kept = found.indices.filter { $0 % widest < width }.map { Double(found[$0]) }
      let fault = difference(
        "output",
        kept,
        expected.values.map { Double($0) },
        relative: 1e-5,
        absolute: 1e-5
      )
      #expect(fault == nil, "\(setting.options)")
      #expect(found.indices.allSatisfy { $0 % widest < width || found[$0] == 0 })
      guard mode == .recalibration, !setting.options.skips else { continue }
      // The statistics that recalibration finds are those of the derived network.
      let entries = expected.state.map { array in
        StateEntry(name: array.name, shape: array.shape, read: { array.values }, write: { _ in })
      }
      let statistics = try StateDictionary(subject.block.entries).sliced(to: entries)
      for (ours, theirs) in zip(statistics, expected.state) {
        let fault = difference(
          ours.name,
          ours.values.map { Double($0) },
          theirs.values.map { Double($0) }
        )
        #expect(fault == nil, "\(setting.options)")
      }
    }
  }

  @Test(arguments: [joined, reducing, plain, separable])
  func `masked weights have no say`(_ description: MaskedBlockDescription) throws {
    var random = Philox(seed: 6, purpose: .test)
    for seed in 0..<50 as Range<UInt64> {
      let subject = Subject(description, seed: seed)
      let setting = Setting(description, &random)
      if setting.options.skips { continue }
      let before = subject.output(setting.options, setting.x, width: setting.input).values
      // The slice of an array of places says which of them count.
      let places = StateDictionary(
        subject.block.entries.map { entry in
          NamedArray(
            name: entry.name,
            shape: entry.shape,
            values: (0..<entry.shape.reduce(1, *)).map { Float($0) }
          )
        }
      )
      var initialiser = Initialiser(seed: 99)
      let block = Block(
        description.derived(setting.options, input: setting.input),
        name: "blocks.1",
        engine: subject.engine,
        initialiser: &initialiser
      )
      let kept = try places.sliced(
        to: block.parameters.map(\.entry) + block.norms.flatMap(\.entries)
      )
      var changed = 0
      for entry in subject.block.entries {
        var values = Subject.values(entry, &random)
        let old = entry.read()
        let own = Set(kept[entry.name]?.values.map { Int($0) } ?? [])
        for i in values.indices where own.contains(i) { values[i] = old[i] }
        changed += values.count - own.count
        entry.write(values)
      }
      let after = subject.output(setting.options, setting.x, width: setting.input).values
      #expect(after == before, "\(setting.options), \(changed) weights changed")
    }
  }

  @Test func `a draw for each image is as good as one draw for a batch of it`() {
    let d = MaskedBlockTests.joined
    let subject = Subject(d, seed: 8)
    let engine = subject.engine
    var random = Philox(seed: 8, purpose: .test)
    let x = (0..<3 * d.height * d.width * d.input).map { _ in random.normal() }
    let counts = [d.outputs.count, d.middles.count, 2, 2, 2]
    let kernel = MaskedBlock.Mixture(weights: engine.tensor([0.4, 0.6], shape: [2]))
    // Weights that the values of the draw replace, as the straight-through choice does.
    let rows = (0..<3).map { _ in
      counts.map { count in
        let hot = Int(random.next() % UInt32(count))
        return (0..<count).map { $0 == hot ? Float(1) : 0 }
      }
    }
    func output(_ images: Range<Int>) -> [Float] {
      let m = counts.enumerated().map { choice, count in
        MaskedBlock.Mixture(
          weights: engine.tensor(
            [Float](repeating: 0.5, count: images.count * count),
            shape: images.count == 1 ? [count] : [images.count, count]
          ),
          forward: images.flatMap { rows[$0][choice] }
        )
      }
      let floats = x.count / 3
      return subject.block(
        engine.tensor(
          Array(x[images.lowerBound * floats..<images.upperBound * floats]),
          shape: [images.count, d.height, d.width, d.input]
        ),
        .init(
          output: m[0],
          middle: m[1],
          kernel: kernel,
          activation: m[2],
          squeeze: m[3],
          skip: m[4]
        )
      ).values
    }
    let fault = difference(
      "output",
      output(0..<3).map { Double($0) },
      (0..<3).flatMap { output($0..<$0 + 1) }.map { Double($0) },
      relative: 1e-5
    )
    #expect(fault == nil)
  }

  @Test func `memory of a step does not grow with the options of width`() {
    func held(_ outputs: [Int], _ middles: [Int]) -> Int {
      let description = MaskedBlockDescription(
        input: 16,
        outputs: outputs,
        middles: middles,
        squeezes: [true],
        height: 16,
        width: 16
      )
      let subject = Subject(description, seed: 1)
      let engine = subject.engine
      engine.mode = .training
      engine.isRecording = true
      func mixture(_ count: Int) -> MaskedBlock.Mixture {
        let values = [Float](repeating: 1 / Float(count), count: count)
        return .init(weights: engine.tensor(values, shape: [count], requiresGradient: true))
      }
      let x = engine.tensor([Float](repeating: 1, count: 4 * 16 * 16 * 16), shape: [4, 16, 16, 16])
      let mixtures = MaskedBlock.Mixtures(
        output: mixture(outputs.count),
        middle: mixture(middles.count)
      )
      engine.backward(from: subject.block(x, mixtures))
      return engine.pool.heldFloats
    }
    let many = held((1...12).map { $0 * 2 }, (1...24).map { $0 * 4 })
    let one = held([24], [96])
    #expect(many - one < one / 100)
  }

  @Test(arguments: 0..<6 as Range<UInt64>)
  func `gradients of all choices are central differences`(_ seed: UInt64) {
    let description = MaskedBlockDescription(
      input: 12,
      outputs: [8, 12],
      middles: [8, 16, 24],
      kernels: [3, 5],
      activations: [.hswish, .none],
      squeezes: [true, false],
      hasShortcut: true,
      canSkip: true,
      height: 6,
      width: 5
    )
    let subject = Subject(description, seed: seed)
    let engine = subject.engine
    // A gate beyond ±3 would be flat, and one at the kink would have no slope to compare.
    for parameter in subject.block.parameters where parameter.name.contains("restore") {
      for i in 0..<parameter.value.count { parameter.value.pointer[i] *= 0.2 }
    }
    engine.mode = .training
    engine.isRecording = true
    var random = Philox(seed: 7, purpose: .test)
    let x = (0..<3 * 6 * 5 * 12).map { _ in random.normal() }
    let factors = x.map { _ in random.normal() }
    let counts = [2, 3, 2, 2, 2, 2]
    let start = counts.map { count in (0..<count).map { _ in random.uniform() + 0.2 } }
    func run(_ values: [[Float]], forward: Bool = false) -> (loss: Float, gradients: [[Float]]) {
      let weights = values.map { engine.tensor($0, shape: [$0.count], requiresGradient: true) }
      let m = weights.map { w in
        MaskedBlock.Mixture(
          weights: w,
          forward: forward ? (0..<w.count).map { $0 == 0 ? 1 : 0 } : nil
        )
      }
      let y = subject.block(
        engine.tensor(x, shape: [3, 6, 5, 12]),
        .init(
          output: m[0],
          middle: m[1],
          kernel: m[2],
          activation: m[3],
          squeeze: m[4],
          skip: m[5]
        )
      )
      let loss = engine.sum(engine.multiply(y, constant: factors))
      engine.backward(from: loss)
      return (loss.item, weights.map { $0.gradientValues ?? [] })
    }
    let soft = run(start).gradients
    for (choice, values) in start.enumerated() {
      for option in values.indices {
        var moved = start
        moved[choice][option] = values[option] + 1e-2
        let above = run(moved).loss
        moved[choice][option] = values[option] - 1e-2
        let below = run(moved).loss
        let slope = (above - below) / 2e-2
        let size = soft[choice].map { abs($0) }.max() ?? 0
        #expect(
          abs(slope - soft[choice][option]) < 0.02 * size + 0.02,
          "choice \(choice), option \(option): \(slope), gradient \(soft[choice])"
        )
      }
    }
    // One-hot: every option hears of the loss, the masked ones too.
    for gradient in run(start, forward: true).gradients { #expect(gradient.allSatisfy { $0 != 0 }) }
  }

  @Test func `an array that holds no such part is refused`() {
    let wide = StateDictionary([
      NamedArray(name: "filter", shape: [5, 5, 2], values: (0..<50).map { Float($0) })
    ])
    func entry(_ name: String, _ shape: [Int]) -> StateEntry {
      StateEntry(name: name, shape: shape, read: { [] }, write: { _ in })
    }
    #expect(throws: Never.self) {
      let part = try wide.sliced(to: [entry("filter", [3, 3, 1])])
      #expect(part[0].values == [12, 14, 16, 22, 24, 26, 32, 34, 36])
    }
    for (name, shape) in [("filter", [4, 4, 2]), ("filter", [7, 7, 2]), ("filter", [5, 5])] {
      let fault = #expect(throws: StateFault.self) {
        try wide.sliced(to: [entry(name, shape)])
      }
      #expect(fault?.name == name && fault?.found == [5, 5, 2] && fault?.expected == shape)
    }
    #expect(throws: StateFault.self) { try wide.sliced(to: [entry("bias", [2])]) }
  }
}
