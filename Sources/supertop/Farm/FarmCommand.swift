import ArgumentParser
import Runs
import Tensor

/// `supertop farm`: the trainings of a run, spread over machines by a scheduler (spec S103).
struct FarmCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "farm",
    abstract: "Train the networks of a run on many machines, by a scheduler.",
    discussion: """
      The candidates of a joint search, and the networks that derive trains, are trials: each is a \
      run of its own, which any process may train that sees the folder. 'farm work' is what a \
      scheduler starts; a worker that dies is replaced by any other one.

        supertop search --preset fbnet-v3-cifar --data photos --run runs/v3 --prepare
        supertop farm init runs/v3
        supertop farm script runs/v3 --engine slurm > job.sh && sbatch job.sh
        supertop farm status runs/v3
        supertop farm collect runs/v3
      """,
    subcommands: [
      FarmInitCommand.self, FarmWorkCommand.self, FarmStatusCommand.self, FarmMissingCommand.self,
      FarmCollectCommand.self, FarmScriptCommand.self,
    ]
  )
}

/// The run that the subcommands of `farm` are about.
struct FarmPlace: ParsableArguments {
  @Argument(
    help: ArgumentHelp("Folder of the search.", valueName: "run"),
    completion: .directory
  )
  var path: String

  /// The run's farm.
  ///
  /// Errors: `.noInput` for no such folder, `.usage` for a run that is not prepared.
  func farm() throws -> Farm {
    guard pathExists(path) else {
      throw UserError(
        .noInput,
        path,
        "no such folder on \(Machine.name)",
        remedy: "name a run on a file system that all machines share"
      )
    }
    return try Farm(RunFolder.open(path: path))
  }
}

extension Sharing {
  /// What this program and processor are.
  static func own(patience: Double) -> Sharing {
    Sharing(
      patience: patience,
      version: Supertop.version,
      instructionSet: InstructionSet.chosen.rawValue
    )
  }

  /// Refuses a machine that would train to other bits; errors: `.unavailable`.
  func check(_ path: String) throws {
    let own = Sharing.own(patience: patience)
    guard own.version == version else {
      throw UserError(
        .unavailable,
        path,
        "is of supertop \(version), and \(Machine.name) has \(own.version)",
        remedy: "install one version everywhere, or prepare the run again with supertop farm init"
      )
    }
    guard own.instructionSet == instructionSet else {
      throw UserError(
        .unavailable,
        path,
        "is trained with \(instructionSet), and \(Machine.name) uses \(own.instructionSet)",
        remedy: "set SUPERTOP_ISA to one that all machines have, and prepare the run again with "
          + "supertop farm init"
      )
    }
  }
}
