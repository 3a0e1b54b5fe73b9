import Foundation
import Runs

/// Runs `body` with the path of an empty folder that is removed afterwards.
func inTemporaryFolder<T>(_ body: (String) throws -> T) throws -> T {
  let url = FileManager.default.temporaryDirectory.appendingPathComponent(
    "supertop-runs-\(UUID().uuidString)"
  )
  try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(at: url) }
  return try body(url.path)
}

/// The user error that `body` ends with; nil when it ends well, any other error is passed on.
func userError(_ body: () throws -> Void) throws -> UserError? {
  do {
    try body()
    return nil
  } catch let error as UserError {
    return error
  }
}

/// Writes a text file into a folder and gives its path.
func write(_ text: String, to folder: String, as name: String = "config.yaml") throws -> String {
  let path = folder + "/" + name
  try text.write(toFile: path, atomically: false, encoding: .utf8)
  return path
}

/// A step whose every figure differs.
func step(_ number: Int, phase: Phase = .weights) -> StepRecord {
  StepRecord(
    step: number,
    epoch: number / 10,
    phase: phase,
    loss: 2.5 / Double(number + 1),
    crossEntropy: 1.25,
    accuracy: 0.75,
    cost: 1e6 + Double(number),
    temperature: 4.5,
    learningRate: 0.05,
    seconds: 0.01,
    images: 32
  )
}

/// Two choices of unequal size.
func theta(_ number: Int) -> ThetaRecord {
  ThetaRecord(
    step: number,
    epoch: Double(number) / 10,
    logits: [[0.5, -1, Float(number)], [1e-30, 2]],
    accuracyPull: [[1, 2, 3], [4, 5]],
    costPull: [[-1, -2, -3], [-4, -5]],
    expectedCost: 1e6 + Double(number)
  )
}

/// An epoch whose every figure differs.
func epoch(_ number: Int, step: Int) -> EpochRecord {
  EpochRecord(
    epoch: number,
    step: step,
    trainLoss: 1,
    trainAccuracy: 0.5,
    validationLoss: 1.5,
    validationAccuracy: 0.25,
    argmaxAccuracy: 0.125,
    expectedCost: 3e6,
    argmaxFlops: 2e6,
    argmaxParams: 1e5,
    temperature: 5,
    seconds: 12
  )
}
