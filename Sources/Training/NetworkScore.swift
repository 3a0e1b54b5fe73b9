/// How a network does on images that it was not trained on.
package struct NetworkScore: Sendable, Equatable {
  private var sum = 0.0
  private var first = 0
  private var five = 0
  /// Images evaluated.
  package private(set) var images = 0

  /// Nothing evaluated yet.
  package init() {}

  /// Mean cross-entropy of an image.
  package var crossEntropy: Double { sum / Double(max(1, images)) }
  /// Share whose class is the most probable, 0…1.
  package var top1: Double { Double(first) / Double(max(1, images)) }
  /// Share whose class is among the five most probable, 0…1.
  package var top5: Double { Double(five) / Double(max(1, images)) }

  /// Its sums, for `add` to another score.
  var figures: [Double] { [sum, Double(first), Double(five), Double(images)] }

  /// Adds the sums of another score.
  mutating func add(_ figures: [Double]) {
    sum += figures[0]
    first += Int(figures[1])
    five += Int(figures[2])
    images += Int(figures[3])
  }

  mutating func add(crossEntropy: Double, first: Int, five: Int, images: Int) {
    add([crossEntropy * Double(images), Double(first), Double(five), Double(images)])
  }
}
