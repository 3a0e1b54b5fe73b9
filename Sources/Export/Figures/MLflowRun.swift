import Foundation
import Runs

/// A run as MLflow's file store keeps it: `EXPERIMENT/RUN/` with `meta.yaml`, and a file for each
/// metric, parameter and tag.
struct MLflowRun {
  /// The experiment `supertop`; MLflow's own numbers have as many digits.
  static let experiment = "729584316042817355"

  /// Lines `milliseconds value step` of each metric.
  private var metrics: [String: String] = [:]
  /// The last text of each series.
  private var texts: [String: String] = [:]
  private var end = 0.0

  /// Adds what is new.
  mutating func add(_ news: RunFigures.News) {
    if let begun = news.startsAnew { (metrics, texts, end) = ([:], [:], begun) }
    for figure in news.figures {
      end = max(end, figure.time)
      switch figure.value {
      case .scalar(let value):
        let line = "\(Self.milliseconds(figure.time)) \(value) \(figure.step)\n"
        metrics[figure.series, default: ""] += line
      case .text(let text): texts[figure.series] = text
      case .shares: break
      }
    }
  }

  /// Writes the run into a store in place of what the store had of it; all of it or nothing.
  func write(to store: String, _ figures: RunFigures) throws {
    let run = figures.folder
    let name = Path.name(run.absolutePath)
    let identifier = String(SHA256.hex(run.absolutePath.utf8).prefix(32))
    let experiment = store + "/" + Self.experiment
    let folder = experiment + "/" + identifier
    let unfinished = "\(store)/.\(identifier).\(getpid())"
    let replaced = unfinished + ".old"
    func write(_ text: String, _ file: String) throws {
      let path = unfinished + "/" + file
      try makeOutputFolder(Path.folder(path))
      try GrowingFile(creating: path).append(Array(text.utf8))
    }
    try makeOutputFolder(experiment)
    let address = URL(fileURLWithPath: Path.absolute(store)).absoluteString
    if !pathExists(experiment + "/meta.yaml") {
      try writeWhole(
        Self.yaml([
          ("artifact_location", try Self.quoted("\(address)/\(Self.experiment)")),
          ("creation_time", Self.milliseconds(figures.begun)),
          ("experiment_id", "'\(Self.experiment)'"),
          ("last_update_time", Self.milliseconds(figures.begun)),
          ("lifecycle_stage", "active"), ("name", "supertop"),
        ]),
        to: experiment + "/meta.yaml"
      )
    }
    defer { [unfinished, replaced].forEach(removeAll) }
    removeAll(unfinished)
    let state = try figures.reader.status()?.state
    try write(
      Self.yaml([
        (
          "artifact_uri",
          try Self.quoted("\(address)/\(Self.experiment)/\(identifier)/artifacts")
        ),
        ("end_time", Self.isOver(state) ? Self.milliseconds(end) : "null"),
        ("entry_point_name", "''"), ("experiment_id", "'\(Self.experiment)'"),
        ("lifecycle_stage", "active"), ("run_id", identifier), ("run_uuid", identifier),
        ("run_name", try Self.quoted(name)), ("source_name", "supertop"),
        ("source_type", "4"), ("source_version", "''"),
        ("start_time", Self.milliseconds(figures.begun)), ("status", Self.status(state)),
        ("tags", "[]"), ("user_id", "''"),
      ]),
      "meta.yaml"
    )
    for (series, lines) in metrics { try write(lines, "metrics/" + series) }
    for value in figures.settings.values() { try write(value.text, "params/" + value.key) }
    try write(name, "tags/mlflow.runName")
    try write("supertop", "tags/mlflow.source.name")
    try write(figures.settings.kind.rawValue, "tags/supertop.kind")
    try write(run.absolutePath, "tags/supertop.run")
    try write(readText(run.configurationPath), "artifacts/config.yaml")
    for (series, text) in texts { try write(text + "\n", "artifacts/\(series).md") }
    if let text = texts["architecture/chosen"] { try write(text, "tags/mlflow.note.content") }
    for (from, to) in [(folder, replaced), (unfinished, folder)] where rename(from, to) != 0 {
      guard errno != ENOENT || from != folder else { continue }
      throw UserError(
        .cannotCreate,
        folder,
        "cannot be replaced, \(systemMessage())",
        remedy: "check its permissions"
      )
    }
  }

  private static func isOver(_ state: RunStatus.State?) -> Bool { status(state) != "1" }

  /// MLflow's number of a state: running, finished, failed, killed.
  private static func status(_ state: RunStatus.State?) -> String {
    switch state {
    case .finished: "3"
    case .failed: "4"
    case .stopped: "5"
    default: "1"
    }
  }

  private static func milliseconds(_ seconds: Double) -> String { "\(Int64(seconds * 1000))" }

  private static func quoted(_ text: String) throws -> String { try JSONText.encode(text) }

  private static func yaml(_ pairs: [(String, String)]) -> String {
    pairs.map { "\($0.0): \($0.1)\n" }.joined()
  }
}
