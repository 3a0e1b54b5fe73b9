@testable import Dashboard
import Foundation
import Runs
import Testing

/// The cursor through time: every panel shows its moment (spec S84).
@Suite struct MomentTests {
  private func running(_ size: Size = Size(120, 36)) -> Model { Fixture.model("running", size) }

  @Test func `epochs of different lengths keep their places`() {
    var spans = EpochSpans()
    spans.present = 40
    #expect(spans.start(of: 3) == 120)
    spans.end(0, at: 30)
    spans.end(1, at: 60)
    spans.end(2, at: 100)
    #expect(spans.start(of: 2) == 60 && spans.length(of: 1) == 30 && spans.length(of: 2) == 40)
    for step in [0, 1, 29, 30, 45, 60, 99, 100, 120, 139, 140, 260] {
      #expect(spans.step(at: spans.epochs(at: step)) == step)
    }
    #expect(spans.place(of: 75).epoch == 2 && spans.place(of: 75).position == 15)
    #expect(spans.place(of: 150).epoch == 4 && spans.place(of: 150).position == 10)
    // A run that went back ends the epoch anew.
    spans.end(1, at: 58)
    #expect(spans.start(of: 2) == 58 && spans.start(of: 3) == 98)
  }

  @Test func `the past is what the run was then`() throws {
    let run = SimulatedRun()
    var early = Model(size: Size(120, 36))
    _ = update(&early, .data(run.advance(to: 400)))
    let then = view(early).text
    var model = early
    _ = update(&model, .data(run.advance(to: 900)))
    _ = model.setCursor(400)
    let theta = early.theta
    _ = update(&model, .moment(RunMoment(step: 400, lastStep: early.lastStep, theta: theta)))
    let past = model.shown
    #expect(past.epochs == early.epochs && past.theta == theta)
    #expect(past.curves.trainLoss == early.curves.trainLoss)
    #expect(past.probabilities.samples.last == early.probabilities.samples.last)
    #expect(past.status?.step == 400 && past.status?.epoch == early.status?.epoch)
    #expect(past.status?.temperature == early.lastStep?.temperature)
    // The list of choices is the same to the letter.
    let rows = view(model).text.split(separator: "\n", omittingEmptySubsequences: false)
    let list = then.split(separator: "\n", omittingEmptySubsequences: false)
    for y in 3..<19 { #expect(rows[y].prefix(60) == list[y].prefix(60)) }
    #expect(rows[0].contains("STEP 400"))
  }

  @Test func `what requests have come to is what the trainer made of them, undo included`() {
    func steered(_ actions: [Intervention.Action], refused: Set<Int> = []) -> Steered {
      Steered(
        actions.enumerated().map { place, action in
          Intervention(
            id: Int64(place),
            action: action,
            state: refused.contains(place) ? .refused : .done,
            step: place,
            requestedAt: 0,
            note: ""
          )
        }
      )
    }
    let pin = Intervention.Action.pinChoice(choice: 2, option: 1)
    #expect(steered([]).pinned.isEmpty && !steered([]).isHeld)
    #expect(steered([pin, .holdTemperature]).pinned == [2])
    #expect(steered([pin, .undo]).pinned.isEmpty)
    #expect(steered([pin, .unpinChoice(2), .undo]).pinned == [2])
    #expect(steered([pin, .pause, .holdTemperature, .undo]) == steered([pin]))
    #expect(steered([pin, .setTemperature(2), .releaseTemperature, .undo]).isHeld)
    // What was refused changed nothing, so there is nothing of it to undo.
    #expect(steered([pin, .holdTemperature, .undo], refused: [1]).pinned.isEmpty)
    #expect(steered([.undo, pin], refused: [0]).pinned == [2])
  }

  @Test func `keys and clicks move the cursor, Esc comes back to now`() {
    var model = running()
    #expect(model.cursor == nil)
    let effects = update(&model, .key(.character(",")))
    #expect(model.cursor == model.done - max(1, model.done / 200))
    #expect(effects == [.look(model.cursor ?? -1)])
    _ = update(&model, .key(.character("[")))
    let stop = model.cursor ?? -1
    #expect(model.stops.contains(stop))
    _ = update(&model, .key(.character("]")))
    #expect(model.cursor.map { $0 > stop } ?? true)
    _ = update(&model, .key(.character(",")))
    _ = update(&model, .key(.escape))
    #expect(model.cursor == nil && view(model) == view(running()))
    // Beyond the newest step is now.
    _ = update(&model, .key(.character(".")))
    #expect(model.cursor == nil)
    // A click into the film goes to its moment.
    _ = update(&model, .key(.character("4")))
    let film = Layout(model).panels.first { $0.panel == .film }
    let grid = FilmGrid(model, Layout(model).inside(film?.rect ?? Rect(0, 0, 0, 0)))
    let x = grid.cells.x + grid.cells.width / 2
    _ = update(&model, .mouse(x: x, y: grid.cells.y, button: 0))
    let share = Double(model.cursor ?? 0) / Double(model.done)
    #expect(abs(share - 0.5) < 0.02)
  }

  @Test func `the log leads the cursor and follows it`() throws {
    var model = running()
    for (id, step) in [(1, 100), (2, 100), (3, 300), (4, 650)] {
      let record = LogRecord(
        id: Int64(id),
        time: Double(id),
        level: .notice,
        text: "line \(id)",
        step: step
      )
      var delta = RunDelta()
      delta.log = [record]
      _ = update(&model, .data(delta))
    }
    _ = update(&model, .key(.character("6")))
    #expect(model.isShowingLog)
    // Ends of epochs, of 40 steps each, are in it too.
    for step in [680, 650, 640] {
      _ = update(&model, .key(.up))
      #expect(model.cursor == step)
    }
    #expect(view(model).text.contains("▌"))
    _ = update(&model, .key(.down))
    #expect(model.cursor == 650)
    // The list of the past has what came later too.
    #expect(view(model).text.contains("epoch 17"))
    for _ in 0..<2 { _ = update(&model, .key(.down)) }
    #expect(model.cursor == nil)
    _ = update(&model, .key(.home))
    #expect(model.cursor == 40)
  }

  @Test func `requests are marked on the charts and in the film`() {
    var model = running(Size(200, 60))
    var delta = RunDelta()
    delta.interventions = [
      Intervention(
        id: 1,
        action: .setTemperature(2),
        state: .done,
        step: 300,
        requestedAt: 5,
        note: "5 -> 2"
      )
    ]
    let before = view(model).text.filter { $0 == "▴" }.count
    _ = update(&model, .data(delta))
    #expect(before == 0)
    // Loss, accuracy, cost, temperature, film, two choices over time.
    #expect(view(model).text.filter { $0 == "▴" }.count == 7)
    #expect(model.stops.contains(300))
  }

  @Test func `a branch is asked for at the cursor with what is typed`() {
    var model = running()
    _ = model.setCursor(400)
    _ = update(&model, .key(.character("b")))
    for scalar in "temperature.rate=0.9 budget.flops=80k".unicodeScalars {
      _ = update(&model, .key(.character(scalar)))
    }
    #expect(view(model).text.contains("at step 400"))
    let effects = update(&model, .key(.enter))
    #expect(effects == [.branch(400, ["temperature.rate=0.9", "budget.flops=80k"])])
  }

  @Test func `every screen fills a large terminal, and zoom shows one panel`() {
    for (number, word) in zip(
      "234567".unicodeScalars,
      ["Loss", "Temperature", "Film", "Blocks", "Log", "System"]
    ) {
      var model = running()
      _ = update(&model, .key(.character(number)))
      let text = view(model).text
      #expect(text.contains(word), "\(number)")
      #expect(text.contains("1 Layers") && text.contains("7 System"))
    }
    var model = running()
    for word in ["Loss", "Acc", "Cost", "Temperature"] {
      _ = update(&model, .key(.character("z")))
      #expect(Layout(model).panels.count == 1 && view(model).text.contains(word))
    }
    _ = update(&model, .key(.character("z")))
    #expect(view(model) == view(running()))
  }

  @Test func `charts are smoothed before they are zoomed, and y may be logarithmic`() {
    var model = running()
    _ = update(&model, .key(.character("2")))
    let plain = view(model).text
    _ = update(&model, .key(.character("L")))
    #expect(view(model).text != plain)
    _ = update(&model, .key(.character("L")))
    _ = update(&model, .key(.character("S")))
    #expect(view(model).text != plain)
    for _ in 0..<2 { _ = update(&model, .key(.character("S"))) }
    #expect(view(model).text == plain)
    _ = update(&model, .key(.character("X")))
    #expect(view(model).text.contains("step 7"))
    _ = update(&model, .key(.character("X")))
    _ = update(&model, .key(.character("X")))
    _ = update(&model, .key(.character("(")))
    #expect(!view(model).text.contains(" 0  "))
    _ = update(&model, .key(.character(")")))
    #expect(view(model).text == plain)
  }

  @Test func `the film tells settled choices, flips and skips apart without colour`() {
    var model = running()
    model.look.depth = .none
    _ = update(&model, .key(.character("4")))
    let text = view(model).text
    #expect(text.contains("░") && text.contains("how decided"))
    _ = update(&model, .key(.character("e")))
    #expect(view(model).text.contains("p of the leader"))
    _ = update(&model, .key(.character("e")))
    #expect(view(model).text.contains("p of skip"))
    // Leaders change in the simulated run: the letter of the new one stands in the film.
    let grid = FilmGrid(model, Layout(model).inside(Layout(model).panels[0].rect))
    let frame = view(model)
    let letters = (grid.cells.y..<grid.cells.maxY).flatMap { y in
      (grid.cells.x..<grid.cells.maxX).map { frame[$0, y].scalar }
    }.filter { (49...57).contains($0) }
    #expect(!letters.isEmpty)
  }
}
