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
        "default-dark", "default-light", "colour-blind", "colour-blind-light", "ember",
        "high-contrast", "terminal16", "mono",
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

  @Test func `the built-in themes pass their own linter`() {
    for theme in ThemeLibrary.builtIn.themes {
      #expect(ThemeLinter(theme).findings == [], "\(theme.name)")
    }
    let themes = ThemeLibrary.builtIn.themes
    #expect(themes.count >= 8 && themes.count { $0.appearance == .light } >= 2)
    #expect(themes.count { $0.name.hasPrefix("colour-blind") } == 2)
  }

  @Test(arguments: [
    ("muted = #2a2f38", "muted: contrast"), ("muted = #2a2f38", "make it lighter"),
    ("select_fg = #35506f", "select_fg"), ("bar_bg = #c5cdd8", "fg: contrast"),
    ("option_3 = #0d1119", "option_ink"), ("ramp_mid = #20252d", "ramp_mid"),
    ("ramp_high = #333333", "ramp_high"), ("option_2 = #3b7be1", "option_2: as light as option_1"),
  ])
  func `what cannot be read is named with its key and a remedy`(
    line: String,
    words: String
  ) throws {
    let theme = try #require(library("extends = default-dark\n" + line)["mine"])
    let findings = ThemeLinter(theme).findings
    #expect(findings.contains { $0.contains(words) }, "\(findings)")
    #expect(findings.allSatisfy { $0.contains("; make") })
  }

  @Test func `on light ground darker is the remedy`() throws {
    let theme = try #require(library("extends = default-light\nkey = #e8c9a0")["mine"])
    #expect(ThemeLinter(theme).findings.contains { $0.hasPrefix("key:") && $0.contains("darker") })
    // The terminal's own colours are nobody's fault.
    #expect(ThemeLinter(try #require(library("fg = default")["mine"])).findings == [])
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
    #expect(library.themes.count == 9)
    #expect(ThemeLibrary.userFolder(["XDG_CONFIG_HOME": "/c"]) == "/c/supertop/themes")
    #expect(ThemeLibrary.load(folder: "/nowhere").themes.count == 8)
  }

  @Test func `nearest palette entries follow the eye`() {
    #expect(Palette.nearest(to: RGB(255, 0, 0), in: 16..<256) == 196)
    #expect(Palette.nearest(to: RGB(128, 128, 128), in: 16..<256) == 244)
    #expect(Palette.nearest(to: RGB(95, 175, 215), in: 16..<256) == 74)
  }
}
