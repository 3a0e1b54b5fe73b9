/// Probabilities as one bar of segments, in the order of the candidates so that they do not jump.
///
/// Told apart by colour and by their number or name; without colour every cell carries its number.
func drawStackedBar(
  _ frame: inout Frame,
  _ x: Int,
  _ y: Int,
  width: Int,
  _ values: [Float],
  names: [String],
  looks: [OptionLook],
  look: Model.Look
) {
  guard width > 0, !values.isEmpty, looks.count == values.count else { return }
  // Ends of the segments in eighths of a cell; the last one is exact.
  var ends: [Int] = []
  var sum = 0.0
  for value in values {
    sum += value.isFinite ? Double(max(0, value)) : 0
    ends.append(min(width * 8, Int(near: sum * Double(width * 8))))
  }
  ends[ends.count - 1] = width * 8
  let isFine = look.hasColour && !look.glyphs.isASCII
  if !isFine { ends = ends.map { ($0 + 4) / 8 * 8 } }
  let leader = mostProbable(values)
  func owner(_ eighth: Int) -> Int { ends.firstIndex { $0 > eighth } ?? values.count - 1 }

  for cell in 0..<width {
    let (first, last) = (owner(cell * 8), owner(cell * 8 + 7))
    if !look.hasColour {
      let digit = optionKey(first)
      frame[x + cell, y] = Cell(digit, Style(.fg, on: .bg, first == leader ? .reverse : []))
    } else if first == last || !isFine {
      frame[x + cell, y] = Cell(32, Style(looks[first].text, on: looks[first].fill))
    } else {
      let part = min(7, max(1, ends[first] - cell * 8))
      frame[x + cell, y] = Cell(
        look.glyphs.eighths[part - 1],
        Style(looks[first].fill, on: looks[last].fill)
      )
    }
  }
  guard look.hasColour else { return }
  for index in values.indices {
    let start = ((index == 0 ? 0 : ends[index - 1]) + 7) / 8
    let room = ends[index] / 8 - start
    guard room >= 1 else { continue }
    let style = Style(looks[index].text, on: looks[index].fill)
    let name = names.indices.contains(index) ? names[index] : ""
    if room >= columns(of: name) + 2, index == leader {
      frame.put(x + start + (room - columns(of: name)) / 2, y, name, style)
    } else {
      frame[x + start + (room - 1) / 2, y] = Cell(optionKey(index), style)
    }
  }
}

/// Sizes as one bar, filled to the expected one, with a mark at the most probable.
///
/// - Parameters:
///   - frame: receives the bar.
///   - x: first column.
///   - y: row.
///   - width: columns.
///   - values: probabilities of the options.
///   - sizes: what the options stand for, ascending; the whole bar is the largest.
///   - role: of the filled part.
///   - background: of the rest.
///   - look: characters and colours.
func drawSizeBar(
  _ frame: inout Frame,
  _ x: Int,
  _ y: Int,
  width: Int,
  _ values: [Float],
  sizes: [Double],
  role: Role,
  background: Role = .bg,
  look: Model.Look
) {
  guard let largest = sizes.last, largest > 0, values.count == sizes.count, width > 0 else {
    return
  }
  drawBar(
    &frame,
    x,
    y,
    width: width,
    share: expectedSize(values, sizes) / largest,
    role: role,
    background: background,
    look: look
  )
  func cell(_ size: Double) -> Int {
    x + min(width - 1, max(0, Int(near: (size / largest * Double(width)).rounded(.down)) - 1))
  }
  let leader = mostProbable(values)
  let mark: UInt32 = look.glyphs.isASCII ? 124 : 0x25c6
  frame[cell(sizes[leader]), y] = Cell(mark, Style(.title, on: background, .bold))
}

/// Σ p·size: the effective width of a masked block, or the effective resolution.
func expectedSize(_ values: [Float], _ sizes: [Double]) -> Double {
  zip(values, sizes).reduce(0) { $0 + Double($1.0) * $1.1 }
}

/// Character that stands for candidate `index`: 1…9, then small letters, then capitals.
func optionKey(_ index: Int) -> UInt32 {
  if index < 9 { return UInt32(49 + index) }
  let letter = (index - 9) % 52
  return UInt32(letter < 26 ? 97 + letter : 65 + letter - 26)
}

/// A bar filled to `share` of `width`, exact to an eighth of a cell.
func drawBar(
  _ frame: inout Frame,
  _ x: Int,
  _ y: Int,
  width: Int,
  share: Double,
  role: Role,
  track: Role = .faint,
  background: Role = .bg,
  look: Model.Look
) {
  guard width > 0 else { return }
  let share = share.isFinite ? min(1, max(0, share)) : 0
  let eighths = Int(near: share * Double(width * 8))
  for cell in 0..<width {
    let part = eighths - cell * 8
    if look.glyphs.isASCII {
      frame[x + cell, y] = Cell(
        part >= 4 ? 35 : 46,
        Style(part >= 4 ? role : .muted, on: background)
      )
    } else if part >= 8 {
      frame[x + cell, y] = Cell(0x2588, Style(role, on: background))
    } else if part > 0, look.hasColour {
      frame[x + cell, y] = Cell(look.glyphs.eighths[part - 1], Style(role, on: track))
    } else {
      frame[x + cell, y] =
        look.hasColour
        ? Cell(32, Style(.fg, on: track))
        : Cell(part >= 4 ? 0x2588 : 0x2591, Style(role, on: background))
    }
  }
}

/// A line of progress: heavy for what is done, light for the rest, `mark` a share to reach.
func drawProgress(
  _ frame: inout Frame,
  _ x: Int,
  _ y: Int,
  width: Int,
  share: Double,
  role: Role,
  background: Role = .bg,
  mark: Double? = nil,
  look: Model.Look
) {
  guard width > 0 else { return }
  let share = share.isFinite ? min(1, max(0, share)) : 0
  let marks = look.glyphs.progress
  let done = Int(near: (share * Double(width)).rounded(.down))
  for cell in 0..<width {
    if cell < done {
      frame[x + cell, y] = Cell(marks.done, Style(role, on: background))
    } else if cell == done, share > 0 {
      frame[x + cell, y] = Cell(marks.head, Style(role, on: background))
    } else {
      frame[x + cell, y] = Cell(marks.rest, Style(.border, on: background))
    }
  }
  guard let mark else { return }
  let at = x + min(width - 1, max(0, Int(near: (mark * Double(width)).rounded(.down))))
  frame[at, y] = Cell(look.glyphs.isASCII ? 124 : 0x2503, Style(.title, on: background))
}
