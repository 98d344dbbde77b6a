"""A new kind is a declaration and nothing else: this one (a list of wells) is declared here, and goes in, out and back."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date
from typing import Any, cast

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.ext.asyncio import create_async_engine
from sqlmodel import SQLModel

from app.db import ddl
from app.db.base import AreaCode, DistrictKey, Instant
from app.db.engine import normalise_url
from app.db.export_readers import register_reader
from app.db.export_readers.table import TableReader
from app.db.import_writers import register_writer
from app.db.import_writers.table import TableWriter
from app.db.import_writers.target import Sealed, Target
from app.db.session import transaction
from app.domain.access import Duty
from app.domain.imports.cells import Choice, Date, Month, Number, Phone, Text, Whole, YesNo, Yuan
from app.domain.imports.kinds.shared import area_code
from app.domain.imports.model import Block, Column, Kind
from app.domain.imports.registry import KINDS, register_kind
from app.runtime import Runtime
from app.security.fields import Field
from tests.integration.export_kit import file_of
from tests.integration.import_world import imported
from tests.integration.kind_kit import CLERK, Bench, counts
from tests.integration.registry_world import MEISHAN, SignIn
from tests.world import World

pytestmark = [pytest.mark.db]

WELL = sa.Table(
    "test_well",
    sa.MetaData(),
    sa.Column("district", DistrictKey(), primary_key=True),
    sa.Column("id", sa.Uuid(), primary_key=True),
    sa.Column("area_code", AreaCode(), nullable=False),
    sa.Column("number", sa.Text(), nullable=False),
    sa.Column("dug_on", sa.Date()),
    sa.Column("checked_in", sa.Date()),
    sa.Column("depth_m", sa.Numeric(12, 2)),
    sa.Column("people", sa.Integer()),
    sa.Column("cost_fen", sa.BigInteger()),
    sa.Column("water", sa.Text()),
    sa.Column("covered", sa.Boolean()),
    sa.Column("note", sa.Text()),
    sa.Column("keeper_phone_sealed", sa.LargeBinary()),
    sa.Column("version", sa.Integer(), nullable=False, default=1),
    sa.Column("recorded_at", Instant(), nullable=False),
    sa.Column("recorded_by", sa.Uuid(), nullable=False),
    sa.UniqueConstraint("district", "area_code", "number"),
)


class Well:
    """What a table class is to the writer: something with a table."""

    __table__ = WELL


# -- the whole of what a new kind takes, the migration aside --

WELLS = Kind(
    code="test_wells",
    title="水井",
    columns=(
        area_code(12),
        Column("number", "井号", Text(30), required=True),
        Column("dug_on", "打井日期", Date()),
        Column("checked_in", "检查月份", Month()),
        Column("depth_m", "井深(米)", Number(2)),
        Column("people", "用水人数", Whole()),
        Column("cost_fen", "造价(元)", Yuan()),
        Column("water", "水质", Choice({"good": ("好",), "poor": ("差",)})),
        Column("covered", "是否有盖", YesNo()),
        Column("note", "备注", Text(200)),
        Column("keeper_phone", "看护人电话", Phone(), sensitive=True),
    ),
    key=("area_code", "number"),
    importers=frozenset({Duty.STATION_CLERK}),
    exporters=frozenset({Duty.STATION_CLERK}),
)
PLAIN = ("area_code", "number", "dug_on", "checked_in", "depth_m", "people", "cost_fen", "water", "covered", "note")
TARGET = Target(
    table=cast("type[SQLModel]", Well),
    key=("area_code", "number"),
    values={name: name for name in PLAIN},
    sealed={"keeper_phone": Sealed("keeper_phone_sealed", Field.PHONE)},
)


@pytest.fixture(scope="module")
async def wells(runtime: Runtime, world: World) -> AsyncIterator[Bench]:
    url = normalise_url(runtime.settings.database_admin_url.get_secret_value())  # type: ignore[union-attr]
    engine = create_async_engine(url)
    statements: list[str] = []
    ddl.wall(cast("ddl.Operations", Collected(statements)), "test_well", "SELECT, INSERT, UPDATE, DELETE")
    async with engine.begin() as connection:
        await connection.run_sync(WELL.create)
        for statement in statements:
            await connection.execute(sa.text(statement))
    register_kind(WELLS)
    register_writer(WELLS.code, TableWriter(TARGET))
    register_reader(WELLS.code, TableReader(TARGET))
    yield Bench.of(runtime, WELLS.code)
    del KINDS[WELLS.code]
    async with engine.begin() as connection:
        await connection.run_sync(WELL.drop)
    await engine.dispose()


class Collected:
    def __init__(self, statements: list[str]) -> None:
        self._statements = statements

    def execute(self, sqltext: str) -> None:
        self._statements.append(sqltext)


ROW = {
    "区划代码": MEISHAN,
    "井号": "W-1",
    "打井日期": "2001年5月6日",
    "检查月份": "202601",
    "井深(米)": "12.50",
    "用水人数": "1,200人",
    "造价(元)": "¥30,000.00",
    "水质": "好",
    "是否有盖": "有",
    "备注": "=村口",
    "看护人电话": "138-1234-5678",
}


async def test_it_goes_in_and_out_and_is_undone(runtime: Runtime, sign_in: SignIn, wells: Bench) -> None:
    applied, run = await wells.write(ROW)
    assert counts(applied) == (1, 0, 0, 0)
    clerk = sign_in("s001.clerk")
    for file_format in ("csv", "xlsx"):
        file = await file_of(runtime, clerk, WELLS.code, plain=True, format=file_format)
        back = await imported(runtime, clerk, file, kind=WELLS.code, name=f"x.{file_format}")
        assert (back["rows_total"], back["rows_unchanged"], back["rows_rejected"]) == (1, 1, 0), back
    assert counts((await wells.write(ROW | {"备注": "村尾", "看护人电话": "13812345679"}))[0]) == (0, 1, 0, 0)
    assert await wells.built_on(run) == {"later_imports": 1}
    _, other = await wells.write(ROW | {"井号": "W-2"})
    await wells.undo(other)
    assert counts((await wells.write(ROW | {"井号": "W-2"}, mode="insert"))[0]) == (1, 0, 0, 0)


texts = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), min_size=1, max_size=20).filter(
    lambda text: text == text.strip()
)
values = st.fixed_dictionaries(
    {
        "dug_on": st.none() | st.dates(date(1900, 1, 1), date(2200, 12, 31)),
        "checked_in": st.none() | st.dates(date(1900, 1, 1), date(2200, 12, 31)).map(lambda day: day.replace(day=1)),
        "depth_m": st.none() | st.decimals(0, 1_000_000, places=2),
        "people": st.none() | st.integers(0, 1_000_000),
        "cost_fen": st.none() | st.integers(0, 10**11),
        "water": st.sampled_from([None, "good", "poor"]),
        "covered": st.sampled_from([None, True, False]),
        "note": st.none() | texts,
        "keeper_phone": st.none() | st.from_regex(r"\A1[3-9][0-9]{9}\Z"),
    }
)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.lists(values, min_size=1, max_size=15), st.sampled_from(["csv", "xlsx"]))
async def test_whatever_is_on_record_comes_back_as_itself(
    runtime: Runtime, sign_in: SignIn, wells: Bench, rows: list[dict[str, Any]], file_format: str
) -> None:
    """Written past the file, as the desk would; what the cells couldn't read isn't written by anybody."""
    run = await wells.start()
    columns: dict[str, list[Any]] = {name: [row[name] for row in rows] for name in rows[0]}
    columns |= {"area_code": [MEISHAN] * len(rows), "number": [f"H-{place}" for place in range(len(rows))]}
    readable = [cell.parse([cell.write(value)])[0][0] == value for cell, value in noted(rows)]
    columns["note"] = [value if kept else None for value, kept in zip(columns["note"], readable, strict=True)]
    async with transaction(runtime.engine, CLERK) as session:
        await wells.writer.write(CLERK, session, Block(list(range(2, len(rows) + 2)), columns), run)
    clerk = sign_in("s001.clerk")
    file = await file_of(runtime, clerk, WELLS.code, plain=True, format=file_format)
    back = await imported(runtime, clerk, file, kind=WELLS.code, name=f"x.{file_format}", dry_run="true")
    assert (back["rows_unchanged"], back["rows_rejected"]) == (back["rows_total"], 0), back


def noted(rows: list[dict[str, Any]]) -> list[tuple[Any, Any]]:
    cell = WELLS.column("note").cell
    return [(cell, row["note"] or "x") for row in rows]
