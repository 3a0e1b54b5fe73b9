import Runs
import Search

extension DeriveCommand {
  /// Where selection by perturbation and by probability disagree, a layer a row.
  func show(_ selection: Selected) {
    var rows = [
      ["layer", "most probable", "P", "loss without", "by perturbation", "loss without", ""]
    ]
    for layer in selection.layers {
      rows.append([
        layer.layer, layer.probable, Format.spacedPercent(layer.probability),
        Format.signedFixed(layer.probableLossIncrease, 4), layer.selected,
        Format.signedFixed(layer.lossIncrease, 4), layer.differs ? "differs" : "",
      ])
    }
    let differing = selection.layers.count { $0.differs }
    Output().text(TextTable.aligned(rows, left: [0, 1, 4, 6]))
    Output().line(
      "\(differing) of \(Format.counted(selection.layers.count, "layer")) "
        + (differing == 1 ? "differs" : "differ") + "; the supernet was evaluated "
        + Format.counted(selection.evaluations, "time") + ", on images of θ"
    )
  }
}
