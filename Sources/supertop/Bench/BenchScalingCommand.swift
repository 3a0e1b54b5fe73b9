import ArgumentParser
import Foundation
import Ranks
import Runs
import Tensor

/// `supertop bench scaling`: what a step would take on several hosts.
struct BenchScalingCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "scaling",
    abstract: "Say how a search's step would scale over hosts.",
    discussion: """
      Every host has one process with one shard of --batch images. The step and the additions of \
      the exchange are measured here; what the network takes follows from its bandwidth and the \
      latency of a message. Efficiency is the throughput over that of as many hosts that exchange \
      nothing.
      """
  )

  @OptionGroup var network: BenchNetworkOptions

  @Option(parsing: .unconditional, help: ArgumentHelp("Counted steps.", valueName: "n"))
  var steps = 6

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Bandwidths of a host's link, Gbit/s.", valueName: "list")
  )
  var bandwidth = "1,10,25"

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Latency of a message, microseconds.", valueName: "us")
  )
  var latency = 30.0

  @OptionGroup var options: BenchOptions

  private static let ranks = [1, 2, 4, 8, 16, 32, 64, 128]
  /// What is still called efficient.
  private static let least = 0.8

  /// What was found; the names are those of the JSON object.
  struct Report: Encodable {
    var preset: String
    var batch: Int
    var threads: Int
    var isa: String
    var stepMs: Double
    /// Numbers that are exchanged in a step.
    var floats: Int
    var latencyUs: Double
    var links: [Link]

    /// One bandwidth.
    struct Link: Encodable {
      var gbitPerS: Double
      var hosts: [Hosts]
      /// The most hosts of 80 % efficiency.
      var efficientHosts: Int
    }

    /// One number of hosts.
    struct Hosts: Encodable {
      var hosts: Int
      var stepMs: Double
      var exchangeMs: Double
      var efficiency: Double
    }
  }

  func run() throws {
    try options.check(steps, in: 1...100_000, "--steps", "steps")
    try options.check(latency, in: 0...1e6, "--latency", "microseconds")
    let bandwidths = try bandwidths()
    var bench = try SupernetBench(network, options)
    bench.warmUp()
    let times = BenchTimes((0..<steps).map { _ in bench.step().seconds })
    var model = ScalingModel(
      step: times.median,
      floats: bench.exchangedFloats,
      addition: Self.secondsOfAddition(bench.exchangedFloats),
      bandwidth: 1,
      latency: latency * 1e-6
    )
    let links = bandwidths.map { gigabits in
      model.bandwidth = gigabits * 1e9 / 8
      return Report.Link(
        gbitPerS: gigabits,
        hosts: Self.ranks.map {
          Report.Hosts(
            hosts: $0,
            stepMs: (model.seconds(ranks: $0) * 1e3).rounded(to: 3),
            exchangeMs: (model.exchange(ranks: $0) * 1e3).rounded(to: 3),
            efficiency: model.efficiency(ranks: $0).rounded(to: 4)
          )
        },
        efficientHosts: model.ranks(efficiency: Self.least)
      )
    }
    let report = Report(
      preset: network.preset,
      batch: network.batch,
      threads: bench.threads,
      isa: bench.instructionSet.rawValue,
      stepMs: (times.median * 1e3).rounded(to: 3),
      floats: bench.exchangedFloats,
      latencyUs: latency,
      links: links
    )
    try options.show(report, table: table(report))
  }

  private func table(_ report: Report) -> [[String]] {
    let head = [
      "\(report.preset), \(report.isa), \(Format.counted(report.threads, "thread")), a step of "
        + "\(BenchTable.number(report.stepMs)) ms, \(Format.bytes(4 * report.floats)) to exchange"
    ]
    let rows = Self.ranks.indices.map { place in
      ["\(Self.ranks[place])"]
        + report.links.map { BenchTable.share($0.hosts[place].efficiency) }
    }
    return [head, ["hosts"] + report.links.map { "\(Format.number($0.gbitPerS)) Gbit/s" }] + rows
      + [["80 % up to"] + report.links.map { "\($0.efficientHosts)" }]
  }

  /// The numbers of `--bandwidth`.
  private func bandwidths() throws -> [Double] {
    let numbers = bandwidth.split(separator: ",", omittingEmptySubsequences: false)
      .map { Double($0.trimmingCharacters(in: .whitespaces)) ?? 0 }
    guard numbers.allSatisfy({ $0 > 0 && $0 <= 1e6 }) else {
      throw UserError(
        .usage,
        "--bandwidth \(bandwidth)",
        "no list of bandwidths",
        remedy: "write Gbit/s like 1,10,25"
      )
    }
    return numbers
  }

  /// Seconds to add one of so many numbers to another.
  private static func secondsOfAddition(_ count: Int) -> Double {
    let from = [Float](repeating: 1, count: max(1, count))
    var to = from
    let times = BenchTimes(seconds: 0.1) {
      from.withUnsafeBufferPointer { from in
        to.withUnsafeMutableBufferPointer { to in Ranks.add(from, to: to) }
      }
    }
    return times.median / Double(from.count)
  }
}
