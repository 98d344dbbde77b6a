"""Whatever is sent: a file is read or refused, in bounded memory, and nothing else ever comes of it."""

from __future__ import annotations

import io
import tracemalloc
import zipfile
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.domain.imports.codes import FILE_FAULTS
from app.domain.imports.formulas import kept_text
from app.domain.imports.header import HeaderFault, fits
from app.sheets import SheetFault, SheetLimits, open_sheet
from tests.sheets.making import HEADER, KIND, ROWS, read, repacked, simple_book, text

BOOK = simple_book()
PARTS = zipfile.ZipFile(io.BytesIO(BOOK)).namelist()
TEXT = text(encoding="gb18030")
patient = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


def read_or_refuse(content: bytes) -> None:
    try:
        read(content, limits=SheetLimits(unzipped_bytes=50 << 20))
    except (SheetFault, HeaderFault) as refusal:
        if refusal.code not in FILE_FAULTS:
            raise


@patient
@given(st.binary(max_size=400))
def test_any_bytes(content: bytes) -> None:
    read_or_refuse(content)


@patient
@given(st.text(alphabet="甲\"',;\t\r\n0X=\u3000", max_size=120), st.sampled_from(["utf-8", "gb18030", "utf-16"]))
def test_any_punctuation_below_a_header(content: str, encoding: str) -> None:
    read_or_refuse((",".join(HEADER) + "\n" + content).encode(encoding))


@patient
@given(st.data())
def test_text_with_a_place_overwritten(data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(TEXT)))
    read_or_refuse(TEXT[:place] + data.draw(st.binary(max_size=3)) + TEXT[place + data.draw(st.integers(0, 3)) :])


@patient
@given(st.data())
def test_a_workbook_with_a_place_overwritten(data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(BOOK)))
    read_or_refuse(BOOK[:place] + data.draw(st.binary(max_size=3)) + BOOK[place + data.draw(st.integers(0, 3)) :])


@patient
@given(st.data())
def test_a_workbook_with_a_part_overwritten(data: st.DataObject) -> None:
    def change(part: bytes) -> bytes:
        place = data.draw(st.integers(0, len(part)))
        wrong = data.draw(
            st.one_of(st.binary(max_size=3), st.sampled_from([b"9999999", b"<c/>", b'r="', b"</row>", b"-1", b"\xff"]))
        )
        return part[:place] + wrong + part[place + data.draw(st.integers(0, 8)) :]

    read_or_refuse(repacked(BOOK, {data.draw(st.sampled_from(PARTS)): change}))


CELLS = st.text(alphabet="甲a1\"',\n\r\t;=+-@＝＋－＠ ", max_size=8)


@patient
@given(st.lists(st.lists(CELLS, min_size=2, max_size=4), min_size=1, max_size=6))
def test_what_an_export_writes_is_read_back(table: list[list[str]]) -> None:
    """Line breaks inside cells as well, and what has been kept from becoming a formula."""
    content = text([HEADER, *[[kept_text(cell) for cell in row] for row in table]])
    sheet = open_sheet(io.BytesIO(content), "名册.csv", fits=fits(KIND))
    assert [cells for _, cells in sheet.rows()] == [HEADER, *table]
    assert sheet.faults == {}


class _Endless(io.RawIOBase):
    """A file that is made while it is read."""

    def __init__(self, head: bytes, row: bytes, rows: int) -> None:
        self._head, self._row, self._rows = head, row, rows
        self._place = 0

    def seek(self, offset: int, whence: int = 0) -> int:
        assert (offset, whence) == (0, 0)
        self._place = 0
        return 0

    def seekable(self) -> bool:
        return True

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        chunk = b"".join(self._bytes(len(buffer)))[: len(buffer)]
        buffer[: len(chunk)] = chunk
        self._place += len(chunk)
        return len(chunk)

    def _bytes(self, wanted: int) -> Iterator[bytes]:
        if self._place < len(self._head):
            yield self._head[self._place :]
            return
        done, within = divmod(self._place - len(self._head), len(self._row))
        rows = min(self._rows - done, wanted // len(self._row) + 2)
        if rows > 0:
            yield (self._row * rows)[within:]


@pytest.mark.parametrize(
    "row", [",".join(ROWS[0]) + "\r\n", ",".join(f'"{cell}"' for cell in ROWS[0]) + "\n", '"' + ",".join(ROWS[0]) + "\n"]
)
def test_memory_does_not_grow_with_a_text_file(row: str) -> None:
    """Plain, quoted, and with an unclosed quote in every single row."""
    rows = 60_000
    source = io.BufferedReader(_Endless((",".join(HEADER) + "\n").encode("gb18030"), row.encode("gb18030"), rows))
    sheet = open_sheet(source, "名册.csv")
    tracemalloc.start()
    try:
        count = sum(1 for _ in sheet.rows())
        faults = len(sheet.faults)
        sheet.faults.clear()
        held, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert count == rows + 1
    assert faults in (0, rows)
    assert held < 16 << 20
    assert peak < (64 << 20 if faults else 12 << 20)


def test_the_kind_of_these_tests_takes_its_own_templates() -> None:
    titles = [column.title for column in KIND.columns]
    assert read(text([titles])).layout.fields == tuple(column.name for column in KIND.columns)
