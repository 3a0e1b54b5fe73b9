import Foundation
import Networks
import Runs
import Search
import Testing

/// Networks as values, and the spaces that they are of.
struct ArchitectureTests {
  @Test func `as JSON it is a plain array and comes back the same`() throws {
    let architecture: Architecture = [3, 0, 35]
    let data = try JSONEncoder().encode(["found": architecture])
    #expect(String(decoding: data, as: UTF8.self) == #"{"found":[3,0,35]}"#)
    let read = try JSONDecoder().decode([String: Architecture].self, from: data)
    #expect(read == ["found": architecture])
  }

  @Test func `its name has a digit for each choice, as records have it`() {
    let architecture: Architecture = [3, 0, 35, 10]
    #expect(architecture.name == "30za")
    let record = DerivedRecord(
      source: "argmax",
      architecture: architecture.options,
      blocks: [],
      changes: [],
      logProbability: 0,
      flops: 0,
      params: 0,
      latency: nil
    )
    #expect(record.name == architecture.name)
    #expect(Architecture(record.architecture) == architecture)
  }

  @Test func `a changed choice makes another network`() {
    var architecture: Architecture = [1, 2, 3]
    let before = architecture
    architecture[1] = 0
    #expect(architecture == [1, 0, 3] && architecture != before)
    #expect(Set([architecture, before, [1, 0, 3]]).count == 2)
    #expect(Array(architecture) == [1, 0, 3] && architecture.indices == 0..<3)
  }

  /// A space that has nothing but what the protocol asks for: a choice of width, and one of stride.
  private struct Widths: SearchSpace {
    var choices: [Choice] {
      [("width", ["8", "16", "24"]), ("stride", ["1", "2"])].map { name, options in
        Choice(
          name: name,
          detail: "",
          options: options.map { .init(name: $0) }
        )
      }
    }

    func network(of architecture: Architecture, name: String) -> NetworkDescription {
      var network = NetworkDescription(name: name, height: 8, width: 8, channels: 3, classes: 10)
      network.add(.skip, output: 8 * (1 + architecture[0]), stride: 1 + architecture[1])
      return network
    }

    func parts(of architecture: Architecture) -> [NetworkPart] { [] }

    var supernetFlops: Double { flops([2, 0]) }
  }

  @Test func `a space counts its options and networks where it says nothing else`() {
    let space = Widths()
    #expect(space.optionCounts == [3, 2])
    for architecture in everyArchitecture(space.optionCounts) {
      let width = Double(8 * (1 + architecture[0]))
      let pixels = architecture[1] == 0 ? 64.0 : 16
      #expect(space.params(architecture) == width * (3 + 10))
      #expect(space.flops(architecture) == width * (pixels * 3 + 10))
    }
  }

  @Test func `a layerwise space is counted as its networks are`() throws {
    let configuration = try Configuration.preset("digits")
    let space = LayerwiseSpace(
      configuration.space,
      classes: 10,
      channels: 1,
      height: 8,
      width: 8
    )
    #expect(space.optionCounts == space.choices.map(\.options.count))
    let prices = space.prices(.flops)
    #expect(prices.metric == .flops && space.prices(.params).metric == .params)
    let cheapest = Architecture(prices.layers.map { $0.indices.min { _, _ in false } ?? 0 })
    #expect(space.flops(cheapest) == prices.cost(cheapest))
    #expect(space.network(of: cheapest, name: "").flops == prices.cost(cheapest))
  }
}
