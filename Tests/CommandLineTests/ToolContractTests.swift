import Foundation
import Testing

/// The JSON of `prove`, `models`, `latency` and `bench`, field by field (Documentation/json.md).
struct ToolContractTests {
  private func value(
    _ arguments: [String],
    in folder: Program.Folder,
    _ name: String,
    with present: Set<String> = []
  ) throws -> JSONValue {
    let ending = try Program.run(arguments, in: folder)
    #expect(ending.code == 0, "\(ending.errors)")
    #expect(ending.lines.count == 1)
    let value = try JSONValue(ending.output)
    #expect(Contract.faults(value, as: name, with: present) == [])
    return value
  }

  @Test func `a proof with and without a cost`() throws {
    let folder = try Program.Folder()
    var text = "arch,acc0,acc1,madds\n"
    for index in 0..<9 {
      let (a, b) = (index / 3, index % 3)
      text += "\(a)\(b),\(80 + a + 2 * b),\(81 + a + 2 * b),\(1000 * (5 + a + 2 * b))\n"
    }
    let table = try folder.write("table.csv", Data(text.utf8))
    let arguments = ["prove", "--table", table, "--seeds", "2", "--epochs", "2", "--json"]
    let name = "object of prove"
    let held = try value(arguments + ["--limit", "madds<=8K"], in: folder, name, with: ["limit"])
    #expect(Contract.faults(held["best"], as: "best network", with: ["cost"]) == [])
    #expect(held["costs"]?.list.allSatisfy { $0.number ?? 9e9 <= 8000 } == true)
    #expect(held["steps"]?.number == 40)
    let free = try value(arguments + ["--algorithm", "random"], in: folder, name)
    #expect(Contract.faults(free["best"], as: "best network", with: []) == [])
    #expect(free["costs"] == .list([.null, .null]) && free["steps"] == .number(0))
    for object in [held, free] {
      for key in [
        "architectures", "accuracies", "costs", "regret", "random_regret", "within_limit",
        "evaluations",
      ] {
        #expect(object[key]?.list.count == 2, "\(key)")
      }
    }
  }

  @Test func `a proof of the joint search and a check of its predictor`() throws {
    let folder = try Program.Folder()
    var text = "arch,acc0,madds\n"
    for index in 0..<81 {
      let digits = [index / 27, index / 9 % 3, index / 3 % 3, index % 3]
      let sum = digits[0] + 2 * digits[1] - digits[2] + digits[3]
      text += "\(digits.map(String.init).joined()),\(70 + sum),\(1000 + 50 * (sum + digits[2]))\n"
    }
    let table = try folder.write("table.csv", Data(text.utf8))
    let proof = try value(
      ["prove", "--table", table, "--seeds", "2", "--algorithm", "joint", "--json"],
      in: folder,
      "object of prove",
      with: ["regret_by_budget", "kendall_tau"]
    )
    let budgets = proof["regret_by_budget"]?.list ?? []
    #expect(budgets.compactMap { $0["budget"]?.number } == [48, 96, 192])
    #expect(budgets.flatMap { Contract.faults($0, as: "regret by budget", with: []) } == [])
    #expect(budgets.last?["regret"] == .list([.number(0), .number(0)]))
    let taus = proof["kendall_tau"]?.list ?? []
    #expect(taus.compactMap { $0["labels"]?.number } == [24])
    #expect(
      taus.flatMap { Contract.faults($0, as: "rank correlation by labels", with: []) } == []
    )
    let check = try value(
      ["predictor", "--table", table, "--labels", "20", "--seeds", "2", "--json"],
      in: folder,
      "object of predictor"
    )
    for key in ["cross_validation", "others"] {
      let checks = check[key]?.list ?? []
      #expect(checks.count == 2)
      #expect(checks.flatMap { Contract.faults($0, as: "predictor check", with: []) } == [])
      #expect(
        checks.flatMap { check in
          ["pretrained", "scratch"].flatMap {
            Contract.faults(check[$0], as: "predictor agreement", with: [])
          }
        } == []
      )
    }
    let refused = try Program.run(["predictor", "--table", table, "--labels", "60"], in: folder)
    #expect(refused.code == 64 && refused.errors.contains("give 4 to 40, half of the table"))
    let digits = try Program.run(
      ["prove", "--table", table, "--algorithm", "recipe", "--recipe-digits", "4-9"],
      in: folder
    )
    #expect(digits.code == 64 && digits.errors.contains("the table has 4 digits"))
  }

  @Test func `the published networks`() throws {
    let ending = try Program.run(["models", "--json"], in: try Program.Folder())
    let models = try JSONValue(ending.output).list
    #expect(models.count == 43)
    #expect(models.flatMap { Contract.faults($0, as: "model", with: []) } == [])
  }

  @Test func `a table of latencies, measured, shown and checked`() throws {
    let folder = try Program.Folder()
    let space = ["--preset", "digits"] + Program.tiny().dropFirst(2)
    let loose = ["--spread", "1", "--threads", "1"]
    let measured = try value(
      ["latency", "measure", "--out", "t.json", "--json"] + space + loose,
      in: folder,
      "object of latency measure"
    )
    #expect(measured["file"] == .text("t.json"))
    for arguments in [[], space] {
      let shown = try value(
        ["latency", "show", "t.json", "--json"] + arguments,
        in: folder,
        "object of latency show",
        with: ["threads", "isa"]
      )
      let candidates = try #require(shown["candidates"]?.list.count)
      #expect(shown["rows"]?.list.allSatisfy { $0["ms"]?.list.count == candidates } == true)
    }
    let checked = try value(
      ["latency", "check", "--table", "t.json", "--networks", "3", "--json"] + space + loose,
      in: folder,
      "object of latency check"
    )
    #expect(checked["rows"]?.list.count == 3)
    #expect((-1...1).contains(try #require(checked["kendall_tau"]?.number)))

    // Of another device neither threads nor instruction set are known, and a cell may be lacking.
    let rows = ["block,height,width,input,output,stride,milliseconds", "fixed,,,,,,2"]
    let cells = ["k3_e1,8,8,8,8,1,3", "k5_e1,8,8,8,8,1,4", "k3_e1,8,8,8,16,2,5"]
    let last = ["k5_e1,8,8,8,16,2,6", "skip,8,8,8,16,2,4.9"]
    _ = try folder.write("p.csv", Data((rows + cells + last).joined(separator: "\n").utf8))
    let imported = try Program.run(
      ["latency", "import", "p.csv", "--device", "phone", "--out", "p.json"] + space,
      in: folder
    )
    #expect(imported.code == 0, "\(imported.errors)")
    _ = try value(
      ["latency", "show", "p.json", "--json"] + space,
      in: folder,
      "object of latency show"
    )
  }

  @Test(
    arguments: [
      ("supernet", ["--preset", "digits", "--batch", "2", "--steps", "1"], []),
      ("supernet", ["--preset", "digits", "--batch", "2", "--steps", "5"], ["theta_ms"]),
      ("profile", ["--preset", "digits", "--batch", "2", "--steps", "1"], []),
      (
        "roofline",
        [
          "--preset", "digits", "--batch", "2", "--steps", "1", "--seconds", "0.001", "--memory",
          "1",
        ],
        []
      ),
      ("gemm", ["--shape", "64x24x40", "--seconds", "0.001"], []),
      (
        "depthwise", ["--preset", "digits", "--batch", "1", "--seconds", "0.001", "--memory", "1"],
        []
      ),
      ("inference", ["--seconds", "0.001", "--size", "32"], []),
      ("choices", ["--batch", "1", "--steps", "1"], []),
    ] as [(String, [String], Set<String>)]
  )
  func `a measurement`(kind: String, options: [String], present: Set<String>) throws {
    _ = try value(
      ["bench", kind, "--json", "--threads", "1"] + options,
      in: try Program.Folder(),
      "object of bench \(kind)",
      with: present
    )
  }

  @Test func `a product with its backward pass`() throws {
    let report = try value(
      ["bench", "gemm", "--shape", "8x8x8", "--seconds", "0.001", "--backward", "--json"],
      in: try Program.Folder(),
      "object of bench gemm"
    )
    let backward: Set = ["backward_ms", "backward_gflops_per_s", "backward_share_of_peak"]
    let row = report["shapes"]?.list.first
    #expect(Contract.faults(row, as: "measured product", with: backward) == [])
  }
}
