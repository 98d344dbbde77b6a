"""The demo's year-end assessment: last year's is published, this year's stands in the phase that today lies in."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime

import pytest

from app.demo.appraisals_load import schedule_of
from app.domain.appraisals import Phase, workflow
from app.domain.calendar import business_date
from tests.demo_world import Demo

pytestmark = [pytest.mark.db, pytest.mark.xdist_group("demo")]


@pytest.mark.parametrize("year", [2024, 2025, 2026])
def test_the_demos_days_are_in_order(year: int) -> None:
    workflow.check_schedule(schedule_of(year), year)
    assert schedule_of(year)[Phase.REVIEW].last == date(year + 1, 1, 15)


async def test_last_year_is_published_with_an_equal_pair(demo: Demo) -> None:
    http = demo.callers["district.reviewer"].http
    years = {one["year"]: one for one in (await http.get("/api/v1/appraisals")).json()["items"]}
    assert len(years) == 2
    last = years[min(years)]
    assert last["phase"] == "published"
    results = (await http.get(f"/api/v1/appraisals/{last['id']}/published-results")).json()
    ranks = Counter(one["rank"] for one in results)
    assert len(results) == 21
    assert max(ranks.values()) >= 2
    assert sorted(one["score_points"] for one in results) == [one["score_points"] for one in results][::-1]
    steps = [row["next_step"] for one in results for row in one["content"]["result"]["indicators"] if row["next_step"]]
    assert steps


async def test_this_year_is_where_today_is(demo: Demo) -> None:
    http, clerk = demo.callers["district.reviewer"].http, demo.callers["s001.clerk"].http
    current = max((await http.get("/api/v1/appraisals")).json()["items"], key=lambda one: one["year"])
    mine = (await clerk.get("/api/v1/station-appraisals", params={"appraisal_id": current["id"]})).json()["items"]
    assert [one["phase"] for one in mine] == [current["phase"]]
    begun = [
        phase.value for phase, span in schedule_of(current["year"]).items() if span.first <= business_date(datetime.now(UTC))
    ]
    assert current["phase"] == (begun[-1] if begun else "preparation")
    people = (await clerk.get(f"/api/v1/stations/{mine[0]['station_id']}/personnel-appraisals")).json()["items"]
    assert {one["person_kind"] for one in people} == {"assistant", "informant"}
