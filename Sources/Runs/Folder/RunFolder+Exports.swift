extension RunFolder {
  /// The folder's path from the root, so that a result names it wherever it is read.
  package var absolutePath: String { Path.absolute(path) }

  /// Makes the exports folder again if somebody has removed it.
  package func makeExports() throws {
    guard makeFolders(exportsPath) == 0 else {
      throw UserError(
        .cannotCreate,
        exportsPath,
        "the folder cannot be made",
        remedy: "check the run folder's permissions"
      )
    }
  }

  /// Writes a file of the exports folder whole or not at all.
  package func export(_ text: String, as name: String) throws {
    try makeExports()
    try writeWhole(text, to: exportsPath + "/" + name)
  }
}
