import Runs

/// How charts over time are drawn, as a person has set it.
struct ChartView: Sendable, Equatable {
  /// Unit of the axis of time.
  enum Axis: Sendable, CaseIterable { case epoch, step, time }

  /// Weights of the past that `S` goes through.
  static let weights = [0.85, 0.97, 0]

  /// Weight of the past in the mean of noisy curves.
  var smoothing = ChartView.weights[0]
  /// Whether losses and costs are on a logarithmic axis.
  var isLogarithmic = false
  var axis = Axis.epoch
  /// The part of the run in sight is 2^-closeness of it.
  var closeness = 0

  mutating func nextSmoothing() {
    let place = Self.weights.firstIndex(of: smoothing) ?? 0
    smoothing = Self.weights[(place + 1) % Self.weights.count]
  }

  mutating func zoom(by steps: Int) { closeness = min(8, max(0, closeness + steps)) }
}

/// What the shade of the film stands for.
enum FilmShade: Sendable, CaseIterable {
  /// How far a choice is decided.
  case entropy
  /// The probability of the option that leads at the moment that is shown.
  case leader
  /// The probability of skip.
  case skip
}

extension CaseIterable where Self: Equatable, AllCases == [Self] {
  /// The case after this one; after the last the first.
  var next: Self {
    let all = Self.allCases
    return all[((all.firstIndex(of: self) ?? 0) + 1) % all.count]
  }
}

extension Model {
  /// The part of the axis of epochs in sight, round the cursor or at the end; nil for all of it.
  func window(of range: ClosedRange<Double>) -> ClosedRange<Double>? {
    guard charts.closeness > 0 else { return nil }
    let whole = range.upperBound - range.lowerBound
    let width = whole / Double(1 << charts.closeness)
    let centre = cursor.map { spans.epochs(at: $0) } ?? range.upperBound
    let low = max(range.lowerBound, min(centre - width / 2, range.upperBound - width))
    return low...low + width
  }

  /// A place on the axis of epochs in the unit that was chosen.
  func axisText(_ epochs: Double) -> String {
    switch charts.axis {
    case .epoch: "epoch \(Format.epoch(epochs))"
    case .step: "step \(Format.grouped(spans.step(at: epochs)))"
    case .time: Format.duration(seconds(at: epochs))
    }
  }

  /// Seconds of training up to a place on the axis of epochs; pauses are not counted.
  private func seconds(at epochs: Double) -> Double {
    let whole = Int(max(0, min(epochs, 1e9)))
    let known = self.epochs.prefix(whole).reduce(0) { $0 + $1.seconds }
    let mean = self.epochs.isEmpty ? 0 : known / Double(max(1, min(whole, self.epochs.count)))
    let next = self.epochs.indices.contains(whole) ? self.epochs[whole].seconds : mean
    return known + (epochs - Double(whole)) * next
  }
}
