/// What a person has chosen in the dashboard of a run, kept while another run is looked at.
struct RunView: Sendable {
  private let screen: Model.Screen
  private let selection: Int
  private let hasChosen: Bool
  private let ranksCandidates: Bool
  private let folded: Set<String>
  private let tab: Int
  private let zoom: Panel?
  private let charts: ChartView
  private let film: FilmShade
  private let themeIndex: Int
  private let resultWasShown: Bool

  init(_ model: Model) {
    screen = model.screen
    selection = model.selection
    hasChosen = model.hasChosen
    ranksCandidates = model.ranksCandidates
    folded = model.folded
    tab = model.tab
    zoom = model.zoom
    charts = model.charts
    film = model.film
    themeIndex = model.look.themeIndex
    resultWasShown = model.resultWasShown
  }

  /// A dashboard as this one was left; the data comes from the run again.
  func restore(_ model: inout Model) {
    model.screen = screen
    model.selection = selection
    model.hasChosen = hasChosen
    model.ranksCandidates = ranksCandidates
    model.folded = folded
    model.tab = tab
    model.zoom = zoom
    model.charts = charts
    model.film = film
    model.look.themeIndex = themeIndex
    model.resultWasShown = resultWasShown
  }
}
