import Runs

/// Rows of text in columns.
enum TextTable {
  /// Columns of equal width, those in `left` flush left, two spaces between them.
  ///
  /// If a line is longer than `width`, whole columns go, in the order of `dropping`, until it is
  /// not or all of those are gone.
  static func aligned(
    _ rows: [[String]],
    left: Set<Int>,
    width: Int? = nil,
    dropping: [Int] = []
  ) -> String {
    // A cell is a cell, whatever a name in it holds.
    let rows = rows.map { $0.map { $0.printable() } }
    let widths = rows[0].indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
    var columns = Array(rows[0].indices)
    for column in dropping {
      guard let width, columns.reduce(-2, { $0 + widths[$1] + 2 }) > width else { break }
      columns.removeAll { $0 == column }
    }
    return rows.map { row in
      let line = columns.map { column in
        let space = String(repeating: " ", count: widths[column] - row[column].count)
        return left.contains(column) ? row[column] + space : space + row[column]
      }.joined(separator: "  ")
      return String(line.reversed().drop { $0 == " " }.reversed()) + "\n"
    }.joined()
  }
}
