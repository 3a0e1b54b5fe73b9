import ArgumentParser
import Runs

/// `supertop config`: the settings of a preset as YAML, or what each key means.
struct ConfigCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "config",
    abstract: "Print a preset or the default recipe as a file, or explain every key.",
    discussion: """
      Start a configuration of your own from a preset:
        supertop config --preset digits > my.yaml
        supertop search my.yaml
        supertop config --recipe > recipe.yaml
        supertop train fbnet_c --recipe recipe.yaml
      """
  )

  @Option(
    help: ArgumentHelp(
      "The preset to print: \(RunSettings.presetNames.joined(separator: ", ")).",
      valueName: "name"
    ),
    completion: .list(RunSettings.presetNames)
  )
  var preset: String?

  @Option(
    name: .customLong("set"),
    parsing: .unconditionalSingleValue,
    help: ArgumentHelp("Override a key; may be repeated.", valueName: "key.path=value")
  )
  var assignments: [String] = []

  @Flag(help: "Print the default recipe of a training as a file.")
  var recipe = false

  @Flag(help: "Explain every key of a configuration and of a recipe.")
  var explain = false

  func validate() throws {
    guard [explain, recipe, preset != nil].count(where: \.self) == 1 else {
      throw ValidationError("give one of --preset NAME, --recipe and --explain")
    }
  }

  func run() throws {
    let text =
      if let preset {
        try RunSettings.preset(preset, overrides: assignments).text
      } else if recipe {
        try Recipe().applying(assignments).yaml()
      } else {
        [Configuration.explain(), JointConfiguration.explain(), Recipe.explain()]
          .joined(separator: "\n")
      }
    Output().text(text)
  }
}
