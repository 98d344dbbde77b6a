"""Raw rows to checked blocks, and what holds between the rows of a file."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from datetime import date
from typing import Any

import pytest

import app.db.import_writers.everything  # noqa: F401  (registers the kinds and their writers)
from app.db.import_writers import writer_of
from app.domain.access import AreaScope, Duty
from app.domain.imports.cells import AreaCode, Text, Yuan
from app.domain.imports.duplicates_setwise import KeysSeen
from app.domain.imports.header import find_layout
from app.domain.imports.model import Block, Cell, Column, Kind, RowFault, Verdicts
from app.domain.imports.profiles import Profile, ProfileColumn
from app.domain.imports.reading import Plan, RawRow, WholeFile, parse_block
from app.domain.imports.registry import KINDS
from app.routers.v1.import_access import IMPORTERS

TODAY = date(2026, 11, 22)
AREAS = frozenset({"350702001001", "350702001002"})
HERE, THERE = "350702001001", "350702002001"
HEADERS = ["户编号", "名称", "金额", "区划代码"]


class Together:
    """Rows with the same group stand or fall together."""

    def __init__(self) -> None:
        self._rows: dict[str, list[int]] = {}

    def add(self, block: Block) -> None:
        for number, row in block.rows():
            self._rows.setdefault(row["group"], []).append(number)

    def verdicts(self) -> Verdicts:
        return {rows[0]: [RowFault(None, "required", "只有一人")] for rows in self._rows.values() if len(rows) == 1}

    def held_back(self, faulty: Collection[int]) -> Verdicts:
        fault = RowFault(None, "household_held_back", "同户有错")
        mixed = [rows for rows in self._rows.values() if any(row in faulty for row in rows)]
        return {row: [fault] for rows in mixed for row in rows if row not in faulty}


def never_red(row: Mapping[str, Any], _today: date) -> Iterator[RowFault]:
    if row["name"] == "红":
        yield RowFault("名称", "required", "不能是红")


KIND = Kind(
    code="unit_things",
    title="物",
    columns=(
        Column("group", "户编号", Text(20), required=True),
        Column("name", "名称", Text(20), required=True),
        Column("amount_fen", "金额", Yuan()),
        Column("area_code", "区划代码", AreaCode(), required=True),
    ),
    key=("group", "name"),
    importers=frozenset({Duty.REVIEWER}),
    exporters=frozenset({Duty.REVIEWER}),
    check_row=never_red,
    file_check=Together,
    totals=("amount_fen",),
)


def plan(headers: list[str] | None = None, profile: Profile | None = None) -> Plan:
    mapping, supplied = (profile.headers(), profile.fixed) if profile else (None, ())
    layout = find_layout(KIND, [(1, list(headers or HEADERS))], mapping, supplied=supplied)
    return Plan(KIND, layout, AreaScope("350702", "350702001"), AREAS, TODAY, profile)


def codes(verdicts: Verdicts) -> dict[int, list[tuple[str | None, str]]]:
    return {number: [(fault.column, fault.code) for fault in faults] for number, faults in sorted(verdicts.items())}


def test_cells_rows_and_areas_are_judged_row_by_row() -> None:
    rows: list[RawRow] = [
        (2, ["a", "白", "1.50", HERE]),
        (3, ["", "白", "一元", HERE]),
        (4, ["a", "红", "", HERE]),
        (5, ["a", "黑", "", THERE]),
        (6, ["a", "青", "", "350702001999"]),
        (7, ["a", "红", "一元", HERE]),
    ]
    block, verdicts = parse_block(plan(), rows)
    found = codes(verdicts)
    assert sorted(found) == [3, 4, 5, 6, 7]
    assert ("户编号", "required") in found[3]
    assert {column for column, _ in found[3]} == {"户编号", "金额"}
    assert found[4] == [("名称", "required")]
    assert found[5] == [("区划代码", "area_outside_scope")]
    assert found[6] == [("区划代码", "area_unknown")]
    assert [column for column, _ in found[7]] == ["金额"], "a row with a faulty cell isn't judged as a whole"
    assert block.columns["amount_fen"] == [150, None, None, None, None, None]
    assert block.numbers == [2, 3, 4, 5, 6, 7]


def test_columns_may_stand_anywhere_and_be_left_out() -> None:
    rows: list[RawRow] = [(2, [HERE, None, "白", "x", "a"])]
    block, verdicts = parse_block(plan(["区划代码", "备注", "名称", "别的", "户编号"]), rows)
    assert verdicts == {}
    assert {name: values[0] for name, values in block.columns.items()} == {
        "group": "a",
        "name": "白",
        "amount_fen": None,
        "area_code": HERE,
    }
    assert len(parse_block(plan(), [])[0]) == 0


def test_a_profile_translates_and_fills_in() -> None:
    profile = Profile(
        code="other",
        title="别的系统",
        kind=KIND.code,
        directions=frozenset({"import"}),
        columns=(
            ProfileColumn("HH", "group"),
            ProfileColumn("NAME", "name", values={"W": "白"}),
            ProfileColumn("FEN", "amount_fen", unit="fen"),
        ),
        fixed={"area_code": HERE},
    )
    rows: list[RawRow] = [(2, ["a", "W", "1250"]), (3, ["a", "黑", ""])]
    block, verdicts = parse_block(plan(["HH", "NAME", "FEN"], profile), rows)
    assert verdicts == {}
    assert block.columns["name"] == ["白", "黑"]
    assert block.columns["amount_fen"] == [1250, None]
    assert block.columns["area_code"] == [HERE, HERE]


def test_a_file_is_judged_across_its_blocks() -> None:
    whole = WholeFile(asked := plan())
    blocks: list[list[tuple[int, list[Cell]]]] = [
        [(2, ["a", "白", "1.00", HERE]), (3, ["a", "红", "2.00", HERE]), (4, ["b", "白", "3.00", HERE])],
        [(5, ["b", "黑", "4.00", HERE]), (6, ["a", "白", "5.00", HERE]), (7, ["c", "白", "", HERE]), (8, ["", "白", "", HERE])],
    ]
    for rows in blocks:
        whole.add(*parse_block(asked, rows))
    found = codes(whole.verdicts())
    assert found == {
        2: [(None, "household_held_back")],
        6: [(None, "duplicate_in_file")],
        7: [(None, "required")],
        8: [(None, "required")],
    }
    assert whole.faulty == {2, 3, 6, 7, 8}
    assert whole.rows == 7
    assert whole.sums == {"amount_fen": 1500}


def test_repeated_keys_name_the_first_row() -> None:
    keys = KeysSeen(("group", "name"))
    keys.add(Block([2, 3, 4], {"group": ["a", "b", "a"], "name": ["x", "y", "x"]}))
    keys.add(Block([9, 10], {"group": ["b", "a"], "name": ["y", "x"]}))
    assert sorted(keys.repeated()) == [(4, 2), (9, 3), (10, 2)]
    assert list(KeysSeen(("group",)).repeated()) == []


@pytest.mark.parametrize("kind", list(KINDS.values()), ids=lambda kind: kind.code)
def test_every_kind_can_be_written_and_sent_by_somebody(kind: Kind) -> None:
    assert writer_of(kind) is not None
    assert kind.importers
    assert kind.importers <= IMPORTERS, "the routes let in whoever some kind names"
    assert {*kind.key, *kind.totals} <= {column.name for column in kind.columns}
