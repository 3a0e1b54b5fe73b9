import Foundation
import Ranks
import Runs

/// How the ranks come to train the same run.
///
/// The lead has it; the others get a copy of what training needs in a folder of their own, so that
/// the run's need not be shared, and do as the lead does.
extension Ranks {
  /// A copy of a run, for a rank other than the lead.
  package final class Copy {
    /// Its folder, removed with this object.
    package let folder: RunFolder

    fileprivate init(_ folder: RunFolder) { self.folder = folder }

    deinit { removeAll(folder.path) }
  }

  /// Gives the other ranks what they need to train a run from `step` on.
  func share(_ folder: RunFolder, _ store: RunStore, step: Int) throws {
    let files = try folder.files(from: step)
    let records = try store.copy()
    _ = broadcast(Data(folder.absolutePath.utf8), patiently: true)
    names(folder.absolutePath)
    _ = broadcast(records, patiently: true)
    _ = broadcast(Data("\(files.count)".utf8), patiently: true)
    for (name, bytes) in files {
      _ = broadcast(Data(name.utf8), patiently: true)
      _ = broadcast(bytes, patiently: true)
    }
  }

  /// Waits for the lead to share a run; nil when it ends instead.
  ///
  /// - Throws: `UserError` where the copy cannot be written.
  package func nextRun() throws -> Copy? {
    func text() -> String { String(decoding: broadcast(nil, patiently: true), as: UTF8.self) }
    // All of it is here before anything can fail.
    let path = text()
    guard !path.isEmpty else { return nil }
    names(path)
    let store = broadcast(nil, patiently: true)
    let files = (0..<(Int(text()) ?? 0)).map { _ in
      (name: text(), bytes: broadcast(nil, patiently: true))
    }
    return Copy(
      try RunFolder.copy(
        at: NSTemporaryDirectory() + "supertop-rank-\(UUID().uuidString)",
        store: store,
        files: files
      )
    )
  }

  /// What a rank says before the first step.
  private enum Report: Codable {
    case ready(DataFingerprint)
    case failed(code: Int32, place: String, problem: String, remedy: String)
  }

  /// Compares the data of all ranks.
  ///
  /// - Throws: `UserError` on every rank, for the first whose data differs or that cannot begin.
  func agree(on data: DataFingerprint) throws { try agree(.ready(data)) }

  /// Tells the others that this rank cannot begin, and why.
  ///
  /// - Throws: what the first such rank says.
  package func agree(failing error: UserError) throws {
    try agree(
      .failed(
        code: error.code.rawValue,
        place: error.place,
        problem: error.problem,
        remedy: error.remedy
      )
    )
  }

  private func agree(_ own: Report) throws {
    let host = Machine.name
    let report = String(decoding: try JSONEncoder().encode(own), as: UTF8.self)
    let texts = texts(report, patiently: true)
    let hosts = self.texts(host)
    let reports = try texts.map { try JSONDecoder().decode(Report.self, from: Data($0.utf8)) }
    for (rank, report) in reports.enumerated() {
      let place = "rank \(rank) on \(hosts[rank])"
      switch report {
      case .failed(let code, let fault, let problem, let remedy):
        throw UserError(
          UserError.Code(rawValue: code) ?? .software,
          rank == 0 ? fault : "\(place): \(fault)",
          problem,
          remedy: remedy
        )
      case .ready(let data):
        guard case .ready(let lead) = reports[0] else { continue }
        let changes = data.changes(since: lead)
        guard changes.isEmpty else {
          throw UserError(
            .data,
            place,
            "its data is not that of rank 0: \(changes.joined(separator: ", "))",
            remedy: "give every host the same data"
          )
        }
      }
    }
  }
}
