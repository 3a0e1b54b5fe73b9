import Foundation
import Runs
import Testing

struct JSONTextTests {
  private struct Sample: Codable {
    var zebra = Double.nan
    var apple = -Double.infinity
    var number = 0.1
    var small = Float.infinity
    var nothing: Double?
    var list = [1, .nan, 2.5]
    var someText = "a/b \"\u{0}\" \u{0}"
  }

  @Test func `numbers that are none are null, texts stay as they are`() throws {
    let text = try JSONText.encode(Sample())
    #expect(
      text == #"{"apple":null,"list":[1,null,2.5],"number":0.1,"small":null,"#
        + #""someText":"a/b \"\u0000\" \u0000","zebra":null}"#
    )
    let object = try #require(
      try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any]
    )
    #expect(object["zebra"] is NSNull && object["number"] as? Double == 0.1)
  }

  @Test func `a line has no break, an indented text ends in one, keys may be in snake case`() throws
  {
    #expect(!(try JSONText.encode(Sample()).contains("\n")))
    let text = try JSONText.encode(Sample(), keys: .convertToSnakeCase, indented: true)
    #expect(text.hasSuffix("}\n") && text.contains("\"zebra\" : null"))
    #expect(text.contains("\"some_text\""))
    let object = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any]
    #expect(object?.count == 6)
  }
}
