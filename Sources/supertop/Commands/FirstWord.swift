import ArgumentParser
import Networks
import Runs

/// The word behind `supertop`, where it is no subcommand: a configuration file, or a slip of those
/// who try the program for the first time.
struct FirstWord {
  let word: String

  init(_ word: String) { self.word = word }

  /// What was meant, as an error that names the command for it; nil for a file that can be a
  /// configuration.
  var slip: UserError? { pathExists(word) ? wrongFile : noFile }

  /// A file of another kind, by its name.
  private var wrongFile: UserError? {
    let quoted = ShellWord.quoted(word)
    switch Path.suffix(word).lowercased() {
    case "jpg", "jpeg", "png":
      return UserError(
        .usage,
        word,
        "an image, not a configuration",
        remedy: "name the folder that holds a folder of images for each class"
      )
    // Other JSON can be a configuration.
    case "json" where (try? NetworkSource(word)) != nil, "safetensors":
      return UserError(
        .usage,
        word,
        "a network, not a configuration",
        remedy: "count it with supertop models \(quoted), train it with supertop train "
          + "\(quoted), or search its widths with supertop search --space-from \(quoted)"
      )
    case "sqlite":
      let run = ShellWord.quoted(Path.folder(word))
      return UserError(
        .usage,
        word,
        "a part of a run, not a configuration",
        remedy: "see the run with supertop watch \(run)"
      )
    default: return nil
    }
  }

  /// A word that is no file: a preset, a network, or a subcommand with a slip of the finger.
  private var noFile: UserError {
    let commands = Supertop.configuration.subcommands.compactMap { $0.configuration.commandName }
    let nearest = commands.min { editDistance($0, word) < editDistance($1, word) } ?? ""
    let remedy =
      if RunSettings.presetNames.contains(word) {
        "the preset of this name is searched with supertop search --preset \(word)"
      } else if let network = Zoo.named(word)?.network.name {
        "the network of this name is counted by supertop models \(network) and trained by "
          + "supertop train \(network) --data FOLDER"
      } else if editDistance(nearest, word) <= max(1, word.count / 3) {
        "did you mean supertop \(nearest)?"
      } else {
        "name a YAML file, a folder of images, or one of the commands "
          + commands.joined(separator: ", ")
      }
    return UserError(.noInput, word, "no such configuration file", remedy: remedy)
  }
}
