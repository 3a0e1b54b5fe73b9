import Dashboard
import Runs

/// Time and memory of `bench choices` against the number of options, side by side.
struct ChoicePlot {
  private let rows: [BenchChoicesCommand.Report.Row]

  private static let size = (width: 760.0, height: 380.0)
  private static let panel = (width: 296.0, top: 84.0, bottom: 52.0)
  private static let colours: [ChoiceBench.Method: String] = [
    .masking: "#0b6e99", .branches: "#c2571a",
  ]

  /// Takes the rows of a report.
  init(_ rows: [BenchChoicesCommand.Report.Row]) { self.rows = rows }

  /// The picture as SVG.
  var svg: String {
    let size = Self.size
    return """
      <svg xmlns="http://www.w3.org/2000/svg" width="\(Int(size.width))" \
      height="\(Int(size.height))" viewBox="0 0 \(Int(size.width)) \(Int(size.height))" \
      font-family="Helvetica, Arial, 'DejaVu Sans', sans-serif" font-size="11" fill="#111">
      <title>Time and memory of a step against the number of options</title>
      <rect width="100%" height="100%" fill="#fff"/>
      \(SVG.text(16, 26, "A step against the number of options", size: 16, weight: "bold"))
      \(legend)
      \(panel(left: 64, title: "time, ms") { $0.medianMs })
      \(panel(left: 440, title: "memory, MiB") { $0.peakMib })
      </svg>

      """
  }

  private typealias Series = (kind: ChoiceBench.Kind, method: ChoiceBench.Method)

  private var series: [Series] {
    ChoiceBench.Method.allCases.flatMap { method in
      ChoiceBench.Kind.allCases.map { (kind: $0, method: method) }
    }
  }

  private func style(_ series: Series) -> String {
    let dashes = series.kind == .resolution ? " stroke-dasharray=\"5 3\"" : ""
    return "fill=\"none\" stroke=\"\(Self.colours[series.method] ?? "#111")\" stroke-width=\"1.5\""
      + dashes
  }

  private var legend: String {
    series.enumerated().map { index, series in
      let x = 16 + 176 * Double(index)
      return "<path d=\"M\(SVG.number(x)) 46h24\" \(style(series))/>"
        + mark(series, x + 12, 46)
        + SVG.text(x + 30, 50, "\(series.method.rawValue), \(series.kind.rawValue)")
    }.joined(separator: "\n")
  }

  /// Circles for channels, squares for resolutions.
  private func mark(_ series: Series, _ x: Double, _ y: Double) -> String {
    let fill = "fill=\"\(Self.colours[series.method] ?? "#111")\""
    return series.kind == .channels
      ? "<circle cx=\"\(SVG.number(x))\" cy=\"\(SVG.number(y))\" r=\"3.5\" \(fill)/>"
      : "<rect x=\"\(SVG.number(x - 3))\" y=\"\(SVG.number(y - 3))\" "
        + "width=\"6\" height=\"6\" \(fill)/>"
  }

  private func panel(
    left: Double,
    title: String,
    _ value: (BenchChoicesCommand.Report.Row) -> Double
  ) -> String {
    let most = max(rows.map(value).max() ?? 1, 1e-9) * 1.05
    let options = Double(max(rows.map(\.count).max() ?? 1, 2))
    let (bottom, right) = (Self.size.height - Self.panel.bottom, left + Self.panel.width)
    func x(_ count: Int) -> Double { left + Double(count) / options * Self.panel.width }
    func y(_ value: Double) -> Double { bottom - value / most * (bottom - Self.panel.top) }
    var parts = SVG.ticks(0...most).map {
      SVG.line(left, y($0), right, y($0), "#ddd")
        + SVG.text(left - 8, y($0) + 4, Format.precise($0), anchor: "end")
    }
    for count in Set(rows.map(\.count)).sorted() where count < 3 || count % 2 == 0 {
      parts.append(SVG.text(x(count), bottom + 18, "\(count)", anchor: "middle"))
    }
    parts.append(SVG.line(left, bottom, right, bottom, "#111"))
    parts.append(SVG.line(left, bottom, left, Self.panel.top, "#111"))
    parts.append(SVG.text(left, Self.panel.top - 8, title, weight: "bold"))
    parts.append(SVG.text((left + right) / 2, bottom + 38, "options", anchor: "middle"))
    for series in series {
      let points = rows.filter { $0.kind == series.kind && $0.method == series.method }
        .map { (x: x($0.count), y: y(value($0))) }
      let path = points.map { "\(SVG.number($0.x)) \(SVG.number($0.y))" }.joined(separator: "L")
      parts.append("<path d=\"M\(path)\" \(style(series))/>")
      parts += points.map { mark(series, $0.x, $0.y) }
    }
    return parts.joined(separator: "\n")
  }
}
