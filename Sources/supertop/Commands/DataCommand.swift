import ArgumentParser
import Data
import Runs

/// `supertop data`: what is in a data set.
struct DataCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "data",
    abstract: "Look at a data set.",
    subcommands: [Info.self]
  )

  /// `supertop data info SPEC`.
  struct Info: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "info",
      abstract: "Decode a data set and print its classes, sizes and statistics.",
      discussion: """
        The packed images are kept in the cache, so a search on the same data starts at once.
        """
    )

    @Argument(help: dataHelp)
    var spec: String

    @Option(help: ArgumentHelp("Side of the square images, pixels.", valueName: "pixels"))
    var resolution: Int?

    @Flag(help: "Count images that cannot be decoded and continue.")
    var skipBadImages = false

    func run() throws {
      var settings = try Configuration.preset(
        DataSource(spec) == .digits ? "digits" : "cifar-small"
      ).data
      settings.source = spec
      settings.skipBadImages = skipBadImages
      if let resolution { settings.resolution = resolution }
      let ticker = Ticker()
      let data = try Dataset.load(settings) { share, message in
        ticker.show("\(message) (\(Int(share * 100)) %)")
      }
      ticker.clear()
      Output().text(data.describe() + "\n")
    }
  }
}

/// What `--data` and `data info` take.
let dataHelp = ArgumentHelp(
  """
  Images: digits (built in), a folder of train/CLASS/*.jpg|png and test/CLASS/*.jpg|png or of \
  CLASS/*.jpg|png alone, or cifar10:FOLDER with CIFAR-10's binary files.
  """,
  valueName: "spec"
)
