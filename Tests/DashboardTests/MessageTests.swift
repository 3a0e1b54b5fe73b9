@testable import Dashboard
import Foundation
import Runs
import Testing

/// The message under the panels, and the gauge of the cost.
@Suite struct MessageTests {
  private static let forecast =
    "this search will hardly settle: "
    + ThetaForecast(rate: .automatic, stepsPerEpoch: 4, epochs: 4, warmup: 0).text

  /// A search at `size` that has logged `text`.
  private func model(_ text: String, _ size: Size) -> Model {
    var model = Fixture.model("running", size)
    var delta = RunDelta()
    delta.log = [LogRecord(id: 1, time: 0, level: .notice, text: text)]
    _ = update(&model, .data(delta))
    return model
  }

  private func words(_ model: Model) -> [Substring] {
    view(model).text.split { $0.isWhitespace }
  }

  @Test(arguments: [Size(80, 24), Size(80, 22), Size(100, 30), Size(120, 36), Size(200, 60)])
  func `a long notice is shown to its last word`(size: Size) {
    let model = model(Self.forecast, size)
    #expect(Self.forecast.count > 78)
    let shown = words(model).joined(separator: " ")
    #expect(shown.contains(Self.forecast))
    // The key line and the panels keep their places.
    #expect(shown.contains("quit") && shown.contains("Layers"))
  }

  @Test func `a short notice takes one line and moves nothing`() {
    let (short, none) = (model("brief", Size(80, 24)), model("", Size(80, 24)))
    func rows(_ model: Model) -> [String] { view(model).text.components(separatedBy: "\n") }
    let (a, b) = (rows(short), rows(none))
    #expect(a.dropLast(2) == b.dropLast(2) && a[a.count - 2].contains("brief"))
  }

  @Test func `a message never takes more than an eighth of the screen`() {
    let endless = String(repeating: "word ", count: 400)
    for size in [Size(80, 24), Size(60, 16), Size(36, 8), Size(20, 5)] {
      let model = model(endless, size)
      let rows = view(model).text.split(separator: "\n").count { $0.contains("word word") }
      #expect(rows == max(1, size.height / 8), "\(size)")
    }
  }

  @Test(arguments: [0.0, 900_000])
  func `a cost has a gauge only where it has a budget`(budget: Double) throws {
    var model = Model(size: Size(120, 36), look: Model.Look())
    _ = update(&model, .data(SimulatedRun(budget: budget).advance(to: 700)))
    let cost = try #require(model.cost)
    let gauge = Format.percent(cost / 900_000, digits: 0)
    let panels = view(model).text
    let panel = try #require(panels.range(of: "Cost"))
    #expect(panels[panel.lowerBound...].contains(gauge) == (budget > 0))
    #expect(!panels.contains("of peak"))
  }

  @Test(arguments: [(1, "1 network is sampled"), (20, "20 networks are sampled")])
  func `a random search says what is to come`(networks: Int, words: String) {
    var model = Fixture.model("random", Size(120, 36))
    model.summary?.randomNetworks = networks
    #expect(view(model).text.contains(words))
  }
}
