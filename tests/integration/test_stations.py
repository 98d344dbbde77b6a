"""Stations, their staff and their informants: one station at a time, periods that never overlap, walls."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import text

from app.db.session import transaction
from app.domain.access import AreaScope
from app.domain.calendar import business_date
from app.runtime import Runtime
from tests.integration.station_world import (
    COMMUNITY,
    HUANGDUN,
    MEISHAN,
    OTHER_COMMUNITY,
    SignIn,
    employed,
    engaged,
    findings,
    fresh_name,
    informant,
    post,
    station_of,
)

pytestmark = pytest.mark.db

DISTRICT = AreaScope("350702", "350702")
TOMORROW = (business_date(datetime.now(UTC)) + timedelta(days=1)).isoformat()


# --- stations ------------------------------------------------------------------------------------------------------------


async def test_a_subdistrict_has_one_station_at_a_time(sign_in: SignIn) -> None:
    clerk = sign_in("s001.clerk")
    await station_of(clerk)
    body = {"area_code": MEISHAN, "name": "第二个工作站", "opened_on": "2024-06-01"}
    answer = await clerk.post("/api/v1/stations", json=body)
    assert (answer.status_code, answer.json()["code"]) == (409, "station_exists")
    assert "2020-01-01" in answer.json()["detail"]
    before = await clerk.post("/api/v1/stations", json={**body, "opened_on": "2019-06-01"})
    assert before.status_code == 409  # it would still stand when the present one was opened


async def test_two_who_open_the_same_station_at_once(sign_in: SignIn) -> None:
    """Whoever comes second is told so; a voided station makes room."""
    clerk = sign_in("s002.clerk")
    body = {"area_code": HUANGDUN, "name": "黄墩街道办事处民政工作站", "opened_on": "2020-01-01"}
    for standing in (await clerk.get("/api/v1/stations")).json()["items"]:  # other tests have one there too
        if standing["closed_on"] is None:
            await clerk.post(f"/api/v1/stations/{standing['id']}/close", json={"on": standing["opened_on"]})
    answers = await asyncio.gather(*(clerk.post("/api/v1/stations", json=body) for _ in range(4)))
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409]
    station = next(answer for answer in answers if answer.status_code == 201).json()
    closed = await clerk.post(f"/api/v1/stations/{station['id']}/close", json={"on": "2020-01-01"})
    assert closed.json()["closed_on"] == "2020-01-01"
    again = await clerk.post(f"/api/v1/stations/{station['id']}/close", json={"on": "2021-01-01"})
    assert (again.status_code, again.json()["code"]) == (409, "already_ended")
    path = f"/api/v1/stations/{station['id']}"
    reopened = await clerk.put(path, json={"closed_on": None}, headers={"If-Match": "*"})
    assert (reopened.status_code, reopened.json()["closed_on"]) == (200, None)
    backwards = await clerk.put(path, json={"closed_on": "2019-12-31"}, headers={"If-Match": "*"})
    assert (backwards.status_code, backwards.json()["code"]) == (409, "end_before_start")
    to_come = await clerk.put(path, json={"closed_on": TOMORROW}, headers={"If-Match": "*"})
    assert findings(to_come) == [("/closed_on", "date_in_future")]
    assert (await clerk.put(path, json={"closed_on": "2020-01-01"}, headers={"If-Match": "*"})).status_code == 200
    late = await clerk.post(f"/api/v1/stations/{station['id']}/staff", json=post(since="2020-01-01"))
    assert (late.status_code, late.json()["code"]) == (409, "station_closed")
    person = informant(area_code=f"{HUANGDUN}001", since="2020-01-01")
    engaged_late = await clerk.post(f"/api/v1/stations/{station['id']}/informants", json=person)
    assert (engaged_late.status_code, engaged_late.json()["code"]) == (409, "station_closed")
    second = await clerk.post("/api/v1/stations", json=body)
    assert second.status_code == 201
    back = await clerk.put(path, json={"closed_on": None}, headers={"If-Match": "*"})
    assert (back.status_code, back.json()["code"]) == (409, "station_exists")
    await clerk.post(f"/api/v1/stations/{second.json()['id']}/close", json={"on": "2020-01-01"})


async def test_only_in_ones_own_subdistrict(sign_in: SignIn) -> None:
    body = {"area_code": HUANGDUN, "name": "他站"}
    answer = await sign_in("s001.clerk").post("/api/v1/stations", json=body)
    assert (answer.status_code, answer.json()["code"]) == (404, "area_not_found")
    unknown = await sign_in("s001.clerk").post("/api/v1/stations", json={**body, "area_code": "350702999"})
    assert unknown.status_code == 404
    for name in ("district.reviewer", "district.inspector", "c001001.worker", "district.admin"):
        answer = await sign_in(name).post("/api/v1/stations", json={**body, "area_code": MEISHAN})
        assert (answer.status_code, answer.json()["code"]) == (403, "duty_required")


async def test_what_may_be_changed_of_a_station(sign_in: SignIn) -> None:
    clerk = sign_in("s001.clerk")
    path = f"/api/v1/stations/{await station_of(clerk)}"
    read = await clerk.get(path)
    changed = await clerk.put(
        path, json={"address": "示例路 1 号", "phone": "0599-8800000"}, headers={"If-Match": read.headers["etag"]}
    )
    assert changed.status_code == 200, changed.text
    assert changed.json() == {
        **read.json(),
        "address": "示例路 1 号",
        "phone": "0599-8800000",
        "version": read.json()["version"] + 1,
    }
    stale = await clerk.put(path, json={"name": "改名"}, headers={"If-Match": read.headers["etag"]})
    assert (stale.status_code, stale.json()["code"]) == (412, "stale_version")
    assert (await clerk.put(path, json={"name": "改名"})).status_code == 428
    cleared = await clerk.put(path, json={"phone": None, "name": None}, headers={"If-Match": changed.headers["etag"]})
    assert (cleared.json()["phone"], cleared.json()["name"]) == (None, read.json()["name"])


async def test_who_sees_a_station(sign_in: SignIn) -> None:
    station = await station_of(sign_in("s001.clerk"))
    path = f"/api/v1/stations/{station}"
    for name in ("s001.head", "district.reviewer", "district.inspector", "district.auditor", "district.policy"):
        assert (await sign_in(name).get(path)).status_code == 200, name
    elsewhere = await sign_in("s002.clerk").get(path)
    nowhere = await sign_in("s002.clerk").get(f"/api/v1/stations/{uuid4()}")
    assert (elsewhere.status_code, elsewhere.json()["detail"]) == (404, nowhere.json()["detail"])
    assert (await sign_in("qs.district.auditor").get(path)).status_code == 404
    assert (await sign_in("district.admin").get(path)).status_code == 403
    page = (await sign_in("district.inspector").get("/api/v1/stations", params={"area_code": MEISHAN, "count": "true"})).json()
    assert station in {item["id"] for item in page["items"]}
    assert page["total"] == len(page["items"])


# --- staff ---------------------------------------------------------------------------------------------------------------


async def test_a_post_is_held_from_its_first_day_up_to_its_end(sign_in: SignIn) -> None:
    clerk = sign_in("s001.clerk")
    station = await station_of(clerk)
    path = f"/api/v1/stations/{station}/staff"
    staff = await employed(clerk, station, since="2024-03-01", education="大专", exam_passed=True, filed_on="2024-02-20")
    ended = await clerk.post(f"{path}/{staff['id']}/end", json={"on": "2025-03-01"}, headers={"If-Match": staff["etag"]})
    assert ended.json()["until"] == "2025-03-01"
    shown = {}
    for day in ("2024-02-29", "2024-03-01", "2025-02-28", "2025-03-01"):
        page = (await clerk.get(path, params={"as_of": day, "limit": 200})).json()
        shown[day] = staff["id"] in {item["id"] for item in page["items"]}
    assert list(shown.values()) == [False, True, True, False]
    everybody = (await clerk.get(path, params={"limit": 200})).json()["items"]
    assert staff["id"] in {item["id"] for item in everybody}
    assert (await clerk.get(f"{path}/{staff['id']}")).json() == ended.json()


async def test_the_same_person_never_holds_two_posts_at_once(sign_in: SignIn) -> None:
    clerk = sign_in("s001.clerk")
    station = await station_of(clerk)
    path = f"/api/v1/stations/{station}/staff"
    first = await employed(clerk, station, since="2024-03-01")
    for since in ("2024-03-01", "2024-06-01", "2023-01-01"):
        answer = await clerk.post(path, json=post(name=first["name"], since=since))
        assert (answer.status_code, answer.json()["code"]) == (409, "staff_period_overlaps")
    await clerk.post(f"{path}/{first['id']}/end", json={"on": "2024-06-01"})
    second = await clerk.post(path, json=post(name=first["name"], since="2024-06-01"))  # half-open: the same day
    assert second.status_code == 201
    back = await clerk.put(f"{path}/{first['id']}", json={"until": "2024-06-02"}, headers={"If-Match": "*"})
    assert (back.status_code, back.json()["code"]) == (409, "staff_period_overlaps")
    reopened = await clerk.put(f"{path}/{first['id']}", json={"until": None}, headers={"If-Match": "*"})
    assert reopened.status_code == 409


async def test_one_head_and_one_deputy_at_a_time(sign_in: SignIn) -> None:
    clerk = sign_in("s001.clerk")
    station = await station_of(clerk)
    path = f"/api/v1/stations/{station}/staff"
    present = [item for item in (await clerk.get(path, params={"limit": 200})).json()["items"] if item["leads_as"]]
    for item in present:
        if item["until"] is None:
            await clerk.post(f"{path}/{item['id']}/end", json={"on": item["since"]})
    head = await employed(clerk, station, leads_as="head", establishment="administrative", position="分管领导")
    assert head["leader"] is True
    second = await clerk.post(path, json=post(leads_as="head"))
    assert (second.status_code, second.json()["code"]) == (409, "station_leader_taken")
    deputy = await employed(clerk, station, leads_as="deputy", position="社会事务科科长")
    shown = (await clerk.get(f"/api/v1/stations/{station}")).json()
    assert (shown["head"], shown["deputy"]) == (head["name"], deputy["name"])
    before = (await clerk.get(f"/api/v1/stations/{station}", params={"as_of": "2023-12-31"})).json()
    assert (before["head"], before["deputy"]) == (None, None)


async def test_two_heads_at_once_leave_one(sign_in: SignIn) -> None:
    """The lock lets one through at a time; the constraint stands behind it."""
    clerk = sign_in("s001.clerk")
    path = f"/api/v1/stations/{await station_of(clerk)}/staff"
    bodies = [post(leads_as="head", since="2021-05-01") for _ in range(4)]
    answers = await asyncio.gather(*(clerk.post(path, json=body) for body in bodies))
    codes = sorted(answer.status_code for answer in answers)
    assert codes[1:] == [409, 409, 409]  # none at all when an open-ended head is there already
    for answer in answers:
        if answer.status_code == 201:
            await clerk.post(f"{path}/{answer.json()['id']}/end", json={"on": "2021-05-01"})


WRONG_POSTS: dict[str, tuple[dict[str, Any], str, str]] = {
    "since to come": ({"since": TOMORROW}, "/since", "date_in_future"),
    "filed to come": ({"filed_on": TOMORROW, "exam_passed": True}, "/filed_on", "date_in_future"),
    "filed without an examination": ({"filed_on": "2024-02-01"}, "/filed_on", "filed_without_exam"),
    "consulted afterwards": ({"consulted_on": "2024-02-01"}, "/consulted_on", "consulted_too_late"),
    "establishment of no kind": ({"establishment": "contract"}, "/establishment", "unknown_value"),
    "leads as something else": ({"leads_as": "chief"}, "/leads_as", "unknown_value"),
    "a masked name": ({"name": "陈**"}, "/name", "name_wrong"),
    "an empty name": ({"name": "  "}, "/name", "too_short"),
    "no position": ({"position": ""}, "/position", "too_short"),
    "no such account": ({"account_id": str(uuid4())}, "/account_id", "account_unknown"),
    "not a day": ({"since": "2024-02-30"}, "/since", "invalid_date"),
    "full time in words": ({"full_time": "专职"}, "/full_time", "not_a_boolean"),
    "an unknown field": ({"salary_fen": 1}, "/salary_fen", "unknown_field"),
}


@pytest.mark.parametrize("wrong", WRONG_POSTS)
async def test_a_wrong_post_is_refused_by_cause(sign_in: SignIn, wrong: str) -> None:
    clerk = sign_in("s001.clerk")
    values, pointer, code = WRONG_POSTS[wrong]
    answer = await clerk.post(f"/api/v1/stations/{await station_of(clerk)}/staff", json=post(**values))
    assert answer.status_code == 422, answer.text
    assert findings(answer) == [(pointer, code)]
    wanted = "contradictory_facts" if code in ("filed_without_exam", "consulted_too_late") else "malformed_request"
    assert answer.json()["code"] == wanted


async def test_an_account_of_the_station_may_be_named(sign_in: SignIn, runtime: Runtime) -> None:
    clerk = sign_in("s001.clerk")
    station = await station_of(clerk)
    async with transaction(runtime.engine) as session:
        rows = await session.execute(text("SELECT username, id::text FROM account"))
        ids = {row.username: row.id for row in rows}
    mine = await employed(clerk, station, account_id=ids["s001.clerk"])
    assert mine["account_id"] == ids["s001.clerk"]
    foreign = await clerk.post(f"/api/v1/stations/{station}/staff", json=post(account_id=ids["s002.clerk"]))
    assert findings(foreign) == [("/account_id", "account_unknown")]


async def test_an_end_before_the_start_and_a_second_end(sign_in: SignIn) -> None:
    clerk = sign_in("s001.clerk")
    station = await station_of(clerk)
    staff = await employed(clerk, station, since="2024-03-01")
    path = f"/api/v1/stations/{station}/staff/{staff['id']}/end"
    early = await clerk.post(path, json={"on": "2024-02-29"})
    assert (early.status_code, early.json()["code"]) == (409, "end_before_start")
    to_come = await clerk.post(path, json={"on": TOMORROW})
    assert (to_come.status_code, findings(to_come)) == (422, [("/on", "date_in_future")])
    stale = await clerk.post(path, json={}, headers={"If-Match": '"99"'})
    assert stale.status_code == 412
    assert (await clerk.post(path, json={})).json()["until"] == business_date(datetime.now(UTC)).isoformat()
    again = await clerk.post(path, json={})
    assert (again.status_code, again.json()["code"]) == (409, "already_ended")


async def test_another_stations_staff_is_not_there(sign_in: SignIn) -> None:
    clerk = sign_in("s001.clerk")
    station = await station_of(clerk)
    staff = await employed(clerk, station)
    path = f"/api/v1/stations/{station}/staff/{staff['id']}"
    for answer in (
        await sign_in("s002.clerk").get(path),
        await sign_in("s002.clerk").post(f"{path}/end", json={}),
        await sign_in("s002.clerk").put(path, json={"name": "改"}, headers={"If-Match": "*"}),
    ):
        assert (answer.status_code, answer.json()["code"]) == (404, "station_not_found")
    unknown = await clerk.get(f"/api/v1/stations/{station}/staff/{uuid4()}")
    assert (unknown.status_code, unknown.json()["code"]) == (404, "staff_not_found")


# --- informants ----------------------------------------------------------------------------------------------------------


async def test_an_informants_phone_is_sealed(sign_in: SignIn, runtime: Runtime) -> None:
    clerk = sign_in("s001.clerk")
    station = await station_of(clerk)
    made = await engaged(clerk, station, phone="138 0013 8000", badge_no="B-1")
    assert (made["phone"], made["badge_no"], made["active"]) == ("138****8000", "B-1", True)
    async with transaction(runtime.engine, DISTRICT) as session:
        statement = text("SELECT phone_sealed FROM informant WHERE id = :id")
        sealed = (await session.execute(statement, {"id": made["id"]})).scalar_one()
    assert b"13800138000" not in sealed
    path = f"/api/v1/informants/{made['id']}"
    shown = await clerk.get(path, params={"reveal": "phone", "purpose": "通知开会"})
    assert (shown.json()["phone"], shown.headers["cache-control"]) == ("13800138000", "private, no-store")
    assert (await clerk.get(path, params={"reveal": "phone"})).status_code == 422
    assert (await clerk.get(path, params={"reveal": "name", "purpose": "核对"})).status_code == 422
    refused = await sign_in("district.auditor").get(path, params={"reveal": "phone", "purpose": "核对"})
    assert refused.status_code == 403
    async with transaction(runtime.engine, DISTRICT) as session:
        statement = text("SELECT fields, reason FROM audit_record WHERE action = 'informant.reveal' AND subject_id = :id")
        rows = (await session.execute(statement, {"id": made["id"]})).all()
    assert [tuple(row) for row in rows] == [(["phone"], "通知开会")]
    changed = await clerk.put(
        f"/api/v1/stations/{station}/informants/{made['id']}", json={"phone": None}, headers={"If-Match": "*"}
    )
    assert changed.json()["phone"] is None


async def test_a_community_worker_sees_his_own_informants(sign_in: SignIn) -> None:
    clerk = sign_in("s001.clerk")
    station = await station_of(clerk)
    here, there = await engaged(clerk, station), await engaged(clerk, station, area_code=OTHER_COMMUNITY)
    worker = sign_in("c001001.worker")
    page = (await worker.get("/api/v1/informants", params={"limit": 200, "count": "true"})).json()
    ids = {item["id"] for item in page["items"]}
    assert here["id"] in ids
    assert there["id"] not in ids
    assert {item["area_code"] for item in page["items"]} == {COMMUNITY}
    assert page["total"] == len(page["items"])
    assert (await worker.get(f"/api/v1/informants/{here['id']}")).status_code == 200
    assert (await worker.get(f"/api/v1/informants/{there['id']}")).status_code == 404
    assert (await worker.get(f"/api/v1/stations/{station}/informants")).status_code == 403
    whole = (await clerk.get(f"/api/v1/stations/{station}/informants", params={"limit": 200})).json()["items"]
    assert {here["id"], there["id"]} <= {item["id"] for item in whole}


async def test_an_informants_periods_dont_overlap(sign_in: SignIn) -> None:
    clerk = sign_in("s001.clerk")
    station = await station_of(clerk)
    path = f"/api/v1/stations/{station}/informants"
    first = await engaged(clerk, station, since="2024-03-01")
    again = await clerk.post(path, json=informant(name=first["name"], since="2024-08-01"))
    assert (again.status_code, again.json()["code"]) == (409, "informant_period_overlaps")
    elsewhere = await clerk.post(path, json=informant(name=first["name"], area_code=OTHER_COMMUNITY))
    assert elsewhere.status_code == 201  # another community's informant of the same name
    ended = await clerk.post(f"{path}/{first['id']}/end", json={"on": "2024-08-01"})
    assert (ended.json()["until"], ended.json()["active"]) == ("2024-08-01", False)
    assert (await clerk.post(path, json=informant(name=first["name"], since="2024-08-01"))).status_code == 201
    as_of: dict[str, str | int] = {"as_of": "2024-07-31", "limit": 200}
    assert first["id"] in {item["id"] for item in (await clerk.get(path, params=as_of)).json()["items"]}
    after: dict[str, str | int] = {"as_of": "2024-08-01", "limit": 200}
    assert first["id"] not in {item["id"] for item in (await clerk.get(path, params=after)).json()["items"]}


WRONG_INFORMANTS: dict[str, tuple[dict[str, Any], int, str]] = {
    "since to come": ({"since": TOMORROW}, 422, "date_in_future"),
    "phone too short": ({"phone": "12345"}, 422, "phone_format"),
    "a sub-district": ({"area_code": MEISHAN}, 422, "wrong_format"),
    "another station's community": ({"area_code": "350702002001"}, 404, "area_not_found"),
    "no such community": ({"area_code": "350702001999"}, 404, "area_not_found"),
    "a masked name": ({"name": "陈*"}, 422, "name_wrong"),
}


@pytest.mark.parametrize("wrong", WRONG_INFORMANTS)
async def test_a_wrong_informant_is_refused_by_cause(sign_in: SignIn, wrong: str) -> None:
    clerk = sign_in("s001.clerk")
    values, status, code = WRONG_INFORMANTS[wrong]
    answer = await clerk.post(f"/api/v1/stations/{await station_of(clerk)}/informants", json=informant(**values))
    assert answer.status_code == status, answer.text
    assert code in {answer.json()["code"], *(error["code"] for error in answer.json().get("errors", ()))}


# --- behind the acts -----------------------------------------------------------------------------------------------------


async def test_the_constraints_stand_behind_the_acts(sign_in: SignIn, runtime: Runtime) -> None:
    """A writer that goes past the acts (an import) can't write an overlap either."""
    clerk = sign_in("s001.clerk")
    station = await station_of(clerk)
    staff = await employed(clerk, station, since="2024-03-01")
    copy = text(
        "INSERT INTO station_staff (district, id, area_code, station_id, name, establishment, full_time, position,"
        " exam_passed, valid_from, version, recorded_at, recorded_by)"
        " SELECT district, gen_random_uuid(), area_code, station_id, name, establishment, full_time, position,"
        " exam_passed, DATE '2024-05-01', 1, recorded_at, recorded_by FROM station_staff WHERE id = :id"
    )
    with pytest.raises(Exception, match="ex_station_staff_one_post"):
        async with transaction(runtime.engine, DISTRICT) as session:
            await session.execute(copy, {"id": staff["id"]})


async def test_what_is_done_is_on_record_without_names(sign_in: SignIn, runtime: Runtime) -> None:
    clerk = sign_in("s001.clerk")
    name = fresh_name()
    staff = await employed(clerk, await station_of(clerk), name=name)
    async with transaction(runtime.engine, DISTRICT) as session:
        statement = text("SELECT to_jsonb(r)::text FROM audit_record r WHERE subject_id = :id")
        records = (await session.execute(statement, {"id": staff["id"]})).scalars().all()
    assert len(records) == 1
    assert "station_staff.add" in records[0]
    assert name not in records[0]
