import Foundation
import Runs

/// Runs as Prometheus reads them: the text format, version 0.0.4.
package final class MetricsPage {
  /// What the page says it is.
  package static let contentType = "text/plain; version=0.0.4; charset=utf-8"

  private let scanner: RunScanner
  /// The last step of each phase, of the run's status then.
  private var steps: [String: (status: RunStatus?, last: [StepRecord])] = [:]

  /// A page of runs, and of folders that hold runs.
  package init(places: [String]) {
    scanner = RunScanner(places: places)
  }

  /// A gauge and its samples: labels beside the run, and a value.
  private typealias Gauge = (
    name: String, help: String, samples: (RunOverview) -> [([String: String], Double?)]
  )

  /// The page as it is now.
  package func text() -> String {
    let runs = scanner.scan()
    let now = Date().timeIntervalSince1970
    readSteps(runs)
    let names = Dictionary(grouping: runs, by: \.name)
    return gauges(now).map { gauge in
      let lines = runs.flatMap { run -> [String] in
        let name = names[run.name]?.count == 1 ? run.name : run.path
        return gauge.samples(run).compactMap { labels, value in
          value.map { Self.sample(gauge.name, labels.merging(["run": name]) { $1 }, $0) }
        }
      }
      return "# HELP \(gauge.name) \(gauge.help)\n# TYPE \(gauge.name) gauge\n" + lines.joined()
    }.joined()
  }

  private func readSteps(_ runs: [RunOverview]) {
    var known: [String: (status: RunStatus?, last: [StepRecord])] = [:]
    for run in runs where run.status != nil && run.kind != .joint {
      if let before = steps[run.path], before.status == run.status {
        known[run.path] = before
      } else if let last = try? RunFolder.open(path: run.path).reader().lastSteps() {
        known[run.path] = (run.status, last)
      }
    }
    steps = known
  }

  private func gauges(_ now: Double) -> [Gauge] {
    func one(_ name: String, _ help: String, _ value: @escaping (RunOverview) -> Double?) -> Gauge {
      (name, help, { [([:], value($0))] })
    }
    func byPhase(_ name: String, _ help: String, _ value: @escaping (StepRecord) -> Double) -> Gauge
    {
      (
        name, help + " of the last step of a phase.",
        { [steps] run in
          (steps[run.path]?.last ?? []).map { (["phase": $0.phase.rawValue], value($0)) }
        }
      )
    }
    return [
      (
        "supertop_run_info", "What the run does, and where it is.",
        { run in
          let labels = [
            "path": Path.absolute(run.path), "kind": run.kind?.rawValue ?? "", "data": run.data,
            "preset": run.preset, "metric": run.metric.rawValue,
          ]
          return [(labels, 1)]
        }
      ),
      (
        "supertop_state", "1 for what the run is at, 0 for what it is not.",
        { run in
          RunOverview.State.allCases.map { (["state": $0.rawValue], $0 == run.state ? 1 : 0) }
        }
      ),
      one("supertop_sign_of_life_seconds", "Seconds since the trainer's last sign of life.") {
        run in
        run.status.map { max(0, now - max($0.heartbeat, TrainerLock.lastSign(in: run.path) ?? 0)) }
      },
      one("supertop_step", "Steps done, in a joint search candidates.") {
        ($0.status?.step).map(Double.init)
      },
      one("supertop_steps", "Steps of the whole run.") { ($0.status?.totalSteps).map(Double.init) },
      one("supertop_epoch", "Epoch under way, from 0.") { ($0.status?.epoch).map(Double.init) },
      one("supertop_epochs", "Epochs of the whole run.") { ($0.status?.epochs).map(Double.init) },
      one("supertop_images_per_second", "Images trained in a second.") {
        $0.status?.imagesPerSecond
      },
      one("supertop_temperature", "Temperature of the sample.") { $0.status?.temperature },
      one("supertop_memory_bytes", "Resident memory of the trainer.") {
        ($0.status?.memoryBytes).map(Double.init)
      },
      byPhase("supertop_loss", "Loss", \.loss),
      byPhase("supertop_cross_entropy", "Cross-entropy", \.crossEntropy),
      byPhase("supertop_accuracy", "Accuracy", \.accuracy),
      byPhase("supertop_cost", "Cost in the run's metric", \.cost),
      byPhase("supertop_learning_rate", "Learning rate", \.learningRate),
      one("supertop_validation_accuracy", "Accuracy on the validation images.") {
        $0.validationAccuracy
      },
      one("supertop_validation_loss", "Cross-entropy on the validation images.") {
        $0.points.last?.loss
      },
      one("supertop_test_accuracy", "Accuracy on the test images, at the end.") { $0.testAccuracy },
    ]
  }

  /// A line `name{label="text"} value`.
  static func sample(_ name: String, _ labels: [String: String], _ value: Double) -> String {
    let pairs = labels.sorted { $0.key < $1.key }.map { label, text in
      let escaped = text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"")
        .replacing("\n", with: "\\n")
      return "\(label)=\"\(escaped)\""
    }
    let number =
      value.isNaN ? "NaN" : value.isInfinite ? (value < 0 ? "-Inf" : "+Inf") : "\(value)"
    return "\(name){\(pairs.joined(separator: ","))} \(number)\n"
  }
}
