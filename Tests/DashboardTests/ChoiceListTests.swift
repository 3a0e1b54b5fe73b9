@testable import Dashboard
import Runs
import Testing

@Suite struct ChoiceListTests {
  private func press(_ model: inout Model, _ keys: String) {
    for key in keys.unicodeScalars { _ = update(&model, .key(.character(key))) }
  }

  @Test func `few choices are listed without heads`() {
    let choices = SimulatedSpace.blocks.choices(24)
    #expect(
      ChoiceList(choices, folded: ["stage 1"]).rows
        == choices.indices.map { .choice($0, isInBlock: false) }
    )
  }

  @Test func `few choices of several kinds have heads`() {
    let choices = SimulatedSpace.mixed.choices(8)
    let rows = ChoiceList(choices, folded: []).rows
    #expect(
      rows.first
        == .head(
          .init(key: "stage 1", name: "stage 1", choices: 0..<4, isBlock: false, isFolded: false)
        )
    )
    #expect(rows.count > choices.count)
  }

  @Test func `a folded group is one row and every choice has a row`() {
    let choices = SimulatedSpace.many.choices(0)
    #expect(choices.count == 80)
    let open = ChoiceList(choices, folded: [])
    // 26 blocks of three choices in stages.
    #expect(open.rows.count == 80 + 9 + 26)
    let folded = ChoiceList(choices, folded: ["stage 1", "stage 2/layer 6", "head"])
    #expect(folded.rows.count == 80 + 9 + 26 - 12 - 4 - 3 - 1)
    #expect(
      folded.rows[2]
        == .head(
          .init(key: "stage 1", name: "stage 1", choices: 1..<13, isBlock: false, isFolded: true)
        )
    )
    #expect(
      folded.rows[8]
        == .head(
          .init(
            key: "stage 2/layer 6",
            name: "layer 6",
            choices: 16..<19,
            isBlock: true,
            isFolded: true
          )
        )
    )
    for index in choices.indices {
      let isInBlock = (1..<79).contains(index)
      #expect(open.rows[open.place(of: index)] == .choice(index, isInBlock: isInBlock))
      let row = folded.rows[folded.place(of: index)]
      let isHidden = (1..<13).contains(index) || (16..<19).contains(index) || index == 79
      #expect(row.selection == index || isHidden)
      #expect((row == .choice(index, isInBlock: isInBlock)) != isHidden)
    }
  }

  @Test func `a choice of a block is known by its identity`() {
    func block(_ id: String, _ name: String, group: String) -> String {
      Choice(id: id, name: name, detail: "", group: group, options: []).block
    }
    #expect(
      block("stage2.block3.kernel", "stage 2 block 3 kernel", group: "stage 2") == "block 3"
    )
    #expect(block("stage2.width", "stage 2 width", group: "stage 2").isEmpty)
    #expect(block("network.resolution", "resolution", group: "network").isEmpty)
    #expect(block("pool.width", "pool width", group: "head") == "pool")
    #expect(block("layer3.operator", "layer 3", group: "stage 1") == "layer 3")
    #expect(block("odd", "odd", group: "").isEmpty)
  }

  @Test func `a group of one block has no second head`() {
    let options: [Choice.Option] = [.init(name: "a"), .init(name: "b")]
    func choice(_ stage: Int, _ block: Int, _ what: String, _ kind: Choice.Kind) -> Choice {
      Choice(
        id: "stage\(stage).block\(block).\(what)",
        name: "stage \(stage) block \(block) \(what)",
        detail: "",
        kind: kind,
        group: "stage \(stage)",
        options: options
      )
    }
    let choices = [
      choice(1, 1, "expansion", .expansion), choice(1, 1, "kernel", .operator),
      choice(2, 1, "expansion", .expansion), choice(2, 1, "kernel", .operator),
      choice(2, 2, "kernel", .operator),
    ]
    let heads = ChoiceList(choices, folded: []).rows.compactMap { row in
      if case .head(let head) = row { head.key } else { nil }
    }
    // Nor has a block of one choice.
    #expect(heads == ["stage 1", "stage 2", "stage 2/block 1"])
  }

  @Test func `keys fold and open blocks and groups and pass over what is folded`() {
    var model = Fixture.model("many", Size(120, 36))
    press(&model, "jf")
    #expect(model.folded == ["stage 1/layer 1"] && model.selection == 1)
    press(&model, "j")
    #expect(model.selection == 4)
    press(&model, "k")
    #expect(model.selection == 1 && model.foldedHead?.isBlock == true)
    // Enter opens a folded block, and then the choice.
    _ = update(&model, .key(.enter))
    #expect(model.folded.isEmpty && model.screen == .main)
    _ = update(&model, .key(.enter))
    #expect(model.screen == .inspector)
    _ = update(&model, .key(.escape))
    // On a folded block the same key folds its group, and on a folded group it opens that.
    press(&model, "ff")
    #expect(model.folded == ["stage 1/layer 1", "stage 1"] && model.foldedHead?.isBlock == false)
    press(&model, "j")
    #expect(model.selection == 13)
    press(&model, "kf")
    #expect(model.folded == ["stage 1/layer 1"] && model.selection == 1)
    press(&model, "F")
    #expect(model.list.rows.count == 9 + 26 + 2)
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
    // The fourth row is the head of the first block.
    _ = update(&model, .mouse(x: rows.x + 4, y: rows.y + 3, button: 0))
    #expect(model.folded == ["stage 1/layer 1"] && model.selection == 1)
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
