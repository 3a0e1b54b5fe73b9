import ArgumentParser
import Foundation
import Runs
import Tensor

/// The command line; without a subcommand it searches on the built-in digits at once.
@main
struct Supertop: ParsableCommand {
  static let version = "0.1.0"

  static let configuration = CommandConfiguration(
    commandName: "supertop",
    abstract: "Watch and steer a search for small, fast neural networks in your terminal.",
    discussion: """
      Without arguments a search on the built-in images of handwritten digits starts at once: with \
      a dashboard on a terminal, with progress lines elsewhere.

      A run is a folder. What 'search' or 'train' started, 'resume' continues after any stop, \
      and 'watch' shows and steers from another terminal.

      Exit codes are those of sysexits.h: 64 wrong command line, 65 bad data, 66 no such input, 73 \
      output cannot be created, 74 reading or writing failed, 75 the run is in use, 78 wrong \
      configuration. A search ended by a signal keeps a checkpoint and exits with 128 + the \
      signal's number (130 for Ctrl-C).
      """,
    version: "supertop \(version)",
    subcommands: [
      SearchCommand.self, TrainCommand.self, EvaluateCommand.self, ResumeCommand.self,
      WatchCommand.self, RunsCommand.self, ShowCommand.self, FrameCommand.self, ControlCommand.self,
      BranchCommand.self, ReplayCommand.self, DeriveCommand.self,
      CompareCommand.self, ReportCommand.self, ProveCommand.self, PredictorCommand.self,
      ThemesCommand.self, ConfigCommand.self, DataCommand.self, ModelsCommand.self,
      ImportCommand.self, ExportCommand.self, FiguresCommand.self, LatencyCommand.self,
      FarmCommand.self, BenchCommand.self,
    ],
    defaultSubcommand: SearchCommand.self
  )

  /// Parses and runs; whatever goes wrong becomes one line on standard error and an exit code.
  static func main() {
    Signals.protectOutput()
    do {
      try InstructionSet.checkVariable()
      try RankProcess.begin()
      try checkArguments()
      var command = try parseAsRoot()
      try checkSurroundings()
      try command.run()
      try Output.check()
    } catch let error as UserError {
      leave(error.code.rawValue, saying: error.description)
    } catch let code as ExitCode {
      Foundation.exit(code.rawValue)
    } catch {
      let code = exitCode(for: error)
      if code.isSuccess {
        // Help and version arrive as errors too.
        Output().text(fullMessage(for: error) + "\n")
        Foundation.exit(0)
      }
      leave(
        code == .failure ? UserError.Code.software.rawValue : code.rawValue,
        saying: oneLine(legibleMessage(for: error))
      )
    }
  }

  /// The parser's message, in which a control character of an argument is shown as in every other
  /// error.
  ///
  /// The parser breaks its messages into lines, so an argument's own line feed has to go before.
  private static func legibleMessage(for error: any Error) -> String {
    let arguments = CommandLine.arguments.dropFirst()
    let shown = arguments.map { $0.printable() }
    guard shown != Array(arguments) else { return message(for: error) }
    do {
      _ = try parseAsRoot(shown)
      return message(for: error)
    } catch {
      return message(for: error)
    }
  }

  private static func leave(_ code: Int32, saying text: String) -> Never {
    Output(descriptor: STDERR_FILENO).line("supertop: " + text)
    Foundation.exit(code)
  }

  /// `text` with its line breaks made into spaces.
  static func oneLine(_ text: String) -> String {
    text.split(whereSeparator: \.isNewline).map { $0.trimmingCharacters(in: .whitespaces) }
      .filter { !$0.isEmpty }.joined(separator: " ")
  }
}
