@testable import Tensor
import TestSupport
import Testing

/// The figures of FBNetV2 by hand: three ways to make maps of different sizes meet, of which one is
/// right (spec S23).
@Suite struct ResolutionTests {
  private let engine = Engine(threads: 1)
  private let small = MapSize(height: 3, width: 3)
  private let whole = MapSize(height: 6, width: 6)

  private func map(_ values: [Float]) -> Tensor { engine.tensor(values, shape: [1, 6, 6, 1]) }

  /// 3×3 with border 1, all weights 1: every value is the sum of what its window sees.
  private var sums: (Tensor) -> Tensor {
    let filter = Parameter(name: "ones", shape: [3, 3, 1, 1], engine: engine)
    filter.value.pointer.update(repeating: 1, count: 9)
    return { [engine] x in
      engine.convolution(x, filter: filter, geometry: .init(kernel: 3, padding: 1))
    }
  }

  @Test func `an option takes the pixels ⌊i·n÷h⌋, the first among them and none twice`() {
    let row = engine.tensor((0..<7).map { Float($0) }, shape: [1, 1, 7, 1])
    func pixels(_ width: Int) -> [Float] {
      engine.subsample(row, to: MapSize(height: 1, width: width)).values
    }
    #expect(pixels(1) == [0])
    #expect(pixels(3) == [0, 2, 4])
    #expect(pixels(4) == [0, 1, 3, 5])
    #expect(pixels(7) == [0, 1, 2, 3, 4, 5, 6])
  }

  @Test func `values go back to the pixels that they came from, with zeros between`() {
    let x = map((1...36).map { Float($0) })
    let y = engine.scatter(engine.subsample(x, to: small), to: whole)
    for p in 0..<36 {
      #expect(y.values[p] == (p / 6 % 2 == 0 && p % 2 == 0 ? Float(p + 1) : 0))
    }
  }

  @Test func `a border of zeros around the small map moves its pixels`() {
    let x = map((1...36).map { Float($0) })
    let pixels = engine.subsample(x, to: small).values
    var padded = [Float](repeating: 0, count: 36)
    for i in 0..<9 { padded[(i / 3 + 1) * 6 + i % 3 + 1] = pixels[i] }
    // Beside the map itself, as a mixture adds them, only the pixel (2, 2) is where it was.
    let matches = (0..<36).filter { padded[$0] == x.values[$0] }
    #expect(matches == [14])
    let scattered = engine.scatter(engine.subsample(x, to: small), to: whole).values
    #expect((0..<36).count { scattered[$0] == x.values[$0] } == 9)
    // 1 belongs to the corner; the border puts it where 8 was.
    #expect(padded[7] == 1 && x.values[7] == 8 && scattered[0] == 1)
  }

  @Test func `a 3×3 on a map with holes sees 2×2 pixels at most`() {
    let ones = map([Float](repeating: 1, count: 36))
    let holes = engine.scatter(engine.subsample(ones, to: small), to: whole)
    let seen = sums(holes).values
    // On a pixel of the grid it sees that one alone, between four of them all four.
    #expect(seen[14] == 1 && seen[15] == 2 && seen[20] == 2 && seen[21] == 4)
    #expect(seen.max() == 4)
    // The same of the numbers 1 to 36: 15 + 17 + 27 + 29 between the pixels, 15 alone on one.
    let numbers = map((1...36).map { Float($0) })
    let sum = sums(engine.scatter(engine.subsample(numbers, to: small), to: whole)).values
    #expect(sum[21] == 88 && sum[14] == 15 && sum[0] == 1 && sum[35] == 29)
  }

  @Test func `a 3×3 on the small map sees 3×3 pixels, two apart`() {
    let operation = sums
    let x = map((1...36).map { Float($0) })
    let one = engine.tensor([1], shape: [1])
    let y = engine.resolutionSum(x, sizes: [small], weights: one, to: whole, operation).values
    for p in 0..<36 {
      let (i, j) = (p / 6, p % 6)
      var sum: Float = 0
      for row in [i - 2, i, i + 2] where (0..<6).contains(row) {
        for column in [j - 2, j, j + 2] where (0..<6).contains(column) {
          sum += x.values[row * 6 + column]
        }
      }
      // The dilated convolution at the pixels of the grid, 0 elsewhere.
      #expect(y[p] == (i % 2 == 0 && j % 2 == 0 ? sum : 0))
    }
    // By hand; the corner is 1 + 3 + 13 + 15.
    let pixels = [0, 2, 4, 12, 14, 16, 24, 26, 28].map { y[$0] }
    #expect(pixels == [32, 54, 40, 84, 135, 96, 80, 126, 88])
  }

  @Test func `memory does not grow with the options`() {
    func held(_ sides: [Int], shared: Bool) -> Int {
      let options = sides.count
      let engine = Engine(threads: 1)
      engine.isRecording = true
      let x = engine.tensor(
        [Float](repeating: 1, count: 2 * 24 * 24 * 8),
        shape: [2, 24, 24, 8],
        requiresGradient: true
      )
      let sizes = sides.map { MapSize(height: $0, width: $0) }
      let full = MapSize(height: 24, width: 24)
      let expand = Parameter(name: "expand", shape: [1, 1, 8, 48], engine: engine)
      let project = Parameter(name: "project", shape: [1, 1, 48, 8], engine: engine)
      let norm = BatchNorm(name: "norm", channels: 48, engine: engine)
      func operation(_ x: Tensor) -> Tensor {
        let y = engine.convolution(x, filter: expand, norm: norm, activation: .hswish)
        return engine.convolution(y, filter: project)
      }
      let weights = engine.tensor(
        [Float](repeating: 1 / Float(options), count: options),
        shape: [options],
        requiresGradient: true
      )
      if shared {
        engine.backward(
          from: engine.resolutionSum(
            x,
            sizes: sizes,
            weights: weights,
            to: full,
            operation
          )
        )
      } else {
        let branches = sizes.map { size in
          engine.scatter(operation(engine.subsample(x, to: size)), to: full)
        }
        engine.backward(
          from: engine.weightedSum(
            branches.map { (tensor: $0, isResidual: false) },
            shortcut: nil,
            weights: weights
          )
        )
      }
      return engine.pool.heldFloats
    }
    let many = [16, 16, 16, 16, 16, 16]
    let (one, six) = (held([16], shared: true), held(many, shared: true))
    // The weights, their sums, and at most one buffer that was lent to something smaller.
    #expect(six - one < one / 4)
    #expect(held(many, shared: false) > 2 * six)
    // Smaller maps lie in the buffers of the largest.
    let (largest, all) = (held([24], shared: true), held([12, 15, 18, 21, 24], shared: true))
    #expect(all - largest < largest / 2, "\(all) floats, \(largest) of one option")
  }

  @Test func `a choice inside an operator learns where nothing else does`() {
    engine.isRecording = true
    engine.trainsParameters = false
    let x = map((1...36).map { Float($0) })
    let choice = engine.tensor([0.3, 0.7], shape: [2], requiresGradient: true)
    let mask = engine.channelMask(choice, widths: [1, 1])
    let y = engine.resolutionSum(
      x,
      sizes: [small],
      weights: engine.tensor([1], shape: [1]),
      inputs: [mask],
      to: whole
    ) { [engine] in engine.mask($0, by: mask) }
    engine.backward(from: y)
    // The pixels 1, 3, 5, 13, … of the grid, once for each option.
    #expect(choice.gradientValues == [135, 135])
  }

  @Test(arguments: [nil, [0, 0.5, 0.5], [0, 1, 0], [0, 0, 0]] as [[Float]?], [1, 2])
  func `weights learn the same where nothing else does`(drawn: [Float]?, draws: Int) {
    let sizes = [(3, 3), (5, 4), (6, 6)].map { MapSize(height: $0.0, width: $0.1) }
    let forward = drawn.map { Array(repeatElement($0, count: draws).joined()) }
    func learned(alone: Bool) -> [Float]? {
      let engine = Engine(threads: 2)
      engine.isRecording = true
      engine.trainsParameters = false
      var random = Philox(seed: 5, purpose: .test)
      func normal(_ count: Int) -> [Float] { (0..<count).map { _ in random.normal() } }
      let x = engine.tensor(normal(2 * 36 * 5), shape: [2, 6, 6, 5], requiresGradient: !alone)
      let filter = Parameter(name: "filter", shape: [1, 1, 5, 7], engine: engine)
      for i in 0..<filter.value.count { filter.value.pointer[i] = random.normal() }
      let norm = BatchNorm(name: "norm", channels: 7, engine: engine)
      let weights = engine.tensor(
        normal(3 * draws),
        shape: draws == 1 ? [3] : [draws, 3],
        requiresGradient: true
      )
      let y = engine.resolutionSum(
        x,
        sizes: sizes,
        weights: weights,
        forward: forward,
        to: sizes[2]
      ) { [engine] in
        engine.convolution($0, filter: filter, norm: norm, activation: .hswish)
      }
      engine.backward(from: y, gradient: normal(y.count))
      return weights.gradientValues
    }
    let (alone, amongOthers) = (learned(alone: true), learned(alone: false))
    #expect(alone == amongOthers)
    #expect(alone?.allSatisfy { $0 != 0 } == true)
  }

  @Test func `a checkpoint counts a batch once in recalibration`() {
    engine.mode = .recalibration
    engine.isRecording = true
    let norm = BatchNorm(name: "norm", channels: 1, engine: engine)
    let filter = Parameter(name: "filter", shape: [1, 1, 1, 1], engine: engine)
    filter.value.pointer[0] = 2
    let x = engine.tensor([1, 2, 3, 4], shape: [1, 2, 2, 1], requiresGradient: true)
    let y = engine.checkpoint([x]) { [engine] in
      engine.materialise(engine.convolution(x, filter: filter, norm: norm, activation: .hswish))
    }
    engine.backward(from: y, gradient: [1, 0, 0, 0])
    #expect(norm.batches == 1 && norm.runningMean == [5])
    #expect(x.gradientValues?.contains { $0 != 0 } == true)
    #expect(engine.mode == .recalibration && engine.isRecording)
  }

  @Test func `the classes of a map's pixels are a partition that every grid is made of`() {
    let whole = MapSize(height: 9, width: 7)
    let sizes = [(9, 7), (4, 5), (3, 7), (1, 1), (4, 5)].map { MapSize(height: $0, width: $1) }
    let grids = sizes.map { engine.grid(of: $0, in: whole) }
    let classes = PixelClasses(of: grids, pixels: 63).classes
    #expect(classes.flatMap(\.places).sorted() == Array(0..<63))
    #expect(Set(classes.map(\.grids)).count == classes.count)
    for (grid, runs) in grids.enumerated() {
      let pixels = runs.flatMap { $0.large..<$0.large + $0.count }
      let own = classes.filter { $0.grids.contains(grid) }.flatMap(\.places)
      #expect(own.sorted() == pixels.map(Int32.init))
    }
    // Only what some grid holds counts.
    let few = PixelClasses(of: [grids[3]], pixels: 63).classes
    #expect(few.count == 1 && few[0].grids == [0] && few[0].places == [0])
  }

  @Test(arguments: [true, false], [[0.2, 0.5, 0.3], [0, 1, 0]])
  func `a convolution that runs once for all sizes learns what one for each would`(
    trains: Bool,
    forward: [Float]
  ) {
    let sizes = [(3, 4), (5, 5), (6, 6)].map { MapSize(height: $0, width: $1) }
    func learned(once: Bool, choosing: Bool = true) -> [[Float]] {
      let engine = Engine(threads: 2)
      engine.isRecording = true
      engine.trainsParameters = trains
      var random = Philox(seed: 3, purpose: .test)
      func normal(_ count: Int) -> [Float] { (0..<count).map { _ in random.normal() } }
      func filter(_ shape: [Int]) -> Parameter {
        let filter = Parameter(name: "filter", shape: shape, engine: engine)
        for i in 0..<filter.value.count { filter.value.pointer[i] = random.normal() }
        return filter
      }
      let x = engine.tensor(normal(2 * 36 * 4), shape: [2, 6, 6, 4], requiresGradient: true)
      let expand = filter([1, 1, 4, 20])
      let depthwise = filter([3, 3, 20])
      let norm = BatchNorm(name: "norm", channels: 20, engine: engine)
      for c in 0..<20 { norm.gamma.value.pointer[c] = 1 + 0.1 * random.normal() }
      let weights = engine.tensor([0.2, 0.5, 0.3], shape: [3], requiresGradient: choosing)
      let y = engine.resolutionSum(
        of: 2,
        sizes: sizes,
        weights: weights,
        forward: forward,
        inputs: [x],
        to: sizes[2],
        shared: once ? { engine.convolution(x, filter: expand) } : nil
      ) { size, raw in
        let read =
          if let raw {
            engine.subsample(raw, to: size, norm: norm, activation: .hswish)
          } else {
            engine.convolution(
              engine.reading(x, at: size),
              filter: expand,
              norm: norm,
              activation: .hswish
            )
          }
        return engine.depthwiseConvolution(read, filter: depthwise, stride: 1)
      }
      engine.backward(from: y, gradient: normal(y.count))
      return [
        y.values, x.gradientValues ?? [], weights.gradientValues ?? [],
        Array(expand.gradient.elements), Array(norm.gamma.gradient.elements),
        Array(norm.beta.gradient.elements),
      ]
    }
    let names = ["y", "x", "resolution", "expand", "gamma", "beta"]
    let (once, each) = (learned(once: true), learned(once: false))
    for (name, (a, b)) in zip(names, zip(once, each)) {
      let worst = difference(name, a.map { Double($0) }, b.map { Double($0) })
      #expect(worst == nil, "\(worst ?? "")")
      let isLearned = trains || ["y", "x", "resolution"].contains(name)
      #expect(a.contains { $0 != 0 } == isLearned, "\(name)")
    }
    // A choice that is not learned now asks for less, and leaves all else as it is.
    let fixed = learned(once: true, choosing: false)
    for (name, (a, b)) in zip(names, zip(once, fixed)) {
      #expect(name == "resolution" ? b.isEmpty : a == b, "\(name)")
    }
  }
}
