import Foundation
import Runs

/// Folders that the figures of runs go to; each run has a folder of its name in them.
package struct FigurePlaces: Sendable {
  /// For event files.
  package var tensorBoard: String?
  /// An MLflow file store, which names its folders itself.
  package var mlflow: String?
  /// For tables.
  package var csv: String?
  /// For tables.
  package var jsonl: String?

  package init() {}
}

/// The figures of one run, read from its store and written for other programs.
package final class FigureExport {
  /// Name of the run, which its folders get.
  private let name: String
  private let places: FigurePlaces
  private let figures: RunFigures
  private let events: EventFile?
  private var mlflow: MLflowRun?

  /// Opens the run and makes its event file; errors of both.
  package init(_ folder: RunFolder, to places: FigurePlaces) throws {
    self.places = places
    let name = Path.name(folder.absolutePath)
    self.name = name
    figures = try RunFigures(folder)
    for place in [places.tensorBoard, places.mlflow, places.csv, places.jsonl] {
      if let place { try makeOutputFolder(place) }
    }
    events = try places.tensorBoard.map {
      try EventFile(folder: "\($0)/\(name)", of: folder)
    }
    mlflow = places.mlflow == nil ? nil : MLflowRun()
  }

  /// Takes what is new in the store, and adds it to the event file.
  package func update() throws {
    guard events != nil || mlflow != nil else { return }
    var news: RunFigures.News
    repeat {
      news = try figures.next()
      try events?.add(news)
      mlflow?.add(news)
    } while news.hasMore
  }

  /// Whether a trainer may still add to the run.
  package var isLive: Bool { figures.folder.trainer() != nil }

  /// Writes the files that are written whole.
  package func finish() throws {
    if let place = places.mlflow { try mlflow?.write(to: place, figures) }
    for (place, format) in [(places.csv, FigureTable.Format.csv), (places.jsonl, .jsonl)] {
      guard let place else { continue }
      let folder = "\(place)/\(name)"
      try makeOutputFolder(folder)
      var session: Int
      repeat {
        // A run that is resumed meanwhile takes steps back.
        session = try figures.reader.session()
        for table in try FigureTables(figures.reader).all {
          try table.write(to: folder, as: format)
        }
      } while try figures.reader.session() != session
    }
  }
}
