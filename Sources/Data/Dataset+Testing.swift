import Runs

extension Dataset {
  /// The test images of a data set as a network takes them that was trained on `learned`: classes
  /// are matched by name, pixels are packed and normalised as in the training (spec S123).
  ///
  /// The data may lack training images and some of the classes, which a warning reports. `repacks`
  /// lets the side of the packed images follow from these images instead, for another resolution
  /// than that of the training. Errors as in `load`; also `.data` that names classes which were
  /// never learned, or for another number of channels.
  package static func tests(
    _ settings: Configuration.DataSettings,
    for learned: LearnedData,
    repacks: Bool = false,
    progress: (Double, String) throws -> Void = { _, _ in }
  ) throws -> Dataset {
    let numbers = Dictionary(
      uniqueKeysWithValues: learned.classNames.enumerated().map { ($1, Int32($0)) }
    )
    func check(_ classNames: [String]) throws {
      let strange = classNames.filter { numbers[$0] == nil }
      guard strange.isEmpty else {
        throw UserError(
          .data,
          settings.source,
          "the network never learned \(strange.listed()); it knows \(learned.classNames.listed())",
          remedy: "remove or rename these folders, or train it on these classes"
        )
      }
    }
    let data: Dataset
    if var source = try source(of: settings, testOnly: true) {
      // Before anything is decoded.
      try check(source.classNames)
      if !repacks { source.side = learned.side }
      data = try load(source, settings, progress: progress)
    } else {
      data = try load(settings, progress: progress)
      try check(data.classNames)
    }
    guard data.channels == learned.mean.count else {
      throw UserError(
        .data,
        settings.source,
        "images of \(Format.counted(data.channels, "channel")), "
          + "the network was trained on \(learned.mean.count)",
        remedy: "name images like those that it was trained on"
      )
    }
    var tests = data
    tests.classNames = learned.classNames
    (tests.mean, tests.standardDeviation) = (learned.mean, learned.standardDeviation)
    tests.test = data.test.relabelled(data.classNames.map { numbers[$0] ?? 0 })
    let present = Set(tests.test.labels)
    let lacking = learned.classNames.filter { !present.contains(numbers[$0] ?? -1) }
    if !lacking.isEmpty {
      tests.warnings.append(
        "\(settings.source): no test image of \(lacking.listed()); "
          + "only the other classes are evaluated"
      )
    }
    return tests
  }
}
