@testable import Dashboard
import Foundation
import Runs
import Testing

/// The list of runs: what its keys do and what it looks like at every size.
@Suite struct RunListTests {
  static let sizes = ["200x60", "120x36", "80x24", "60x16", "20x4", "1x1"]
  static let states = [
    "none", "one", "several", "marked", "loss", "filtered", "typing", "mistake", "help", "ascii",
    "many",
  ]

  @Test(arguments: states)
  func `frames look as recorded`(state: String) throws {
    for name in Self.sizes {
      let parts = name.split(separator: "x").compactMap { Int($0) }
      let frame = viewList(RunListFixture.model(state, Size(parts[0], parts[1])))
      #expect(frame.width == parts[0] && frame.height == parts[1])
      try Recorded.compare(frame.text + "\n", "RunList/\(state)-\(name)")
    }
  }

  @Test(arguments: states)
  func `no size is too small and ASCII is ASCII`(state: String) {
    for width in [1, 3, 19, 36, 50, 110] {
      for height in [1, 2, 3, 5, 8, 18, 20] {
        var model = RunListFixture.model(state, Size(width, height))
        model.look.glyphs = .ascii
        let frame = viewList(model)
        #expect(frame.cells.count == width * height)
        let isPlain = frame.text.unicodeScalars.allSatisfy(\.isASCII)
        #expect(isPlain)
      }
    }
  }

  private func press(_ model: inout RunListModel, _ keys: String) -> [RunListEffect] {
    keys.unicodeScalars.flatMap { updateList(&model, .key(.character($0))) }
  }

  @Test func `keys choose and open a run, and leave`() {
    var model = RunListFixture.model("several", Size(120, 36))
    #expect(model.chosen?.name == "digits-1")
    #expect(press(&model, "jj") == [] && model.chosen?.name == "digits-3")
    #expect(press(&model, "k") == [] && model.chosen?.name == "digits-2")
    #expect(updateList(&model, .key(.enter)) == [.open("runs/digits-2")])
    #expect(press(&model, "G") == [] && model.chosen?.name == "broken")
    // There is nothing to open in one that cannot be read.
    #expect(updateList(&model, .key(.enter)) == [])
    #expect(model.message == .problem("runs/broken: not a run"))
    #expect(press(&model, "g") == [] && model.selection == 0 && model.message == nil)
    #expect(press(&model, "q") == [.exit(.quit)])
    #expect(updateList(&model, .interrupt) == [.exit(.quit)])
    #expect(updateList(&model, .hangUp) == [.exit(.hungUp)])
    #expect(updateList(&model, .stop) == [.suspend])
    #expect(press(&model, "\u{0c}") == [.repaint])
  }

  @Test func `a click chooses a run, a second one opens it, and the key line is clickable`() {
    var model = RunListFixture.model("several", Size(80, 24))
    let layout = RunListLayout(model)
    let row = layout.rows.y + 1
    #expect(updateList(&model, .mouse(x: 20, y: row, button: 0)) == [])
    #expect(model.chosen?.name == "digits-2")
    #expect(updateList(&model, .mouse(x: 20, y: row, button: 0)) == [.open("runs/digits-2")])
    _ = updateList(&model, .mouse(x: 20, y: row, button: 65))
    #expect(model.chosen?.name == "digits-3")
    let quit = layout.hints(model).first { $0.command == .quit }
    #expect(updateList(&model, .mouse(x: quit?.rect.x ?? 0, y: 23, button: 0)) == [.exit(.quit)])
  }

  @Test func `a filter is applied as it is typed, kept by Enter and lifted by Esc`() {
    var model = RunListFixture.model("several", Size(120, 36))
    _ = press(&model, "/state:running")
    #expect(model.shown.map(\.name) == ["digits-1", "digits-2"])
    _ = updateList(&model, .key(.enter))
    #expect(model.overlay == nil && model.filter?.text == "state:running")
    #expect(viewList(model).text.contains("filter: state:running"))
    #expect(viewList(model).text.contains("2 of 7 runs"))
    // What is begun and given up leaves the old one.
    _ = press(&model, "/ AND luck")
    #expect(model.shown.isEmpty)
    _ = updateList(&model, .key(.escape))
    #expect(model.shown.count == 2 && model.overlay == nil)
    _ = updateList(&model, .key(.escape))
    #expect(model.filter == nil && model.shown.count == 7)
    // A blank one lifts it too.
    _ = press(&model, "/luck")
    for _ in 0..<4 { _ = updateList(&model, .key(.backspace)) }
    _ = updateList(&model, .key(.enter))
    #expect(model.filter == nil && model.shown.count == 7)
  }

  @Test func `a mistake in a filter is one line, and the last good one stays`() {
    var model = RunListFixture.model("several", Size(120, 36))
    _ = press(&model, "/luck AND")
    #expect(model.shown.map(\.name) == ["luck"])
    _ = updateList(&model, .key(.enter))
    let lines = viewList(model).text.split(separator: "\n", omittingEmptySubsequences: false)
    #expect(lines[34].contains("filter luck AND: a term is missing at the end"))
    #expect(lines[35].hasPrefix("/luck AND"))
    #expect(model.shown.count == 1)
    // Letters that are keys elsewhere are text, and so is a paste.
    #expect(updateList(&model, .paste(" q T\u{7}")) == [])
    guard case .filter(let text, _, _) = model.overlay else {
      Issue.record("no filter is typed")
      return
    }
    #expect(text == "luck ANDq T")
  }

  @Test func `marks go into the chart with a colour that no filter and no new run changes`() throws
  {
    var model = RunListFixture.model("several", Size(120, 36))
    let luck = try #require(model.runs.first { $0.name == "luck" })
    #expect(model.charted.map(\.name) == ["digits-1"])
    _ = press(&model, "j ")
    #expect(model.charted.map(\.name) == ["digits-2"])
    for _ in 0..<2 { _ = updateList(&model, .key(.down)) }
    _ = press(&model, " ")
    #expect(model.marked == ["runs/digits-2", "runs/luck"])
    let (role, tag) = (model.role(of: luck), model.tag(of: luck))
    model.apply(try RunFilter("luck"))
    #expect(model.role(of: luck) == role && model.charted.count == 2)
    // A new run before all others shifts the list and nothing else.
    var first = luck
    (first.name, first.path) = ("a-new-one", "runs/a-new-one")
    model.take([first] + model.runs)
    model.apply(nil)
    #expect(model.runs.first?.name == "a-new-one" && model.chosen?.name == "luck")
    #expect(model.role(of: luck) == role && model.tag(of: luck) == tag)
    #expect(model.role(of: first) != role)
    #expect(model.message == .notice("new in the list: a-new-one"))
    #expect(press(&model, " ") == [] && model.marked == ["runs/digits-2"])
    // A run that goes takes its mark with it.
    model.take(model.runs.filter { $0.name != "digits-2" })
    #expect(model.marked.isEmpty)
  }

  @Test func `the chart shows accuracy or loss, in all roles of the marked runs`() {
    var model = RunListFixture.model("marked", Size(120, 36))
    #expect(viewList(model).text.contains("Validation accuracy"))
    _ = updateList(&model, .key(.tab))
    #expect(viewList(model).text.contains("Validation loss"))
    let used = Set(viewList(model).cells.map(\.style.foreground))
    for run in model.charted { #expect(used.contains(model.role(of: run))) }
  }

  @Test func `the chosen one stays in sight in a long list`() {
    var model = RunListFixture.model("many", Size(80, 24))
    for place in 0..<200 {
      defer { _ = updateList(&model, .key(.down)) }
      guard place % 7 == 0 || place > 190 else { continue }
      let layout = RunListLayout(model)
      #expect(model.selection == place)
      #expect((layout.firstRow..<(layout.firstRow + layout.rows.height)).contains(place))
    }
    #expect(model.selection == 199)
  }

  @Test func `details name the differing settings, the descent and the remedy`() {
    var model = RunListFixture.model("several", Size(120, 36))
    _ = press(&model, "j")
    let text = viewList(model).text
    for word in ["seed", "from", "digits-1 at step 400", "epoch 12 of 30"] {
      #expect(text.contains(word), "\(word)")
    }
    _ = press(&model, "jj")
    #expect(model.chosen?.state == .gone || model.chosen?.state == .finished)
    model.apply(try? RunFilter("state:gone"))
    #expect(viewList(model).text.contains("supertop resume runs/lost"))
  }

  @Test func `while nothing changes the frame stays the same`() {
    var model = RunListFixture.model("several", Size(120, 36))
    let before = viewList(model)
    for i in 0..<20 { _ = updateList(&model, .tick(model.now + Double(i) * 0.01)) }
    model.take(model.runs)
    #expect(viewList(model) == before)
  }

  @Test func `the view of a run is kept while another one is looked at`() {
    var model = Fixture.model("many", Size(80, 24))
    for key in "fjj".unicodeScalars { _ = update(&model, .key(.character(key))) }
    model.look.themeIndex = 1
    _ = update(&model, .key(.tab))
    let kept = RunView(model)
    var again = Model(size: Size(80, 24))
    kept.restore(&again)
    // The data of the run comes anew.
    let run = SimulatedRun(layers: 8, space: .many)
    var delta = run.advance(to: 700)
    delta.startsAnew = true
    _ = update(&again, .data(delta))
    #expect(again.selection == model.selection && again.folded == model.folded)
    #expect(again.tab == 1 && again.look.themeIndex == 1 && again.screen == model.screen)
  }

  @Test func `Esc and q of a run's dashboard come back to the list`() {
    var model = Fixture.model("running", Size(120, 36))
    (model.hasList, model.ownsTrainer) = (true, false)
    #expect(update(&model, .key(.character("q"))) == [.exit(.quit)])
    #expect(update(&model, .key(.escape)) == [.exit(.quit)])
    _ = update(&model, .key(.enter))
    #expect(model.screen == .inspector)
    #expect(update(&model, .key(.escape)) == [] && model.screen == .main)
    #expect(update(&model, .interrupt) == [.exit(.quit)])
    // A dashboard without a list stays where it is.
    model.hasList = false
    #expect(update(&model, .key(.escape)) == [])
  }
}
