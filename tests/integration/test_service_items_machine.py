"""Random acts by random people, two at a time: at every moment exactly one person answers for a request (首问负责)."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.integration.registry_world import SignIn
from tests.integration.service_world import MONDAY, REQUESTS, act, id_of, published, taken

pytestmark = pytest.mark.db

PEOPLE = ("c001001.worker", "s001.clerk", "s001.head")
BODIES: dict[str, dict[str, Any]] = {
    "hand-over": {"reason": "absence"},
    "decline-handover": {"reason": "workload"},
    "take-over": {"reason": "reassignment"},
    "notify-missing": {"materials": [{"code": "form", "reason": "absent"}]},
    "record-supplement": {"materials": {"form": "original"}},
    "refuse": {"ground": "duplicate", "note": "重复"},
    "withdraw": {"note": "不办了"},
}
#: Mostly what moves the responsibility; what ends the request comes seldom, so that chains get long.
ACTS = ("hand-over", "hand-over", "accept-handover", "accept-handover", "recall-handover", "decline-handover", "take-over")
doings = st.tuples(
    st.sampled_from(PEOPLE),
    st.sampled_from((*ACTS, *ACTS, "notify-missing", "record-supplement", "refuse", "withdraw")),
    st.sampled_from(PEOPLE),
)
moments = st.lists(st.lists(doings, min_size=1, max_size=2), min_size=6, max_size=12)
quickly = settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.too_slow])
at_length = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])

Moment = list[tuple[str, str, str]]


class Chain:
    """One request and the people who may come to answer for it."""

    def __init__(self, sign_in: SignIn, request: dict[str, Any], ids: dict[str, str]) -> None:
        self.clients = {name: sign_in(name) for name in PEOPLE}
        self.request = request
        self.ids = ids

    async def pass_moment(self, doings: Moment) -> None:
        """All at once, and then exactly one person answers for it."""
        answers = await asyncio.gather(*(self.do(*doing) for doing in doings))
        assert set(answers) <= {200, 409}
        await self.check()

    async def do(self, name: str, what: str, to: str) -> int:
        body = BODIES.get(what, {}) | ({"account_id": self.ids[to]} if what == "hand-over" else {})
        return (await act(self.clients[name], self.request, what, **body)).status_code

    async def check(self) -> None:
        url = f"{REQUESTS}/{self.request['id']}"
        events = (await self.clients["s001.head"].get(f"{url}/events")).json()["items"]
        answer = await self.clients["s001.head"].get(url)
        seen = answer.json()
        assert [one["number"] for one in events] == list(range(1, len(events) + 1))
        assert answer.headers["etag"] == f'"{len(events)}.m"'
        assert (events[0]["act"], events[0]["by"], events[0]["responsible"]) == ("take", *("c001001.worker",) * 2)
        for before, after in pairwise(events):
            assert before["state"] in ("in_hand", "awaiting_supplement")
            _check_step(before, after)
        assert events[-1]["responsible"] == seen["responsible"]
        assert events[-1]["handover_to"] == (seen["handover"] or {}).get("to")
        assert self.ids[seen["responsible"]] == seen["responsible_id"]


def _check_step(before: dict[str, Any], after: dict[str, Any]) -> None:
    """It passes to whoever accepted what was offered to him, or who took it over; every other act is the responsible one's."""
    if after["act"] == "accept-handover":
        assert before["handover_to"] == after["by"] == after["responsible"] != before["responsible"]
    elif after["act"] == "take-over":
        assert after["by"] == after["responsible"] != before["responsible"]
    else:
        assert after["responsible"] == before["responsible"]
        assert after["by"] == (before["handover_to"] if after["act"] == "decline-handover" else before["responsible"])
    assert after["handover_to"] != after["responsible"]


async def walk(sign_in: SignIn, way: list[Moment]) -> None:
    await published(sign_in)
    ids = {name: await id_of(sign_in, name) for name in PEOPLE}
    chain = Chain(sign_in, await taken(sign_in("c001001.worker"), day=MONDAY), ids)
    for moment in way:
        await chain.pass_moment(moment)


@quickly
@given(way=moments)
async def test_exactly_one_person_answers_for_it(sign_in: SignIn, way: list[Moment]) -> None:
    await walk(sign_in, way)


@pytest.mark.long
@at_length
@given(way=st.lists(st.lists(doings, min_size=1, max_size=3), min_size=10, max_size=40))
async def test_exactly_one_person_answers_for_it_at_length(sign_in: SignIn, way: list[Moment]) -> None:
    await walk(sign_in, way)
