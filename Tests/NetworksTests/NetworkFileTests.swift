import Foundation
import Networks
import Tensor
import TestSupport
import Testing

/// Networks as JSON, right and wrong.
@Suite struct NetworkFileTests {
  private func network(_ layers: String, top: String = "") -> Data {
    Data(
      """
      {"name": "n", "resolution": 8, "channels": 1, "classes": 4, \(top)
       "stem": {"width": 8}, "layers": [\(layers)], "head": 16}
      """.utf8
    )
  }

  @Test func `an expansion is rounded from the width before, for every repeat`() throws {
    let layers = #"{"kernel": 3, "expansion": 3, "width": 12, "stride": 2, "repeat": 2}"#
    let read = try NetworkFile.parse(network(layers))
    let middles = read.blocks.compactMap {
      if case .bottleneck(let middle) = $0.kind { middle.middle } else { nil }
    }
    #expect(middles == [24, 40])
    #expect(read.blocks.map(\.stride) == [1, 2, 1, 1])
  }

  @Test func `a layer without its shortcut is written, read and run as such`() throws {
    let layers = #"{"kernel": 3, "width": 8, "shortcut": false}, {"kernel": 3, "width": 8}"#
    let read = try NetworkFile.parse(network(layers))
    #expect(read.blocks.map(\.isResidual) == [false, false, true, false])
    #expect(read.blocks.map { $0.summary.hasSuffix("+x") } == [false, false, true, false])
    let text = NetworkFile.json(read)
    #expect(text.split(separator: "\n").count { $0.contains(#""shortcut": false"#) } == 1)
    #expect(!text.contains(#""shortcut": true"#))
    #expect(try NetworkFile.parse(Data(text.utf8)) == read)

    // Twice the same network; only the one with the shortcut adds the layer's input.
    let engine = Engine(threads: 1)
    let x = engine.tensor((0..<64).map { Float($0 % 7) - 3 }, shape: [1, 8, 8, 1])
    let joined = try NetworkFile.parse(
      network(layers.replacing(#", "shortcut": false"#, with: ""))
    )
    #expect(joined.blocks.map(\.isResidual) == [false, true, true, false])
    #expect(joined.flops == read.flops && joined.params == read.params)
    let scores = [read, joined].map { description in
      let network = Network(description, engine: engine, seed: 1)
      let training = network(x).values
      engine.mode = .inference
      defer { engine.mode = .training }
      return [training, network(x).values, network.inference()(x).values]
    }
    for (without, with) in zip(scores[0], scores[1]) { #expect(without != with) }
    for way in scores {
      #expect(
        difference("inference", way[2].map(Double.init), way[1].map(Double.init)) == nil
      )
    }
  }

  @Test(arguments: [
    (#"{"kernel": 4, "width": 8}"#, "layers[0].kernel"),
    (#"{"kernel": 3, "width": 8}, {"width": 8}"#, "layers[1].kernel"),
    (#"{"kernel": 9, "width": 8, "padding": 0}"#, "layers[0].kernel"),
    (#"{"kernel": 3, "middle": 9, "groups": 2, "width": 8}"#, "layers[0].groups"),
    (#"{"kernel": 3, "groups": 3, "width": 8}"#, "layers[0].groups"),
    (
      #"{"fused": true, "kernel": 3, "middle": 16, "width": 8, "project": false}"#,
      "layers[0].project"
    ),
    (#"{"skip": true, "fused": true, "width": 8}"#, "layers[0].fused"),
    (#"{"pool": true, "middle": 8, "width": 8}, {"skip": true, "width": 8}"#, "layers[1]"),
    (#"{"kernel": 3, "width": 8, "wdith": 8}"#, "layers[0].wdith"),
    (#"{"kernel": 3, "width": 8, "squeeze": 0}"#, "layers[0].squeeze"),
    (#"{"kernel": 3, "width": 8, "middle": 8, "expansion": 2}"#, "layers[0].expansion"),
    (#"{"kernel": 3, "width": 8, "activation": "gelu"}"#, "layers[0].activation"),
    (#"{"kernel": 3, "width": 8, "shortcut": 0.5}"#, "layers[0].shortcut"),
    (#"{"skip": true, "width": 8, "shortcut": false}"#, "layers[0].shortcut"),
  ])
  func `an impossible layer is named`(layers: String, path: String) {
    #expect { try NetworkFile.parse(network(layers)) } throws: {
      ($0 as? NetworkFault)?.path == path
    }
  }
}
