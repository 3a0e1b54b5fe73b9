import Foundation
import Runs

/// TensorBoard and MLflow.
enum FigureReaders {
  static let script = PythonScript(
    "read_figures.py",
    environment: "figures",
    variable: "SUPERTOP_FIGURES_PYTHON"
  )

  private static func read<T: Decodable>(_ format: String, _ folder: String) throws -> T {
    try JSONDecoder().decode(T.self, from: script.run([format, folder]))
  }

  /// What TensorBoard reads of a folder of event files.
  struct Board: Decodable {
    /// A value at a step: `[step, value]`.
    struct Point<Value: Decodable>: Decodable {
      var step: Int
      var value: Value

      init(from decoder: any Decoder) throws {
        var list = try decoder.unkeyedContainer()
        step = try list.decode(Int.self)
        value = try list.decode(Value.self)
      }
    }

    var scalars: [String: [Point<Float>]]
    var histograms: [String: [Point<[[Double]]>]]
    var texts: [String: [Point<String>]]

    init(_ folder: String) throws { self = try FigureReaders.read("tensorboard", folder) }
  }

  /// A run as MLflow reads it.
  struct MLflow: Decodable {
    var status: String
    var params: [String: String]
    var tags: [String: String]
    var artifacts: [String]
    var metrics: [String: [Board.Point<Double>]]

    /// The runs of a store, by name.
    static func runs(_ store: String) throws -> [String: MLflow] {
      try FigureReaders.read("mlflow", store)
    }
  }
}

/// A run whose store a test fills as a trainer would.
struct RecordedRun {
  let place: TemporaryFolder
  let folder: RunFolder
  let store: RunStore

  /// A folder that is removed at the end.
  final class TemporaryFolder: Sendable {
    let path = NSTemporaryDirectory() + "supertop-figures-\(UUID().uuidString)"

    deinit { try? FileManager.default.removeItem(atPath: path) }
  }

  init(_ settings: RunSettings? = nil) throws {
    place = TemporaryFolder()
    folder = try RunFolder.create(
      at: place.path + "/run",
      settings: try settings ?? .search(.preset("digits"))
    )
    store = try folder.store()
    try store.setChoices([
      Choice(
        id: "layer1.operator",
        name: "layer 1",
        detail: "8x8 8→8",
        options: ["k3, \"e1\"", "k5_e1", "skip"].map { .init(name: $0) }
      ),
      Choice(
        id: "layer1.width",
        name: "layer 1",
        detail: "",
        kind: .width,
        options: [8, 16].map { .init(name: "\($0)", value: Double($0)) }
      ),
    ])
  }

  /// A folder beside the run.
  func path(_ name: String) -> String { place.path + "/" + name }

  /// Records epochs of ten steps, of which every other one is on θ, from a step on.
  func train(from first: Int = 0, epochs: Int, offset: Double = 0) throws {
    try store.beginSession(step: first)
    for step in first..<10 * epochs {
      let isTheta = step % 2 == 1
      let status = RunStatus(state: .running)
      try store.record(
        step: StepRecord(
          step: step,
          epoch: step / 10,
          phase: isTheta ? .theta : .weights,
          // A loss that has diverged is no number.
          loss: step == 4 ? .nan : 2.5 / Double(step + 1) + offset,
          crossEntropy: 1.25,
          accuracy: 0.1 * Double(step % 10),
          cost: 1e6 + Double(step) / 3,
          temperature: 5 / Double(step + 1),
          learningRate: 0.05,
          seconds: 0.25,
          images: 32
        ),
        theta: isTheta
          ? ThetaRecord(
            step: step,
            epoch: Double(step + 1) / 10,
            logits: [[0, Float(step) / 10, -1], [Float(offset), 2]],
            accuracyPull: [[1, 2, 3], [4, 5]],
            costPull: [[-1, -2, .infinity], [-4, -5]],
            expectedCost: 1e6 - Double(step)
          ) : nil,
        status: status
      )
      guard step % 10 == 9 else { continue }
      try store.record(
        epoch: EpochRecord(
          epoch: step / 10,
          step: step + 1,
          trainLoss: 1,
          trainAccuracy: 0.5,
          validationLoss: 1.5 + offset,
          validationAccuracy: 0.25 + Double(step) / 100,
          argmaxAccuracy: 0.125,
          expectedCost: 3e6,
          argmaxFlops: 2e6,
          argmaxParams: 1e5,
          temperature: 5,
          seconds: 4,
          settled: 1,
          meanEntropyBits: 1.5,
          ranking: Ranking(costs: [1, 2], accuracies: [0.5, 0.25], losses: [1, 2])
        )
      )
    }
  }
}
