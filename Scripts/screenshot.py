#!/usr/bin/env python3
"""Draws what a terminal shows: `tmux capture-pane -e` to SVG, and to PNG with rsvg-convert.

    Scripts/screenshot.py --target SESSION OUT.svg|OUT.png
    tmux capture-pane -ep | Scripts/screenshot.py OUT.svg
"""
import argparse
import html
import re
import subprocess
import sys

CELL_WIDTH, CELL_HEIGHT, MARGIN = 8.4, 18, 10
BASE = """000000 cd3131 0dbc79 e5e510 2472c8 bc3fbc 11a8cd e5e5e5
          666666 f14c4c 23d18b f5f543 3b8eea d670d6 29b8db ffffff""".split()


def palette(index):
    """xterm's colour of an index 0-255 as #rrggbb."""
    if index < 16:
        return "#" + BASE[index]
    if index < 232:
        index -= 16
        levels = (0, 95, 135, 175, 215, 255)
        return "#%02x%02x%02x" % (
            levels[index // 36], levels[index // 6 % 6], levels[index % 6])
    grey = 8 + 10 * (index - 232)
    return "#%02x%02x%02x" % (grey, grey, grey)


def mix(a, b, share):
    return "#" + "".join(
        "%02x" % round(int(a[i:i + 2], 16) * (1 - share) + int(b[i:i + 2], 16) * share)
        for i in (1, 3, 5))


class Pen:
    def __init__(self):
        self.fore = self.back = None
        self.bold = self.dim = self.underline = self.reverse = False

    def apply(self, codes):
        codes = [int(c or 0) for c in codes.replace(":", ";").split(";")]
        while codes:
            code = codes.pop(0)
            if code == 0:
                self.__init__()
            elif code in (1, 2, 4, 7):
                setattr(self, {1: "bold", 2: "dim", 4: "underline", 7: "reverse"}[code], True)
            elif code == 22:
                self.bold = self.dim = False
            elif code in (24, 27):
                setattr(self, "underline" if code == 24 else "reverse", False)
            elif code in (38, 48):
                kind = codes.pop(0)
                if kind == 5:
                    colour = palette(codes.pop(0))
                else:
                    colour = "#%02x%02x%02x" % tuple(codes[:3])
                    del codes[:3]
                setattr(self, "fore" if code == 38 else "back", colour)
            elif code == 39:
                self.fore = None
            elif code == 49:
                self.back = None
            elif 30 <= code <= 37 or 90 <= code <= 97:
                self.fore = palette(code - 30 if code < 90 else code - 82)
            elif 40 <= code <= 47 or 100 <= code <= 107:
                self.back = palette(code - 40 if code < 100 else code - 92)

    def style(self, fore, back):
        ink, paper = self.fore or fore, self.back or back
        if self.reverse:
            ink, paper = paper, ink
        if self.dim:
            ink = mix(ink, paper, 0.4)
        return ink, paper, self.bold, self.underline


def shape(character, x, y):
    """Path of a block, line or braille character, so that no font decides how they meet."""
    w, h, code = CELL_WIDTH, CELL_HEIGHT, ord(character)

    def box(left, top, width, height):
        return f"M{x + left:.2f} {y + top:.2f}h{width:.2f}v{height:.2f}h{-width:.2f}z"

    if code == 0x2588:
        return box(0, 0, w + .3, h + .3)
    if code == 0x2580:
        return box(0, 0, w + .3, h / 2)
    if 0x2581 <= code <= 0x2587:
        part = (code - 0x2580) / 8 * h
        return box(0, h - part, w + .2, part)
    if 0x2589 <= code <= 0x258F:
        return box(0, 0, (0x2590 - code) / 8 * w, h + .3)
    right, left = box(w / 2 - .5, h / 2 - .5, w / 2 + .8, 1), box(0, h / 2 - .5, w / 2 + .5, 1)
    up, down = box(w / 2 - .5, 0, 1, h / 2 + .5), box(w / 2 - .5, h / 2 - .5, 1, h / 2 + .8)
    lines = {
        "─": left + right, "│": up + down, "├": up + down + right, "┤": up + down + left,
        "╭": down + right, "┌": down + right, "╮": down + left, "┐": down + left,
        "╰": up + right, "└": up + right, "╯": up + left, "┘": up + left,
        "━": box(0, h / 2 - 1.5, w + .3, 3), "╸": box(0, h / 2 - 1.5, w / 2, 3),
        "╌": box(.5, h / 2 - .5, w / 2 - 1, 1) + box(w / 2 + .5, h / 2 - .5, w / 2 - 1, 1),
    }
    if character in lines:
        return lines[character]
    if 0x2801 <= code <= 0x28FF:
        places = ((0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2), (0, 3), (1, 3))
        return "".join(
            box(w * (.25 + .5 * c) - 1.25, h * (.125 + .25 * r) - 1.25, 2.5, 2.5)
            for bit, (c, r) in enumerate(places) if (code - 0x2800) >> bit & 1)
    return None


def draw(text, fore, back):
    lines = text.rstrip("\n").split("\n")
    rows = []
    pen = Pen()
    for line in lines:
        row = []
        for piece in re.split(r"(\x1b\[[0-9;:]*m|\x1b[()][A-B0]|\x0e|\x0f)", line):
            if piece.startswith("\x1b["):
                pen.apply(piece[2:-1])
            elif piece and piece[0] not in "\x1b\x0e\x0f":
                row += [(c, pen.style(fore, back)) for c in piece]
        rows.append(row)
    columns = max(map(len, rows), default=1)
    # tmux leaves out the end of a line that was cleared with a colour: it goes on as it ended.
    for row in rows:
        if row:
            row += [(" ", row[-1][1])] * (columns - len(row))
    # The margin takes the ground that most cells have.
    grounds = [style[1] for row in rows for _, style in row]
    back = max(set(grounds), key=grounds.count, default=back)
    width = columns * CELL_WIDTH + 2 * MARGIN
    height = len(rows) * CELL_HEIGHT + 2 * MARGIN
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.1f}" height="{height}" '
           f'font-family="DejaVu Sans Mono,Menlo,Consolas,monospace" font-size="14">',
           f'<rect width="100%" height="100%" rx="8" fill="{back}"/>']
    for r, row in enumerate(rows):
        y = MARGIN + r * CELL_HEIGHT
        start = 0
        while start < len(row):
            end = start
            while end < len(row) and row[end][1] == row[start][1]:
                end += 1
            ink, paper, bold, underline = row[start][1]
            x = MARGIN + start * CELL_WIDTH
            if paper != back:
                width = (end - start) * CELL_WIDTH + .3
                out.append(f'<rect x="{x:.2f}" y="{y}" width="{width:.2f}" '
                           f'height="{CELL_HEIGHT + .3}" fill="{paper}"/>')
            paths = ""
            for c in range(start, end):
                left = MARGIN + c * CELL_WIDTH
                path = shape(row[c][0], left, y)
                if path:
                    paths += path
                elif row[c][0] != " ":
                    extra = ' font-weight="bold"' if bold else ""
                    extra += ' text-decoration="underline"' if underline else ""
                    out.append(f'<text x="{left:.2f}" y="{y + CELL_HEIGHT * .74:.2f}" fill="{ink}"'
                               f'{extra}>{html.escape(row[c][0])}</text>')
            if paths:
                out.append(f'<path d="{paths}" fill="{ink}"/>')
            start = end
    return "\n".join(out) + "\n</svg>\n"


def main():
    options = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    options.add_argument("out", help="OUT.svg or OUT.png")
    options.add_argument("--target", help="tmux pane; without it the text comes from stdin")
    options.add_argument("--socket", help="tmux socket name (tmux -L)")
    options.add_argument("--foreground", default="#d0d0d0")
    options.add_argument("--background", default="#0c0c0c")
    arguments = options.parse_args()
    if arguments.target:
        tmux = ["tmux"] + (["-L", arguments.socket] if arguments.socket else [])
        text = subprocess.run(
            tmux + ["capture-pane", "-epN", "-t", arguments.target], check=True,
            capture_output=True, text=True, encoding="utf-8").stdout
    else:
        text = sys.stdin.read()
    svg = draw(text, arguments.foreground, arguments.background)
    if arguments.out.endswith(".png"):
        subprocess.run(["rsvg-convert", "-o", arguments.out], input=svg.encode(), check=True)
    else:
        with open(arguments.out, "w", encoding="utf-8") as file:
            file.write(svg)


if __name__ == "__main__":
    main()
