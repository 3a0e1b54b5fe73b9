@testable import Dashboard
import Foundation
import Runs
import Testing

/// The model's part: ground, progress, copies, the end, the mouse and the themes.
struct MannersTests {
  private func running(_ size: Size = Size(120, 36)) -> Model { Fixture.model("running", size) }

  private func press(_ model: inout Model, _ keys: Key...) -> [Effect] {
    keys.reduce([]) { $0 + update(&model, .key($1)) }
  }

  // MARK: Ground

  @Test func `the ground chooses the theme until a person does`() {
    var model = running()
    let (dark, light) = (RGB(0x1e, 0x1e, 0x2e), RGB(0xfd, 0xf6, 0xe3))
    _ = update(&model, .reply(.background(light)))
    #expect(model.look.theme.name == "default-light")
    _ = update(&model, .reply(.scheme(isDark: true)))
    #expect(model.look.theme.name == "default-dark")
    _ = update(&model, .reply(.scheme(isDark: false)))
    _ = update(&model, .reply(.background(dark)))
    #expect(model.look.theme.name == "default-dark")
    _ = press(&model, .character("T"), .character("j"), .character("j"), .enter)
    let chosen = model.look.theme.name
    #expect(chosen == "colour-blind" && model.look.isThemeChosen)
    for reply in [TerminalReply.background(light), .scheme(isDark: false), .scheme(isDark: true)] {
      _ = update(&model, .reply(reply))
      #expect(model.look.theme.name == chosen)
    }
    // Few colours have one theme for any ground.
    var plain = running()
    plain.look.depth = .sixteen
    _ = update(&plain, .reply(.background(light)))
    #expect(plain.look.themeIndex == 0)
  }

  @Test func `a change of the ground while themes are shown is what Esc goes back to`() {
    var model = running()
    _ = press(&model, .character("T"), .end)
    _ = update(&model, .reply(.scheme(isDark: false)))
    #expect(model.look.theme.name == "mono")
    _ = press(&model, .escape)
    #expect(model.look.theme.name == "default-light" && model.overlay == nil)
  }

  @Test func `a variable names the theme or the ground`() throws {
    let library = ThemeLibrary.builtIn
    func first(_ isLight: Bool?, _ ground: String) -> String {
      library.initial(nil, depth: .direct, isLight: isLight, environment: ["COLORFGBG": ground])
        .name
    }
    #expect(first(true, "15;0") == "default-light" && first(false, "0;15") == "default-dark")
    #expect(first(nil, "0;15") == "default-light" && first(nil, "15;0") == "default-dark")
    #expect(try library.chosen(nil, [:]) == nil)
    #expect(try library.chosen(nil, ["SUPERTOP_THEME": "ember"]) == "ember")
    #expect(try library.chosen("mono", ["SUPERTOP_THEME": "ember"]) == "mono")
    let error = #expect(throws: UserError.self) {
      try library.chosen(nil, ["SUPERTOP_THEME": "embre"])
    }
    #expect(error?.place == "SUPERTOP_THEME=embre" && error?.remedy.contains("ember") == true)
  }

  // MARK: Tab and end

  @Test func `the tab shows the state of the run`() {
    var model = running()
    let percent = model.progress * 100
    #expect(model.tabProgress == TabProgress(state: .running, percent: Int(percent)))
    #expect(percent > 0 && percent < 100)
    for (state, expected) in [
      (RunStatus.State.paused, TabProgress.State.paused), (.failed, .failed),
      (.preparing, .unknown), (.validating, .running),
    ] {
      model.status?.state = state
      #expect(model.tabProgress?.state == expected, "\(state)")
    }
    for state in [RunStatus.State.finished, .stopped] {
      model.status?.state = state
      #expect(model.tabProgress == nil)
    }
    #expect(Fixture.model("gone", Size(80, 24)).tabProgress?.state == .failed)
    model.status?.state = .running
    model.status?.step = .max
    model.status?.totalSteps = 1
    #expect(model.tabProgress?.percent == 100)
  }

  @Test func `the end is told once, and only where somebody saw it coming`() {
    func delta(_ state: RunStatus.State, _ message: String = "") -> RunDelta {
      var news = RunDelta()
      news.status = RunStatus(state: state, message: message)
      return news
    }
    var model = running()
    #expect(
      update(&model, .data(delta(.failed, "disk full")))
        == [.notify("supertop: digits-1 failed: disk full")]
    )
    #expect(update(&model, .data(delta(.failed, "disk full"))) == [])
    model = running()
    var gone = RunDelta()
    gone.trainerAlive = false
    let end = "supertop: digits-1: the training process is gone"
    #expect(update(&model, .data(gone)) == [.notify(end)])
    model = running()
    #expect(update(&model, .data(delta(.stopped))) == [])
    // One that was over when it was opened.
    model = Model(size: Size(80, 24))
    let run = SimulatedRun()
    #expect(update(&model, .data(run.advance(to: .max, state: .finished))) == [])
  }

  // MARK: Copying

  @Test func `y copies the most probable network, then the result`() throws {
    struct Answer: Decodable {
      struct Taken: Decodable { var layer: String, choice: String, probability: Double }
      var event: String
      var run: String
      var step: Int
      var architecture: [Taken]
    }
    var model = running()
    guard case .copy(let text)? = press(&model, .character("y")).first else {
      Issue.record("nothing was copied")
      return
    }
    #expect(!text.contains("\n"))
    let answer = try JSONDecoder().decode(Answer.self, from: Data(text.utf8))
    #expect(answer.event == "network" && answer.run == "digits-1" && answer.step == 700)
    #expect(answer.architecture.map(\.layer) == model.choices.map(\.name))
    // On the screen of networks it is the one that is chosen there, and after the end too.
    let networks = Fixture.model("networks", Size(120, 36))
    let listed = try JSONDecoder().decode(
      Answer.self,
      from: Data(try #require(networks.answer).utf8)
    )
    #expect(listed.architecture.map(\.choice) == networks.chosenNetwork?.blocks)
    #expect(listed.architecture.map(\.choice) != networks.leadingOptions)
    for (index, taken) in answer.architecture.enumerated() {
      #expect(taken.choice == model.choices[index].options[model.leader(of: index)].name)
      #expect(taken.probability > 1 / 9)
    }
    var finished = Fixture.model("timed-finished", Size(120, 36))
    #expect(finished.overlay == .result)
    #expect(press(&finished, .character("y")) == [.copy(try Fixture.found.json())])
    #expect(finished.overlay == .result)
  }

  @Test func `y copies the chosen choice in the inspector and the chosen candidate`() throws {
    var model = Fixture.model("timed-inspector", Size(120, 36))
    guard case .copy(let line)? = press(&model, .character("y")).first else {
      Issue.record("nothing was copied")
      return
    }
    let choice = model.choices[model.selection]
    #expect(line.hasPrefix("\(choice.name): \(choice.options[model.leader(of: 2)].name), probab"))
    #expect(line.contains("FLOPs") && line.contains("parameters") && line.hasSuffix("ms"))
    var joint = try SimulatedJointRun.model("joint", Size(120, 36))
    joint.selection = 4
    #expect(press(&joint, .character("y")) == [.copy(try JSONText.encode(joint.trials[4]))])
    // Nothing to copy yet, and in words.
    var empty = Fixture.model("empty", Size(80, 24))
    #expect(press(&empty, .character("y")) == [])
    #expect(view(empty).text.contains("no answer to copy yet"))
  }

  @Test func `what became of a copy is told with the way and the file`() {
    var model = running()
    _ = update(&model, .copied(Copied(bytes: 312, way: .sent, file: "runs/a/exports/copied.txt")))
    let screen = view(model).text
    #expect(screen.contains("sent 312 bytes to the terminal's clipboard (OSC 52); if it did not"))
    #expect(screen.contains("runs/a/exports/copied.txt") && !screen.contains("copied to"))
    #expect(Copied(bytes: 80_000, way: .tooLong, file: "f").message.contains("more than"))
    let off = Copied(bytes: 2, way: .off, file: "f").message
    #expect(off.hasPrefix("nothing was sent") && off.hasSuffix("; see f"))
    let failed = Copied(bytes: 2, way: .sent, file: nil, problem: "read-only").message
    #expect(failed.hasSuffix("no file has it: read-only"))
  }

  // MARK: Mouse

  @Test func `m gives the mouse away and takes it back`() {
    var model = running()
    #expect(press(&model, .character("m")) == [.mouse(false)])
    #expect(view(model).text.contains("m takes it back"))
    #expect(press(&model, .character("m")) == [.mouse(true)])
    #expect(view(model).text.contains("the dashboard's again"))
  }

  @Test(arguments: [Size(120, 36), Size(90, 30), Size(200, 60)])
  func `the border between list and panels can be drawn`(size: Size) throws {
    for var model in [running(size), try SimulatedJointRun.model("joint", size)] {
      guard let split = Layout(model).split else { continue }
      let before = view(model)
      // Without a hold nothing moves.
      _ = update(&model, .drag(x: 5, y: 10))
      #expect(view(model) == before)
      for target in [split + 9, 3, size.width - 1, 60, 100_000] {
        _ = update(&model, .mouse(x: try #require(Layout(model).split) - 1, y: 9, button: 0))
        _ = update(&model, .drag(x: target, y: 4))
        let now = try #require(Layout(model).split)
        #expect(now == max(34, min(size.width - 24, target)), "to \(target)")
        #expect(Layout(model).panels.allSatisfy { $0.rect.width >= 24 || $0.rect.x == 0 })
        #expect(view(model).cells.count == size.width * size.height)
        _ = update(&model, .release)
        _ = update(&model, .drag(x: 50, y: 4))
        #expect(Layout(model).split == now)
      }
      // Kept as a share: another size has the same proportions.
      model.pointer.share = 0.5
      model.size = Size(size.width + 20, size.height)
      #expect(Layout(model).split == (size.width + 20) / 2)
    }
  }

  @Test func `the wheel scrolls the log, the help and the themes`() {
    var model = running(Size(100, 20))
    for index in 0..<60 {
      addLog(&model, LogRecord(id: 1, time: 0, level: .info, text: "line \(index)."))
    }
    _ = press(&model, .character("l"))
    #expect(view(model).text.contains("line 59."))
    for _ in 0..<9 { _ = update(&model, .mouse(x: 9, y: 9, button: 64)) }
    #expect(model.overlay == .log && view(model).text.contains("line 50."))
    #expect(!view(model).text.contains("line 51."))
    _ = press(&model, .home)
    #expect(view(model).text.contains("line 0."))
    _ = press(&model, .end)
    #expect(view(model).text.contains("line 59."))
    _ = press(&model, .character("x"))
    #expect(model.overlay == nil)
    _ = press(&model, .character("?"))
    _ = update(&model, .mouse(x: 9, y: 9, button: 65))
    #expect(model.overlay == .help(scroll: 2))
  }

  // MARK: Themes

  @Test func `themes are shown while one moves through them; Enter keeps, Esc goes back`() {
    var model = running()
    _ = press(&model, .character("T"), .down)
    #expect(model.look.theme.name == "default-light" && model.overlay != nil)
    let screen = view(model).text
    for theme in model.look.library.themes { #expect(screen.contains(theme.name)) }
    _ = press(&model, .escape)
    #expect(model.look.theme.name == "default-dark" && !model.look.isThemeChosen)
    _ = press(&model, .character("T"), .up, .enter)
    #expect(model.look.theme.name == "mono" && model.overlay == nil && model.look.isThemeChosen)
    // By the mouse: a theme, then a place outside, which goes back.
    _ = press(&model, .character("T"))
    let list = ThemeList(model)
    _ = update(&model, .mouse(x: list.rows.x, y: list.rows.y + 2, button: 0))
    #expect(model.look.theme.name == "colour-blind")
    _ = update(&model, .mouse(x: 0, y: 20, button: 0))
    #expect(model.look.theme.name == "mono" && model.overlay == nil)
  }

  @Test func `a theme's file that changes is taken, a broken one is named and changes nothing`()
    throws
  {
    let path = FileManager.default.temporaryDirectory.path + "/\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: path) }
    func write(_ text: String) throws {
      try Data(text.utf8).write(to: URL(fileURLWithPath: path + "/mine.theme"))
    }
    try write("fg = #111111")
    var folder = ThemeFolder(path)
    var model = running()
    model.look.library = folder.library()
    model.look.themeIndex = model.look.library.themes.count - 1
    #expect(model.look.theme.name == "mine" && folder.changed() == nil)
    func reload() {
      guard let library = folder.changed() else {
        Issue.record("the change was not seen")
        return
      }
      _ = update(&model, .themes(library))
    }
    try write("fg = #2222222")
    reload()
    #expect(model.look.theme[.fg].rgb == RGB(0x11, 0x11, 0x11))
    #expect(view(model).text.contains("theme mine:1: bad colour"))
    try write("fg = #333333\n")
    reload()
    #expect(model.look.theme[.fg].rgb == RGB(0x33, 0x33, 0x33))
    #expect(view(model).text.contains("theme mine was read again"))
    // Another one beside it is no news; its own, once gone, stays as it looked.
    try Data("fg = red".utf8).write(to: URL(fileURLWithPath: path + "/another.theme"))
    reload()
    #expect(model.look.theme.name == "mine" && model.look.library["another"] != nil)
    try FileManager.default.removeItem(atPath: path + "/mine.theme")
    reload()
    #expect(model.look.theme[.fg].rgb == RGB(0x33, 0x33, 0x33) && folder.changed() == nil)
  }

  @Test func `options beyond nine are told apart by look and, without hue, by key`() {
    let keys = (0..<61).map(optionKey)
    #expect(Set(keys).count == 61)
    let options = (0..<18).map { Choice.Option(name: "o\($0)") }
    let choice = Choice(name: "many", detail: "", options: options)
    #expect(Set(choice.looks).count == 18)
    var look = Model.Look()
    look.themeIndex = look.library.themes.count - 1
    #expect(!look.hasColour)
    var frame = Frame(Size(36, 1))
    drawStackedBar(
      &frame,
      0,
      0,
      width: 36,
      Array(repeating: 1.0 / 18, count: 18),
      names: options.map(\.name),
      looks: choice.looks,
      look: look
    )
    #expect(Set(frame.row(0).map(\.scalar)) == Set((0..<18).map(optionKey)))
  }
}
