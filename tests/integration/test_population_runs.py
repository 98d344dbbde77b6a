"""From the registry and the cases to stored differences: the demo's applicants, computed at both speeds."""

from __future__ import annotations

import gc
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID, uuid4

import numpy as np
import pytest
import pytest_asyncio
from sqlalchemy import URL, text
from sqlalchemy.exc import DBAPIError

from app.db.copy_columns import FixedRows, copy_in, copy_out
from app.db.population_runs import RunOrder, run_population
from app.db.repositories import population as repository
from app.db.repositories import population_facts
from app.db.repositories.policy import read_book
from app.db.session import raw_connection, transaction
from app.demo import demo_population
from app.demo.casework_load import load_applications
from app.demo.load import load_accounts, load_reference
from app.demo.population_load import load_population
from app.domain.access import AreaScope
from app.domain.casework.frozen import value_of
from app.domain.eligibility import AssessmentQuestion, Context, Household, ParameterBook, ParameterRow, assess
from app.domain.eligibility.arithmetic_setwise import NotSetWise
from app.domain.eligibility.columns_setwise import HOUSEHOLD_COLUMNS, MEMBER_COLUMNS, population_of
from app.domain.eligibility.facts import CurrentEntitlement, Residence
from app.domain.errors import NotFound
from app.runtime import Runtime
from tests.conftest import build_database, running

pytestmark = pytest.mark.db

DISTRICT = AreaScope("350702", "350702")
AS_OF = date(2026, 11, 20)
NOW = datetime(2026, 11, 20, 4, tzinfo=UTC)
SOMEBODY = UUID(int=1)
HOUSEHOLD_PROGRAMMES = ("dibao", "dibao_edge")
EVERYTHING = ("dibao", "dibao_edge", "disability_living", "disability_care", "old_age")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def demo(cluster: URL, worker_name: str, data_folder: Any) -> AsyncIterator[Runtime]:
    """A database of its own, with the applicants of the demo and what became of their applications."""
    whole = demo_population(AS_OF)
    population = replace(whole, households=tuple(planned.household for planned in whole.applications))
    settings = await build_database(cluster, f"runs_{worker_name}", data_folder)
    async with running(settings) as runtime:
        await load_reference(runtime)
        await load_accounts(runtime)
        await load_population(runtime, population)
        await load_applications(runtime, population)
        yield runtime
    gc.collect()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def book(demo: Runtime) -> ParameterBook:
    async with transaction(demo.engine, DISTRICT) as session:
        sets = (await session.execute(text("SELECT id FROM policy_set WHERE status = 'active'"))).scalars().all()
        return await read_book(session, list(sets))


def with_values(book: ParameterBook, area: str, **values: object) -> ParameterBook:
    """The book with other values of a nearer or the same area from the start of 2026 on."""
    keys = {key.replace("__", "."): value for key, value in values.items()}
    kept = [row for row in book.rows if not (row.area_code == area and row.key in keys)]
    added = [ParameterRow(area, key, date(2014, 1, 1), None, value) for key, value in keys.items()]
    return ParameterBook((*kept, *added), demo_areas=book.demo_areas)


def order(book: ParameterBook, programmes: tuple[str, ...] = EVERYTHING, **values: Any) -> RunOrder:
    return replace(RunOrder("350702", book, AS_OF, programmes, SOMEBODY), **values)


async def run(demo: Runtime, asked: RunOrder, scope: AreaScope = DISTRICT, **values: Any) -> tuple[Any, list[Any]]:
    """The stored run with all its differences."""
    async with transaction(demo.engine, scope) as session:
        run_id = await run_population(scope, session, asked, now=NOW, **values)
    async with transaction(demo.engine, scope) as session:
        stored = await repository.get_run(scope, session, run_id)
        return stored, list(await repository.list_differences(scope, session, run_id, limit=100_000))


def shape(differences: list[Any]) -> list[tuple[Any, ...]]:
    return sorted(
        (str(one.household_id), one.programme, str(one.person_id), one.old_outcome, one.new_outcome, one.old_fen, one.new_fen)
        for one in differences
    )


# --- the facts ------------------------------------------------------------------------------------------------------------

SOURCES = """
    SELECT h.id, h.area_code, h.residence, a.facts, e.fen
    FROM household h
    JOIN LATERAL (
        SELECT facts FROM application a WHERE a.household_id = h.id AND facts IS NOT NULL ORDER BY id DESC LIMIT 1
    ) a ON true
    LEFT JOIN LATERAL (
        SELECT sum(amount_fen) AS fen FROM entitlement e JOIN entitlement_amount m ON m.entitlement_id = e.id
        WHERE e.household_id = h.id AND e.programme = 'dibao' AND e.state <> 'ended' AND m.superseded_at IS NULL
          AND m.from_month <= greatest(e.since_month, '2026-11-01')
          AND (m.until_month IS NULL OR m.until_month > greatest(e.since_month, '2026-11-01'))
    ) e ON true
    ORDER BY h.area_code, h.id
"""


async def questions_of(demo: Runtime) -> dict[UUID, AssessmentQuestion]:
    """What casework knows of every household that put facts, as questions to the pure functions."""
    async with transaction(demo.engine, DISTRICT) as session:
        rows = (await session.execute(text(SOURCES))).all()
    found = {}
    for household_id, area_code, residence, facts, fen in rows:
        current = None if fen is None else CurrentEntitlement("dibao", int(fen))
        context = Context(current_entitlement=current, hukou_local=True, holds=())
        household = value_of(Household, facts)
        found[household_id] = AssessmentQuestion(AS_OF, area_code, Residence(residence), household, EVERYTHING, context)
    return found


async def test_the_columns_hold_what_the_facts_say(demo: Runtime, book: ParameterBook) -> None:
    questions = await questions_of(demo)
    async with transaction(demo.engine, DISTRICT) as session:
        made = await repository.refresh_population(DISTRICT, session, AS_OF, NOW)
        stretches = await repository.list_stretches(DISTRICT, session, "350702", 10**6)
        assert len(stretches) == 1
        loaded = await repository.read_stretch(DISTRICT, session, stretches[0], EVERYTHING)
    assert made == loaded.population.households == len(loaded.household_ids) > 500
    ids = [UUID(bytes=value.tobytes()) for value in loaded.household_ids]
    known = np.array([place for place, one in enumerate(ids) if one in questions])
    assert len(known) > 400
    expected = population_of([questions[ids[place]] for place in known])
    found = loaded.population.take(known)
    for name in (*HOUSEHOLD_COLUMNS, *MEMBER_COLUMNS):
        assert getattr(found, name).tolist() == getattr(expected, name).tolist(), name


async def test_the_registry_knows_who_is_confirmed_alive(demo: Runtime) -> None:
    """A confirmation in the registry counts before one that an application declared, from its day on."""
    async with transaction(demo.engine, DISTRICT) as session:
        person = (await session.execute(text("SELECT area_code, id FROM person ORDER BY id LIMIT 1"))).one()
        row = {
            "area": person.area_code,
            "person": person.id,
            "id": uuid4(),
            "by": SOMEBODY,
            "now": NOW,
            "value": '{"value": "2026-09-30"}',
        }
        await session.execute(
            text(
                "INSERT INTO person_fact (district, area_code, id, person_id, kind, valid_from, value, recorded_at, recorded_by)"
                " VALUES ('350702', :area, :id, :person, 'survival_confirmed_on', '2026-10-01', CAST(:value AS jsonb), :now, :by)"
            ),
            row,
        )
        seen = text("SELECT survival_confirmed_on FROM population_member WHERE person_id = :person")
        found = []
        for day in (date(2026, 9, 30), date(2026, 10, 1)):
            await repository.refresh_population(DISTRICT, session, day, NOW)
            found.append((await session.execute(seen, {"person": person.id})).scalar_one())
        await session.rollback()
    assert found[1] == date(2026, 9, 30) != found[0]


async def test_stored_differences_are_what_the_pure_functions_say(demo: Runtime, book: ParameterBook) -> None:
    """A higher standard over the demo's applicants, household by household, to the fen."""
    raised = with_values(book, "350702", dibao__standard__urban=60_000, dibao__standard__rural=50_001)
    stored, differences = await run(demo, order(raised, baseline=book))
    expected = []
    for household_id, question in (await questions_of(demo)).items():
        sides = [assess(question, one).results for one in (book, raised)]
        for old, new in zip(*sides, strict=True):
            amounts = [(one.monthly_fen or 0) if one.outcome.keeps else None for one in (old, new)]
            if amounts[0] != amounts[1]:
                key = (str(household_id), new.programme, str(new.member))
                expected.append((*key, old.outcome.value, new.outcome.value, *amounts))
    assert len(expected) > 100
    assert shape(differences) == sorted(expected)
    assert stored.differences == len(expected)
    assert [one.number for one in differences] == list(range(1, len(expected) + 1))
    sums = stored.totals["dibao"]
    changes = [one for one in differences if one.programme == "dibao"]
    assert sums["after_fen"] - sums["before_fen"] == sum((one.new_fen or 0) - (one.old_fen or 0) for one in changes)
    assert sums["gaining"] == len(changes) > 0
    assert sums["losing"] == 0


async def test_against_what_is_drawn(demo: Runtime, book: ParameterBook) -> None:
    stored, differences = await run(demo, order(book, HOUSEHOLD_PROGRAMMES))
    questions = await questions_of(demo)
    drawn = {one: question.context.current_entitlement for one, question in questions.items()}
    assert stored.baseline == "drawn"
    assert stored.totals["dibao"]["before"] == sum(current is not None for current in drawn.values()) > 0
    by_household = {one.household_id: one for one in differences if one.programme == "dibao"}
    for household_id, question in questions.items():
        (result, _) = assess(replace(question, programmes=HOUSEHOLD_PROGRAMMES), book).results
        new = (result.monthly_fen or 0) if result.outcome.keeps else None
        current = drawn[household_id]
        old = None if current is None else current.monthly_fen
        found = by_household.get(household_id)
        assert (found is not None) == (new != old), household_id
        if found is not None:
            assert (found.old_fen, found.new_fen, found.new_outcome) == (old, new, result.outcome.value)
            assert found.old_outcome == (None if current is None else "eligible")


async def test_an_unchanged_policy_changes_nothing(demo: Runtime, book: ParameterBook) -> None:
    stored, differences = await run(demo, order(book, baseline=book), refresh=False)
    assert differences == []
    assert stored.differences == 0
    assert stored.households > 500
    assert stored.finished_at == NOW
    assert stored.facts_of == NOW
    assert stored.policy_version == stored.baseline_version


@pytest.mark.parametrize("stretch", [1, 40, 10**6])
async def test_the_length_of_a_stretch_makes_no_difference(demo: Runtime, book: ParameterBook, stretch: int) -> None:
    raised = with_values(book, "350702", dibao__standard__urban=58_000)
    whole, all_at_once = await run(demo, order(raised, baseline=book), refresh=False)
    stored, differences = await run(demo, order(raised, baseline=book), refresh=False, stretch=stretch)
    assert shape(differences) == shape(all_at_once)
    assert (stored.households, stored.members, stored.totals) == (whole.households, whole.members, whole.totals)


async def test_a_sub_district_with_a_policy_of_its_own(demo: Runtime, book: ParameterBook) -> None:
    own = with_values(book, "350702001", dibao__standard__urban=56_000, dibao__standard__rural=56_000)
    _, differences = await run(demo, order(own, ("dibao",), baseline=book), refresh=False)
    assert differences
    assert {one.area_code[:9] for one in differences} == {"350702001"}


async def test_a_station_runs_and_sees_its_own_area(demo: Runtime, book: ParameterBook) -> None:
    station = AreaScope("350702", "350702002")
    raised = with_values(book, "350702", dibao__standard__urban=60_000, dibao__standard__rural=60_000)
    stored, differences = await run(demo, order(raised, ("dibao",), baseline=book, area_code="350702002"), station, refresh=False)
    assert 0 < stored.households < 500
    assert {one.area_code[:9] for one in differences} == {"350702002"}
    with pytest.raises(NotFound):
        async with transaction(demo.engine, AreaScope("350702", "350702001")) as session:
            await repository.get_run(AreaScope("350702", "350702001"), session, stored.id)


async def test_a_refresh_of_a_station_leaves_the_others_alone(demo: Runtime) -> None:
    station = AreaScope("350702", "350702001")
    counts = []
    for scope in (DISTRICT, station):
        async with transaction(demo.engine, scope) as session:
            await repository.refresh_population(scope, session, AS_OF, NOW)
        async with transaction(demo.engine, DISTRICT) as session:
            counts.append((await session.execute(text("SELECT count(*) FROM population_member"))).scalar_one())
    assert counts[0] == counts[1] > 1000


async def test_a_run_that_is_refused_leaves_nothing(demo: Runtime, book: ParameterBook) -> None:
    async def count() -> int:
        async with transaction(demo.engine, DISTRICT) as session:
            return int((await session.execute(text("SELECT count(*) FROM population_run"))).scalar_one())

    before = await count()
    extended = with_values(book, "350702", disability_living__extend_to_edge=True)
    with pytest.raises(NotSetWise):
        await run(demo, order(extended), refresh=False)
    assert await count() == before


async def test_differences_are_never_edited(demo: Runtime, book: ParameterBook) -> None:
    raised = with_values(book, "350702", dibao__standard__urban=60_000)
    stored, _ = await run(demo, order(raised, ("dibao",), baseline=book), refresh=False)
    for statement in ("UPDATE population_difference SET new_fen = 0", "DELETE FROM population_difference"):
        with pytest.raises(DBAPIError):
            async with transaction(demo.engine, DISTRICT) as session:
                await session.execute(text(f"{statement} WHERE run_id = '{stored.id}'"))


# --- rows of fixed width ----------------------------------------------------------------------------------------------------

LAYOUT = FixedRows({"n": "int4", "big": "int8", "small": "int2", "yes": "bool", "who": "uuid", "code": "text(3)", "day": "date"})


async def test_columns_survive_the_way_there_and_back(runtime: Runtime) -> None:
    who = [uuid4(), uuid4(), UUID(int=0)]
    rows = {
        "n": np.array([1, -2, 2**31 - 1]),
        "big": np.array([2**62, -1, 0]),
        "small": np.array([-(2**15), 2**15 - 1, 0]),
        "yes": np.array([True, False, True]),
        "who": np.array([one.bytes for one in who], dtype="V16"),
        "code": np.array([b"abc", b"xyz", b"123"]),
        "day": np.array([0, -36524, 10]),
    }
    async with transaction(runtime.engine) as session:
        driver = await raw_connection(session)
        await driver.execute(
            "CREATE TEMP TABLE there (n int4, big int8, small int2, yes bool, who uuid, code text, day date) ON COMMIT DROP"
        )
        await copy_in(driver, "there", rows, LAYOUT)
        stored = await driver.fetch("SELECT * FROM there ORDER BY n")
        back = await copy_out(driver, "SELECT * FROM there WHERE n < $1 ORDER BY n", [1000], LAYOUT)
    assert [row["n"] for row in stored] == [-2, 1, 2**31 - 1]
    assert stored[1]["who"] == who[0]
    assert stored[0]["day"] == date(1900, 1, 1)
    assert back["n"].tolist() == [-2, 1]
    assert back["code"].tolist() == [b"xyz", b"abc"]
    assert back["big"].astype(np.int64).tolist() == [-1, 2**62]


async def test_a_null_is_noticed_not_misread(runtime: Runtime) -> None:
    layout = FixedRows({"n": "int4", "m": "int4"})
    async with transaction(runtime.engine) as session:
        driver = await raw_connection(session)
        for query in ("SELECT 1, NULL::int4", "SELECT n, nullif(n, 2) FROM generate_series(1, 9) AS n", "SELECT 1, 1::int8"):
            with pytest.raises(ValueError, match="row"):
                await copy_out(driver, query, [], layout)


async def test_no_rows_are_no_columns(runtime: Runtime) -> None:
    async with transaction(runtime.engine) as session:
        assert len(await copy_out(await raw_connection(session), "SELECT 1 WHERE false", [], FixedRows({"n": "int4"}))) == 0


@pytest.mark.parametrize(("stated", "count"), [("null", 0), ("5", 0), ('"x"', 0), ("{}", 0), ("[]", 0), ("[1, null]", 2)])
async def test_what_is_unknown_has_no_items(runtime: Runtime, stated: str, count: int) -> None:
    """An application may leave a list unknown (JSON null); that must not stop the facts of a whole district."""
    async with runtime.engine.connect() as connection:
        listed = population_facts._items("CAST(:stated AS jsonb)").replace("\\:", ":")
        assert await connection.scalar(text(f"SELECT count(*) FROM {listed} AS listed(item)"), {"stated": stated}) == count
