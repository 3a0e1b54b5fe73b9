import Foundation
import Testing

@testable import Runs

/// What a search is worth, before and after it (spec S12).
struct VerdictTests {
  @Test func `choices are settled from a half on and tosses near even odds`() {
    let verdict = Verdict(probabilities: [
      [0.5, 0.5], [1], [0.9, 0.1], [0.4, 0.35, 0.25], [0.7, 0.2, 0.1],
    ])
    #expect(verdict.choices == 4)
    #expect(verdict.settled == 3)
    // 1.559 of 1.585 bits, and 1 of 1.
    #expect(verdict.coinTosses == 2)
    let bits = (1 + 0.468_996 + 1.558_892 + 1.156_780) / 4
    #expect(abs(verdict.meanEntropyBits - bits) < 1e-5)
    #expect(!verdict.isSettled)
    #expect(
      verdict.text
        == "3 of 4 choices are settled, 2 are coin tosses (1.05 bits on average)"
    )
  }

  @Test func `three quarters settled and no toss make a verdict`() {
    let sure = [0.97, 0.02, 0.01]
    // No half, and 0.83 of the entropy of even odds.
    let open = [0.49, 0.5 - 0.01, 0.02]
    #expect(Verdict(probabilities: [sure, sure, sure, open]).isSettled)
    #expect(!Verdict(probabilities: [sure, sure, open, open]).isSettled)
    #expect(!Verdict(probabilities: [sure, sure, sure, sure, [0.5, 0.5]]).isSettled)
    let one = Verdict(probabilities: [sure, open])
    #expect(one.text.hasPrefix("1 of 2 choices is settled ("))
    let toss = Verdict(probabilities: [sure, [0.5, 0.5]])
    #expect(toss.text.hasPrefix("2 of 2 choices are settled, 1 is a coin toss ("))
  }

  @Test func `certain and single options have no entropy`() {
    let certain = Verdict(probabilities: [[1, 0], [0, 0, 1]])
    #expect(certain.meanEntropyBits == 0 && certain.settled == 2 && certain.isSettled)
    for none in [Verdict(probabilities: []), Verdict(probabilities: [[1], [1]])] {
      #expect(none.choices == 0 && none.meanEntropyBits == 0 && none.isSettled)
      #expect(none.text == "0 of 0 choices are settled (0.00 bits on average)")
    }
  }

  // MARK: The forecast

  private func forecast(
    _ rate: ThetaRate = .automatic,
    steps: Int = 3,
    epochs: Int,
    warmup: Int
  ) -> ThetaForecast {
    ThetaForecast(rate: rate, stepsPerEpoch: steps, epochs: epochs, warmup: warmup)
  }

  @Test(arguments: [ThetaRate.automatic, .named(0.01), .named(0.1), .named(1)], [0, 1, 3])
  func `the epochs advised are the fewest that settle`(rate: ThetaRate, warmup: Int) throws {
    let short = forecast(rate, epochs: 4, warmup: warmup)
    #expect(short.steps == (4 - warmup) * 3)
    #expect(short.needed == rate.settlingSteps)
    #expect(!short.settles)
    let advised = try #require(short.epochs)
    // The warm-up keeps its share of the epochs.
    func longer(_ epochs: Int) -> ThetaForecast {
      forecast(rate, epochs: epochs, warmup: epochs * warmup / 4)
    }
    #expect(longer(advised).settles)
    #expect(!longer(advised - 1).settles)
    #expect(short.text.contains("\(short.steps) steps of the \(short.needed) "))
    #expect(short.text.contains("--epochs \(advised) or more"))
  }

  @Test func `a long search settles as it is`() {
    let needed = ThetaRate.automatic.settlingSteps
    let exact = forecast(steps: needed, epochs: 2, warmup: 1)
    #expect(exact.settles && exact.epochs == 2)
    #expect(!forecast(steps: needed - 1, epochs: 2, warmup: 1).settles)
  }

  @Test func `without steps on theta no number of epochs is advised`() {
    for none in [
      forecast(steps: 0, epochs: 10, warmup: 0), forecast(epochs: 5, warmup: 5),
    ] {
      #expect(none.steps == 0 && !none.settles && none.epochs == nil)
      #expect(none.text.contains("search.theta_share") && !none.text.contains("--epochs"))
    }
  }
}

/// Adam's rate on θ, and how it is written.
struct ThetaRateTests {
  @Test func `the automatic rate covers the same way in any number of steps`() {
    let range = ThetaRate.range
    let auto = ThetaRate.automatic
    var last = Double.infinity
    for steps in [0, 1, 10, 80, 100, 400, 1000, 2400, 10_000, 1_000_000] {
      let rate = auto.value(steps: steps)
      #expect(range.contains(rate) && rate <= last)
      let isInside = rate > range.lowerBound && rate < range.upperBound
      #expect(!isInside || abs(rate * Double(steps) - ThetaRate.travel) < 1e-9)
      last = rate
    }
    #expect(auto.value(steps: 0) == range.upperBound)
    #expect(auto.value(steps: 1_000_000) == range.lowerBound)
    #expect(auto.value(steps: auto.settlingSteps) <= range.upperBound)
  }

  @Test(arguments: [1e-6, 0.01, 0.02, 5])
  func `a named rate is never changed`(rate: Double) {
    for steps in [0, 1, 100, 1_000_000] {
      #expect(ThetaRate.named(rate).value(steps: steps) == rate)
    }
  }

  @Test(arguments: [("auto", ThetaRate.automatic), ("0.02", .named(0.02)), ("1", .named(1))])
  func `both kinds come back from YAML`(text: String, rate: ThetaRate) throws {
    let configuration = try Configuration.preset(
      "digits",
      overrides: ["theta.learning_rate=\(text)"]
    )
    #expect(configuration.theta.learningRate == rate)
    try inTemporaryFolder { folder in
      let path = try write(configuration.yaml(), to: folder)
      #expect(try Configuration.load(path: path) == configuration)
    }
  }

  @Test(arguments: ["fast", "-1", "0", "[1]", "Auto5"])
  func `another word names the key`(text: String) throws {
    let error = try userError {
      _ = try Configuration.preset("digits", overrides: ["theta.learning_rate=\(text)"])
    }
    #expect(error?.description.contains("theta.learning_rate") == true, "\(text)")
  }
}

/// JSON for scripts.
struct JSONTextTests {
  private struct Value: Encodable {
    var name = "a/b"
    var zeroCount = 3
    var number: Double?
    var row: [Float] = []
  }

  @Test(arguments: [Double.nan, .infinity, -.infinity, .signalingNaN])
  func `a number that is none is null`(number: Double) throws {
    let text = try JSONText.encode(Value(number: number, row: [1, Float(number), -0.5]))
    #expect(text == #"{"name":"a/b","number":null,"row":[1,null,-0.5],"zeroCount":3}"#)
    #expect(try JSONSerialization.jsonObject(with: Data(text.utf8)) is [String: Any])
  }

  @Test func `keys, indents and texts are the encoder's`() throws {
    let text = try JSONText.encode(
      Value(name: #"\u0000 "x" null"#, number: 0.1),
      keys: .convertToSnakeCase,
      indented: true
    )
    #expect(text.hasPrefix("{\n") && text.hasSuffix("}\n"))
    #expect(text.contains("\"zero_count\" : 3") && text.contains("\"number\" : 0.1"))
    let object = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any]
    #expect(object?["name"] as? String == #"\u0000 "x" null"#)
  }
}
