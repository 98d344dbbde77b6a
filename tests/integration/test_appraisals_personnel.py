"""People of stations: monthly meetings and quarterly checks on record, each person's year, what counts for the station."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import httpx
import pytest
import pytest_asyncio

from tests.integration.appraisal_world import Year, code_of
from tests.integration.station_world import COMMUNITY, HUANGDUN, MEISHAN, OTHER_COMMUNITY, SignIn, employed, engaged, station_of

pytestmark = pytest.mark.db


class Team:
    """A station with an assistant and an informant of its own, in a year of its own."""

    def __init__(self, sign_in: SignIn) -> None:
        self.year = Year(sign_in)
        self.clerk, self.inspector = self.year.clerk, self.year.inspector
        self.day(12, 31)
        self.station = ""
        self.assistant: dict[str, Any] = {}
        self.informant: dict[str, Any] = {}

    def day(self, month: int, day: int) -> None:
        self.year.today(f"{self.year.year}-{month:02}-{day:02}")

    async def gather(self) -> Team:
        """A leader is there too, and isn't one of those assessed; nobody of another test is."""
        self.station = await station_of(self.clerk)
        since = f"{self.year.year}-01-01"
        self.assistant = await employed(self.clerk, self.station, since=since)
        self.informant = await engaged(self.clerk, self.station, since=since, area_code=COMMUNITY)
        return self

    async def leave(self) -> None:
        for kind, one in (("staff", self.assistant), ("informants", self.informant)):
            url = f"/api/v1/stations/{self.station}/{kind}/{one['id']}/end"
            answer = await self.clerk.post(url, json={"on": f"{self.year.year}-12-31"})
            assert answer.status_code == 200, answer.text

    async def record(
        self, kind: str, month: int, *outcomes: tuple[dict[str, Any], str], caller: httpx.AsyncClient | None = None
    ) -> httpx.Response:
        people = [{"person_id": one["id"], "outcome": outcome} for one, outcome in outcomes]
        body = {"kind": kind, "held_on": f"{self.year.year}-{month:02}-05", "people": people}
        return await (caller or self.clerk).post(f"/api/v1/stations/{self.station}/personnel-records", json=body)

    async def years(self) -> dict[str, dict[str, Any]]:
        listed = await self.clerk.get(f"/api/v1/stations/{self.station}/personnel-appraisals", params={"year": self.year.year})
        assert listed.status_code == 200, listed.text
        return {one["person_id"]: one for one in listed.json()["items"]}


@pytest_asyncio.fixture(loop_scope="session")
async def team(sign_in: SignIn) -> AsyncIterator[Team]:
    made = await Team(sign_in).gather()
    yield made
    await made.leave()


async def test_a_persons_year_is_computed_from_what_is_on_record(team: Team) -> None:
    assistant, informant = team.assistant["id"], team.informant["id"]
    before = (await team.years())[assistant]
    assert (before["score_points"], before["grade"], before["meetings"]["unrecorded"]) == (None, None, 12)
    for month, said in enumerate(("present", "present", "absent", "excused"), start=1):
        answer = await team.record("monthly_meeting", month, (team.assistant, said), (team.informant, "present"))
        assert answer.status_code == 201, answer.text
    joint = await team.record("quarterly_check", 5, (team.assistant, "passed"), caller=team.inspector)
    assert joint.json()["items"][0]["period"] == f"{team.year.year}-04-01"
    found = await team.years()
    mine = found[assistant]
    assert mine["meetings"] == {"due": 12, "good": 2, "bad": 1, "excused": 1, "unrecorded": 8}
    assert mine["checks"] == {"due": 4, "good": 1, "bad": 0, "excused": 0, "unrecorded": 3}
    # meetings 2 of 3, checks 1 of 1, half each: 83.33
    assert (mine["score_points"], mine["grade"], found[informant]["score_points"]) == (8333, "qualified", 10000)


async def test_the_last_word_on_a_period_counts_and_the_first_stays_on_file(team: Team) -> None:
    for said in ("absent", "present"):
        assert (await team.record("monthly_meeting", 3, (team.assistant, said))).status_code == 201
    assert (await team.years())[team.assistant["id"]]["score_points"] == 10000
    params = {"person_id": team.assistant["id"], "year": team.year.year, "kind": "monthly_meeting", "count": True, "limit": 1}
    url = f"/api/v1/stations/{team.station}/personnel-records"
    first = (await team.clerk.get(url, params=params)).json()
    rest = (await team.clerk.get(url, params=params | {"cursor": first["next_cursor"]})).json()
    assert [one["outcome"] for one in (*first["items"], *rest["items"])] == ["present", "absent"]
    assert (first["total"], rest["next_cursor"]) == (2, None)


async def test_many_at_once_leave_one_last_word(team: Team) -> None:
    said = ("present", "absent", "excused", "present")
    answers = await asyncio.gather(*(team.record("monthly_meeting", 6, (team.assistant, one)) for one in said))
    assert {one.status_code for one in answers} == {201}
    tally = (await team.years())[team.assistant["id"]]["meetings"]
    assert tally["good"] + tally["bad"] + tally["excused"] == 1


async def test_records_that_make_no_sense(team: Team, sign_in: SignIn) -> None:
    assert code_of(await team.record("monthly_meeting", 3, (team.assistant, "passed"))) == "outcome_of_other_kind"
    assert code_of(await team.record("quarterly_check", 3, (team.assistant, "present"))) == "outcome_of_other_kind"
    assert code_of(await team.record("monthly_meeting", 3, *[(team.assistant, "present")] * 2)) == "entered_twice"
    assert code_of(await team.record("monthly_meeting", 3, ({"id": str(uuid4())}, "present"))) == "person_unknown"
    team.day(2, 28)
    assert code_of(await team.record("monthly_meeting", 3, (team.assistant, "present"))) == "held_in_future"
    team.day(12, 31)
    other = await station_of(team.year.clerks[HUANGDUN], HUANGDUN)
    url = f"/api/v1/stations/{other}/personnel-records"
    body = {
        "kind": "monthly_meeting",
        "held_on": f"{team.year.year}-03-05",
        "people": [{"person_id": str(uuid4()), "outcome": "present"}],
    }
    assert code_of(await team.clerk.post(url, json=body)) == "station_not_found"
    assert (await sign_in("c001001.worker").post(url, json=body)).status_code == 403


async def test_nobody_puts_himself_on_record(team: Team) -> None:
    me = (await team.clerk.get("/api/v1/me")).json()["id"]
    mine = await employed(team.clerk, team.station, since=f"{team.year.year}-01-01", account_id=me)
    refused = await team.record("monthly_meeting", 3, (mine, "present"))
    assert (refused.status_code, code_of(refused)) == (403, "own_record")
    assert (await team.record("monthly_meeting", 3, (mine, "present"), caller=team.inspector)).status_code == 201
    ended = await team.clerk.post(
        f"/api/v1/stations/{team.station}/staff/{mine['id']}/end", json={"on": f"{team.year.year}-12-31"}
    )
    assert ended.status_code == 200, ended.text


async def test_people_count_for_their_station_until_the_year_is_published(team: Team) -> None:
    """考评纳入街办民政工作责任考核序列 (S001 L65)."""
    year, assistant = team.year, team.assistant
    newcomer = await engaged(team.clerk, team.station, since=f"{year.year}-06-15", area_code=OTHER_COMMUNITY)
    assert (await team.record("monthly_meeting", 7, (assistant, "absent"), (newcomer, "present"))).status_code == 201
    year.today(f"{year.year}-03-25")
    assert (await year.open(scheme="year_end")).status_code == 201
    await year.finish()
    row = next(one for one in (await year.standings())[MEISHAN]["indicators"] if one["indicator"] == "personnel")
    assert (row["actual"], row["score_points"]) == ("50", 5556)  # of a target of 90
    assert row["source"].startswith("2 人有考核记录")
    assert (await year.publish()).status_code == 200
    late = await team.record("monthly_meeting", 8, (assistant, "present"))
    assert (late.status_code, code_of(late)) == (409, "appraisal_phase")
    results = (await year.reviewer.get(f"{year.url}/published-results")).json()
    people = next(one for one in results if one["area_code"] == MEISHAN)["content"]["people"]
    assert {one["person"]["id"]: one["points"] for one in people}[newcomer["id"]] == 10000
    url = f"/api/v1/stations/{team.station}/informants/{newcomer['id']}/end"
    ended = await team.clerk.post(url, json={"on": f"{year.year}-12-31"})
    assert ended.status_code == 200, ended.text
