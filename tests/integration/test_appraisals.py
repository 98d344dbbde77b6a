"""The year-end assessment over HTTP: a whole year, what is refused on the way, and what is published for good."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any
from uuid import uuid4

import httpx
import orjson
import pytest
import pytest_asyncio
from sqlalchemy import text

from app.appraisal_schemes import shipped_schemes
from app.db.session import transaction
from app.domain.access import AreaScope, Duty
from app.runtime import Runtime
from tests.integration.appraisal_world import END, MID, Year, code_of, reported_only, spans
from tests.integration.station_world import HUANGDUN, MEISHAN, SignIn, employed
from tests.world import World

pytestmark = pytest.mark.db
DISTRICT = AreaScope("350702", "350702")


@pytest_asyncio.fixture(loop_scope="session")
async def year(sign_in: SignIn) -> AsyncIterator[Year]:
    made = Year(sign_in)
    opened = await made.open()
    assert opened.status_code == 201, opened.text
    yield made
    await made.inspector.post(f"{made.url}/cancel")


async def test_a_year_from_opening_to_publication(year: Year) -> None:
    await year.finish()
    assert (await year.report(HUANGDUN, home_visits="80")).status_code == 200
    bonus = await year.adjust(MEISHAN, "bonus", "honour", 150)
    assert bonus.status_code == 201, bonus.text
    found = await year.standings()
    mine, other = found[MEISHAN], found[HUANGDUN]
    # half of the weight at 90, the indicators at 100: 95
    assert (mine["base_points"], mine["bonus_points"], mine["total_points"], mine["rank"]) == (9500, 150, 9650, 1)
    # 80 of 100 home visits with weight 15 of 35: (15·80 + 20·100) / 35 = 91.43
    assert next(row for row in other["parts"] if row["part"] == "indicators")["score_points"] == 9143
    assert (other["total_points"], other["grade"], other["rank"]) == (9072, "excellent", 2)

    published = await year.publish()
    assert (published.status_code, published.json()["phase"]) == (200, "published"), published.text
    results = (await year.reviewer.get(f"{year.url}/published-results")).json()
    shown = [(one["area_code"], one["score_points"], one["rank"]) for one in results]
    assert shown == [(MEISHAN, 9650, 1), (HUANGDUN, 9072, 2)]
    canonical = orjson.dumps(results[0]["content"], option=orjson.OPT_SORT_KEYS)
    assert hashlib.sha256(canonical).hexdigest() == results[0]["content_hash"]
    assert await year.standings() == found
    own = await year.clerk.get(f"{year.stations[MEISHAN]}/standing")
    assert own.json() == mine
    history = await year.clerk.get(f"/api/v1/stations/{year.station_ids[MEISHAN]}/published-appraisals")
    assert history.json()["items"][0]["year"] == year.year


async def test_an_old_years_score_never_changes_when_a_weight_does(year: Year, runtime: Runtime) -> None:
    """Not by a later version of the scheme, not by later entries elsewhere, not by a statement past the application."""
    await year.finish()
    weights = [row | {"weight": {"indicators": 100}.get(row["part"], 0)} for row in reported_only()["weights"]]
    later = reported_only() | {"version": f"v{year.year}", "from_year": 2000, "weights": weights}
    before = await year.standings()
    laid_down = await year.policy.post("/api/v1/appraisal-schemes", json=later)
    assert laid_down.status_code == 201, laid_down.text
    assert await year.standings() == before  # pinned when the year was opened
    assert (await year.publish()).status_code == 200
    results = (await year.reviewer.get(f"{year.url}/published-results")).json()
    training = {"audience": "assistants", "held_on": f"{year.year}-10-10", "topic": "低保政策", "attended": 5}
    added = await year.clerk.post(f"/api/v1/stations/{year.station_ids[MEISHAN]}/trainings", json=training)
    assert added.status_code == 201, added.text
    assert (await year.reviewer.get(f"{year.url}/published-results")).json() == results
    assert await year.standings() == before
    await _nothing_can_be_written_over(runtime, year.url.rsplit("/", 1)[1])


async def _nothing_can_be_written_over(runtime: Runtime, appraisal_id: str) -> None:
    for statement in (
        "UPDATE appraisal_result SET score_points = 0",
        "DELETE FROM appraisal_result",
        "UPDATE appraisal_scheme SET version = 'x'",
        "UPDATE appraisal_score SET score_points = 0",
        "UPDATE appraisal SET scheme = '{}' WHERE id = :id",
        "UPDATE appraisal_station SET scheme = '{}' WHERE appraisal_id = :id",
        "UPDATE appraisal SET phase = 'review' WHERE id = :id",
        "UPDATE appraisal_station SET phase = 'review' WHERE appraisal_id = :id",
        """INSERT INTO appraisal_score (district, id, area_code, station_appraisal_id, number, part, round, score_points,
               evidence, entered_by, entered_by_name, entered_at)
           SELECT district, gen_random_uuid(), area_code, id, 99, 'leader', 'year_end', 1, '{}', gen_random_uuid(), 'x', now()
           FROM appraisal_station WHERE appraisal_id = :id""",
    ):
        with pytest.raises(Exception, match=r"permission denied|append-only|the year is final"):
            async with transaction(runtime.engine, DISTRICT) as session:
                await session.execute(text(statement), {"id": appraisal_id})


async def test_two_that_publish_at_once_publish_once_and_never_a_leader_his_own_scores(
    year: Year, runtime: Runtime, world: World
) -> None:
    await year.finish()
    leader = world.accounts["district.approver"]
    duties = [Duty.APPROVER, Duty.REVIEWER]
    token = runtime.tokens.issue_access_token(subject=leader.id, level=leader.level, area=leader.area, duties=duties)
    refused = await year.leader.post(f"{year.url}/publish", headers={"Authorization": f"Bearer {token}"})
    assert (refused.status_code, code_of(refused)) == (409, "published_by_leader")
    answers = await asyncio.gather(*(year.publish() for _ in range(4)))
    codes = sorted((answer.status_code, answer.json().get("code", "")) for answer in answers)
    assert codes == [(200, ""), *[(409, "appraisal_phase")] * 3]
    async with transaction(runtime.engine, DISTRICT) as session:
        statement = text("SELECT count(*) FROM appraisal_result WHERE appraisal_id = :id")
        assert (await session.execute(statement, {"id": year.url.rsplit("/", 1)[1]})).scalar_one() == 2


async def test_no_entry_slips_past_a_publication(year: Year) -> None:
    """An entry either is in what was published, or is refused."""
    await year.finish()
    etag = (await year.leader.get(year.stations[MEISHAN])).headers["etag"]
    url = f"{year.stations[MEISHAN]}/leader-scores/{END}"
    entry = year.leader.put(url, json={"score_points": 1000}, headers={"If-Match": etag})
    entered, published = await asyncio.gather(entry, year.publish())
    assert published.status_code == 200, published.text
    results = (await year.reviewer.get(f"{year.url}/published-results")).json()
    scores = next(one for one in results if one["area_code"] == MEISHAN)["content"]["scores"]
    frozen = next(one["points"] for one in scores if (one["part"], one["round"]) == ("leader", END))
    assert (entered.status_code, frozen) in ((200, 1000), (409, 9000), (412, 9000)), entered.text


async def test_equals_share_a_rank_and_a_veto_comes_last(year: Year) -> None:
    await year.finish()
    assert {one["rank"] for one in (await year.standings()).values()} == {1}
    vetoed = await year.adjust(MEISHAN, "veto", "integrity")
    assert vetoed.status_code == 201, vetoed.text
    found = (await year.standings())[MEISHAN]
    assert (found["rank"], found["grade"], found["total_points"]) == (2, "unqualified", 9500)
    url = f"{year.stations[MEISHAN]}/adjustments/{vetoed.json()['id']}/withdraw"
    back = await year.inspector.post(url, json={"reason": "查无实据"})
    assert (back.status_code, back.json()["withdrawn_reason"]) == (200, "查无实据")
    assert code_of(await year.inspector.post(url, json={"reason": "再撤"})) == "adjustment_withdrawn"
    assert (await year.standings())[MEISHAN]["rank"] == 1


@pytest_asyncio.fixture(loop_scope="session")
async def measured(sign_in: SignIn) -> AsyncIterator[Year]:
    """A year under the shipped scheme, in which most is measured."""
    made = Year(sign_in)
    opened = await made.open(scheme="year_end")
    assert opened.status_code == 201, opened.text
    yield made
    await made.inspector.post(f"{made.url}/cancel")


async def test_what_is_measured_is_taken_from_the_operating_data(measured: Year) -> None:
    year, station = measured, measured.station_ids[MEISHAN]
    year.today(f"{year.year}-12-31")
    for month in (2, 9):
        body = {"audience": "assistants", "held_on": f"{year.year}-{month:02}-10", "topic": "业务", "attended": 5}
        assert (await year.clerk.post(f"/api/v1/stations/{station}/trainings", json=body)).status_code == 201
    meeting = {"kind": "monthly_meeting", "invited": 9, "attended": 9}
    for month in range(1, 10):
        body = meeting | {"held_on": f"{year.year}-{month:02}-05"}
        assert (await year.clerk.post(f"/api/v1/stations/{station}/meetings", json=body)).status_code == 201
    rows = {row["indicator"]: row for row in (await year.standings())[MEISHAN]["indicators"]}
    trainings, meetings = rows["assistant_trainings"], rows["monthly_meetings"]
    assert (trainings["actual"], trainings["score_points"], trainings["source"]) == ("2", 10000, "培训记录 2 次")
    assert (meetings["actual"], meetings["score_points"]) == ("9", 7500)
    assert (rows["quarterly_checks"]["actual"], rows["quarterly_checks"]["score_points"]) == ("0", 0)  # meetings are on file
    assert (rows["on_time"]["standing"], rows["on_time"]["score_points"]) == ("no_data", None)  # no case fell due that year


async def test_the_acceptance_takes_points_off(measured: Year, runtime: Runtime) -> None:
    """区对基层民政组织意见 三: failing the acceptance counts at the year's end; only a result of the same year."""
    year, station, day = measured, measured.station_ids[MEISHAN], f"{measured.year}-10-01T08:00:00+08:00"
    insert = """
        WITH campaign AS (INSERT INTO inspection_campaign (district, id, area_code, title, standard, standard_version, as_of,
            preparation_from, implementation_from, inspection_from, conclude_by, seed, sample_size, phase, opened_by,
            opened_by_name, opened_at, version)
            VALUES ('350702', gen_random_uuid(), '350702', 'x', 'x', '1', '2026-01-01', '2026-01-01', '2026-01-01', '2026-01-01',
            '2026-01-01', 1, 1, 'cancelled', gen_random_uuid(), 'x', now(), 1) RETURNING id)
        INSERT INTO inspection_result (district, id, area_code, campaign_id, station_id, station_name, passed, score_points, rank,
            consequence, content, content_hash, published_at)
        SELECT '350702', gen_random_uuid(), :area, id, :station, 'x', false, 7200, 1, '{"points_off": 200}', '{}', 'x', :day
        FROM campaign
    """
    async with transaction(runtime.engine, DISTRICT) as session:
        values = {"area": MEISHAN, "station": station, "day": datetime.fromisoformat(day)}
        await session.execute(text(insert), values)
    year.today(f"{year.year}-12-01")
    found = (await year.standings())[MEISHAN]
    deduction = next(row for row in found["adjustments"] if (row["kind"], row["code"]) == ("deduction", "acceptance"))
    assert (deduction["counted_points"], deduction["source"]) == (200, f"{year.year}-10-01 公布的验收结果")
    row = next(row for row in found["indicators"] if row["indicator"] == "acceptance")
    assert (row["actual"], row["target"], row["score_points"]) == ("72", "90", 8000)
    assert (await year.standings())[HUANGDUN]["deduction_points"] == 0
    await year.reach("operation")
    assert code_of(await year.adjust(MEISHAN, "deduction", "acceptance", 100)) == "adjustment_measured"


async def test_what_comes_too_early_or_too_late(year: Year) -> None:
    assert code_of(await year.advance(f"{year.year}-04-30")) == "appraisal_phase_too_early"
    review = {"score_points": 1, "note": "x"}
    assert code_of(await year.put(year.clerk, MEISHAN, f"self-reviews/{MID}", review)) == "appraisal_phase"
    await year.reach("mid_year")
    late = {"targets": [{"indicator": "home_visits", "target": "95"}]}
    assert code_of(await year.put(year.inspector, MEISHAN, "targets", late)) == "note_required"
    late["targets"][0]["note"] = "下半年任务调整"
    changed = await year.put(year.inspector, MEISHAN, "targets", late)
    assert next(one["target"] for one in changed.json()["targets"] if one["indicator"] == "home_visits") == "95"
    assert code_of(await year.advance(f"{year.year}-08-20")) == "appraisal_incomplete"
    assert code_of(await year.put(year.clerk, MEISHAN, f"self-reviews/{END}", review)) == "appraisal_phase"
    await year.score(MEISHAN, MID)
    await year.score(HUANGDUN, MID)
    for day in ("08-20", "11-20"):
        assert (await year.advance(f"{year.year}-{day}")).status_code == 200
    assert code_of(await year.publish()) == "publication_too_early"
    year.today(f"{year.year + 1}-01-02")
    missing = await year.publish()
    assert code_of(missing) == "appraisal_incomplete"
    assert "指标“新申请低保入户率”" in missing.json()["detail"]


async def test_overdue_is_recorded_after_the_last_day(sign_in: SignIn) -> None:
    year = Year(sign_in)
    await year.open()
    await year.reach("review")
    url = f"{year.stations[HUANGDUN]}/overdue/{END}"
    assert code_of(await year.inspector.post(url, json={"reason": "已催报"})) == "not_overdue_yet"
    year.today(f"{year.year + 1}-01-02")
    recorded = await year.inspector.post(url, json={"reason": "已催报两次"})
    assert recorded.status_code == 200, recorded.text
    row = next(one for one in (await year.standings())[HUANGDUN]["indicators"] if one["indicator"] == "complaints")
    assert (row["standing"], row["score_points"], row["source"]) == ("overdue", 0, "已催报两次")
    assert (await year.report(HUANGDUN)).status_code == 200  # handed in late, and before the publication
    row = next(one for one in (await year.standings())[HUANGDUN]["indicators"] if one["indicator"] == "complaints")
    assert (row["standing"], row["score_points"]) == ("scored", 10000)
    assert code_of(await year.inspector.post(url, json={"reason": "再催"})) == "nothing_overdue"
    await year.inspector.post(f"{year.url}/cancel")


async def test_reports_that_make_no_sense(year: Year) -> None:
    target = {"targets": [{"indicator": "petitions_answered", "target": None, "note": "无信访职能"}]}
    assert (await year.put(year.inspector, MEISHAN, "targets", target)).status_code == 200
    await year.reach("reporting")

    async def refused(**report: Any) -> str:
        body = {"reports": [{"indicator": "home_visits", "actual": "100", **report}]}
        return code_of(await year.put(year.clerk, MEISHAN, f"reports/{END}", body))

    assert await refused(actual="99.99") == "next_step_required"
    assert await refused(indicator="petitions_answered") == "indicator_not_asked"
    assert await refused(indicator="no_such") == "indicator_unknown"
    assert await refused(evidence=[str(uuid4())]) == "evidence_not_of_station"
    assert await refused(actual="-1") == "too_small"
    assert await refused(actual="1.001") == "too_precise"
    twice = {"reports": [{"indicator": "home_visits", "actual": "100"}] * 2}
    assert code_of(await year.put(year.clerk, MEISHAN, f"reports/{END}", twice)) == "entered_twice"
    kept = await year.put(year.clerk, MEISHAN, f"reports/{END}", {"reports": [{"indicator": "home_visits", "actual": "100.00"}]})
    assert [one["actual"] for one in kept.json()["reports"]] == ["100"]
    stale = await year.clerk.put(f"{year.stations[MEISHAN]}/reports/{END}", json=twice, headers={"If-Match": '"1"'})
    assert (stale.status_code, code_of(stale)) == (412, "stale_version")


async def test_surveys_and_adjustments_that_make_no_sense(year: Year) -> None:
    await year.reach("mid_year")

    async def survey(sample: int, satisfied: int) -> str:
        body = {"sample_size": sample, "satisfied": satisfied, "conducted_by": "统计局"}
        return code_of(await year.put(year.inspector, MEISHAN, f"surveys/{MID}", body))

    assert await survey(29, 20) == "sample_too_small"
    assert await survey(30, 31) == "satisfied_over_sample"
    assert code_of(await year.adjust(MEISHAN, "bonus", "honour", 201)) == "points_over_rule"
    assert code_of(await year.adjust(MEISHAN, "bonus", "honour", 0)) == "points_over_rule"
    assert code_of(await year.adjust(MEISHAN, "bonus", "criticism", 100)) == "adjustment_rule_unknown"
    assert code_of(await year.adjust(MEISHAN, "veto", "integrity", 1)) == "veto_without_points"
    assert code_of(await year.adjust(MEISHAN, "bonus", "honour", 100, evidence=[])) == "too_few"
    other = await year.evidence(HUANGDUN)
    assert code_of(await year.adjust(MEISHAN, "bonus", "honour", 100, evidence=[other])) == "evidence_not_of_station"


async def test_nobody_scores_his_own_station_or_publishes_his_own_scores(year: Year) -> None:
    await year.reach("mid_year")
    me = (await year.leader.get("/api/v1/me")).json()
    name = me.get("display_name") or me["name"]
    post = await employed(year.clerk, year.station_ids[MEISHAN], name=name, since=f"{year.year}-01-01")
    body = {"score_points": 9000}
    own = await year.put(year.leader, MEISHAN, f"leader-scores/{MID}", body)
    assert (own.status_code, code_of(own)) == (403, "own_station")
    assert (await year.put(year.leader, HUANGDUN, f"leader-scores/{MID}", body)).status_code == 200
    void = {"on": f"{year.year}-01-01"}  # entered by mistake
    ended = await year.clerk.post(f"/api/v1/stations/{year.station_ids[MEISHAN]}/staff/{post['id']}/end", json=void)
    assert ended.status_code == 200, ended.text
    assert (await year.put(year.leader, MEISHAN, f"leader-scores/{MID}", body)).status_code == 200
    for caller in (year.inspector, year.reviewer, year.head):
        refused = await year.put(caller, MEISHAN, f"leader-scores/{MID}", body)
        assert (refused.status_code, code_of(refused)) == (403, "duty_required")


async def test_a_station_sees_its_own_year_only(year: Year) -> None:
    assert (await year.clerk.get(year.stations[MEISHAN])).status_code == 200
    other = await year.clerk.get(year.stations[HUANGDUN])
    assert (other.status_code, code_of(other)) == (404, "station_appraisal_not_found")
    listed = (await year.clerk.get("/api/v1/station-appraisals", params={"count": True, "limit": 200})).json()
    assert {one["area_code"] for one in listed["items"]} == {MEISHAN}
    assert listed["total"] == len(listed["items"])


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"scheme": "no_such"}, 404, "appraisal_scheme_not_found"),
        ({"scheme_version": "no_such"}, 409, "no_scheme_in_force"),
        ({"stations": [str(uuid4())]}, 404, "station_not_found"),
        ({"area_code": "350702003", "stations": []}, 409, "no_stations_in_year"),
        ({"schedule": spans(2001)}, 422, "schedule_outside_year"),
        ({"title": " "}, 422, "too_short"),
        ({"year": 1999}, 422, "too_small"),
    ],
)
async def test_a_year_that_makes_no_sense(sign_in: SignIn, change: dict[str, Any], status: int, code: str) -> None:
    answer = await Year(sign_in).open(**change)
    assert (answer.status_code, code_of(answer)) == (status, code), answer.text


async def test_a_year_is_opened_once(year: Year) -> None:
    answer = await year.open()
    assert (answer.status_code, code_of(answer)) == (409, "appraisal_of_year_exists")


async def test_a_station_is_in_one_year_only_whoever_opens_it(year: Year) -> None:
    answer = await year.inspector.post(
        "/api/v1/appraisals",
        json={"area_code": MEISHAN, "year": year.year, "title": "街道考核", "scheme": "year_end", "schedule": spans(year.year)},
    )
    assert (answer.status_code, code_of(answer)) == (409, "station_in_other_year")


async def test_two_that_open_the_same_year_open_it_once(sign_in: SignIn) -> None:
    year = Year(sign_in)
    answers = await asyncio.gather(year.open(), year.open())
    assert sorted(answer.status_code for answer in answers) == [201, 409], [one.text for one in answers]
    assert {code_of(one) for one in answers if one.status_code == 409} == {"appraisal_of_year_exists"}
    await year.inspector.post(f"{year.url}/cancel")


async def test_a_scheme_that_contradicts_itself(sign_in: SignIn) -> None:
    policy, document = sign_in("district.policy"), dict(shipped_schemes()[0].document)
    weights = [row | {"weight": 1} for row in document["weights"]]

    async def refused(**change: Any) -> httpx.Response:
        return await policy.post("/api/v1/appraisal-schemes", json=document | {"version": "x"} | change)

    answer = await refused(weights=weights)
    assert "1 + 1 + 1 + 1 + 1 + 1 + 1 = 7" in answer.json()["errors"][0]["message"]
    assert code_of(answer) == "weights_sum"
    assert code_of(await refused(grades=document["grades"][:-1])) == "grades_order"
    assert code_of(await refused(indicators=document["indicators"][:1] * 2)) == "entered_twice"
    assert code_of(await refused(indicators=[document["indicators"][0] | {"measure": "no_such"}])) == "measure_unknown"
    assert code_of(await refused(indicators=[document["indicators"][0] | {"line": "business"}])) == "business_line"
    assert code_of(await refused(version="2020")) == "scheme_version_exists"
    assert (await sign_in("district.reviewer").post("/api/v1/appraisal-schemes", json=document)).status_code == 403
    shown = await sign_in("s001.clerk").get("/api/v1/appraisal-schemes/year_end")
    assert shown.json()["versions"][0]["version"] == "2020"
    assert (await policy.get("/api/v1/appraisal-schemes/no_such")).status_code == 404
