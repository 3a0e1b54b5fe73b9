import Runs
import Foundation

/// Sorted measurements of the same thing.
struct BenchTimes {
  /// Seconds, ascending, at least one.
  private let seconds: [Double]

  /// Takes over measurements in any order.
  init(_ seconds: [Double]) {
    precondition(!seconds.isEmpty, "BenchTimes: nothing measured")
    self.seconds = seconds.sorted()
  }

  /// Runs `work` until `seconds` have passed and at least `least` times, after one run that is not
  /// counted.
  init(seconds: Double, least: Int = 3, _ work: () -> Void) {
    work()
    let clock = ContinuousClock()
    let start = clock.now
    var all: [Double] = []
    while all.count < least || (clock.now - start).seconds < seconds {
      all.append(clock.measure(work).seconds)
    }
    self.init(all)
  }

  /// The middle one, or the mean of the middle two.
  var median: Double {
    let middle = seconds.count / 2
    return seconds.count % 2 == 1 ? seconds[middle] : (seconds[middle - 1] + seconds[middle]) / 2
  }

  /// How many.
  var count: Int { seconds.count }
  /// The shortest.
  var least: Double { seconds[0] }
}

extension Double {
  /// Rounded to `digits` after the point, so that JSON and tables hold no noise.
  func rounded(to digits: Int) -> Double {
    let scale = pow(10, Double(digits))
    return (self * scale).rounded() / scale
  }
}

/// Aligned text.
enum BenchTable {
  /// Rows as lines with aligned columns: the first to the left, the others to the right.
  static func text(_ rows: [[String]]) -> String {
    let columns = rows.map(\.count).max() ?? 0
    let widths = (0..<columns).map { column in
      // A row of one cell is a heading or a note and widens nothing.
      rows.map { $0.count > 1 && column < $0.count ? $0[column].count : 0 }.max() ?? 0
    }
    return rows.map { row in
      guard row.count > 1 else { return (row.first ?? "") + "\n" }
      let cells = row.enumerated().map { column, cell in
        let blank = String(repeating: " ", count: max(0, widths[column] - cell.count))
        return column == 0 ? cell + blank : blank + cell
      }
      return cells.joined(separator: "  ") + "\n"
    }.joined()
  }

  /// A number with `digits` after the point.
  static func number(_ value: Double, _ digits: Int = 1) -> String {
    Format.fixed(value, digits)
  }

  /// A share as per cent.
  static func share(_ value: Double) -> String { number(100 * value) + " %" }
}

/// Memory of this process.
enum BenchMemory {
  /// Largest resident memory so far, MiB; 0 where the system does not say.
  static var peakMebibytes: Double {
    var usage = rusage()
    #if os(Linux)
      guard getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage) == 0 else { return 0 }
      return Double(usage.ru_maxrss) / 1024
    #else
      guard getrusage(RUSAGE_SELF, &usage) == 0 else { return 0 }
      return Double(usage.ru_maxrss) / (1024 * 1024)
    #endif
  }
}
