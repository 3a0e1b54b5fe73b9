import ArgumentParser
import Runs

/// `supertop config`: the settings of a preset as YAML, or what each key means.
struct ConfigCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "config",
    abstract: "Print a preset as a configuration file, or explain every key.",
    discussion: """
      Start a configuration of your own from a preset:
        supertop config --preset digits > my.yaml
        supertop search my.yaml
      """
  )

  @Option(
    help: ArgumentHelp(
      "The preset to print: \(Configuration.presetNames.joined(separator: ", ")).",
      valueName: "name"
    )
  )
  var preset: String?

  @Option(
    name: .customLong("set"),
    parsing: .unconditionalSingleValue,
    help: ArgumentHelp("Override a key; may be repeated.", valueName: "key.path=value")
  )
  var assignments: [String] = []

  @Flag(help: "Explain every key of a configuration.")
  var explain = false

  func validate() throws {
    guard explain != (preset != nil) else {
      throw ValidationError("give either --preset NAME or --explain")
    }
  }

  func run() throws {
    let text =
      if let preset {
        try Configuration.preset(preset, overrides: assignments).yaml()
      } else {
        Configuration.explain()
      }
    Output().text(text)
  }
}
