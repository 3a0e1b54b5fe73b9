import Networks
import Runs

/// A latency table as rows and columns: layers (or shapes) by candidates.
package struct LatencyGrid: Sendable, Equatable {
  /// Names of the candidates, the columns.
  package var candidates: [String]
  /// The rows, in the order of the layers.
  package var rows: [Row]
  /// What all networks share, milliseconds; of a space of widths, what stem and rest take at their
  /// widest.
  package var fixed: Double
  /// What the fastest and the slowest network take, milliseconds.
  package var range: ClosedRange<Double>
  /// The diagnostics.
  package var findings: [LatencyDiagnostics.Finding]

  /// One layer, or one shape where the layers are not known.
  package struct Row: Sendable, Equatable {
    /// `layer 3`; empty for a shape.
    package var name: String
    /// `16x16 24→32 s2`.
    package var detail: String
    /// Milliseconds of each candidate; nil where the table has none.
    package var milliseconds: [Double?]
    /// Relative spreads; nil where not known.
    package var spread: [Double?]
  }

  /// A grid of known parts.
  init(
    candidates: [String],
    rows: [Row],
    fixed: Double,
    range: ClosedRange<Double>,
    findings: [LatencyDiagnostics.Finding]
  ) {
    self.candidates = candidates
    self.rows = rows
    self.fixed = fixed
    self.range = range
    self.findings = findings
  }

  /// A grid of rows whose sum is a network; of the diagnostics rows with gaps are left out.
  private init(candidates: [String], rows: [Row], fixed: Double) {
    let known = rows.map { $0.milliseconds.compactMap { $0 } }
    let least = known.reduce(fixed) { $0 + ($1.min() ?? 0) }
    self.init(
      candidates: candidates,
      rows: rows,
      fixed: fixed,
      range: least...known.reduce(fixed) { $0 + ($1.max() ?? 0) },
      findings: Self.findings(candidates, rows, fixed)
    )
  }

  /// The prices of a space.
  ///
  /// Errors: see `LatencyTable.prices`.
  package init(_ table: LatencyTable, for space: LayerwiseSpace, place: String) throws {
    let prices = try table.prices(for: space, place: place)
    let spread = try table.spread(for: space, place: place)
    self.init(
      candidates: space.layers.first?.map(\.name) ?? [],
      rows: space.choices.enumerated().map { index, choice in
        Row(
          name: choice.name,
          detail: choice.detail,
          milliseconds: prices.layers[index],
          spread: spread?[index] ?? prices.layers[index].map { _ in nil }
        )
      },
      fixed: prices.fixed
    )
  }

  /// The cells of a table whose space is not known, a row for each layer or shape.
  package init(_ table: LatencyTable) {
    let cells = table.entries.filter { !$0.isFixed }
    var candidates: [String] = []
    var names: [(name: String, detail: String)] = []
    func place(_ entry: LatencyTable.Entry) -> (name: String, detail: String) {
      (
        entry.layer.map { "layer \($0)" } ?? "",
        LatencyTable.shape(entry.input, entry.output, entry.stride)
      )
    }
    for entry in cells {
      if !candidates.contains(entry.candidate) { candidates.append(entry.candidate) }
      let place = place(entry)
      if !names.contains(where: { $0 == place }) { names.append(place) }
    }
    let rows = names.map { name in
      let found = candidates.map { candidate in
        cells.first { $0.candidate == candidate && place($0) == name }
      }
      return Row(
        name: name.name,
        detail: name.detail,
        milliseconds: zip(candidates, found).map { candidate, cell in
          cell?.milliseconds ?? LatencyGrid.identity(candidate, name.detail)
        },
        spread: found.map { $0?.spread }
      )
    }
    // A space of widths has several stems and rests, of which a network takes one.
    let ends = Dictionary(grouping: table.entries.filter(\.isFixed), by: \.candidate)
    self.init(
      candidates: candidates,
      rows: rows,
      fixed: ends.values.reduce(0) { $0 + ($1.map(\.milliseconds).max() ?? 0) }
    )
  }

  /// An identity has no cell of its own and costs nothing.
  private static func identity(_ candidate: String, _ shape: String) -> Double? {
    let isSkip = Configuration.Space.Candidate(named: candidate)?.isSkip ?? false
    return isSkip && !shape.contains("→") && !shape.contains(" s") ? 0 : nil
  }

  private static func findings(
    _ candidates: [String],
    _ rows: [Row],
    _ fixed: Double
  ) -> [LatencyDiagnostics.Finding] {
    let whole = rows.filter { !$0.milliseconds.contains(nil) }
    let options = candidates.map { Choice.Option(name: $0) }
    return LatencyDiagnostics.findings(
      prices: AdditiveCost(
        layers: whole.map { $0.milliseconds.map { $0 ?? 0 } },
        fixed: fixed
      ),
      choices: whole.map {
        Choice(
          name: $0.name.isEmpty ? $0.detail : $0.name,
          detail: $0.name.isEmpty ? "" : $0.detail,
          options: options
        )
      },
      spread: rows.contains { $0.spread.contains { $0 != nil } }
        ? whole.map { $0.spread.map { $0 ?? 0 } } : nil
    )
  }
}
