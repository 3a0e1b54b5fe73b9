import Yams

extension RunSettings {
  /// Names of all presets, those of joint searches last.
  package static let presetNames = Configuration.presetNames + JointConfiguration.presetNames

  /// A preset with `key.path=value` overrides, checked as a whole.
  ///
  /// Errors: `.configuration` for an unknown name or a wrong override.
  package static func preset(_ name: String, overrides: [String] = []) throws -> RunSettings {
    if JointConfiguration.presetNames.contains(name) {
      return .joint(try JointConfiguration.preset(name, overrides: overrides))
    }
    guard Configuration.presetNames.contains(name) else {
      throw UserError(
        .configuration,
        "preset",
        "unknown preset \(name)",
        remedy: "known are " + presetNames.joined(separator: ", ")
      )
    }
    return .search(try Configuration.preset(name, overrides: overrides))
  }

  /// Whether the file at `path` says that it is a joint search, by its kind or by its preset.
  ///
  /// A file that cannot be read or understood is no joint search: whoever reads it says why.
  package static func isJoint(path: String) -> Bool {
    guard let text = try? readText(path), let node = try? Origin(prefix: "").parse(text) else {
      return false
    }
    return node.said(RunKind.self, at: "kind") == .joint
      || node["preset"]?.scalar.map { JointConfiguration.presetNames.contains($0.string) } ?? false
  }

  /// The settings as YAML.
  package var text: String { yaml() }
}
