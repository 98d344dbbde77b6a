"""Files as people and their programs make them, and reading them the way an import does."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, islice
from typing import Any

import openpyxl  # type: ignore[import-untyped]
import pytest
import xlsxwriter  # type: ignore[import-untyped]
from msoffcrypto.format.ooxml import OOXMLFile  # type: ignore[import-untyped]

from app.domain.access import Duty
from app.domain.imports.cells import (
    AreaCode,
    BankAccount,
    Choice,
    Date,
    IdNumber,
    IdNumbers,
    Month,
    Name,
    Phone,
    Text,
    YesNo,
    Yuan,
)
from app.domain.imports.codes import FILE_FAULTS
from app.domain.imports.header import Claim, HeaderFault, Layout, Sifter, find_layout, fits
from app.domain.imports.model import Cell, Column, Kind
from app.sheets import SheetFacts, SheetFault, SheetLimits, open_sheet
from app.sheets.model import HEAD_ROWS

ONE, TWO, THREE = "11010519491231002X", "440524188001010014", "370102198003074557"
HEADER = ["户编号", "姓名", "身份证号", "金额(元)"]
ROWS = [["H1", "张三", ONE, "100.00"], ["H2", "李四", TWO, "200.50"]]
TABLE = [HEADER, *ROWS]

KIND = Kind(
    code="roll",
    title="名册",
    columns=(
        Column("household_no", "户编号", Text(20), required=True, aliases=("户号",)),
        Column("name", "姓名", Name(), required=True),
        Column("id_number", "身份证号", IdNumber(), required=True, aliases=("身份证号码", "公民身份号码")),
        Column("amount_fen", "金额(元)", Yuan(), aliases=("保障金额",)),
        Column("area_code", "区划代码", AreaCode()),
        Column("phone", "手机号", Phone()),
        Column("account", "银行账号", BankAccount()),
        Column("bank", "开户银行", Text(60)),
        Column("poor", "是否重病", YesNo()),
        Column("residence", "户口性质", Choice({"urban": ("城镇",), "rural": ("农村",)})),
        Column("since", "起始日期", Date()),
        Column("month", "起始月份", Month()),
        Column("address", "住址", Text(60)),
        Column("members", "保障人员身份证号", IdNumbers()),
    ),
    key=("id_number",),
    importers=frozenset({Duty.STATION_CLERK}),
    exporters=frozenset(),
    totals=("amount_fen",),
)


@dataclass(frozen=True)
class Case:
    """A file and what has to come of it: a refusal of the whole (``refused``), or rows and faults.

    ``rows`` are all data rows; each names the fields it cares about. ``faults`` are all faults.
    """

    title: str
    content: bytes | Callable[[], bytes]
    rows: Mapping[int, Mapping[str, Any]] = field(default_factory=dict)
    faults: Mapping[int, set[tuple[str | None, str]]] = field(default_factory=dict)
    refused: str | None = None
    says: str = ""  # a part of the refusal's text
    facts: Mapping[str, Any] = field(default_factory=dict)
    skipped: Mapping[str, int] | None = None
    unknown: tuple[str, ...] | None = None
    stray: set[int] = field(default_factory=set)
    claims: Sequence[tuple[int, str, Mapping[str, int | None], bool]] = ()
    mapping: Mapping[str, str] | None = None
    limits: SheetLimits = field(default_factory=SheetLimits)
    name: str = "名册.xlsx"

    def check(self) -> None:
        content = self.content if isinstance(self.content, bytes) else self.content()
        if self.refused:
            with pytest.raises((SheetFault, HeaderFault)) as refusal:
                read(content, self.name, limits=self.limits, mapping=self.mapping)
            assert (refusal.value.code, self.says in refusal.value.detail) == (self.refused, True), refusal.value.detail
            assert refusal.value.code in FILE_FAULTS
            return
        found = read(content, self.name, limits=self.limits, mapping=self.mapping)
        assert {
            number: {name: row[name] for name in self.rows.get(number, ())} for number, row in found.rows.items()
        } == self.rows
        assert found.faults == self.faults
        assert {name: getattr(found.facts, name) for name in self.facts} == self.facts
        assert self.skipped is None or found.skipped == self.skipped
        assert self.unknown is None or found.layout.unknown == self.unknown
        assert found.stray == self.stray
        assert [(claim.row, claim.label, claim.amounts, claim.final) for claim in found.claims] == list(self.claims)


@dataclass
class Outcome:
    """What became of a file: values and faults by row number."""

    facts: SheetFacts
    layout: Layout
    rows: dict[int, dict[str, Any]] = field(default_factory=dict)
    faults: dict[int, set[tuple[str | None, str]]] = field(default_factory=dict)
    skipped: dict[str, int] = field(default_factory=dict)
    claims: list[Claim] = field(default_factory=list)
    stray: set[int] = field(default_factory=set)


def read(
    content: bytes,
    name: str = "名册.csv",
    *,
    kind: Kind = KIND,
    limits: SheetLimits | None = None,
    mapping: Mapping[str, str] | None = None,
) -> Outcome:
    sheet = open_sheet(io.BytesIO(content), name, limits or SheetLimits(), fits(kind, mapping))
    rows = sheet.rows()
    first = list(islice(rows, HEAD_ROWS))
    layout = find_layout(kind, first, mapping, date_1904=sheet.facts.date_1904)
    sifter = Sifter(kind, Layout.from_json(layout.as_json()), sheet.merged)
    kept = list(sifter.sift(chain(first, rows)))
    outcome = Outcome(sheet.facts, layout, skipped=dict(sifter.skipped), claims=sifter.claims, stray=sifter.stray)
    for number, fault in (sheet.faults | sifter.faults).items():
        outcome.faults.setdefault(number, set()).add((fault.column, fault.code))
    outcome.rows = {number: {} for number, _ in kept}
    for place, column in layout.columns(kind):
        _read_column(outcome, column, [(number, cells[place]) for number, cells in kept])
    return outcome


def _read_column(outcome: Outcome, column: Column, cells: Sequence[tuple[int, Cell]]) -> None:
    values, faults = column.cell.parse([cell for _, cell in cells])
    for place, (number, _) in enumerate(cells):
        outcome.rows[number][column.name] = values[place]
        if place in faults:
            outcome.faults.setdefault(number, set()).add((column.title, faults[place].code))
        elif column.required and values[place] is None:
            outcome.faults.setdefault(number, set()).add((column.title, "required"))


def text(
    table: Sequence[Sequence[object]] = TABLE,
    encoding: str = "utf-8",
    *,
    delimiter: str = ",",
    line_end: str = "\r\n",
) -> bytes:
    """As a csv writer makes it."""
    made = io.StringIO(newline="")
    csv.writer(made, delimiter=delimiter, lineterminator=line_end).writerows(table)
    return made.getvalue().encode(encoding)


def book(fill: Callable[[Any], None]) -> bytes:
    """By openpyxl; ``fill`` gets the workbook with one sheet in it."""
    workbook = openpyxl.Workbook()
    fill(workbook)
    made = io.BytesIO()
    workbook.save(made)
    return made.getvalue()


def simple_book(table: Sequence[Sequence[object]] = TABLE) -> bytes:
    def fill(workbook: Any) -> None:
        for row in table:
            workbook.active.append(list(row))

    return book(fill)


def written(fill: Callable[[Any, Any], None], **options: object) -> bytes:
    """By xlsxwriter; ``fill`` gets the workbook and its first sheet."""
    made = io.BytesIO()
    with xlsxwriter.Workbook(made, {"in_memory": True, **options}) as workbook:
        fill(workbook, workbook.add_worksheet("名册"))
    return made.getvalue()


def locked(content: bytes, password: str) -> bytes:
    made = io.BytesIO()
    OOXMLFile(io.BytesIO(content)).encrypt(password, made)
    return made.getvalue()


def repacked(content: bytes, changes: Mapping[str, Callable[[bytes], bytes]], more: Mapping[str, bytes] | None = None) -> bytes:
    """The same package with some parts changed and some added."""
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as before, zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as after:
        for name in before.namelist():
            after.writestr(name, changes.get(name, bytes)(before.read(name)))
        for name, part in (more or {}).items():
            after.writestr(name, part)
    return made.getvalue()


def package(parts: Mapping[str, bytes]) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, part in parts.items():
            archive.writestr(name, part)
    return made.getvalue()
