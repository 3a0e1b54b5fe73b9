import ArgumentParser
import Foundation
import Ranks
import Runs
import Search
import Tensor
import Training

/// This program as one of several that a launcher such as `mpirun` started (spec S103).
enum RankProcess {
  /// Seconds in which the lead can say first what has failed.
  private static let courtesy = 2.0

  /// Joins the others where there are any; returns on the lead, and where there is no launcher.
  ///
  /// Throws what is wrong with the MPI library, or which rank differs.
  static func begin() throws {
    let joined: Ranks?
    do {
      joined = try Ranks.join(identity: [
        ("version", Supertop.version), ("instruction set", InstructionSet.chosen.rawValue),
      ])
    } catch {
      guard Ranks.isLaunchedAsFollower else { throw error }
      Thread.sleep(forTimeInterval: courtesy)
      throw ExitCode(UserError(wrapping: error).code.rawValue)
    }
    guard let ranks = joined, !ranks.isLead else { return }
    // The lead hears them too, and all stop at the same step.
    for number in [SIGINT, SIGTERM, SIGHUP] { signal(number, SIG_IGN) }
    while try follow(ranks) {}
    exit(0)
  }

  /// Trains the next run that the lead shares; false where the lead ends instead.
  private static func follow(_ ranks: Ranks) throws -> Bool {
    do {
      guard let copy = try ranks.nextRun() else { return false }
      let trainer = try Trainer(folder: copy.folder, acceptsChangedData: true, ranks: ranks)
      trainer.start()
      var outcome: Trainer.Outcome?
      while outcome == nil { outcome = trainer.wait(seconds: 1) }
      if case .failed(let error)? = outcome, ranks.isTraining {
        Thread.sleep(forTimeInterval: courtesy)
        ranks.leave(error.description)
      }
    } catch {
      // All of them say so, the lead in words.
      try? ranks.agree(failing: UserError(wrapping: error))
    }
    return true
  }
}
