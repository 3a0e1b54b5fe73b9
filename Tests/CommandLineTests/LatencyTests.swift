import Foundation
import Runs
import TestSupport
import Testing

/// `supertop latency`, end to end.
@Suite struct LatencyTests {
  /// A space of two searched layers on the digits, and no hurry to be exact.
  private static let space = [
    "--preset", "digits", "--set", "space.stem.width=8", "--set", "space.head=16",
    "--set", "space.candidates=[k3_e1, k5_e3, skip]",
    "--set",
    "space.stages=[{width: 8, depth: 1, stride: 1}, {width: 16, depth: 1, stride: 2}]",
  ]
  private static let loose = ["--spread", "1", "--threads", "1"]

  private func run(
    _ arguments: [String],
    in folder: Program.Folder,
    environment: [String: String] = [:]
  ) throws -> Program.Ending {
    try Program.run(["latency"] + arguments, in: folder, environment: environment)
  }

  @Test func `a table is measured, shown and checked`() throws {
    let folder = try Program.Folder()
    let measured = try run(
      ["measure", "--out", "t.json", "--json"] + LatencyTests.space + LatencyTests.loose,
      in: folder
    )
    #expect(measured.code == 0, "\(measured.errors)")
    let report = try #require(measured.objects.first)
    #expect(report["cells"] as? Int == 7 && report["threads"] as? Int == 1)
    #expect(report["file"] as? String == "t.json")
    #expect(report["least_ms"] as? Double ?? 0 > 0)
    #expect(!FileManager.default.fileExists(atPath: folder.path + "/t.json.unfinished"))

    let shown = try run(["show", "t.json"] + LatencyTests.space, in: folder)
    #expect(shown.code == 0 && shown.errors.isEmpty)
    #expect(shown.lines[1].split(separator: " ") == ["k3_e1", "k5_e3", "skip"])
    #expect(shown.lines[2].hasPrefix("layer 1  8x8 8 "))
    #expect(shown.lines[3].hasPrefix("layer 2  8x8 8→16 s2"))
    #expect(shown.lines[4].hasPrefix("fixed parts"))
    #expect(!shown.output.contains("\u{1B}"))
    // A narrow terminal shows two of the three candidates at a time.
    if Tmux.isInstalled {
      let lines = try Tmux.lines(
        of: ["latency", "show", "t.json"] + LatencyTests.space,
        in: folder,
        columns: 44
      )
      let heads = lines.filter { $0.contains("k3_e1") || $0.contains("skip") }
      #expect(heads.map { $0.split(separator: " ") } == [["k3_e1", "k5_e3"], ["skip"]])
      #expect(lines.count { $0.hasPrefix("layer 2  8x8 8→16 s2") } == 2)
    }
    // Without its space the rows are shapes.
    let bare = try run(["show", "t.json", "--json"], in: folder)
    let rows = try #require(bare.objects.first?["rows"] as? [[String: Any]])
    #expect(rows.map { $0["shape"] as? String } == ["8x8 8", "8x8 8→16 s2"])
    #expect((rows[0]["ms"] as? [Double])?.last == 0)

    let checked = try run(
      ["check", "--table", "t.json", "--networks", "4", "--json"] + LatencyTests.space
        + LatencyTests.loose,
      in: folder
    )
    #expect(checked.code == 0, "\(checked.errors)")
    let check = try #require(checked.objects.first)
    #expect(check["networks"] as? Int == 4)
    for key in ["median_error", "r2", "kendall_tau"] { #expect(check[key] is Double) }
    #expect((check["rows"] as? [[String: Any]])?.count == 4)
  }

  @Test func `without a file the table goes to the cache and is found there`() throws {
    let folder = try Program.Folder()
    let cache = ["XDG_CACHE_HOME": folder.path + "/cache"]
    let options = LatencyTests.space + LatencyTests.loose
    let before = try run(["check"] + options, in: folder, environment: cache)
    #expect(before.code == UserError.Code.noInput.rawValue)
    #expect(before.errors.contains("supertop latency measure"))
    let measured = try run(["measure"] + options, in: folder, environment: cache)
    #expect(measured.code == 0, "\(measured.errors)")
    #expect(measured.output.contains("table: \(folder.path)/cache/supertop/latency-"))
    let after = try run(
      ["check", "--networks", "2"] + options,
      in: folder,
      environment: cache
    )
    #expect(after.code == 0, "\(after.errors)")
    #expect(after.lines.last?.hasPrefix("2 networks: median error") == true)
  }

  @Test func `a cache that cannot be written costs a search nothing but time`() throws {
    let folder = try Program.Folder()
    // A file where the folder should be stops root as well.
    _ = try folder.write("file", Data())
    let cache = ["XDG_CACHE_HOME": folder.path + "/file/cache"]
    let options = ["--headless", "--set", "search.cost=latency", "--set", "latency.threads=1"]
    let search = try Program.run(
      ["search", "--run", "r"] + options + Program.tiny(epochs: 2),
      in: folder,
      environment: cache
    )
    // A busy machine is no fault of the cache.
    if search.code == UserError.Code.unavailable.rawValue { return }
    #expect(search.code == 0, "\(search.errors)")
    #expect(search.errorLines.filter { $0.contains("there is no cache") }.count == 1)
    #expect(FileManager.default.fileExists(atPath: folder.path + "/r/latency.json"))
    let measured = try run(
      ["measure"] + LatencyTests.space + LatencyTests.loose,
      in: folder,
      environment: cache
    )
    #expect(measured.code == UserError.Code.cannotCreate.rawValue)
    #expect(measured.errorLines.count == 1 && measured.errors.contains("--out"))
  }

  @Test func `a table goes to standard output, and a folder is reported before anything is timed`()
    throws
  {
    let folder = try Program.Folder()
    let options = LatencyTests.space + LatencyTests.loose
    let shown = try run(["measure", "--out", "-"] + options, in: folder)
    #expect(shown.code == 0, "\(shown.errors)")
    #expect(Program.object(shown.output)?["cells"] is [Any] && shown.errors.contains("table: -"))
    for path in ["x/", "", "."] {
      let ending = try run(["measure", "--out", path] + options, in: folder)
      #expect(ending.code == UserError.Code.cannotCreate.rawValue && ending.errorLines.count == 1)
    }
    #expect(!FileManager.default.fileExists(atPath: folder.path + "/-.unfinished"))
  }

  @Test func `Ctrl-C keeps what was timed`() throws {
    let folder = try Program.Folder()
    // The large space lasts some seconds.
    let arguments = [
      "latency", "measure", "--preset", "cifar", "--out", "t.json", "--threads", "1", "--spread",
      "1",
    ]
    let program = try Program(arguments, in: folder)
    let unfinished = folder.path + "/t.json.unfinished"
    #expect(eventually { FileManager.default.fileExists(atPath: unfinished) })
    program.process.interrupt()
    let ending = program.ending()
    #expect(ending.code == 130)
    #expect(ending.errorLines.last?.hasPrefix("supertop: stopped at") == true)
    #expect(FileManager.default.fileExists(atPath: unfinished))
    #expect(!FileManager.default.fileExists(atPath: folder.path + "/t.json"))
  }

  @Test func `another device's rows are imported, and gaps are named`() throws {
    let folder = try Program.Folder()
    let rows = [
      "block,height,width,input,output,stride,milliseconds", "fixed,,,,,,2",
      "k3_e1,8,8,8,8,1,0.30", "k5_e3,8,8,8,8,1,0.30", "k3_e1,8,8,8,16,2,0.31",
      "k5_e3,8,8,8,16,2,0.30", "skip,8,8,8,16,2,0.01",
    ]
    _ = try folder.write("phone.csv", Data(rows.joined(separator: "\n").utf8))
    let options = ["import", "phone.csv", "--device", "My phone"] + LatencyTests.space
    let imported = try run(options, in: folder)
    #expect(imported.code == 0, "\(imported.errors)")
    #expect(imported.output.contains("table: latency-My-phone.json"))
    // The diagnostics say that only skip saves time there.
    #expect(imported.output.contains("warning: only skip saves time"))

    _ = try folder.write("phone.csv", Data(rows.dropLast(2).joined(separator: "\n").utf8))
    let gaps = try run(options, in: folder)
    #expect(gaps.code == UserError.Code.data.rawValue && gaps.errorLines.count == 1)
    #expect(gaps.errors.contains("layer 2: no cell for k5_e3 at 8x8 8→16 s2, skip at 8x8 8→16 s2"))
  }

  /// A space of widths: one block whose output has 8 or 16 channels and whose middle 8 or 16.
  private static let widths = [
    "--preset", "fbnet-v2-digits", "--set", "space.stem.width=8", "--set", "space.head=16",
    "--set",
    "space.masked={stem_widths: [], resolutions: [8], "
      + "stages: [{widths: [8, 16], stride: 2, expansions: [1, 2]}]}",
  ]
  private static let widthRows = [
    "block,height,width,input,output,stride,milliseconds", "stem,,,,,,0.5",
    "rest,4,4,8,16,1,0.25", "rest,4,4,16,16,1,0.5", "k3_e1_c8,8,8,8,8,2,1",
    "k3_e2_c8,8,8,8,8,2,2", "k3_e1_c16,8,8,8,16,2,3", "k3_e2_c16,8,8,8,16,2,5",
  ]

  @Test func `widths are searched and derived within a limit in milliseconds`() throws {
    let folder = try Program.Folder()
    _ = try folder.write("phone.csv", Data(LatencyTests.widthRows.joined(separator: "\n").utf8))
    let imported = try run(
      ["import", "phone.csv", "--device", "phone", "--out", "t.json"] + LatencyTests.widths,
      in: folder
    )
    #expect(imported.code == 0, "\(imported.errors)")
    #expect(imported.output.contains("networks take 1.750 to 6.000 ms"))
    let shown = try run(["show", "t.json", "--json"] + LatencyTests.widths, in: folder)
    let rows = try #require(shown.objects.first?["rows"] as? [[String: Any]])
    #expect(rows.map { $0["name"] as? String } == ["stage 1 block 1"])
    #expect(rows[0]["ms"] as? [Double] == [2, 2, 5, 5, 5])
    #expect(shown.objects.first?["most_ms"] as? Double == 6)

    // The widest two networks cost more.
    let tiny = [
      "--epochs", "3", "--set", "warmup_epochs=1", "--set", "batch=128", "--set",
      "recalibration_images=128",
    ]
    let search = try Program.run(
      ["search", "--run", "r", "--headless", "--json", "--set", "budget.latency=3"]
        + ["--set", "latency.table=t.json"] + LatencyTests.widths + tiny,
      in: folder
    )
    #expect(search.code == 0, "\(search.errors)")
    let done = try #require(search.objects.last)
    let costs: [Double] = [1.75, 2.75, 4, 6]
    let cost = try #require(done["latency_ms"] as? Double)
    #expect(done["cost_metric"] as? String == "latency" && costs.prefix(2).contains(cost))
    let layers = try #require(done["architecture"] as? [[String: Any]])
    #expect(layers.count == 1 && [1.0, 2].contains(layers[0]["latency_ms"] as? Double))
    let choices = try RunFolder.open(path: folder.path + "/r").reader().prices()
    #expect(choices.allSatisfy { $0.latency?.count == 2 && $0.latency?.min() == 0 })

    let derived = try Program.run(
      ["derive", "r", "--samples", "4", "--top", "0", "--json"],
      in: folder
    )
    #expect(derived.code == 0, "\(derived.errors)")
    let networks = try #require(derived.objects.last?["networks"] as? [[String: Any]])
    #expect(!networks.isEmpty)
    for network in networks {
      #expect(costs.prefix(2).contains(network["latency_ms"] as? Double ?? 0))
      #expect(network["measured_ms"] as? Double ?? 0 > 0)
    }
    let tight = try Program.run(
      ["search", "--run", "none", "--headless", "--set", "budget.latency=1"]
        + ["--set", "latency.table=t.json"] + LatencyTests.widths + tiny,
      in: folder
    )
    #expect(tight.code == UserError.Code.configuration.rawValue && tight.errorLines.count == 1)
    #expect(tight.errors.contains("budget.latency") && tight.errors.contains("1.75"))
  }

  @Test func `a table of other widths is refused by one line`() throws {
    let folder = try Program.Folder()
    let rows = LatencyTests.widthRows
    _ = try folder.write("phone.csv", Data(rows.dropLast(2).joined(separator: "\n").utf8))
    let gaps = try run(
      ["import", "phone.csv", "--device", "phone"] + LatencyTests.widths,
      in: folder
    )
    #expect(gaps.code == UserError.Code.data.rawValue && gaps.errorLines.count == 1)
    #expect(gaps.errors.contains("no cell for k3_e1_c16 at 8x8 8→16 s2, k3_e2_c16"))
    _ = try folder.write("phone.csv", Data(rows.joined(separator: "\n").utf8))
    let imported = try run(
      ["import", "phone.csv", "--device", "phone", "--out", "t.json"] + LatencyTests.widths,
      in: folder
    )
    #expect(imported.code == 0, "\(imported.errors)")
    for arguments in [
      ["show", "t.json", "--preset", "fbnet-v2-digits"], ["show", "t.json", "--preset", "digits"],
    ] {
      let ending = try run(arguments, in: folder)
      #expect(ending.code == UserError.Code.data.rawValue && ending.errorLines.count == 1)
    }
    let fit = try run(
      ["import", "--fit", "phone.csv", "--device", "phone"] + LatencyTests.widths,
      in: folder
    )
    #expect(fit.code == UserError.Code.usage.rawValue && fit.errorLines.count == 1)
  }

  @Test(arguments: [
    (["show", "none.json"], "none.json", UserError.Code.noInput),
    (["measure", "--preset", "cifr"], "cifar-small", .configuration),
    (["measure", "--threads", "-1"], "--threads", .usage),
    (["measure", "--spread", "2"], "--spread", .usage),
    (["measure", "--isa", "sse9"], "--isa", .usage),
    (["check", "--networks", "1"], "--networks", .usage),
    (["import", "none.csv", "--device", "x"], "none.csv", .noInput),
  ])
  func `a mistake gives one line with the remedy`(
    arguments: [String],
    word: String,
    code: UserError.Code
  ) throws {
    let ending = try run(arguments, in: try Program.Folder())
    #expect(ending.code == code.rawValue, "\(ending.errors)")
    #expect(ending.output.isEmpty && ending.errorLines.count == 1)
    #expect(ending.errors.contains(word))
  }
}
