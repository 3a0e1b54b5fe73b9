import Foundation

/// Numbers as a person reads them.
package enum Format {
  /// `1.23M`: three digits and a unit of a thousand; `?` for NaN.
  package static func count(_ value: Double) -> String {
    guard value.isFinite else { return "?" }
    var scaled = abs(value)
    var unit = 0
    let units = ["", "k", "M", "G", "T", "P"]
    while scaled >= 999.5, unit < units.count - 1 {
      scaled /= 1000
      unit += 1
    }
    let digits =
      unit == 0 && scaled == scaled.rounded() ? 0 : scaled < 9.995 ? 2 : scaled < 99.95 ? 1 : 0
    return (value < 0 ? "-" : "") + String(format: "%.\(digits)f", scaled) + units[unit]
  }

  /// `1 epoch`, `3 epochs`, `2 classes`, `5 entries`: a count with its noun, which is given as for
  /// one thing.
  package static func counted(_ count: Int, _ noun: String) -> String {
    "\(count) " + (count == 1 ? noun : plural(noun))
  }

  /// The same for a count that need not be whole: `1 epoch`, `2.5 epochs`.
  package static func counted(_ count: Double, _ noun: String) -> String {
    String(format: "%g ", count) + (count == 1 ? noun : plural(noun))
  }

  private static func plural(_ noun: String) -> String {
    if noun.hasSuffix("s") { return noun + "es" }
    return noun.hasSuffix("ry") ? noun.dropLast() + "ies" : noun + "s"
  }

  /// Three significant digits at most, `nan` spelled out; for axes and losses.
  package static func number(_ value: Double) -> String {
    guard value.isFinite else { return value.isNaN ? "nan" : value > 0 ? "inf" : "-inf" }
    let size = abs(value)
    if size >= 10_000 { return count(value) }
    let digits =
      size >= 100 ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : size == 0 ? 0 : size >= 0.01 ? 3 : 4
    return String(format: "%.\(digits)f", value)
  }

  /// `digits` after the point.
  package static func fixed(_ value: Double, _ digits: Int) -> String {
    let text = String(format: "%.\(digits)f", value)
    // What rounds to 0 has no sign.
    return value.isFinite && text.allSatisfy { "-0.".contains($0) }
      ? String(text.drop { $0 == "-" }) : text
  }

  /// The same with its sign: `+0.0123`.
  package static func signedFixed(_ value: Double, _ digits: Int) -> String {
    String(format: "%+.\(digits)f", value)
  }

  /// `07`: `digits` digits or more, with zeros before.
  package static func padded(_ value: Int, _ digits: Int) -> String {
    String(format: "%0\(digits)d", value)
  }

  /// Three significant digits without a unit: `0.0123`, `1.2e+06`.
  package static func significant(_ value: Double) -> String { String(format: "%.3g", value) }

  /// As many decimals as give `digits` significant ones, never an exponent: `0.01234`.
  package static func decimal(
    _ value: Double,
    digits: Int,
    rounded rule: FloatingPointRoundingRule = .toNearestOrEven
  ) -> String {
    let places = min(9, max(0, digits - 1 - Int(log10(max(value, 1e-9)).rounded(.down))))
    let scale = pow(10, Double(places))
    return fixed((value * scale).rounded(rule) / scale, places)
  }

  /// `1.234M`: three decimals from a million on, else the number as it is.
  package static func precise(_ value: Double) -> String {
    switch abs(value) {
    case 1e9...: fixed(value / 1e9, 3) + "G"
    case 1e6...: fixed(value / 1e6, 3) + "M"
    default: String(format: "%g", value)
    }
  }

  /// `2.34 ms`.
  package static func milliseconds(_ value: Double) -> String { time(value) + " ms" }

  /// Three significant digits, however small, but no more than `most` decimals: `0.0234`.
  package static func time(_ value: Double, most: Int = 8) -> String {
    guard value.isFinite, abs(value) < 0.1, abs(value) >= 1e-6 else { return number(value) }
    let digits = min(most, 2 - Int(log10(abs(value)).rounded(.down)))
    return String(format: "%.\(digits)f", value)
  }

  /// `3.4` epochs done.
  package static func epoch(_ value: Double) -> String {
    let text = String(format: "%.1f", value)
    return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
  }

  /// `97.4%`.
  package static func percent(_ share: Double, digits: Int = 1) -> String {
    share.isFinite ? String(format: "%.\(digits)f%%", share * 100) : "?"
  }

  /// A share for a line or a table of a command: `42.1 %`, `nan %`.
  package static func spacedPercent(_ share: Double, digits: Int = 1) -> String {
    fixed(100 * share, digits) + " %"
  }

  /// `1h02m`, `3m07s`, `8s`.
  package static func duration(_ seconds: Double) -> String {
    guard seconds.isFinite, seconds >= 0, seconds < 1e9 else { return "?" }
    let whole = Int(seconds.rounded())
    let (days, hours, minutes) = (whole / 86_400, whole / 3600 % 24, whole / 60 % 60)
    if days > 0 { return "\(days)d\(padded(hours, 2))h" }
    if hours > 0 { return "\(hours)h\(padded(minutes, 2))m" }
    if minutes > 0 { return "\(minutes)m\(padded(whole % 60, 2))s" }
    return "\(whole)s"
  }

  /// `1.4 GiB`.
  package static func bytes(_ count: Int) -> String {
    let value = Double(count)
    if value >= 1_073_741_824 { return String(format: "%.1f GiB", value / 1_073_741_824) }
    return String(format: "%.0f MiB", value / 1_048_576)
  }

  /// `12,480`.
  package static func grouped(_ value: Int) -> String { grouped(Double(value)) }

  /// `12,480`, the fraction rounded away.
  package static func grouped(_ value: Double) -> String {
    let digits = fixed(abs(value), 0)
    guard value.isFinite else { return digits }
    var result = ""
    for (i, digit) in digits.enumerated() {
      if i > 0, (digits.count - i) % 3 == 0 { result += "," }
      result.append(digit)
    }
    return (value < 0 ? "-" : "") + result
  }

  /// A signed number of about three digits: `+0.0123`, `-1.2e-06`.
  package static func signed(_ value: Double) -> String {
    guard value.isFinite else { return "?" }
    if value != 0, abs(value) < 0.0001 { return String(format: "%+.0e", value) }
    return String(format: abs(value) < 0.1 ? "%+.4f" : "%+.3f", value)
  }
}
