import Dispatch
import Foundation
import TestSupport
import Testing

@testable import Runs

/// The lease of a run that machines share, and the lock that it is part of.
@Suite struct LeaseTests {
  /// A lease of a process of another machine.
  private static func write(_ path: String, token: String = "other", beats: Int = 0) throws {
    let holder = Lease.Holder(
      host: "elsewhere",
      machine: "elsewhere since noon",
      process: 1,
      token: token,
      beats: beats
    )
    try JSONEncoder().encode(holder).write(to: URL(fileURLWithPath: path))
  }

  private static func claim(
    _ path: String,
    watch: LeaseWatch = LeaseWatch(),
    patience: Double = 3600,
    beat: Double = 2
  ) throws -> Lease? {
    try Lease.claim(path, watch: watch, patience: patience, beat: beat)
  }

  @Test func `the file is there for as long as the lease is held`() throws {
    try inTemporaryFolder {
      let path = $0 + "/lease.json"
      var lease = try Self.claim(path)
      #expect(lease?.renew() == true)
      #expect(Lease.holder(of: path)?.process == getpid())
      #expect(Lease.holder(of: path)?.host == Machine.name)
      lease = nil
      #expect(try FileManager.default.contentsOfDirectory(atPath: $0).isEmpty)
    }
  }

  @Test func `what a process of this machine left is taken over at once`() throws {
    try inTemporaryFolder {
      let path = $0 + "/lease.json"
      let lost = try #require(try Self.claim(path))
      let next = try #require(try Self.claim(path))
      #expect(lost.renew() || next.renew())
      #expect(Lease.holder(of: path)?.beats == 0)
      withExtendedLifetime((lost, next)) {}
    }
  }

  @Test func `a lease of another machine is dead when it does not change`() throws {
    try inTemporaryFolder {
      let path = $0 + "/lease.json"
      let watch = LeaseWatch()
      func claim() throws -> Lease? { try Self.claim(path, watch: watch, patience: 0) }
      try Self.write(path)
      #expect(try claim() == nil)
      try Self.write(path, beats: 1)
      #expect(try claim() == nil)
      #expect(try claim() != nil)
      try Self.write(path)
      let patient = LeaseWatch()
      for _ in 0..<3 { #expect(try Self.claim(path, watch: patient) == nil) }
    }
  }

  @Test func `a damaged lease counts as one of another machine`() throws {
    try inTemporaryFolder {
      let path = $0 + "/lease.json"
      try Data("{\"host\":".utf8).write(to: URL(fileURLWithPath: path))
      let watch = LeaseWatch()
      #expect(try Self.claim(path, watch: watch, patience: 0) == nil)
      #expect(try Self.claim(path, watch: watch, patience: 0) != nil)
    }
  }

  @Test func `a holder raises its count, and notices that it was replaced`() throws {
    try inTemporaryFolder {
      let path = $0 + "/lease.json"
      var lease = try Self.claim(path, beat: 0.01)
      #expect(eventually { lease?.renew() == true && (Lease.holder(of: path)?.beats ?? 0) > 2 })
      try Self.write(path)
      #expect(eventually { lease?.renew() == false })
      lease = nil
      #expect(Lease.holder(of: path)?.token == "other")
    }
  }

  @Test func `of many who see a lease dead one keeps it`() throws {
    try inTemporaryFolder {
      let path = $0 + "/lease.json"
      try Self.write(path)
      let lock = NSLock()
      nonisolated(unsafe) var leases: [Lease] = []
      DispatchQueue.concurrentPerform(iterations: 8) { _ in
        let watch = LeaseWatch()
        for _ in 0..<20 {
          guard let lease = try? Self.claim(path, watch: watch, patience: 0, beat: 3600) else {
            continue
          }
          lock.withLock { leases.append(lease) }
          return
        }
      }
      #expect(!leases.isEmpty)
      let token = Lease.holder(of: path)?.token
      #expect(token != nil && token != "other")
    }
  }

  // MARK: The lock

  private static func shared(_ path: String, patience: Double) throws -> RunFolder {
    let run = try RunFolder.create(at: path, config: try Configuration.preset("digits"))
    try run.share(Sharing(patience: patience, version: "1", instructionSet: "avx2"))
    return run
  }

  @Test func `the lock of a run that machines share is a lease too`() throws {
    try inTemporaryFolder {
      let run = try Self.shared($0 + "/run", patience: 3600)
      var lock: TrainerLock? = try run.lock()
      #expect(run.worker()?.process == getpid())
      #expect(lock?.isLost == false)
      lock = nil
      #expect(run.worker() == nil)
      try Self.write(run.path + "/lease.json")
      let error = try #require(try userError { _ = try run.lock(waits: false) })
      #expect(error.code == .busy && error.description.contains("process 1 on elsewhere"))
      #expect(run.worker()?.host == "elsewhere")
      // SQLite's log is not read while another machine writes it.
      let reading = try #require(try userError { _ = try run.reader() })
      #expect(reading.code == .busy && reading.description.contains("elsewhere"))
    }
  }

  @Test func `who waits for the lock finds a living holder and takes over a dead one`() throws {
    try inTemporaryFolder { folder in
      let run = try Self.shared(folder + "/run", patience: 0.3)
      try Self.write(run.path + "/lease.json")
      #expect(try run.lock().isLost == false)
      let patient = try Self.shared(folder + "/patient", patience: 3600)
      try Self.write(patient.path + "/lease.json")
      // Its holder lives: it raises its count while somebody waits.
      let path = patient.path + "/lease.json"
      let done = DispatchGroup()
      DispatchQueue.global().async(group: done) {
        usleep(200_000)
        try? Self.write(path, beats: 1)
      }
      #expect(try userError { _ = try patient.lock() }?.code == .busy)
      done.wait()
    }
  }

  @Test func `a store takes nothing from a process whose run another machine took over`() throws {
    try inTemporaryFolder {
      let run = try Self.shared($0 + "/run", patience: 0.1)
      let lock = try run.lock()
      let store = try run.store(under: lock)
      try store.log(.info, "before")
      // Again and again: its holder may be writing it just now.
      #expect(
        try eventually {
          try Self.write(run.path + "/lease.json")
          return lock.isLost
        }
      )
      let error = try #require(try userError { try store.log(.info, "after") })
      #expect(error.code == .busy && error.description.contains("another machine"))
      #expect(try store.reader.log().map(\.text) == ["before"])
    }
  }

  @Test func `a process that lost its run removes nothing of its successor's`() throws {
    try inTemporaryFolder {
      let run = try Self.shared($0 + "/run", patience: 0.1)
      let lock = try run.lock()
      let store = try run.store(under: lock)
      let checkpoint = Checkpoint(metadata: ["a": "b"])
      try run.writeCheckpoint(checkpoint, step: 5, confirm: store.confirm)
      // The other one is further, and in the middle of a file.
      try run.writeCheckpoint(checkpoint, step: 9)
      let part = run.checkpointsPath + "/step-00000010.safetensors.7.part"
      try Data("unfinished".utf8).write(to: URL(fileURLWithPath: part))
      var looks = 0
      // Lost between the file and what follows it.
      let error = try userError {
        try run.writeCheckpoint(checkpoint, step: 6) {
          looks += 1
          guard looks > 1 else { return }
          _ = try eventually {
            try Self.write(run.path + "/lease.json")
            return lock.isLost
          }
          try store.confirm()
        }
      }
      #expect(error?.code == .busy)
      #expect(run.checkpointSteps() == [5, 6, 9] && pathExists(part))
      #expect(try userError { try store.confirm() }?.code == .busy)
    }
  }
}
