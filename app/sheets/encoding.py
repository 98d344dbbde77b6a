"""The encoding of a text file: byte order mark, else strict UTF-8, else strict GB18030. Nothing is ever replaced.

Both encodings are tried on all bytes at once, so that the file is read twice and no more: once to decide, once for its rows.
"""

from __future__ import annotations

import codecs
import io
from collections.abc import Iterator
from typing import BinaryIO, Final

from app.sheets.model import SheetFault

CHUNK: Final = 1 << 18
_WIDE_MARKS: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
#: So many Chinese characters read as UTF-8 before the first bad byte are no accident: the file is UTF-8 with a broken place.
_NO_ACCIDENT: Final = 8
_ADVICE: Final = "请用 Excel 或 WPS 另存为“CSV UTF-8”后再导入。"


class _Attempt:
    """One encoding on its way through the file; remembers where it failed."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.failed_at: int | None = None
        self.wide_characters = 0
        self._decoder = codecs.getincrementaldecoder(name)("strict")
        self._read = 0

    def feed(self, chunk: bytes, *, last: bool = False) -> None:
        if self.failed_at is not None:
            return
        pending = len(self._decoder.getstate()[0])
        try:
            text = self._decoder.decode(chunk, last)
        except UnicodeDecodeError as wrong:
            self.failed_at = self._read - pending + wrong.start
            self._count(wrong.object[: wrong.start].decode(self.name, "ignore"))
            return
        self._read += len(chunk)
        self._count(text)

    def _count(self, text: str) -> None:
        if self.wide_characters < _NO_ACCIDENT and not text.isascii():
            self.wide_characters += sum(map("\x7f".__lt__, text))


def encoding_of(source: BinaryIO) -> str:
    """The codec to read ``source`` with, from its beginning. Raises SheetFault naming the byte that can't be read."""
    source.seek(0)
    chunk = source.read(CHUNK)
    marked = chunk.startswith(codecs.BOM_UTF8)
    wide = chunk.startswith(_WIDE_MARKS)
    attempts = [_Attempt("utf-16")] if wide else [_Attempt("utf-8")] if marked else [_Attempt("utf-8"), _Attempt("gb18030")]
    offset = 0
    while chunk:
        if not wide:
            _refuse_nul(source, chunk, offset)
        for attempt in attempts:
            attempt.feed(chunk)
        offset += len(chunk)
        chunk = source.read(CHUNK)
    for attempt in attempts:
        attempt.feed(b"", last=True)
    chosen = _chosen(source, attempts, offset)
    return "utf-8-sig" if marked else chosen


def _chosen(source: BinaryIO, attempts: list[_Attempt], size: int) -> str:
    first = attempts[0]
    if first.failed_at is None:
        return first.name
    if len(attempts) > 1 and attempts[1].failed_at is None and first.wide_characters < _NO_ACCIDENT:
        return attempts[1].name
    if len(attempts) > 1 and first.wide_characters < _NO_ACCIDENT:
        at = max(attempt.failed_at or 0 for attempt in attempts)
        raise SheetFault(
            "encoding_unknown",
            f"{_place(source, at)}既不是 UTF-8 也不是 GB18030（GBK）编码，可能不是文本文件。{_ADVICE}",
        )
    cut = "文件可能没有传完。" if first.failed_at >= size - 4 else "该处内容已损坏。"
    where = _place(source, first.failed_at, first.name)
    raise SheetFault("encoding_broken", f"{where}不是有效的 {_title(first.name)} 编码，{cut}{_ADVICE}")


def _place(source: BinaryIO, at: int, codec: str = "") -> str:
    """Line and byte, for people: what an editor and what a program counts."""
    source.seek(0)
    lines, left = 1, at
    inner = codecs.getincrementaldecoder("utf-16" if codec == "utf-16" else "latin-1")("ignore")
    breaks = io.IncrementalNewlineDecoder(inner, translate=True)
    while left and (chunk := source.read(min(CHUNK, left))):
        left -= len(chunk)
        lines += breaks.decode(chunk).count("\n")
    lines += breaks.decode(b"", final=True).count("\n")
    return f"第 {lines} 行（第 {at + 1} 字节）处"


def _title(codec: str) -> str:
    return {"utf-16": "UTF-16"}.get(codec, "UTF-8")


def _refuse_nul(source: BinaryIO, chunk: bytes, offset: int) -> None:
    place = chunk.find(b"\0")
    if place >= 0:
        raise SheetFault(
            "file_has_nul",
            f"{_place(source, offset + place)}是空字节：不是文本文件，或是没有标记的 UTF-16。{_ADVICE}",
        )


def decoded(source: BinaryIO, codec: str) -> Iterator[str]:
    """The text of ``source`` from its beginning, piece by piece."""
    source.seek(0)
    decoder = codecs.getincrementaldecoder(codec)("strict")
    line = 1
    while chunk := source.read(CHUNK):
        text = decoder.decode(chunk)
        if codec == "utf-16":
            if "\0" in text:
                line += text[: text.index("\0")].count("\n")
                raise SheetFault("file_has_nul", f"第 {line} 行含有空字符，不是表格文本。{_ADVICE}")
            line += text.count("\n")
        if text:
            yield text
    if rest := decoder.decode(b"", final=True):
        yield rest
