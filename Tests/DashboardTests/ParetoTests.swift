@testable import Dashboard
import Foundation
import Runs
import Testing

@Suite struct ParetoTests {
  private typealias Point = ParetoChart.Point

  @Test func `the front holds what no other beats in cost and accuracy`() {
    let chart = ParetoChart(
      points: [
        Point(mark: "a", name: "dear", cost: 3, accuracy: 0.9),
        Point(mark: "b", name: "cheap", cost: 1, accuracy: 0.7),
        Point(mark: "c", name: "beaten", cost: 2, accuracy: 0.6),
        Point(mark: "d", name: "equal", cost: 3, accuracy: 0.9),
      ],
      metric: .flops
    )
    #expect(chart.front.map { chart.points[$0].name } == ["cheap", "dear"])
  }

  @Test func `values that no trainer writes are drawn too`() {
    func lines(_ text: String) -> Int {
      text.split(separator: "\n", omittingEmptySubsequences: false).count
    }
    let odd: [Double] = [.nan, .infinity, -.infinity, -5, 0, 2, 1e308, -1e308]
    for cost in odd {
      for accuracy in odd {
        let chart = ParetoChart(
          points: [
            Point(mark: "a", name: "odd", cost: cost, accuracy: accuracy),
            Point(mark: "b", name: "odder", cost: accuracy, accuracy: cost),
          ],
          metric: .flops
        )
        #expect(lines(chart.text(width: 60, height: 12)) == 12)
        #expect(chart.costs.lowerBound >= 0 && chart.accuracies.upperBound <= 1)
      }
    }
  }

  @Test func `controls in names are shown in frames and drawings, and take their columns`() throws {
    let name = "a\u{1B}[2Jb\n&\u{202E}"
    let shown = #"a\u001b[2Jb\n&\u202e"#
    #expect(columns(of: name) == shown.count)
    #expect(clip(name, to: 8) == #"a\u001b…"#)
    var frame = Frame(Size(42, 1))
    #expect(frame.put(0, 0, name) == shown.count)
    frame.putRight(42, 0, name)
    #expect(frame.text == shown + "  " + shown)
    #expect(frame.svg(theme: ThemeLibrary.builtIn.themes[0]).contains(#"\u001b[2Jb\n&amp;\u202e"#))
    let chart = ParetoChart(
      points: [Point(mark: "a", name: name, cost: 1, accuracy: 0.5)],
      metric: .flops
    )
    #expect(chart.svg.contains(#"a\u001b[2Jb\n&amp;\u202e</text>"#))
  }

  @Test func `names of points that lie close do not overlap`() throws {
    let points = (0..<4).map {
      Point(mark: "x", name: "network-\($0)", cost: 5 + 0.01 * Double($0 % 2), accuracy: 0.5)
    }
    let far = [
      Point(mark: "y", name: "left", cost: 1, accuracy: 0.1),
      Point(mark: "z", name: "right", cost: 9, accuracy: 0.9),
    ]
    let svg = ParetoChart(points: points + far, metric: .latency).svg
    let text =
      /<text x="([\d.]+)" y="([\d.]+)"[^>]*text-anchor="(start|end)">((?:network-\d)|left|right)</
    let boxes = try svg.matches(of: text).map { match in
      let (x, y) = (try #require(Double(match.1)), try #require(Double(match.2)))
      let width = 6.3 * Double(match.4.count)
      return CGRect(x: match.3 == "end" ? x - width : x, y: y - 9, width: width, height: 11)
    }
    #expect(boxes.count == 6)
    for (index, box) in boxes.enumerated() {
      #expect(!boxes.dropFirst(index + 1).contains { $0.intersects(box) })
      #expect(box.minX > 0 && box.maxX < 720)
    }
  }
}
