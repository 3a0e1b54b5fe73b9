import Foundation
import Runs
import Testing

@testable import Export

/// What `supertop figures` writes, against the rows of the store and the programs that read it.
struct FigureTests {
  // MARK: Event files

  @Test func `the checksum is that of the published vectors`() {
    // RFC 3720, B.4, and the usual check.
    #expect(CRC32C.checksum([UInt8](repeating: 0, count: 32)) == 0x8A91_36AA)
    #expect(CRC32C.checksum([UInt8](repeating: 0xFF, count: 32)) == 0x62A8_AB43)
    #expect(CRC32C.checksum(UInt8(0)..<32) == 0x46DD_794E)
    #expect(CRC32C.checksum((UInt8(0)..<32).reversed()) == 0x113F_DB5C)
    #expect(CRC32C.checksum("123456789".utf8) == 0xE306_9283)
    #expect(CRC32C.checksum([]) == 0)
  }

  private func export(_ run: RecordedRun) throws -> FigureExport {
    var places = FigurePlaces()
    places.tensorBoard = run.path("board")
    return try FigureExport(run.folder, to: places)
  }

  private func board(_ run: RecordedRun) throws -> FigureReaders.Board {
    try FigureReaders.Board(run.path("board/run"))
  }

  /// Compares what TensorBoard reads with the store's rows.
  private func expectRows(_ run: RecordedRun, _ board: FigureReaders.Board) throws {
    let reader = try run.folder.reader()
    let steps = try reader.steps()
    func expect(_ series: String, _ rows: [(Int, Double)]) {
      let found = board.scalars[series] ?? []
      let known = rows.filter { $0.1.isFinite }
      #expect(found.map(\.step) == known.map(\.0), "\(series)")
      #expect(found.map(\.value) == known.map { Float($0.1) }, "\(series)")
    }
    for phase in Phase.allCases {
      let own = steps.filter { $0.phase == phase }
      expect("loss/\(phase)", own.map { ($0.step, $0.loss) })
      expect("cost/\(phase)", own.map { ($0.step, $0.cost) })
      expect("images_per_second/\(phase)", own.map { ($0.step, 32 / $0.seconds) })
    }
    expect("temperature", steps.map { ($0.step, $0.temperature) })
    let epochs = try reader.epochs()
    expect("loss/validation", epochs.map { ($0.step, $0.validationLoss) })
    expect("accuracy/validation", epochs.map { ($0.step, $0.validationAccuracy) })
    expect("choices/settled", epochs.map { ($0.step, Double($0.settled ?? -1)) })
    let thetas = try reader.thetas()
    expect("cost/expected", thetas.map { ($0.step, $0.expectedCost ?? .nan) })
    for (index, choice) in try reader.choices().enumerated() {
      let found = board.histograms["probability/" + choice.id] ?? []
      #expect(found.map(\.step) == thetas.map(\.step))
      #expect(
        found.map(\.value)
          == thetas.map { theta in
            theta.probabilities[index].enumerated().map {
              [Double($0.offset), Double($0.offset + 1), $0.element]
            }
          }
      )
    }
    let texts = try #require(board.texts["architecture/most_probable"])
    #expect(texts.map(\.step) == epochs.map(\.step))
    #expect(texts.last?.value.hasPrefix("| choice | most probable | probability |\n|---|") == true)
    #expect(board.texts["architecture/options"]?.count == 1)
  }

  @Test(.enabled(if: FigureReaders.script.isUsable, "needs TensorBoard: make test installs it"))
  func `TensorBoard reads what the store has, also while it grows and after steps were taken back`()
    throws
  {
    let run = try RecordedRun()
    let export = try export(run)
    try export.update()
    try run.train(epochs: 2)
    try export.update()
    try export.update()
    try expectRows(run, board(run))
    // Resumed from the middle of the second epoch, with other results.
    try run.train(from: 14, epochs: 3, offset: 0.5)
    try export.update()
    try expectRows(run, board(run))
    #expect(try board(run).scalars["loss/validation"]?.map(\.value) == [1.5, 2, 2])
  }

  @Test(.enabled(if: FigureReaders.script.isUsable, "needs TensorBoard: make test installs it"))
  func `a second export takes the place of the first, and another run's is refused`() throws {
    let run = try RecordedRun()
    try run.train(epochs: 1)
    // Those with something in them.
    func files() throws -> [String] {
      try FileManager.default.contentsOfDirectory(atPath: run.path("board/run")).filter {
        FileManager.default.contents(atPath: run.path("board/run/" + $0))?.isEmpty == false
      }
    }
    var first: FigureExport? = try export(run)
    try first?.update()
    let before = try files()
    // The first is still at it.
    #expect(throws: UserError.self) { try export(run) }
    first = nil
    try export(run).update()
    #expect(try files().count == 1 && files() != before)
    try expectRows(run, board(run))
    for _ in 0..<2 { try export(run).update() }
    #expect(try FileManager.default.contentsOfDirectory(atPath: run.path("board/run")).count == 2)
    let other = try RecordedRun()
    var places = FigurePlaces()
    places.tensorBoard = run.path("board")
    do {
      _ = try FigureExport(other.folder, to: places)
      Issue.record("two runs share a folder")
    } catch let error as UserError {
      #expect(error.code == .cannotCreate)
      #expect("\(error)".contains("another run"))
    }
    #expect(try files().count == 1)
  }

  // MARK: MLflow

  @Test(.enabled(if: FigureReaders.script.isUsable, "needs MLflow: make test installs it"))
  func `MLflow reads metrics, parameters and tags, and a second export replaces the first`() throws
  {
    let run = try RecordedRun()
    try run.train(epochs: 1)
    var places = FigurePlaces()
    places.mlflow = run.path("ml runs")
    for epochs in [1, 2] {
      if epochs == 2 { try run.train(from: 10, epochs: 2) }
      let export = try FigureExport(run.folder, to: places)
      try export.update()
      try export.finish()
      let found = try #require(try FigureReaders.MLflow.runs(run.path("ml runs"))["run"])
      let steps = try run.folder.reader().steps().filter {
        $0.phase == .weights && $0.loss.isFinite
      }
      #expect(found.metrics["loss/weights"]?.map(\.step) == steps.map(\.step))
      #expect(found.metrics["loss/weights"]?.map(\.value) == steps.map(\.loss))
      #expect(found.status == "RUNNING")
      #expect(found.params["preset"] == "digits" && found.params["seed"] != nil)
      #expect(found.tags["supertop.run"] == run.folder.absolutePath)
      #expect(found.artifacts.contains("config.yaml"))
    }
    let store = try FileManager.default.contentsOfDirectory(atPath: run.path("ml runs"))
    #expect(store.filter { $0.hasPrefix(".") && $0 != ".trash" } == [])
  }

  // MARK: Tables

  private func tables(_ run: RecordedRun) throws {
    var places = FigurePlaces()
    (places.csv, places.jsonl) = (run.path("tables"), run.path("tables"))
    try FigureExport(run.folder, to: places).finish()
  }

  private func lines(_ run: RecordedRun, _ name: String) throws -> [String] {
    try String(contentsOfFile: run.path("tables/run/" + name), encoding: .utf8)
      .split(separator: "\n").map(String.init)
  }

  @Test func `tables are long, quoted, and the same in both forms`() throws {
    let run = try RecordedRun()
    try run.train(epochs: 1)
    try run.store.log(.info, "two\r\nlines, and a \"quote\"")
    try tables(run)
    #expect(
      try lines(run, "steps.csv").prefix(2) == [
        "step,epoch,phase,loss,cross_entropy,accuracy,cost,temperature,learning_rate,seconds,"
          + "images,multiplier",
        "0,0,weights,2.5,1.25,0.0,1000000.0,5.0,0.05,0.25,32,",
      ]
    )
    let shares = try #require(try run.folder.reader().thetas().first?.probabilities[0])
    #expect(
      try lines(run, "thetas.csv").prefix(4) == [
        "step,epoch,choice,option,logit,probability,accuracy_pull,cost_pull",
        "1,0.2,layer1.operator,\"k3, \"\"e1\"\"\",0.0,\(shares[0]),1.0,-1.0",
        "1,0.2,layer1.operator,k5_e1,0.1,\(shares[1]),2.0,-2.0",
        "1,0.2,layer1.operator,skip,-1.0,\(shares[2]),3.0,",
      ]
    )
    #expect(
      try lines(run, "thetas.jsonl")[2]
        .hasPrefix(
          "{\"step\":1,\"epoch\":0.2,\"choice\":\"layer1.operator\",\"option\":\"skip\","
        )
    )
    #expect(
      try lines(run, "thetas.jsonl")[2].hasSuffix("\"accuracy_pull\":3.0,\"cost_pull\":null}")
    )
    #expect(
      try lines(run, "rankings.csv") == [
        "epoch,network,cost,accuracy,loss", "0,0,1.0,0.5,1.0", "0,1,2.0,0.25,2.0",
      ]
    )
    let log = try String(contentsOfFile: run.path("tables/run/log.csv"), encoding: .utf8)
    #expect(log.contains(",info,\"two\r\nlines, and a \"\"quote\"\"\","))
    // Numbers come back to the bit, and every line has every column.
    let rows = try lines(run, "steps.jsonl").map {
      try #require(try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
    }
    let steps = try run.folder.reader().steps()
    #expect(rows.map { $0["cost"] as? Double } == steps.map(\.cost))
    #expect(rows.allSatisfy { $0.count == 12 })
    #expect(rows[4]["loss"] is NSNull)
    #expect(try lines(run, "trials.csv").count == 1)
    #expect(try lines(run, "trials.jsonl") == [])
  }

  @Test func `an empty text is not the same as none`() throws {
    #expect(FigureTable.csv("".cell) == "\"\"")
    #expect(FigureTable.csv((nil as String?).cell) == "")
    #expect(FigureTable.csv(Double.nan.cell) == "")
    #expect(try FigureTable.json(1e-7.cell) == "1e-07")
    #expect(try FigureTable.json("a\"\n".cell) == "\"a\\\"\\n\"")
  }

  @Test func `a joint search gives its candidates in the order of their numbers`() throws {
    let run = try RecordedRun(.joint(.preset("fbnet-v3-digits")))
    try run.store.beginSession(step: 0)
    var trials = (1...3).map {
      TrialRecord(
        number: $0,
        stage: .coarse,
        round: 0,
        options: [1, 0],
        resolution: 8,
        recipe: Recipe(),
        flops: 1e5 * Double($0),
        params: 1e3
      )
    }
    trials[0].state = .finished
    trials[0].accuracies = [0.25, 0.5]
    trials[2].state = .finished
    trials[2].accuracies = [0.75]
    try run.store.record(trials: trials)
    let figures = try RunFigures(run.folder)
    func told() throws -> [Int] {
      try figures.next().figures.filter { $0.series == "candidate/accuracy" }.map(\.step)
    }
    #expect(try told() == [1])
    trials[1].state = .failed
    try run.store.record(trials: trials)
    try run.store.beginSession(step: 3)
    #expect(try told() == [3])
    try tables(run)
    #expect(try lines(run, "trial_options.csv")[1] == "1,layer1.operator,k5_e1")
    #expect(
      try lines(run, "trial_epochs.csv") == [
        "number,epoch,val_accuracy,train_loss", "1,0,0.25,", "1,1,0.5,", "3,0,0.75,",
      ]
    )
    #expect(try lines(run, "trials.csv")[0].contains(",recipe.learning_rate,"))
  }

  // MARK: Prometheus

  @Test func `a page for Prometheus escapes its labels and has each gauge once`() throws {
    #expect(
      MetricsPage.sample("a", ["run": "x\\\"\n"], .infinity) == "a{run=\"x\\\\\\\"\\n\"} +Inf\n"
    )
    let run = try RecordedRun()
    try run.train(epochs: 1)
    let text = MetricsPage(places: [run.place.path]).text()
    let lines = text.split(separator: "\n").map(String.init)
    #expect(lines.contains("# TYPE supertop_loss gauge"))
    #expect(lines.contains("supertop_loss{phase=\"theta\",run=\"run\"} 0.25"))
    #expect(lines.contains("supertop_state{run=\"run\",state=\"gone\"} 1.0"))
    #expect(lines.contains("supertop_validation_accuracy{run=\"run\"} \(0.25 + 0.09)"))
    #expect(Set(lines).count == lines.count)
    #expect(lines.allSatisfy { $0.hasPrefix("# ") || $0.contains("{") })
  }
}
