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
