"""Random acts by random actors: whatever happens, the invariants of casework hold."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from app.db.session import transaction
from app.domain.access import AreaScope
from app.runtime import Runtime
from tests.integration.casework_world import Family, family, on
from tests.integration.registry_world import SignIn

pytestmark = pytest.mark.db

DISTRICT = AreaScope("350702", "350702")
ACTORS = ("c001001.worker", "s001.clerk", "s001.head", "district.reviewer", "s002.clerk", "district.auditor")
#: What leads on from each state, and who does it; a random step strays from it.
FORWARD = {
    "draft": ("c001001.worker", "submit"),
    "submitted": ("s001.clerk", "accept"),
    "returned": ("c001001.worker", "submit"),
    "accepted": ("s001.head", "give-opinion"),
    "opinion_given": ("s001.clerk", "open-notice"),
    "refusal_proposed": ("district.reviewer", "refuse"),
    "notice_open": ("c001001.worker", "close-notice"),
    "notice_closed": ("district.reviewer", "confirm"),
}
ACTS = (
    "submit",
    "accept",
    "return-for-supplement",
    "give-opinion",
    "open-notice",
    "close-notice",
    "confirm",
    "refuse",
    "withdraw",
)
BODIES: dict[str, dict[str, Any]] = {"return-for-supplement": {"missing_items": ["收入证明"]}, "refuse": {"reason": "查证不实"}}

days_later = st.integers(0, 9)
steps = st.lists(
    st.one_of(
        st.tuples(st.just("forward"), st.just(""), days_later),
        st.tuples(st.just("forward"), st.just(""), days_later),
        st.tuples(st.just("facts"), st.sampled_from(("0", "60000", "200000")), days_later),
        st.tuples(st.sampled_from(ACTORS), st.sampled_from(ACTS), days_later),
        st.tuples(st.just("apply"), st.just(""), days_later),
    ),
    min_size=8,
    max_size=25,
)


class Machine:
    """One household, its applications, and the day on which they stand."""

    def __init__(self, sign_in: SignIn, runtime: Runtime, applicants: Family) -> None:
        self.clients: dict[str, httpx.AsyncClient] = {name: sign_in(name) for name in ACTORS}
        self.runtime = runtime
        self.family = applicants
        self.today = date(2026, 3, 2)
        self.current: str | None = None
        self.states: dict[str, str] = {}

    async def step(self, kind: str, what: str, later: int) -> None:
        self.today += timedelta(days=later)
        if kind == "apply" or self.current is None:
            await self.apply()
        elif kind == "facts":
            await self.put_facts(int(what))
        elif kind == "forward":
            name, act = FORWARD.get(self.states[self.current], ("district.auditor", "withdraw"))
            await self.act(name, act)
        else:
            await self.act(kind, what)

    async def apply(self) -> None:
        body = {"household_id": self.family.household_id}
        answer = await self.clients["s001.clerk"].post("/api/v1/applications", json=body, headers=self.day)
        waits = any(state not in ("confirmed", "refused", "withdrawn") for state in self.states.values())
        if waits or "confirmed" in self.states.values():
            assert answer.status_code == 409
            return
        assert answer.status_code == 201, answer.text
        self.current = answer.json()["id"]
        self.states[answer.json()["id"]] = "draft"

    @property
    def day(self) -> dict[str, str]:
        return on(self.today.isoformat())

    async def put_facts(self, wage_fen: int) -> None:
        url = f"/api/v1/applications/{self.current}"
        etag = (await self.clients["s001.clerk"].get(url)).headers["etag"]
        headers = self.day | {"If-Match": etag}
        answer = await self.clients["s001.clerk"].put(f"{url}/facts", json=self.family.facts(wage_fen), headers=headers)
        assert answer.status_code == (200 if self.state in ("draft", "submitted", "returned", "accepted") else 409)

    @property
    def state(self) -> str:
        return self.states[self.current or ""]

    async def act(self, name: str, act: str) -> None:
        url = f"/api/v1/applications/{self.current}"
        offered = await self.clients[name].get(url, headers=self.day)
        answer = await self.clients[name].post(f"{url}/{act}", json=BODIES.get(act), headers=self.day)
        assert answer.status_code in (200, 403, 404, 409), answer.text
        if answer.status_code == 200:
            assert act in offered.json()["next_acts"]
            self.states[self.current or ""] = answer.json()["state"]
        read = (await self.clients["district.auditor"].get(url)).json()
        assert read["state"] == self.state
        assert answer.status_code != 200 or read["version"] == answer.json()["version"]

    async def check(self) -> None:
        """The invariants, from the rows themselves."""
        household = {"id": self.family.household_id}
        async with transaction(self.runtime.engine, DISTRICT) as session:
            applications = (await session.execute(APPLICATIONS, household)).all()
            events = (await session.execute(EVENTS, household)).all()
            worth = (await session.execute(WORTH, household)).all()
        assert sum(one.closed_at is None for one in applications) <= 1
        assert {str(one.id): one.state for one in applications} == self.states
        for one in applications:
            mine = [event for event in events if event.application_id == one.id]
            assert [event.number for event in mine] == list(range(1, one.version + 1))
            assert [mine[0].from_state, mine[-1].to_state] == [None, one.state]
            assert all(before.to_state == after.from_state for before, after in pairwise(mine))
        confirmed = [one.id for one in applications if one.state == "confirmed"]
        assert [one.application_id for one in worth] == confirmed
        assert all(one.paid == one.monthly_fen > 0 and one.decided_by != one.opinion_by for one in worth)


APPLICATIONS = text("SELECT id, state, version, closed_at FROM application WHERE household_id = :id")
EVENTS = text(
    "SELECT application_id, number, from_state, to_state FROM application_event"
    " WHERE application_id IN (SELECT id FROM application WHERE household_id = :id) ORDER BY application_id, number"
)
WORTH = text(
    "SELECT e.application_id, a.opinion_by, d.decided_by, s.monthly_fen,"
    " (SELECT sum(amount_fen)::bigint FROM entitlement_amount m WHERE m.entitlement_id = e.id) AS paid"
    " FROM entitlement e JOIN application a ON a.id = e.application_id"
    " JOIN decision d ON d.id = a.decision_id JOIN assessment s ON s.id = d.assessment_id WHERE e.household_id = :id"
)


async def walk(sign_in: SignIn, runtime: Runtime, way: list[tuple[str, str, int]]) -> None:
    machine = Machine(sign_in, runtime, await family(sign_in))
    for kind, what, later in way:
        await machine.step(kind, what, later)
    await machine.check()


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(way=steps)
async def test_random_acts_keep_the_invariants(sign_in: SignIn, runtime: Runtime, way: list[tuple[str, str, int]]) -> None:
    await walk(sign_in, runtime, way)


@pytest.mark.long
@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(way=steps)
async def test_random_acts_keep_the_invariants_at_length(
    sign_in: SignIn, runtime: Runtime, way: list[tuple[str, str, int]]
) -> None:
    await walk(sign_in, runtime, way)


async def test_the_whole_way_keeps_them_too(sign_in: SignIn, runtime: Runtime) -> None:
    way = [("apply", "", 0), ("facts", "60000", 0), *[("forward", "", 9)] * 6, ("apply", "", 0)]
    machine = Machine(sign_in, runtime, await family(sign_in))
    for kind, what, later in way:
        await machine.step(kind, what, later)
    assert machine.state == "confirmed"
    await machine.check()
