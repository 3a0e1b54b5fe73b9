import Foundation
import Testing

/// `supertop prove` and `supertop latency import --fit`, end to end.
@Suite struct ProveTests {
  /// 27 networks whose accuracy and cost grow with their digits; `skipped` leaves some out.
  private func table(_ folder: Program.Folder, without skipped: Set<String> = []) throws -> String {
    var text = "arch,acc0,acc1,madds\n"
    for index in 0..<27 {
      let digits = [index / 9, index / 3 % 3, index % 3]
      let name = digits.map(String.init).joined()
      let sum = digits[0] + 2 * digits[1] + 3 * digits[2]
      if !skipped.contains(name) { text += "\(name),\(80 + sum),\(81 + sum),\(1000 * (5 + sum))\n" }
    }
    return try folder.write("table.csv", Data(text.utf8))
  }

  @Test func `the JSON object has an entry for each seed and answers keep the limit`() throws {
    let folder = try Program.Folder()
    let ending = try Program.run(
      [
        "prove", "--table", try table(folder), "--limit", "madds<=12K", "--seeds", "3", "--json",
        "--epochs", "20",
      ],
      in: folder
    )
    #expect(ending.code == 0, "\(ending.errors)")
    let json = try #require(
      JSONSerialization.jsonObject(with: Data(ending.output.utf8)) as? [String: Any]
    )
    #expect(json["algorithm"] as? String == "dnas")
    #expect(json["limit"] as? String == "madds<=12K")
    let best = try #require(json["best"] as? [String: Any])
    #expect(best["accuracy"] as? Double == 87.5 && best["cost"] as? Double == 12000)
    for key in ["regret", "random_regret", "accuracies", "costs"] {
      #expect((json[key] as? [Double])?.count == 3, "\(key)")
    }
    #expect(json["within_limit"] as? [Bool] == [true, true, true])
    #expect((json["costs"] as? [Double] ?? []).allSatisfy { $0 <= 12000 })
    #expect((json["regret"] as? [Double] ?? [9]).allSatisfy { $0 >= 0 && $0 <= 2 })
    #expect((json["architectures"] as? [String])?.allSatisfy { $0.count == 3 } == true)
    #expect(json["steps"] as? Int == 400 && json["seconds"] is Double)
  }

  @Test func `a person gets a row a seed and random search next to it`() throws {
    let folder = try Program.Folder()
    let ending = try Program.run(
      [
        "prove", "--table", try table(folder), "--algorithm", "evolution", "--seeds", "2",
        "--evaluations", "27",
      ],
      in: folder
    )
    #expect(ending.code == 0, "\(ending.errors)")
    #expect(ending.lines.first?.contains("27 networks of 3 layers, no limit") == true)
    let rows = ending.lines.map { $0.split(separator: " ").joined(separator: " ") }
    #expect(rows.contains("1 222 92.500 0.000 27 0.000"), "\(rows)")
    #expect(ending.output.contains("evolution: mean regret 0.000 (at most 0.000)"))
  }

  @Test func `what is wrong ends with one line and its code`() throws {
    let folder = try Program.Folder()
    let whole = try table(folder)
    let other = try Program.Folder()
    let gaps = try table(other, without: ["000"])
    func refused(_ arguments: [String], _ code: Int32, _ part: String) throws {
      let ending = try Program.run(["prove"] + arguments, in: folder)
      #expect(ending.code == code, "\(arguments): \(ending.errors)")
      #expect(ending.errorLines.count == 1 && ending.errors.contains(part), "\(ending.errors)")
    }
    try refused(["--table", whole, "--limit", "madds<60"], 64, "no limit")
    try refused(["--table", whole, "--limit", "madds<=4K"], 64, "no network is so cheap")
    try refused(["--table", whole, "--limit", "watts<=4K"], 65, "no column 'watts'")
    try refused(["--table", whole, "--algorithm", "annealing"], 64, "dnas, random, evolution")
    try refused(["--table", whole, "--loss", "log"], 64, "--limit or a --metric")
    try refused(["--table", whole, "--seeds", "0"], 64, "--seeds 0")
    try refused(["--table", "nowhere.csv"], 66, "nowhere.csv")
    try refused(["--table", gaps], 65, "lacks 1 of the space's architectures, the first is 000")
    withExtendedLifetime(other) {}
  }

  @Test func `a table is fitted to networks, written and read, and a wrong cell is named`() throws {
    let folder = try Program.Folder()
    var rows = ["arch,phone"]
    for index in 0..<400 {
      // Digits of a sequence that visits all candidates evenly.
      let digits = (0..<6).map { (index * (2 * $0 + 1) + index / (9 + $0)) % 9 }
      let time = digits.enumerated().reduce(4.0) { $0 + Double($1.element * ($1.offset + 1)) * 0.1 }
      rows.append(digits.map(String.init).joined() + ",\(time)")
    }
    var seen: Set<Substring> = []
    rows = rows.filter { seen.insert($0.prefix(6)).inserted }
    func fit(_ rows: [String], _ more: [String] = []) throws -> Program.Ending {
      let file = try folder.write("times.csv", Data((rows.joined(separator: "\n") + "\n").utf8))
      return try Program.run(
        [
          "latency", "import", "--fit", file, "--device", "phone", "--preset", "digits", "--out",
          "phone.json",
        ] + more,
        in: folder
      )
    }
    let ending = try fit(rows)
    #expect(ending.code == 0, "\(ending.errors)")
    #expect(ending.output.contains("others: R2 1.000, Spearman 1.000"), "\(ending.output)")
    let shown = try Program.run(
      ["latency", "show", folder.path + "/phone.json", "--preset", "digits"],
      in: folder
    )
    #expect(shown.code == 0, "\(shown.errors)")
    rows[7] = rows[7].prefix(7) + "-1"
    let wrong = try fit(rows)
    #expect(wrong.code == 65 && wrong.errors.contains("row 7, column 'phone'"))
    #expect(try fit(["arch,phone", "01234,1"]).errors.contains("row 1, column 'arch'"))
  }
}
