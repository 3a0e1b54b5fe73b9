@testable import Dashboard
import Runs
import Testing

@Suite struct ChoiceListTests {
  private func press(_ model: inout Model, _ keys: String) {
    for key in keys.unicodeScalars { _ = update(&model, .key(.character(key))) }
  }

  @Test func `few choices are listed without heads`() {
    let choices = SimulatedSpace.blocks.choices(24)
    #expect(ChoiceList(choices, folded: ["stage 1"]).rows == choices.indices.map { .choice($0) })
  }

  @Test func `few choices of several kinds have heads`() {
    let choices = SimulatedSpace.mixed.choices(8)
    let rows = ChoiceList(choices, folded: []).rows
    #expect(rows.first == .group(name: "stage 1", choices: 0..<4, isFolded: false))
    #expect(rows.count > choices.count)
  }

  @Test func `a folded group is one row and every choice has a row`() {
    let choices = SimulatedSpace.many.choices(0)
    #expect(choices.count == 80)
    let open = ChoiceList(choices, folded: [])
    #expect(open.rows.count == 80 + 9)
    let folded = ChoiceList(choices, folded: ["stage 1", "head"])
    #expect(folded.rows.count == 80 + 9 - 12 - 1)
    #expect(folded.rows[2] == .group(name: "stage 1", choices: 1..<13, isFolded: true))
    for index in choices.indices {
      #expect(open.rows[open.place(of: index)] == .choice(index))
      let row = folded.rows[folded.place(of: index)]
      #expect(row == .choice(index) || (1..<13).contains(index) || index == 79)
    }
  }

  @Test func `keys fold and open groups and pass over what is folded`() {
    var model = Fixture.model("many", Size(120, 36))
    press(&model, "jf")
    #expect(model.folded == ["stage 1"] && model.selection == 1)
    press(&model, "j")
    #expect(model.selection == 13)
    press(&model, "k")
    #expect(model.selection == 1 && model.isSelectionFolded)
    // Enter opens a folded group, and then the choice.
    _ = update(&model, .key(.enter))
    #expect(model.folded.isEmpty && model.screen == .main)
    _ = update(&model, .key(.enter))
    #expect(model.screen == .inspector)
    _ = update(&model, .key(.escape))
    press(&model, "FG")
    #expect(model.selection == 79 && model.list.rows.count == 9)
    press(&model, "F")
    #expect(model.folded.isEmpty)
  }

  @Test func `a click on the head of a group folds it`() {
    var model = Fixture.model("many", Size(120, 36))
    let rows = Layout(model).layerRows
    _ = update(&model, .mouse(x: rows.x + 4, y: rows.y, button: 0))
    #expect(model.folded == ["input"])
    _ = update(&model, .mouse(x: rows.x + 4, y: rows.y, button: 0))
    #expect(model.folded.isEmpty)
  }

  @Test func `the chosen row stays in sight`() {
    for state in ["many", "many-folded"] {
      var model = Fixture.model(state, Size(80, 24))
      press(&model, "g")
      for _ in 0..<80 {
        let layout = Layout(model)
        let place = model.list.place(of: model.selection)
        #expect((layout.firstRow..<(layout.firstRow + layout.visibleRows)).contains(place))
        press(&model, "j")
      }
    }
  }

  @Test func `options of one choice never look the same`() {
    for space in [SimulatedSpace.blocks, .widths, .mixed, .many] {
      for choice in space.choices(8) {
        #expect(Set(choice.looks).count == choice.options.count, "\(choice.id)")
      }
    }
    let blocks = Choice(
      name: "layer",
      detail: "",
      options: (0..<18).map { .init(name: "\($0)") }
    )
    #expect(Set(blocks.looks).count == 18)
  }

  @Test func `the legend is that of the chosen choice where they differ`() {
    var model = Fixture.model("mixed", Size(80, 24))
    func names() -> [String] { legendLines(model, width: 46).joined().map(\.name) }
    #expect(names() == ["layer 1", "k3_e1", "k5_e1", "skip"])
    press(&model, "jj")
    #expect(names() == ["layer 2 width", "16", "24", "32", "40", "48"])
    // The list keeps its height.
    #expect(legendHeight(model, width: 46) == 3)
  }
}
