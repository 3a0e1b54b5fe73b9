import Foundation
import Runs
import Testing

/// Many runs at a glance: what they are at, what they came to, where they come from.
@Suite struct RunScannerTests {
  private func make(
    _ path: String,
    seed: UInt64 = 1,
    _ body: (RunFolder, RunStore) throws -> Void = { _, _ in }
  ) throws {
    var configuration = try Configuration.preset("digits")
    configuration.seed = seed
    let folder = try RunFolder.create(at: path, config: configuration)
    try body(folder, try folder.store())
  }

  private func status(_ state: RunStatus.State, step: Int = 5) -> RunStatus {
    var status = RunStatus(state: state, message: state == .failed ? "out of digits" : "")
    (status.step, status.totalSteps, status.epochs) = (step, 10, 2)
    status.heartbeat = Date().timeIntervalSince1970
    return status
  }

  @Test func `every run of a folder is told of, in the order of the numbers in their names`() throws
  {
    try inTemporaryFolder { folder in
      for number in [10, 9, 1] { try make(folder + "/run-\(number)") }
      _ = try write("no run", to: folder, as: "notes.txt")
      try FileManager.default.createDirectory(
        atPath: folder + "/empty",
        withIntermediateDirectories: true
      )
      let runs = RunScanner(places: [folder]).scan()
      #expect(runs.map(\.name) == ["run-1", "run-9", "run-10"])
      #expect(runs.allSatisfy { $0.state == .new && $0.kind == .search && $0.preset == "digits" })
      // A run that is named twice is one run.
      let named = RunScanner(places: [folder + "/run-9", folder]).scan()
      #expect(named.map(\.name) == ["run-9", "run-1", "run-10"])
    }
  }

  @Test func `the state is what status, lock and signs of life say together`() throws {
    try inTemporaryFolder { folder in
      for state in [RunStatus.State.stopped, .finished, .failed, .running] {
        try make(folder + "/\(state.rawValue)") { run, store in
          try store.beginSession(step: 0)
          try store.record(epoch: epoch(0, step: 5))
          try store.setStatus(status(state))
        }
      }
      let live = try RunFolder.open(path: folder + "/running")
      let scanner = RunScanner(places: [folder])
      func found() -> [String: RunOverview] {
        Dictionary(uniqueKeysWithValues: scanner.scan().map { ($0.name, $0) })
      }
      var runs = found()
      #expect(runs["stopped"]?.state == .stopped && runs["finished"]?.state == .finished)
      #expect(runs["failed"]?.state == .failed && runs["failed"]?.problem == "out of digits")
      #expect(runs["running"]?.state == .gone)
      #expect(runs["running"]?.progress == 0.5 && runs["running"]?.validationAccuracy == 0.25)
      #expect(runs["running"]?.cost == 3e6 && runs["running"]?.metric == .flops)
      let begun = try #require(runs["running"]?.begun)
      #expect(abs(begun - Date().timeIntervalSince1970) < 60)

      let lock = try live.lock()
      #expect(found()["running"]?.state == .running)
      try live.store().setStatus(status(.paused, step: 7))
      runs = found()
      #expect(runs["running"]?.state == .paused && runs["running"]?.status?.step == 7)
      // Neither a beat nor a word for longer than anybody waits.
      var silent = status(.running)
      silent.heartbeat -= 60
      try live.store().setStatus(silent)
      #expect(runs["running"]?.isLive == true)
      withExtendedLifetime(lock) {}
    }
  }

  @Test func `what cannot be read has a row with the reason`() throws {
    try inTemporaryFolder { folder in
      try make(folder + "/good")
      try make(folder + "/broken")
      try Data("not a database at all".utf8)
        .write(to: URL(fileURLWithPath: folder + "/broken/run.sqlite"))
      try make(folder + "/wrong")
      _ = try write("kind: search\nsearch: [", to: folder + "/wrong")
      try make(folder + "/orphan")
      _ = try write("{\"run\": 3}", to: folder + "/orphan", as: "parent.json")
      let runs = RunScanner(places: [folder, folder + "/nowhere"]).scan()
      #expect(runs.map(\.name) == ["broken", "good", "orphan", "wrong", "nowhere"])
      #expect(runs.map { $0.state == .unreadable } == [true, false, true, true, true])
      for run in runs where run.state == .unreadable {
        #expect(run.problem?.isEmpty == false, "\(run.name)")
      }
    }
  }

  @Test func `only a run whose store has changed is read again, and a new one is found`() throws {
    try inTemporaryFolder { folder in
      try make(folder + "/one")
      let scanner = RunScanner(places: [folder])
      #expect(scanner.scan().map(\.name) == ["one"] && scanner.isComplete)
      try make(folder + "/two") { _, store in try store.setStatus(status(.finished)) }
      #expect(scanner.scan().map(\.state) == [.new, .finished])
      try RunFolder.open(path: folder + "/one").store().setStatus(status(.stopped))
      #expect(scanner.scan().map(\.state) == [.stopped, .finished])
      removeAll(folder + "/two")
      #expect(scanner.scan().map(\.name) == ["one"])
    }
  }

  @Test func `a scan that runs out of time reads one run and leaves the rest for the next`() throws
  {
    try inTemporaryFolder { folder in
      for number in 1...3 { try make(folder + "/run-\(number)") }
      let scanner = RunScanner(places: [folder])
      for number in 1...3 {
        #expect(scanner.scan(within: -1).map(\.name) == (1...number).map { "run-\($0)" })
        #expect(scanner.isComplete == (number == 3))
      }
      #expect(scanner.scan(within: -1).count == 3 && scanner.isComplete)
    }
  }

  /// A large run took longer to read than a scan may last, and no run behind it was ever found.
  @Test func `a run that changes all the time keeps no other from being read`() throws {
    try inTemporaryFolder { folder in
      try make(folder + "/a")
      let store = try RunFolder.open(path: folder + "/a").store()
      let scanner = RunScanner(places: [folder])
      func scan(step: Int) throws -> [RunOverview] {
        try store.setStatus(status(.finished, step: step))
        return scanner.scan(within: -1)
      }
      #expect(try scan(step: 1).map(\.name) == ["a"])
      try make(folder + "/b") { _, store in try store.setStatus(status(.finished, step: 1)) }
      #expect(try scan(step: 2).map { $0.status?.step } == [1, 1])
      // Both are due now: the one that was read longest ago comes first.
      try RunFolder.open(path: folder + "/b").store().setStatus(status(.finished, step: 2))
      #expect(try scan(step: 3).map { $0.status?.step } == [3, 1])
      #expect(try scan(step: 4).map { $0.status?.step } == [3, 2])
      #expect(try scan(step: 5).map { $0.status?.step } == [5, 2])
    }
  }

  @Test func `the keys in which runs differ are told, and no others`() throws {
    try inTemporaryFolder { folder in
      try make(folder + "/a", seed: 1)
      try make(folder + "/b", seed: 2)
      try make(folder + "/c", seed: 2)
      let runs = RunScanner(places: [folder]).scan()
      #expect(RunOverview.differingKeys(runs) == ["seed"])
      #expect(runs.map { $0.value(of: "seed") } == ["1", "2", "2"])
      #expect(RunOverview.differingKeys(Array(runs.dropFirst())) == [])
      #expect(runs[0].value(of: "space.candidates")?.hasPrefix("[") == true)
      #expect(runs[0].value(of: "kind") == nil)
      var run = RunOverview(path: folder)
      run.values = [
        ("rate", "3.5999999999999996"), ("flops", "90000.0"), ("seed", "12345678"),
        ("source", "cifar10:a.b"),
      ].map { RunSettings.Value(key: $0, text: $1) }
      let texts = run.values.map { run.text(of: $0.key) }
      #expect(texts == ["3.6", "90000", "12345678", "cifar10:a.b"])
    }
  }

  @Test func `descent is by record or by place`() throws {
    try inTemporaryFolder { folder in
      try make(folder + "/one")
      try make(folder + "/one/derived/0120")
      try make(folder + "/one/trials/3")
      try make(folder + "/branch") { run, _ in
        #expect(try run.parent() == nil)
        try run.write(parent: RunParent(run: "one", step: 40))
        #expect(try run.parent() == RunParent(run: "one", step: 40))
      }
      func parents(_ place: String) -> [String?] {
        RunScanner(places: [place]).scan().map(\.parent)
      }
      let whole = Path.absolute(folder) + "/one"
      #expect(parents(folder + "/one/derived") == [whole])
      #expect(parents(folder + "/one/trials/3") == [whole])
      #expect(parents(folder) == ["one", nil])
      #expect(RunScanner(places: [folder + "/branch"]).scan().first?.parentStep == 40)
    }
  }

  @Test func `hundreds of runs do not need hundreds of open files`() throws {
    try inTemporaryFolder { folder in
      try make(folder + "/run-1")
      for number in 2...60 {
        try FileManager.default.copyItem(
          atPath: folder + "/run-1",
          toPath: folder + "/run-\(number)"
        )
      }
      func open() -> Int { (names(in: "/proc/self/fd") ?? names(in: "/dev/fd") ?? []).count }
      let before = open()
      let scanner = RunScanner(places: [folder])
      #expect(scanner.scan().count == 60)
      #expect(open() < before + 20)
    }
  }
}
