import Networks
import Data
import Foundation
import Runs
import Tensor
import TestSupport
import Testing

@testable import Search

struct TableSearchTests {
  private static let needsTables = Comment(rawValue: "needs the shared data: set SUPERTOP_SHARED")

  private static let space = Result {
    try ResultTable(path: (sharedFolder ?? "") + "/data/tables/nasbench_macro.csv.gz")
  }

  /// A table of `count` layers with three candidates: random accuracies, and costs that add up.
  private func small(_ count: Int, without missing: Set<String> = []) throws -> ResultTable {
    var random = Philox(seed: 2, purpose: .test)
    var text = "arch,acc0,acc1,madds,time\n"
    let total = (0..<count).reduce(1) { n, _ in 3 * n }
    for index in 0..<total {
      let digits = (0..<count).map { layer in
        (index / (0..<layer).reduce(1) { n, _ in 3 * n }) % 3
      }
      let name = digits.map(String.init).joined()
      let accuracy = 90 + Double(random.normal())
      let cost = digits.enumerated().reduce(5) { $0 + ($1.offset + 1) * $1.element }
      if missing.contains(name) { continue }
      text += "\(name),\(accuracy),\(accuracy + 0.2),\(cost),\(cost * cost)\n"
    }
    return try ResultTable(CSVTable(text: text, path: "small.csv"))
  }

  private func settings(
    _ algorithm: TableSearch.Algorithm,
    evaluations: Int = 96
  ) -> TableSearch.Settings {
    var settings = TableSearch.Settings()
    settings.algorithm = algorithm
    settings.evaluations = evaluations
    return settings
  }

  // MARK: The mixture

  @Test func `a certain mixture loses what its network does and the gradient is the difference's`()
    throws
  {
    let table = try small(4)
    let loss = TableLoss(table)
    func value(_ mixture: [[Double]]) -> Double { loss(mixture).loss }
    let certain = { (architecture: Architecture) in
      architecture.map { chosen in (0..<3).map { $0 == chosen ? 1.0 : 0 } }
    }
    let ratio = value(certain([0, 1, 2, 0])) / value(certain([2, 2, 1, 0]))
    let a = try #require(table.row(of: [0, 1, 2, 0]))
    let b = try #require(table.row(of: [2, 2, 1, 0]))
    let expected = log(table.accuracies[a] / 100) / log(table.accuracies[b] / 100)
    #expect(abs(ratio - expected) < 1e-12)

    let mixture = [[0.2, 0.5, 0.3], [0.1, 0.1, 0.8], [0.6, 0.3, 0.1], [0.25, 0.5, 0.25]]
    var mean = 0.0
    for architecture in table.architectures {
      let share = zip(mixture, architecture).reduce(1) { $0 * $1.0[$1.1] }
      mean += share * value(certain(architecture))
    }
    let (whole, gradients) = loss(mixture)
    #expect(abs(whole - mean) < 1e-9)
    for layer in 0..<4 {
      for candidate in 0..<3 {
        var moved = mixture
        // Linear in each layer, so any step gives the derivative.
        moved[layer][candidate] += 0.5
        #expect(abs(2 * (value(moved) - whole) - gradients[layer][candidate]) < 1e-9)
      }
    }
  }

  @Test func `the tape gets the mixture's loss and its gradient`() throws {
    let loss = TableLoss(try small(3))
    let engine = Engine(instructionSet: .baseline, threads: 1)
    engine.isRecording = true
    let mixture: [[Float]] = [[0.2, 0.5, 0.3], [0.1, 0.1, 0.8], [0.6, 0.3, 0.1]]
    let leaves = mixture.map { engine.tensor($0, shape: [3], requiresGradient: true) }
    let scalar = loss.crossEntropy(leaves.map { .init(weights: $0) }, on: engine)
    let (expected, gradients) = loss(mixture.map { $0.map(Double.init) })
    #expect(abs(Double(scalar.item) - expected) < 1e-5 * abs(expected))
    engine.backward(from: scalar)
    for (leaf, gradient) in zip(leaves, gradients) {
      let found = try #require(leaf.gradientValues)
      for (a, b) in zip(found, gradient) { #expect(abs(Double(a) - b) < 1e-5 * abs(b)) }
    }
  }

  // MARK: Searches

  @Test(arguments: [TableSearch.Algorithm.dnas, .random, .evolution, .joint])
  func `any search finds the best of a space that it can look up whole`(
    algorithm: TableSearch.Algorithm
  ) throws {
    let table = try small(3)
    let limit = try CostLimit("madds<=12")
    let search = try TableSearch(
      table,
      limit: limit,
      settings: settings(algorithm, evaluations: algorithm == .dnas ? 400 : 27)
    )
    let answer = try search.run(seed: 1)
    #expect(answer.withinLimit && (answer.cost ?? 99) <= 12)
    #expect(answer.evaluations <= search.feasible.count)
    if algorithm != .dnas {
      #expect(answer.regret == 0)
      #expect(answer.evaluations == search.feasible.count && answer.steps == 0)
    }
    let again = try search.run(seed: 1)
    #expect(again.architecture == answer.architecture && again.evaluations == answer.evaluations)
  }

  @Test(
    .enabled(if: sharedFolder != nil, needsTables),
    arguments: [nil, "madds<=40M", "madds<=60M", "madds<=80M"]
  )
  func `the gradient search comes near the best of real networks in every seed`(
    limit: String?
  ) throws {
    var settings = settings(.dnas)
    // Half the usual, for a build without optimisation.
    settings.steps = 10
    let search = try TableSearch(
      TableSearchTests.space.get(),
      limit: try limit.map { try CostLimit($0) },
      settings: settings
    )
    let table = search.table
    let best = ["madds<=60M": "21220200", "madds<=40M": "11110200"]
    if limit != "madds<=80M" {
      let known = limit.flatMap { best[$0] } ?? "22212220"
      // Some networks are the same one twice: skips in a stage commute.
      let row = try #require(table.row(of: Architecture(known.compactMap(\.wholeNumberValue))))
      #expect(table.accuracies[search.best] == table.accuracies[row])
    }
    for seed in 0..<10 {
      let answer = try search.run(seed: UInt64(seed))
      #expect(answer.withinLimit, "seed \(seed)")
      #expect(answer.regret <= 0.3, "seed \(seed)")
      #expect(answer.evaluations <= 96)
    }
  }

  @Test(
    .enabled(if: sharedFolder != nil, needsTables),
    arguments: [
      (TableSearch.Algorithm.random, nil, 48, 0.35), (.random, nil, 96, 0.27),
      (.random, nil, 192, 0.19), (.random, "madds<=60M", 96, 0.24),
      (.random, "madds<=40M", 96, 0.29), (.evolution, nil, 48, 0.19),
      (.evolution, nil, 96, 0.04), (.evolution, nil, 192, 0.004),
      (.evolution, "madds<=60M", 96, 0.12), (.evolution, "madds<=40M", 96, 0.12),
    ]
  )
  func `the baselines miss the best by as much as an independent script's`(
    algorithm: TableSearch.Algorithm,
    limit: String?,
    evaluations: Int,
    expected: Double
  ) throws {
    let search = try TableSearch(
      TableSearchTests.space.get(),
      limit: try limit.map { try CostLimit($0) },
      settings: settings(algorithm, evaluations: evaluations)
    )
    let regrets = try (0..<60).map { try search.run(seed: UInt64($0)).regret }
    let mean = regrets.reduce(0, +) / Double(regrets.count)
    // A mean of 60 scatters by about a tenth.
    #expect(abs(mean - expected) < 0.25 * expected + 0.02, "\(mean)")
  }

  @Test(
    .enabled(if: sharedFolder != nil, needsTables),
    arguments: [nil, "madds<=40M", "madds<=60M"]
  )
  func `the joint search comes as near as a fit of the table's own kind`(limit: String?) throws {
    let search = try TableSearch(
      TableSearchTests.space.get(),
      limit: try limit.map { try CostLimit($0) },
      settings: settings(.joint)
    )
    let answers = try (0..<3).map { try search.run(seed: UInt64($0)) }
    #expect(answers.allSatisfy { $0.withinLimit && $0.evaluations == 96 })
    let mean = answers.reduce(0) { $0 + $1.regret } / 3
    #expect(mean <= 0.05, "\(mean)")
    // Most of it after two rounds of predictions.
    #expect(answers.allSatisfy { search.regret($0, after: 48) <= 0.5 })
  }

  // MARK: Forms of tables

  @Test func `losses are compared in logarithms, and digits may be a recipe's`() throws {
    var random = Philox(seed: 5, purpose: .test)
    var text = "cfg,loss0,loss1,params\n"
    let loss = { (digits: [Int]) in
      exp(0.4 * Double(digits[0]) + 0.2 * Double(digits[1]) - 0.3 * Double(digits[2]))
    }
    for index in 0..<27 {
      let digits = [index / 9, index / 3 % 3, index % 3]
      let noise = 1 + 0.001 * Double(random.uniform())
      text += "\(digits.map(String.init).joined()),\(loss(digits)),\(noise * loss(digits)),"
      text += "\(100 + digits[0])\n"
    }
    let csv = try CSVTable(text: text, path: "losses.csv")
    let table = try ResultTable(csv, recipe: 2...3)
    #expect(table.hasLosses && table.recipe == [1, 2] && table.costNames == ["params"])
    let best = try #require(table.row(of: [0, 0, 2]))
    #expect(table.accuracies[best] == table.accuracies.max())
    #expect(abs(table.accuracies[best] - 0.6) < 2e-3)
    #expect(try ResultTable(csv).recipe.isEmpty)
    for (algorithm, points) in [
      (TableSearch.Algorithm.architecture, 3), (.recipe, 9), (.joint, 27),
    ] {
      let answer = try TableSearch(table, limit: nil, settings: settings(algorithm)).run(seed: 1)
      #expect(answer.evaluations == points)
      #expect(algorithm != .joint || answer.regret == 0)
    }
    let refused = { (algorithm: TableSearch.Algorithm, recipe: ClosedRange<Int>?) in
      #expect(throws: UserError.self) {
        try TableSearch(
          ResultTable(csv, recipe: recipe),
          limit: nil,
          settings: settings(algorithm)
        ).run(seed: 0)
      }?.description
    }
    #expect(refused(.dnas, nil)?.contains("the table has losses") == true)
    #expect(refused(.recipe, nil)?.contains("no recipes; say which digits") == true)
    #expect(refused(.joint, 2...4)?.contains("the table has 3 digits") == true)
  }

  @Test func `columns of choices are networks, and one that was trained twice counts once`() throws
  {
    let text = """
      block0_e,block0_k,block1_e,val_top1,mmacs,time
      6,3,1,70,10,
      1,5,4,60,5,1
      6,3,1,72,10,2
      4,5,1,50,7,3

      """
    let table = try ResultTable(CSVTable(text: text, path: "blocks.csv"))
    #expect(table.architectures == [[2, 0, 0], [0, 1, 1], [1, 1, 0]])
    #expect(table.accuracies == [71, 60, 50] && table.sizes == [3, 2, 2])
    #expect(table.costNames == ["mmacs", "time"])
    #expect(try table.costs("mmacs").values == [10, 5, 7])
    let error = #expect(throws: UserError.self) { try table.costs("time") }
    #expect(error?.place.contains("row 1, column 'time'") == true)
    let answer = try TableSearch(
      table,
      limit: CostLimit("mmacs<=7"),
      settings: settings(.joint)
    ).run(seed: 0)
    #expect(answer.accuracy == 60 && answer.evaluations == 2 && answer.withinLimit)
  }

  // MARK: Bad input

  @Test func `gaps stop the gradient search and nothing else`() throws {
    let table = try small(3, without: ["010", "222"])
    let error = #expect(throws: UserError.self) {
      try TableSearch(table, limit: nil, settings: settings(.dnas))
    }
    #expect(error?.problem.contains("lacks 2 ") == true)
    #expect(error?.problem.contains("first is 010") == true)
    for algorithm in [TableSearch.Algorithm.random, .evolution] {
      let search = try TableSearch(
        table,
        limit: nil,
        settings: settings(algorithm, evaluations: 25)
      )
      #expect(try search.run(seed: 0).regret == 0)
    }
  }

  @Test func `prices of neighbours meet a table's costs, their mean and its gradient`() throws {
    var random = Philox(seed: 12, purpose: .test)
    let pairs = (0..<3).map { _ in (0..<9).map { _ in random.below(100) } }
    var text = "arch,acc0,cost\n"
    for index in 0..<81 {
      let digits = [index / 27, index / 9 % 3, index / 3 % 3, index % 3]
      let cost = (0..<3).reduce(7) { $0 + pairs[$1][3 * digits[$1] + digits[$1 + 1]] }
      text += "\(digits.map(String.init).joined()),50,\(cost)\n"
    }
    let table = try ResultTable(CSVTable(text: text, path: "pairs.csv"))
    let costs = try table.costs("cost")
    let model = try table.costModel(costs)
    #expect(model is NeighbourCost)
    #expect(zip(table.architectures, costs.values).allSatisfy { model.cost($0) == $1 })
    #expect(model.range == (costs.values.min() ?? 0)...(costs.values.max() ?? 0))
    let shares = (0..<4).map { _ in
      softmax((0..<3).map { _ in Double(random.normal()) })
    }
    let mean = zip(table.architectures, costs.values).reduce(0) { total, row in
      total + zip(shares, row.0).reduce(row.1) { $0 * $1.0[$1.1] }
    }
    #expect(abs(model.expected(shares) - mean) < 1e-9 * mean)
    let gradient = model.gradient(shares)
    for (layer, option) in (0..<12).map({ ($0 / 3, $0 % 3) }) {
      var moved = shares
      // Linear in each layer, so any step gives the derivative.
      moved[layer][option] += 0.5
      #expect(abs(2 * (model.expected(moved) - mean) - gradient[layer][option]) < 1e-6)
    }
    for limit in [20.0, 60, 120] {
      let scores = shares.map { $0.map { 5 * $0 } }
      let best = table.architectures.indices.filter { costs.values[$0] <= limit }
        .map { row in zip(scores, table.architectures[row]).reduce(0) { $0 + $1.0[$1.1] } }.max()
      let found = model.mostProbable(scores, within: CostLimit.within(limit))
      #expect(found.map { zip(scores, $0).reduce(0) { $0 + $1.0[$1.1] } } == best)
    }
  }

  @Test func `a cost that is no sum, a limit below all and unknown columns are named`() throws {
    let table = try small(3)
    func problem(
      _ limit: String,
      _ algorithm: TableSearch.Algorithm = .dnas
    ) -> String? {
      do {
        _ = try TableSearch(table, limit: CostLimit(limit), settings: settings(algorithm))
        return nil
      } catch {
        return "\(error)"
      }
    }
    #expect(problem("madds<=12") == nil)
    #expect(problem("time<=200")?.contains("column 'time': not a sum") == true)
    #expect(problem("time<=200", .random) == nil)
    let low = problem("madds<=4.5")
    #expect(
      low?.contains("no network is so cheap") == true && low?.contains("5.0 and 17.0") == true
    )
    #expect(problem("watts<=3")?.contains("no column 'watts'") == true)
    for text in ["madds", "madds<60M", "<=60M", "madds<=", "madds<=-1", "madds<=6X", "a<=1<=2"] {
      #expect(throws: UserError.self) { try CostLimit(text) }
    }
    #expect(try CostLimit("madds <= 1.5g").most == 1.5e9)
    #expect(try CostLimit("params<=300K").most == 3e5)
  }

  @Test(
    arguments: [
      ("arch,acc0\n01,90\n0,80\n", "row 2, column 'arch'"),
      ("arch,acc0\n01,90\n0x,80\n", "row 2, column 'arch'"),
      ("arch,acc0\n01,90\n01,80\n", "row 2, column 'arch'"),
      ("arch,acc0\n01,90\n00,nan\n", "row 2, column 'acc0'"),
      ("arch,acc0,acc1\n01,90,120\n", "row 1, column 'acc1'"),
      ("arch,score\n01,90\n", "no column of accuracies"),
      ("network,acc\n01,90\n", "no column 'arch'"),
      ("cfg,acc0\n01,90\n", "no column of losses"),
      ("cfg,loss0\n01,0\n", "row 1, column 'loss0'"),
      ("e,val_top1\n1,90\n", "no column of choices"),
      ("block0_e,val_top1\nx,90\n", "row 1, column 'block0_e'"),
      ("block0_e,val_top1\n1,900\n", "row 1, column 'val_top1'"),
    ]
  )
  func `a cell that is wrong is named`(text: String, part: String) throws {
    let error = #expect(throws: UserError.self) {
      try ResultTable(CSVTable(text: text, path: "bad.csv"))
    }
    #expect(error?.description.contains(part) == true, "\(error?.description ?? "")")
  }
}
