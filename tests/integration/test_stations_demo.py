"""The demo's stations: one for each sub-district, most in order, the others each short of something else; nobody is real."""

from __future__ import annotations

import random
from collections import Counter
from datetime import UTC, date, datetime
from typing import Any

import pytest
from sqlalchemy import text

from app.demo.identities import PHONE_PREFIX
from app.demo.names import is_demo_name
from app.demo.stations import Shortfall, demo_stations
from app.demo.stations_load import load_stations
from app.domain.calendar import business_date
from tests.demo_world import Demo

DISTRICT = "350702"
TODAY = business_date(datetime.now(UTC))
# What an assessment by 三有四全 must find wanting for each shortfall; nothing else is.
WANTING = {
    Shortfall.NOTHING: set(),
    Shortfall.STAFF: {"established_staff"},
    Shortfall.CIVIL_SERVANT: {"administrative_post"},
    Shortfall.PREMISES: {"premises_independent"},
    Shortfall.FAX: {"fax"},
    Shortfall.ARCHIVES: {"archives_bound"},
    Shortfall.INFORMANTS: {"informants"},
}


def test_the_same_stations_on_every_run() -> None:
    random.seed(1)
    first = demo_stations(DISTRICT, date(2026, 8, 1))
    random.seed(2)
    assert demo_stations(DISTRICT, date(2026, 8, 1)) == first
    later = demo_stations(DISTRICT, date(2027, 2, 3))
    assert [(one.staff, one.informants) for one in later] == [(one.staff, one.informants) for one in first]


@pytest.mark.parametrize("today", [date(2026, 1, 1), date(2026, 2, 28), date(2028, 2, 29), date(2026, 12, 31)])
def test_nothing_lies_in_the_future(today: date) -> None:
    for station in demo_stations(DISTRICT, today):
        assert all(valid_from <= today for valid_from, _ in station.sheets)
        assert all(event.held_on <= today for event in station.events)
        assert all(staff.details.since <= today for staff in station.staff)
        assert all(informant.since <= today for informant in station.informants)


def test_nobody_real_is_among_them() -> None:
    stations = demo_stations(DISTRICT, TODAY)
    informants = [informant for station in stations for informant in station.informants]
    assert all(is_demo_name(staff.details.name) for station in stations for staff in station.staff)
    assert all(is_demo_name(informant.name) for informant in informants)
    phones = [str(informant.phone) for informant in informants]
    assert len(set(phones)) == len(phones)
    assert all(phone.startswith(PHONE_PREFIX) for phone in phones)


@pytest.mark.db
@pytest.mark.xdist_group("demo")
async def test_every_subdistrict_has_its_station(demo: Demo) -> None:
    reader = demo.callers["district.inspector"].http
    page = (await reader.get("/api/v1/stations", params={"limit": 200, "as_of": TODAY.isoformat(), "count": "true"})).json()
    assert page["total"] == 21
    assert len({station["area_code"] for station in page["items"]}) == 21
    assert all(station["head"] and station["deputy"] for station in page["items"])
    other = (await demo.callers["qs.district.inspector"].http.get("/api/v1/stations", params={"count": "true"})).json()
    assert (other["total"], other["items"][0]["area_code"]) == (1, "340882100")


@pytest.mark.db
@pytest.mark.xdist_group("demo")
async def test_a_second_start_loads_nothing(demo: Demo) -> None:
    assert await load_stations(demo.runtime, datetime.now(UTC)) == 0


@pytest.mark.db
@pytest.mark.xdist_group("demo")
async def test_some_pass_and_the_others_fail_for_different_reasons(demo: Demo) -> None:
    grades: Counter[str] = Counter()
    inspector = demo.callers["district.inspector"].http
    page = (await inspector.get("/api/v1/stations", params={"limit": 200})).json()
    lacks = {station.area_code: station.shortfall for station in demo_stations(DISTRICT, TODAY)}
    for station in page["items"]:
        answer = await inspector.post(f"/api/v1/stations/{station['id']}/assessments", json={"standard": "sanyou_siquan"})
        assert answer.status_code == 201, answer.text
        grades[answer.json()["grade"]] += 1
        shortfall = lacks[station["area_code"]]
        failed = {row["code"] for row in answer.json()["criteria"] if row["mandatory"] and row["met"] is False}
        if shortfall in WANTING:
            assert failed == WANTING[shortfall], (shortfall, failed)
    assert grades["qualified"] >= 7
    assert grades["unqualified"] >= 5
    assert grades["undetermined"] >= 1


@pytest.mark.db
@pytest.mark.xdist_group("demo")
async def test_the_boundaries_of_2500_stand_in_the_tutorials_station(demo: Demo) -> None:
    """2499, 2500 and 2501 people: one, two and two informants (2500 人以上含本数)."""
    clerk = demo.callers["s001.clerk"].http
    station = (await clerk.get("/api/v1/stations")).json()["items"][0]
    facts: dict[str, Any] = (await clerk.get(f"/api/v1/stations/{station['id']}/facts")).json()["facts"]
    shown = {community["population"]: community["informants"] for community in facts["communities"]}
    assert {people: shown[people] for people in (2499, 2500, 2501)} == {2499: 1, 2500: 2, 2501: 2}


@pytest.mark.db
@pytest.mark.xdist_group("demo")
async def test_community_offices_are_on_file(demo: Demo) -> None:
    """五有一创: most are large enough, some aren't."""
    clerk = demo.callers["s001.clerk"].http
    station = (await clerk.get("/api/v1/stations")).json()["items"][0]["id"]
    path = f"/api/v1/stations/{station}"
    offices = (await clerk.get(f"{path}/community-offices", params={"as_of": TODAY.isoformat(), "limit": 200})).json()["items"]
    assert {office["area_code"][:9] for office in offices} == {"350702001"}
    order = {"standard": "wuyou_yichuang", "community": offices[0]["area_code"]}
    kept = await clerk.post(f"{path}/assessments", json=order)
    assert kept.json()["grade"] in ("qualified", "unqualified")
    every = [office for one in demo_stations(DISTRICT, TODAY) for _, office in one.offices]
    small = sum(office.area_m2 < (500 if office.kind == "urban" else 300) for office in every)
    assert 0 < small < len(every) // 3


@pytest.mark.db
@pytest.mark.xdist_group("demo")
async def test_some_cadres_are_on_file_with_a_relative(demo: Demo) -> None:
    http = demo.callers["s001.clerk"].http
    officials = (await http.get("/api/v1/officials")).json()["items"]
    assert {official["area_code"] for official in officials} == {"350702001001", "350702001002"}
    for official in officials:
        detail = (await http.get(f"/api/v1/officials/{official['id']}")).json()
        assert len(detail["relatives"]) == 1


@pytest.mark.db
@pytest.mark.xdist_group("demo")
async def test_phones_are_sealed(demo: Demo) -> None:
    async with demo.owner.connect() as connection:
        rows = (await connection.execute(text("SELECT phone_sealed, phone_masked FROM informant LIMIT 50"))).all()
    assert all(PHONE_PREFIX.encode() not in row.phone_sealed and "****" in row.phone_masked for row in rows)


@pytest.mark.db
@pytest.mark.xdist_group("demo")
async def test_the_published_report_is_a_list_like_any_other(demo: Demo) -> None:
    reader, path = demo.callers["district.inspector"].http, "/api/v1/reports/stations"
    whole = (await reader.get(path, params={"count": "true", "limit": 200})).json()
    ranks = [one["rank"] for one in whole["items"]]
    assert ranks == sorted(ranks)
    assert whole["total"] == len(ranks) >= 2
    seen, cursor = [], None
    while True:
        page = (await reader.get(path, params={"limit": 3} | ({"cursor": cursor} if cursor else {}))).json()
        seen += [one["station_id"] for one in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert seen == [one["station_id"] for one in whole["items"]]
    assert (await reader.get(path, params={"cursor": "bm9wZQ"})).status_code == 422
    own = (await demo.callers["s001.clerk"].http.get(path)).json()["items"]
    assert {one["area_code"] for one in own} == {"350702001"}
