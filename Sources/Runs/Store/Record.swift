import Foundation

/// Reads a value from a file of JSON.
///
/// Errors: `.noInput` for a file that cannot be read, `.data` with `problem` and `remedy` for one
/// that holds something else.
func readRecord<T: Decodable>(
  _ path: String,
  problem: String = "is damaged",
  remedy: String = "remove it; supertop farm init and farm work make it again"
) throws -> T {
  let bytes = try readBytes(path)
  do {
    return try StoredJSON.decoder().decode(T.self, from: bytes)
  } catch {
    throw UserError(.data, path, problem, remedy: remedy)
  }
}

/// Writes a value as a file of JSON: whoever reads it meets the old value or the new one.
func writeRecord(_ value: some Encodable, to path: String) throws {
  try writeWhole(try StoredJSON.text(value) + "\n", to: path)
}
