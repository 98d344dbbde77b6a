"""Acceptance of stations over HTTP: a whole campaign, who may do what, and what is published for good."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import orjson
import pytest
import pytest_asyncio
from sqlalchemy import text

from app.db.session import transaction
from app.domain.access import AreaScope
from app.runtime import Runtime
from tests.integration.inspection_world import AS_OF, DAYS, JPEG, Campaign, code_of, opened
from tests.integration.station_world import SignIn, employed, fresh_name, station_of

pytestmark = pytest.mark.db


@pytest_asyncio.fixture(loop_scope="session")
async def campaign(sign_in: SignIn) -> AsyncIterator[Campaign]:
    made = await opened(sign_in)
    yield made
    await made.inspector.post(f"{made.url}/cancel")


async def test_a_campaign_from_opening_to_publication(campaign: Campaign, runtime: Runtime) -> None:
    await campaign.begin()
    failing = (await campaign.rows())[0]["criterion"]
    await campaign.assess(failing, met=True)
    await campaign.find_all(failing=(failing,))
    await campaign.confirm()
    listed = (await campaign.clerk.get("/api/v1/rectifications", params={"open_only": True})).json()["items"]
    other = (await campaign.clerk.get("/api/v1/rectifications", params={"station_id": str(uuid4()), "count": True})).json()
    assert (other["items"], other["total"]) == ([], 0)
    mine = next(one for one in listed if campaign.inspection.endswith(one["inspection_id"]))
    assert (mine["criterion"], mine["requirement"], mine["state"]) == (failing, "请限期整改", "open")
    before = (await campaign.inspector.get(f"{campaign.url}/results")).json()[0]
    assert before["passed"] is False

    await _escalates(campaign, mine["id"])
    photo = await campaign.evidence(campaign.clerk, JPEG)
    url = f"/api/v1/rectifications/{mine['id']}"
    sent = await campaign.clerk.post(f"{url}/submit", json={"note": "已整改", "evidence": [photo]})
    assert sent.json()["state"] == "submitted"
    closed = await campaign.inspector.post(f"{url}/reinspect", json={"passed": True, "note": "复查合格"})
    assert closed.json()["state"] == "closed"
    after = (await campaign.inspector.get(f"{campaign.url}/results")).json()[0]
    assert (after["passed"], after["score_points"], after["rank"]) == (True, 10000, 1)

    await campaign.advance()
    published = await campaign.reviewer.post(f"{campaign.url}/publish")
    assert published.json()["phase"] == "published"
    results = (await campaign.reviewer.get(f"{campaign.url}/published-results")).json()
    assert (results[0]["passed"], results[0]["consequence"]["notice"]) == (True, "commendation")
    canonical = orjson.dumps(results[0]["content"], option=orjson.OPT_SORT_KEYS)
    assert hashlib.sha256(canonical).hexdigest() == results[0]["content_hash"]
    await _later_edits_change_nothing(campaign, runtime, results)


async def _escalates(campaign: Campaign, rectification: str) -> None:
    """Due on 31 January: before the head from the next day on, before the district after fifteen days."""
    for day, escalated in (("2030-01-31", []), ("2030-02-01", ["station_head"]), ("2030-02-16", ["district"])):
        found = []
        for to, caller, named in (("station_head", campaign.head, "站长"), ("district", campaign.reviewer, "区县")):
            at = {"X-Demo-Date": day}
            query: dict[str, str | bool] = {"escalated_to": to, "count": True}
            page = (await caller.get("/api/v1/rectifications", params=query, headers=at)).json()
            found += [to for one in page["items"] if one["id"] == rectification]
            lists = (await caller.get("/api/v1/tasks", headers=at)).json()["work_lists"]
            counted = next(one["open"] for one in lists if one["title"] == f"逾期整改（提请{named}）")
            assert counted == page["total"]
        assert found == escalated


async def _later_edits_change_nothing(campaign: Campaign, runtime: Runtime, results: list[dict[str, Any]]) -> None:
    station = await station_of(campaign.clerk)
    await employed(campaign.clerk, station, since="2021-01-01")
    assert (await campaign.reviewer.get(f"{campaign.url}/published-results")).json() == results
    with pytest.raises(Exception, match=r"permission denied|append-only"):
        async with transaction(runtime.engine, AreaScope("350702", "350702")) as session:
            await session.execute(text("UPDATE inspection_result SET score_points = 0"))


async def test_the_station_sees_its_own_and_its_bulletin(campaign: Campaign, sign_in: SignIn) -> None:
    await campaign.begin()
    assert (await campaign.clerk.get(campaign.inspection)).status_code == 200
    other = await sign_in("s002.clerk").get(campaign.inspection)
    assert (other.status_code, other.json()["code"]) == (404, "inspection_not_found")
    assert (await campaign.clerk.get("/api/v1/reports/stations", params={"campaign_id": campaign.id})).json()["items"] == []


async def test_three_sources_side_by_side(campaign: Campaign) -> None:
    rooms = f"/api/v1/stations/{await station_of(campaign.clerk)}/premises"
    shared = dict.fromkeys(("independent", "accessible", "service_window", "archive_room"), False)
    entered = await campaign.clerk.post(rooms, json={"area_m2": 20, "valid_from": AS_OF} | shared)
    assert entered.status_code == 201, entered.text
    await campaign.begin()
    rows = await campaign.rows()
    failing = next(row for row in rows if row["derived"] is False)
    await campaign.assess(failing["criterion"], met=True)
    row = next(one for one in await campaign.rows() if one["criterion"] == failing["criterion"])
    assert (row["derived"], row["self_met"], row["found"], row["disagrees"]) == (False, True, None, True)
    against = await campaign.find(failing["criterion"], met=True)
    assert (against.status_code, code_of(against)) == (422, "evidence_missing")
    marks = (await campaign.inspector.get(f"{campaign.inspection}/marks")).json()
    assert [(one["source"], one["criterion"]) for one in marks] == [("self", failing["criterion"])]
    taken_back = await campaign.clerk.post(f"{rooms}/{entered.json()['id']}/withdraw", json={"reason": "录入有误"})
    assert taken_back.status_code in (200, 204), taken_back.text


async def test_what_is_refused_on_the_way(campaign: Campaign) -> None:
    await campaign.begin(advances=1)
    criterion = (await campaign.rows())[0]["criterion"]
    assert code_of(await campaign.assess(criterion, met=True)) == "campaign_phase"
    await campaign.advance()
    assert (await campaign.assess(criterion, met=True)).status_code == 200
    assert code_of(await campaign.find(criterion, met=True)) == "campaign_phase"
    await campaign.advance()
    assert code_of(await campaign.find("no_such", met=True)) == "criterion_unknown"
    photo = await campaign.evidence()
    assert code_of(await campaign.find(criterion, met=False, evidence=[photo])) == "rectify_by_required"
    stranger = str(uuid4())
    assert code_of(await campaign.find(criterion, met=True, evidence=[stranger])) == "evidence_unknown"
    assert code_of(await campaign.inspector.post(f"{campaign.inspection}/sign")) == "findings_missing"
    assert code_of(await campaign.head.post(f"{campaign.inspection}/countersign")) == "inspection_state"
    assert code_of(await campaign.inspector.post(f"{campaign.url}/advance")) == "inspections_unfinished"
    assert code_of(await campaign.reviewer.post(f"{campaign.url}/publish")) == "campaign_phase"


async def test_a_finding_changed_after_a_signature_is_signed_anew(campaign: Campaign) -> None:
    await campaign.begin()
    await campaign.find_all()
    etag = (await campaign.inspector.get(campaign.inspection)).headers["etag"]
    await campaign.confirm()
    stale = await campaign.inspector.put(f"{campaign.inspection}/findings/any", json={"met": True}, headers={"If-Match": etag})
    assert (stale.status_code, stale.json()["code"]) == (412, "stale_version")
    late = await campaign.find("any", met=True)
    assert (late.status_code, late.json()["code"]) == (409, "inspection_state")


async def test_a_sheet_is_saved_whole_or_not_at_all(campaign: Campaign) -> None:
    await campaign.begin()
    sheet = await campaign.sheet()
    wrong = [dict(row) for row in sheet]
    wrong[1]["met"] = False
    wrong[2]["evidence"] = [str(uuid4())]
    wrong += [{"criterion": "no_such", "met": True}, dict(sheet[0])]
    refused = await campaign.put(campaign.inspector, f"{campaign.inspection}/findings", {"marks": wrong})
    places = [(error["pointer"], error["code"]) for error in refused.json()["errors"]]
    last = len(sheet)
    assert places == [
        ("/marks/1/rectify_by", "rectify_by_required"),
        ("/marks/2/evidence", "evidence_unknown"),
        (f"/marks/{last}/criterion", "criterion_unknown"),
        (f"/marks/{last + 1}/criterion", "criterion_repeated"),
    ]
    assert (await campaign.inspector.get(f"{campaign.inspection}/marks")).json() == []
    saved = await campaign.put(campaign.inspector, f"{campaign.inspection}/findings", {"marks": sheet})
    assert [one["criterion"] for one in saved.json()] == [row["criterion"] for row in sheet]
    own = [{"criterion": row["criterion"], "met": True} for row in sheet]
    said = await campaign.put(campaign.clerk, f"{campaign.inspection}/self-marks", {"marks": own})
    assert {one["source"] for one in said.json()} == {"self"}
    assert all(row["found"] and row["self_met"] for row in await campaign.rows())


async def test_what_isnt_decided_isnt_published(campaign: Campaign, runtime: Runtime) -> None:
    await campaign.begin()
    await campaign.find_all()
    await campaign.confirm()
    await campaign.advance()
    async with transaction(runtime.engine, AreaScope("350702", "350702")) as session:
        one = f"SELECT id FROM inspection_mark WHERE inspection_id = '{campaign.inspection[-36:]}' AND source = 'found' LIMIT 1"
        await session.execute(text(f"UPDATE inspection_mark SET criterion = 'gone' WHERE id = ({one})"))
    refused = await campaign.reviewer.post(f"{campaign.url}/publish")
    assert (refused.status_code, refused.json()["code"]) == (409, "results_undecided")
    assert (await campaign.inspector.get(f"{campaign.url}/results")).json()[0]["rank"] is None


async def test_the_seed_is_drawn_when_nobody_names_one(campaign: Campaign) -> None:
    drawn = (await campaign.inspector.get(campaign.url)).json()
    assert 0 <= drawn["seed"] < 1_000_000
    await campaign.inspector.post(f"{campaign.url}/cancel")
    station = await station_of(campaign.clerk)
    body = {"title": "验收", "standard": "sanyou_siquan", "as_of": AS_OF, "schedule": DAYS, "stations": [station]}
    samples = []
    for seed in (drawn["seed"], drawn["seed"]):
        opened = (await campaign.inspector.post("/api/v1/inspection-campaigns", json=body | {"seed": seed})).json()
        listed = await campaign.inspector.get("/api/v1/inspections", params={"campaign_id": opened["id"]})
        samples.append(listed.json()["items"][0]["sample"])
        await campaign.inspector.post(f"/api/v1/inspection-campaigns/{opened['id']}/cancel")
    assert samples[0] == samples[1]


async def test_a_post_that_comes_on_file_later_bars_as_well(campaign: Campaign) -> None:
    await campaign.begin()
    await campaign.find_all()
    me = (await campaign.inspector.get("/api/v1/me")).json()
    station = await station_of(campaign.clerk)
    post = await employed(campaign.clerk, station, name=me["display_name"], since="2021-05-02")
    criterion = (await campaign.rows())[0]["criterion"]
    refused = [await campaign.find(criterion, met=True), await campaign.inspector.post(f"{campaign.inspection}/sign")]
    void = {"on": "2021-05-02"}  # the same inspector is wanted by other tests
    undone = await campaign.clerk.post(f"/api/v1/stations/{station}/staff/{post['id']}/end", json=void)
    assert undone.status_code == 200, undone.text
    assert [code_of(answer) for answer in refused] == ["inspector_worked_there"] * 2


async def test_a_post_that_has_ended_bars_for_good(campaign: Campaign, sign_in: SignIn) -> None:
    """Told by the name: the account of today is another one than then."""
    await campaign.begin(advances=0)
    account = {"username": "inspector.former", "display_name": fresh_name(), "area_code": "350702", "duties": ["inspector"]}
    added = (await sign_in("district.admin").post("/api/v1/accounts", json=account)).json()
    station = await station_of(campaign.clerk)
    clerk = (await campaign.clerk.get("/api/v1/me")).json()["id"]
    post = await employed(campaign.clerk, station, name=account["display_name"], since="2021-05-01", account_id=clerk)
    ended = await campaign.clerk.post(f"/api/v1/stations/{station}/staff/{post['id']}/end", json={"on": "2021-06-01"})
    assert ended.status_code == 200, ended.text
    refused = await campaign.put(campaign.inspector, f"{campaign.inspection}/team", {"inspectors": [added["id"]]})
    assert code_of(refused) == "inspector_worked_there"


async def test_nobody_inspects_where_he_worked(campaign: Campaign, sign_in: SignIn) -> None:
    await campaign.begin(advances=0)
    me = (await campaign.inspector.get("/api/v1/me")).json()
    station = await station_of(campaign.clerk)
    name = me.get("display_name") or me["name"]
    former = await employed(campaign.clerk, station, name=name, since="2021-05-01")
    refused = await campaign.put(campaign.inspector, f"{campaign.inspection}/team", {"inspectors": [me["id"]]})
    assert (refused.status_code, refused.json()["code"]) == (409, "inspector_worked_there")
    other = (await sign_in("district.reviewer").get("/api/v1/me")).json()["id"]
    not_one = await campaign.put(campaign.inspector, f"{campaign.inspection}/team", {"inspectors": [other]})
    assert (not_one.status_code, not_one.json()["code"]) == (409, "not_an_inspector")
    void = {"on": "2021-05-01"}  # it never held: an entry made by mistake bars nobody
    ended = await campaign.clerk.post(f"/api/v1/stations/{station}/staff/{former['id']}/end", json=void)
    assert ended.status_code == 200, ended.text
    await campaign.appoint()


async def test_a_station_is_in_one_campaign_at_a_time(campaign: Campaign) -> None:
    station = await station_of(campaign.clerk)
    body = {"title": "另一次", "standard": "sanyou_siquan", "as_of": AS_OF, "schedule": DAYS, "stations": [station]}
    answer = await campaign.inspector.post("/api/v1/inspection-campaigns", json=body)
    assert (answer.status_code, answer.json()["code"]) == (409, "station_in_other_campaign")


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"standard": "no_such"}, 404, "standard_not_found"),
        ({"as_of": "1990-01-01"}, 409, "no_standard_in_force"),
        ({"as_of": "2026-07-01"}, 422, "as_of_after_end"),
        ({"schedule": DAYS | {"inspection_from": "2020-01-01"}}, 422, "schedule_out_of_order"),
        ({"stations": [str(uuid4())]}, 404, "station_not_found"),
        ({"area_code": "350702106"}, 409, "no_stations"),
        ({"title": " "}, 422, "too_short"),
        ({"sample_size": -1}, 422, "too_small"),
    ],
)
async def test_a_campaign_that_makes_no_sense(sign_in: SignIn, change: dict[str, Any], status: int, code: str) -> None:
    body = {"title": "验收", "standard": "sanyou_siquan", "as_of": AS_OF, "schedule": DAYS, **change}
    answer = await sign_in("district.inspector").post("/api/v1/inspection-campaigns", json=body)
    assert (answer.status_code, code_of(answer)) == (status, code), answer.text
