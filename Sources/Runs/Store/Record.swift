import Foundation

/// Reads a value from a file of JSON.
///
/// Errors: `.noInput` for a file that cannot be read, `.data` for one that holds something else.
func readRecord<T: Decodable>(_ path: String) throws -> T {
  do {
    return try StoredJSON.decoder().decode(T.self, from: try readBytes(path))
  } catch let error as UserError {
    throw error
  } catch {
    throw UserError(
      .data,
      path,
      "is damaged",
      remedy: "remove it; supertop farm init and farm work make it again"
    )
  }
}

/// Writes a value as a file of JSON: whoever reads it meets the old value or the new one.
func writeRecord(_ value: some Encodable, to path: String) throws {
  try writeWhole(try StoredJSON.text(value) + "\n", to: path)
}
