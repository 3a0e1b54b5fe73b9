import ArgumentParser
import Foundation
import Networks
import Runs
import Search
import Training

/// `supertop derive RUN`: networks of a search, evaluated, ranked and trained from scratch.
struct DeriveCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "derive",
    abstract: "Extract networks from a search: within its budget, ranked, trained from scratch.",
    discussion: """
      Evaluates the most probable network within the budget, its uniform scaling, and networks \
      sampled from softmax(θ) given the budget, with the search's weights on the images that train \
      no weights. All use at least 95 % of the budget where the space allows. With --inherit they \
      are ranked by the loss of the first epoch of training from these weights. Then it tries \
      neighbours of the best (one layer changed, or two that trade cost) until none is better. \
      The best of all are trained from scratch by a recipe, each as a run of its own in \
      RUN/derived, which can be watched, evaluated and exported. Nothing is done twice: repeat the \
      command to continue.

        supertop derive runs/cifar-small-1
        supertop derive runs/cifar-small-1 --samples 20 --top 3 --retrain-epochs 60
        supertop derive runs/slim --top 1 --inherit --uniform --retrain-epochs 10
      """
  )

  @Argument(
    help: ArgumentHelp("Folder of the search (default: the newest in runs).", valueName: "run"),
    completion: .directory
  )
  var path: String?

  @Option(help: ArgumentHelp("Networks sampled besides the most probable one.", valueName: "n"))
  var samples = 8

  @Option(
    help: ArgumentHelp(
      "How the first network is selected: probability, or perturbation (the candidates whose "
        + "removal raises the loss most).",
      valueName: "rule"
    )
  )
  var select = Selection.probability

  @Option(
    help: ArgumentHelp("Most neighbours to evaluate; 0 for none.", valueName: "n")
  )
  var refine = 64

  @Option(help: ArgumentHelp("Networks to train from scratch.", valueName: "n"))
  var top = 3

  @Option(
    help: ArgumentHelp(
      "Epochs of each training; 0 for none (default: the recipe's).",
      valueName: "n"
    )
  )
  var retrainEpochs: Int?

  @Flag(help: "Train from the weights of the search instead of from random ones.")
  var inherit = false

  @Flag(
    inversion: .prefixedNo,
    help: "With --inherit, rank networks by the loss of the first epoch of their training."
  )
  var tune = true

  @Flag(help: "Train the best network's uniform scaling too: all widths by one factor.")
  var uniform = false

  @Option(
    help: ArgumentHelp(
      "What a network may cost, in the search's metric: ms, FLOPs or params (default: its budget).",
      valueName: "cost"
    )
  )
  var budget: Double?

  @Option(
    help: ArgumentHelp(
      "YAML file of recipe keys; what it leaves out keeps its default.",
      valueName: "file"
    ),
    completion: .file()
  )
  var recipe: String?

  @Option(
    name: .customLong("set"),
    parsing: .unconditionalSingleValue,
    help: ArgumentHelp("Override a key of the training, such as mixup=0.2.", valueName: "key=value")
  )
  var assignments: [String] = []

  @Option(help: ArgumentHelp("Seed of samples and trainings (default: the run's).", valueName: "n"))
  var seed: UInt64?

  @Option(help: ArgumentHelp("Worker threads (default: the run's).", valueName: "n"))
  var threads: Int?

  @Flag(help: acceptHelp)
  var acceptChangedData = false

  @Flag(
    help: "Print JSON objects: evaluated networks, epochs of trainings, finally all networks."
  )
  var json = false

  /// How the first network is selected.
  enum Selection: String, ExpressibleByArgument, CaseIterable { case probability, perturbation }

  func validate() throws {
    guard (0...100_000).contains(refine) else {
      throw ValidationError("--refine \(refine): give 0 to 100000")
    }
    guard (0...10_000).contains(samples) else {
      throw ValidationError("--samples \(samples): not a number of networks; give 0 to 10000")
    }
    guard top >= 0 else { throw ValidationError("--top \(top): give 0 or more") }
    guard retrainEpochs ?? 1 >= 0 else {
      throw ValidationError("--retrain-epochs \(retrainEpochs ?? 0): give 0 or more")
    }
    guard budget ?? 1 > 0, budget?.isFinite ?? true else {
      throw ValidationError("--budget \(budget ?? 0): give a cost above 0")
    }
    guard (0...1024).contains(threads ?? 0) else {
      throw ValidationError("--threads \(threads ?? 0): give 0 to 1024")
    }
  }

  func run() throws { try derive(preparing: nil) }

  /// Derives networks, and trains them or, with `sharing`, leaves their trainings to a farm.
  func derive(preparing sharing: Sharing?) throws {
    let folder = try RunFolder.open(path: NewestRun.path(path))
    // Before anything is computed: the run is written to.
    let lock = try folder.lock()
    let store = try folder.store(under: lock)
    let search = try folder.configuration()
    let training = try settings(search)
    if uniform, search.space.masked == nil {
      throw UserError(
        .usage,
        "--uniform",
        "this search has no widths to scale",
        remedy: "leave it out, or name a run that searched widths"
      )
    }
    let ticker = Ticker()
    let deriver = try Deriver(
      folder: folder,
      store: store,
      acceptsChangedData: acceptChangedData,
      limit: budget,
      threads: threads,
      trial: inherit && tune && training.recipe.epochs > 0 ? training : nil
    ) { share, message in
      ticker.show("\(message) (\(Int(share * 100)) %)")
    }
    let signals = Signals { _ in }
    let table = DeriveTable(
      metric: deriver.budget.metric,
      limit: deriver.budget.limit,
      inherits: inherit
    )
    var selection: Selected?
    if select == .perturbation {
      selection = try deriver.selectedByPerturbation {
        ticker.show("masking one candidate at a time (\(Int($0 * 100)) %)")
        return signals.received != nil
      }
      if let signal = signals.received { throw interrupted(signal, ticker) }
    }
    table.records = deriver.networks(
      samples: samples,
      seed: seed ?? search.seed,
      selected: selection?.network
    )
    let known = try store.reader.derived()
    let count = table.records.count
    for index in 0..<count {
      var record = table.records[index]
      try evaluate(&record, known, deriver) { share in
        let number = "network \(index + 1) of \(count)"
        ticker.show("evaluating \(number) (\(Int(share * 100)) %)")
        return signals.received != nil
      }
      if let signal = signals.received { throw interrupted(signal, ticker) }
      try store.record(derived: record)
      table.records[index] = record
      if json { try print(event: "judged", record) }
    }
    let evaluations = count + (try refined(table, known, deriver, ticker, store, signals))
    // By evaluation, so that a repeated command trains the same networks.
    table.records.sort { $0.isMorePromising(than: $1) }
    let scaled = try addUniform(table, known, deriver, ticker, store, signals)
    ticker.clear()
    if let sharing {
      try prepare(table, deriver, training, folder, store, sharing, with: scaled)
    } else if training.recipe.epochs > 0 {
      try retrain(table, deriver, training, folder, store, signals, with: scaled)
    }
    table.hide()
    table.records.sort { $0.isBetter(than: $1) }
    if json {
      try Output().json(
        Report(
          run: folder.path,
          networks: table.records,
          evaluations: evaluations,
          selection: selection?.layers
        )
      )
    } else {
      Output().text(table.text(isLive: false))
      Output().line(Format.counted(evaluations, "network") + " evaluated with the search's weights")
      if let selection { show(selection) }
    }
    withExtendedLifetime(lock) {}
  }

  typealias Selected = (network: Architecture, layers: [SelectedLayer], evaluations: Int)

  /// Adds better neighbours of the best networks to the table; the number of networks evaluated for
  /// that.
  private func refined(
    _ table: DeriveTable,
    _ known: [DerivedRecord],
    _ deriver: Deriver,
    _ ticker: Ticker,
    _ store: RunStore,
    _ signals: Signals
  ) throws -> Int {
    guard refine > 0, !table.records.isEmpty else { return 0 }
    let found = try deriver.refined(table.records, trials: refine) { done, share in
      ticker.show("evaluating neighbour \(done + 1), \(refine) at most (\(Int(share * 100)) %)")
      return signals.received != nil
    }
    guard let found else { throw interrupted(signals.received ?? SIGINT, ticker) }
    for record in found.networks {
      var record = record
      try complete(&record, known, deriver)
      try store.record(derived: record)
      table.records.append(record)
      if json { try print(event: "judged", record) }
    }
    return found.evaluations
  }

  /// Adds the uniform scaling of the best network to the table, where it is asked for and there is
  /// one; its place.
  private func addUniform(
    _ table: DeriveTable,
    _ known: [DerivedRecord],
    _ deriver: Deriver,
    _ ticker: Ticker,
    _ store: RunStore,
    _ signals: Signals
  ) throws -> Int? {
    guard uniform, let best = table.records.first else { return nil }
    guard var record = deriver.uniform(like: best) else {
      let metric = deriver.budget.metric
      let cost =
        switch metric {
        case .flops: best.flops
        case .params: best.params
        case .latency: best.latency ?? 0
        }
      ticker.clear()
      Output(descriptor: STDERR_FILENO).line(
        "supertop: --uniform: no widths scaled by one factor cost as little as the best network, "
          + "\(metric.text(cost)); it is left out"
      )
      return nil
    }
    if let place = table.records.firstIndex(where: { $0.name == record.name }) { return place }
    ticker.show("evaluating the uniform scaling")
    try evaluate(&record, known, deriver) { _ in signals.received != nil }
    if let signal = signals.received { throw interrupted(signal, ticker) }
    try store.record(derived: record)
    table.records.append(record)
    if json { try print(event: "judged", record) }
    return table.records.count - 1
  }

  /// Takes what the store knows of a network, or evaluates and times it.
  private func evaluate(
    _ record: inout DerivedRecord,
    _ known: [DerivedRecord],
    _ deriver: Deriver,
    stops: (Double) throws -> Bool
  ) throws {
    guard try deriver.evaluate(&record, stops: stops) else { return }
    try complete(&record, known, deriver)
  }

  /// Adds what is known of a network besides its accuracy.
  private func complete(
    _ record: inout DerivedRecord,
    _ known: [DerivedRecord],
    _ deriver: Deriver
  ) throws {
    // The same network takes the same time, and keeps what its training has come to.
    record.keep(from: known)
    if record.latency != nil, record.measuredLatency == nil { deriver.measure(&record) }
  }

  func interrupted(_ signal: Int32, _ ticker: Ticker) -> ExitCode {
    ticker.clear()
    let output = Output(descriptor: STDERR_FILENO)
    output.line("supertop: stopped; the same command continues from here")
    return ExitCode(128 + signal)
  }

  // MARK: JSON

  private struct Report: Encodable {
    var event = "done"
    var run: String
    var networks: [DerivedRecord]
    /// Networks evaluated with the search's weights.
    var evaluations: Int
    /// Layers of a selection by perturbation.
    var selection: [SelectedLayer]?
  }

  private struct Event: Encodable {
    var event: String
    var network: DerivedRecord
  }

  func print(event: String, _ record: DerivedRecord) throws {
    try Output().json(Event(event: event, network: record))
  }
}
