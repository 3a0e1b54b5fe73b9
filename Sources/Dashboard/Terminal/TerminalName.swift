/// Which entry of terminfo a terminal is drawn by.
enum TerminalName {
  /// Terminals that understand what xterm does, by the first word of their names.
  private static let likeXterm: Set<String> = [
    "alacritty", "contour", "foot", "ghostty", "gnome", "iterm", "iterm2", "kitty", "konsole",
    "mintty", "mlterm", "rio", "st", "vte", "warp", "wezterm",
  ]

  /// TERM itself, or the entry of its family where this machine does not know it.
  ///
  /// `knows` says whether there is an entry. Nil without TERM. The newer terminals bring entries
  /// that a server they log in to does not have.
  static func entry(_ environment: [String: String], knows: (String) -> Bool) -> String? {
    guard let term = environment["TERM"], !term.isEmpty, !knows(term) else {
      return environment["TERM"]
    }
    let name = term.lowercased()
    let family = name.prefix { $0.isLetter || $0.isNumber }
    let usual: [String] =
      if family == "tmux" || family == "screen" {
        ["screen-256color", "screen"]
      } else if name.hasPrefix("xterm") || likeXterm.contains(String(family)) {
        ["xterm-256color", "xterm"]
      } else {
        []
      }
    return usual.first(where: knows) ?? term
  }

  /// An entry with more colours for a terminal that surely has them but does not say so, or nil.
  ///
  /// COLORTERM promises true colour, for which ncurses has entries of their own; tmux may call
  /// itself `screen` and always draws 256 colours.
  static func richer(_ environment: [String: String], knows: (String) -> Bool) -> String? {
    guard let term = entry(environment, knows: knows) else { return nil }
    let base = term.hasSuffix("-256color") ? String(term.dropLast(9)) : term
    guard ["screen", "tmux", "xterm"].contains(base) else { return nil }
    let promise = environment["COLORTERM"] ?? ""
    if promise == "truecolor" || promise == "24bit" {
      let direct = (base == "screen" ? "tmux" : base) + "-direct"
      if knows(direct) { return direct }
    }
    let isRicher = !promise.isEmpty || environment["TMUX"]?.isEmpty == false
    return isRicher && base == term ? term + "-256color" : nil
  }
}
