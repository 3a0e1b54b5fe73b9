@testable import Dashboard
import Foundation
import Runs
import Testing

@Suite struct UpdateTests {
  private func running() -> Model { Fixture.model("running", Size(120, 36)) }

  private func press(_ model: inout Model, _ keys: String) -> [Effect] {
    keys.unicodeScalars.flatMap { update(&model, .key(.character($0))) }
  }

  @Test func `the chosen network of a search of widths is told by its options, not its blocks`() {
    var model = Fixture.model("widths", Size(120, 36))
    let leading = model.leadingOptions
    var found = Fixture.found
    var delta = RunDelta()
    delta.result = .search(found)
    _ = update(&model, .data(delta))
    // A run of before the options were written says nothing rather than something wrong.
    #expect(!model.choosesBlocks && model.chosenOptions == nil)
    found.options = leading
    delta.result = .search(found)
    _ = update(&model, .data(delta))
    #expect(model.networks.first { $0.name == "chosen" }?.blocks == leading)
    // Of blocks both are the same.
    var blocks = Fixture.model("finished", Size(120, 36))
    delta.result = .search(Fixture.found)
    _ = update(&blocks, .data(delta))
    #expect(blocks.choosesBlocks && blocks.chosenOptions?.first == "k3_e6")
  }

  @Test func `the list of networks is moved in, clicked and opened`() throws {
    var model = Fixture.model("networks", Size(120, 36))
    #expect(model.network == 3 && model.selection == 0)
    // Those that were tested, trained, evaluated; the most accurate first.
    #expect(
      model.networks.dropFirst().map(\.blocks)
        == [5, 3, 1, 2, 4, 0].map { model.derived[$0].blocks }
    )
    #expect(model.networks[0].name == "leading" && model.networks[1].accuracy == 0.966)
    #expect(model.chosenNetwork?.blocks == model.derived[1].blocks)
    _ = update(&model, .key(.end))
    #expect(model.network == model.networks.count - 1)
    #expect(model.chosenNetwork?.measure == .search && model.chosenNetwork?.name == "argmax")
    _ = update(&model, .key(.down))
    #expect(model.network == model.networks.count - 1)
    _ = update(&model, .key(.home))
    // A click chooses a row, a second one opens its blocks, and Esc closes them.
    let layout = Layout(model)
    let panel = try #require(layout.panels.first { $0.panel == .networks })
    let list = NetworkRows(model, layout.inside(panel.rect)).list
    let cell = Event.mouse(x: list.x + 4, y: list.y + 2, button: 0)
    _ = update(&model, cell)
    #expect(model.network == 2 && model.zoom == nil)
    _ = update(&model, cell)
    #expect(model.zoom == .blocks)
    let blocks = view(model).text
    #expect(blocks.contains("of c: the sample network"))
    for block in model.derived[3].blocks { #expect(blocks.contains(block)) }
    _ = update(&model, .key(.escape))
    #expect(model.zoom == nil && model.tab == 4)
    // Where there are none yet, keys do no harm.
    var empty = Fixture.model("preparing", Size(120, 36))
    for key in [Key.character("5"), .down, .up, .end, .enter] { _ = update(&empty, .key(key)) }
    #expect(empty.network == 0)
  }

  @Test func `pinning is priced before it is asked for`() throws {
    var model = Fixture.model("inspector", Size(200, 60))
    let index = model.selection
    let values = model.probabilities(of: index)
    let flops = try #require(model.prices[model.choices[index].id]?.flops)
    let changes = try flops.indices.map { try #require(model.costIfPinned(index, $0)) }
    // Weighted by their probabilities the changes cancel out.
    let mean = zip(changes, values).reduce(0) { $0 + $1.0 * Double($1.1) }
    #expect(abs(mean) < 1e-3 * (flops.max() ?? 0))
    let sentence = try #require(whatIf(model, index))
    #expect(sentence.hasPrefix("Pinned to") && view(model).text.contains(sentence))
    #expect(view(model).text.contains("if pinned"))
    model.prices = [:]
    #expect(whatIf(model, index) == nil && !view(model).text.contains("if pinned"))
  }

  @Test func `steering keys ask for what they say`() {
    var model = running()
    #expect(press(&model, " ") == [.request(.pause)])
    #expect(press(&model, "s") == [.request(.singleStep)])
    #expect(press(&model, "+") == [.request(.scaleTemperature(1.1))])
    #expect(press(&model, "-") == [.request(.scaleTemperature(1 / 1.1))])
    #expect(press(&model, "h") == [.request(.holdTemperature)])
    #expect(press(&model, "c") == [.request(.checkpoint)])
  }

  @Test func `space resumes what is paused and h releases what is held`() {
    var model = Fixture.model("paused", Size(80, 24))
    #expect(press(&model, " ") == [.request(.resume)])
    #expect(press(&model, "h") == [.request(.releaseTemperature)])
  }

  @Test func `a command is shown at once and then as the trainer answers`() {
    var model = running()
    _ = press(&model, "c")
    #expect(view(model).text.contains("checkpoint  ● requested → ○ accepted → ○ done"))
    var delta = RunDelta()
    var intervention = Intervention(
      id: 1,
      action: .checkpoint,
      state: .accepted,
      step: 701,
      requestedAt: 0,
      note: ""
    )
    delta.interventions = [intervention]
    _ = update(&model, .data(delta))
    #expect(view(model).text.contains("● requested → ● accepted → ○ done"))
    intervention.state = .done
    delta.interventions = [intervention]
    _ = update(&model, .data(delta))
    #expect(view(model).text.contains("→ ● done at step 701"))
    intervention.state = .refused
    intervention.note = "disk full"
    delta.interventions = [intervention]
    _ = update(&model, .data(delta))
    #expect(view(model).text.contains("✗ refused: disk full"))
  }

  @Test func `a typed temperature is checked before it is sent`() {
    var model = running()
    #expect(press(&model, "t1.x") == [])
    #expect(update(&model, .key(.enter)) == [])
    #expect(view(model).text.contains("not a number from 0.001 to 1000"))
    #expect(update(&model, .key(.backspace)) == [])
    #expect(press(&model, "5") == [])
    #expect(update(&model, .key(.enter)) == [.request(.setTemperature(1.5))])
    #expect(model.overlay == nil)
    #expect(press(&model, "t-1") == [])
    #expect(update(&model, .key(.enter)) == [])
    #expect(update(&model, .key(.escape)) == [])
    #expect(model.overlay == nil)
  }

  @Test func `a paste is text in a prompt and nothing elsewhere`() {
    var model = running()
    let before = view(model)
    for text in ["q", "cats - hello + tq s", "", String(repeating: "c", count: 5000)] {
      #expect(update(&model, .paste(text)) == [])
    }
    #expect(view(model) == before)
    _ = press(&model, "t")
    #expect(update(&model, .paste(" 1.25 ")) == [])
    #expect(update(&model, .key(.enter)) == [.request(.setTemperature(1.25))])
    _ = press(&model, "q")
    #expect(update(&model, .paste("k")) == [] && model.overlay == .quit(selected: 0))
  }

  @Test
  func `in the background the first Ctrl-C stops and saves, and the end of the work is the end`() {
    var model = running()
    model.isShown = false
    #expect(update(&model, .interrupt) == [.request(.stop)])
    var delta = RunDelta()
    delta.status = RunStatus(state: .stopped)
    #expect(update(&model, .data(delta)) == [.exit(.stopRequested)])
    model = running()
    delta.status = RunStatus(state: .finished)
    #expect(update(&model, .data(delta)) == [.notify("supertop: digits-1 is finished")])
    model.isShown = false
    #expect(update(&model, .data(RunDelta())) == [.exit(.quit)])
    // A watcher has no work of its own: it waits to be looked at, and leaves the search alone.
    model = running()
    model.ownsTrainer = false
    model.isShown = false
    #expect(update(&model, .data(delta)) == [])
    model = running()
    model.ownsTrainer = false
    model.isShown = false
    #expect(update(&model, .interrupt) == [.exit(.quit)])
  }

  @Test func `quit asks while the search runs`() {
    var model = running()
    #expect(press(&model, "q") == [])
    #expect(model.overlay == .quit(selected: 0))
    #expect(press(&model, "c") == [])
    #expect(model.overlay == nil)
    #expect(press(&model, "qk") == [.exit(.detached)])
  }

  @Test func `stop and save leaves only when the trainer has saved`() {
    var model = running()
    #expect(press(&model, "q") == [])
    #expect(update(&model, .key(.enter)) == [.request(.stop)])
    #expect(model.isStopping)
    var delta = RunDelta()
    var status = RunStatus(state: .running)
    delta.status = status
    #expect(update(&model, .data(delta)) == [])
    status.state = .stopped
    delta.status = status
    #expect(update(&model, .data(delta)) == [.exit(.stopRequested)])
  }

  @Test func `quit leaves a finished search at once`() {
    var model = Fixture.model("finished", Size(80, 24))
    #expect(press(&model, "q") == [.exit(.quit)])
  }

  @Test func `a finished search shows its result until it is put away`() {
    var model = Fixture.model("finished", Size(80, 24))
    #expect(model.overlay == .result)
    #expect(view(model).text.contains("validation accuracy 96.8%"))
    _ = update(&model, .key(.escape))
    #expect(model.overlay == nil)
    _ = update(&model, .data(RunDelta()))
    #expect(model.overlay == nil)
    #expect(press(&model, " ") == [])
    #expect(model.message == .notice("the search is finished"))
  }

  @Test func `interrupts ask then stop then leave`() {
    var model = running()
    #expect(update(&model, .interrupt) == [])
    #expect(model.overlay == .quit(selected: 0))
    #expect(update(&model, .interrupt) == [.request(.stop)])
    #expect(update(&model, .interrupt) == [.exit(.interrupted)])
  }

  @Test func `interrupts far apart only ask`() {
    var model = running()
    #expect(update(&model, .interrupt) == [])
    _ = update(&model, .tick(model.now + 3))
    #expect(update(&model, .interrupt) == [])
    #expect(!model.isStopping)
  }

  @Test func `arrows and the mouse choose a layer and open it`() {
    var model = running()
    _ = update(&model, .key(.down))
    #expect(model.selection == 1)
    for _ in 0..<40 { _ = update(&model, .key(.down)) }
    #expect(model.selection == 7)
    let layout = Layout(model)
    let rows = layout.layerRows
    _ = update(&model, .mouse(x: rows.x + 2, y: rows.y + 2 * layout.rowHeight, button: 0))
    #expect(model.selection == 2)
    _ = update(&model, .mouse(x: rows.x + 2, y: rows.y + 2 * layout.rowHeight, button: 0))
    #expect(model.screen == .inspector)
    _ = update(&model, .key(.escape))
    #expect(model.screen == .main)
    _ = update(&model, .mouse(x: 5, y: 5, button: 65))
    #expect(model.selection == 3)
  }

  @Test func `a click on the key line is the key`() {
    var model = running()
    let line = view(model).text.split(separator: "\n", omittingEmptySubsequences: false)[35]
    let at = line.distance(
      from: line.startIndex,
      to: line.range(of: "pause")?.lowerBound ?? line.startIndex
    )
    #expect(update(&model, .mouse(x: at, y: 35, button: 0)) == [.request(.pause)])
  }

  @Test func `the chosen layer stays in sight in a long list`() {
    var model = Fixture.model("deep", Size(80, 24))
    for index in 0..<22 {
      let layout = Layout(model)
      #expect((layout.firstRow..<(layout.firstRow + layout.visibleRows)).contains(index))
      _ = update(&model, .key(.down))
    }
  }

  @Test func `silence and death of the trainer are shown`() {
    var model = running()
    _ = update(&model, .tick(model.now + 30))
    #expect(view(model).text.contains("NO SIGN OF LIFE 30s"))
    #expect(view(Fixture.model("gone", Size(80, 24))).text.contains("TRAINER GONE"))
  }

  @Test func `what idles draws the same frame`() {
    var model = Fixture.model("paused", Size(120, 36))
    let before = view(model)
    for i in 0..<50 { _ = update(&model, .tick(model.now + Double(i) * 0.1)) }
    #expect(view(model) == before)
  }

  @Test func `captured output and failures reach the message line`() {
    var model = running()
    _ = update(&model, .capturedOutput("libfoo: hello\n"))
    #expect(view(model).text.contains("libfoo: hello"))
    _ = update(&model, .sourceFailed("run.sqlite: disk I/O error"))
    #expect(view(model).text.contains("✗ run.sqlite: disk I/O error"))
  }

  @Test func `T goes through all themes and back`() {
    var model = running()
    let count = model.look.library.themes.count
    var names: Set<String> = []
    _ = press(&model, "T")
    for _ in 0..<count {
      names.insert(model.look.theme.name)
      _ = press(&model, "T")
    }
    #expect(names.count == count && model.look.themeIndex == 0)
  }

  @Test func `no screen of a finished run offers to steer it`() {
    for name in ["finished", "widths"] {
      var model = Fixture.model(name, Size(160, 40))
      model.status?.state = .finished
      model.overlay = nil
      for screen in [Model.Screen.main, .inspector] {
        model.screen = screen
        let words = keyHints(model, Layout(model).keys).map(\.command)
        #expect(!words.isEmpty && !words.contains(where: \.steers), "\(screen): \(words)")
      }
    }
  }

  @Test func `a training asks for no temperature and opens no layer`() {
    var model = Fixture.model("training", Size(120, 36))
    for key in "+-th".unicodeScalars {
      #expect(update(&model, .key(.character(key))).isEmpty)
      #expect(model.overlay == nil)
    }
    #expect(update(&model, .key(.enter)).isEmpty && model.screen == .main)
    #expect(update(&model, .key(.character(" "))) == [.request(.pause)])
    let words = keyHints(model, Layout(model).keys).map(\.word)
    #expect(words.contains("pause") && !words.contains("hotter"))
    let screen = view(model).text
    for word in ["Learning rate", "top-5", "fbnet_96", "mixup 0.2", "12.8M FLOPs"] {
      #expect(screen.contains(word), "\(word) is not on the screen")
    }
    #expect(!screen.contains("Temperature") && !screen.contains("argmax"))
  }
}
