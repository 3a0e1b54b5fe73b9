import Foundation
import Networks
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
  ])
  func `an impossible layer is named`(layers: String, path: String) {
    #expect { try NetworkFile.parse(network(layers)) } throws: {
      ($0 as? NetworkFault)?.path == path
    }
  }
}
