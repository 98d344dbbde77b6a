"""政策找人: what strikes about the registered population, on each community's work list; nothing is decided by it."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from app.db.repositories import known_households
from app.db.repositories.discovery import DiscoveryRepository, FindingFilter
from app.db.session import transaction
from app.domain.policy.discovery import Finding, FindingKind
from app.jobs.runner import run_job
from app.runtime import Runtime
from tests.integration.casework_world import Family, drafted, family, on
from tests.integration.policy_world import DISTRICT, key, ok, problem
from tests.integration.registry_world import HUANGDUN, MEISHAN, SignIn, fresh_number, registered

pytestmark = pytest.mark.db
RUNS, FINDINGS = "/api/v1/discovery-runs", "/api/v1/discovery-findings"
DAY = "2026-08-15"
NOW = datetime(2026, 8, 15, 4, tzinfo=UTC)
CERTIFIED = {"category": "physical", "grade": 1, "needs_care": True}


async def searched(sign_in: SignIn, runtime: Runtime, area_code: str = MEISHAN, day: str = DAY) -> dict[str, Any]:
    officer = sign_in("district.policy")
    started = await officer.post(RUNS, json={"area_code": area_code, "on": day}, headers=key() | on(day))
    run = await ok(started, 202)
    async with transaction(runtime.engine, DISTRICT) as session:
        statement = text("SELECT job_id FROM discovery_run WHERE id = :id")
        job_id = (await session.execute(statement, {"id": UUID(run["id"])})).scalar_one()
    await run_job(runtime, DISTRICT, job_id)
    done = await ok(await officer.get(started.headers["location"]))
    assert done["status"] == "succeeded", done
    return done


async def findings(sign_in: SignIn, household_id: str, state: str = "open", who: str = "s001.clerk") -> list[dict[str, Any]]:
    page = await ok(await sign_in(who).get(f"{FINDINGS}?household_id={household_id}&state={state}&count=true"))
    assert page["total"] == len(page["items"])
    return list(page["items"])


async def living(sign_in: SignIn, area_code: str = MEISHAN, born: date = date(1978, 3, 16), **values: Any) -> tuple[str, str]:
    """A household of one person; its id and the person's."""
    clerk = sign_in("s001.clerk" if area_code == MEISHAN else "s002.clerk")
    person = await registered(
        clerk, area_code, id_number=fresh_number(born), hukou_area_code=area_code, valid_from="2026-01-01", **values
    )
    members = [{"person_id": person["id"], "relation": "head", "since": "2020-01-01"}]
    body = {"area_code": area_code, "residence": "urban", "members": members}
    household = await ok(await clerk.post("/api/v1/households", json=body), 201)
    return household["id"], person["id"]


async def died(runtime: Runtime, person_id: str, day: str) -> None:
    async with transaction(runtime.engine, DISTRICT) as session:
        statement = text("UPDATE person SET died_on = CAST(:day AS date) WHERE id = CAST(:id AS uuid)")
        await session.execute(statement, {"day": date.fromisoformat(day), "id": person_id})


def kinds(found: list[dict[str, Any]]) -> set[tuple[str, str]]:
    return {(one["kind"], one["programme"]) for one in found}


async def test_a_certificate_and_no_subsidy(sign_in: SignIn, runtime: Runtime) -> None:
    household, person = await living(sign_in, disability=CERTIFIED)
    nobody, _ = await living(sign_in)
    run = await searched(sign_in, runtime)
    (found,) = await findings(sign_in, household)
    assert (found["kind"], found["programme"], found["person_id"]) == ("may_be_entitled", "disability_care", person)
    assert found["expected_fen"] == 8000
    assert {("disability_certificate", True), ("needs_long_term_care", True)} <= {
        (reason["code"], reason["met"]) for reason in found["reasons"]
    }
    assert await findings(sign_in, nobody) == []
    assert run["counts"]["households"] >= 2
    assert run["counts"]["may_be_entitled"] >= 1


async def test_the_birthday_itself(sign_in: SignIn, runtime: Runtime) -> None:
    """80 on the day of the search is found; a day short of it isn't."""
    eighty, _ = await living(sign_in, born=date(1946, 8, 15))
    younger, _ = await living(sign_in, born=date(1946, 8, 16))
    await searched(sign_in, runtime)
    assert kinds(await findings(sign_in, eighty)) == {("may_be_entitled", "old_age")}
    assert await findings(sign_in, younger) == []


async def test_who_is_confirmed_alive_would_be_paid_and_who_is_not_would_be_paused(sign_in: SignIn, runtime: Runtime) -> None:
    """The confirmation is a fact of the registry; a year after it the allowance pauses (老年人权益保障法 第三十三条)."""
    expected = {"2025-08-15": 5000, "2025-08-14": None}
    for confirmed_on, fen in expected.items():
        household, _ = await living(sign_in, born=date(1940, 1, 1), survival_confirmed_on=confirmed_on)
        await searched(sign_in, runtime)
        (found,) = await findings(sign_in, household)
        assert (found["kind"], found["programme"], found["expected_fen"]) == ("may_be_entitled", "old_age", fen)


async def test_on_dibao_with_a_certificate(sign_in: SignIn, runtime: Runtime) -> None:
    """The living subsidy is for members of a household on dibao: who draws dibao already."""
    case = await drafted(sign_in)
    await case.confirmed()
    clerk = sign_in("s001.clerk")
    url = f"/api/v1/persons/{case.family.people[1]}"
    etag = (await clerk.get(url)).headers["etag"]
    change = {"disability": CERTIFIED | {"needs_care": False}, "valid_from": "2026-05-01"}
    await ok(await clerk.put(url, json=change, headers={"If-Match": etag} | on("2026-05-01")))
    await searched(sign_in, runtime)
    assert kinds(await findings(sign_in, case.family.household_id)) == {("may_be_entitled", "disability_living")}


async def test_who_died_and_still_draws(sign_in: SignIn, runtime: Runtime) -> None:
    case = await drafted(sign_in)
    await case.confirmed()
    await died(runtime, case.family.people[1], "2026-08-10")
    await searched(sign_in, runtime, day="2026-08-09")
    assert await findings(sign_in, case.family.household_id) == []
    await searched(sign_in, runtime)
    found = await findings(sign_in, case.family.household_id)
    assert ("drawn_after_death", "dibao", case.family.people[1]) in {
        (one["kind"], one["programme"], one["person_id"]) for one in found
    }
    still = await ok(await case.reviewer.get(f"/api/v1/entitlements?household_id={case.family.household_id}"))
    assert [one["state"] for one in still["items"]] == ["active"], "a finding decides nothing"


async def test_eligible_by_known_facts_and_nobody_applied_to_the_end(sign_in: SignIn, runtime: Runtime) -> None:
    case = await drafted(sign_in)
    await case.accepted()
    await searched(sign_in, runtime)
    assert await findings(sign_in, case.family.household_id) == [], "the application is under way"
    await case.done(case.clerk, "withdraw", "2026-03-05")
    await searched(sign_in, runtime)
    (found,) = await findings(sign_in, case.family.household_id)
    assert (found["kind"], found["programme"], found["expected_fen"]) == ("may_be_entitled", "dibao", 75600)
    assert "income_below_standard" in {reason["code"] for reason in found["reasons"]}


async def a_finding(sign_in: SignIn, runtime: Runtime, area_code: str = MEISHAN) -> tuple[str, dict[str, Any]]:
    household, _ = await living(sign_in, area_code, disability=CERTIFIED)
    await searched(sign_in, runtime, area_code)
    (found,) = await findings(sign_in, household, who="district.policy")
    return household, found


async def test_dismissed_with_a_reason_and_not_raised_again(sign_in: SignIn, runtime: Runtime) -> None:
    household, found = await a_finding(sign_in, runtime)
    worker, url = sign_in("c001001.worker"), f"{FINDINGS}/{found['id']}"
    assert (await worker.post(f"{url}/dismiss", json={}, headers=key())).status_code == 422
    taken = await ok(await worker.post(f"{url}/take-up", json={"note": "下周入户"}, headers=key()))
    assert (taken["state"], taken["settled_by"]) == ("taken_up", "c001001.worker")
    problem(await worker.post(f"{url}/take-up", headers=key()), 409, "finding_settled")
    reason = {"reason": "已在外地享受同类补贴"}
    stale = await worker.post(f"{url}/dismiss", json=reason, headers=key() | {"If-Match": '"1"'})
    problem(stale, 412, "stale_version")
    dismissed = await ok(await worker.post(f"{url}/dismiss", json=reason, headers=key()))
    assert (dismissed["state"], dismissed["note"]) == ("dismissed", reason["reason"])
    await searched(sign_in, runtime)
    assert await findings(sign_in, household) == []
    assert len(await findings(sign_in, household, "dismissed")) == 1


async def test_what_no_longer_holds_leaves_the_list(sign_in: SignIn, runtime: Runtime) -> None:
    household, found = await a_finding(sign_in, runtime)
    await died(runtime, found["person_id"], "2026-08-01")
    await searched(sign_in, runtime)
    assert await findings(sign_in, household) == []
    (gone,) = await findings(sign_in, household, "resolved")
    assert gone["id"] == found["id"]
    answer = await sign_in("s001.clerk").post(f"{FINDINGS}/{found['id']}/dismiss", json={"reason": "已去世"}, headers=key())
    problem(answer, 409, "finding_settled")


async def test_a_second_search_repeats_nothing(sign_in: SignIn, runtime: Runtime) -> None:
    household, found = await a_finding(sign_in, runtime)
    await searched(sign_in, runtime)
    assert [one["id"] for one in await findings(sign_in, household)] == [found["id"]]


async def test_more_at_once_than_a_statement_has_parameters(sign_in: SignIn, runtime: Runtime) -> None:
    """32,767 is the most that Postgres takes; a sub-district may have more people, and more lines on its list."""
    household, person = await living(sign_in, HUANGDUN)
    lines = [
        Finding(UUID(household), HUANGDUN, UUID(person), FindingKind.MAY_BE_ENTITLED, f"programme {number}")
        for number in range(9_000)
    ]
    run_id = (await searched(sign_in, runtime, HUANGDUN))["id"]
    async with transaction(runtime.engine, DISTRICT) as session:
        desk = DiscoveryRepository(session)
        run = await desk.get_run(DISTRICT, UUID(run_id))
        chosen = FindingFilter(household_id=UUID(household))
        await desk.record(DISTRICT, run, HUANGDUN, lines, NOW)
        assert await desk.count_findings(DISTRICT, chosen) == len(lines)
        await desk.record(DISTRICT, run, HUANGDUN, lines[1:], NOW)
        assert await desk.count_findings(DISTRICT, chosen) == len(lines) - 1
        strangers = [UUID(int=number) for number in range(40_000)]
        only = [*strangers, UUID(household)]
        found = await known_households.list_households(DISTRICT, session, HUANGDUN, date.fromisoformat(DAY), only=only)
        await session.rollback()
    assert [str(one.household_id) for one in found] == [household]


async def test_everybody_sees_the_own_area_only(sign_in: SignIn, runtime: Runtime) -> None:
    household, found = await a_finding(sign_in, runtime, HUANGDUN)
    url = f"{FINDINGS}/{found['id']}"
    for stranger in ("c001001.worker", "s001.clerk", "qs.district.policy"):
        client = sign_in(stranger)
        problem(await client.get(url), 404, "finding_not_found")
        page = await ok(await client.get(f"{FINDINGS}?household_id={household}"))
        assert page["items"] == []
    problem(await sign_in("s001.clerk").post(f"{url}/dismiss", json={"reason": "无"}, headers=key()), 404, "finding_not_found")
    assert (await ok(await sign_in("c002001.worker").get(url)))["id"] == found["id"]
    problem(await sign_in("district.policy").post(f"{url}/take-up", headers=key()), 403, "duty_required")
    problem(await sign_in("district.finance").get(url), 403, "duty_required")
    problem(await sign_in("s001.clerk").post(RUNS, json={}, headers=key()), 403, "duty_required")
    problem(await sign_in("district.policy").post(RUNS, json={"area_code": "340882"}, headers=key()), 404, "area_not_found")
    problem(await sign_in("qs.district.policy").get(f"{RUNS}/{found['run_id']}"), 404, "discovery_run_not_found")


async def test_a_family_with_nothing_to_find(sign_in: SignIn, runtime: Runtime) -> None:
    applicants: Family = await family(sign_in)
    await searched(sign_in, runtime)
    assert await findings(sign_in, applicants.household_id) == []


async def test_open_findings_stand_among_the_tasks_of_who_works_on_them(sign_in: SignIn, runtime: Runtime) -> None:
    await living(sign_in, disability=CERTIFIED)
    await searched(sign_in, runtime)
    for who in ("c001001.worker", "s001.clerk"):
        (waiting,) = await lists_of_findings(sign_in, who)
        listed = await ok(await sign_in(who).get(f"{waiting['href']}?count=true&limit=1"))
        assert waiting["open"] == listed["total"] > 0
    assert await lists_of_findings(sign_in, "district.reviewer") == []


async def lists_of_findings(sign_in: SignIn, who: str) -> list[dict[str, Any]]:
    lists = (await ok(await sign_in(who).get("/api/v1/tasks")))["work_lists"]
    return [one for one in lists if one["href"].startswith(FINDINGS)]
