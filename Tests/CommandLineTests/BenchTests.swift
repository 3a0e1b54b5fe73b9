import Foundation
import Runs
import Testing

/// `supertop bench` measures with tiny settings and prints one JSON object.
struct BenchTests {
  private func report(_ arguments: [String]) throws -> [String: Any] {
    let folder = try Program.Folder()
    let ending = try Program.run(["bench"] + arguments + ["--json"], in: folder)
    #expect(ending.code == 0)
    #expect(ending.errors == "")
    #expect(ending.lines.count == 1)
    return try #require(ending.objects.first)
  }

  private func number(_ report: [String: Any], _ key: String) throws -> Double {
    try #require(report[key] as? Double, "\(key)")
  }

  private static let limits = ["--seconds", "0.001", "--memory", "1"]

  @Test(arguments: ["digits", "cifar-small"])
  func `a supernet step reports time, throughput, memory and arithmetic`(preset: String) throws {
    let report = try report([
      "supernet", "--preset", preset, "--batch", "2", "--steps", "3", "--threads", "1",
    ])
    #expect(report["preset"] as? String == preset)
    #expect(report["batch"] as? Int == 2)
    #expect(report["threads"] as? Int == 1)
    #expect(report["steps"] as? Int == 3)
    let median = try number(report, "median_ms")
    #expect(try number(report, "min_ms") <= median)
    #expect(try abs(number(report, "images_per_s") * median / 2000 - 1) < 0.01)
    #expect(
      try abs(number(report, "gflops_per_s") * median * 1e6 / number(report, "flops") - 1) < 0.1
    )
    #expect(
      try number(report, "floating_point_operations") == number(report, "flops")
    )
    #expect(try number(report, "weights_ms") == median)
    #expect(report["theta_ms"] == nil)
    #expect(try number(report, "peak_rss_mib") > 1)
  }

  @Test func `the operations of a step count three passes of every candidate`() throws {
    // Two layers of three candidates on 8×8 pixels, by hand.
    let stem = 64 * 9 * 8
    let first = (64 * 8 * 8 + 64 * 9 * 8 + 64 * 8 * 8) + (64 * 8 * 8 + 64 * 25 * 8 + 64 * 8 * 8)
    let second =
      (64 * 8 * 8 + 16 * 9 * 8 + 16 * 8 * 16) + (64 * 8 * 8 + 16 * 25 * 8 + 16 * 8 * 16)
      + 16 * 8 * 16
    let head = 16 * 16 * 16 + 16 * 10
    let space = [
      "space.stem.width=8", "space.head=16", "space.candidates=[k3_e1, k5_e1, skip]",
      "space.stages=[{width: 8, depth: 1, stride: 1}, {width: 16, depth: 1, stride: 2}]",
    ].flatMap { ["--set", $0] }
    for batch in [1, 2] {
      let report = try report(
        ["supernet", "--preset", "digits", "--batch", "\(batch)", "--steps", "1"] + space
      )
      // Forward, and two products backward; two operations for each multiply–accumulate.
      #expect(
        try number(report, "flops") == Double(batch * 3 * 2 * (stem + first + second + head))
      )
    }
  }

  @Test func `the baseline can be chosen in the process`() throws {
    let report = try report([
      "supernet", "--preset", "digits", "--batch", "2", "--steps", "1", "--isa", "baseline",
    ])
    #expect(report["isa"] as? String == "baseline")
  }

  @Test func `the shares of a profile add up to the step`() throws {
    let report = try report(["profile", "--preset", "digits", "--batch", "2", "--steps", "5"])
    let rows = try #require(report["operations"] as? [[String: Any]])
    let names = rows.compactMap { $0["operation"] as? String }
    for name in ["expand, depthwise", "project", "optimiser", "other"] {
      #expect(names.contains(name))
    }
    let shares = try rows.map { try number($0, "share") }
    #expect(shares.allSatisfy { $0 >= 0 })
    #expect(abs(shares.reduce(0, +) - 1) < 0.01)
  }

  @Test func `a roofline compares every operation with its floor`() throws {
    let report = try report(
      ["roofline", "--preset", "digits", "--batch", "2", "--steps", "1", "--threads", "1"]
        + BenchTests.limits
    )
    let arithmetic = try #require(report["arithmetic"] as? [[String: Any]])
    #expect(arithmetic.contains { $0["isa"] as? String == "baseline" })
    for peak in arithmetic { #expect(try number(peak, "gflops_per_s") > 0) }
    let memory = try #require(report["memory"] as? [[String: Any]])
    for rate in memory { #expect(try number(rate, "read_gb_per_s") > 0) }
    for row in try #require(report["operations"] as? [[String: Any]]) {
      // Times are rounded, ratios too.
      let (time, floor) = (try number(row, "ms"), try number(row, "floor_ms"))
      let (least, most) = ((time - 5e-4) / (floor + 5e-5), (time + 5e-4) / max(floor - 5e-5, 1e-9))
      let ratio = try number(row, "ratio")
      #expect(time > 0 && (least - 0.01...most + 0.01).contains(ratio))
      #expect(["memory", "arithmetic"].contains(row["bound"] as? String))
    }
  }

  @Test func `options cost memory as branches and none as masks`() throws {
    let folder = try Program.Folder()
    let ending = try Program.run(
      [
        "bench", "choices", "--batch", "4", "--steps", "1", "--json", "--threads", "1", "--svg",
        "choices.svg",
      ],
      in: folder
    )
    #expect(ending.code == 0, "\(ending.errors)")
    let rows = try #require(ending.objects.first?["rows"] as? [[String: Any]])
    func memory(_ kind: String, _ method: String, _ count: Int) throws -> Double {
      let row = rows.first {
        $0["kind"] as? String == kind && $0["method"] as? String == method
          && $0["count"] as? Int == count
      }
      return try number(#require(row), "peak_mib")
    }
    #expect(rows.count == 2 * (6 + 5))
    for row in rows {
      #expect(try number(row, "median_ms") > 0)
      #expect((row["theta_median_ms"] != nil) == (row["count"] as? Int != 1))
    }
    #expect(try memory("channels", "masking", 14) <= 1.02 * memory("channels", "masking", 1))
    #expect(try memory("resolution", "masking", 5) <= 1.02 * memory("resolution", "masking", 1))
    // Each branch has a middle as large as the others'.
    #expect(try memory("channels", "branches", 14) > 6 * memory("channels", "branches", 1))
    #expect(try memory("resolution", "branches", 5) > 2 * memory("resolution", "branches", 1))
    let picture = try String(
      contentsOfFile: folder.path + "/choices.svg",
      encoding: .utf8
    )
    let marks = picture.components(separatedBy: "<circle").count - 1
    let squares = picture.components(separatedBy: "height=\"6\"").count - 1
    // Two panels of two methods, and the legend.
    #expect(marks == 2 * 2 * 6 + 2 && squares == 2 * 2 * 5 + 2)
    for word in ["time, ms", "memory, MiB", "options", "masking, channels", "branches, resolution"]
    {
      #expect(picture.contains(word), "\(word)")
    }
  }

  @Test func `one product is measured forward and backward`() throws {
    let report = try report([
      "gemm", "--shape", "64x24x40", "--backward", "--seconds", "0.001", "--threads", "1",
    ])
    let rows = try #require(report["shapes"] as? [[String: Any]])
    #expect(rows.count == 1)
    #expect(rows[0]["m"] as? Int == 64)
    #expect(rows[0]["k"] as? Int == 24)
    #expect(rows[0]["n"] as? Int == 40)
    let flops = 2.0 * 64 * 24 * 40
    // Times are given to a tenth of a microsecond.
    let expected = try flops / number(rows[0], "ms") / 1e6
    #expect(try abs(number(rows[0], "gflops_per_s") / expected - 1) < 0.2)
    #expect(try number(rows[0], "backward_ms") > 0)
  }

  @Test func `a network's products and depthwise convolutions are listed by shape`() throws {
    let small = ["--preset", "digits", "--batch", "1", "--seconds", "0.001"]
    let gemm = try report(["gemm"] + small)
    let products = try #require(gemm["shapes"] as? [[String: Any]])
    // The first expansion: 8×8 pixels of 16 channels to three times as many.
    #expect(
      products.contains {
        $0["m"] as? Int == 64 && $0["k"] as? Int == 16 && $0["n"] as? Int == 48
      }
    )
    #expect(products.allSatisfy { $0["backward_ms"] == nil })
    let depthwise = try report(["depthwise"] + small + ["--memory", "1"])
    let shapes = try #require(depthwise["shapes"] as? [[String: Any]])
    for kernel in [3, 5] {
      for stride in [1, 2] {
        for direction in ["forward", "backward"] {
          #expect(
            shapes.contains {
              $0["kernel"] as? Int == kernel && $0["stride"] as? Int == stride
                && $0["direction"] as? String == direction
            },
            "\(kernel), \(stride), \(direction)"
          )
        }
      }
    }
    for shape in shapes { #expect(try number(shape, "share_of_floor") > 0) }
  }

  @Test func `people get a table`() throws {
    let folder = try Program.Folder()
    let ending = try Program.run(
      ["bench", "supernet", "--preset", "digits", "--batch", "1", "--steps", "1"]
        + ["--threads", "1", "--isa", "baseline"],
      in: folder
    )
    #expect(ending.code == 0 && ending.errors == "")
    #expect(ending.lines.first == "digits, baseline, 1 thread, 1 step")
    for (name, unit) in [
      ("median", "ms"), ("least", "ms"), ("throughput", "images/s"), ("arithmetic", "GFLOP/s"),
    ] {
      let line = try #require(ending.lines.first { $0.hasPrefix(name) })
      let words = line.split(separator: " ")
      #expect(words.count == 3 && words[2] == unit && (Double(words[1]) ?? 0) > 0, "\(line)")
    }
  }

  /// A command line, and what its error line has to name.
  struct Mistake: CustomTestStringConvertible, Sendable {
    var arguments: [String]
    var words: [String]
    var code = UserError.Code.usage

    var testDescription: String { arguments.joined(separator: " ") }
  }

  private static let mistakes: [Mistake] = [
    .init(arguments: ["supernet", "--batch", "0"], words: ["--batch 0", "65536"]),
    .init(arguments: ["supernet", "--batch", "-3"], words: ["--batch -3"]),
    .init(arguments: ["supernet", "--steps", "0"], words: ["--steps 0"]),
    .init(arguments: ["supernet", "--threads", "-1"], words: ["--threads -1"]),
    .init(arguments: ["supernet", "--threads", "two"], words: ["--threads", "two"]),
    .init(arguments: ["supernet", "--isa", "sse9"], words: ["--isa sse9", "baseline"]),
    .init(
      arguments: ["supernet", "--preset", "cifr"],
      words: ["cifr", "cifar"],
      code: .configuration
    ),
    .init(arguments: ["profile", "--steps", "-1"], words: ["--steps -1"]),
    .init(arguments: ["roofline", "--memory", "0"], words: ["--memory 0"]),
    .init(arguments: ["roofline", "--seconds", "0"], words: ["--seconds 0"]),
    .init(arguments: ["gemm", "--shape", "64x24"], words: ["--shape 64x24", "65536x16x96"]),
    .init(arguments: ["gemm", "--shape", "0x24x24"], words: ["--shape 0x24x24"]),
    .init(arguments: ["depthwise", "--batch", "0"], words: ["--batch 0"]),
    .init(arguments: ["choices", "--batch", "0"], words: ["--batch 0"]),
    .init(arguments: ["choices", "--steps", "0"], words: ["--steps 0"]),
    .init(arguments: ["supernets"], words: ["supernets"]),
  ]

  @Test(arguments: mistakes)
  func `a mistake gives one line`(mistake: Mistake) throws {
    let folder = try Program.Folder()
    let ending = try Program.run(["bench"] + mistake.arguments, in: folder)
    #expect(ending.code == mistake.code.rawValue)
    #expect(ending.output == "")
    #expect(ending.errorLines.count == 1)
    for word in mistake.words { #expect(ending.errors.contains(word), "\(word)") }
  }
}
