"""On-time rates over HTTP: per item, per station, per period, by both limits, in a fixed number of queries."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import event

from app.db.service_rates import on_time_by_station
from app.db.session import transaction
from app.domain.access import AreaScope
from app.domain.service_items.rates import Period
from app.runtime import Runtime
from tests.integration.casework_world import family
from tests.integration.registry_world import SignIn
from tests.integration.service_world import ALL, RATES, acted, at, published, refused, taken

pytestmark = pytest.mark.db

# Days that no other test of the run takes requests on: June 2026.
MONDAY, FRIDAY, NEXT_MONDAY = "2026-06-01", "2026-06-05", "2026-06-08"
JUNE = {"period_from": "2026-06-01", "period_until": "2026-07-01"}


@pytest_asyncio.fixture(scope="module", loop_scope="session", autouse=True)
async def done(sign_in: SignIn) -> None:
    """Of station 1 one in time, one late by its promise only, one open for good, one taken back; of a community one in time."""
    await published(sign_in)
    clerk, worker = sign_in("s001.clerk"), sign_in("c001001.worker")
    for end in (FRIDAY, "2026-06-11", None):
        request = await taken(clerk, "review", MONDAY, materials=ALL)
        if end is not None:
            await acted(clerk, request, "finish", end, note="办完")
    back = await taken(clerk, "review", MONDAY)
    await acted(clerk, back, "withdraw", FRIDAY, note="不办了")
    waiting = await taken(clerk, "review", MONDAY)
    await acted(clerk, waiting, "notify-missing", FRIDAY, materials=[{"code": "form", "reason": "absent"}])
    answer = await taken(worker, "advice", MONDAY)
    await acted(worker, answer, "finish", MONDAY, note="已答复")


async def rates(sign_in: SignIn, name: str = "district.reviewer", day: str = "2026-07-10", **params: Any) -> dict[str, Any]:
    answer = await sign_in(name).get(RATES, params=JUNE | params, headers=at(day))
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def own(page: dict[str, Any]) -> list[dict[str, Any]]:
    """The rows without applications: other tests of the run make those, and they count too."""
    return [one for one in page["rows"] if one["item_code"] != "dibao"]


def row(page: dict[str, Any], station: str | None, item: str | None) -> dict[str, Any] | None:
    return next((one for one in page["rows"] if (one["station_area"], one["item_code"]) == (station, item)), None)


async def test_each_item_of_each_station(sign_in: SignIn) -> None:
    page = await rates(sign_in, by="both")
    review = row(page, "350702001", "review")
    assert review is not None
    assert review["legal"] == {"judged": 3, "on_time": 2, "percent": "66.66"}
    assert review["promised"] == {"judged": 3, "on_time": 1, "percent": "33.33"}
    advice = row(page, "350702001", "advice")
    assert advice is not None
    assert advice["legal"] == {"judged": 0, "on_time": 0, "percent": None}  # no law sets a limit
    assert advice["promised"] == {"judged": 1, "on_time": 1, "percent": "100.00"}
    assert row(page, "350702002", "review") is None  # no data is not 0 %


async def test_sums_by_station_and_by_item(sign_in: SignIn) -> None:
    by_station = row(await rates(sign_in), "350702001", None)
    assert by_station is not None
    each = [one["promised"] for one in (await rates(sign_in, by="both"))["rows"] if one["station_area"] == "350702001"]
    sums = {name: sum(one[name] for one in each) for name in ("judged", "on_time")}
    assert {name: by_station["promised"][name] for name in sums} == sums
    assert sums["judged"] >= 4
    assert sums["on_time"] >= 2
    page = await rates(sign_in, by="item", item_code="advice")
    assert [one["item_code"] for one in page["rows"]] == ["advice"]
    assert page["total"]["promised"]["judged"] == 1


async def test_without_data_there_is_no_rate(sign_in: SignIn) -> None:
    page = await rates(sign_in, period_from="2026-01-01", period_until="2026-01-02")
    assert (page["rows"], page["total"]["legal"]["percent"]) == ([], None)


async def test_unless_told_otherwise_the_year_up_to_today(sign_in: SignIn) -> None:
    answer = await sign_in("s001.clerk").get(RATES, headers=at("2026-06-05"))
    assert (answer.json()["period_from"], answer.json()["period_until"]) == ("2026-01-01", "2026-06-06")


async def test_one_sees_ones_own_area(sign_in: SignIn) -> None:
    page = await rates(sign_in, "c001001.worker", by="both")
    assert [(one["station_area"], one["item_code"]) for one in own(page)] == [("350702001", "advice")]
    assert own(await rates(sign_in, "s002.clerk", by="both")) == []
    assert own(await rates(sign_in, area_code="350702002", by="both")) == []


async def test_a_period_that_ends_before_it_begins(sign_in: SignIn) -> None:
    answer = await sign_in("s001.clerk").get(RATES, params={"period_from": "2026-07-01", "period_until": "2026-07-01"})
    assert refused(answer) == (422, "period_order")


async def test_relief_applications_count_by_their_own_clock(sign_in: SignIn) -> None:
    clerk = sign_in("s002.clerk")
    body = {"household_id": (await family(sign_in, "350702002001")).household_id}
    application = (await clerk.post("/api/v1/applications", json=body, headers=at(MONDAY))).json()
    url = f"/api/v1/applications/{application['id']}"
    for step in ("submit", "accept"):
        assert (await clerk.post(f"{url}/{step}", headers=at(MONDAY))).status_code == 200
    span = {"period_from": "2026-06-01", "period_until": "2026-09-01", "area_code": "350702002", "by": "both"}
    # Promised are 20 working days, the law has 30: from 1 June that is 30 June and 14 July (Dragon Boat Festival on 19 June).
    for day, legal, promised in (("2026-06-30", 0, 0), ("2026-07-01", 0, 1), ("2026-07-15", 1, 1)):
        page = await rates(sign_in, day=day, **span)
        found = row(page, "350702002", "dibao")
        assert ((found["legal"]["judged"], found["promised"]["judged"]) if found else (0, 0)) == (legal, promised)
    assert (await clerk.post(f"{url}/withdraw", headers=at("2026-07-15"))).status_code == 200


async def test_a_fixed_number_of_queries_for_all_stations(runtime: Runtime) -> None:
    seen: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if "service_request" in statement or "application_deadline" in statement:
            seen.append(statement)

    scope, period = AreaScope("350702", "350702"), Period(date(2026, 6, 1), date(2026, 7, 1), date(2026, 7, 10))
    engine = runtime.engine.sync_engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        async with transaction(runtime.engine, scope) as session:
            found = await on_time_by_station(scope, session, period)
    finally:
        event.remove(engine, "before_cursor_execute", note)
    assert len(seen) == 2
    assert found["350702001"].promised.judged >= 4
    assert found["350702001"].promised.on_time >= 2
