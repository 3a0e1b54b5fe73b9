/// One network of a search space: the index of the option that each choice takes.
///
/// A collection of those indices in the order of the choices. As JSON it is the plain array,
/// `[3,0,8]`.
package struct Architecture: Hashable, Sendable {
  /// The option of each choice.
  package var options: [Int]

  /// The network that takes `options`, one index for each choice.
  package init(_ options: some Sequence<Int>) { self.options = Array(options) }

  /// The architecture as a word: a digit for each choice, the option's index in base 36.
  ///
  /// - Precondition: no choice has more than 36 options.
  package var name: String { options.map { String($0, radix: 36) }.joined() }
}

extension Architecture: RandomAccessCollection, MutableCollection {
  /// The first choice.
  package var startIndex: Int { 0 }
  /// One behind the last choice.
  package var endIndex: Int { options.count }

  /// The option that a choice takes.
  package subscript(choice: Int) -> Int {
    get { options[choice] }
    set { options[choice] = newValue }
  }
}

extension Architecture: ExpressibleByArrayLiteral {
  /// The network that takes these options.
  package init(arrayLiteral options: Int...) { self.options = options }
}

extension Architecture: Codable {
  /// Reads a plain array of integers.
  package init(from decoder: any Decoder) throws {
    options = try decoder.singleValueContainer().decode([Int].self)
  }

  /// Writes a plain array of integers.
  package func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(options)
  }
}
