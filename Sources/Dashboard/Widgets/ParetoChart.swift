import Foundation
import Runs

/// Networks by what they cost and how good they are, with the front of those that no other beats in
/// both.
package struct ParetoChart: Sendable {
  /// One network.
  package struct Point: Sendable, Equatable {
    /// A letter for the text picture.
    package var mark: Character
    /// Name for the drawing.
    package var name: String
    /// In the metric of the chart.
    package var cost: Double
    /// 0…1.
    package var accuracy: Double
    /// Whether it was trained from scratch, so that its accuracy is its own.
    package var isRetrained: Bool

    package init(
      mark: Character,
      name: String,
      cost: Double,
      accuracy: Double,
      isRetrained: Bool = false
    ) {
      self.mark = mark
      self.name = name
      self.cost = cost
      self.accuracy = accuracy
      self.isRetrained = isRetrained
    }
  }

  /// What is drawn.
  package var points: [Point]
  /// Metric of the costs.
  package var metric: CostMetric

  /// A chart of networks whose costs are in `metric`.
  package init(points: [Point], metric: CostMetric) {
    self.points = points
    self.metric = metric
  }

  /// Indices of the points that no other beats, the cheapest first.
  package var front: [Int] {
    let order = points.indices.sorted {
      (points[$0].cost, -points[$0].accuracy) < (points[$1].cost, -points[$1].accuracy)
    }
    var best = -Double.infinity
    return order.filter { index in
      guard points[index].accuracy > best else { return false }
      best = points[index].accuracy
      return true
    }
  }

  /// Words for the cost's axis.
  var costTitle: String {
    switch metric {
    case .latency: "latency, ms"
    case .params: "parameters"
    case .flops: "FLOPs"
    }
  }

  func costText(_ value: Double) -> String {
    metric == .latency ? Format.time(value) : Format.count(value)
  }

  /// A range of values with air on both sides, so that no point lies on the border.
  static func range(_ values: [Double], within limits: ClosedRange<Double>) -> ClosedRange<Double> {
    // A store may hold what no trainer writes: values outside the limits, or no numbers.
    let known = values.filter(\.isFinite).map {
      min(limits.upperBound, max(limits.lowerBound, $0))
    }
    guard let low = known.min(), let high = known.max() else { return 0...1 }
    let air = max((high - low) * 0.12, max(abs(high) * 0.02, 1e-9))
    return max(limits.lowerBound, low - air)...min(limits.upperBound, high + air)
  }

  var costs: ClosedRange<Double> { Self.range(points.map(\.cost), within: 0 ... .infinity) }
  var accuracies: ClosedRange<Double> { Self.range(points.map(\.accuracy), within: 0...1) }

  /// The picture as lines of text, in braille or in ASCII: a letter a network, the front as a line.
  package func text(width: Int, height: Int, ascii: Bool = false) -> String {
    var frame = Frame(Size(max(24, width), max(6, height)))
    draw(&frame, Rect(0, 0, frame.width, frame.height), ascii ? .ascii : .braille)
    return frame.text
  }

  func draw(_ frame: inout Frame, _ rect: Rect, _ glyphs: GlyphSet) {
    let (x, y) = (costs, accuracies)
    let muted = Style(.muted)
    let label = 7
    let plot = Rect(rect.x + label, rect.y + 1, rect.width - label - 1, rect.height - 3)
    guard plot.width > 2, plot.height > 1 else { return }
    frame.put(rect.x, rect.y, "accuracy", muted)
    for (row, value) in [(0, y.upperBound), (plot.height - 1, y.lowerBound)] {
      frame.putRight(plot.x - 1, plot.y + row, Format.percent(value), muted)
    }
    frame.put(plot.x, plot.maxY, costText(x.lowerBound), muted)
    frame.putCentred(Rect(plot.x, plot.maxY, plot.width, 1), plot.maxY, costTitle, muted)
    frame.putRight(plot.maxX, plot.maxY, costText(x.upperBound), muted)

    var canvas = DotCanvas(width: plot.width, height: plot.height, glyphs: glyphs)
    func place(_ point: Point) -> (Int, Int) {
      let across = (point.cost - x.lowerBound) / max(x.upperBound - x.lowerBound, 1e-12)
      let up = (point.accuracy - y.lowerBound) / max(y.upperBound - y.lowerBound, 1e-12)
      return (
        Int(near: across * Double(canvas.dotWidth - 1)),
        Int(near: (1 - up) * Double(canvas.dotHeight - 1))
      )
    }
    for dot in 0..<canvas.dotHeight where dot % 2 == 0 { canvas.set(0, dot, .faint, rank: 1) }
    for dot in 0..<canvas.dotWidth where dot % 2 == 0 {
      canvas.set(dot, canvas.dotHeight - 1, .faint, rank: 1)
    }
    // The front is a staircase: up to a cost, the best is the last network that was cheaper.
    let corners = front.map { place(points[$0]) }
    for (from, to) in zip(corners, corners.dropFirst()) {
      canvas.line(from.0, from.1, to.0, from.1, .seriesA, rank: 2)
      canvas.line(to.0, from.1, to.0, to.1, .seriesA, rank: 2)
    }
    canvas.draw(&frame, plot.x, plot.y)
    let best = Set(front)
    var used: Set<Rect> = []
    // Points of the front last: where two meet, theirs is the place.
    for index in points.indices.sorted(by: { best.contains($0) && !best.contains($1) }) {
      let (dx, dy) = place(points[index])
      var spot = Rect(plot.x + dx / canvas.across, plot.y + dy / canvas.down, 1, 1)
      while used.contains(spot), spot.x < plot.maxX - 1 { spot.x += 1 }
      used.insert(spot)
      let style =
        best.contains(index) ? Style(.good, on: .bg, .bold) : Style(.fg)
      frame.put(spot.x, spot.y, String(points[index].mark), style)
    }
  }
}
