import Foundation
import Runs

/// The best practices for research on architecture search (Lindauer and Hutter, JMLR 21(243), 2020)
/// as far as a run and those beside it keep them.
struct Checklist: Encodable {
  /// Whether a practice is kept.
  enum State: String, Encodable {
    /// The runs show it.
    case kept
    /// The runs show that something is missing, and the text what makes up for it.
    case missing
    /// No run can show it; its author has to say it.
    case author
  }

  /// One practice.
  struct Item: Encodable {
    /// As the paper numbers them, from 1.
    var number: Int
    var practice: String
    var state: State
    /// What the runs show, or what is missing.
    var text: String
  }

  var event = "checklist"
  /// The run's folder.
  var run: String
  var items: [Item]

  /// Keys that change no number, or the same ones on every machine.
  private static let silent: Set<String> = [
    "threads", "data.cache", "search.parallel", "latency.table",
  ]

  /// Fills in the list for a search; errors: `.data` for a training.
  init(_ folder: RunFolder) throws {
    let settings = try folder.settings()
    guard settings.kind != .training else {
      throw UserError(
        .data,
        folder.path,
        "a training is no search",
        remedy: "name the search that found its network"
      )
    }
    let facts = try Facts(folder, settings)
    run = folder.absolutePath
    items = [
      facts.pipeline, facts.method,
      ("Do not wait until the code is cleaned up", .author, "say where yours is, with this run"),
      (
        "Use the same benchmark, not just the same data", .author,
        "supertop prove --table FILE holds the algorithms of this search against a table of results"
      ),
      facts.ablation, facts.evaluation, facts.overTime, facts.random, facts.seeds,
      (
        "Use tabular or surrogate benchmarks if possible", .author,
        "supertop prove FILE reports regret and rank correlation on one"
      ),
      facts.confounders, facts.tuning, facts.time, facts.details,
    ].enumerated().map { index, item in
      Item(number: index + 1, practice: item.0, state: item.1, text: item.2)
    }
  }

  var text: String {
    let kept = items.count { $0.state == .kept }
    let missing = items.count { $0.state == .missing }
    let words: [State: String] = [.kept: "kept", .missing: "missing", .author: "yours"]
    let lines = items.map { item in
      let head =
        "\(item.number < 10 ? " " : "")\(item.number)  "
        + (words[item.state] ?? "").padding(toLength: 7, withPad: " ", startingAt: 0)
      return "\(head)  \(item.practice)\n               \(item.text)\n"
    }
    return lines.joined()
      + "\(items.count) practices: \(kept) kept, \(missing) missing, "
      + "\(items.count - kept - missing) yours to say\n"
  }
}

extension Checklist {
  fileprivate typealias Finding = (practice: String, state: State, text: String)

  /// What is on record of a run, of its trainings and of the runs beside it.
  fileprivate struct Facts {
    let folder: RunFolder
    let settings: RunSettings
    let result: RunResult?
    let values: [String: String]
    /// Finished searches in the same folder, with the keys in which they differ from this one.
    let others: [(run: RunOverview, keys: Set<String>)]
    /// This run, once it has ended, and those that differ in their seed alone.
    let seeded: [RunOverview]
    let derived: [DerivedRecord]
    let trials: [TrialRecord]
    let steered: [Intervention]

    init(_ folder: RunFolder, _ settings: RunSettings) throws {
      self.folder = folder
      self.settings = settings
      let reader = try folder.reader()
      result = try reader.result().map(RunResult.init(json:))
      let own = Dictionary(settings.values().map { ($0.key, $0.text) }) { $1 }
      values = own
      let path = folder.absolutePath
      others = RunScanner(places: [Path.folder(path)]).scan()
        .filter { $0.state == .finished && $0.kind != .training && Path.absolute($0.path) != path }
        .map { run in
          let its = Dictionary(run.values.map { ($0.key, $0.text) }) { $1 }
          let keys = Set(own.keys).union(its.keys).filter { own[$0] != its[$0] }
          return (run, keys.subtracting(Checklist.silent))
        }
      seeded =
        RunScanner(places: [folder.path]).scan().filter { $0.state == .finished }
        + others.filter { $0.keys == ["seed"] }.map(\.run)
      derived = try reader.derived()
      trials = try reader.trials()
      steered = try reader.interventions().filter {
        $0.state == .done && ($0.action.changesTraining || $0.action.concernsCandidates)
      }
    }

    var pipeline: Finding {
      let files = settings.kind == .joint ? "config.yaml and exports/recipe.yaml" : "config.yaml"
      return (
        "Release the training pipeline", .kept,
        "supertop \(Supertop.version), Apache-2.0; the settings are in \(files)"
      )
    }

    var method: Finding {
      (
        "Release the search method", .kept,
        "supertop \(Supertop.version); supertop search \(folder.path)/config.yaml begins it anew"
      )
    }

    var ablation: Finding {
      let name = "Run ablation studies"
      let one = others.filter { $0.keys.subtracting(["seed"]).count == 1 }
        .flatMap { $0.keys.subtracting(["seed"]) }.filter { !$0.hasSuffix("algorithm") }
      guard !one.isEmpty else {
        return (name, .missing, "no search beside this one differs from it in one key alone")
      }
      return (name, .kept, "searches beside this one differ in \(Set(one).sorted().listed())")
    }

    var evaluation: Finding {
      let name = "Evaluate all methods in the same way"
      if settings.kind == .joint {
        return (
          name, .kept, "all candidates on the same validation images; test images decide nothing"
        )
      }
      let recipes = Set(
        derived.compactMap(\.run).compactMap { name -> String? in
          let run = try? RunFolder.open(path: folder.path + "/" + name).settings()
          guard case .training(let training)? = run else { return nil }
          return training.recipe.yaml()
        }
      )
      let count = derived.count { $0.isTrained }
      switch (count, recipes.count) {
      case (0, _):
        return (
          name, .missing, "no network is trained from scratch: supertop derive \(folder.path)"
        )
      case (_, 1):
        return (
          name, .kept, "\(Format.counted(count, "network")) trained from scratch by one recipe"
        )
      default:
        return (name, .missing, "networks are trained by \(recipes.count) recipes: use one for all")
      }
    }

    var overTime: Finding {
      let name = "Report performance over compute, not only at the end"
      let count = settings.kind == .joint ? trials.count { $0.state == .finished } : settings.epochs
      guard result != nil, count > 0 else {
        return (name, .missing, "the search has not ended: supertop resume \(folder.path)")
      }
      let noun = settings.kind == .joint ? "candidate" : "epoch"
      return (
        name, .kept, "accuracy and seconds of \(Format.counted(count, noun)) are in run.sqlite"
      )
    }

    /// Both a network that is picked blindly and the best of many.
    var random: Finding {
      let name = "Compare with random sampling and random search"
      let rivals = others.filter { other in
        other.keys.subtracting(["seed", "search.algorithm"]).isEmpty
          && other.run.values.contains { $0.key == "search.algorithm" && $0.text == "random" }
      }
      let search =
        values["search.algorithm"] == "random"
        ? "this is a random search" : accuracies(rivals.map(\.run)).map { "random search: \($0)" }
      let blind = sampled
      let missing = [
        search == nil
          ? "supertop search \(folder.path)/config.yaml --algorithm random" : nil,
        blind == nil ? "supertop derive \(folder.path) --samples 8 --top 9 --refine 0" : nil,
      ].compactMap(\.self)
      let found = [search, blind.map { "picked blindly: \($0)" }].compactMap(\.self)
      return (
        name, missing.isEmpty ? .kept : .missing,
        (found + (missing.isEmpty ? [] : ["give " + missing.joined(separator: ", and ")]))
          .joined(separator: "; ")
      )
    }

    /// The worth of a network that is picked blindly; nil where none was trained or evaluated.
    private var sampled: String? {
      switch result {
      case .joint(let result)?: return text(result.sampledMean, result.sampledDeviation)
      case .search(let result)? where result.sampledMean != nil:
        return text(result.sampledMean ?? 0, result.sampledDeviation ?? 0)
      default:
        let spread = MeanSpread(derived.filter { $0.source == "sample" }.compactMap(\.top1))
        let count = derived.count { $0.source == "sample" && $0.top1 != nil }
        guard count > 1 else { return nil }
        return "\(text(spread.mean, spread.deviation)), \(count) networks trained from scratch"
      }
    }

    private func text(_ mean: Double, _ deviation: Double) -> String {
      "\(Format.percent(mean)) ± \(Format.percent(deviation))"
    }

    /// Test accuracies of runs; nil for none.
    private func accuracies(_ runs: [RunOverview]) -> String? {
      let values = runs.compactMap(\.testAccuracy)
      let spread = MeanSpread(values)
      guard values.count > 1 else { return values.first.map { "\(Format.percent($0)) in 1 run" } }
      return text(spread.mean, spread.deviation) + " in " + Format.counted(values.count, "run")
    }

    var seeds: Finding {
      let name = "Repeat with several seeds"
      let runs = seeded
      let seeds = runs.flatMap(\.values).filter { $0.key == "seed" }.map(\.text)
      let found = accuracies(runs).map { "seed \(seeds.joined(separator: ", ")): \($0) on test" }
      guard runs.count < 3 else { return (name, .kept, found ?? "") }
      let more = "give supertop search \(folder.path)/config.yaml --seed N, until there are three"
      return (name, .missing, [found, more].compactMap(\.self).joined(separator: "; "))
    }

    var confounders: Finding {
      let name = "Control confounding factors"
      guard !steered.isEmpty else {
        return (
          name, .kept,
          "nobody steered it; seed, settings and data give the same bits on any number of threads"
        )
      }
      return (
        name, .missing,
        "people changed its course \(steered.count == 1 ? "once" : "\(steered.count) times"): say "
          + "so, or compare with a search that is left alone (supertop replay repeats this one)"
      )
    }

    var tuning: Finding {
      let name = "Report how the search's own settings were found"
      let base: RunSettings? =
        switch settings {
        case .search(let settings): (try? Configuration.preset(settings.preset)).map { .search($0) }
        case .joint(let settings):
          (try? JointConfiguration.preset(settings.preset)).map { .joint($0) }
        case .training: nil
        }
      guard let base else { return (name, .author, "say how often you searched before this") }
      let usual = Dictionary(base.values().map { ($0.key, $0.text) }) { $1 }
      let changed = settings.values().map(\.key).filter {
        usual[$0] != values[$0] && !Checklist.silent.contains($0) && $0 != "data.source"
          && $0 != "seed"
      }
      return (
        name, .author,
        changed.isEmpty
          ? "all are those of the preset \(settings.name)"
          : "say how these came about, which differ from the preset \(settings.name): "
            + changed.joined(separator: ", ")
      )
    }

    var time: Finding {
      let name = "Report the time of the whole method"
      guard let result else {
        return (name, .missing, "the search has not ended: supertop resume \(folder.path)")
      }
      func seconds(_ paths: [String]) -> [Double] {
        paths.compactMap {
          try? RunFolder.open(path: $0).reader().result().map(RunResult.init(json:))?.seconds
        }
      }
      let parts = [
        ("search", [result.seconds]),
        ("training", seconds(derived.compactMap(\.run).map { folder.path + "/" + $0 })),
        ("search by another seed", seconds(seeded.dropFirst().map(\.path))),
      ].filter { !$0.1.isEmpty }
      let total = parts.flatMap(\.1).reduce(0, +)
      let terms = parts.map { part in
        (part.1.count > 1 ? "\(part.1.count) × " : "") + part.0 + " "
          + Format.duration(part.1.reduce(0, +))
      }
      return (
        name, .kept,
        terms.joined(separator: " + ") + (parts.count > 1 ? " = \(Format.duration(total))" : "")
      )
    }

    var details: Finding {
      (
        "Report all details of the experiment", .kept,
        "config.yaml has every setting, run.sqlite the fingerprint of the data and every step; the "
          + "processor is not on record: name it"
      )
    }
  }
}
