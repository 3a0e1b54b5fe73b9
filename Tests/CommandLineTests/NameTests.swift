import Foundation
import Runs
import Testing

/// Names are bytes to the system: what is no text is refused as such, and what would move the
/// cursor is shown.
struct NameTests {
  /// Runs a line of the shell in which `supertop` is the program; `\351` and the like make bytes.
  private func shell(_ line: String, in folder: Program.Folder) throws -> Program.Ending {
    let text = "supertop() { '\(Program.path)' \"$@\"; }\n\(line)"
    return try Program(
      ["-c", text],
      in: folder,
      environment: ["XDG_CACHE_HOME": folder.path + "/cache"],
      executable: "/bin/sh"
    ).ending()
  }

  #if os(Linux)  // Other systems refuse to make such files.
    @Test(arguments: [
      #"data info "$(printf 'd\351j')""#,
      #"search "$(printf 'd\351j.yaml')""#,
      #"search --headless --run "$(printf 'd\351j')""#,
      #"train fbnet_a --headless --run="$(printf 'd\351j')""#,
      #"export fbnet_a --json "$(printf 'd\351j.json')""#,
      #"watch "$(printf 'd\351j')" --screenshot x.svg"#,
      #"data info "cifar10:$(printf 'd\351j')""#,
      #"search --set "data.cache=$(printf 'd\351j')""#,
      #"nonsense "$(printf 'd\351j')""#,
    ])
    func `an argument that is not UTF-8 is refused as that, and nothing is made`(
      arguments: String
    ) throws {
      let folder = try Program.Folder()
      let before = try FileManager.default.contentsOfDirectory(atPath: folder.path).count
      let ending = try shell("supertop \(arguments)", in: folder)
      #expect(ending.code == UserError.Code.usage.rawValue)
      #expect(ending.errorLines.count == 1 && ending.output == "")
      #expect(ending.errors.contains(#"d\xE9j"#) && ending.errors.contains("not UTF-8"))
      // What the program printed stands in two files.
      let after = try FileManager.default.contentsOfDirectory(atPath: folder.path).count
      #expect(after == before + 2)
    }

    @Test func `a current folder and a cache that are not UTF-8 are refused as that`() throws {
      let folder = try Program.Folder()
      for line in [
        #"mkdir "$(printf 'd\351j')" && cd "$(printf 'd\351j')" && supertop models --json"#,
        #"export XDG_CACHE_HOME=/tmp/"$(printf 'd\351j')"; supertop models --json"#,
      ] {
        let ending = try shell(line, in: folder)
        #expect(ending.code == UserError.Code.usage.rawValue)
        #expect(ending.errorLines.count == 1)
        #expect(ending.errors.contains(#"d\xE9j"#) && ending.errors.contains("not UTF-8"))
      }
    }
  #endif

  @Test(arguments: [
    (["data", "info", "no\u{1B}[2J\nsuch"], #"no\u001b[2J\nsuch"#),
    (["evaluate", "no\u{1B}[2J\nnet.json"], #"no\u001b[2J\nnet.json"#),
    (["search", "no\rconfig.yaml"], #"no\rconfig.yaml"#),
    (["search", "--preset", "dig\u{9B}its\n"], #"dig\u009bits\n"#),
    (["search", "--set", "seed=1\n2"], #"1\n2"#),
    (["search", "--no\nsuch\u{7F}"], #"--no\nsuch\u007f"#),
    (["compare", "a\tb\u{202E}", "c"], #"a\tb\u202e"#),
    (["config", "--preset", "digits", "x\ny"], #"x\ny"#),
  ])
  func `controls of an argument are shown in the one line of an error`(
    arguments: [String],
    shown: String
  ) throws {
    let folder = try Program.Folder()
    let ending = try Program.run(arguments, in: folder)
    #expect(ending.code != 0 && ending.output == "")
    #expect(ending.errorLines.count == 1, "\(ending.errors)")
    #expect(ending.errors.contains(shown), "\(ending.errors)")
    #expect(ending.errors.printable(keepingLines: true) == ending.errors)
  }

  @Test func `a run of any name is made under it, shown, and compared`() throws {
    let folder = try Program.Folder()
    let name = "r\u{1B}[31mun\nx\u{85}<&>"
    let shown = #"r\u001b[31mun\nx\u0085<&>"#
    let ending = try Program.run(
      ["search", "--headless", "--run", name, "--threads", "1"] + Program.tiny(epochs: 2),
      in: folder
    )
    #expect(ending.code == 0, "\(ending.errors)")
    #expect(ending.output.contains(shown))
    let run = folder.path + "/" + name
    #expect(FileManager.default.fileExists(atPath: run + "/config.yaml"))
    let compared = try Program.run(["compare", name, "--out", "p.svg"], in: folder)
    #expect(compared.output.contains(shown))
    let watched = try Program.run(["watch", name, "--screenshot", "w.svg"], in: folder)
    let json = try Program.run(["compare", name, "--json"], in: folder)
    for text in [ending.output, ending.errors, compared.output, watched.output, json.output] {
      #expect(text.printable(keepingLines: true) == text)
    }
    let runs = json.objects.first?["runs"] as? [[String: Any]]
    #expect((runs?.first?["run"] as? String)?.hasSuffix(name) == true)
    for picture in ["p.svg", "w.svg"] {
      let data = try Data(contentsOf: URL(fileURLWithPath: folder.path + "/" + picture))
      let text = String(decoding: data, as: UTF8.self)
      #expect(text.printable(keepingLines: true) == text)
    }
  }
}
