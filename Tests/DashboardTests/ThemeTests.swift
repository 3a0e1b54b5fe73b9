@testable import Dashboard
import Foundation
import Testing

@Suite struct ThemeTests {
  private func library(_ text: String, file: String = "mine") -> ThemeLibrary {
    var library = ThemeLibrary.builtIn
    library.add(text, file: file)
    return library
  }

  @Test func `the built-in themes parse without a complaint`() {
    let library = ThemeLibrary.builtIn
    #expect(library.problems == [])
    #expect(
      library.themes.map(\.name) == [
        "default-dark", "default-light", "colour-blind", "high-contrast", "terminal16", "mono",
      ]
    )
    #expect(library["mono"]?.isMonochrome == true)
    #expect(library["default-dark"]?.isMonochrome == false)
  }

  @Test func `a theme of one line is legal`() throws {
    let theme = try #require(library("fg = #ff0000")["mine"])
    #expect(theme[.muted].rgb == RGB(255, 0, 0))
    #expect(theme[.fg].index256 == 196)
    #expect(theme[.fg].index16 == 9)
    #expect(theme[.bg].rgb == nil)
  }

  @Test func `bad lines are named by number and fall back`() throws {
    let library = library(
      """
      # a comment
      extends = default-dark
      title = #zzz
      nonsense
      colour = red
      good = red blue
      warn = #00ff00 | 300
      appearance = blue
      key = | red
      bad = #010203 bold | 16 | black underline
      """
    )
    #expect(
      library.problems == [
        "mine:3: bad colour #zzz; write #rrggbb, 0-255, a name or default",
        "mine:4: no '=' in \"nonsense\"",
        "mine:5: unknown role colour",
        "mine:6: unknown word blue",
        "mine:7: bad colour 300; write #rrggbb, 0-255, a name or default",
        "mine:8: appearance is dark, light or any, not blue",
        "mine:9: no colour in \"| red\"",
      ]
    )
    let theme = try #require(library["mine"])
    let parent = try #require(library["default-dark"])
    #expect(theme[.title] == parent[.title])
    #expect(theme[.good] == parent[.good])
    #expect(theme[.bad].rgb == RGB(1, 2, 3) && theme[.bad].index16 == 0)
    #expect(theme[.bad].attributes(at: .palette) == .bold)
    #expect(theme[.bad].attributes(at: .sixteen) == .underline)
  }

  @Test func `the probability ramp rises in lightness`() throws {
    for theme in ThemeLibrary.builtIn.themes where theme.appearance != .any {
      let steps = [Role.ramp0, .ramp1, .ramp2, .ramp3, .ramp4, .ramp5, .ramp6, .ramp7]
      let light = try steps.map { try #require(theme[$0].rgb).lab.x }
      let sign = theme.appearance == .light ? -1.0 : 1.0
      for (a, b) in zip(light, light.dropFirst()) {
        #expect(sign * (b - a) > 0, "\(theme.name): the ramp turns back")
      }
    }
  }

  @Test func `text can be read on its ground`() throws {
    for theme in ThemeLibrary.builtIn.themes where theme.appearance != .any {
      let ground = try #require(theme[.bg].rgb)
      for role in [Role.fg, .title, .key, .good, .warn, .bad, .seriesA, .seriesB, .seriesC] {
        let contrast = try #require(theme[role].rgb).contrast(with: ground)
        #expect(contrast >= 4.5, "\(theme.name): \(role) has \(contrast)")
      }
      #expect(try #require(theme[.muted].rgb).contrast(with: ground) >= 4.5)
      let chosen = try #require(theme[.selectBg].rgb)
      #expect(try #require(theme[.selectFg].rgb).contrast(with: chosen) >= 7)
      let role = try #require(theme[.optionText].rgb)
      for index in 0..<9 {
        let contrast = role.contrast(with: try #require(theme[Role.option(index)].rgb))
        #expect(contrast >= 3.9, "\(theme.name): option \(index + 1) has \(contrast)")
      }
      for step in 0..<16 {
        let fill = try #require(theme[Role.scale(Double(step) / 15)].rgb)
        let contrast = role.contrast(with: fill)
        #expect(contrast >= 3.9, "\(theme.name): size \(step) has \(contrast)")
      }
    }
  }

  @Test func `the terminal decides where no theme is named`() {
    let library = ThemeLibrary.builtIn
    func choice(_ depth: ColourDepth, _ environment: [String: String] = [:]) -> String {
      library.initial(nil, depth: depth, environment: environment).name
    }
    #expect(choice(.none) == "mono")
    #expect(choice(.eight) == "terminal16")
    #expect(choice(.palette) == "default-dark")
    #expect(choice(.palette, ["COLORFGBG": "0;15"]) == "default-light")
    #expect(library.initial("mono", depth: .direct, environment: [:]).name == "mono")
  }

  @Test func `a user's folder adds and replaces themes`() throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    try Data("fg = 250\nname = mono".utf8).write(to: folder.appending(path: "x.theme"))
    try Data("fg = green".utf8).write(to: folder.appending(path: "mine.theme"))
    try Data("ignored".utf8).write(to: folder.appending(path: "notes.txt"))
    let library = ThemeLibrary.load(folder: folder.path())
    #expect(library.problems == [])
    #expect(library["mono"]?.isMonochrome == false)
    #expect(library["mine"]?[.fg].index16 == 2)
    #expect(library.themes.count == 7)
    #expect(ThemeLibrary.userFolder(["XDG_CONFIG_HOME": "/c"]) == "/c/supertop/themes")
    #expect(ThemeLibrary.load(folder: "/nowhere").themes.count == 6)
  }

  @Test func `nearest palette entries follow the eye`() {
    #expect(Palette.nearest(to: RGB(255, 0, 0), in: 16..<256) == 196)
    #expect(Palette.nearest(to: RGB(128, 128, 128), in: 16..<256) == 244)
    #expect(Palette.nearest(to: RGB(95, 175, 215), in: 16..<256) == 74)
  }
}
