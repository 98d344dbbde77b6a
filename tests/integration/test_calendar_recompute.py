"""A time limit that runs past the loaded calendar is provisional, and exact once the year is loaded; it never blocks an act."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import text

from app.cli import main
from app.db.engine import application_url
from app.db.session import transaction
from app.domain.access import AreaScope
from app.runtime import Runtime
from tests.integration.casework_world import Case, family, on
from tests.integration.registry_world import SignIn
from tests.world import World

pytestmark = pytest.mark.db
HOLIDAYS = {  # invented for 2041: days off around fixed dates, as the yearly notice would announce them
    "元旦": ["2041-01-01"],
    "春节": ["2041-01-31", "2041-02-01", "2041-02-02", "2041-02-03", "2041-02-04", "2041-02-05"],
    "清明节": ["2041-04-04"],
    "劳动节": ["2041-05-01", "2041-05-02"],
    "端午节": ["2041-06-03"],
    "中秋节": ["2041-09-10"],
    "国庆节": ["2041-10-01", "2041-10-02", "2041-10-03", "2041-10-04"],
}


def calendar_of_2041(folder: Path) -> Path:
    rows = [f"{day},holiday,{name}" for name, days in HOLIDAYS.items() for day in days]
    file = folder / "2041.csv"
    file.write_text("\n".join(["date,kind,name", *rows]) + "\n", "utf-8")
    return file


async def test_a_provisional_limit_becomes_exact_when_the_year_is_loaded(
    runtime: Runtime, world: World, sign_in: SignIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    applicants = await family(sign_in)
    clerk = sign_in("s001.clerk")
    opened = await clerk.post("/api/v1/applications", json={"household_id": applicants.household_id, "programme": "dibao"})
    case = Case(sign_in, applicants, opened.json()["id"])
    await case.done(case.worker, "submit", "2041-01-02")
    accepted = await case.done(case.clerk, "accept", "2041-01-25")
    total = next(limit for limit in accepted["deadlines"] if limit["kind"] == "total")
    assert total["provisional"]
    before = date.fromisoformat(total["due_on"])

    monkeypatch.setenv("DATABASE_URL", application_url(runtime.settings).render_as_string(hide_password=False))
    assert await _in_thread(["calendar", "load", str(calendar_of_2041(tmp_path))]) == 0

    deadlines = (await case.clerk.get(f"{case.url}/deadlines", headers=on("2041-01-26"))).json()["items"]
    total = next(limit for limit in deadlines if limit["kind"] == "total")
    working_days_off = sum(
        before >= (day := date.fromisoformat(text)) > date(2041, 1, 25) and day.weekday() < 5
        for days in HOLIDAYS.values()
        for text in days
    )
    assert working_days_off > 0
    assert not total["provisional"]
    assert date.fromisoformat(total["due_on"]) > before
    async with transaction(runtime.engine, AreaScope("350702", "350702")) as session:
        recorded = text("SELECT count(*) FROM audit_record WHERE action = 'deadline.recompute' AND area_code LIKE '350702001%'")
        assert (await session.execute(recorded)).scalar_one() >= 1


async def _in_thread(arguments: list[str]) -> int:
    import asyncio

    return await asyncio.to_thread(main, arguments)
