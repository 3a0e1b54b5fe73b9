import Export
import Foundation
import Networks
import Tensor
import Testing

#if canImport(FoundationXML)
  import FoundationXML
#endif

/// Pictures of networks.
@Suite struct NetworkPictureTests {
  /// The texts and the filled boxes of a picture, read with an XML parser.
  private final class Reader: NSObject, XMLParserDelegate {
    var texts: [String] = []
    var boxes: [(height: Double, fill: String)] = []
    private var text: String?

    init(_ svg: String) throws {
      super.init()
      let parser = XMLParser(data: Data(svg.utf8))
      parser.delegate = self
      try #require(parser.parse(), "not XML")
    }

    func parser(
      _ parser: XMLParser,
      didStartElement element: String,
      namespaceURI: String?,
      qualifiedName: String?,
      attributes: [String: String]
    ) {
      if element == "text" { text = "" }
      guard element == "rect", let height = attributes["height"].flatMap(Double.init) else {
        return
      }
      boxes.append((height, attributes["fill"] ?? ""))
    }

    func parser(_ parser: XMLParser, foundCharacters string: String) { text? += string }

    func parser(
      _ parser: XMLParser,
      didEndElement element: String,
      namespaceURI: String?,
      qualifiedName: String?
    ) {
      if element == "text" { texts.append(text ?? "") }
    }
  }

  private func network(name: String = "n") -> NetworkDescription {
    var network = NetworkDescription(name: name, height: 32, width: 32, channels: 3, classes: 10)
    network.add(.convolution(kernel: 3, padding: nil, activation: .relu), output: 16)
    for (kernel, middle) in [(3, 48), (5, 96)] {
      network.add(
        .invertedResidual(kernel: kernel, middle: middle, groups: 1, activation: .relu),
        output: 16
      )
    }
    network.add(.skip, output: 16)
    return network
  }

  @Test func `a bar is as high as its expansion and coloured by its kernel`() throws {
    let boxes = try Reader(NetworkPicture.svg(network())).boxes
    func bars(_ fill: String) -> [Double] { boxes.filter { $0.fill == fill }.map(\.height) }
    // Stem, expansion 3, then the legend's sample; the highest bar takes the whole height.
    #expect(bars("#9fd0ee") == [25, 75, 12])
    #expect(bars("#e8893c") == [150, 12])
    // Without colours kernels are told apart by hatching.
    #expect(bars("url(#rising)") == [150, 12])
  }

  @Test func `kernel, expansion, channels and map are there as numbers`() throws {
    let texts = try Reader(NetworkPicture.svg(network())).texts
    #expect(texts.filter { $0 == "16" }.count == 4)
    #expect(texts.contains("32×32"))
    #expect(texts.contains("3×3 kernel") && texts.contains("5×5 kernel") && texts.contains("skip"))
    // The legend tells of nothing that is not there.
    #expect(!texts.contains { $0.contains("squeeze") || $0.contains("hswish") || $0 == "groups" })
  }

  @Test func `every network of the zoo has a picture that is sound XML`() throws {
    for entry in Zoo.entries {
      let texts = try Reader(NetworkPicture.svg(entry.network)).texts
      #expect(texts.contains(entry.network.name))
    }
  }

  @Test func `a name cannot break the picture`() throws {
    let name = "<a> & \"b\""
    #expect(try Reader(NetworkPicture.svg(network(name: name))).texts.contains(name))
  }
}
