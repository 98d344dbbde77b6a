"""The face of printed documents: a subset of Noto Serif CJK SC that comes with the application (``app/data/fonts``).

It holds the whole of 通用规范汉字表, in which names have been registered since 2013. What it doesn't hold (an older rare
character in a name) is written as its code point, 〔U+20BB7〕: never an empty box, which
nobody notices before the paper is signed.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from pathlib import Path
from typing import Any

from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont

FACE = "MinzhengSong"
FILE = Path(__file__).parents[1] / "data" / "fonts" / "minzheng-song.ttf"
SUPPLEMENTARY = re.compile(r"(<[0-9A-F]{2}> )<([0-9A-F]{5,6})>")
LINE_BREAKS = {"\n", "\r", "\t", "\u2028", "\u2029"}


class Song(TTFont):
    """Tells readers what a character beyond the basic plane is: as two halves, by which text is searched and copied.

    The library writes its number, which isn't a character of the form (a code of UTF-16) that the file's format asks for.
    """

    def addObjects(self, doc: Any) -> None:  # noqa: N802  (the library's name)
        super().addObjects(doc)
        for name, made in doc.idToObject.items():
            if name.startswith("toUnicodeCMap:"):
                made.content = SUPPLEMENTARY.sub(_halves, made.content)


def _halves(entry: re.Match[str]) -> str:
    return f"{entry[1]}<{chr(int(entry[2], 16)).encode('utf-16-be').hex().upper()}>"


@cache
def characters() -> frozenset[int]:
    """Registers the face, once for the process; answers the code points it holds."""
    font = Song(FACE, str(FILE))
    pdfmetrics.registerFont(font)
    return frozenset(font.face.charToGlyph)


def printable(text: str) -> str:
    """The text with whatever can't be printed written out; runs on over line breaks."""
    held = characters()
    return "".join(_printable(one, held) for one in unicodedata.normalize("NFC", text))


def _printable(character: str, held: frozenset[int]) -> str:
    if ord(character) in held:
        return character
    if character in LINE_BREAKS:
        return " "
    if unicodedata.category(character)[0] == "C" or unicodedata.category(character) == "Mn":  # no shape of its own
        return ""
    plain = unicodedata.normalize("NFKC", character)
    if plain != character and all(ord(one) in held for one in plain):
        return plain
    return f"〔U+{ord(character):04X}〕"
