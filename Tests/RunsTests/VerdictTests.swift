import Foundation
import Runs
import Testing

/// What a search says of its own result, and of its length before it starts (spec S12).
struct VerdictTests {
  private func verdict(_ probabilities: [[Double]]) -> Verdict {
    Verdict(probabilities: probabilities)
  }

  @Test func `certain choices are settled and even ones are coin tosses`() {
    let even = [Double](repeating: 1.0 / 9, count: 9)
    let certain = [1.0] + [Double](repeating: 0, count: 8)
    let mixed = verdict([certain, even, certain, certain])
    #expect(mixed.choices == 4 && mixed.settled == 3 && mixed.coinTosses == 1)
    #expect(abs(mixed.meanEntropyBits - log2(9.0) / 4) < 1e-12)
    #expect(!mixed.isSettled)
    #expect(
      mixed.text == "3 of 4 choices are settled, 1 is a coin toss (0.79 bits on average)"
    )
    #expect(
      verdict([even, even, certain]).text
        == "1 of 3 choices is settled, 2 are coin tosses (2.11 bits on average)"
    )
    #expect(verdict([certain]).isSettled && verdict([certain]).meanEntropyBits == 0)
  }

  @Test func `a leader of half the probability settles, three quarters of all choices do`() {
    let half = [0.5, 0.3, 0.2, 0, 0, 0, 0, 0, 0]
    let less = [0.49, 0.31, 0.2, 0, 0, 0, 0, 0, 0]
    #expect(verdict([half]).settled == 1 && verdict([less]).settled == 0)
    #expect(verdict([less]).coinTosses == 0)
    #expect(verdict([half, half, half, less]).isSettled)
    #expect(!verdict([half, half, less]).isSettled)
  }

  @Test func `no choice is settled and a coin toss at once`() {
    for share in stride(from: 0.5, through: 1, by: 0.01) {
      for options in 2...9 {
        let rest = [Double](repeating: (1 - share) / Double(options - 1), count: options - 1)
        let it = verdict([[share] + rest])
        #expect(it.settled + it.coinTosses == 1, "\(share) of \(options)")
      }
    }
    #expect(verdict([[0.5, 0.5]]).coinTosses == 1 && verdict([[0.8, 0.2]]).settled == 1)
  }

  @Test func `a choice of one option was never open`() {
    let it = verdict([[1], [0.9, 0.1], [1]])
    #expect(it.choices == 1 && it.settled == 1)
    let none = verdict([[1], [1]])
    #expect(none.choices == 0 && none.isSettled && none.meanEntropyBits == 0)
    #expect(none.text == "0 of 0 choices are settled (0.00 bits on average)")
  }
}

/// Steps on θ against those that settle one.
struct ThetaForecastTests {
  private func forecast(
    _ rate: ThetaRate,
    _ perEpoch: Int,
    epochs: Int,
    warmup: Int
  ) -> ThetaForecast {
    ThetaForecast(rate: rate, stepsPerEpoch: perEpoch, epochs: epochs, warmup: warmup)
  }

  @Test(
    arguments: [ThetaRate.automatic, .named(0.01), .named(0.1), .named(7)],
    [(1, 1, 0), (4, 8, 0), (9, 20, 2), (1, 90, 10), (30, 2, 1), (1, 50, 49)]
  )
  func `the epochs it names are the fewest that settle`(
    rate: ThetaRate,
    plan: (perEpoch: Int, epochs: Int, warmup: Int)
  ) throws {
    let it = forecast(rate, plan.perEpoch, epochs: plan.epochs, warmup: plan.warmup)
    #expect(it.steps == (plan.epochs - plan.warmup) * plan.perEpoch)
    #expect(it.needed == rate.settlingSteps && it.settles == (it.steps >= it.needed))
    let named = try #require(it.epochs)
    #expect(named >= plan.epochs && (named == plan.epochs) == it.settles)
    // The warm-up keeps its share.
    func steps(_ epochs: Int) -> Int {
      (epochs - epochs * plan.warmup / plan.epochs) * plan.perEpoch
    }
    #expect(steps(named) >= it.needed)
    if named > plan.epochs { #expect(steps(named - 1) < it.needed) }
  }

  @Test func `the text names what it has, what it needs and what to change`() throws {
    let short = forecast(.automatic, 4, epochs: 4, warmup: 0)
    let epochs = try #require(short.epochs)
    #expect(
      short.text == "theta makes 16 steps of the \(short.needed) that usually settle the choices; "
        + "give --epochs \(epochs) or more, or a smaller search.batch"
    )
    let never = forecast(.automatic, 0, epochs: 10, warmup: 0)
    #expect(never.epochs == nil && !never.settles && never.steps == 0)
    #expect(never.text.hasSuffix("give a larger search.theta_share"))
    // No number of epochs helps so low a rate.
    for rate in [1e-9, 1e-300] {
      let slow = forecast(.named(rate), 4, epochs: 4, warmup: 1)
      #expect(slow.epochs == nil && !slow.settles)
      #expect(slow.text.hasSuffix("give a larger theta.learning_rate"))
    }
  }
}

/// The rate of θ that follows from the length of the search.
struct ThetaRateTests {
  @Test func `the automatic rate lets theta travel as far in any number of steps`() {
    let (low, high) = (ThetaRate.range.lowerBound, ThetaRate.range.upperBound)
    var last = Double.infinity
    for steps in [0, 1, 10, 50, 100, 200, 400, 800, 2000, 5000, 1_000_000] {
      let rate = ThetaRate.automatic.value(steps: steps)
      #expect(ThetaRate.range.contains(rate) && rate <= last)
      if rate > low, rate < high {
        #expect(abs(rate * Double(steps) / ThetaRate.travel - 1) < 1e-12)
      }
      last = rate
    }
    #expect(ThetaRate.automatic.value(steps: 0) == high)
    #expect(ThetaRate.automatic.value(steps: 1_000_000) == low)
    // As many steps as usually settle the choices get along with the highest rate.
    let settling = ThetaRate.automatic.settlingSteps
    #expect(Double(settling) * high >= ThetaRate.travel - 1e-9)
    #expect(Double(settling - 1) * high < ThetaRate.travel)
  }

  @Test(arguments: [1e-4, 0.01, 0.5, 10])
  func `a named rate is never changed`(rate: Double) {
    for steps in [0, 1, 100, 1_000_000] {
      #expect(ThetaRate.named(rate).value(steps: steps) == rate)
    }
    #expect(ThetaRate.named(rate).settlingSteps >= ThetaRate.automatic.settlingSteps)
  }

  @Test func `it is written and read as a number or as auto`() throws {
    for (text, rate) in [("auto", ThetaRate.automatic), ("0.025", .named(0.025)), ("2", .named(2))]
    {
      let config = try Configuration.preset("digits", overrides: ["theta.learning_rate=\(text)"])
      #expect(config.theta.learningRate == rate)
      let yaml = config.yaml()
      if text != "2" { #expect(yaml.contains("learning_rate: \(text)\n")) }
      let back = try inTemporaryFolder {
        try Configuration.load(path: try write(yaml, to: $0))
      }
      #expect(back == config)
      let json = try JSONEncoder().encode([rate])
      #expect(try JSONDecoder().decode([ThetaRate].self, from: json) == [rate])
    }
    #expect(throws: DecodingError.self) {
      try JSONDecoder().decode([ThetaRate].self, from: Data(#"["fast"]"#.utf8))
    }
  }

  @Test(arguments: ["fast", "-1", "0", ".nan", "''", "[auto]"])
  func `anything else is refused`(text: String) throws {
    let error = try #require(
      try userError {
        _ = try Configuration.preset("digits", overrides: ["theta.learning_rate=\(text)"])
      }
    )
    #expect(error.code == .configuration)
    #expect(error.description.contains("theta.learning_rate"))
    #expect(error.description.contains("auto or a number"), "\(error)")
  }
}
