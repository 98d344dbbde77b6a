"""Measures from operating data: read from real cases, payments and leads, with the cases that missed, each in its own area.

The database is shared by the run: what a test adds is told by the difference that it makes.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import httpx
import pytest

from app.runtime import Runtime
from tests.integration.casework_world import ACCEPTED, OPINION, Case, Family, drafted, family, on
from tests.integration.payment_roll import Roll
from tests.integration.registry_world import SignIn
from tests.integration.service_world import ALL, acted, published, taken
from tests.integration.station_world import COMMUNITY, engaged, station_of

pytestmark = pytest.mark.db

REPORT = "/api/v1/reports/station-operations"
NOW = on("2026-11-20")
PERIOD = {"period_from": "2026-03-01", "period_to": "2026-04-30"}
Figures = Mapping[str, tuple[int, int]]


class Station:
    """The station of 梅山街道, and what it shows over the spring of 2026."""

    def __init__(self, reader: httpx.AsyncClient, station_id: str) -> None:
        self.reader = reader
        self.id = station_id
        self.url = f"/api/v1/stations/{station_id}"

    async def shown(self, **params: Any) -> dict[str, Any]:
        answer = await self.reader.get(f"{self.url}/operations", params=PERIOD | params, headers=NOW)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    async def figures(self) -> Figures:
        readings = (await self.shown())["stations"][0]["readings"]
        return {one["measure"]: (one["part"], one["whole"]) for one in readings if one["whole"] is not None}

    async def missed(self, measure: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        params: dict[str, Any] = {**PERIOD, "limit": 3, "count": "true"}
        while True:
            page = (await self.reader.get(f"{self.url}/operations/{measure}/misses", params=params, headers=NOW)).json()
            found += page["items"]
            if page["next_cursor"] is None:
                assert len({one["id"] for one in found}) == len(found) == page["total"]
                return found
            params["cursor"] = page["next_cursor"]


def gained(before: Figures, after: Figures) -> dict[str, tuple[int, int]]:
    """Measure → cases more that are as they should be, and cases more; those that stayed are left out."""
    differences = {code: (good - before[code][0], cases - before[code][1]) for code, (good, cases) in after.items()}
    return {code: difference for code, difference in differences.items() if difference != (0, 0)}


@pytest.fixture
async def station(sign_in: SignIn) -> Station:
    clerk = sign_in("s001.clerk")
    return Station(clerk, await station_of(clerk))


async def drafted_with_facts(sign_in: SignIn, applicants: Family) -> Case:
    """The facts are those that the applicants brought along."""
    worker = sign_in("c001001.worker")
    facts = applicants.facts(60_000, 30_000)
    body = {"household_id": applicants.household_id, "programme": "dibao", "facts": facts}
    answer = await worker.post("/api/v1/applications", json=body, headers=on("2026-03-01"))
    assert answer.status_code == 201, answer.text
    return Case(sign_in, applicants, answer.json()["id"])


# --- casework --------------------------------------------------------------------------------------------------------------


async def test_a_case_as_it_should_be_counts_everywhere(sign_in: SignIn, station: Station) -> None:
    case = await drafted(sign_in)
    before = await station.figures()
    await case.confirmed()
    assert gained(before, await station.figures()) == {
        "survey_rate": (1, 1),
        "on_time_rate": (2, 2),
        "notice_rate": (1, 1),
        "complete_case_files": (1, 1),
        "digital_case_files": (1, 1),
    }
    assert case.id not in {miss["subject_id"] for miss in await station.missed("on_time_rate")}


async def test_late_ones_are_listed_with_the_clock_that_ran_out(sign_in: SignIn, station: Station) -> None:
    case = await drafted(sign_in)
    before = await station.figures()
    await case.submitted()
    await case.done(case.clerk, "accept", ACCEPTED)
    assert (await case.put_facts(case.family.facts(60_000, 30_000), "2026-03-20")).status_code == 200
    assert gained(before, await station.figures()) == {"on_time_rate": (0, 2)}
    mine = [miss for miss in await station.missed("on_time_rate") if miss["subject_id"] == case.id]
    assert {miss["what"] for miss in mine} == {"start_survey", "total"}
    assert {(miss["kind"], miss["href"], miss["area_code"]) for miss in mine} == {("application", case.url, "350702001001")}


@pytest.mark.parametrize(("surveyed_on", "gain"), [("2026-03-05", (1, 2)), ("2026-03-06", (0, 2))])
async def test_the_last_day_of_a_clock_is_in_time(
    sign_in: SignIn, station: Station, surveyed_on: str, gain: tuple[int, int]
) -> None:
    """Accepted on Monday 2 March, three working days: through Thursday the 5th (57号 第十五条)."""
    case = await drafted(sign_in)
    before = await station.figures()
    await case.submitted()
    await case.done(case.clerk, "accept", ACCEPTED)
    await case.put_facts(case.family.facts(60_000, 30_000), surveyed_on)
    assert gained(before, await station.figures()) == {"on_time_rate": gain}


@pytest.mark.parametrize(("withdrawn_on", "gain"), [("2026-03-04", {}), ("2026-03-10", {"on_time_rate": (0, 1)})])
async def test_taking_an_application_back_keeps_no_clock(
    sign_in: SignIn, station: Station, withdrawn_on: str, gain: dict[str, tuple[int, int]]
) -> None:
    """Taken back in time it counts neither way; a clock that had run out by then was missed."""
    case = await drafted(sign_in)
    before = await station.figures()
    await case.submitted()
    await case.done(case.clerk, "accept", ACCEPTED)
    await case.done(case.worker, "withdraw", withdrawn_on)
    assert gained(before, await station.figures()) == gain


async def test_an_opinion_on_what_the_applicants_brought_along_is_no_survey(sign_in: SignIn, station: Station) -> None:
    case = await drafted_with_facts(sign_in, await family(sign_in))
    before = await station.figures()
    await case.submitted()
    await case.done(case.clerk, "accept", ACCEPTED)
    await case.done(case.head, "give-opinion", OPINION)
    assert gained(before, await station.figures()) == {"survey_rate": (0, 1), "on_time_rate": (0, 2)}
    assert case.id in {miss["subject_id"] for miss in await station.missed("survey_rate")}


async def test_a_roll_from_before_has_no_case_file(sign_in: SignIn, station: Station, runtime: Runtime, world: object) -> None:
    before = await station.figures()
    entitled = await Roll(runtime, COMMUNITY).household({"base": 100}, since=date(2026, 4, 1))
    assert gained(before, await station.figures()) == {"digital_case_files": (0, 1)}
    (miss,) = [one for one in await station.missed("digital_case_files") if one["subject_id"] == str(entitled.entitlement_id)]
    assert (miss["on"], miss["href"]) == ("2026-04-01", f"/api/v1/entitlements/{entitled.entitlement_id}")


async def test_digitisation_of_the_acceptance_standard_is_read_from_the_files(
    sign_in: SignIn, station: Station, runtime: Runtime, world: object
) -> None:
    """What the station wrote on its sheet stands beside it and decides nothing."""
    await Roll(runtime, COMMUNITY).household({"base": 100}, since=date(2026, 4, 1))
    answer = await station.reader.post(f"{station.url}/assessments", json={"standard": "sanyou_siquan"}, headers=NOW)
    assert answer.status_code == 201, answer.text
    kept = answer.json()
    (row,) = [one for one in kept["criteria"] if one["code"] == "archives_digitised"]
    tally = kept["facts"]["operations"]["digital_case_files"]
    assert (row["met"], tally["recorded"]) == (False, True)
    assert f"{tally['part']}/{tally['whole']}" in row["assumption"]
    facts = (await station.reader.get(f"{station.url}/facts", headers=NOW)).json()["facts"]
    assert facts["operations"]["digital_case_files"] == tally
    assert facts["operations"]["home_visit_rate"] == {"part": None, "whole": None, "recorded": False}


# --- payments --------------------------------------------------------------------------------------------------------------


async def test_what_is_held_for_its_account_was_not_paid_out(
    sign_in: SignIn, station: Station, runtime: Runtime, world: object
) -> None:
    area = "350702001003"
    before = await station.figures()
    roll = Roll(runtime, area)
    paid = await roll.household({"base": 100, "uplift_elderly": 20}, since=date(2026, 4, 1))
    held = await roll.household({"base": 100}, since=date(2026, 4, 1), account=None)
    batch = await _released(sign_in, area)
    paid_out, held_back = batch["households"], batch["held_households"]  # others of the run may live there too
    assert (paid_out >= 1, held_back >= 1) == (True, True)
    gain = gained(before, await station.figures())
    assert gain == {"account_paid_rate": (paid_out, paid_out + held_back), "digital_case_files": (0, 2)}
    listed = {miss["subject_id"]: miss["what"] for miss in await station.missed("account_paid_rate")}
    assert listed.get(str(held.entitlement_id)) == "account_missing"
    assert str(paid.entitlement_id) not in listed


async def _released(sign_in: SignIn, area: str) -> dict[str, Any]:
    months = {"period_from": "2026-04", "period_to": "2026-04", "pay_month": "2026-04"}
    finance, approver = sign_in("district.finance"), sign_in("district.approver")
    body = {**months, "programmes": ["dibao"], "area_code": area}
    batch = (await finance.post("/api/v1/payment-batches", json=body, headers={"Idempotency-Key": f"open-{area}"})).json()
    assert "id" in batch, batch
    for client, act in ((finance, "compute"), (finance, "submit"), (approver, "approve"), (approver, "release")):
        url = f"/api/v1/payment-batches/{batch['id']}/{act}"
        answer = await client.post(url, headers={"Idempotency-Key": f"{act}-{batch['id']}"})
        assert answer.status_code == 200, answer.text
        batch = answer.json()
    return dict(batch)


# --- leads, meetings -------------------------------------------------------------------------------------------------------


async def reported(sign_in: SignIn, day: str, **values: Any) -> str:
    body = {"area_code": COMMUNITY, "kind": "hardship", "about": "三组某户", "description": "屋顶漏雨", **values}
    answer = await sign_in("c001001.worker").post("/api/v1/leads", json=body, headers=on(day))
    assert answer.status_code == 201, answer.text
    return f"/api/v1/leads/{answer.json()['id']}"


async def settled(clerk: httpx.AsyncClient, lead: str, day: str) -> None:
    for act, body in (("take", None), ("settle", {"outcome": "visited", "note": "已看"})):
        answer = await clerk.post(f"{lead}/{act}", json=body, headers=on(day))
        assert answer.status_code == 200, answer.text


async def test_leads_in_time_and_who_reports(sign_in: SignIn, station: Station) -> None:
    clerk, worker = sign_in("s001.clerk"), sign_in("c001001.worker")
    await reported(sign_in, "2026-01-05")  # leads are in use here
    before = await station.figures()
    busy, silent = await engaged(clerk, station.id), await engaged(clerk, station.id)
    await engaged(clerk, station.id, since="2026-03-02")  # came after the period had begun
    in_time = await reported(sign_in, "2026-03-02", informant_id=busy["id"])
    late = await reported(sign_in, "2026-03-02", informant_id=busy["id"])
    taken_back = await reported(sign_in, "2026-03-02", informant_id=silent["id"])
    await settled(clerk, in_time, "2026-03-05")
    await settled(clerk, late, "2026-03-06")
    await worker.post(f"{taken_back}/withdraw", json={"note": "重复"}, headers=on("2026-03-03"))
    assert gained(before, await station.figures()) == {
        "lead_on_time_rate": (1, 2),
        "active_informants": (1, 2),
        "leads_per_informant": (2, 3),
    }
    assert late in {miss["href"] for miss in await station.missed("lead_on_time_rate")}
    idle = {miss["subject_id"] for miss in await station.missed("active_informants")}
    assert silent["id"] in idle
    assert busy["id"] not in idle


async def test_two_meetings_of_a_month_are_one_months(sign_in: SignIn, station: Station) -> None:
    seen = []
    for day in (None, "2021-05-06", "2021-05-20", "2021-06-03"):
        if day is not None:
            body = {"kind": "monthly_meeting", "held_on": day, "invited": 8, "attended": 8}
            assert (await sign_in("s001.clerk").post(f"{station.url}/meetings", json=body)).status_code == 201
        shown = await station.shown(period_from="2021-05-01", period_to="2021-06-30", as_of="2026-11-20")
        seen.append(next(one["count"] for one in shown["stations"][0]["readings"] if one["measure"] == "meeting_months"))
    assert seen == [0, 1, 1, 2]


# --- service items ---------------------------------------------------------------------------------------------------------


async def test_requests_within_the_promised_time(sign_in: SignIn, station: Station) -> None:
    """Taken on Monday 13 April, five working days: through Monday the 20th. One taken back in time isn't judged."""
    await published(sign_in)
    clerk, worker = sign_in("s001.clerk"), sign_in("c001001.worker")
    before = await station.figures()
    for end in ("2026-04-20", "2026-04-21"):
        request = await taken(clerk, "review", "2026-04-13", materials=ALL)
        await acted(clerk, request, "finish", end, note="办完")
    still_open = await taken(worker, "review", "2026-04-13", materials=ALL)
    await acted(clerk, await taken(clerk, "review", "2026-04-13"), "withdraw", "2026-04-14", note="不办了")
    assert gained(before, await station.figures()) == {"service_on_time_rate": (1, 3)}
    missed = {miss["subject_id"]: miss for miss in await station.missed("service_on_time_rate")}
    assert missed[still_open["id"]]["href"] == f"/api/v1/service-requests/{still_open['id']}"
    assert missed[still_open["id"]]["on"] == "2026-04-20"


# --- no data, the period, walls --------------------------------------------------------------------------------------------


async def test_what_nobody_keeps_says_so_and_has_nothing_to_list(station: Station) -> None:
    shown = await station.shown()
    silent = {one["measure"]: one for one in shown["stations"][0]["readings"] if one["reason"] == "no_data"}
    assert {"home_visit_rate", "review_rate", "returns_open", "returns_oldest_days", "complaint_rate"} <= set(silent)
    for one in silent.values():
        assert (one["part"], one["whole"], one["rate_bp"], one["count"]) == (None, None, None, None)
        assert "系统尚未记录" in one["reason_text"]
    row = next(one for one in shown["stations"][0]["criteria"] if one["measure"] == "home_visit_rate")
    assert (row["derived"], row["derived_reason"], row["measured"]) == (None, "no_data", None)
    refused = await station.reader.get(f"{station.url}/operations/home_visit_rate/misses")
    assert (refused.status_code, refused.json()["code"]) == (409, "measure_without_data")
    unknown = await station.reader.get(f"{station.url}/operations/happiness/misses")
    assert (unknown.status_code, unknown.json()["code"]) == (404, "measure_not_found")


async def test_nothing_happened_before_anything_was_kept(station: Station) -> None:
    shown = await station.shown(period_from="1999-01-01", period_to="1999-12-31", as_of="2026-11-20")
    reasons = {one["measure"]: one["reason"] for one in shown["stations"][0]["readings"]}
    assert set(reasons.values()) == {"no_data", "no_cases", None}
    assert reasons["on_time_rate"] == reasons["active_informants"] == "no_cases"
    assert shown["stations"][0]["points"] is None


async def test_the_period_is_the_last_twelve_full_months_unless_asked_for(station: Station) -> None:
    answer = await station.reader.get(f"{station.url}/operations", headers=NOW)
    assert (answer.json()["period_from"], answer.json()["period_to"]) == ("2025-11-01", "2026-10-31")
    asked = await station.shown()
    assert (asked["period_from"], asked["period_to"], asked["as_of"]) == (*PERIOD.values(), "2026-04-30")
    for wrong in ({"period_to": "2026-11-20"}, {"period_to": "2026-02-28"}):
        refused = await station.reader.get(f"{station.url}/operations", params=PERIOD | wrong, headers=NOW)
        assert refused.status_code == 422, refused.text
    assert (await station.reader.get(REPORT, params={"period_from": "2026-03-01"})).status_code == 422


async def test_each_sees_its_own_and_all_read_the_same(sign_in: SignIn, station: Station) -> None:
    other = sign_in("s002.clerk")
    await station_of(other, "350702002")
    for path in ("operations", "operations/on_time_rate/misses", "operations/happiness/misses"):
        refused = await other.get(f"{station.url}/{path}")
        assert (refused.status_code, refused.json()["code"]) == (404, "station_not_found")
    own = (await other.get(REPORT, params=PERIOD, headers=NOW)).json()["stations"]
    assert [one["area_code"] for one in own] == ["350702002"]
    district = (await sign_in("district.inspector").get(REPORT, params=PERIOD, headers=NOW)).json()["stations"]
    by_area = {one["area_code"]: one for one in district}
    assert by_area["350702002"] == own[0]
    assert by_area["350702001"] == (await station.shown())["stations"][0]
    for name in ("c001001.worker", "district.finance", "district.admin"):
        assert (await sign_in(name).get(REPORT)).status_code == 403


# --- three sources ---------------------------------------------------------------------------------------------------------


async def test_the_stations_word_stands_beside_the_data(sign_in: SignIn, station: Station) -> None:
    case = await drafted(sign_in)
    await case.submitted()
    await case.done(case.clerk, "accept", ACCEPTED)  # and nothing after: both clocks run out
    claims = [{"code": "within_time_limits", "met": True}, {"code": "hotline_within_24_hours", "met": True}]
    order = {"standard": "operations", "claims": claims}
    kept = (await station.reader.post(f"{station.url}/assessments", json=order, headers=NOW)).json()
    assert (kept["disagreements"], kept["grade"]) == (1, "unqualified")
    shown = (await station.shown())["stations"][0]
    rows = {row["criterion"]: row for row in shown["criteria"]}
    limits, hotline = rows["within_time_limits"], rows["hotline_within_24_hours"]
    assert (limits["derived"], limits["self_met"], limits["found"], limits["disagrees"]) == (False, True, None, True)
    assert (hotline["derived_reason"], hotline["self_met"], hotline["disagrees"]) == ("no_data", True, False)
    assert shown["disagreements"] == 1
    later = {"standard": "operations", "claims": [{"code": "within_time_limits", "met": False}]}
    await station.reader.post(f"{station.url}/assessments", json=later, headers=NOW)
    rows = {row["criterion"]: row for row in (await station.shown())["stations"][0]["criteria"]}
    assert (rows["within_time_limits"]["self_met"], rows["within_time_limits"]["disagrees"]) == (False, False)


async def test_an_acceptance_by_this_standard_shows_the_data_too(sign_in: SignIn, station: Station) -> None:
    inspector = sign_in("district.inspector")
    days = dict.fromkeys(("preparation_from", "implementation_from", "inspection_from", "conclude_by"), "2026-10-31")
    body = {"title": "运行质效检查", "standard": "operations", "as_of": "2026-10-31", "schedule": days, "stations": [station.id]}
    opened = await inspector.post("/api/v1/inspection-campaigns", json=body)
    assert opened.status_code == 201, opened.text
    url = f"/api/v1/inspection-campaigns/{opened.json()['id']}"
    rows = {row["criterion"]: row for row in (await inspector.get(f"{url}/results")).json()[0]["criteria"]}
    derived = {
        row["criterion"]: row
        for row in (await station.shown(period_from="2025-11-01", period_to="2026-10-31"))["stations"][0]["criteria"]
    }
    assert {code: row["derived"] for code, row in rows.items()} == {code: row["derived"] for code, row in derived.items()}
    assert rows["new_applications_visited"]["derived_reason"] == "no_data"
    await inspector.post(f"{url}/cancel")
