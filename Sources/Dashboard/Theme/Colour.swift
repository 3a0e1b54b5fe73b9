import Foundation

/// How many colours a terminal can show.
enum ColourDepth: Int, Sendable, Comparable {
  case none, eight, sixteen, palette, direct

  static func < (a: ColourDepth, b: ColourDepth) -> Bool { a.rawValue < b.rawValue }
}

/// Red, green and blue, 0…255 each.
struct RGB: Hashable, Sendable {
  var red: Int
  var green: Int
  var blue: Int

  init(_ red: Int, _ green: Int, _ blue: Int) {
    self.red = red
    self.green = green
    self.blue = blue
  }

  /// `#rrggbb`.
  init?(hex: String) {
    guard hex.count == 7, hex.hasPrefix("#"), let value = Int(hex.dropFirst(), radix: 16) else {
      return nil
    }
    self.init(value >> 16 & 255, value >> 8 & 255, value & 255)
  }

  var hex: String {
    "#" + String(1 << 24 | red << 16 | green << 8 | blue, radix: 16).dropFirst()
  }

  /// The colour `share` of the way to `other`.
  func mixed(with other: RGB, _ share: Double) -> RGB {
    func mix(_ a: Int, _ b: Int) -> Int { Int((Double(a) + share * Double(b - a)).rounded()) }
    return RGB(mix(red, other.red), mix(green, other.green), mix(blue, other.blue))
  }

  /// CIE L*a*b* under D65: distances there follow the eye.
  var lab: SIMD3<Double> {
    func linear(_ value: Int) -> Double {
      let c = Double(value) / 255
      return c <= 0.04045 ? c / 12.92 : pow((c + 0.055) / 1.055, 2.4)
    }
    func f(_ t: Double) -> Double { t > 216.0 / 24389 ? cbrt(t) : (24389.0 / 27 * t + 16) / 116 }
    let (r, g, b) = (linear(red), linear(green), linear(blue))
    let x = f((0.4124 * r + 0.3576 * g + 0.1805 * b) / 0.95047)
    let y = f(0.2126 * r + 0.7152 * g + 0.0722 * b)
    let z = f((0.0193 * r + 0.1192 * g + 0.9505 * b) / 1.08883)
    return SIMD3(116 * y - 16, 500 * (x - y), 200 * (y - z))
  }

  /// Contrast ratio of WCAG 2, 1…21.
  func contrast(with other: RGB) -> Double {
    func luminance(_ colour: RGB) -> Double {
      func linear(_ value: Int) -> Double {
        let c = Double(value) / 255
        return c <= 0.03928 ? c / 12.92 : pow((c + 0.055) / 1.055, 2.4)
      }
      return 0.2126 * linear(colour.red) + 0.7152 * linear(colour.green)
        + 0.0722 * linear(colour.blue)
    }
    let (a, b) = (luminance(self), luminance(other))
    return (max(a, b) + 0.05) / (min(a, b) + 0.05)
  }
}

/// xterm's palette and the way from true colour to it.
enum Palette {
  /// Names of the first sixteen, in order.
  static let names = [
    "black", "red", "green", "yellow", "blue", "magenta", "cyan", "white", "brightblack",
    "brightred", "brightgreen", "brightyellow", "brightblue", "brightmagenta", "brightcyan",
    "brightwhite",
  ]

  /// xterm's values of the 256 indices; the first sixteen are the user's to change.
  static let colours: [RGB] = {
    var all = [
      0x000000, 0xcd0000, 0x00cd00, 0xcdcd00, 0x3b78ff, 0xcd00cd, 0x00cdcd, 0xe5e5e5, 0x7f7f7f,
      0xff0000, 0x00ff00, 0xffff00, 0x5c9cff, 0xff00ff, 0x00ffff, 0xffffff,
    ].map { RGB($0 >> 16, $0 >> 8 & 255, $0 & 255) }
    let levels = [0, 95, 135, 175, 215, 255]
    for r in levels { for g in levels { for b in levels { all.append(RGB(r, g, b)) } } }
    for i in 0..<24 { all.append(RGB(8 + 10 * i, 8 + 10 * i, 8 + 10 * i)) }
    return all
  }()

  private static let labs = colours.map(\.lab)

  /// Nearest index to `colour` in `range` by distance in L*a*b*.
  static func nearest(to colour: RGB, in range: Range<Int>) -> Int {
    let lab = colour.lab
    func distance(_ index: Int) -> Double {
      let d = labs[index] - lab
      return (d * d).sum()
    }
    return range.min { distance($0) < distance($1) } ?? range.lowerBound
  }
}
