import Foundation
import Runs

/// The tables of a run's store, for programs that read CSV or JSON Lines.
struct FigureTables {
  let reader: RunReader
  let choices: [Choice]

  init(_ reader: RunReader) throws {
    self.reader = reader
    choices = try reader.choices()
  }

  /// All tables; those that a kind of run does not fill are empty.
  var all: [FigureTable] {
    [
      steps, epochs, rankings, thetas, expectedCosts, choiceTable, options, derived, derivedBlocks,
      interventions, log, sessions, status, classes, result,
    ] + joint
  }

  /// Reads a large table page by page; `read` gives so many records after a step.
  private static func eachPage<Row>(
    of size: Int,
    step: (Row) -> Int,
    _ read: (_ after: Int, _ limit: Int) throws -> [Row],
    _ take: ([Row]) throws -> Void
  ) throws {
    var last = -1
    while true {
      let page = try read(last, size)
      try take(page)
      guard page.count == size, let end = page.last else { return }
      last = step(end)
    }
  }

  private var steps: FigureTable {
    FigureTable(
      "steps",
      of: StepRecord.self,
      [
        "step": { $0.step }, "epoch": { $0.epoch }, "phase": { $0.phase.rawValue },
        "loss": { $0.loss }, "cross_entropy": { $0.crossEntropy },
        "accuracy": { $0.accuracy }, "cost": { $0.cost }, "temperature": { $0.temperature },
        "learning_rate": { $0.learningRate }, "seconds": { $0.seconds },
        "images": { $0.images }, "multiplier": { $0.multiplier },
      ]
    ) { take in
      try Self.eachPage(of: 1000, step: \.step, reader.steps) { try $0.forEach(take) }
    }
  }

  private var epochs: FigureTable {
    FigureTable(
      "epochs",
      of: EpochRecord.self,
      [
        "epoch": { $0.epoch }, "step": { $0.step }, "train_loss": { $0.trainLoss },
        "train_accuracy": { $0.trainAccuracy }, "validation_loss": { $0.validationLoss },
        "validation_accuracy": { $0.validationAccuracy },
        "argmax_accuracy": { $0.argmaxAccuracy }, "expected_cost": { $0.expectedCost },
        "argmax_flops": { $0.argmaxFlops }, "argmax_params": { $0.argmaxParams },
        "temperature": { $0.temperature }, "seconds": { $0.seconds },
        "top_five": { $0.topFive }, "argmax_latency": { $0.argmaxLatency },
        "settled": { $0.settled }, "mean_entropy_bits": { $0.meanEntropyBits },
      ],
      from: try reader.epochs()
    )
  }

  private var rankings: FigureTable {
    FigureTable(
      "rankings",
      of: (epoch: Int, index: Int, ranking: Ranking).self,
      [
        "epoch": { $0.epoch }, "network": { $0.index }, "cost": { $0.ranking.costs[$0.index] },
        "accuracy": { $0.ranking.accuracies.at($0.index) },
        "loss": { $0.ranking.losses.at($0.index) },
      ],
      from: try reader.epochs().flatMap { epoch in
        epoch.ranking.map { ranking in
          ranking.costs.indices.map { (epoch: epoch.epoch, index: $0, ranking: ranking) }
        } ?? []
      }
    )
  }

  // MARK: θ

  /// Calls `take` with each record of θ.
  private func eachTheta(_ take: (ThetaRecord) throws -> Void) throws {
    try Self.eachPage(of: 100, step: \.step, reader.thetas) { try $0.forEach(take) }
  }

  private var thetas: FigureTable {
    struct Row {
      var record: ThetaRecord
      var probabilities: [[Double]]
      var choice: Int
      var option: Int
    }
    return FigureTable(
      "thetas",
      of: Row.self,
      [
        "step": { $0.record.step }, "epoch": { $0.record.epoch },
        "choice": { choices[$0.choice].id },
        "option": { choices[$0.choice].options[$0.option].name },
        "logit": { $0.record.logits[$0.choice][$0.option] },
        "probability": { $0.probabilities[$0.choice][$0.option] },
        "accuracy_pull": { $0.record.accuracyPull[$0.choice][$0.option] },
        "cost_pull": { $0.record.costPull[$0.choice][$0.option] },
      ]
    ) { take in
      try eachTheta { record in
        let probabilities = record.probabilities
        for (index, choice) in choices.enumerated().prefix(record.logits.count) {
          for option in choice.options.indices.prefix(record.logits[index].count) {
            try take(
              Row(record: record, probabilities: probabilities, choice: index, option: option)
            )
          }
        }
      }
    }
  }

  private var expectedCosts: FigureTable {
    FigureTable(
      "expected_costs",
      of: ThetaRecord.self,
      [
        "step": { $0.step }, "epoch": { $0.epoch }, "multiplier": { $0.multiplier },
        "expected_cost": { $0.expectedCost },
      ]
    ) { take in try eachTheta(take) }
  }

  // MARK: Choices

  private var choiceTable: FigureTable {
    FigureTable(
      "choices",
      of: (offset: Int, element: Choice).self,
      [
        "id": { $0.offset }, "identity": { $0.element.id }, "name": { $0.element.name },
        "detail": { $0.element.detail }, "kind": { $0.element.kind.rawValue },
        "group_name": { $0.element.group },
      ],
      from: Array(choices.enumerated())
    )
  }

  private var options: FigureTable {
    struct Row {
      var choice: Choice
      var prices: ChoicePrices?
      var index: Int
    }
    return FigureTable(
      "options",
      of: Row.self,
      [
        "choice": { $0.choice.id }, "index": { $0.index },
        "option": { $0.choice.options[$0.index].name },
        "value": { $0.choice.options[$0.index].value },
        "flops": { $0.prices?.flops.at($0.index) },
        "params": { $0.prices?.params.at($0.index) },
        "latency": { $0.prices?.latency?.at($0.index) },
      ]
    ) { take in
      let prices = try reader.prices()
      for choice in choices {
        let own = prices.first { $0.choice == choice.id }
        for index in choice.options.indices {
          try take(Row(choice: choice, prices: own, index: index))
        }
      }
    }
  }

  // MARK: Networks

  private var derived: FigureTable {
    FigureTable(
      "derived",
      of: DerivedRecord.self,
      [
        "name": { $0.name }, "source": { $0.source },
        "changes": { $0.changes.joined(separator: "; ") },
        "log_probability": { $0.logProbability }, "flops": { $0.flops },
        "params": { $0.params }, "latency_ms": { $0.latency },
        "measured_ms": { $0.measuredLatency }, "val_accuracy": { $0.accuracy },
        "val_loss": { $0.crossEntropy }, "tuned_loss": { $0.tunedLoss }, "run": { $0.run },
        "epochs_done": { $0.epochs?.first }, "epochs": { $0.epochs?.last },
        "step": { $0.step }, "trained_val_accuracy": { $0.trainedAccuracy },
        "top1": { $0.top1 },
      ],
      from: try reader.derived()
    )
  }

  private var derivedBlocks: FigureTable {
    FigureTable(
      "derived_blocks",
      of: (name: String, layer: Int, block: String).self,
      ["name": { $0.name }, "layer": { $0.layer }, "block": { $0.block }],
      from: try reader.derived().flatMap { network in
        network.blocks.enumerated().map { (name: network.name, layer: $0, block: $1) }
      }
    )
  }

  // MARK: The run

  private var interventions: FigureTable {
    FigureTable(
      "interventions",
      of: Intervention.self,
      [
        "id": { $0.id }, "action": { try JSONText.encode($0.action) },
        "state": { $0.state.rawValue },
        "step": { $0.step }, "requested_at": { $0.requestedAt }, "note": { $0.note },
      ],
      from: try reader.interventions()
    )
  }

  private var sessions: FigureTable {
    FigureTable(
      "sessions",
      of: SessionRecord.self,
      [
        "id": { $0.id }, "started_at": { $0.startedAt }, "step": { $0.step },
        "process": { $0.process },
      ],
      from: try reader.sessions()
    )
  }

  private var log: FigureTable {
    FigureTable(
      "log",
      of: LogRecord.self,
      [
        "id": { $0.id }, "time": { $0.time }, "level": { $0.level.rawValue },
        "text": { $0.text }, "step": { $0.step },
      ],
      from: try reader.log()
    )
  }

  private var status: FigureTable {
    FigureTable(
      "status",
      of: RunStatus.self,
      [
        "state": { $0.state.rawValue }, "message": { $0.message }, "progress": { $0.progress },
        "epoch": { $0.epoch }, "epochs": { $0.epochs }, "step": { $0.step },
        "total_steps": { $0.totalSteps }, "step_in_epoch": { $0.stepInEpoch },
        "steps_per_epoch": { $0.stepsPerEpoch }, "phase": { $0.phase.rawValue },
        "temperature": { $0.temperature }, "temperature_held": { $0.temperatureHeld },
        "images_per_second": { $0.imagesPerSecond }, "eta_seconds": { $0.etaSeconds },
        "memory_bytes": { $0.memoryBytes }, "process": { $0.processIdentifier },
        "heartbeat": { $0.heartbeat },
      ],
      from: try reader.status().map { [$0] } ?? []
    )
  }

  private var classes: FigureTable {
    typealias Row = (part: String, images: DataFingerprint.Part, index: Int, name: String)
    return FigureTable(
      "classes",
      of: Row.self,
      [
        "part": { $0.part }, "index": { $0.index }, "class": { $0.name },
        "images": { $0.images.images.at($0.index) }, "content": { $0.images.content.at($0.index) },
      ],
      from: try reader.data().map { data in
        [("train", data.train), ("test", data.test)].flatMap { part, images in
          data.learned.classNames.enumerated().map { (part, images, $0.offset, $0.element) }
        }
      } ?? []
    )
  }

  /// The object `done`, a field a row: its fields depend on the kind of the run.
  private var result: FigureTable {
    FigureTable(
      "result",
      of: (key: String, json: String).self,
      ["field": { $0.key }, "json": { $0.json }],
      from: try fields(of: reader.result())
    )
  }

  private func fields(of json: String?) throws -> [(key: String, json: String)] {
    let object = try json.map { try JSONSerialization.jsonObject(with: Data($0.utf8)) }
    let options: JSONSerialization.WritingOptions = [
      .fragmentsAllowed, .sortedKeys, .withoutEscapingSlashes,
    ]
    return try (object as? [String: Any] ?? [:]).sorted { $0.key < $1.key }.map { key, value in
      let data = try JSONSerialization.data(withJSONObject: value, options: options)
      return (key, String(decoding: data, as: UTF8.self))
    }
  }
}

extension Array {
  /// The element at an index; nil where there is none.
  func at(_ index: Int) -> Element? { indices.contains(index) ? self[index] : nil }
}
