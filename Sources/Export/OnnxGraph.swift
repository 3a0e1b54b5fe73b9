import Foundation

/// Nodes and weights of an ONNX graph under construction; a value is known by its name.
struct OnnxGraph {
  /// Version of ONNX's operators that the nodes mean: the first with all of them is 14 (HardSwish).
  static let operators: Int64 = 17
  /// Version of the file format that came with it.
  static let format: Int64 = 8

  /// A constant that a node takes.
  enum Attribute {
    case int(Int)
    case ints([Int])
    case float(Float)
  }

  private var graph = Onnx_GraphProto()

  init(name: String) {
    graph.name = name
  }

  /// Adds a Float32 array and returns its name.
  mutating func weight(_ name: String, shape: [Int], _ values: [Float]) -> String {
    precondition(shape.reduce(1, *) == values.count, "\(name): \(values.count) values for \(shape)")
    add(name, shape, .float, values.withUnsafeBytes { Data($0) })
    return name
  }

  /// Adds a list of integers and returns its name.
  mutating func integers(_ name: String, _ values: [Int]) -> String {
    let values = values.map { Int64($0).littleEndian }
    add(name, [values.count], .int64, values.withUnsafeBytes { Data($0) })
    return name
  }

  private mutating func add(
    _ name: String,
    _ shape: [Int],
    _ type: Onnx_TensorProto.DataType,
    _ bytes: Data
  ) {
    var tensor = Onnx_TensorProto()
    tensor.name = name
    tensor.dims = shape.map { Int64($0) }
    tensor.dataType = Int32(type.rawValue)
    tensor.rawData = bytes
    graph.initializer.append(tensor)
  }

  /// Adds an operation and returns the name of its result.
  mutating func node(
    _ operation: String,
    _ inputs: [String],
    name: String,
    _ attributes: KeyValuePairs<String, Attribute> = [:],
    output: String? = nil
  ) -> String {
    var node = Onnx_NodeProto()
    node.opType = operation
    node.name = name
    node.input = inputs
    node.output = [output ?? name + ".out"]
    node.attribute = attributes.map { name, value in
      var attribute = Onnx_AttributeProto()
      attribute.name = name
      switch value {
      case .int(let value):
        attribute.type = .int
        attribute.i = Int64(value)
      case .ints(let values):
        attribute.type = .ints
        attribute.ints = values.map { Int64($0) }
      case .float(let value):
        attribute.type = .float
        attribute.f = value
      }
      return attribute
    }
    graph.node.append(node)
    return node.output[0]
  }

  /// The file: input and output have the given sides behind a number of images that is left open.
  func model(
    input: (name: String, sides: [Int]),
    output: (name: String, sides: [Int]),
    metadata: [String: String]
  ) -> Onnx_ModelProto {
    var model = Onnx_ModelProto()
    model.irVersion = OnnxGraph.format
    model.producerName = "supertop"
    var operators = Onnx_OperatorSetIdProto()
    operators.version = OnnxGraph.operators
    model.opsetImport = [operators]
    model.graph = graph
    model.graph.input = [value(input.name, input.sides)]
    model.graph.output = [value(output.name, output.sides)]
    model.metadataProps = metadata.sorted { $0.key < $1.key }.map {
      var entry = Onnx_StringStringEntryProto()
      (entry.key, entry.value) = ($0.key, $0.value)
      return entry
    }
    return model
  }

  private func value(_ name: String, _ sides: [Int]) -> Onnx_ValueInfoProto {
    var images = Onnx_TensorShapeProto.Dimension()
    images.dimParam = "images"
    var value = Onnx_ValueInfoProto()
    value.name = name
    value.type.tensorType.elemType = Int32(Onnx_TensorProto.DataType.float.rawValue)
    value.type.tensorType.shape.dim =
      [images]
      + sides.map {
        var side = Onnx_TensorShapeProto.Dimension()
        side.dimValue = Int64($0)
        return side
      }
    return value
  }
}
