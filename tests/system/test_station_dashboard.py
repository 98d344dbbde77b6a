"""The dashboard over the demo's 21 stations: the same number of queries however many there are, and charts in the workbook."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import openpyxl  # type: ignore[import-untyped]
import pytest
from sqlalchemy import event

from app.db.repositories.stations import StationRepository
from app.db.session import transaction
from app.db.station_operations import list_readings, sources_of
from app.domain.access import AreaScope
from app.domain.calendar import business_date
from app.domain.stations.operating import JUDGED, OPERATING, full_months
from tests.system.conftest import Demo

pytestmark = [pytest.mark.db, pytest.mark.xdist_group("demo")]

TODAY = business_date(datetime.now(UTC))
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
    assert counts[21] == counts[1] <= 40


async def test_every_operating_measure_is_one_query(demo: Demo) -> None:
    """21 stations, 20,000 people: as many queries as there are measures with data, and as for a single station."""
    counts = {}
    for scope in (AreaScope("350702", "350702"), AreaScope("350702", "350702001")):
        async with transaction(demo.runtime.engine, scope) as session:
            stations = await StationRepository(session).list_stations(scope, area_code=None, on=None, after=None, limit=100)
            with statements(demo) as seen:
                readings = await list_readings(scope, session, stations, full_months(TODAY, TODAY))
            counts[len(stations)] = len(seen)
            kept = set(sources_of(session).kept())
        assert all(reading.keys() == OPERATING.keys() for reading in readings.values())
    assert counts == {21: len(kept), 1: len(kept)}
    assert {"on_time_rate", "account_paid_rate", "lead_on_time_rate"} <= kept


async def test_what_is_listed_is_what_the_counts_lack(demo: Demo) -> None:
    """For every station and share: as many cases listed as the figure is short of all; of overdue reviews, all of them."""
    inspector = demo.callers["district.inspector"].http
    report = (await inspector.get("/api/v1/reports/station-operations")).json()
    listed = 0
    for station in report["stations"]:
        for reading in station["readings"]:
            measure = reading["measure"]
            if measure not in JUDGED.keys() | {"reviews_overdue"} or reading["reason"] is not None:
                continue
            short = reading["count"] if measure == "reviews_overdue" else reading["whole"] - reading["part"]
            if short == 0 and station["area_code"] != "350702001":
                continue  # one station shows that nothing is listed where nothing is short
            url = f"/api/v1/stations/{station['station_id']}/operations/{measure}/misses"
            page = (await inspector.get(url, params={"limit": 200, "count": "true"})).json()
            assert page["total"] == len(page["items"]) == short, (station["name"], measure)
            assert {miss["area_code"][:9] for miss in page["items"]} <= {station["area_code"]}
            listed += short
    assert listed > 0


async def test_figures_with_their_counts_stand_on_the_page(demo: Demo) -> None:
    body = (await demo.callers["district.inspector"].http.get(DASHBOARD, params=STANDARD)).json()
    operations = body["operations"]
    codes = [measure["code"] for measure in operations["measures"]]
    assert [station["station_id"] for station in operations["stations"]] == [one["station_id"] for one in body["stations"]]
    for station in operations["stations"]:
        assert [reading["measure"] for reading in station["readings"]] == codes
        for reading in station["readings"]:
            silent = {reading["rate_bp"], reading["count"]} == {None}
            assert silent == (reading["reason"] is not None), reading
            if reading["rate_bp"] is not None:
                assert reading["rate_bp"] == 10_000 * reading["part"] // reading["whole"]


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
    assert book.sheetnames == ["热力表", "雷达图", "走势", "整改漏斗", "运行指标", "运行数据"]
    assert book["热力表"].max_row == book["运行指标"].max_row == 22
    assert book["运行数据"].max_row == 1 + 21 * len(OPERATING)
    lines = {(row[0], row[1]): row[2:] for row in book["运行数据"].iter_rows(min_row=2, values_only=True)}
    for (_, name), (part, whole, rate, count, _unit, said) in lines.items():
        if name == OPERATING["home_visit_rate"].name:
            assert (part, whole, rate, count) == (None, None, None, None)  # empty, not zero
            assert "尚未记录" in said
        if name == OPERATING["on_time_rate"].name and whole:
            assert int(rate * 100 + 0.5) == 10_000 * part // whole
    with zipfile.ZipFile(io.BytesIO(answer.content)) as packed:
        charts = [name for name in packed.namelist() if name.startswith("xl/charts/chart")]
    assert len(charts) == 21 + 3
