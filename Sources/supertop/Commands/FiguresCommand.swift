import ArgumentParser
import Export
import Foundation
import Runs
import Synchronization

/// `supertop figures`: what runs have recorded, for TensorBoard, MLflow, Prometheus and tables.
struct FiguresCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "figures",
    abstract: "Write what runs recorded for TensorBoard, MLflow, Prometheus or as tables.",
    discussion: """
      Of live and finished runs alike; training is not slowed down. Several outputs may be asked \
      for at once. In a folder each run gets one of its own name; a second export of a run \
      replaces the first.

        supertop figures runs/digits-1 --tensorboard board --follow
        supertop figures runs --csv tables --jsonl tables
        supertop figures runs --prometheus 9200
      """
  )

  @Argument(
    help: ArgumentHelp("Runs, or folders that hold runs.", valueName: "run"),
    completion: .directory
  )
  var paths: [String]

  @Option(
    help: ArgumentHelp("Event files for TensorBoard.", valueName: "folder"),
    completion: .directory
  )
  var tensorboard: String?

  @Flag(help: "Go on until the runs end, or to Ctrl-C.")
  var follow = false

  @Option(
    help: ArgumentHelp("Runs in MLflow's file store.", valueName: "folder"),
    completion: .directory
  )
  var mlflow: String?

  @Option(
    help: ArgumentHelp("Every table of the store as CSV.", valueName: "folder"),
    completion: .directory
  )
  var csv: String?

  @Option(
    help: ArgumentHelp("The same as JSON Lines.", valueName: "folder"),
    completion: .directory
  )
  var jsonl: String?

  @Option(
    help: ArgumentHelp(
      "Serve http://127.0.0.1:PORT/metrics until Ctrl-C; 0 for any free port.",
      valueName: "port"
    )
  )
  var prometheus: Int?

  func validate() throws {
    let hasFiles = [tensorboard, mlflow, csv, jsonl].contains { $0 != nil }
    guard hasFiles || prometheus != nil else {
      throw ValidationError(
        "where to? give --tensorboard FOLDER, --mlflow FOLDER, --csv FOLDER, --jsonl FOLDER or "
          + "--prometheus PORT"
      )
    }
    if let prometheus, !(0...65535).contains(prometheus) {
      throw ValidationError(
        "--prometheus \(prometheus): a port is 1 to 65535, or 0 for any free one"
      )
    }
    guard prometheus == nil || !hasFiles && !follow else {
      throw ValidationError("--prometheus PORT serves until Ctrl-C: give it alone")
    }
  }

  func run() throws {
    let places = try RunPlaces(paths)
    if let prometheus { return try serve(places, port: UInt16(prometheus)) }
    var outputs = FigurePlaces()
    outputs.tensorBoard = tensorboard
    (outputs.mlflow, outputs.csv, outputs.jsonl) = (mlflow, csv, jsonl)
    let exports = try runs(places).map { try FigureExport($0, to: outputs) }
    let signals = Signals { _ in }
    while true {
      // Asked before the records are read: what a trainer wrote before it went is then seen.
      let isLive = exports.contains(where: \.isLive)
      for export in exports { try export.update() }
      guard follow, isLive, signals.received == nil else { break }
      Thread.sleep(forTimeInterval: 0.5)
    }
    for export in exports { try export.finish() }
    if let number = signals.received { throw ExitCode(128 + number) }
  }

  /// The runs of the places, each under a name of its own.
  private func runs(_ places: RunPlaces) throws -> [RunFolder] {
    let folders = try places.paths.flatMap { place -> [RunFolder] in
      guard !RunScanner.isRun(place) else { return [try RunFolder.open(path: place)] }
      let runs = try RunScanner.runs(in: place)
      guard !runs.isEmpty else {
        throw UserError(
          .data,
          place,
          "not a run, and holds none",
          remedy: "name a folder in runs/"
        )
      }
      return try runs.map { try RunFolder.open(path: "\(place)/\($0.name(in: place))") }
    }
    for (name, same) in Dictionary(
      grouping: folders,
      by: { Path.name($0.absolutePath) }
    ) where same.count > 1 {
      throw UserError(
        .usage,
        same[1].path,
        "\(same[0].path) is called \(name) as well",
        remedy: "export them one by one, into folders of their own"
      )
    }
    return folders
  }

  private func serve(_ places: RunPlaces, port: UInt16) throws {
    // A typing mistake is told at once; a run that turns bad later has a line of its own.
    _ = try runs(places)
    let server = try PageServer(port: port)
    let signals = Signals { _ in }
    Output().line("http://127.0.0.1:\(server.port)/metrics; Ctrl-C ends it")
    let page = Mutex(MetricsPage(places: places.paths))
    server.serve(
      "/metrics",
      type: MetricsPage.contentType,
      until: { signals.received != nil },
      page: { page.withLock { $0.text() } }
    )
    if let number = signals.received { throw ExitCode(128 + number) }
  }
}
