import Runs

/// What the screen of a joint search derives from its candidates.
extension Model {
  /// Places of the candidates in `trials`, in the order of the list: by accuracy, those that are
  /// being trained first and those that wait last; or by number.
  var candidates: [Int] {
    guard ranksCandidates else { return Array(trials.indices) }
    func rank(_ trial: TrialRecord) -> (Int, Double) {
      switch trial.state {
      case .running: (0, 0)
      case .finished: (1, -(trial.accuracies.last ?? 0))
      case .waiting: (2, 0)
      case .stopped, .failed: (3, 0)
      }
    }
    return trials.indices.sorted {
      let (a, b) = (rank(trials[$0]), rank(trials[$1]))
      return (a.0, a.1, $0) < (b.0, b.1, $1)
    }
  }

  /// The chosen candidate; nil before there are any.
  var candidate: TrialRecord? { trials.indices.contains(selection) ? trials[selection] : nil }

  /// Epochs that decide between candidates.
  var decidingEpochs: Int { joint?.stopEpoch ?? summary?.epochs ?? 1 }

  /// What a candidate came to in the epoch that decides, 0…1; nil before that.
  func value(of trial: TrialRecord) -> Double? {
    trial.state == .finished ? trial.accuracy(after: decidingEpochs) : nil
  }

  /// The one that the search has chosen, else the best of the list; nil before the first.
  var bestCandidate: TrialRecord? {
    if case .joint(let result) = result {
      return trials.first { $0.number == result.candidate }
    }
    return trials.filter { $0.state == .finished }
      .max { ($0.accuracies.last ?? 0) < ($1.accuracies.last ?? 0) }
  }

  /// `best 98.3%`, or `chosen 97.2%` once the search has ended: a limit may have excluded better
  /// ones; nil before the first.
  var bestText: String? {
    bestCandidate?.accuracies.last.map {
      "\(result == nil ? "best" : "chosen") \(Format.percent($0))"
    }
  }

  /// Best value so far against the number of trainings.
  var bestSoFar: [Double] {
    var best = 0.0
    return trials.filter { $0.state == .finished }.map { trial in
      best = max(best, trial.accuracies.last ?? 0)
      return best
    }
  }

  /// Mean accuracy of the first round, sampled without regard to any result.
  var blindAccuracy: Double? {
    let values = trials.filter { $0.round == 0 && $0.state == .finished }
      .compactMap(\.accuracies.last)
    return values.isEmpty ? nil : values.reduce(0, +) / Double(values.count)
  }

  /// Choices that belong to the recipe, as places in `choices`.
  var recipeAxes: [Int] { choices.indices.filter { choices[$0].kind == .recipe } }

  /// Moves the selection along the list of candidates.
  mutating func moveCandidate(by steps: Int) {
    let order = candidates
    guard !order.isEmpty else { return }
    let place = order.firstIndex(of: selection) ?? 0
    selection = order[min(order.count - 1, max(0, place + steps))]
    hasChosen = true
    draft = nil
  }

  /// The options that the inspector shows: the candidate's, with what the person has changed.
  var drafted: [Int] { draft ?? candidate?.options ?? [] }

  /// Takes the next or the previous option of the chosen choice into the draft.
  mutating func changeOption(by steps: Int) {
    var options = drafted
    guard options.indices.contains(draftRow), choices.indices.contains(draftRow) else { return }
    let count = choices[draftRow].options.count
    options[draftRow] = min(count - 1, max(0, options[draftRow] + steps))
    draft = options == candidate?.options ? nil : options
  }
}
