# ruff: noqa: INP001
"""Makes ``app/data/fonts/minzheng-song.ttf``, the face of printed documents, from Noto Serif CJK SC (SIL OFL 1.1).

    python3 -m venv fonts-venv && fonts-venv/bin/pip install fonttools==4.68.0
    fonts-venv/bin/python deploy/fonts/build_song.py /usr/share/fonts/opentype/noto/NotoSerifCJK-Regular.ttc

(Debian: ``apt install fonts-noto-cjk``.) The same source gives the same bytes. What it holds: 通用规范汉字表 (2013, 8,105
characters; `tongyong-guifan-hanzi.txt`, by the property kTGH of the Unicode Han Database), GB 2312, the names of the divisions
that come with the application, and the signs that its documents use. Outlines become TrueType, which the PDF library can embed.
The original reserves no font name; the subset has a name of its own all the same, since it is not what "Noto" stands for.
"""

from __future__ import annotations

import sys
from pathlib import Path

from fontTools import subset
from fontTools.pens.cu2quPen import Cu2QuPen
from fontTools.pens.ttGlyphPen import TTGlyphPen
from fontTools.ttLib import TTCollection, TTFont, newTable

DATA = Path(__file__).resolve().parents[2] / "app" / "data"
TARGET = DATA / "fonts" / "minzheng-song.ttf"
CHARACTERS = DATA / "fonts" / "tongyong-guifan-hanzi.txt"
FACE, FAMILY, POSTSCRIPT = "Noto Serif CJK SC", "Minzheng Song", "MinzhengSong-Regular"
TOLERANCE = 3  # of 1,000 units to the em: three hundredths of a millimetre in a title of 22 pt
SIGNS = "‐–—―‘’“”•…€〇✓✔✗✘○●①②③④⑤⑥⑦⑧⑨⑩⑪⑫⑬⑭⑮⑯⑰⑱⑲⑳"
KEPT_NAMES = (0, 1, 2, 3, 4, 5, 6, 13, 14)
EMPTY_LIMITS = (
    "maxTwilightPoints maxStorage maxFunctionDefs maxInstructionDefs maxStackElements maxSizeOfInstructions maxComponentElements"
    " maxComponentDepth maxPoints maxContours maxCompositePoints maxCompositeContours"
)


def wanted() -> set[int]:
    """Code points of the subset."""
    texts = [CHARACTERS.read_text("utf-8"), SIGNS, *(path.read_text("utf-8") for path in sorted(DATA.glob("areas-*.csv")))]
    found = {ord(character) for text in texts for character in text if character not in "\r\n"}
    found |= {ord(character) for character in gb2312() if not unwanted(ord(character))}
    return found | set(range(0x20, 0x7F)) | set(range(0xA0, 0x100))


def gb2312() -> str:
    pairs = (bytes((first, second)) for first in range(0xA1, 0xF8) for second in range(0xA1, 0xFF))
    return "".join(pair.decode("gb2312", "ignore") for pair in pairs)


def unwanted(code: int) -> bool:
    """Kana, Cyrillic and box drawing, which GB 2312 holds too."""
    return 0x3040 <= code < 0x3130 or 0x400 <= code < 0x460 or 0x2500 <= code < 0x2580  # noqa: PLR2004


def subset_of(source: Path) -> TTFont:
    font = next(one for one in TTCollection(source).fonts if one["name"].getDebugName(1) == FACE)
    options = subset.Options()
    options.layout_features, options.hinting, options.desubroutinize = [], False, True
    options.name_IDs, options.name_languages, options.recalc_timestamp = list(KEPT_NAMES), [0x409], False
    options.drop_tables += ["VORG", "vhea", "vmtx", "BASE", "GSUB", "GPOS", "GDEF"]
    subsetter = subset.Subsetter(options)
    subsetter.populate(unicodes=wanted())
    subsetter.subset(font)
    return font


def to_truetype(font: TTFont) -> None:
    order, outlines = font.getGlyphOrder(), font.getGlyphSet()
    table = newTable("glyf")
    table.glyphOrder, table.glyphs = order, {}
    for name in order:
        pen = TTGlyphPen(outlines)
        outlines[name].draw(Cu2QuPen(pen, TOLERANCE, reverse_direction=True))
        table.glyphs[name] = pen.glyph()
    for name in order:
        table.glyphs[name].recalcBounds(table)
    font["loca"], font["glyf"] = newTable("loca"), table
    limits = font["maxp"]
    limits.tableVersion, limits.maxZones = 0x00010000, 1
    for name in EMPTY_LIMITS.split():
        setattr(limits, name, 0)
    limits.recalc(font)
    del font["CFF "]
    font["post"].formatType = 3.0
    font.sfntVersion = "\x00\x01\x00\x00"


def rename(font: TTFont) -> None:
    named = {1: FAMILY, 3: f"{POSTSCRIPT};subset of {FACE}", 4: FAMILY, 6: POSTSCRIPT}
    for record in font["name"].names:
        if record.nameID in named:
            record.string = named[record.nameID]


def main() -> None:
    font = subset_of(Path(sys.argv[1]))
    to_truetype(font)
    rename(font)
    font.recalcTimestamp = False
    font.save(TARGET)
    sys.stdout.write(f"{TARGET.name}: {len(font.getBestCmap())} characters, {TARGET.stat().st_size} bytes\n")


if __name__ == "__main__":
    main()
