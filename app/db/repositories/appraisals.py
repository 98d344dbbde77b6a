"""Years of the assessment, the stations in them, the district's schemes, and what was published for good."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

import orjson
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.base import columns
from app.db.constraints import register_constraint
from app.db.repositories.appraisal_rows import appraisal_of, result_of_content, schedule_document, station_year_of
from app.db.scoping import within
from app.db.tables.appraisals import AppraisalResult, AppraisalScheme, AppraisalStation, AppraisalYear
from app.domain.access import Actor, AreaScope
from app.domain.appraisals import refusals
from app.domain.appraisals.model import Appraisal, Phase, StationYear
from app.domain.appraisals.ports import FrozenYear
from app.domain.appraisals.scheme import Scheme, Shelf
from app.domain.appraisals.scheme_document import read_scheme
from app.domain.appraisals.scoring import StationResult
from app.ids import new_id

YEAR = columns(AppraisalYear)
STATION_YEAR = columns(AppraisalStation)
RESULT = columns(AppraisalResult)
SCHEME = columns(AppraisalScheme)
CANONICAL = orjson.OPT_SORT_KEYS

register_constraint(
    "uq_appraisal_year", "appraisal_of_year_exists", "该年度考核已经开展，一个年度只有一次；如需重来，请先取消原考核。"
)
register_constraint(
    "uq_appraisal_station_year", "station_in_other_year", "所选站点已在该年度的另一考核中，请去掉该站点，或先取消另一考核。"
)
register_constraint(
    "uq_appraisal_scheme_district_area_code_code_version",
    "scheme_version_exists",
    "该版本已存在，细则下达后不能改写；请用新的版本号下达修订后的细则。",
)


class SchemeRepository:
    """What a district may choose from: the shipped schemes, and its own."""

    def __init__(self, session: AsyncSession, actor: Actor, shipped: Sequence[Scheme], now: datetime) -> None:
        self._session = session
        self._actor = actor
        self._shipped = shipped
        self._now = now

    async def shelf(self, scope: AreaScope) -> Shelf:
        statement = sa.select(AppraisalScheme).where(within(scope, SCHEME)).order_by(SCHEME.id)
        own = [read_scheme(row.document) for row in (await self._session.execute(statement)).scalars()]
        return Shelf((*self._shipped, *own))

    async def add(self, scope: AreaScope, scheme: Scheme) -> None:
        values = {
            "district": scope.district,
            "id": new_id(),
            "area_code": scope.prefix,
            "code": scheme.code,
            "version": scheme.version,
            "document": scheme.document,
            "added_by": self._actor.id,
            "added_by_name": self._actor.name,
            "added_at": self._now,
        }
        await self._session.execute(sa.insert(AppraisalScheme).values(**values))


class AppraisalRepository:
    """The years of one transaction."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    # years

    async def add(self, scope: AreaScope, appraisal: Appraisal, stations: Iterable[StationYear]) -> None:
        scheme, schedule = appraisal.scheme.document, schedule_document(appraisal.schedule)
        values = {
            "district": scope.district,
            "id": appraisal.id,
            "area_code": appraisal.area_code,
            "year": appraisal.year,
            "title": appraisal.title,
            "scheme": scheme,
            "scheme_digest": digest_of(scheme),
            "schedule": schedule,
            "phase": appraisal.phase.value,
            "opened_by": appraisal.opened.by,
            "opened_by_name": appraisal.opened.name,
            "opened_at": appraisal.opened.at,
            "version": appraisal.version,
        }
        await self._session.execute(sa.insert(AppraisalYear).values(**values))
        rows = [_station_row(scope, one) | {"scheme": scheme, "schedule": schedule} for one in stations]
        await self._session.execute(sa.insert(AppraisalStation), rows)

    async def get(self, scope: AreaScope, appraisal_id: UUID, *, lock: bool = False) -> Appraisal:
        """``NotFound`` appraisal_not_found."""
        statement = sa.select(AppraisalYear).where(within(scope, YEAR), YEAR.id == appraisal_id)
        row = (await self._session.execute(_fresh(statement, lock=lock))).scalar_one_or_none()
        if row is None:
            raise refusals.appraisal_not_found()
        return appraisal_of(row)

    async def find_of_year(self, scope: AreaScope, area_code: str, year: int) -> Appraisal | None:
        statement = sa.select(AppraisalYear).where(
            within(scope, YEAR), YEAR.area_code == area_code, YEAR.year == year, YEAR.phase != Phase.CANCELLED.value
        )
        row = (await self._session.execute(statement)).scalar_one_or_none()
        return None if row is None else appraisal_of(row)

    async def save(self, scope: AreaScope, appraisal: Appraisal) -> Appraisal:
        """Its phase and publication, one version more; the phase stands on its stations too."""
        published, phase = appraisal.published, appraisal.phase.value
        moved = {
            "phase": phase,
            "published_by": published.by if published else None,
            "published_by_name": published.name if published else None,
            "published_at": published.at if published else None,
            "version": appraisal.version + 1,
        }
        mine = sa.update(AppraisalYear).where(within(scope, YEAR), YEAR.id == appraisal.id).values(**moved)
        parts = sa.update(AppraisalStation).where(within(scope, STATION_YEAR), STATION_YEAR.appraisal_id == appraisal.id)
        await self._session.execute(mine)
        await self._session.execute(parts.values(phase=phase, version=STATION_YEAR.version + 1))
        return await self.get(scope, appraisal.id)

    async def list_appraisals(self, scope: AreaScope, *, before: UUID | None, limit: int) -> list[Appraisal]:
        """Newest first."""
        statement = sa.select(AppraisalYear).where(within(scope, YEAR))
        if before is not None:
            statement = statement.where(YEAR.id < before)
        rows = (await self._session.execute(statement.order_by(YEAR.id.desc()).limit(limit))).scalars()
        return [appraisal_of(row) for row in rows]

    async def count_appraisals(self, scope: AreaScope) -> int:
        return await self._count(AppraisalYear, within(scope, YEAR))

    # stations

    async def list_stations(self, scope: AreaScope, appraisal_id: UUID, *, lock: bool = False) -> list[StationYear]:
        statement = sa.select(AppraisalStation).where(within(scope, STATION_YEAR), STATION_YEAR.appraisal_id == appraisal_id)
        rows = (await self._session.execute(_fresh(statement.order_by(STATION_YEAR.area_code), lock=lock))).scalars()
        return [station_year_of(row) for row in rows]

    async def get_station(self, scope: AreaScope, station_appraisal_id: UUID, *, lock: bool = False) -> StationYear:
        """``NotFound`` station_appraisal_not_found."""
        statement = sa.select(AppraisalStation).where(within(scope, STATION_YEAR), STATION_YEAR.id == station_appraisal_id)
        row = (await self._session.execute(_fresh(statement, lock=lock))).scalar_one_or_none()
        if row is None:
            raise refusals.station_appraisal_not_found()
        return station_year_of(row)

    async def find_station_year(self, scope: AreaScope, station_id: UUID, year: int, *, lock: bool = False) -> StationYear | None:
        statement = sa.select(AppraisalStation).where(
            within(scope, STATION_YEAR),
            STATION_YEAR.station_id == station_id,
            STATION_YEAR.year == year,
            STATION_YEAR.phase != Phase.CANCELLED.value,
        )
        row = (await self._session.execute(_fresh(statement, lock=lock))).scalar_one_or_none()
        return None if row is None else station_year_of(row)

    async def touch(self, scope: AreaScope, station: StationYear) -> StationYear:
        mine = sa.update(AppraisalStation).where(within(scope, STATION_YEAR), STATION_YEAR.id == station.id)
        await self._session.execute(mine.values(version=station.version + 1))
        return await self.get_station(scope, station.id)

    async def page_stations(
        self, scope: AreaScope, *, appraisal_id: UUID | None, after: UUID | None, limit: int
    ) -> list[StationYear]:
        statement = sa.select(AppraisalStation).where(*_stations(scope, appraisal_id))
        if after is not None:
            statement = statement.where(STATION_YEAR.id > after)
        rows = (await self._session.execute(_fresh(statement.order_by(STATION_YEAR.id).limit(limit)))).scalars()
        return [station_year_of(row) for row in rows]

    async def count_stations(self, scope: AreaScope, *, appraisal_id: UUID | None) -> int:
        return await self._count(AppraisalStation, *_stations(scope, appraisal_id))

    # publication

    async def freeze(self, scope: AreaScope, appraisal: Appraisal, years: Iterable[FrozenYear], now: datetime) -> None:
        """Writes the published results; each carries all that it rests on, and the hash of that."""
        rows = []
        for one in years:
            result, content = one.result, content_of(appraisal, one)
            row = {
                "district": scope.district,
                "id": new_id(),
                "area_code": result.area_code,
                "appraisal_id": appraisal.id,
                "station_appraisal_id": one.station.id,
                "station_id": result.station_id,
                "station_name": result.station_name,
                "year": appraisal.year,
                "score_points": result.total,
                "grade": result.grade,
                "vetoed": bool(result.vetoed),
                "rank": result.rank,
                "content": content,
                "content_hash": digest_of(content),
                "published_at": now,
            }
            rows.append(row)
        await self._session.execute(sa.insert(AppraisalResult), rows)

    async def list_results(self, scope: AreaScope, appraisal_id: UUID) -> list[AppraisalResult]:
        """What was published, by rank; empty before."""
        statement = sa.select(AppraisalResult).where(within(scope, RESULT), RESULT.appraisal_id == appraisal_id)
        return list((await self._session.execute(statement.order_by(RESULT.rank, RESULT.area_code))).scalars())

    async def list_frozen(self, scope: AreaScope, appraisal_id: UUID) -> list[StationResult]:
        return [result_of_content(row.content["result"]) for row in await self.list_results(scope, appraisal_id)]

    async def page_results_of_station(
        self, scope: AreaScope, station_id: UUID, *, before: UUID | None, limit: int
    ) -> list[AppraisalResult]:
        """A station's published years, the latest publication first."""
        statement = sa.select(AppraisalResult).where(within(scope, RESULT), RESULT.station_id == station_id)
        if before is not None:
            statement = statement.where(RESULT.id < before)
        return list((await self._session.execute(statement.order_by(RESULT.id.desc()).limit(limit))).scalars())

    async def count_results_of_station(self, scope: AreaScope, station_id: UUID) -> int:
        return await self._count(AppraisalResult, within(scope, RESULT), RESULT.station_id == station_id)

    async def _count(self, table: Any, *conditions: Any) -> int:
        statement = sa.select(sa.func.count()).select_from(table).where(*conditions)
        return int((await self._session.execute(statement)).scalar_one())


def digest_of(document: Mapping[str, Any]) -> str:
    """SHA-256 of the document as canonical JSON (keys sorted)."""
    return hashlib.sha256(orjson.dumps(document, option=CANONICAL)).hexdigest()


def content_of(appraisal: Appraisal, frozen: FrozenYear) -> dict[str, Any]:
    """What is frozen: scheme, days, entries, measured values, result, people. Keys of mappings become lists of their entries."""
    inputs = frozen.inputs
    return {
        "year": appraisal.year,
        "scheme": dict(appraisal.scheme.document),
        "schedule": schedule_document(appraisal.schedule),
        "result": _plain(frozen.result),
        "targets": _plain(tuple(inputs.targets.values())),
        "reports": _plain(tuple(inputs.reports.values())),
        "scores": _plain(tuple(inputs.scores.values())),
        "adjustments": _plain(inputs.adjustments),
        "measured": {code: _plain(one) for code, one in inputs.measured.items()},
        "people": _plain(tuple(frozen.people)),
    }


def _plain(value: Any) -> Any:
    """Records as JSON has them."""
    if is_dataclass(value):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, tuple | list):
        return [_plain(one) for one in value]
    if isinstance(value, datetime | date):
        return value.isoformat()
    return str(value) if isinstance(value, UUID | str) else value


def _station_row(scope: AreaScope, station: StationYear) -> dict[str, Any]:
    return {
        "district": scope.district,
        "id": station.id,
        "area_code": station.area_code,
        "appraisal_id": station.appraisal_id,
        "station_id": station.station_id,
        "station_name": station.station_name,
        "year": station.year,
        "title": station.title,
        "phase": station.phase.value,
        "version": station.version,
    }


def _stations(scope: AreaScope, appraisal_id: UUID | None) -> list[Any]:
    conditions = [within(scope, STATION_YEAR)]
    return conditions if appraisal_id is None else [*conditions, STATION_YEAR.appraisal_id == appraisal_id]


def _fresh(statement: Any, *, lock: bool = False) -> Any:
    """Rows as they are now, not as this session read them before."""
    statement = statement.with_for_update() if lock else statement
    return statement.execution_options(populate_existing=True)
