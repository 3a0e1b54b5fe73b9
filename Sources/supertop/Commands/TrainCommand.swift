import ArgumentParser
import Data
import Foundation
import Networks
import Runs

/// `supertop train NETWORK`: trains one network by a recipe.
struct TrainCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "train",
    abstract: "Train a network of the zoo, of a file or of a run.",
    discussion: """
      The network is adapted to the images: resolution, channels and classes. Training starts \
      from the weights that come with it; the others are initialised at random. A recipe says how \
      it is trained; see 'supertop config --explain' for its keys. The run can be watched, stopped \
      and resumed like a search, and writes exports/network.safetensors.

        supertop train fbnetv2_l1 --data ./photos --epochs 60
        supertop train my.json --data digits --recipe mine.yaml --set ema=0.999
      """
  )

  @Argument(help: networkHelp, completion: .file())
  var network: String

  @Option(help: dataHelp, completion: .directory)
  var data = "digits"

  @Option(
    help: ArgumentHelp(
      "YAML file of recipe keys; what it leaves out keeps its default.",
      valueName: "file"
    ),
    completion: .file()
  )
  var recipe: String?

  @Option(
    help: ArgumentHelp(
      "Side of the images, pixels (default: 8 for digits, 32 for CIFAR-10, else the network's).",
      valueName: "pixels"
    )
  )
  var resolution: Int?

  @Option(
    name: .customLong("run"),
    help: ArgumentHelp(
      "Folder of the new run (default: the next free runs/NETWORK-NUMBER).",
      valueName: "dir"
    ),
    completion: .directory
  )
  var runPath: String?

  @OptionGroup var keys: KeyOptions

  @OptionGroup(title: "Display") var display: DisplayOptions

  func run() throws {
    try display.check()
    let source = try NetworkSource(network)
    let settings = try settings(of: source)
    let fitted = try source.fitted { try Dataset.load(settings.dataSettings, progress: $0) }
    let json = Foundation.Data(NetworkFile.json(fitted.network).utf8)
    let folder =
      if let runPath {
        try RunFolder.create(
          at: runPath,
          settings: .training(settings),
          network: json,
          start: source.weights
        )
      } else {
        try RunFolder.createNext(
          settings: .training(settings),
          network: json,
          start: source.weights
        )
      }
    try TrainingProcess.start(folder, display: display)
  }

  private func settings(of source: NetworkSource) throws -> TrainingConfiguration {
    var settings = TrainingConfiguration(
      network: source.description.name.isEmpty ? "network" : source.description.name,
      data: TrainingConfiguration.Images(
        source: DataSource(data).absolute.text,
        resolution: resolution ?? DataSource(data).resolution ?? source.description.height
      ),
      recipe: try recipe.map { try Recipe.load(path: $0) } ?? Recipe()
    )
    try settings.apply(keys.overrides(epochs: "recipe.epochs"))
    settings.data.source = DataSource(settings.data.source).absolute.text
    settings.data.cache = Path.fromRoot(settings.data.cache)
    return settings
  }
}

/// What `train` and `evaluate` take.
let networkHelp = ArgumentHelp(
  "A network of the zoo ('supertop models'), a JSON or safetensors file, or a run.",
  valueName: "network"
)

extension NetworkSource {
  /// Fits the network to the images and classes of the data that `load` gives, telling a person how
  /// far that is.
  func fitted(
    to load: ((Double, String) -> Void) throws -> Dataset
  ) throws -> (network: NetworkDescription, data: Dataset) {
    let ticker = Ticker()
    defer { ticker.clear() }
    let data = try load { ticker.show("\($1) (\(Int($0 * 100)) %)") }
    return (try adapted(side: data.width, channels: data.channels, classes: data.classes), data)
  }
}
