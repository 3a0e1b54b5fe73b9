import Data
import Ranks
import Runs
import Training

extension Trainer {
  /// A trainer of searches and of single networks, which `ranks` train together.
  ///
  /// `work` is this process's part in a joint search; `waits` as of `RunFolder.lock`.
  package convenience init(
    folder: RunFolder,
    acceptsChangedData: Bool = false,
    ranks: Ranks? = nil,
    waits: Bool = true,
    work: JointWork = JointWork()
  ) throws {
    try self.init(
      folder: folder,
      acceptsChangedData: acceptsChangedData,
      ranks: ranks,
      waits: waits
    ) { settings, preparation in
      switch settings {
      case .search(let settings): try preparation.session(SearchTask(settings, preparation))
      case .joint(let settings): try JointSession(settings, preparation, work: work)
      case .training(let settings): try preparation.session(NetworkTask(settings, preparation))
      }
    }
  }
}

extension SearchTask {
  /// Builds a search; where its cost is a latency that nobody has measured, that is measured first.
  convenience init(_ settings: Configuration, _ preparation: Trainer.Preparation) throws {
    let latency = try SearchLatency(
      settings: settings,
      folder: preparation.folder,
      data: preparation.data
    ).prices { try preparation.report($0.line, $0.share) }
    if let warning = latency?.warning { try preparation.log(.warning, warning) }
    try self.init(
      settings,
      data: preparation.data,
      latency: latency?.cost,
      ranks: preparation.ranks
    )
    guard preparation.isNew else { return }
    if let start = try preparation.folder.start() {
      try supernet.start(from: start, classNames: data.classNames)
      try preparation.log(.info, "the weights begin as those of the network to be slimmed")
    }
    for (level, text) in try findings(latency: latency?.findings) {
      try preparation.log(level, text)
    }
    if let forecast = algorithm.forecast, !forecast.settles {
      try preparation.log(.notice, "this search will hardly settle: \(forecast.text)")
    }
  }
}
