@testable import Dashboard
import Runs
import Testing

@Suite struct ChartTests {
  @Test func `a long series keeps its spikes in bounded memory`() {
    var series = Series(capacity: 64)
    for i in 0..<100_000 { series.append(Double(i), i == 54_321 ? 1000 : 1) }
    #expect(series.buckets.count < 64)
    #expect(series.range == 1...1000)
    #expect(series.buckets.reduce(0) { $0 + $1.count } == 100_000)
    #expect(series.buckets.first?.start == 0 && series.buckets.last?.end == 99_999)
  }

  @Test func `what is not a number is counted and not drawn`() {
    var series = Series()
    series.append(0, 1)
    series.append(1, .nan)
    series.append(2, .infinity)
    #expect(series.buckets.count == 1 && series.lost == 2 && series.firstLost == 1)
  }

  @Test func `a resumed run overwrites what it repeats`() {
    var series = Series()
    for x in 0..<10 { series.append(Double(x), 1) }
    series.append(6, 2)
    #expect(series.buckets.map(\.start) == [0, 1, 2, 3, 4, 5, 6])
    #expect(series.range == 1...2)
  }

  @Test func `probabilities stay bounded and end with the newest`() {
    var history = ProbabilityHistory(capacity: 32)
    for i in 0..<5000 {
      history.append(.init(epoch: Double(i), values: [[Float(i)]]))
      #expect(history.samples.count < 33)
      #expect(history.samples.last?.epoch == Double(i))
    }
    #expect(history.samples.first?.epoch == 0)
    let gaps = zip(history.samples.dropFirst(), history.samples).map { $0.epoch - $1.epoch }
    #expect((gaps.dropLast().max() ?? 0) <= 2 * (gaps.dropLast().min() ?? 0))
  }

  @Test func `softmax and entropy survive extremes`() {
    #expect(softmax([0, 0, 0, 0] as [Float]) == [0.25, 0.25, 0.25, 0.25])
    #expect(entropyBits([0.25, 0.25, 0.25, 0.25]) == 2)
    #expect(softmax([1e30, 0] as [Float]) == [1, 0])
    #expect(softmax([.nan, 0] as [Float]) == [0, 1])
    #expect(softmax([.nan, .nan] as [Float]) == [0.5, 0.5])
    #expect(softmax([] as [Float]) == [])
    #expect(entropyBits([1, 0]) == 0)
  }

  @Test func `numbers are short`() {
    #expect(Format.count(812_000) == "812k")
    #expect(Format.count(1_234_567) == "1.23M")
    #expect(Format.count(999_600) == "1.00M")
    #expect(Format.count(0) == "0")
    #expect(Format.count(.nan) == "?")
    #expect(Format.duration(59.6) == "1m00s")
    #expect(Format.duration(3725) == "1h02m")
    #expect(Format.duration(.infinity) == "?")
    #expect(Format.grouped(1_234_567) == "1,234,567")
    #expect(Format.number(.nan) == "nan")
    #expect(Format.percent(0.974) == "97.4%")
    #expect(clip("abcdef", to: 4) == "abc…")
    #expect(columns(of: "図e\u{301}") == 3)
  }

  @Test func `an SVG holds every word of the frame and no control character`() {
    let frame = view(Fixture.model("running", Size(80, 24)))
    let svg = frame.svg(theme: Model.Look().theme)
    #expect(svg.hasPrefix("<svg ") && svg.hasSuffix("</svg>\n"))
    #expect(svg.contains("RUNNING") && svg.contains("digits-1"))
    #expect(svg.unicodeScalars.allSatisfy { $0.value >= 32 || $0 == "\n" })
  }
}
