import Foundation
import Runs

/// What a pickle of PyTorch says, read by a machine that executes nothing.
///
/// It knows the operations and the few functions that a checkpoint of arrays needs, and refuses any
/// other by name. Lists, tuples and dictionaries lie side by side and are referred to by number, so
/// none can be too deep for the stack of the program, and each operation makes one value at most:
/// no pickle makes more than a multiple of its own size.
struct Pickle {
  /// A value; of what has parts, the number.
  enum Value {
    case none
    case flag(Bool)
    case integer(Int)
    case real(Double)
    case text(String)
    case tuple(Int)
    case list(Int)
    case dictionary(Int)
    case function(Function)
    case storage(Storage)
    case array(Array)
  }

  /// What a pickle may call, or name.
  enum Function: Equatable {
    case orderedDictionary
    case size
    case rebuildTensor
    case rebuildParameter
    case storage(ElementType)

    /// By module and name.
    init?(_ name: String) {
      switch name {
      case "collections.OrderedDict": self = .orderedDictionary
      case "torch.Size": self = .size
      case "torch._utils._rebuild_tensor_v2": self = .rebuildTensor
      case "torch._utils._rebuild_parameter": self = .rebuildParameter
      case "torch.DoubleStorage": self = .storage(.float64)
      case "torch.FloatStorage": self = .storage(.float32)
      case "torch.HalfStorage": self = .storage(.float16)
      case "torch.BFloat16Storage": self = .storage(.bfloat16)
      case "torch.LongStorage": self = .storage(.int64)
      case "torch.IntStorage": self = .storage(.int32)
      case "torch.ShortStorage": self = .storage(.int16)
      case "torch.CharStorage": self = .storage(.int8)
      case "torch.ByteStorage": self = .storage(.uint8)
      case "torch.BoolStorage": self = .storage(.bool)
      default: return nil
      }
    }
  }

  /// Elements that lie in an entry of the file.
  struct Storage {
    var key: String
    var type: ElementType
  }

  /// A view of a storage; nothing of it is checked yet.
  struct Array {
    var storage: Storage
    var offset: Int
    var shape: [Int]
    var strides: [Int]
  }

  /// Operations, by their names in Python's `pickletools`.
  private enum Operation: UInt8 {
    case mark = 0x28
    case emptyTuple = 0x29
    case stop = 0x2E
    case pop = 0x30
    case popMark = 0x31
    case binFloat = 0x47
    case binInt = 0x4A
    case binInt1 = 0x4B
    case binInt2 = 0x4D
    case none = 0x4E
    case binPersID = 0x51
    case reduce = 0x52
    case binUnicode = 0x58
    case emptyList = 0x5D
    case append = 0x61
    case build = 0x62
    case global = 0x63
    case appends = 0x65
    case binGet = 0x68
    case longBinGet = 0x6A
    case binPut = 0x71
    case longBinPut = 0x72
    case setItem = 0x73
    case tuple = 0x74
    case setItems = 0x75
    case emptyDict = 0x7D
    case proto = 0x80
    case tuple1 = 0x85
    case tuple2 = 0x86
    case tuple3 = 0x87
    case newTrue = 0x88
    case newFalse = 0x89
    case long1 = 0x8A
    case shortBinUnicode = 0x8C
    case binUnicode8 = 0x8D
    case stackGlobal = 0x93
    case memoize = 0x94
    case frame = 0x95
  }

  private let bytes: Data
  private let path: String
  private var place = 0
  private var stack: [Value] = []
  private var marks: [Int] = []
  private var memo: [Int: Value] = [:]
  private var sequences: [[Value]] = []
  private var dictionaries: [[(key: Value, value: Value)]] = []

  /// What the pickle makes.
  private(set) var result = Value.none

  /// Reads `bytes`, which are of the file at `path`.
  ///
  /// Errors: `.data` for damage, and for what a checkpoint of arrays does not need.
  init(_ bytes: Data, path: String) throws {
    self.bytes = bytes
    self.path = path
    while let operation = try next() { try perform(operation) }
    result = try pop()
  }

  /// The dictionary `value`, texts as keys, in its order; nil for another value.
  func dictionary(_ value: Value) -> [(key: String, value: Value)]? {
    guard case .dictionary(let number) = value else { return nil }
    return dictionaries[number].compactMap { entry in
      if case .text(let key) = entry.key { (key, entry.value) } else { nil }
    }
  }

  private func damaged() -> UserError {
    UserError(.data, path, "its pickle is damaged", remedy: "restore the file from a copy")
  }

  private func refused(_ what: String) -> UserError {
    UserError(
      .data,
      path,
      "needs \(what), which is not read, as it could be a program",
      remedy: "save the weights alone: torch.save(model.state_dict(), FILE), or as safetensors"
    )
  }

  /// The next operation; nil at the end.
  private mutating func next() throws -> Operation? {
    let code: UInt8 = try number()
    guard let operation = Operation(rawValue: code) else {
      throw refused("pickle operation \(code)")
    }
    return operation == .stop ? nil : operation
  }

  private mutating func perform(_ operation: Operation) throws {
    switch operation {
    case .stop: break
    case .proto: _ = try number() as UInt8
    case .frame: _ = try number() as UInt64
    case .mark: marks.append(stack.count)
    case .pop: _ = try pop()
    case .popMark: _ = try popToMark()
    case .none: stack.append(.none)
    case .newTrue: stack.append(.flag(true))
    case .newFalse: stack.append(.flag(false))
    case .binInt: stack.append(.integer(Int(try number() as Int32)))
    case .binInt1: stack.append(.integer(Int(try number() as UInt8)))
    case .binInt2: stack.append(.integer(Int(try number() as UInt16)))
    case .long1: stack.append(.integer(try long()))
    case .binFloat:
      stack.append(.real(Double(bitPattern: (try number() as UInt64).byteSwapped)))
    case .binUnicode: stack.append(.text(try text(Int(try number() as UInt32))))
    case .shortBinUnicode: stack.append(.text(try text(Int(try number() as UInt8))))
    case .binUnicode8: stack.append(.text(try text(Int(clamping: try number() as UInt64))))
    case .emptyList: stack.append(.list(sequence([])))
    case .emptyTuple: stack.append(.tuple(sequence([])))
    case .tuple: stack.append(.tuple(sequence(try popToMark())))
    case .tuple1: stack.append(.tuple(sequence(try pop(1))))
    case .tuple2: stack.append(.tuple(sequence(try pop(2))))
    case .tuple3: stack.append(.tuple(sequence(try pop(3))))
    case .emptyDict: stack.append(.dictionary(dictionary()))
    case .append: try append(try pop(1))
    case .appends: try append(try popToMark())
    case .setItem: try set(try pop(2))
    case .setItems: try set(try popToMark())
    case .binPut: memo[Int(try number() as UInt8)] = try top()
    case .longBinPut: memo[Int(try number() as UInt32)] = try top()
    case .memoize: memo[memo.count] = try top()
    case .binGet: try recall(Int(try number() as UInt8))
    case .longBinGet: try recall(Int(try number() as UInt32))
    case .global: try name(try line() + "." + (try line()))
    case .stackGlobal:
      let names = try pop(2)
      guard case .text(let module) = names[0], case .text(let function) = names[1] else {
        throw damaged()
      }
      try name(module + "." + function)
    case .binPersID: stack.append(.storage(try storage(try pop())))
    case .reduce:
      let pair = try pop(2)
      stack.append(try call(pair[0], items(pair[1])))
    case .build:
      // An ordered dictionary's own state: PyTorch keeps the versions of modules there.
      _ = try pop()
      guard case .dictionary = try top() else { throw refused("the state of an object") }
    }
  }
}

// MARK: - Parts of operations

extension Pickle {
  private mutating func number<T: FixedWidthInteger>() throws -> T {
    guard let value = bytes.little(T.self, at: place) else { throw damaged() }
    place += MemoryLayout<T>.size
    return value
  }

  /// A whole number of so many bytes as the byte before says.
  private mutating func long() throws -> Int {
    let count = Int(try number() as UInt8)
    guard count <= 8, let digits = bytes.part(at: place, count: count) else { throw damaged() }
    place += count
    let bits = digits.reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    let spare = 64 - 8 * count
    return spare == 64 ? 0 : (Int(truncatingIfNeeded: bits) << spare) >> spare
  }

  private mutating func text(_ count: Int) throws -> String {
    guard let part = bytes.part(at: place, count: count) else { throw damaged() }
    place += count
    return String(decoding: part, as: UTF8.self)
  }

  private mutating func line() throws -> String {
    guard let rest = bytes.part(at: place, count: bytes.count - place),
      let end = rest.firstIndex(of: UInt8(ascii: "\n"))
    else { throw damaged() }
    let line = try text(end - rest.startIndex)
    place += 1
    return line
  }

  private func top() throws -> Value {
    guard stack.count > marks.last ?? 0, let value = stack.last else { throw damaged() }
    return value
  }

  private mutating func pop() throws -> Value { try pop(1)[0] }

  private mutating func pop(_ count: Int) throws -> [Value] {
    guard stack.count - (marks.last ?? 0) >= count else { throw damaged() }
    let values = [Value](stack.suffix(count))
    stack.removeLast(count)
    return values
  }

  private mutating func popToMark() throws -> [Value] {
    guard let mark = marks.last else { throw damaged() }
    let values = try pop(stack.count - mark)
    marks.removeLast()
    return values
  }

  private mutating func sequence(_ values: [Value]) -> Int {
    sequences.append(values)
    return sequences.count - 1
  }

  private mutating func dictionary() -> Int {
    dictionaries.append([])
    return dictionaries.count - 1
  }

  private mutating func append(_ values: [Value]) throws {
    guard case .list(let number) = try top() else { throw damaged() }
    sequences[number] += values
  }

  private mutating func set(_ values: [Value]) throws {
    guard case .dictionary(let number) = try top(), values.count % 2 == 0 else { throw damaged() }
    for index in stride(from: 0, to: values.count, by: 2) {
      dictionaries[number].append((values[index], values[index + 1]))
    }
  }

  private mutating func recall(_ number: Int) throws {
    guard let value = memo[number] else { throw damaged() }
    stack.append(value)
  }

  private mutating func name(_ name: String) throws {
    guard let function = Function(name) else { throw refused(name) }
    stack.append(.function(function))
  }

  private func items(_ value: Value) throws -> [Value] {
    guard case .tuple(let number) = value else { throw damaged() }
    return sequences[number]
  }

  private func integers(_ value: Value) throws -> [Int] {
    try items(value).map {
      guard case .integer(let number) = $0 else { throw damaged() }
      return number
    }
  }

  /// A storage by what stands for it: its kind, its type, its key, where it was, its length.
  private func storage(_ id: Value) throws -> Storage {
    let id = try items(id)
    guard id.count == 5, case .text("storage") = id[0], case .function(.storage(let type)) = id[1],
      case .text(let key) = id[2]
    else { throw damaged() }
    return Storage(key: key, type: type)
  }

  private mutating func call(_ function: Value, _ arguments: [Value]) throws -> Value {
    guard case .function(let function) = function else { throw damaged() }
    switch (function, arguments.count) {
    case (.orderedDictionary, 0): return .dictionary(dictionary())
    case (.size, 1): return arguments[0]
    case (.rebuildParameter, 2...):
      guard case .array = arguments[0] else { throw damaged() }
      return arguments[0]
    case (.rebuildTensor, 4...):
      guard case .storage(let storage) = arguments[0], case .integer(let offset) = arguments[1]
      else { throw damaged() }
      return .array(
        Array(
          storage: storage,
          offset: offset,
          shape: try integers(arguments[2]),
          strides: try integers(arguments[3])
        )
      )
    default: throw damaged()
    }
  }
}
