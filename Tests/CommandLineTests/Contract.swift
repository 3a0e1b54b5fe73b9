/// What programs rely on: the objects of `Documentation/json.md`, field by field.
///
/// The lists are here as well as on the page, so that neither code nor page changes alone.
enum Contract {
  /// One object, or one table of the store.
  struct Shape: Equatable {
    /// Its heading on the page.
    let name: String
    /// The kind of each field, in the page's words.
    let kinds: [String: String]
    /// Fields that are not always there.
    let sometimes: Set<String>

    init(_ name: String, kinds: [String: String], sometimes: Set<String>) {
      self.name = name
      self.kinds = kinds
      self.sometimes = sometimes
    }

    /// Fields by their kinds.
    init(_ name: String, _ fields: [String: [String]], sometimes: Set<String> = []) {
      let kinds = fields.flatMap { kind, names in names.map { ($0, kind) } }
      self.init(name, kinds: Dictionary(uniqueKeysWithValues: kinds), sometimes: sometimes)
    }

    /// What `value` has wrong, a line each: fields too many or too few, and values of another kind.
    ///
    /// Of the fields among `sometimes`, those in `present` have to be there and no others; nil
    /// allows any.
    func faults(_ value: JSONValue, with present: Set<String>? = nil) -> [String] {
      guard case .object(let fields) = value else { return ["\(name): no object"] }
      let found = Set(fields.keys)
      let all = Set(kinds.keys)
      let needed = all.subtracting(sometimes).union(present ?? [])
      let allowed = present == nil ? all : needed
      return needed.subtracting(found).sorted().map { "\(name): lacks \($0)" }
        + found.subtracting(allowed).sorted().map { "\(name): \($0) is not expected" }
        + fields.flatMap { field, value in
          kinds[field].map { Contract.faults(value, $0, "\(name), \(field)") } ?? []
        }
    }
  }

  static let objects = runs + joint + farm + steering + screens + tools + benches

  /// The object with that heading.
  static func shape(_ name: String) -> Shape? { objects.first { $0.name == name } }

  /// What is wrong with a line of the program's output.
  static func faults(
    _ value: JSONValue?,
    as name: String,
    with present: Set<String>? = nil
  ) -> [String] {
    guard let shape = shape(name) else { return ["no list for \(name)"] }
    return value.map { shape.faults($0, with: present) } ?? ["\(name): nothing there"]
  }

  private static func faults(_ value: JSONValue, _ kind: String, _ place: String) -> [String] {
    if kind.hasPrefix("list of ") {
      guard case .list(let values) = value else { return ["\(place): no list but \(value)"] }
      return values.flatMap { faults($0, String(kind.dropFirst("list of ".count)), place) }
    }
    let choices = kind.split(separator: " or ").map(String.init)
    if choices.count > 1 {
      let all = choices.map { faults(value, $0, place) }
      return all.contains([]) ? [] : ["\(place): \(value) is no \(kind)"]
    }
    if let shape = shape(kind) { return shape.faults(value) }
    let fits =
      switch (kind, value) {
      case ("text", .text), ("flag", .flag), ("number", .number), ("null", .null): true
      case ("count", .number(let number)): number >= 0 && number == number.rounded()
      case ("amount", .number(let number)): number >= 0
      case ("share", .number(let number)): (0...1).contains(number)
      default: value.text.map { "`\($0)`" == kind } ?? false
      }
    return fits ? [] : ["\(place): \(value) is no \(kind)"]
  }
}
