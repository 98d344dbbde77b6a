"""Facts on file, as of a day, and assessments of them: the stored rows answer exactly as the same facts on a form."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import uuid4

import httpx
import pytest
import pytest_asyncio
from sqlalchemy import event, text

from app.db.repositories.reference import load_resident_counts
from app.db.repositories.station_facts import facts_of, list_facts
from app.db.repositories.stations import StationRepository
from app.db.session import transaction
from app.domain.access import AreaScope, Duty, Level
from app.runtime import Runtime
from tests.integration.station_world import SignIn, findings, informant, post

pytestmark = pytest.mark.db

AREA = "350702003"  # 紫云街道: no account of its own, so that nobody else writes here
DISTRICT = AreaScope("350702", "350702")
DAY = "2025-06-15"
NO_CAMERA = {"computer": 3, "telephone": 1, "fax": 1, "printer": 1, "camera": 0, "vehicle": 1}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def station(runtime: Runtime, world: object) -> str:
    """A bare station of 紫云街道 since 2021, with its people counted twice."""
    identifier = str(uuid4())
    statement = text(
        "INSERT INTO station (district, id, area_code, name, head_post, deputy_post, opened_on, version, created_at, created_by,"
        " updated_at) VALUES ('350702', :id, :area, '紫云街道办事处民政工作站', '分管领导', '社会事务科科长', DATE '2021-03-01',"
        " 1, now(), gen_random_uuid(), now())"
    )
    async with transaction(runtime.engine, DISTRICT) as session:
        await session.execute(statement, {"id": identifier, "area": AREA})
        codes = (
            await session.execute(text("SELECT code FROM area WHERE parent_code = :area ORDER BY code"), {"area": AREA})
        ).scalars()
        counted = [(code, 1000 + place) for place, code in enumerate(codes)]
        now = (await session.execute(text("SELECT now()"))).scalar_one()
        await load_resident_counts(session, DISTRICT, counted, as_of=date(2023, 1, 1), source="test", now=now)
        grown = [(code, people + 1500) for code, people in counted]
        await load_resident_counts(session, DISTRICT, grown, as_of=date(2025, 1, 1), source="test", now=now)
    return identifier


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def keeper(runtime: Runtime, app: Any, station: str) -> httpx.AsyncClient:
    """A clerk of 紫云街道, made for this module."""
    account = uuid4()
    statement = text(
        "INSERT INTO account (id, username, display_name, password_hash, password_set_at, must_change_password, level, area_code,"
        " district, duties, version, demo, created_at, created_by, tokens_valid_from) SELECT :id, :name, '经办人', password_hash,"
        " password_set_at, false, 'subdistrict', :area, district, duties, 1, true, created_at, 'test', tokens_valid_from"
        " FROM account WHERE username = 's001.clerk'"
    )
    async with transaction(runtime.engine) as session:
        await session.execute(statement, {"id": account, "name": f"s003.{account}", "area": AREA})
    token = runtime.tokens.issue_access_token(
        subject=account, level=Level.SUBDISTRICT, area=AREA, duties=frozenset({Duty.STATION_CLERK})
    )
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://test", headers={"Authorization": f"Bearer {token}"})


async def facts(client: httpx.AsyncClient, station: str, on: str = DAY, **query: str) -> dict[str, Any]:
    answer = await client.get(f"/api/v1/stations/{station}/facts", params={"as_of": on, **query})
    assert answer.status_code == 200, answer.text
    shown: dict[str, Any] = answer.json()["facts"]
    return shown


async def send(client: httpx.AsyncClient, station: str, what: str, **body: Any) -> dict[str, Any]:
    answer = await client.post(f"/api/v1/stations/{station}/{what}", json=body)
    assert answer.status_code == 201, answer.text
    written: dict[str, Any] = answer.json()
    return written


async def test_nothing_on_file_is_unknown_and_not_zero(keeper: httpx.AsyncClient, station: str) -> None:
    bare = await facts(keeper, station, "2021-06-01")
    assert bare["staff"] is None
    assert bare["rules"] is None
    assert bare["volunteers"] is None
    assert set(bare["premises"].values()) == set(bare["trainings"].values()) == {None}
    assert bare["population"] is None  # not counted yet
    assert {community["informants"] for community in bare["communities"]} == {None}
    answer = await keeper.post(
        f"/api/v1/stations/{station}/assessments", json={"standard": "sanyou_siquan", "as_of": "2022-06-01"}
    )
    assert answer.status_code == 201, answer.text
    assert answer.json()["grade"] == "undetermined"
    assert not [criterion for criterion in answer.json()["criteria"] if criterion["met"] is False]


async def test_people_are_counted_as_of_the_day(keeper: httpx.AsyncClient, station: str) -> None:
    before, after = await facts(keeper, station, "2024-12-31"), await facts(keeper, station, "2025-01-01")
    assert after["population"] - before["population"] == 1500 * len(after["communities"])
    assert after["population"] == sum(community["population"] for community in after["communities"])
    assert {community["kind"] for community in after["communities"]} <= {"community", "village"}


async def test_staff_and_informants_of_the_day(keeper: httpx.AsyncClient, station: str) -> None:
    first = await send(keeper, station, "staff", **post(since="2024-02-01", education="本科"))
    await send(keeper, station, "staff", **post(since="2025-02-01", leads_as="head", establishment="administrative"))
    await keeper.post(f"/api/v1/stations/{station}/staff/{first['id']}/end", json={"on": "2025-02-01"})
    names = {
        day: [member["name"] for member in (await facts(keeper, station, day))["staff"]] for day in ("2024-02-01", "2025-01-31")
    }
    assert names == {"2024-02-01": [first["name"]], "2025-01-31": [first["name"]]}
    (head,) = (await facts(keeper, station, "2025-02-01"))["staff"]
    assert (head["leader"], head["establishment"], head["since"]) == (True, "administrative", "2025-02-01")
    assert (await facts(keeper, station, "2024-01-31"))["staff"] is None  # nobody had ever been on file
    community = (await facts(keeper, station))["communities"][0]["area_code"]
    made = await send(keeper, station, "informants", **informant(area_code=community, since="2024-05-01"))
    await send(keeper, station, "informants", **informant(area_code=community, since="2024-06-01"))
    await keeper.post(f"/api/v1/stations/{station}/informants/{made['id']}/end", json={"on": "2025-05-01"})
    counts = {}
    for day in ("2024-04-30", "2024-05-01", "2025-04-30", "2025-05-01"):
        of_first, *others = (await facts(keeper, station, day))["communities"]
        counts[day] = of_first["informants"]
        assert {other["informants"] for other in others} == ({None} if day == "2024-04-30" else {0})
    assert counts == {"2024-04-30": None, "2024-05-01": 1, "2025-04-30": 2, "2025-05-01": 1}


async def test_sheets_of_the_day(keeper: httpx.AsyncClient, station: str) -> None:
    premises = {"area_m2": 60.5, "independent": True, "accessible": True, "service_window": True, "archive_room": False}
    await send(keeper, station, "premises", **premises, valid_from="2024-01-01")
    await send(keeper, station, "premises", **premises | {"area_m2": 80}, valid_from="2025-01-01")
    assert (await facts(keeper, station, "2024-12-31"))["premises"] == premises
    assert (await facts(keeper, station, "2025-01-01"))["premises"] == {**premises, "area_m2": 80}
    signs = [{"code": "station_plate", "provided_by": "bureau"}, {"code": "duties_board", "provided_by": "street"}]
    await send(keeper, station, "rules", rules=["finance", "appraisal"], signage=signs, valid_from="2024-01-01")
    found = await facts(keeper, station)
    assert (found["rules"], found["signage"]) == (["appraisal", "finance"], ["duties_board", "station_plate"])
    await send(keeper, station, "archives", total=10, bound=9, digitised=8, confidential=True, valid_from="2024-01-01")
    await send(keeper, station, "volunteers", volunteers=7, emergency_plan=True, valid_from="2024-01-01")
    await send(keeper, station, "equipment", **NO_CAMERA, valid_from="2024-01-01")
    found = await facts(keeper, station)
    assert found["archives"] == {"total": 10, "bound": 9, "digitised": 8, "confidential": True}
    assert (found["volunteers"], found["emergency_plan"], found["equipment"]["computer"]) == (7, True, 3)


@pytest.mark.parametrize(
    ("paid", "on", "monthly"),
    [
        (range(1, 13), "2024-12-31", True),
        (range(1, 12), "2024-12-31", True),  # December's isn't due before it has passed
        (range(1, 11), "2024-12-31", False),
        ((1, 2, 3, 4, 6, 7, 8, 9, 10, 11, 12), "2024-06-01", False),
        ((1, 2, 3, 4, 6, 7, 8, 9, 10, 11, 12), "2024-05-31", True),
        (range(1, 13), "2025-01-20", None),  # this year's budget isn't on file
    ],
)
async def test_money_comes_every_month_or_not(
    keeper: httpx.AsyncClient, station: str, paid: list[int], on: str, monthly: bool | None
) -> None:
    rows = [{"month": f"2024-{month:02d}", "amount_fen": 100} for month in paid]
    await send(keeper, station, "budget", year=2024, in_fiscal_budget=True, amount_fen=1200, disbursements=rows)
    budget = (await facts(keeper, station, on))["budget"]
    del budget["last_year_fen"]  # of what the other tests have put on file
    known = on < "2025"
    assert budget == {
        "in_fiscal_budget": True if known else None,
        "monthly_disbursed": monthly,
        "amount_fen": 1200 if known else None,
    }


async def test_in_january_last_years_payments_count(keeper: httpx.AsyncClient, station: str) -> None:
    rows = [{"month": f"2022-{month:02d}", "amount_fen": 100} for month in range(1, 13)]
    await send(keeper, station, "budget", year=2022, in_fiscal_budget=True, amount_fen=1200, disbursements=rows)
    await send(keeper, station, "budget", year=2023, in_fiscal_budget=False, amount_fen=1200, disbursements=[])
    january, february = await facts(keeper, station, "2023-01-31"), await facts(keeper, station, "2023-02-01")
    assert january["budget"] == {
        "in_fiscal_budget": False,
        "monthly_disbursed": True,
        "amount_fen": 1200,
        "last_year_fen": 1200,
    }
    assert february["budget"]["monthly_disbursed"] is False


async def test_trainings_of_the_year_and_meetings_of_twelve_months(keeper: httpx.AsyncClient, station: str) -> None:
    for audience, day in (
        ("assistants", "2024-12-31"),
        ("assistants", "2025-01-01"),
        ("coordinators", "2025-06-15"),
        ("coordinators", "2025-06-16"),
    ):
        await send(keeper, station, "trainings", audience=audience, held_on=day, topic="业务", attended=3)
    assert (await facts(keeper, station))["trainings"] == {"assistants_this_year": 1, "coordinators_this_year": 1}
    assert (await facts(keeper, station, "2024-12-31"))["trainings"] == {"assistants_this_year": 1, "coordinators_this_year": 0}
    meeting = {"invited": 9, "attended": 8}
    for day in ("2024-06-15", "2024-06-16", "2024-07-01", "2024-07-31", "2025-06-15"):
        await send(keeper, station, "meetings", kind="monthly_meeting", held_on=day, **meeting)
    for day in ("2024-08-01", "2024-09-01", "2025-06-01"):
        await send(keeper, station, "meetings", kind="quarterly_check", held_on=day, **meeting)
    # 06-15 of last year is a year ago and out; two in July are one month's; August and September are one quarter
    assert (await facts(keeper, station))["meetings"] == {"monthly_held_12m": 3, "quarterly_checks_12m": 2}


async def test_the_office_of_one_community(keeper: httpx.AsyncClient, station: str) -> None:
    code = (await facts(keeper, station))["communities"][0]["area_code"]
    office = {"area_code": code, "kind": "urban", "area_m2": 480, "rooms": ["police_room"]}
    await send(keeper, station, "community-offices", **office, valid_from="2024-01-01")
    assert (await facts(keeper, station))["community_office"] == {"area_m2": None, "kind": None, "rooms": None}
    shown = await facts(keeper, station, community=code)
    assert shown["community_office"] == {"area_m2": 480, "kind": "urban", "rooms": ["police_room"]}
    foreign = await keeper.get(f"/api/v1/stations/{station}/facts", params={"community": "350702001001"})
    assert (foreign.status_code, foreign.json()["code"]) == (404, "area_not_found")
    judged = await keeper.post(
        f"/api/v1/stations/{station}/assessments", json={"standard": "wuyou_yichuang", "as_of": DAY, "community": code}
    )
    assert judged.json()["grade"] == "unqualified"  # an urban community needs 500 m²


# --- assessments ---------------------------------------------------------------------------------------------------------


async def test_the_files_answer_as_the_same_facts_on_a_form(keeper: httpx.AsyncClient, station: str) -> None:
    for standard in ("sanyou_siquan", "wuyige", "staffing_b", "operations"):
        stored = await keeper.post(f"/api/v1/stations/{station}/assessments", json={"standard": standard, "as_of": DAY})
        assert stored.status_code == 201, stored.text
        form = {"standard": standard, "as_of": DAY, "facts": await facts(keeper, station)}
        answer = (await keeper.post("/api/v1/stations/assessments", json=form)).json()
        kept = stored.json()
        own = ("claimed", "claim_note", "disagrees")
        criteria = [{name: value for name, value in row.items() if name not in own} for row in kept["criteria"]]
        assert criteria == answer["criteria"]
        assert (kept["grade"], kept["dimensions"], kept["version"]) == (answer["grade"], answer["dimensions"], answer["version"])
        assert kept["facts"] == form["facts"]


async def test_a_kept_assessment_is_never_computed_again(
    keeper: httpx.AsyncClient, station: str, sign_in: SignIn, runtime: Runtime
) -> None:
    order = {"standard": "sanyou_siquan", "as_of": DAY}
    made = await keeper.post(f"/api/v1/stations/{station}/assessments", json=order)
    await send(keeper, station, "staff", **post(since="2025-06-01"))
    path = made.headers["location"]
    assert (await keeper.get(path)).json() == made.json()
    again = (await keeper.post(f"/api/v1/stations/{station}/assessments", json=order)).json()
    assert len(again["facts"]["staff"]) == len(made.json()["facts"]["staff"] or ()) + 1
    listed = await sign_in("district.inspector").get(
        f"/api/v1/stations/{station}/assessments", params={"standard": "sanyou_siquan", "limit": 200, "count": "true"}
    )
    ids = [item["id"] for item in listed.json()["items"]]
    assert {made.json()["id"], again["id"]} <= set(ids)
    assert listed.json()["total"] == len(ids)
    with pytest.raises(Exception, match=r"append-only|permission denied"):
        async with transaction(runtime.engine, DISTRICT) as session:
            await session.execute(text("UPDATE station_assessment SET grade = 'qualified'"))


async def test_what_the_station_says_stands_beside_what_is_on_file(keeper: httpx.AsyncClient, station: str) -> None:
    await send(keeper, station, "equipment", **NO_CAMERA, valid_from="2024-01-01")
    plain = (
        await keeper.post(f"/api/v1/stations/{station}/assessments", json={"standard": "sanyou_siquan", "as_of": DAY})
    ).json()
    failed = next(row["code"] for row in plain["criteria"] if row["met"] is False)
    passed = next(row["code"] for row in plain["criteria"] if row["met"] is True)
    claims = [{"code": failed, "met": True, "note": "已整改"}, {"code": passed, "met": True}]
    order = {"standard": "sanyou_siquan", "as_of": DAY, "claims": claims}
    told = (await keeper.post(f"/api/v1/stations/{station}/assessments", json=order)).json()
    rows = {row["code"]: row for row in told["criteria"]}
    assert (rows[failed]["met"], rows[failed]["claimed"], rows[failed]["disagrees"]) == (False, True, True)
    assert (rows[passed]["met"], rows[passed]["claimed"], rows[passed]["disagrees"]) == (True, True, False)
    assert (told["disagreements"], told["grade"]) == (1, plain["grade"])  # a claim never changes the answer


WRONG_ORDERS: dict[str, tuple[dict[str, Any], int, str]] = {
    "no such standard": ({"standard": "sanyou"}, 422, "unknown_value"),
    "a day to come": ({"as_of": "2090-01-01"}, 422, "date_in_future"),
    "before the station was set up": ({"as_of": "2021-02-28"}, 409, "station_not_open"),
    "before the standard": ({"as_of": "2021-03-01"}, 409, "no_standard_in_force"),
    "a claim about nothing": ({"claims": [{"code": "coffee", "met": True}]}, 422, "unknown_value"),
    "a claim twice": ({"claims": [{"code": "fax", "met": True}, {"code": "fax", "met": False}]}, 422, "repeated"),
    "a claim in words": ({"claims": [{"code": "fax", "met": "达标"}]}, 422, "not_a_boolean"),
    "another's community": ({"community": "350702001001"}, 404, "area_not_found"),
}


@pytest.mark.parametrize("wrong", WRONG_ORDERS)
async def test_a_wrong_order_is_refused_by_cause(keeper: httpx.AsyncClient, station: str, wrong: str) -> None:
    values, status, code = WRONG_ORDERS[wrong]
    order = {"standard": "sanyou_siquan", "as_of": DAY, **values}
    answer = await keeper.post(f"/api/v1/stations/{station}/assessments", json=order)
    assert answer.status_code == status, answer.text
    assert code == answer.json()["code"] or code in {found for _, found in findings(answer)}


async def test_an_inspector_assesses_but_doesnt_speak_for_the_station(station: str, sign_in: SignIn) -> None:
    path = f"/api/v1/stations/{station}/assessments"
    inspector, order = sign_in("district.inspector"), {"standard": "sanyou_siquan", "as_of": DAY}
    assert (await inspector.post(path, json=order)).status_code == 201
    refused = await inspector.post(path, json={**order, "claims": [{"code": "fax", "met": True}]})
    assert (refused.status_code, refused.json()["code"]) == (403, "duty_required")
    for name, status in (("s001.clerk", 404), ("district.auditor", 403), ("qs.district.inspector", 404)):
        assert (await sign_in(name).post(path, json=order)).status_code == status, name


async def test_as_many_queries_for_all_stations_as_for_one(runtime: Runtime, station: str) -> None:
    """Recomputing a district must not ask once for each station."""
    asked: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        asked.append(statement)

    async with transaction(runtime.engine, DISTRICT) as session:
        stations = await StationRepository(session).list_stations(DISTRICT, area_code=None, on=None, after=None, limit=200)
        (own,) = [one for one in stations if str(one.id) == station]
        event.listen(runtime.engine.sync_engine, "before_cursor_execute", note)
        try:
            alone = await facts_of(DISTRICT, session, own, date(2025, 6, 15))
            for_one = len(asked)
            together = await list_facts(DISTRICT, session, stations, date(2025, 6, 15))
        finally:
            event.remove(runtime.engine.sync_engine, "before_cursor_execute", note)
    assert len(asked) == 2 * for_one
    assert together[own.id] == alone
