"""A state machine over the real API: in whatever order acts come, nobody stands in two households and none has two heads."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import date, timedelta
from itertools import chain
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from app.domain.errors import Conflict
from app.domain.registry import Relative, contradictions
from app.domain.registry.membership import check_heads, check_relations, ended
from app.domain.registry.model import Membership
from app.ids import new_id
from tests.integration.registry_world import SignIn, opened, registered

pytestmark = pytest.mark.db

NEWCOMERS, HOUSEHOLDS = 2, 2
FIRST = date(2025, 1, 1)
days = st.integers(0, 6).map(lambda n: (FIRST + timedelta(days=n)).isoformat())
who = st.integers(0, NEWCOMERS + 2 * HOUSEHOLDS - 1)
nth = st.integers(0, 2)
where = st.integers(0, HOUSEHOLDS - 1)
relations = st.sampled_from(["head", "spouse", "child", "parent", "other"])


class Memberships(RuleBasedStateMachine):
    """Two households of two and two others; the machine runs in a thread, the API on the test's loop."""

    loop: asyncio.AbstractEventLoop
    client: httpx.AsyncClient
    present: list[list[str]]
    births: dict[str, date]

    def call(self, coroutine: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(30)

    def act(self, path: str, body: dict[str, Any]) -> None:
        answer = self.call(self.client.post(f"/api/v1/households/{path}", json=body))
        assert answer.status_code in (200, 201, 404, 409), answer.text
        if answer.status_code == 404:
            assert answer.json()["code"] == "member_not_found"

    @initialize()
    def begin(self) -> None:
        made = [self.call(opened(self.client, "head", "child", since=FIRST.isoformat())) for _ in range(HOUSEHOLDS)]
        self.homes = [household["id"] for household in made]
        self.people = [person for household in made for person in household["people"]]
        self.people += [self.call(registered(self.client))["id"] for _ in range(NEWCOMERS)]
        read = [self.call(self.client.get(f"/api/v1/persons/{person}")).json() for person in self.people]
        self.births = {person["id"]: date.fromisoformat(person["birth_date"]) for person in read}

    @rule(person=who, home=where, relation=relations, since=days, move=st.booleans())
    def join(self, person: int, home: int, relation: str, since: str, move: bool) -> None:
        body = {"person_id": self.people[person], "relation": relation, "since": since, "move": move}
        self.act(f"{self.homes[home]}/members", body)

    @rule(nth=nth, home=where, on=days)
    def leave(self, nth: int, home: int, on: str) -> None:
        person = self.member(home, nth)
        self.act(f"{self.homes[home]}/members/{person}/leave", {"on": on})

    @rule(nth=nth, home=where, on=days, stated=st.booleans(), relation=relations)
    def change_head(self, nth: int, home: int, on: str, stated: bool, relation: str) -> None:
        said = [{"person_id": self.member(home, 0), "relation": relation}] if stated else []
        self.act(f"{self.homes[home]}/change-head", {"person_id": self.member(home, nth), "on": on, "relations": said})

    def member(self, home: int, nth: int) -> str:
        """One who belongs to the household now, the head being 0; anybody when there is none."""
        present = self.present[home]
        return present[nth % len(present)] if present else self.people[nth]

    @invariant()
    def one_household_and_one_head_whom_nobody_contradicts(self) -> None:
        for n in (-1, 0, 1, 3, 5, 6, 500):
            day = (FIRST + timedelta(days=n)).isoformat()
            read = [self.client.get(f"/api/v1/households/{home}", params={"as_of": day}) for home in self.homes]
            members = [self.call(answer).json()["members"] for answer in read]
            self.present = [[member["person_id"] for member in household] for household in members]
            together = list(chain.from_iterable(self.present))
            assert len(together) == len(set(together)), f"somebody in two households on {day}"
            for household in members:
                heads = [member for member in household if member["relation"] == "head"]
                assert len(heads) == (1 if household else 0), f"{len(heads)} heads on {day}"
                relatives = [Relative(member["relation"], self.births[member["person_id"]]) for member in household]
                assert contradictions(relatives) == {}, f"relations on {day}"


async def walk(client: httpx.AsyncClient, examples: int, steps: int) -> None:
    class Here(Memberships):
        pass

    Here.loop, Here.client = asyncio.get_running_loop(), client
    limits = settings(
        max_examples=examples,
        stateful_step_count=steps,
        deadline=None,
        database=None,
        derandomize=True,
        phases=(Phase.generate,),  # shrinking walks the real API for minutes; the failing walk itself is printed
        suppress_health_check=list(HealthCheck),
    )
    await asyncio.to_thread(run_state_machine_as_test, Here, settings=limits)


async def test_never_two_households_never_two_heads(sign_in: SignIn) -> None:
    await walk(sign_in("s001.clerk"), examples=6, steps=6)


@pytest.mark.long
async def test_never_two_households_never_two_heads_at_length(sign_in: SignIn) -> None:
    await walk(sign_in("s001.clerk"), examples=25, steps=30)


def stay(relation: Any, first: int, until: int | None = None) -> Membership:
    end = None if until is None else FIRST + timedelta(days=until)
    return Membership(new_id(), new_id(), new_id(), relation, FIRST + timedelta(days=first), end)


@pytest.mark.parametrize(
    ("stays", "code"),
    [
        ([], None),
        ([stay("head", 0)], None),
        ([stay("head", 0, 3), stay("head", 3)], None),
        ([stay("head", 0, 3), stay("head", 2)], "household_has_head"),
        ([stay("head", 0, 3), stay("child", 0, 3)], None),
        ([stay("head", 0, 3), stay("child", 0, 4)], "household_without_head"),
        ([stay("head", 1), stay("child", 0)], "household_without_head"),
        ([stay("head", 0, 3), stay("child", 1), stay("head", 4)], "household_without_head"),
        ([stay("head", 0), stay("head", 2, 2)], None),
    ],
)
def test_one_head_at_every_moment(stays: list[Membership], code: str | None) -> None:
    if code is None:
        check_heads(stays)
        return
    with pytest.raises(Conflict) as refused:
        check_heads(stays)
    assert refused.value.code == code


HEAD, SON = stay("head", 0), stay("child", 2)
LATER_HEAD, FIRST_WIFE, SECOND_WIFE, OVERLAPPING = stay("head", 3), stay("spouse", 0, 4), stay("spouse", 4), stay("spouse", 3)


@pytest.mark.parametrize(
    ("stays", "added", "code"),
    [
        ([HEAD, SON], [SON], "not_younger_than_head"),
        ([HEAD, SON], [HEAD], "not_younger_than_head"),
        ([HEAD, SON, SECOND_WIFE], [SECOND_WIFE], None),  # what is on record already stands in nobody's way
        ([HEAD, SON], [], None),
        ([HEAD, FIRST_WIFE, SECOND_WIFE], [SECOND_WIFE], None),  # one after the other
        ([HEAD, FIRST_WIFE, OVERLAPPING], [OVERLAPPING], "head_has_two_spouses"),  # for a day
        ([HEAD, stay("spouse", 2, 2), OVERLAPPING], [OVERLAPPING], None),  # never held
        ([replace(HEAD, valid_until=LATER_HEAD.valid_from), LATER_HEAD, SON], [LATER_HEAD], "not_younger_than_head"),
    ],
)
def test_no_added_relation_contradicts_the_head_at_any_moment(
    stays: list[Membership], added: list[Membership], code: str | None
) -> None:
    births = {HEAD.person_id: FIRST, LATER_HEAD.person_id: FIRST, SON.person_id: FIRST - timedelta(1)}
    if code is None:
        check_relations(stays, added, births)
        return
    with pytest.raises(Conflict) as refused:
        check_relations(stays, added, births)
    assert refused.value.code == code
    blamed = {str(SON.person_id)} if code == "not_younger_than_head" else {str(stays[1].person_id), str(stays[2].person_id)}
    assert set(refused.value.members["person_ids"]) == blamed  # type: ignore[call-overload]


def test_a_stay_ends_on_its_first_day_at_the_earliest() -> None:
    assert not ended(stay("child", 3), FIRST + timedelta(days=3)).reaches_past(FIRST)
    with pytest.raises(Conflict):
        ended(stay("child", 3), FIRST + timedelta(days=2))
