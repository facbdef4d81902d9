"""Prints the advance widths of Helvetica, Helvetica-Bold and Symbol as the tables of cli/src/report/pdf/widths.rs.

Run: python3 scripts/font_widths.py FOLDER

FOLDER holds Adobe's metrics of the 14 standard fonts of PDF: Helvetica.afm, Helvetica-Bold.afm, Symbol.afm (those of matplotlib are in
`matplotlib/mpl-data/fonts/pdfcorefonts`). Helvetica is in the order of WinAnsiEncoding (Windows code page 1252), Symbol in that of its own encoding; both
from code 32 on, 0 where there is no glyph.
"""

import re
import sys
from pathlib import Path

# Names of the glyphs of code page 1252 from a code on, by the Adobe Glyph List; the names of letters are themselves.
NAMES = {
    32: "space exclam quotedbl numbersign dollar percent ampersand quotesingle parenleft parenright asterisk plus comma hyphen period slash zero one two three four five six seven eight nine colon semicolon less equal greater question at",
    91: "bracketleft backslash bracketright asciicircum underscore grave",
    123: "braceleft bar braceright asciitilde",
    128: "Euro",
    130: "quotesinglbase florin quotedblbase ellipsis dagger daggerdbl circumflex perthousand Scaron guilsinglleft OE",
    142: "Zcaron",
    145: "quoteleft quoteright quotedblleft quotedblright bullet endash emdash tilde trademark scaron guilsinglright oe",
    158: "zcaron Ydieresis",
    160: "space exclamdown cent sterling currency yen brokenbar section dieresis copyright ordfeminine guillemotleft logicalnot hyphen registered macron degree plusminus twosuperior threesuperior acute mu paragraph periodcentered cedilla onesuperior ordmasculine guillemotright onequarter onehalf threequarters questiondown",
    192: "Agrave Aacute Acircumflex Atilde Adieresis Aring AE Ccedilla Egrave Eacute Ecircumflex Edieresis Igrave Iacute Icircumflex Idieresis Eth Ntilde Ograve Oacute Ocircumflex Otilde Odieresis multiply Oslash Ugrave Uacute Ucircumflex Udieresis Yacute Thorn germandbls",
    224: "agrave aacute acircumflex atilde adieresis aring ae ccedilla egrave eacute ecircumflex edieresis igrave iacute icircumflex idieresis eth ntilde ograve oacute ocircumflex otilde odieresis divide oslash ugrave uacute ucircumflex udieresis yacute thorn ydieresis",
}  # fmt: skip
LETTERS = [*range(65, 91), *range(97, 123)]

GLYPH = re.compile(r"^C (-?\d+) ; WX (\d+) ; N (\w+) ;", re.MULTILINE)


def table(name: str, about: str, widths: list[int]) -> str:
    """A Rust table of 16 numbers a line."""
    lines = [widths[i : i + 16] for i in range(0, len(widths), 16)]
    body = "\n".join("    " + ", ".join(map(str, line)) + "," for line in lines)
    return f"/// {about}\n#[rustfmt::skip]\npub const {name}: [u16; {len(widths)}] = [\n{body}\n];\n"


def main(folder: Path) -> None:
    """Prints the tables."""
    for name, font in [("HELVETICA", "Helvetica"), ("HELVETICA_BOLD", "Helvetica-Bold"), ("SYMBOL", "Symbol")]:
        glyphs = GLYPH.findall((folder / f"{font}.afm").read_text("latin-1"))
        if name == "SYMBOL":
            by_code = {int(code): int(width) for code, width, _ in glyphs}
        else:
            by_name = {glyph: int(width) for _, width, glyph in glyphs}
            by_code = {code: by_name[chr(code)] for code in LETTERS}
            for start, names in NAMES.items():
                by_code |= {start + i: by_name[glyph] for i, glyph in enumerate(names.split())}
        print(table(name, f"Of {font}.", [by_code.get(code, 0) for code in range(32, 256)]))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
