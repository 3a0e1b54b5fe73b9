import Foundation
import Runs

extension ParetoChart {
  private static let size = (width: 720.0, height: 440.0)
  private static let plot = (left: 72.0, top: 56.0, right: 24.0, bottom: 56.0)

  /// The picture as SVG: full marks lie on the front, hollow ones below it; squares were trained
  /// from scratch, circles have the weights of their search.
  package var svg: String {
    """
    <svg xmlns="http://www.w3.org/2000/svg" width="720" height="440" viewBox="0 0 720 440" \
    font-family="Helvetica, Arial, 'DejaVu Sans', sans-serif" font-size="11" fill="#111">
    <title>Accuracy against \(costTitle) of \(Format.counted(points.count, "network"))</title>
    <rect width="100%" height="100%" fill="#fff"/>
    \(SVG.text(16, 26, "Accuracy against \(costTitle)", size: 16, weight: "bold"))
    \(SVG.text(16, 43, legend))
    \(grid)
    \(staircase)
    \(points.indices.map(mark).joined(separator: "\n"))
    \(labels)
    </svg>

    """
  }

  private var legend: String {
    let kinds = Set(points.map(\.isRetrained))
    return "full: on the front"
      + (kinds.contains(true) ? "; squares: trained from scratch" : "")
      + (kinds.contains(false) ? "; circles: with the weights of their search" : "")
  }

  private func place(_ cost: Double, _ accuracy: Double) -> (x: Double, y: Double) {
    let (size, plot) = (Self.size, Self.plot)
    let across = (cost - costs.lowerBound) / max(costs.upperBound - costs.lowerBound, 1e-12)
    let up =
      (accuracy - accuracies.lowerBound)
      / max(accuracies.upperBound - accuracies.lowerBound, 1e-12)
    return (
      plot.left + across * (size.width - plot.left - plot.right),
      size.height - plot.bottom - up * (size.height - plot.top - plot.bottom)
    )
  }

  private var grid: String {
    let (low, high) = (
      place(costs.lowerBound, accuracies.lowerBound),
      place(costs.upperBound, accuracies.upperBound)
    )
    var lines = SVG.ticks(accuracies).map { value in
      let y = place(costs.lowerBound, value).y
      return SVG.line(low.x, y, high.x, y, "#ddd")
        + SVG.text(low.x - 8, y + 4, Format.percent(value), anchor: "end")
    }
    lines += SVG.ticks(costs).map { value in
      let x = place(value, accuracies.lowerBound).x
      return SVG.line(x, low.y, x, high.y, "#eee")
        + SVG.text(x, low.y + 18, costText(value), anchor: "middle")
    }
    lines.append(SVG.line(low.x, low.y, high.x, low.y, "#111"))
    lines.append(SVG.line(low.x, low.y, low.x, high.y, "#111"))
    lines.append(SVG.text((low.x + high.x) / 2, low.y + 38, costTitle, anchor: "middle"))
    return lines.joined(separator: "\n")
  }

  private var staircase: String {
    let corners = front.map { place(points[$0].cost, points[$0].accuracy) }
    guard let first = corners.first, corners.count > 1 else { return "" }
    var path = "M\(SVG.number(first.x)) \(SVG.number(first.y))"
    for corner in corners.dropFirst() { path += "H\(SVG.number(corner.x))V\(SVG.number(corner.y))" }
    return "<path d=\"\(path)\" fill=\"none\" stroke=\"#0b6e99\" stroke-width=\"1.5\"/>"
  }

  private func mark(_ index: Int) -> String {
    let point = points[index]
    let (x, y) = place(point.cost, point.accuracy)
    let fill = front.contains(index) ? "#0b6e99" : "#fff"
    let style = "fill=\"\(fill)\" stroke=\"#0b6e99\" stroke-width=\"1.5\""
    return point.isRetrained
      ? "<rect x=\"\(SVG.number(x - 4.5))\" y=\"\(SVG.number(y - 4.5))\" "
        + "width=\"9\" height=\"9\" \(style)/>"
      : "<circle cx=\"\(SVG.number(x))\" cy=\"\(SVG.number(y))\" r=\"5\" \(style)/>"
  }

  /// Names next to their marks: above or below, right or left, where nothing else is if there is
  /// such a place inside the picture.
  private var labels: String {
    let places = points.map { place($0.cost, $0.accuracy) }
    var taken = places.map { CGRect(x: $0.x - 5, y: $0.y - 5, width: 10, height: 10) }
    let page = CGRect(
      x: Self.plot.left,
      y: 0,
      width: Self.size.width - Self.plot.left,
      height: Self.size.height
    )
    return zip(points, places).map { point, place in
      let width = 6.3 * Double(point.name.printable().count)
      let spots = [(6.0, -8.0), (-6, -8), (6, 17), (-6, 17)].map { dx, dy in
        (
          x: place.x + dx, y: place.y + dy, anchor: dx > 0 ? "start" : "end",
          box: CGRect(
            x: place.x + (dx > 0 ? dx : dx - width),
            y: place.y + dy - 9,
            width: width,
            height: 11
          )
        )
      }
      let spot =
        spots.first { spot in
          page.contains(spot.box) && !taken.contains { $0.intersects(spot.box) }
        } ?? spots[place.x > Self.size.width - 130 ? 1 : 0]
      taken.append(spot.box)
      return SVG.text(spot.x, spot.y, point.name, anchor: spot.anchor)
    }.joined(separator: "\n")
  }
}
