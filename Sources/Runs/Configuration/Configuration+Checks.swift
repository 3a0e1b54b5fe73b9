import Yams

extension Configuration {
  /// Checks types, ranges and how the keys fit together; `place` (a file) leads the error's line.
  package func validate(place: String = "") throws {
    let origin = Origin(prefix: place.isEmpty ? "" : place + ": ")
    try origin.check(tree(), at: "", shown: "")
    try origin.checkTogether(self)
  }
}

extension Origin {
  /// Checks that every key of a tree is known and holds what the table allows.
  ///
  /// `path` is the tree's place in the table (`space.stages[]`), `shown` in the file
  /// (`…stages[2]`).
  func check(_ node: Node, at path: String, shown: String) throws {
    let kind = path.isEmpty || path.hasSuffix("[]") ? .section : keys.at(path)?.kind
    switch kind {
    case nil: throw unknown(shown, pattern: path)
    case .section:
      if isNull(node), !path.hasSuffix("[]") { return }
      guard let mapping = node.mapping else {
        throw error(shown.isEmpty ? "the file" : shown, "not a section of keys")
      }
      for (key, value) in mapping {
        guard let name = key.scalar?.string else {
          throw error(shown, "a key that is not a word")
        }
        let dot = path.isEmpty ? "" : "."
        try check(value, at: path + dot + name, shown: shown + dot + name)
      }
      if path.hasSuffix("[]") {
        for key in keys.children(of: path)
        where mapping[key.name] == nil && !key.isOptional {
          throw error(shown + "." + key.name, "missing", remedy: "every item of this list needs it")
        }
      }
    case .list:
      guard let items = node.sequence else {
        throw error(shown, "not a list", remedy: "write its items between [ and ]")
      }
      guard !items.isEmpty else { throw error(shown, "empty", remedy: "give at least one item") }
      for (index, item) in items.enumerated() {
        try check(item, at: path + "[]", shown: "\(shown)[\(index)]")
      }
    case .numbers, .words:
      guard let kind, let items = node.sequence else {
        throw error(shown, "not a list", remedy: "write its items between [ and ]")
      }
      try check(items, of: kind, shown: shown)
    case .some(let kind):
      guard let scalar = node.scalar else {
        throw error(shown, "not a single value", remedy: "give \(kind.range)")
      }
      guard kind.allows(scalar) else {
        throw error(shown, kind.fault(of: scalar), remedy: "give \(kind.range)")
      }
    }
  }

  /// Checks the items of a leaf that holds a list.
  private func check(_ items: Node.Sequence, of kind: ConfigurationKey.Kind, shown: String) throws {
    if items.isEmpty, kind.mayBeEmpty { return }
    guard !items.isEmpty else { throw error(shown, "empty", remedy: "give \(kind.range)") }
    let item = kind.item
    var before: Node.Scalar?
    for (index, node) in items.enumerated() {
      let place = "\(shown)[\(index)]"
      guard let scalar = node.scalar else {
        throw error(place, "not a single value", remedy: "give \(item.range)")
      }
      guard item.allows(scalar) else {
        throw error(place, item.fault(of: scalar), remedy: "give \(item.range)")
      }
      if case .numbers = kind, let before, Double(before.string) ?? 0 >= Double(scalar.string) ?? 0
      {
        throw error(
          place,
          "\(scalar.string) follows \(before.string)",
          remedy: "list the options in ascending order"
        )
      }
      if items.prefix(index).contains(where: { $0.scalar?.string == scalar.string }) {
        throw error(place, "\(scalar.string) is there twice", remedy: "keep one")
      }
      before = scalar
    }
  }

  /// The error for a key that is not in the table, with the nearest one that is.
  func unknown(_ shown: String, pattern: String) -> UserError {
    func last(_ path: String) -> String { path.split(separator: ".").last.map(String.init) ?? path }
    func parent(_ path: String) -> String { String(path.dropLast(last(path).count)) }
    let nearest = keys.all.min { a, b in
      func distance(_ key: ConfigurationKey) -> Int {
        // The same word in another section is nearer than another word in the same one.
        min(
          editDistance(pattern, key.path),
          editDistance(last(pattern), key.name) + (parent(pattern) == parent(key.path) ? 0 : 1)
        )
      }
      return distance(a) < distance(b)
    }
    return error(shown, "unknown key", remedy: "the nearest known key is \(nearest?.path ?? "")")
  }

  /// Checks what concerns several keys at once.
  func checkTogether(_ config: Configuration) throws {
    let search = config.search
    if search.warmupEpochs >= search.epochs {
      throw error(
        "search.warmup_epochs",
        "\(search.warmupEpochs) leaves no epoch of \(search.epochs) for theta",
        remedy: "keep it below search.epochs"
      )
    }
    if search.thetaShare + search.validationShare >= 1 {
      throw error(
        "search.validation_share",
        "\(search.validationShare) and search.theta_share \(search.thetaShare) "
          + "leave no image for the weights",
        remedy: "keep their sum below 1"
      )
    }
    if config.data.shift >= config.data.resolution {
      throw error(
        "data.shift",
        "\(config.data.shift) can move an image of \(config.data.resolution) away",
        remedy: "keep it below data.resolution"
      )
    }
    try checkBudget(config)
    if let masked = config.space.masked {
      try checkMasked(masked, config)
    } else {
      try checkCandidates(config.space)
    }
  }

  private func checkCandidates(_ space: Configuration.Space) throws {
    var names = Set<String>()
    for (index, candidate) in space.candidates.enumerated() {
      let path = "space.candidates[\(index)]"
      if !names.insert(candidate.name).inserted {
        throw error(path + ".name", "\(candidate.name) is used twice", remedy: "rename one")
      }
      if candidate.isSkip {
        guard candidate.expansion == 0, candidate.groups == 1 else {
          throw error(
            path,
            "kernel 0 is a skip",
            remedy: "give it expansion 0 and groups 1, or a kernel"
          )
        }
        continue
      }
      if candidate.expansion == 0 {
        throw error(
          path + ".expansion",
          "0 leaves no channels",
          remedy: "give a number above 0"
        )
      }
      var input = space.stem.width
      for (stage, output) in space.stages.map(\.width).enumerated() {
        // Later layers of a stage have its own width on both sides.
        for width in [input, candidate.middleWidth(from: input), output]
          + (space.stages[stage].depth > 1 ? [candidate.middleWidth(from: output)] : [])
        where width == 0 || width % candidate.groups != 0 {
          throw error(
            path + ".groups",
            "\(candidate.groups) does not divide the width \(width) in stage \(stage)",
            remedy: "change the groups, the expansion or the widths"
          )
        }
        input = output
      }
    }
  }
}

extension ConfigurationKey.Kind {
  /// Whether a YAML scalar is of this kind and in its range.
  func allows(_ scalar: Node.Scalar) -> Bool {
    switch self {
    case .section, .list, .numbers, .words: false
    case .integer(let range): number(Int.self, scalar).map(range.contains) ?? false
    case .kernel(let largest):
      number(Int.self, scalar).map { $0 == 0 || (1...largest).contains($0) && $0 % 2 == 1 } ?? false
    case .seed: number(UInt64.self, scalar) != nil
    case .number(let bounds): number(Double.self, scalar).map(bounds.contains) ?? false
    case .numberOr(let word, let bounds):
      scalar.string == word || ConfigurationKey.Kind.number(bounds).allows(scalar)
    case .flag: Bool.construct(from: scalar) != nil
    case .text(let mayBeEmpty):
      scalar.string.isEmpty ? mayBeEmpty && scalar.style != .plain : true
    case .word(let words): words.contains(scalar.string)
    }
  }

  private func number<T: ScalarConstructible>(_: T.Type, _ scalar: Node.Scalar) -> T? {
    scalar.isDecimal ? T.construct(from: scalar) : nil
  }

  /// Why a scalar is not allowed, in words.
  func fault(of scalar: Node.Scalar) -> String {
    if scalar.string.isEmpty { return "no value" }
    let oddity: String? =
      switch self {
      case .integer, .kernel, .seed, .number, .numberOr, .flag: scalar.oddity
      case .section, .list, .text, .word, .numbers, .words: nil
      }
    return oddity ?? "\(scalar.string) is not allowed"
  }

  /// The kind and range in words: `an integer from 0 to 1024`.
  var range: String {
    switch self {
    case .section: "keys"
    case .list: "a list"
    case .integer(let range):
      range.upperBound >= 65536
        ? "an integer, \(range.lowerBound) or more"
        : "an integer from \(range.lowerBound) to \(range.upperBound)"
    case .kernel(let largest): "0 or an odd integer up to \(largest)"
    case .seed: "an integer, 0 or more"
    case .number(let bounds):
      switch (bounds.lowOpen, bounds.high.isFinite) {
      case (true, false): "a number above \(short(bounds.low))"
      case (false, false): "a number, \(short(bounds.low)) or more"
      case (true, true):
        "a number above \(short(bounds.low)) and \(bounds.highOpen ? "below" : "up to") "
          + short(bounds.high)
      case (false, true):
        "a number from \(short(bounds.low)) to "
          + (bounds.highOpen ? "below " : "") + short(bounds.high)
      }
    case .numberOr(let word, let bounds): "\(word) or \(ConfigurationKey.Kind.number(bounds).range)"
    case .flag: "true or false"
    case .text(let mayBeEmpty): mayBeEmpty ? "text or ''" : "text"
    case .word(let words): Origin.either(words)
    case .numbers(_, let areWhole, let mayBeEmpty):
      "ascending \(areWhole ? "integers" : "numbers") in [ ]\(mayBeEmpty ? ", or []" : "")"
    case .words(let words, let mayBeEmpty):
      "words in [ ]: \(words.joined(separator: ", "))\(mayBeEmpty ? ", or []" : "")"
    }
  }

  /// Whether a list of this kind may be empty.
  fileprivate var mayBeEmpty: Bool {
    switch self {
    case .numbers(_, _, let mayBeEmpty), .words(_, let mayBeEmpty): mayBeEmpty
    default: false
    }
  }

  /// What each item of a list holds.
  fileprivate var item: ConfigurationKey.Kind {
    switch self {
    case .numbers(let bounds, areWhole: true, _): .integer(Int(bounds.low)...Int(bounds.high))
    case .numbers(let bounds, areWhole: false, _): .number(bounds)
    case .words(let words, _): .word(words)
    default: self
    }
  }

  private func short(_ value: Double) -> String {
    value == value.rounded() ? "\(Int(value))" : "\(value)"
  }
}

/// Letters to insert, delete, change or swap with their neighbour to make one text of the other.
package func editDistance(_ a: String, _ b: String) -> Int {
  let (a, b) = (Array(a), Array(b))
  var older: [Int] = []
  var old = Array(0...b.count)
  for i in a.indices {
    var row = [i + 1]
    for j in b.indices {
      var best = min(old[j + 1] + 1, row[j] + 1, old[j] + (a[i] == b[j] ? 0 : 1))
      if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] { best = min(best, older[j - 1] + 1) }
      row.append(best)
    }
    (older, old) = (old, row)
  }
  return old[b.count]
}
