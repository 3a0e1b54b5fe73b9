import Networks
import Tensor
import TestSupport

extension MaskedBlockTests {
  /// A masked block with random weights and statistics.
  struct Subject {
    let engine = Engine(threads: 1)
    let block: MaskedBlock

    init(_ description: MaskedBlockDescription, seed: UInt64) {
      var initialiser = Initialiser(seed: seed)
      block = MaskedBlock(
        description,
        name: "blocks.1",
        engine: engine,
        initialiser: &initialiser
      )
      var random = Philox(seed: seed, purpose: .test)
      for entry in block.entries { entry.write(Subject.values(entry, &random)) }
      engine.mode = .inference
    }

    /// Values as the array of that name may have: weights of the size of the first ones, shifts
    /// that show.
    static func values(_ entry: StateEntry, _ random: inout Philox) -> [Float] {
      let fan = Float(entry.shape.dropLast().reduce(1, *))
      return (0..<entry.shape.reduce(1, *)).map { _ in
        if entry.name.hasSuffix("gamma") || entry.name.hasSuffix("variance") {
          random.uniform() + 0.5
        } else if entry.name.hasSuffix("weight") {
          random.normal() * (2 / fan).squareRoot()
        } else {
          random.normal() * 0.5
        }
      }
    }

    /// The output under one-hot weights of an input of `width` channels, the others 0.
    func output(_ options: MaskedBlockDescription.Options, _ x: [Float], width: Int) -> Tensor {
      let d = block.description
      func hot(_ index: Int, of count: Int) -> MaskedBlock.Mixture? {
        guard count > 1 else { return nil }
        let values = (0..<count).map { $0 == index ? Float(1) : 0 }
        return .init(weights: engine.tensor(values, shape: [count]))
      }
      let mixtures = MaskedBlock.Mixtures(
        output: hot(options.output, of: d.outputs.count),
        middle: hot(options.middle, of: d.middles.count),
        kernel: hot(options.kernel, of: d.kernels.count),
        activation: hot(options.activation, of: d.activations.count),
        squeeze: hot(options.squeeze, of: d.squeezes.count),
        skip: hot(options.skips ? 1 : 0, of: d.canSkip ? 2 : 1)
      )
      let pixels = x.count / width
      let padded = (0..<pixels * d.input).map { i in
        i % d.input < width ? x[i / d.input * width + i % d.input] : 0
      }
      let shape = [3, d.height, d.width, d.input]
      return block(engine.tensor(padded, shape: shape), mixtures)
    }
  }

  /// Options of a description at random, with an input for them.
  struct Setting {
    var options: MaskedBlockDescription.Options
    var input: Int
    var x: [Float]

    init(_ d: MaskedBlockDescription, _ random: inout Philox) {
      func pick(_ count: Int) -> Int { Int(random.next() % UInt32(count)) }
      options = .init(
        output: pick(d.outputs.count),
        middle: pick(d.middles.count),
        kernel: pick(d.kernels.count),
        activation: pick(d.activations.count),
        squeeze: pick(d.squeezes.count),
        skips: d.canSkip && pick(6) == 0
      )
      input =
        d.hasShortcut
        ? d.outputs[options.output]
        : d.form.expands ? [d.input, d.input / 2][pick(2)] : d.middles[options.middle]
      x = (0..<3 * d.height * d.width * input).map { _ in random.normal() }
    }
  }
}
