import Foundation
import Runs

/// Curves over a common axis.
struct Chart {
  /// One curve.
  struct Curve {
    var buckets: [Series.Bucket]
    var role: Role
    /// Role of the span from least to greatest value of each bucket; nil draws the mean alone.
    var band: Role?
    /// Weight of the past in the drawn mean, 0 … below 1.
    ///
    /// Smoothed over the whole series, so that
    /// what is in sight does not change the curve.
    var smoothing = 0.0
    /// Character at the curve's end, so that colour is never alone in telling curves apart.
    var tag: UInt32?
  }

  /// A level or a moment marked across the chart.
  struct Mark {
    var value: Double
    var role: Role
  }

  var curves: [Curve] = []
  var x: ClosedRange<Double>?
  var y: ClosedRange<Double>?
  /// Bounds that the y axis never passes.
  var limits: ClosedRange<Double> = -.infinity ... .infinity
  var level: Mark?
  /// Moments marked on the ground line.
  var marks: [Double] = []
  /// The moment that is shown, as a line from top to bottom.
  var cursor: Double?
  /// Whether y is logarithmic; values that are not positive are then not drawn.
  var isLogarithmic = false
  var point: (x: Double, y: Double, role: Role)?
  var format: (Double) -> String = Format.number
  /// Words for the ends of the x axis, when there is a line for it.
  var xLabels: (String, String)?
  /// Shown while there is nothing to draw.
  var empty = "no steps yet"

  /// Range of y that holds all curves, with a little air; a constant curve gets a range round it.
  func yRange() -> ClosedRange<Double>? {
    if let y { return y }
    var low = Double.infinity
    var high = -Double.infinity
    for curve in curves {
      for bucket in curve.buckets where isInSight(bucket) {
        low = min(low, curve.band == nil ? bucket.mean : bucket.low)
        high = max(high, curve.band == nil ? bucket.mean : bucket.high)
      }
    }
    if let level, low.isFinite {
      // A level far away must not flatten the curve.
      let span = max(high - low, abs(high) * 0.05)
      if level.value > low - 2 * span, level.value < high + 2 * span {
        low = min(low, level.value)
        high = max(high, level.value)
      }
    }
    guard low.isFinite, high.isFinite else { return nil }
    if high - low <= max(abs(high), 1e-12) * 1e-6 {
      let air = max(abs(high) * 0.1, 1e-3)
      (low, high) = (low - air, high + air)
    }
    low = max(low, limits.lowerBound)
    high = min(high, limits.upperBound)
    return low <= high ? low...max(high, low + 1e-9) : nil
  }

  private func isInSight(_ bucket: Series.Bucket) -> Bool {
    (x.map { bucket.end >= $0.lowerBound && bucket.start <= $0.upperBound } ?? true)
      && (!isLogarithmic || bucket.low > 0)
  }

  /// First and last x of the curves; nil where there are none.
  var xRange: ClosedRange<Double>? {
    let ends = curves.flatMap { [$0.buckets.first?.start, $0.buckets.last?.end] }.compactMap(\.self)
    guard let first = ends.min(), let last = ends.max() else { return nil }
    return first...last
  }

  /// Where a value stands between the bounds of the y axis, 0…1 inside.
  private func share(_ value: Double, of y: ClosedRange<Double>) -> Double {
    guard isLogarithmic, y.lowerBound > 0 else {
      return (value - y.lowerBound) / (y.upperBound - y.lowerBound)
    }
    return value > 0 ? log(value / y.lowerBound) / log(y.upperBound / y.lowerBound) : -1
  }

  /// Draws axis and curves into `rect`.
  func draw(_ frame: inout Frame, _ rect: Rect, _ glyphs: GlyphSet) {
    guard rect.width >= 2, rect.height >= 1 else { return }
    let muted = Style(.muted)
    guard let y = yRange(), curves.contains(where: { !$0.buckets.isEmpty }) else {
      frame.putCentred(rect, rect.y + (rect.height - 1) / 2, glyphs.plain(empty), muted)
      return
    }
    let hasXLabels = xLabels != nil && rect.height >= 6
    let rows = rect.height - (hasXLabels ? 1 : 0)
    let (top, bottom) = (format(y.upperBound), format(y.lowerBound))
    let label = rect.width >= 16 ? min(8, max(columns(of: top), columns(of: bottom))) + 1 : 0
    let tags = rect.width >= 24 && curves.contains { $0.tag != nil } ? 4 : 0
    let plot = Rect(rect.x + label, rect.y, rect.width - label - tags, rows)
    if label > 0 {
      frame.put(rect.x, rect.y, Format.right(top, label - 1), muted)
      if rows > 1 {
        frame.put(rect.x, rect.y + rows - 1, Format.right(bottom, label - 1), muted)
      }
      if rows >= 7, rows % 2 == 1 {
        let middle = format(
          isLogarithmic && y.lowerBound > 0
            ? (y.lowerBound * y.upperBound).squareRoot() : (y.lowerBound + y.upperBound) / 2
        )
        frame.put(rect.x, rect.y + rows / 2, Format.right(middle, label - 1), muted)
      }
    }
    drawCurves(&frame, plot, y, glyphs)
    if tags > 0 { drawTags(&frame, plot, y) }
    if hasXLabels, let xLabels {
      frame.put(plot.x, rect.maxY - 1, glyphs.plain(xLabels.0), muted, limit: plot.width)
      frame.putRight(plot.maxX, rect.maxY - 1, glyphs.plain(xLabels.1), muted, limit: plot.width)
    }
  }

  /// Up to three tags a row, the greatest values first, then down to the next free row.
  private func drawTags(_ frame: inout Frame, _ plot: Rect, _ y: ClosedRange<Double>) {
    let ends = curves.compactMap { curve in
      curve.tag.flatMap { tag in curve.buckets.last.map { (tag, curve.role, $0.mean) } }
    }
    var used = Array(repeating: 0, count: plot.height)
    for (tag, role, value) in ends.sorted(by: { $0.2 > $1.2 }) {
      let share = share(value, of: y)
      let below = (1 - min(1, max(0, share))) * Double(plot.height)
      let wanted = Int(near: (below - 1e-9).rounded(.down))
      let row = min(plot.height - 1, max(0, wanted))
      guard let free = (row..<plot.height).first(where: { used[$0] < 3 }) else { continue }
      frame[plot.maxX + 1 + used[free], plot.y + free] = Cell(tag, Style(role, on: .bg, .bold))
      used[free] += 1
    }
  }

  private func drawCurves(
    _ frame: inout Frame,
    _ plot: Rect,
    _ y: ClosedRange<Double>,
    _ glyphs: GlyphSet
  ) {
    var canvas = DotCanvas(width: plot.width, height: plot.height, glyphs: glyphs)
    guard canvas.dotWidth > 0, canvas.dotHeight > 0 else { return }
    guard let range = x ?? xRange else { return }
    let span = max(range.upperBound - range.lowerBound, 1e-9)
    func px(_ x: Double) -> Int {
      let share = min(2, max(-1, (x - range.lowerBound) / span))
      return Int(near: share * Double(canvas.dotWidth - 1))
    }
    func py(_ value: Double) -> Int {
      let share = share(value, of: y)
      return Int(near: (1 - min(2, max(-1, share))) * Double(canvas.dotHeight - 1))
    }
    // A faint ground line gives the eye a hold where no curve is.
    if plot.height >= 3, glyphs == .braille {
      for x in 0..<plot.width { frame.put(plot.x + x, plot.maxY - 1, "⣀", Style(.faint)) }
    }
    if let cursor, range.contains(cursor) {
      let column = plot.x + px(cursor) / canvas.across
      for row in 0..<plot.height {
        frame[column, plot.y + row] = Cell(glyphs.box[5], Style(.pinned))
      }
    }
    if let level, y.contains(level.value) {
      let row = plot.y + min(plot.height - 1, max(0, py(level.value) / canvas.down))
      for x in 0..<plot.width {
        frame[plot.x + x, row] = Cell(glyphs.dash, Style(level.role))
      }
    }
    for (order, curve) in curves.enumerated() {
      let rank = UInt8(order * 2 + 2)
      if let band = curve.band {
        for bucket in curve.buckets {
          let x = px((bucket.start + bucket.end) / 2)
          canvas.line(x, py(bucket.low), x, py(bucket.high), band, rank: 1)
        }
      }
      var column: Column?
      var mean = 0.0
      var weight = 0.0
      for bucket in curve.buckets where !isLogarithmic || bucket.mean > 0 {
        mean = mean * curve.smoothing + bucket.mean * (1 - curve.smoothing)
        weight = weight * curve.smoothing + 1 - curve.smoothing
        let y = py(mean / weight)
        let next = Column(x: px((bucket.start + bucket.end) / 2), y: y)
        guard column?.takes(next) != true else { continue }
        if let column {
          column.draw(on: &canvas, curve.role, rank: rank)
          canvas.line(column.x, column.last, next.x, y, curve.role, rank: rank)
        }
        column = next
      }
      column?.draw(on: &canvas, curve.role, rank: rank)
    }
    canvas.draw(&frame, plot.x, plot.y)
    for mark in marks where range.contains(mark) {
      frame[plot.x + px(mark) / canvas.across, plot.maxY - 1] = Cell(glyphs.mark, Style(.pinned))
    }
    if let point {
      let (x, row) = (px(point.x) / canvas.across, py(point.y) / canvas.down)
      frame[plot.x + min(plot.width - 1, max(0, x)), plot.y + min(plot.height - 1, max(0, row))] =
        Cell(glyphs.pointMark, Style(point.role, on: .bg, .bold))
    }
  }
}

/// What a curve comes to in one column of dots: a long one has many points there, which are drawn
/// as one line from the topmost to the lowest.
private struct Column {
  let x: Int
  private var top: Int
  private var bottom: Int
  /// Where the curve leaves the column.
  private(set) var last: Int

  init(x: Int, y: Int) {
    self.x = x
    (top, bottom, last) = (y, y, y)
  }

  /// Joins `next`; whether it is of this column.
  mutating func takes(_ next: Column) -> Bool {
    guard next.x == x else { return false }
    (top, bottom, last) = (min(top, next.top), max(bottom, next.bottom), next.last)
    return true
  }

  func draw(on canvas: inout DotCanvas, _ role: Role, rank: UInt8) {
    canvas.line(x, top, x, bottom, role, rank: rank)
  }
}

/// The last `width` values as heights of one row; the range is 0…1 unless given.
func drawSparkline(
  _ frame: inout Frame,
  _ x: Int,
  _ y: Int,
  _ values: [Double],
  width: Int,
  role: Role,
  background: Role = .bg,
  range: ClosedRange<Double> = 0...1,
  glyphs: GlyphSet
) {
  guard width > 0, !values.isEmpty else { return }
  let heights = glyphs.spark
  let span = max(range.upperBound - range.lowerBound, 1e-9)
  for column in 0..<width {
    // Each column shows the greatest value of its share of the series.
    let from = column * values.count / width
    let to = max(from + 1, (column + 1) * values.count / width)
    guard from < values.count, let value = values[from..<min(to, values.count)].max() else {
      continue
    }
    let share = value.isFinite ? (value - range.lowerBound) / span : 0
    let height = Int(near: (share * Double(heights.count)).rounded(.down))
    let step = min(heights.count - 1, max(0, height))
    frame[x + column, y] = Cell(heights[step], Style(role, on: background))
  }
}
