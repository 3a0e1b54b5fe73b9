import Runs
import Tensor

extension InstructionSet {
  /// The set called `name`, which a user gave at `place`.
  ///
  /// Errors: `.usage` where there is none of that name, `.unavailable` where this machine cannot
  /// run it; both name the sets that it can.
  static func checked(_ name: String, at place: String) throws -> InstructionSet {
    let names = allCases.filter(available.contains).map(\.rawValue).joined(separator: ", ")
    guard let set = InstructionSet(rawValue: name) else {
      throw UserError(
        .usage,
        place,
        "no such instruction set",
        remedy: "this machine has \(names)"
      )
    }
    guard available.contains(set) else {
      throw UserError(.unavailable, place, "this machine cannot run it", remedy: "it has \(names)")
    }
    return set
  }

  /// Refuses a value of the environment variable that names no set of this machine.
  static func checkVariable() throws {
    guard let named else { return }
    _ = try checked(named, at: "\(variable)=\(named)")
  }
}
