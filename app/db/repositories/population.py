"""Set-wise reads and writes of whole-population runs: the facts as columns, the runs, their differences."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

import numpy as np
from sqlalchemy import BigInteger, cast, func, insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.base import columns
from app.db.copy_columns import EPOCH_ORDINAL, Column, FixedRows, copy_in, copy_out
from app.db.locks import lock_subjects
from app.db.repositories.population_facts import HOUSEHOLD_FACTS, MEMBER_FACTS, PERSON_PROGRAMMES, STEPS
from app.db.scoping import at_or_below, within
from app.db.session import raw_connection
from app.db.tables.population import PopulationDifference, PopulationHousehold, PopulationMember, PopulationRun
from app.domain.access import AreaScope
from app.domain.eligibility.case_setwise import OUTCOMES
from app.domain.eligibility.columns_setwise import HOUSEHOLD_COLUMNS, MEMBER_COLUMNS, Population
from app.domain.eligibility.differences_setwise import Differences
from app.domain.eligibility.engine_setwise import SETWISE_PROGRAMMES
from app.domain.errors import NotFound
from app.domain.policy.registered import DifferenceSums

HOUSEHOLD, MEMBER = columns(PopulationHousehold), columns(PopulationMember)
RUN, DIFFERENCE = columns(PopulationRun), columns(PopulationDifference)
PATIENCE = text("SELECT set_config('statement_timeout', :milliseconds, true)")
REFRESH_SECONDS = 1800
NOBODY = bytes(16)

# How each column is read: the expression, and its type in the stream. What may be NULL gets the code of the unknown.
_READ_HOUSEHOLD = {
    "household_id": ("household_id", "uuid"),
    "size": ("size", "int2"),
    "residence": ("residence", "int2"),
    "deductible_fen": ("deductible_fen", "int8"),
    "authorised": ("coalesce(authorised::int, -1)", "int4"),
    "financial_fen": ("coalesce(financial_fen, -1)", "int8"),
    "vehicles": ("vehicles", "int2"),
    "homes": ("homes", "int2"),
    "current_programme": ("current_programme", "int2"),
    "current_fen": ("coalesce(current_fen, -1)", "int8"),
    "current_by_employment": ("current_by_employment", "bool"),
}
_READ_MEMBER = {
    "birth": ("birth_date", "date"),
    "relation": ("relation", "int2"),
    "absence": ("absence", "int2"),
    "study": ("study", "int2"),
    "employable": ("employable", "bool"),
    "job_offers_refused": ("job_offers_refused", "int2"),
    "disability_category": ("disability_category", "int2"),
    "disability_grade": ("disability_grade", "int2"),
    "needs_care": ("needs_care", "bool"),
    "serious_illness": ("serious_illness", "bool"),
    "member_authorised": ("coalesce(authorised::int, -1)", "int4"),
    "holds": ("holds", "int4"),
    "wage_fen": ("wage_fen", "int8"),
    "business_fen": ("business_fen", "int8"),
    "basic_pension_fen": ("basic_pension_fen", "int8"),
    "old_age_allowance_fen": ("old_age_allowance_fen", "int8"),
    "other_income_fen": ("other_income_fen", "int8"),
}
# Read for programmes of persons only; without them these columns stay empty, so that a twin that needs one fails.
_READ_PERSON = {
    "person_id": ("person_id", "uuid"),
    "employment": ("employment", "int2"),
    "hukou_local": ("coalesce(hukou_local::int, -1)", "int4"),
    "survival_confirmed": ("coalesce(survival_confirmed_on, date '2000-01-01')", "date"),
    "elderly_care_fen": ("coalesce(elderly_care_fen, -1)", "int8"),
}
_READ_DRAWN = {code: (f"coalesce(drawn_{code}_fen, -1)", "int8") for code in PERSON_PROGRAMMES}


@dataclass(frozen=True, slots=True)
class Stretch:
    """Neighbouring communities that are read together: their codes in order, and how many households each has."""

    area_codes: tuple[str, ...]
    households: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Loaded:
    """One stretch in memory: the columns, who they are about, and what members draw of programmes of persons."""

    population: Population
    area_codes: Column
    household_ids: Column
    person_ids: Column
    drawn: dict[str, Column]


async def lock_population(scope: AreaScope, session: AsyncSession) -> None:
    """One at a time makes the facts of a district anew or reads them."""
    await lock_subjects(session, [b"population " + scope.district.encode()])


async def refresh_population(scope: AreaScope, session: AsyncSession, on: date, now: datetime) -> int:
    """Makes the facts anew as they stand on a day: registry, the latest facts put in an application, what is drawn.

    Returns the number of households. Everything within the scope; a household without members on the day is left out.
    """
    await lock_population(scope, session)
    await session.execute(PATIENCE, {"milliseconds": str(REFRESH_SECONDS * 1000)})
    driver = await raw_connection(session)
    values = (scope.district, scope.prefix, on, on.replace(day=1), now)
    for name, listed, fill in STEPS:
        await driver.execute(f"CREATE TEMP TABLE {name} ({listed}) ON COMMIT DROP")
        await _patiently(driver, fill, values)
        await driver.execute(f"ANALYZE {name}")
    for table in ("population_member", "population_household"):
        await _patiently(driver, f"DELETE FROM {table} WHERE district = $1 AND area_code >= $2 AND area_code < $2 || '~'", values)
    made = await _patiently(driver, HOUSEHOLD_FACTS, values)
    await _patiently(driver, MEMBER_FACTS, values)
    await _forget(driver)
    return made


async def _patiently(driver: Any, statement: str, values: Sequence[object]) -> int:
    """Runs one long statement, bound to those of the five values that it names; how many rows it touched."""
    places = sorted({int(place) for place in re.findall(r"\$(\d)", statement)})
    for number, place in enumerate(places, start=1):
        statement = statement.replace(f"${place}", f"${number}")
    tag = await driver.execute(statement, *(values[place - 1] for place in places), timeout=REFRESH_SECONDS)
    return int(tag.rsplit(" ", 1)[1])


async def _forget(driver: Any) -> None:
    """So that one transaction may refresh twice, and knows how much there is now."""
    for name, _, _ in STEPS:
        await driver.execute(f"DROP TABLE {name}")


async def list_stretches(scope: AreaScope, session: AsyncSession, area_code: str, households: int) -> list[Stretch]:
    """The communities of an area in stretches of about so many households."""
    counted = (
        select(HOUSEHOLD.area_code, func.count())
        .where(within(scope, HOUSEHOLD), at_or_below(HOUSEHOLD.area_code, area_code))
        .group_by(HOUSEHOLD.area_code)
        .order_by(HOUSEHOLD.area_code)
    )
    found: list[list[tuple[str, int]]] = []
    for code, number in await session.execute(counted):
        full = bool(found) and sum(size for _, size in found[-1]) + number > households
        if not found or full or len(found[-1][0][0]) != len(code):  # codes of one length are read as columns
            found.append([])
        found[-1].append((code, number))
    return [Stretch(tuple(code for code, _ in one), tuple(size for _, size in one)) for one in found]


async def read_stretch(scope: AreaScope, session: AsyncSession, stretch: Stretch, programmes: Iterable[str]) -> Loaded:
    """The columns of one stretch, with what the programmes need."""
    persons = [code for code in programmes if code in PERSON_PROGRAMMES]
    wanted = _READ_MEMBER | (_READ_PERSON if persons else {}) | {f"_{code}": _READ_DRAWN[code] for code in persons}
    driver = await raw_connection(session)
    place = (scope.district, stretch.area_codes[0], stretch.area_codes[-1])
    households = await copy_out(driver, *_query("population_household", _READ_HOUSEHOLD, place))
    members = await copy_out(driver, *_query("population_member", wanted, place))
    facts = {name: _native(households, name, kind) for name, kind in HOUSEHOLD_COLUMNS.items()}
    facts |= {name: _native(members, name, kind) if name in wanted else _EMPTY for name, kind in MEMBER_COLUMNS.items()}
    facts["birth"] += EPOCH_ORDINAL
    facts["survival_confirmed"] = np.where(facts["survival_confirmed"] > 0, facts["survival_confirmed"] + EPOCH_ORDINAL, 0)
    return Loaded(
        population=Population(**facts),
        area_codes=np.repeat(np.array(stretch.area_codes, dtype="S"), stretch.households),
        household_ids=households["household_id"].copy(),
        person_ids=members["person_id"].copy() if persons else _EMPTY,
        drawn={code: _native(members, f"_{code}", "int64") for code in persons},
    )


_EMPTY: Column = np.zeros(0, dtype=np.int64)


def _query(table: str, wanted: dict[str, tuple[str, str]], place: tuple[str, str, str]) -> tuple[str, tuple[str, ...], FixedRows]:
    listed = ", ".join(expression for expression, _ in wanted.values())
    order = "area_code, household_id" + (", person_id" if table == "population_member" else "")
    query = f"SELECT {listed} FROM {table} WHERE district = $1 AND area_code >= $2 AND area_code <= $3 ORDER BY {order}"
    return query, place, FixedRows({name: kind for name, (_, kind) in wanted.items()})


def _native(rows: Column, name: str, kind: str) -> Column:
    return rows[name].astype(kind)


# --- runs -------------------------------------------------------------------------------------------------------------------


async def add_run(scope: AreaScope, session: AsyncSession, values: dict[str, Any]) -> None:
    """Puts a run on record, with when its facts were made."""
    facts_of = select(func.min(HOUSEHOLD.refreshed_at)).where(within(scope, HOUSEHOLD)).scalar_subquery()
    await session.execute(insert(PopulationRun).values(district=scope.district, facts_of=facts_of, **values))


async def finish_run(scope: AreaScope, session: AsyncSession, run_id: UUID, values: dict[str, Any]) -> None:
    await session.execute(update(PopulationRun).where(within(scope, RUN), RUN.id == run_id).values(**values))


async def get_run(scope: AreaScope, session: AsyncSession, run_id: UUID) -> PopulationRun:
    """``NotFound`` population_run_not_found."""
    statement = select(PopulationRun).where(within(scope, RUN), RUN.id == run_id).execution_options(populate_existing=True)
    found = (await session.execute(statement)).scalar_one_or_none()
    if found is None:
        raise NotFound("population_run_not_found", "没有这次全量测算，或不在您的辖区内，请核对编号。")
    return found


async def list_differences(
    scope: AreaScope, session: AsyncSession, run_id: UUID, *, after: int = 0, limit: int = 50, programme: str | None = None
) -> Sequence[PopulationDifference]:
    """The differences of a run after a number, in order."""
    statement = select(PopulationDifference).where(
        within(scope, DIFFERENCE), DIFFERENCE.run_id == run_id, DIFFERENCE.number > after
    )
    if programme is not None:
        statement = statement.where(DIFFERENCE.programme == programme)
    return (await session.execute(statement.order_by(DIFFERENCE.number).limit(limit))).scalars().all()


async def sum_differences(scope: AreaScope, session: AsyncSession, run_id: UUID) -> list[DifferenceSums]:
    """The differences of a run by community and programme, in that order."""
    old, new = func.coalesce(DIFFERENCE.old_fen, 0), func.coalesce(DIFFERENCE.new_fen, 0)
    counted = (
        select(
            DIFFERENCE.area_code,
            DIFFERENCE.programme,
            func.count().filter(DIFFERENCE.old_fen.is_(None)).label("entering"),
            func.count().filter(DIFFERENCE.new_fen.is_(None)).label("leaving"),
            func.count().filter(new > old).label("gaining"),
            func.count().filter(new < old).label("losing"),
            cast(func.coalesce(func.sum(new - old).filter(new > old), 0), BigInteger).label("gained_fen"),
            cast(func.coalesce(func.sum(old - new).filter(new < old), 0), BigInteger).label("lost_fen"),
        )
        .where(within(scope, DIFFERENCE), DIFFERENCE.run_id == run_id)
        .group_by(DIFFERENCE.area_code, DIFFERENCE.programme)
        .order_by(DIFFERENCE.area_code, DIFFERENCE.programme)
    )
    return [DifferenceSums(**row) for row in (await session.execute(counted)).mappings()]


async def count_differences(scope: AreaScope, session: AsyncSession, run_id: UUID, *, programme: str | None = None) -> int:
    statement = select(func.count()).where(within(scope, DIFFERENCE), DIFFERENCE.run_id == run_id)
    statement = statement if programme is None else statement.where(DIFFERENCE.programme == programme)
    return int((await session.execute(statement)).scalar_one())


# --- differences ------------------------------------------------------------------------------------------------------------

_STAGING = "staging_population_difference"
_CREATE_STAGING = f"""
    CREATE TEMP TABLE IF NOT EXISTS {_STAGING} (
        number int4, area_code varchar(12), programme int2, household_id uuid, person_id uuid,
        old_outcome int2, new_outcome int2, old_fen int8, new_fen int8
    ) ON COMMIT DROP
"""
_MERGE = f"""
    INSERT INTO population_difference
        (district, run_id, number, area_code, programme, household_id, person_id, old_outcome, new_outcome, old_fen, new_fen)
    SELECT $1, $2, number, area_code, ($3::text[])[programme + 1], household_id, nullif(person_id, $5),
           ($4::text[])[old_outcome + 1], ($4::text[])[new_outcome + 1], nullif(old_fen, -1), nullif(new_fen, -1)
    FROM {_STAGING}
"""


async def write_differences(
    scope: AreaScope, session: AsyncSession, run_id: UUID, loaded: Loaded, found: Sequence[Differences], first: int
) -> int:
    """Stores the differences of one stretch, numbered from ``first`` on; returns how many."""
    count = sum(len(one.at) for one in found)
    if not count:
        return 0
    driver = await raw_connection(session)
    await driver.execute(_CREATE_STAGING)
    await driver.execute(f"TRUNCATE {_STAGING}")
    rows = _rows(loaded, found)
    rows["number"] = np.arange(first, first + count)
    width = rows["area_code"].dtype.itemsize
    await copy_in(driver, _STAGING, rows, _staged(width))
    programmes, outcomes = list(SETWISE_PROGRAMMES), [outcome.value for outcome in OUTCOMES]
    await driver.execute(_MERGE, scope.district, run_id, programmes, outcomes, UUID(bytes=NOBODY))
    return count


def _staged(width: int) -> FixedRows:
    return FixedRows(
        {
            "number": "int4",
            "area_code": f"text({width})",
            "programme": "int2",
            "household_id": "uuid",
            "person_id": "uuid",
            "old_outcome": "int2",
            "new_outcome": "int2",
            "old_fen": "int8",
            "new_fen": "int8",
        }
    )


def _rows(loaded: Loaded, found: Sequence[Differences]) -> dict[str, Column]:
    parts = [_programme_rows(loaded, one) for one in found if len(one.at)]
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _programme_rows(loaded: Loaded, one: Differences) -> dict[str, Column]:
    owners = loaded.population.owners(one.at) if one.per_member else one.at
    nobody = np.zeros(len(one.at), dtype="V16")
    return {
        "area_code": loaded.area_codes[owners],
        "programme": np.full(len(one.at), SETWISE_PROGRAMMES.index(one.programme)),
        "household_id": loaded.household_ids[owners],
        "person_id": loaded.person_ids[one.at] if one.per_member else nobody,
        "old_outcome": one.old_outcome,
        "new_outcome": one.new_outcome,
        "old_fen": one.old_fen,
        "new_fen": one.new_fen,
    }
