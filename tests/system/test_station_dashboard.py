"""The dashboard over the demo's 21 stations: the same number of queries however many there are, and charts in the workbook."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import openpyxl  # type: ignore[import-untyped]
import pytest
from sqlalchemy import event

from tests.system.conftest import Demo

pytestmark = [pytest.mark.db, pytest.mark.xdist_group("demo")]

DASHBOARD = "/api/v1/reports/station-dashboard"
STANDARD: dict[str, str | int] = {"standard": "sanyou_siquan", "months": 0}


@contextmanager
def statements(demo: Demo) -> Iterator[list[str]]:
    seen: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        seen.append(statement)

    engine = demo.runtime.engine.sync_engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(engine, "before_cursor_execute", note)


async def test_every_kind_of_fact_is_one_query(demo: Demo) -> None:
    """21 stations of a district cost as many as the one of a sub-district."""
    counts = {}
    for name in ("district.inspector", "s001.clerk"):
        with statements(demo) as seen:
            answer = await demo.callers[name].http.get(DASHBOARD, params=STANDARD)
        assert answer.status_code == 200, answer.text
        counts[len(answer.json()["stations"])] = len(seen)
    assert set(counts) == {21, 1}
    assert counts[21] == counts[1] <= 20


async def test_heat_radar_trend_and_funnel(demo: Demo) -> None:
    body = (await demo.callers["district.inspector"].http.get(DASHBOARD, params={**STANDARD, "months": 3})).json()
    assert {len(station["cells"]) for station in body["stations"]} == {len(body["criteria"])}
    assert {True, False} <= {cell for station in body["stations"] for cell in station["cells"]}
    assert all(0 <= points <= 10000 for station in body["stations"] for points in station["radar"].values() if points is not None)
    assert len(body["trend"]) == 4
    assert body["trend"][-1]["as_of"] == body["as_of"]
    funnel = body["rectifications"]
    assert funnel["found"] >= funnel["submitted"] + funnel["closed"] + funnel["overdue"]


async def test_a_day_before_the_standard(demo: Demo) -> None:
    inspector = demo.callers["district.inspector"].http
    answer = await inspector.get(DASHBOARD, params={**STANDARD, "as_of": "1990-01-01"})
    assert (answer.status_code, answer.json()["code"]) == (409, "no_standard_in_force")
    assert (await inspector.get(DASHBOARD, params={"standard": "no_such"})).status_code == 422


async def test_the_workbook_has_charts_of_its_own(demo: Demo) -> None:
    answer = await demo.callers["district.inspector"].http.get(f"{DASHBOARD}.xlsx", params={**STANDARD, "months": 2})
    assert answer.status_code == 200
    book = openpyxl.load_workbook(io.BytesIO(answer.content))
    assert book.sheetnames == ["热力表", "雷达图", "走势", "整改漏斗"]
    assert book["热力表"].max_row == 22
    with zipfile.ZipFile(io.BytesIO(answer.content)) as packed:
        charts = [name for name in packed.namelist() if name.startswith("xl/charts/chart")]
    assert len(charts) == 21 + 2
