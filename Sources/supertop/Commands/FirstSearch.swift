import Data
import Foundation
import Runs
import Search

/// The search that `supertop FOLDER` starts on a person's images: what it searches, at what size
/// and for how long follows from the images and from the speed of this machine.
struct FirstSearch {
  /// The settings that were picked, with what the person has set.
  private(set) var settings: Configuration
  /// What a person should know, line by line: what was picked and why, how long it takes, and the
  /// command that does the same.
  private(set) var lines: [String] = []

  private let survey: ImageSurvey
  /// As the person named it.
  private let folder: String
  /// Overrides of the person's.
  private let own: [String]
  private var preset = ""
  /// What was picked, as `key.path=value`.
  private var picked: [String] = []

  /// Sides of images that are offered, the largest first, pixels.
  private static let sides = [224, 160, 128, 96, 64, 48, 32, 24, 16, 8]
  /// Steps on the weights that a search has at least, within the limits of its epochs.
  private static let steps = 1500
  /// Share of the average network's latency that the budget is.
  private static let share = 0.75

  /// Picks a search for the images in `folder` that takes about as long as `minutes`.
  ///
  /// The largest images that this machine gets through in that time, in the space that suits their
  /// size; where not even small images fit, fewer epochs.
  ///
  /// - Parameters:
  ///   - folder: of images.
  ///   - preset: the space, where the person has named one.
  ///   - minutes: about how long the search may take.
  ///   - overrides: of the person's, which hold whatever is picked.
  /// - Throws: those of looking at the images, and `.usage` for a preset of other blocks.
  init(folder: String, preset: String?, minutes: Double, overrides: [String]) throws {
    if let preset, try Configuration.preset(preset).space.masked != nil {
      throw UserError(
        .usage,
        "\(folder) --preset \(preset)",
        "its sizes are not picked by the images",
        remedy: "start it with supertop search --preset \(preset) --data "
          + ShellWord.quoted(folder)
      )
    }
    let ticker = Ticker()
    defer { ticker.clear() }
    ticker.show("looking at the images")
    self.folder = folder
    own = overrides
    survey = try ImageSurvey(folder: folder)
    settings = try Configuration.preset("digits")
    let smallest = min(32, max(8, survey.side))
    var sides = FirstSearch.sides.filter { smallest...max(8, survey.side) ~= $0 }
    // Small images are taken as they are.
    if survey.side < 48, !sides.contains(survey.side) { sides.insert(survey.side, at: 0) }
    if let side = number("resolution", in: "data") { sides = [side] }
    ticker.show("timing this machine")
    let probe = try Configuration.preset("cifar-small", overrides: own.filter(isOfMachine))
    let pace = try stepSeconds(probe, batch: 16).weights / (flops(probe) * 16)
    var total = 0.0
    for side in sides {
      try pick(side: side, preset: preset)
      let isLast = side == sides.last
      let guess = flops(settings) * Double(settings.search.batch) * pace
      let isTooLarge = 60 * minutes < 0.8 * seconds(weights: guess, theta: guess) || !fitsMemory
      if isTooLarge && !isLast { continue }
      ticker.show("timing a step at \(side)×\(side)")
      let step = try stepSeconds(settings, batch: settings.search.batch)
      total = seconds(weights: step.weights, theta: step.theta)
      if total > 60 * minutes && isLast {
        let epochs = Int(Double(settings.search.epochs) * 60 * minutes / total)
        try pick(side: side, preset: preset, epochs: max(10, epochs))
        total = seconds(weights: step.weights, theta: step.theta)
      }
      if total <= 60 * minutes || isLast { break }
    }
    let budget = try pickBudget { ticker.show($0.line) }
    lines = [images, plan, budget, "This takes about \(FirstSearch.rounded(total)) here."]
      .compactMap { $0 }
    lines.append("The same by hand: \(command)")
  }

  // MARK: What is picked

  /// Takes a side, the space for it, and so many epochs; nil for as many as the images need.
  private mutating func pick(side: Int, preset named: String?, epochs: Int? = nil) throws {
    preset = named ?? (side < 20 ? "digits" : side < 128 ? "cifar-small" : "imagenet")
    let batch = weightImages >= 1280 ? 64 : weightImages >= 320 ? 32 : weightImages >= 64 ? 16 : 8
    let steps = max(1, weightImages / batch)
    let epochs =
      number("epochs", in: "search") ?? epochs ?? max(30, min(90, FirstSearch.steps / steps))
    picked = [
      "data.resolution=\(side)", "data.shift=\(max(1, side / 8))",
      // Signs and scans are grey, and show something else in a mirror.
      "data.flip=\(!survey.isGrey)", "search.batch=\(batch)", "search.epochs=\(epochs)",
      "search.warmup_epochs=\(min(epochs - 1, max(1, epochs / 9)))",
      "search.recalibration_images=\(min(2048, max(256, weightImages / 4)))",
      // By its last epoch a search has cooled down to what 90 epochs of the paper reach.
      "temperature.rate=\(Format.significant(0.045 * 90 / Double(epochs)))",
    ]
    if side >= 48, preset != "imagenet" { picked.append("space.stem.stride=2") }
    settings = try Configuration.preset(preset, overrides: overrides)
  }

  private var overrides: [String] { ["data.source=\(folder)"] + picked + own }

  /// Picks a budget in latency, unless the person has set a budget or a cost; what to say of it.
  ///
  /// On a machine too busy to be timed the budget is one in multiply–accumulates.
  private mutating func pickBudget(progress: (LatencyProgress) -> Void) throws -> String? {
    let keys = own.map { $0.prefix { $0 != "=" } }
    guard !keys.contains(where: { $0.contains("budget") || $0.hasSuffix("cost") }) else {
      return nil
    }
    let space = space(settings)
    let even = space.optionCounts.map { [Double](repeating: 1 / Double($0), count: $0) }
    do {
      let table = try LatencyTable.kept(
        for: space,
        threads: settings.latency.workers,
        progress: progress,
        unkept: { _ in }
      )
      let mean = try space.latencyCost(table, place: "latency").expected(even)
      let budget = Format.significant(FirstSearch.share * mean)
      try take(["search.cost=latency", "budget.latency=\(budget)"])
      return "The network may take \(budget) ms an image on this machine (the average of the space "
        + "takes \(Format.significant(mean)) ms)."
    } catch let error as UserError where error.code == .unavailable {
      let mean = space.prices(.flops).expected(even)
      let budget = Format.significant(FirstSearch.share * mean)
      try take(["budget.flops=\(budget)"])
      return "The network may have \(Format.count(FirstSearch.share * mean)) multiply-accumulates: "
        + "this machine is too busy to measure latencies."
    }
  }

  private mutating func take(_ more: [String]) throws {
    picked += more
    settings = try Configuration.preset(preset, overrides: overrides)
  }

  // MARK: How long it takes

  /// Images that train the weights.
  private var weightImages: Int {
    let search = settings.search
    return max(1, Int(Double(survey.train) * (1 - search.thetaShare) - validationImages))
  }

  private var validationImages: Double {
    survey.validation.map(Double.init)
      ?? settings.search.validationShare * Double(survey.train)
  }

  /// Seconds of the search whose steps take so long each.
  private func seconds(weights: Double, theta: Double) -> Double {
    let search = settings.search
    let batch = Double(search.batch)
    let count = Double(weightImages)
    let thetaSteps = max(1, Double(survey.train) * search.thetaShare / batch)
    let looked = Double(search.recalibrationImages) + validationImages
    // A forward pass of the supernet is a third of its step, one of a network alone a ninth of it.
    let evaluation = (looked / batch) * weights / 3 * 1.15
    return Double(search.epochs) * (max(1, count / batch) * weights + evaluation)
      + Double(search.epochs - search.warmupEpochs) * thetaSteps * theta
      + (Double(survey.test + search.recalibrationImages) / batch) * weights / 2
  }

  /// Seconds of a step of each kind on so many images.
  private func stepSeconds(
    _ settings: Configuration,
    batch: Int
  ) throws -> (weights: Double, theta: Double) {
    let bench = try SupernetBench(settings, shape(settings), batch: batch)
    bench.take(.weights)
    let clock = ContinuousClock()
    return (
      (0..<2).map { _ in clock.measure { bench.take(.weights) }.seconds }.min() ?? 0,
      clock.measure { bench.take(.theta) }.seconds
    )
  }

  private func shape(_ settings: Configuration) -> BenchShape {
    BenchShape(side: settings.data.resolution, channels: 3, classes: survey.classes)
  }

  private func space(_ settings: Configuration) -> LayerwiseSpace {
    let shape = shape(settings)
    return LayerwiseSpace(
      settings.space,
      classes: shape.classes,
      channels: shape.channels,
      height: shape.side,
      width: shape.side
    )
  }

  /// Multiply–accumulates of the supernet for an image.
  private func flops(_ settings: Configuration) -> Double { space(settings).supernetFlops }

  /// Whether a step leaves half of the machine's memory free: a byte for twelve
  /// multiply–accumulates is more than any of the presets needs.
  private var fitsMemory: Bool {
    flops(settings) * Double(settings.search.batch) / 12
      < Double(ProcessInfo.processInfo.physicalMemory) / 2
  }

  /// What the person has set a key to, if it is a number that it can hold.
  private func number(_ key: String, in section: String) -> Int? {
    own.last { $0.hasPrefix("\(key)=") || $0.hasPrefix("\(section).\(key)=") }
      .flatMap { $0.split(separator: "=").last.flatMap { Int($0) } }.flatMap { $0 > 0 ? $0 : nil }
  }

  /// Whether an override says what the machine is, and nothing of the search.
  private func isOfMachine(_ override: String) -> Bool {
    ["threads=", "precision=", "recompute="].contains { override.hasPrefix($0) }
  }

  // MARK: What is said

  private var images: String {
    "\(folder): \(Format.counted(survey.train, "image")) of "
      + "\(Format.counted(survey.classes, "class")) to train on, \(survey.test) to test; "
      + "\(survey.isGrey ? "grey" : "in colour"), \(survey.side) pixels or more on the shorter "
      + "side of half of them."
  }

  private var plan: String {
    let search = settings.search
    let side = settings.data.resolution
    return "The search: the space \(preset) at \(side)×\(side) pixels, "
      + "\(Format.counted(search.epochs, "epoch")) in batches of \(search.batch)."
  }

  /// The command that does the same.
  private var command: String {
    "supertop search --preset \(preset) --data \(ShellWord.quoted(folder))"
      + (picked + own).map { " --set \(ShellWord.quoted($0))" }.joined()
  }

  /// `3 minutes`, `25 minutes`, `2.5 hours`.
  private static func rounded(_ seconds: Double) -> String {
    let minutes = seconds / 60
    if minutes < 1.5 { return "a minute" }
    if minutes < 10 { return "\(Int(minutes.rounded())) minutes" }
    if minutes < 90 { return "\(5 * Int((minutes / 5).rounded())) minutes" }
    return "\(Format.fixed(minutes / 60, 1)) hours"
  }
}
