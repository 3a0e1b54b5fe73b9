import Data
import Export
import Foundation
import Networks
import Runs
import Search
import Tensor
import Testing
@testable import Training

/// ONNX Runtime gives the same answers as the program itself.
@Suite(
  .enabled(
    if: OnnxRuntime.script.isUsable,
    "needs ONNX Runtime: make test installs it where Python has pip, or set SUPERTOP_ONNX_PYTHON"
  )
)
struct OnnxTests {
  /// Compares the answers for several networks, asked in one process.
  private func compare(
    _ networks: [NetworkDescription],
    folds: [Bool],
    images: Int = 2
  ) throws {
    var questions: [OnnxRuntime.Question] = []
    var expected: [[Float]] = []
    for (index, description) in networks.enumerated() {
      let engine = Engine(threads: 2)
      let network = randomNetwork(description, engine: engine, seed: UInt64(index + 1))
      let (scores, planes) = scores(of: network, images: images, engine: engine)
      for folds in folds {
        questions.append(
          OnnxRuntime.Question(
            name: "\(index)-\(folds)",
            model: try OnnxExport.data(network, foldsBatchNorm: folds),
            images: planes
          )
        )
        expected.append(scores)
      }
    }
    let answers = try OnnxRuntime.answers(questions)
    for (question, (answer, scores)) in zip(questions, zip(answers, expected)) {
      #expect(answer.count == scores.count, "\(question.name)")
      let largest = scores.reduce(0) { max($0, abs($1)) }
      let worst = zip(answer, scores).reduce(0) { max($0, abs($1.0 - $1.1)) }
      #expect(largest > 0.01 && largest.isFinite, "\(question.name): \(largest)")
      #expect(worst <= 1e-4, "\(question.name): off by \(worst) of \(largest)")
      // The images differ, so their scores must.
      #expect(answer.prefix(answer.count / 2) != answer.suffix(answer.count / 2))
    }
  }

  /// [N, H, W, C] → [N, C, H, W].
  private func planes(_ pixels: [Float], side: Int, channels: Int) -> [Float] {
    let area = side * side
    return (0..<pixels.count).map { i in
      let (image, rest) = (i / (area * channels), i % (area * channels))
      return pixels[image * area * channels + rest % area * channels + rest / area]
    }
  }

  /// fbnet_a for the images of `data`.
  private func published(_ data: Dataset) throws -> NetworkDescription {
    let entry = try #require(Zoo.named("fbnet_a"))
    return try #require(
      entry.network.adapted(
        height: data.height,
        width: data.width,
        channels: data.channels,
        classes: data.classes
      )
    )
  }

  /// What a short search within a budget exports.
  private func searched() throws -> NetworkDescription {
    let place = FileManager.default.temporaryDirectory
      .appendingPathComponent("supertop-searched-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: place) }
    let folder = try RunFolder.create(
      at: place.path,
      config: try Configuration.preset(
        "digits",
        overrides: ["search.epochs=2", "warmup_epochs=1", "batch=128", "budget.flops=900000"]
      )
    )
    let trainer = try Trainer(folder: folder)
    trainer.start()
    var outcome: Trainer.Outcome?
    while outcome == nil { outcome = trainer.wait(seconds: 1) }
    let json = try Foundation.Data(
      contentsOf: URL(fileURLWithPath: folder.exportsPath + "/network.json")
    )
    return try NetworkFile.parse(json)
  }

  @Test(arguments: [false, true])
  func `a trained network classifies the test images alike, one by one`(
    isSearched: Bool
  ) throws {
    let data = try Dataset.load(Configuration.preset("digits").data)
    let description = try isSearched ? searched() : published(data)
    let engine = Engine(threads: 2)
    let training = try NetworkTraining(description, recipe: Recipe(), seed: 1, engine: engine)
    let network = training.network
    let batches = BatchPlan(evaluating: data.train, of: data, batch: 64)
    for step in 0..<3 * batches.count {
      _ = training.train(batches.batch(step % batches.count), learningRate: 0.02, step: step)
    }
    training.recalibrate((0..<4).map { batches.batch($0) })
    engine.mode = .inference
    let test = BatchPlan(evaluating: data.test, of: data, batch: data.test.count).batch(0)
    let shape = [test.count, data.height, data.width, data.channels]
    let scores = network(engine.tensor(test.pixels, shape: shape))
    let own = rows(scores.values, classes: data.classes)
    let answer = try OnnxRuntime.answers([
      OnnxRuntime.Question(
        name: "trained",
        model: try OnnxExport.data(network, foldsBatchNorm: true),
        images: planes(test.pixels, side: data.width, channels: data.channels)
      )
    ])
    let theirs = rows(answer[0], classes: data.classes)
    func right(_ answers: [Int]) -> Int { zip(answers, test.labels).count { $0 == Int($1) } }
    #expect(right(own) > test.count / 2)
    #expect(right(own) == right(theirs))
    #expect(own == theirs)
  }

  /// The class with the largest score of each image.
  private func rows(_ scores: [Float], classes: Int) -> [Int] {
    stride(from: 0, to: scores.count, by: classes).map { first in
      (0..<classes).max { scores[first + $0] < scores[first + $1] } ?? 0
    }
  }

  private func zoo(_ name: String, side: Int) throws -> NetworkDescription {
    let network = try #require(Zoo.named(name)).network
    return try #require(network.adapted(height: side, width: side, channels: 3, classes: 10))
  }

  @Test func `a network of each family answers the same, folded or not`() throws {
    let names = [
      "fbnet_c", "fbnet_cse", "FBNetV2_F1", "FBNetV2_F4", "dmasking_f4", "FBNetV3_A",
      "FBNetV3_A_GPU", "mobilenet_v3_large",
    ]
    try compare(names.map { try zoo($0, side: 96) }, folds: [true, false])
  }

  @Test func `twenty random architectures of FBNetV1 answer the same, folded or not`() throws {
    var random = Philox(seed: 3, purpose: .test)
    func below(_ bound: Int) -> Int { Int(random.uniform() * Float(bound)) }
    let networks = (0..<20).map { index in
      var network = NetworkDescription(
        name: "random",
        height: 32,
        width: 32,
        channels: index % 2 == 0 ? 3 : 1,
        classes: 10
      )
      network.add(.convolution(kernel: 3, padding: nil, activation: .relu), output: 16)
      for (width, depth, stride) in [(16, 1, 1), (24, 3, 2), (32, 3, 2), (64, 3, 2), (112, 2, 1)] {
        for layer in 0..<depth {
          let candidate = below(9)
          let (expansion, groups) = [(1, 1), (1, 2), (3, 1), (6, 1)][candidate % 4]
          network.add(
            candidate == 8
              ? .skip
              : .invertedResidual(
                kernel: candidate < 4 ? 3 : 5,
                middle: network.end.channels * expansion,
                groups: groups,
                activation: index % 4 == 3 ? .hswish : .relu
              ),
            output: width,
            stride: layer == 0 ? stride : 1
          )
        }
      }
      network.add(.convolution(kernel: 1, padding: nil, activation: .relu), output: 128)
      return network
    }
    try compare(networks, folds: [true, false], images: 4)
  }

  @Test func `what only few networks have answers the same`() throws {
    var network = NetworkDescription(name: "rare", height: 21, width: 21, channels: 2, classes: 3)
    network.add(.convolution(kernel: 5, padding: 1, activation: .hswish), output: 12, stride: 2)
    let squeeze = BlockDescription.Bottleneck.Squeeze(channels: 4, inner: .hswish)
    network.add(
      .bottleneck(
        .init(
          kernels: [3, 5],
          middle: 24,
          groups: 3,
          squeeze: squeeze,
          activation: .hswish,
          padding: 2
        )
      ),
      output: 18
    )
    network.add(
      .bottleneck(.init(kernels: [3], middle: 36, depthwiseGroups: 4, activation: .relu)),
      output: 18
    )
    network.add(
      .bottleneck(.init(kernels: [3], middle: 36, depthwiseGroups: 1, activation: .relu)),
      output: 20,
      stride: 2
    )
    network.add(
      .fused(.init(kernels: [3], middle: 40, squeeze: squeeze, activation: .relu)),
      output: 20
    )
    network.add(
      .fused(.init(kernels: [3], middle: 20, activation: .hswish, projects: false)),
      output: 20
    )
    network.add(
      .bottleneck(.init(kernels: [3], middle: 40, activation: .relu, hasShortcut: false)),
      output: 20
    )
    network.add(.skip, output: 28, stride: 2)
    network.add(.pool(middle: 30, bias: true, activation: .hswish), output: 16)
    try compare([network], folds: [true, false], images: 2)
  }
}
