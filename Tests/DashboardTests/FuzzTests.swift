@testable import Dashboard
import Runs
import Testing

@Suite struct FuzzTests {
  @Test func `any state fills any size, its cursor inside`() throws {
    let models =
      GoldenFrameTests.states.map { Fixture.model($0, Size(0, 0)) }
      + (try GoldenFrameTests.jointStates.map { try SimulatedJointRun.model($0, Size(0, 0)) })
    for var model in models {
      for width in [0, 1, 2, 3, 5, 9, 14, 19, 20, 23, 35, 36, 44, 59, 79, 80, 83, 109, 110, 131] {
        for height in [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 15, 21, 22, 24, 29, 30, 41] {
          model.size = Size(width, height)
          let frame = view(model)
          #expect(frame.cells.count == width * height)
          if let cursor = frame.cursor {
            #expect((0..<width).contains(cursor.x) && (0..<height).contains(cursor.y))
          }
        }
      }
    }
  }

  @Test func `any sequence of events keeps the grid`() {
    let keys: [Key] =
      KeyTable.bindings.flatMap(\.keys)
      + [.backspace, .delete, .help, .character("7"), .character("."), .character("é")]
    for seed in 0..<6 {
      var model = Fixture.model(GoldenFrameTests.states[seed], Size(90, 30))
      let space: SimulatedSpace = seed % 3 == 2 ? .many : seed % 3 == 1 ? .mixed : .blocks
      let run = SimulatedRun(layers: 1 + seed * 4, space: space, epochs: 1 + seed)
      for i in 0..<400 {
        func pick(_ salt: Int, _ count: Int) -> Int {
          Int(SimulatedRun.noise(seed, i, salt) * Double(count))
        }
        switch pick(0, 10) {
        case 0: _ = update(&model, .resize(Size(pick(1, 140), pick(2, 45))))
        case 1:
          _ = update(
            &model,
            .mouse(x: pick(1, 140), y: pick(2, 45), button: [0, 64, 65, 2][pick(3, 4)])
          )
        case 2: _ = update(&model, .data(run.advance(to: run.step + pick(1, 30))))
        case 3: _ = update(&model, .tick(model.now + Double(pick(1, 20))))
        case 4: _ = update(&model, .interrupt)
        case 5: _ = update(&model, .paste("q1.5 t"))
        default: _ = update(&model, .key(keys[pick(1, keys.count)]))
        }
        if i % 5 == 0 { #expect(view(model).cells.count == model.size.width * model.size.height) }
      }
    }
  }

  @Test func `any sequence of events keeps the grid of a joint search`() throws {
    let keys: [Key] = KeyTable.bindings.flatMap(\.keys) + [.backspace, .enter, .character("7")]
    for seed in 0..<4 {
      var model = try SimulatedJointRun.model("joint", Size(120, 36))
      for i in 0..<400 {
        func pick(_ salt: Int, _ count: Int) -> Int {
          Int(SimulatedRun.noise(seed, i, salt) * Double(count))
        }
        switch pick(0, 8) {
        case 0: _ = update(&model, .resize(Size(pick(1, 140), pick(2, 45))))
        case 1:
          _ = update(&model, .mouse(x: pick(1, 140), y: pick(2, 45), button: [0, 64][pick(3, 2)]))
        case 2:
          _ = update(&model, .data(try SimulatedJointRun.delta(settled: pick(1, 21))))
        default: _ = update(&model, .key(keys[pick(1, keys.count)]))
        }
        if i % 5 == 0 { #expect(view(model).cells.count == model.size.width * model.size.height) }
      }
    }
  }

  @Test func `odd texts keep the grid`() {
    var model = Fixture.model("running", Size(80, 24))
    model.choices[0].detail = "図形 16→24 \u{1b}[31m e\u{301}\t\n"
    model.summary?.name = "実験-一二三四五六七八九十"
    let frame = view(model)
    #expect(frame.cells.allSatisfy { $0.scalar == 0 || $0.scalar >= 32 })
    #expect(frame.text.contains("実験"))
  }

  @Test func `choices without options and of different lengths are shown with what they have`() {
    var model = Fixture.model("running", Size(120, 36))
    model.choices[1].options = []
    model.choices[2].options = [.init(name: "only")]
    for index in 0..<3 {
      model.selection = index
      model.screen = .main
      let list = view(model).text
      for choice in model.choices.prefix(3) { #expect(list.contains(choice.detail)) }
      #expect(list.contains("only"))
      model.screen = .inspector
      let inspector = view(model).text
      #expect(inspector.contains(model.choices[index].detail))
      for option in model.choices[index].options { #expect(inspector.contains(option.name)) }
    }
  }
}
