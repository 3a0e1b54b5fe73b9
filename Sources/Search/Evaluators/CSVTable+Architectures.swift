import Data
import Runs

extension CSVTable {
  /// The column `arch`: one digit a layer, the index of its candidate; one network for each row.
  ///
  /// - Parameters:
  ///   - name: of the column.
  ///   - sizes: candidates of each layer; nil takes the length of the first row and every digit.
  /// - Returns: the network of each row.
  /// - Throws: `UserError` naming row and column of a wrong length, a wrong digit or a repeated
  ///   architecture.
  package func architectures(_ name: String = "arch", sizes: [Int]? = nil) throws -> [Architecture]
  {
    let column = try column(name)
    let length = sizes?.count ?? rows[0][column].count
    var seen: [Architecture: Int] = [:]
    var result: [Architecture] = []
    for (row, cells) in rows.enumerated() {
      let cell = cells[column]
      guard cell.count == length, length > 0 else {
        throw fault(
          row: row,
          column: column,
          "'\(cell)' has \(Format.counted(cell.count, "digit")) "
            + "for \(Format.counted(length, "layer"))"
        )
      }
      let options = try cell.enumerated().map { layer, character in
        let most = sizes.map { $0[layer] } ?? 10
        guard character.isASCII, let digit = character.wholeNumberValue, digit < most else {
          throw fault(
            row: row,
            column: column,
            "'\(character)' in layer \(layer + 1) of '\(cell)' is no candidate of 0 to \(most - 1)"
          )
        }
        return digit
      }
      let architecture = Architecture(options)
      if let first = seen.updateValue(row, forKey: architecture) {
        throw fault(row: row, column: column, "'\(cell)' is already in row \(first + 1)")
      }
      result.append(architecture)
    }
    return result
  }
}
