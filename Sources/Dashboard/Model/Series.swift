/// A curve of any length in bounded memory: neighbouring points are merged into buckets that keep
/// least, greatest and mean, so that spikes never vanish (spec S81).
struct Series: Sendable, Equatable {
  /// Points of neighbouring x, merged.
  struct Bucket: Sendable, Equatable {
    var start: Double
    var end: Double
    var low: Double
    var high: Double
    var sum: Double
    var count: Int

    /// One point.
    static func point(_ x: Double, _ y: Double) -> Bucket {
      Bucket(start: x, end: x, low: y, high: y, sum: y, count: 1)
    }

    /// Mean of the points.
    var mean: Double { sum / Double(count) }
  }

  private(set) var buckets: [Bucket] = []
  /// Points that are NaN or infinite: they are counted, not drawn.
  private(set) var lost = 0
  /// x of the first lost point.
  private(set) var firstLost: Double?
  /// Last value given, also when it is not a number.
  private(set) var last: Double?
  private var perBucket = 1
  private let capacity: Int

  init(capacity: Int = 2048) { self.capacity = max(4, capacity) }

  var isEmpty: Bool { buckets.isEmpty }

  /// Adds a point.
  ///
  /// x rises; one that does not (a run resumed from an earlier step) drops what it
  /// overtakes.
  mutating func append(_ x: Double, _ y: Double) {
    while let tail = buckets.last, tail.end >= x { buckets.removeLast() }
    last = y
    guard x.isFinite, y.isFinite else {
      lost += 1
      if firstLost == nil { firstLost = x }
      return
    }
    if let tail = buckets.last, tail.count < perBucket {
      buckets[buckets.count - 1] = Bucket(
        start: tail.start,
        end: x,
        low: min(tail.low, y),
        high: max(tail.high, y),
        sum: tail.sum + y,
        count: tail.count + 1
      )
    } else {
      buckets.append(.point(x, y))
    }
    if buckets.count >= capacity { halve() }
  }

  /// The points up to `x`.
  func upTo(_ x: Double) -> Series {
    var past = self
    past.buckets = Array(buckets.prefix { $0.start <= x + 1e-9 })
    past.last = past.buckets.last?.mean
    if let firstLost, firstLost > x { (past.lost, past.firstLost) = (0, nil) }
    return past
  }

  private mutating func halve() {
    perBucket *= 2
    buckets = stride(from: 0, to: buckets.count, by: 2).map { i in
      guard i + 1 < buckets.count else { return buckets[i] }
      let (a, b) = (buckets[i], buckets[i + 1])
      return Bucket(
        start: a.start,
        end: b.end,
        low: min(a.low, b.low),
        high: max(a.high, b.high),
        sum: a.sum + b.sum,
        count: a.count + b.count
      )
    }
  }

  /// Least and greatest value; nil while empty.
  var range: ClosedRange<Double>? {
    guard let low = buckets.map(\.low).min(), let high = buckets.map(\.high).max() else {
      return nil
    }
    return low...high
  }
}

/// Probabilities of every choice over time, thinned evenly when they grow too many.
struct ProbabilityHistory: Sendable, Equatable {
  /// Softmax of the logits after one θ step.
  struct Sample: Sendable, Equatable {
    var epoch: Double
    /// `[choice][option]`.
    var values: [[Float]]

    init(epoch: Double, values: [[Float]]) {
      self.epoch = epoch
      self.values = values
    }
  }

  private(set) var samples: [Sample] = []
  private var skip = 1
  private var seen = 0
  private var keepsNewest = true
  private let capacity: Int

  init(capacity: Int = 512) { self.capacity = max(4, capacity) }

  /// Adds a sample; every `skip`-th is kept, the newest is always last.
  ///
  /// One that belongs to no moment is left out.
  mutating func append(_ sample: Sample) {
    guard sample.epoch.isFinite else { return }
    while let tail = samples.last, tail.epoch >= sample.epoch { samples.removeLast() }
    if !keepsNewest, !samples.isEmpty { samples.removeLast() }
    samples.append(sample)
    keepsNewest = seen % skip == 0
    seen += 1
    if samples.count >= capacity {
      skip *= 2
      samples = samples.indices.filter { $0 % 2 == 0 || $0 == samples.count - 1 }.map {
        samples[$0]
      }
    }
  }

  /// The samples up to `epoch`.
  func upTo(_ epoch: Double) -> ProbabilityHistory {
    var past = self
    past.samples = Array(samples.prefix { $0.epoch <= epoch + 1e-9 })
    past.keepsNewest = true
    return past
  }

  /// The newest sample at or before `epoch`; nil before the first.
  func sample(at epoch: Double) -> Sample? {
    var (low, high) = (0, samples.count)
    while low < high {
      let middle = (low + high) / 2
      if samples[middle].epoch <= epoch + 1e-9 { low = middle + 1 } else { high = middle }
    }
    return low > 0 ? samples[low - 1] : nil
  }
}
