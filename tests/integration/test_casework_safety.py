"""Casework under repetition and haste: idempotent acts, races, four eyes, frozen files, walls of the database, time limits."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import exc, text
from sqlalchemy.dialects.postgresql import insert

from app.db.repositories.deadlines import recompute_provisional_deadlines
from app.db.repositories.reference import list_districts
from app.db.session import transaction
from app.db.tables.accounts import Account
from app.demo.accounts import DemoAccount
from app.demo.load import _account_row
from app.domain.access import AreaScope, Duty, Level
from app.domain.calendar import Calendar, DayKind
from app.domain.casework.assessing import result_of
from app.domain.casework.frozen import document_of, value_of
from app.domain.eligibility import AssessmentQuestion, assess
from app.ids import new_id
from app.runtime import Runtime
from tests.integration.casework_world import (
    ACCEPTED,
    CLOSABLE,
    DECIDED,
    OPINION,
    POSTED,
    Case,
    Family,
    birth_dates,
    drafted,
    family,
    on,
)
from tests.integration.registry_world import MEISHAN, QIANSHAN, SignIn, fresh_number, registered
from tests.world import World

pytestmark = pytest.mark.db

DISTRICT = AreaScope("350702", "350702")


# --- again and at once ------------------------------------------------------------------------------------------------------


async def keyed(case: Case, client: httpx.AsyncClient, act: str, day: str, body: Any = None, key: str = "") -> httpx.Response:
    return await case.act(client, act, day, body, headers={"Idempotency-Key": key})


async def test_every_act_replays_its_first_answer(sign_in: SignIn) -> None:
    case = await drafted(sign_in)
    facts = case.family.facts(60_000, 30_000)
    steps: list[tuple[httpx.AsyncClient, str, str, Any]] = [
        (case.worker, "submit", ACCEPTED, None),
        (case.clerk, "return-for-supplement", ACCEPTED, {"missing_items": ["收入证明"]}),
        (case.worker, "submit", ACCEPTED, {"note": "已补"}),
        (case.clerk, "accept", ACCEPTED, None),
        (case.head, "give-opinion", OPINION, None),
        (case.worker, "open-notice", POSTED, None),
        (case.clerk, "close-notice", CLOSABLE, None),
        (case.reviewer, "confirm", DECIDED, None),
    ]
    for number, (client, act, day, body) in enumerate(steps):
        key = f"{case.id}-{number}"
        first = await keyed(case, client, act, day, body, key)
        assert first.status_code == 200, first.text
        again = await keyed(case, client, act, day, body, key)
        assert (again.status_code, again.json()) == (200, first.json())
        assert again.headers["Idempotency-Replayed"] == "true"
        if act == "accept":
            assert (await case.put_facts(facts)).status_code == 200
    timeline = (await case.clerk.get(f"{case.url}/timeline")).json()["items"]
    assert len(timeline) == len(steps) + 2


async def test_withdrawing_and_refusing_replay_too(sign_in: SignIn) -> None:
    for name, act in (("withdraw", "withdraw"), ("refuse", "refuse")):
        case = await (await drafted(sign_in)).opinion_given(200_000)
        client = case.worker if act == "withdraw" else case.reviewer
        key = f"{case.id}-{name}"
        first, again = [await keyed(case, client, act, DECIDED, None, key) for _ in range(2)]
        assert (first.status_code, again.json()) == (200, first.json())


async def test_a_draft_is_made_once_per_key(sign_in: SignIn) -> None:
    applicants = await family(sign_in)
    body = {"household_id": applicants.household_id}
    key = {"Idempotency-Key": str(new_id())}
    worker = sign_in("c001001.worker")
    first, again = [await worker.post("/api/v1/applications", json=body, headers=key) for _ in range(2)]
    assert first.json() == again.json()
    assert again.headers["location"] == first.headers["location"]
    other = await worker.post("/api/v1/applications", json=body | {"applicant_person_id": applicants.people[1]}, headers=key)
    assert other.json()["code"] == "idempotency_key_reused"


async def test_many_confirmations_at_once_make_one_entitlement(sign_in: SignIn) -> None:
    case = await (await drafted(sign_in)).notice_closed()
    answers = await asyncio.gather(*(case.act(case.reviewer, "confirm", DECIDED) for _ in range(6)))
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409, 409, 409]
    assert {answer.json()["code"] for answer in answers if answer.status_code == 409} == {"wrong_state"}
    params = {"household_id": case.family.household_id}
    assert len((await case.clerk.get("/api/v1/entitlements", params=params)).json()["items"]) == 1


async def test_confirming_against_withdrawing_has_one_winner(sign_in: SignIn) -> None:
    for _ in range(3):
        case = await (await drafted(sign_in)).notice_closed()
        confirm, withdraw = await asyncio.gather(
            case.act(case.reviewer, "confirm", DECIDED), case.act(case.worker, "withdraw", DECIDED)
        )
        assert sorted([confirm.status_code, withdraw.status_code]) == [200, 409]
        state = (await case.clerk.get(case.url)).json()["state"]
        assert state == ("confirmed" if confirm.status_code == 200 else "withdrawn")
        listed = await case.clerk.get("/api/v1/entitlements", params={"household_id": case.family.household_id})
        assert len(listed.json()["items"]) == (confirm.status_code == 200)


async def test_two_drafts_at_once_make_one(sign_in: SignIn) -> None:
    applicants = await family(sign_in)
    body = {"household_id": applicants.household_id}
    clients = [sign_in(name) for name in ("c001001.worker", "s001.clerk")] * 3
    answers = await asyncio.gather(*(client.post("/api/v1/applications", json=body) for client in clients))
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409, 409, 409]
    assert {answer.json()["code"] for answer in answers if answer.status_code == 409} == {"application_already_open"}


# --- four eyes --------------------------------------------------------------------------------------------------------------


async def second_head(runtime: Runtime, sign_in: SignIn, world: World) -> httpx.AsyncClient:
    """Another head of the station in the district that confirms itself."""
    account = DemoAccount("qs.s100.head2", "演示副站长", Level.SUBDISTRICT, "340882100", (Duty.STATION_HEAD,))
    password = await runtime.passwords.hash("demo-Pass-2026")
    async with transaction(runtime.engine) as session:
        row = _account_row(account, password, datetime.now(UTC))
        await session.execute(insert(Account).on_conflict_do_nothing(), [row])
    world.accounts[account.username] = account
    return sign_in(account.username)


async def qianshan_family(sign_in: SignIn) -> Family:
    clerk, (born,) = sign_in("qs.s100.clerk"), birth_dates(["head"])
    person = await registered(clerk, QIANSHAN, id_number=fresh_number(born))
    members = [{"person_id": person["id"], "relation": "head", "since": "2020-01-01"}]
    body = {"area_code": QIANSHAN, "residence": "urban", "members": members}
    household = (await clerk.post("/api/v1/households", json=body)).json()
    return Family(household["id"], QIANSHAN, [person["id"]], [born], ["head"])


async def test_where_confirmation_is_delegated_another_head_confirms(runtime: Runtime, sign_in: SignIn, world: World) -> None:
    clerk, head, other = sign_in("qs.s100.clerk"), sign_in("qs.s100.head"), await second_head(runtime, sign_in, world)
    applicants = await qianshan_family(sign_in)
    url = (await clerk.post("/api/v1/applications", json={"household_id": applicants.household_id})).headers["location"]

    async def done(client: httpx.AsyncClient, act: str, day: str) -> dict[str, Any]:
        answer = await client.post(f"{url}/{act}", headers=on(day))
        assert answer.status_code == 200, answer.text
        result: dict[str, Any] = answer.json()
        return result

    await done(clerk, "submit", ACCEPTED)
    accepted = await done(clerk, "accept", ACCEPTED)
    assert {deadline["kind"]: deadline["due_on"] for deadline in accepted["deadlines"]}["total"] == "2026-03-30"
    etag = (await clerk.get(url)).headers["etag"]
    put = await clerk.put(f"{url}/facts", json=applicants.facts(30_000, deposit_fen=0), headers=on(ACCEPTED) | {"If-Match": etag})
    assert put.status_code == 200, put.text
    opinion = await done(head, "give-opinion", OPINION)
    assert opinion["next_acts"] == ["give-opinion"]
    await done(clerk, "open-notice", POSTED)
    closed = await done(clerk, "close-notice", CLOSABLE)
    assert closed["state"] == "notice_closed"

    assert (await head.get(url)).json()["next_acts"] == ["give-opinion"]
    for act in ("confirm", "refuse"):
        own = await head.post(f"{url}/{act}", headers=on(DECIDED), json={})
        assert (own.status_code, own.json()["code"]) == (409, "opinion_giver_may_not_decide")
    assert (await other.get(url)).json()["next_acts"] == ["give-opinion", "confirm", "refuse"]
    confirmed = await done(other, "confirm", DECIDED)
    entitlement = (await head.get(f"/api/v1/entitlements/{confirmed['entitlement_id']}")).json()
    assert entitlement["monthly_fen"] == 30_000  # tier B: 240.00 a head after the cost of working


async def test_where_it_isn_t_delegated_the_head_doesn_t_decide(sign_in: SignIn) -> None:
    case = await (await drafted(sign_in)).notice_closed()
    for act in ("confirm", "refuse"):
        answer = await case.act(case.head, act, DECIDED, {})
        assert (answer.status_code, answer.json()["code"]) == (403, "duty_required")


async def test_an_attempt_to_decide_on_one_s_own_opinion_is_on_record(runtime: Runtime, sign_in: SignIn, world: World) -> None:
    await test_where_confirmation_is_delegated_another_head_confirms(runtime, sign_in, world)
    async with transaction(runtime.engine, AreaScope("340882", "340882")) as session:
        statement = text("SELECT count(*) FROM audit_record WHERE reason = 'opinion_giver_may_not_decide'")
        assert (await session.execute(statement)).scalar_one() >= 2


# --- what was decided stays -------------------------------------------------------------------------------------------------


async def test_the_decision_file_doesn_t_move_with_the_registry(sign_in: SignIn) -> None:
    case = await drafted(sign_in)
    await case.confirmed()
    before = (await case.clerk.get(f"{case.url}/decision")).json()
    head = case.family.people[0]
    etag = (await case.clerk.get(f"/api/v1/persons/{head}")).headers["etag"]
    change = {"name": "陈改名", "serious_illness": True}
    changed = await case.clerk.put(f"/api/v1/persons/{head}", json=change, headers={"If-Match": etag})
    assert changed.status_code == 200, changed.text
    assert (await case.clerk.get(f"{case.url}/decision")).json() == before


async def test_a_decision_replays_from_its_own_file(runtime: Runtime, sign_in: SignIn) -> None:
    case = await drafted(sign_in)
    await case.confirmed()
    filed = (await case.clerk.get(f"{case.url}/decision")).json()
    question = value_of(AssessmentQuestion, filed["facts"])
    async with transaction(runtime.engine) as session:
        book = await runtime.parameter_books.current(session)
    again = assess(question, book)
    assert again.policy_version == filed["policy_version"]
    kept = {name: value for name, value in filed["result"].items() if name != "explanation"}
    assert document_of(result_of(question, again)) == kept


@pytest.mark.parametrize("table", ["application_event", "assessment", "decision"])
async def test_events_and_decisions_are_never_changed(runtime: Runtime, sign_in: SignIn, table: str) -> None:
    case = await (await drafted(sign_in)).opinion_given()
    for statement in (f"UPDATE {table} SET area_code = area_code", f"DELETE FROM {table}", f"TRUNCATE {table} CASCADE"):
        with pytest.raises(exc.DBAPIError) as refused:
            async with transaction(runtime.engine, DISTRICT) as session:
                await session.execute(text(statement))
        assert "42501" in str(getattr(refused.value.orig, "sqlstate", "")), statement
    assert len((await case.clerk.get(f"{case.url}/timeline")).json()["items"]) == 5


async def test_amounts_are_superseded_not_edited(runtime: Runtime, sign_in: SignIn) -> None:
    case = await drafted(sign_in)
    entitlement_id = (await case.confirmed())["entitlement_id"]
    values = {"id": UUID(entitlement_id)}
    with pytest.raises(exc.DBAPIError):
        async with transaction(runtime.engine, DISTRICT) as session:
            await session.execute(text("UPDATE entitlement_amount SET amount_fen = 1 WHERE entitlement_id = :id"), values)
    async with transaction(runtime.engine, DISTRICT) as session:
        statement = text("UPDATE entitlement_amount SET superseded_at = now() WHERE entitlement_id = :id RETURNING 1")
        assert (await session.execute(statement, values)).one() == (1,)


async def test_the_database_enrols_nobody_twice(runtime: Runtime, sign_in: SignIn) -> None:
    case = await drafted(sign_in)
    entitlement_id = (await case.confirmed())["entitlement_id"]
    again = text(
        "INSERT INTO enrolment (district, id, area_code, person_uid, name_key, programme, category, entitlement_id, since_month)"
        " SELECT district, :id, area_code, person_uid, name_key, programme, category, :other, '2027-01-01'"
        " FROM enrolment WHERE entitlement_id = :entitlement LIMIT 1"
    )
    values = {"id": new_id(), "other": new_id(), "entitlement": UUID(entitlement_id)}
    with pytest.raises(exc.IntegrityError, match="ex_enrolment_once_per_programme"):
        async with transaction(runtime.engine, DISTRICT) as session:
            await session.execute(again, values)


async def test_without_a_scope_there_is_no_casework(runtime: Runtime, sign_in: SignIn) -> None:
    await (await drafted(sign_in)).notice_open()
    tables = ("application", "application_event", "application_deadline", "assessment", "decision", "public_notice")
    async with transaction(runtime.engine) as session:
        for table in (*tables, "entitlement", "entitlement_amount", "entitlement_member", "enrolment"):
            assert (await session.execute(text(f"SELECT count(*) FROM {table}"))).scalar_one() == 0


async def test_acts_and_readings_are_audited_without_plaintext(runtime: Runtime, sign_in: SignIn) -> None:
    case = await drafted(sign_in)
    await case.confirmed()
    await case.clerk.get(f"{case.url}/decision")
    async with transaction(runtime.engine, DISTRICT) as session:
        statement = text("SELECT action, actor_name, fields, details::text FROM audit_record WHERE subject_id = :id ORDER BY id")
        found = (await session.execute(statement, {"id": case.id})).all()
    assert [row.action for row in found if row.action != "application.read"] == [
        f"application.{act}"
        for act in (
            "create",
            "submit",
            "accept",
            "put-facts",
            "give-opinion",
            "open-notice",
            "close-notice",
            "confirm",
        )
    ]
    assert ("application.read", ["decision"]) in [(row.action, row.fields) for row in found]
    assert "陈" not in "".join(row.details or "" for row in found)


# --- time limits ------------------------------------------------------------------------------------------------------------


async def test_a_limit_into_a_year_not_loaded_is_provisional_and_computed_anew(runtime: Runtime, sign_in: SignIn) -> None:
    case = await drafted(sign_in, day="2031-12-01")
    await case.done(case.worker, "submit", "2031-12-01")
    accepted = await case.done(case.clerk, "accept", "2031-12-01")
    before = {deadline["kind"]: deadline for deadline in accepted["deadlines"]}
    assert all(deadline["provisional"] for deadline in before.values())
    assert before["total"]["due_on"] == "2032-01-13"
    holiday = {date(2032, 1, 1): DayKind.HOLIDAY, date(2032, 1, 2): DayKind.HOLIDAY}
    calendar = Calendar(holiday, frozenset({2031, 2032}))
    scope = AreaScope("350702", MEISHAN)
    async with transaction(runtime.engine, scope) as session:
        changes = await recompute_provisional_deadlines(scope, session, calendar, datetime.now(UTC))
    mine = {change.kind: change for change in changes if str(change.application_id) == case.id}
    assert set(mine) == {"start_survey", "total"}
    assert (mine["total"].after.date, mine["total"].after.provisional) == (date(2032, 1, 14), False)
    listed = (await case.clerk.get(f"{case.url}/deadlines")).json()["items"]
    assert {(deadline["kind"], deadline["due_on"], deadline["provisional"]) for deadline in listed} == {
        ("start_survey", "2031-12-04", False),
        ("total", "2032-01-14", False),
    }
    async with transaction(runtime.engine, scope) as session:
        again = await recompute_provisional_deadlines(scope, session, calendar, datetime.now(UTC))
        entries = text("SELECT details FROM audit_record WHERE action = 'deadline.recompute' AND subject_id = :id")
        recorded = (await session.execute(entries, {"id": case.id})).scalars().all()
    assert case.id not in {str(change.application_id) for change in again}
    total = next(entry for entry in recorded if entry["kind"] == "total")
    assert total == {
        "kind": "total",
        "before": {"due_on": "2032-01-13", "provisional": True},
        "after": {"due_on": "2032-01-14", "provisional": False},
    }


async def test_a_calendar_concerns_every_district(runtime: Runtime, world: World) -> None:
    async with transaction(runtime.engine) as session:
        scopes = await list_districts(session)
    assert {AreaScope("350702", "350702"), AreaScope("340882", "340882")} <= set(scopes)


async def tasks_of(client: httpx.AsyncClient, day: str) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    cursor: str | None = ""
    while cursor is not None:
        params = {"limit": "200"} | ({"cursor": cursor} if cursor else {})
        page = (await client.get("/api/v1/tasks", params=params, headers=on(day))).json()
        found |= {item["application_id"]: item for item in page["items"]}
        cursor = page["next_cursor"]
    return found


async def test_tasks_wait_for_whoever_may_act_and_say_when_they_are_due(sign_in: SignIn) -> None:
    case = await drafted(sign_in)
    assert (await tasks_of(case.worker, ACCEPTED))[case.id]["act"] == "submit"
    await case.done(case.worker, "submit", ACCEPTED)
    assert case.id not in await tasks_of(case.worker, ACCEPTED)
    waiting = (await tasks_of(case.clerk, ACCEPTED))[case.id]
    assert (waiting["act"], waiting["due_on"], waiting["waiting_since"]) == ("accept", None, ACCEPTED)
    await case.done(case.clerk, "accept", ACCEPTED)
    survey = (await tasks_of(case.head, "2026-03-05"))[case.id]
    assert (survey["act"], survey["deadline"], survey["due_on"], survey["overdue"]) == (
        "give-opinion",
        "start_survey",
        "2026-03-05",
        False,
    )
    assert (await tasks_of(case.head, "2026-03-06"))[case.id]["overdue"]
    assert (await case.put_facts(case.family.facts(60_000, 30_000), "2026-03-09")).status_code == 200
    late = (await case.clerk.get(f"{case.url}/deadlines", headers=on("2026-03-10"))).json()["items"][0]
    assert (late["kind"], late["met_on"], late["overdue"]) == ("start_survey", "2026-03-09", True)
    await case.done(case.head, "give-opinion", OPINION)
    await case.done(case.worker, "open-notice", POSTED)
    assert case.id not in await tasks_of(case.worker, "2026-03-23")
    assert (await tasks_of(case.worker, CLOSABLE))[case.id]["act"] == "close-notice"
    await case.done(case.worker, "close-notice", CLOSABLE)
    decide = (await tasks_of(case.reviewer, CLOSABLE))[case.id]
    assert (decide["act"], decide["due_on"]) == ("confirm", "2026-04-08")
    assert case.id not in await tasks_of(sign_in("s002.clerk"), CLOSABLE)
    await case.done(case.reviewer, "confirm", DECIDED)
    assert case.id not in await tasks_of(case.reviewer, DECIDED)


async def test_tasks_come_by_due_day_page_by_page(sign_in: SignIn) -> None:
    cases = [await drafted(sign_in) for _ in range(3)]
    for number, case in enumerate(cases):
        await case.done(case.worker, "submit", ACCEPTED)
        await case.done(case.clerk, "accept", f"2026-03-0{9 - number}")
    listed: list[tuple[str, str]] = []
    cursor: str | None = ""
    while cursor is not None:
        params = {"limit": "2", "count": "true"} | ({"cursor": cursor} if cursor else {})
        page = (await cases[0].head.get("/api/v1/tasks", params=params, headers=on(ACCEPTED))).json()
        listed += [(item["due_on"] or "9999", item["application_id"]) for item in page["items"]]
        cursor = page["next_cursor"]
    assert listed == sorted(set(listed))
    assert page["total"] == len(listed)
    assert {case.id for case in cases} <= {application_id for _, application_id in listed}
    bad = await cases[0].head.get("/api/v1/tasks", params={"cursor": "WyJ4Il0"})
    assert bad.status_code == 422
