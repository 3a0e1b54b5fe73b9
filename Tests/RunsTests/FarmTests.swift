import Foundation
import TestSupport
import Testing

@testable import Runs

/// The files of a farm.
@Suite struct FarmTests {
  private static let sharing = Sharing(patience: 60, version: "1", instructionSet: "avx2")

  private static func trial(_ path: String) throws -> RunFolder {
    try RunFolder.create(
      at: path,
      settings: .training(
        TrainingConfiguration(network: "n", data: .init(source: "digits", resolution: 8))
      ),
      network: Data("{}".utf8)
    )
  }

  private static func farm(_ folder: String, _ trials: [String], joint: Bool = true) throws
    -> Farm
  {
    let run = try RunFolder.create(at: folder + "/run", config: try Configuration.preset("digits"))
    try Farm.make(run, trials: trials, isJoint: joint, sharing: sharing)
    return try Farm(run)
  }

  @Test(
    arguments: [
      ([], ""), ([4], "4"), ([0, 1, 2], "0-2"), ([0, 2, 3, 4, 7], "0,2-4,7"), ([1, 2], "1-2"),
    ] as [([Int], String)]
  )
  func `numbers are written as schedulers take them`(numbers: [Int], text: String) {
    #expect(numbers.ranges == text)
  }

  @Test func `a trial is what its files say`() throws {
    try inTemporaryFolder {
      let names = (1...6).map { "trials/candidate-\($0)" }
      let farm = try Self.farm($0, names)
      let runs = try names.dropLast().map { try Self.trial(farm.folder.path + "/" + $0) }
      try runs.forEach { try $0.share(Self.sharing) }
      let epoch = EpochRecord(
        epoch: 0,
        step: 1,
        trainLoss: .nan,
        trainAccuracy: 0,
        validationLoss: 1,
        validationAccuracy: 0.5,
        argmaxAccuracy: 0,
        expectedCost: 0,
        argmaxFlops: 0,
        argmaxParams: 0,
        temperature: 0,
        seconds: 1
      )
      var report = TrialReport()
      report.epochs = [epoch]
      try runs[1].write(report: report)
      let lock = try runs[1].lock()
      report.fault = "diverged"
      try runs[2].write(report: report)
      var lead = Farm.Lead()
      lead.stopped = [names[3]]
      try farm.write(lead: lead)
      let trials = try farm.trials()
      #expect(trials.map(\.state) == [.waiting, .running, .failed, .stopped, .waiting, .waiting])
      #expect(trials.map(\.index) == Array(0..<6))
      #expect(trials[1].epochs == 1 && trials[1].accuracy == 0.5)
      #expect(trials[1].process == getpid() && trials[1].host == Machine.name)
      #expect(trials[2].message == "diverged")
      let read = try runs[1].report()
      #expect(read.epochs.count == 1 && read.epochs[0].trainLoss.isNaN)
      withExtendedLifetime(lock) {}
    }
  }

  @Test func `candidates that people add come behind those that were foreseen`() throws {
    try inTemporaryFolder {
      let farm = try Self.farm($0, ["trials/candidate-1", "trials/candidate-2"])
      for number in [10, 9, 2] {
        _ = try Self.trial(farm.folder.path + "/trials/candidate-\(number)")
      }
      #expect(makeFolders(farm.folder.path + "/trials/candidate-3.new-1") == 0)
      #expect(farm.runs.map { $0.dropFirst(17) } == ["1", "2", "9", "10"])
      #expect(farm.count == 4)
    }
  }

  @Test func `a run without a farm and damaged files are refused in one line`() throws {
    try inTemporaryFolder { folder in
      let plain = try RunFolder.create(
        at: folder + "/plain",
        config: try Configuration.preset("digits")
      )
      let error = try #require(try userError { _ = try Farm(plain) })
      #expect(error.code == .usage && error.description.contains("supertop farm init"))
      for name in ["farm.json", "shared.json", "lead.json", "trials/candidate-1/trial.json"] {
        let place = folder + "/" + name.replacing("/", with: "-")
        let farm = try Self.farm(place, ["trials/candidate-1"])
        let run = try Self.trial(farm.folder.path + "/trials/candidate-1")
        try run.write(report: TrialReport())
        try farm.write(lead: Farm.Lead())
        _ = try Farm(farm.folder).trials()
        let path = farm.folder.path + "/" + name
        let whole = try readBytes(path)
        for bytes in [Data(), whole.prefix(whole.count / 2), Data("[1]".utf8)] {
          try bytes.write(to: URL(fileURLWithPath: path))
          let error = try #require(
            try userError { _ = try Farm(farm.folder).trials() },
            "\(name)"
          )
          #expect(error.code == .data && error.description.contains(name), "\(error)")
        }
      }
    }
  }
}
