import Foundation
import Runs
import Testing

@Suite struct RunStoreTests {
  private func run(in folder: String) throws -> RunFolder {
    try RunFolder.create(at: folder + "/run", config: try Configuration.preset("digits"))
  }

  @Test func `everything written is read back by another connection`() throws {
    try inTemporaryFolder {
      let run = try run(in: $0)
      let store = try run.store()
      let reader = try run.reader()
      #expect(try reader.status() == nil)
      #expect(try reader.result() == nil)
      #expect(try reader.choices() == [])

      let choices = [
        Choice(
          id: "layer1.operator",
          name: "layer 1",
          detail: "8x8 16→24 s2",
          group: "stage 1",
          options: [.init(name: "k3_e1"), .init(name: "skip")]
        ),
        Choice(name: "layer 2", detail: "", kind: .width, options: []),
        Choice(
          id: "input.resolution",
          name: "input",
          detail: "",
          kind: .resolution,
          options: [.init(name: "96", value: 96), .init(name: "128", value: 128)]
        ),
      ]
      let prices = [
        ChoicePrices(choice: "layer1.operator", flops: [1234.5, 0], params: [99, 0]),
        ChoicePrices(choice: "layer 2", flops: [], params: [], latency: []),
      ]
      try store.setChoices([choices[1]])
      #expect(try reader.prices() == [])
      try store.setChoices(choices, prices: prices)
      #expect(try reader.choices() == choices)
      #expect(try reader.prices() == prices)

      var status = RunStatus(state: .running, message: "zwölf")
      status.step = 2
      status.etaSeconds = 12.5
      try store.record(step: step(0), status: RunStatus())
      try store.record(step: step(1, phase: .theta), theta: theta(1), status: status)
      #expect(try reader.status() == status)
      #expect(try reader.steps() == [step(0), step(1, phase: .theta)])
      #expect(try reader.thetas() == [theta(1)])
      status.etaSeconds = nil
      try store.setStatus(status)
      #expect(try reader.status() == status)

      try store.record(epoch: epoch(0, step: 2))
      #expect(try reader.epochs() == [epoch(0, step: 2)])
      try store.setResult(#"{"event":"done"}"#)
      #expect(try reader.result() == #"{"event":"done"}"#)
      try store.log(.info, "one")
      try store.log(.warning, "two")
      #expect(try reader.log().map(\.text) == ["one", "two"])
      #expect(try reader.log(after: 1).map(\.level) == [.warning])
      #expect(try reader.log(limit: 1).map(\.text) == ["two"])
    }
  }

  @Test func `steps come in slices`() throws {
    try inTemporaryFolder {
      let store = try run(in: $0).store()
      for number in 0..<10 {
        try store.record(step: step(number), theta: theta(number), status: RunStatus())
      }
      #expect(try store.reader.steps(after: 3, limit: 2).map(\.step) == [4, 5])
      #expect(try store.reader.thetas(after: 7).map(\.step) == [8, 9])
      #expect(try store.reader.steps(after: 9) == [])
    }
  }

  @Test func `a diverged step keeps its NaN and infinity`() throws {
    try inTemporaryFolder {
      let store = try run(in: $0).store()
      var record = step(0)
      record.loss = .nan
      record.cost = .infinity
      var status = RunStatus(state: .running)
      status.imagesPerSecond = .nan
      status.etaSeconds = .infinity
      try store.record(step: record, theta: nil, status: status)
      let back = try #require(try store.reader.steps().first)
      #expect(back.loss.isNaN && back.cost == .infinity)
      #expect(try store.reader.status()?.imagesPerSecond.isNaN == true)
      #expect(try store.reader.status()?.etaSeconds == .infinity)
    }
  }

  @Test func `a command goes from request to its end`() throws {
    try inTemporaryFolder {
      let run = try run(in: $0)
      let store = try run.store()
      let reader = try run.reader()
      let actions: [Intervention.Action] = [
        .pause, .resume, .singleStep, .setTemperature(2.5), .scaleTemperature(1.1),
        .holdTemperature, .releaseTemperature, .checkpoint, .stop,
      ]
      let asked = try actions.map { try reader.request($0) }
      #expect(asked.map(\.action) == actions)
      #expect(try store.pendingInterventions() == asked)

      try store.accept(asked[3].id, step: 40)
      try store.accept(asked[0].id, step: 41)
      try store.finish(asked[0].id)
      try store.refuse(asked[1].id, note: "not paused")
      let now = try reader.interventions()
      #expect(now[3].state == .accepted && now[3].step == 40)
      #expect(now[0].state == .done && now[0].step == 41)
      #expect(now[1].state == .refused && now[1].note == "not paused" && now[1].step == nil)
      #expect(try store.pendingInterventions().map(\.id) == [asked[2].id] + asked[4...].map(\.id))
      #expect(try reader.interventions(after: asked[6].id).map(\.action) == [.checkpoint, .stop])
      #expect(try reader.interventions(limit: 1).map(\.action) == [.stop])
    }
  }

  @Test func `a new session takes back steps and settles old commands`() throws {
    try inTemporaryFolder {
      let run = try run(in: $0)
      let reader = try run.reader()
      do {
        let store = try run.store()
        #expect(try store.beginSession(step: 0) == 1)
        for number in 0..<20 {
          try store.record(step: step(number), theta: theta(number), status: RunStatus())
        }
        try store.record(epoch: epoch(0, step: 10))
        try store.record(epoch: epoch(1, step: 20))
        try store.setResult("{}")
        try store.log(.info, "kept")
        let early = try reader.request(.setTemperature(3))
        try store.accept(early.id, step: 4)
        try store.finish(early.id)
        let late = try reader.request(.scaleTemperature(1.1))
        try store.accept(late.id, step: 12)
        let pause = try reader.request(.pause)
        try store.accept(pause.id, step: 13)
        for action in [.stop, .releaseTemperature] as [Intervention.Action] {
          try reader.request(action)
        }
      }
      let store = try run.store()
      #expect(try store.beginSession(step: 10) == 2)
      #expect(try reader.session() == 2)
      #expect(try reader.steps().map(\.step) == Array(0..<10))
      #expect(try reader.thetas().map(\.step) == Array(0..<10))
      #expect(try reader.epochs().map(\.epoch) == [0])
      #expect(try reader.result() == nil)
      #expect(try reader.log().map(\.text) == ["kept"])
      #expect(
        try reader.interventions().map(\.state) == [
          .done, .accepted, .refused, .refused, .requested,
        ]
      )
      #expect(try store.pendingInterventions().map(\.action) == [.releaseTemperature])
      #expect(
        try store.acceptedInterventions(from: 10).map(\.action) == [.scaleTemperature(1.1)]
      )
      #expect(try store.acceptedInterventions(from: 4).map(\.step) == [4, 12])
      #expect(try store.acceptedInterventions(from: 4, after: 1).map(\.step) == [12])
    }
  }

  @Test func `two processes' worth of connections write and read at once`() async throws {
    let url = FileManager.default.temporaryDirectory.appendingPathComponent(
      "supertop-runs-\(UUID().uuidString)"
    )
    defer { try? FileManager.default.removeItem(at: url) }
    let run = try RunFolder.create(at: url.path, config: try Configuration.preset("digits"))
    let count = 300
    let trainer = Task.detached {
      let store = try run.store()
      var taken = 0
      for number in 0..<count {
        for intervention in try store.pendingInterventions() {
          try store.accept(intervention.id, step: number)
          try store.finish(intervention.id)
          taken += 1
        }
        try store.record(step: step(number), theta: theta(number), status: RunStatus())
      }
      return taken
    }
    let reader = try run.reader()
    var seen = -1
    var asked = 0
    while seen < count - 1 {
      let new = try reader.steps(after: seen)
      #expect(new.map(\.step) == Array((seen + 1)..<(seen + 1 + new.count)))
      #expect(try reader.thetas(after: seen).count >= new.count)
      seen += new.count
      // Gives its thread to the trainer: there may be no other.
      try await Task.sleep(for: .milliseconds(1))
      if asked < 20 {
        try reader.request(.checkpoint)
        asked += 1
      }
    }
    let taken = try await trainer.value
    let interventions = try reader.interventions()
    #expect(interventions.count == asked)
    #expect(interventions.map(\.state) == (0..<asked).map { $0 < taken ? .done : .requested })
  }

  @Test func `another format is refused by name`() throws {
    try inTemporaryFolder {
      let run = try run(in: $0)
      // The version is a big-endian number at byte 60 of an SQLite file.
      let url = URL(fileURLWithPath: run.storePath)
      var data = try Data(contentsOf: url)
      for format in [4, 9] as [UInt8] {
        data[63] = format
        try data.write(to: url)
        let error = try #require(try userError { _ = try RunFolder.open(path: run.path) })
        #expect(error.code == .data)
        #expect(error.place == run.path)
        #expect(error.problem == "a run of format \(format), this program reads format 5")
        #expect(try userError { _ = try run.store() } == error)
      }
    }
  }

  @Test func `a store that is cut or damaged gives one line, never a trap`() throws {
    try inTemporaryFolder {
      let run = try run(in: $0)
      do {
        let store = try run.store()
        try store.setChoices([Choice(name: "a", detail: "b", options: [])])
        for number in 0..<200 {
          try store.record(step: step(number), theta: theta(number), status: RunStatus())
        }
        try store.record(epoch: epoch(0, step: 200))
        try store.log(.info, "text")
        try store.reader.request(.pause)
      }
      let url = URL(fileURLWithPath: run.storePath)
      let whole = try Data(contentsOf: url)
      #expect(whole.count > 20_000)

      func readAll() throws {
        let reader = try RunFolder.open(path: run.path).reader()
        _ = try (reader.session(), reader.status(), reader.choices(), reader.steps())
        _ = try (reader.thetas(), reader.epochs(), reader.interventions(), reader.log())
        _ = try reader.result()
        _ = try run.store().pendingInterventions()
      }
      #expect(try userError(readAll) == nil)

      var refused = 0
      func tryOut(_ data: Data, _ label: String) throws {
        for suffix in ["-wal", "-shm"] {
          try? FileManager.default.removeItem(atPath: run.storePath + suffix)
        }
        try data.write(to: url)
        if let error = try userError(readAll) {
          refused += 1
          #expect(
            error.code != .software && !error.description.contains("\n"),
            "\(label): \(error)"
          )
        }
      }
      // SQLite keeps no checksums: a cut inside the last page may read as zeros unnoticed.
      let cuts = [
        1, 17, 99, 100, 511, 4095, 4096, 8192, 12_288, whole.count / 2, whole.count - 4096,
      ]
      for (index, count) in cuts.enumerated() {
        try tryOut(whole.prefix(count), "cut at \(count)")
        #expect(refused == index + 1, "cut at \(count) of \(whole.count)")
        refused = index + 1
      }
      for offset in stride(from: 0, to: whole.count, by: 251) {
        var data = whole
        for index in offset..<min(offset + 16, whole.count) { data[index] ^= 0xA5 }
        try tryOut(data, "damage at \(offset)")
      }
      #expect(refused > cuts.count + 20)
    }
  }

  @Test func `a full or closed folder says so`() throws {
    try inTemporaryFolder {
      let run = try run(in: $0)
      let store = try run.store()
      try store.log(.info, "before")
      let reader = try run.reader()
      try FileManager.default.removeItem(atPath: run.path)
      let error = try userError { try reader.request(.pause) }
      #expect(error != nil)
    }
  }
}
