"""An acceptance desk over one session: the acts of ``app.domain.inspections`` with their stores and the audit trail."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.base import columns
from app.db.repositories.audit import AuditEntry, AuditTrail
from app.db.repositories.inspections import InspectionRepository
from app.db.repositories.reference import area_name, find_area
from app.db.repositories.station_facts import list_facts
from app.db.repositories.stations import STAFF, STATION, StationRepository, held
from app.db.scoping import within
from app.db.station_operations import asked_by, list_facts_on_file
from app.db.tables.accounts import Account
from app.db.tables.imports import StoredFile
from app.db.tables.stations import Station
from app.domain.access import Actor, AreaScope, Duty
from app.domain.errors import Conflict
from app.domain.inspections import Acceptance, Result
from app.domain.inspections.consequences import Consequence
from app.domain.inspections.model import Colleague, Inspector
from app.domain.inspections.ports import StationInScope
from app.domain.stations import Assessment, Facts, Standard, Standards, assess
from app.domain.stations.records import StationRecord, holds

DISTRICT_DIGITS = 6
ACCOUNT = columns(Account)
FILE = columns(StoredFile)
Consequences = Callable[[Result, date], Consequence]


class Derivation:
    """What the operating data say about stations, through the standards."""

    def __init__(self, session: AsyncSession, standards: Standards, consequences: Consequences, today: date) -> None:
        self._session = session
        self._today = today
        self._standards = standards
        self._consequences = consequences
        self._stations = StationRepository(session)

    def version_on(self, standard: str, day: date) -> str:
        return self._standards.get(standard).on(day).version

    def standard_name(self, standard: str) -> str:
        return self._standards.get(standard).name

    async def issuer(self, scope: AreaScope, on: date) -> str:
        area = await find_area(self._session, scope.prefix[:DISTRICT_DIGITS], on)
        return f"{area.name if area else await area_name(self._session, scope.district)}民政局"

    def consequence_of(self, result: Result, on: date) -> Consequence:
        return self._consequences(result, on)

    async def stations_of(self, scope: AreaScope, area_code: str, wanted: Sequence[UUID], on: date) -> Sequence[StationInScope]:
        """Those of the area that stand on the day; ``wanted`` empty: all."""
        standing = [one for one in await self._records(scope) if one.area_code.startswith(area_code) and _stands(one, on)]
        if wanted:
            chosen = {one.id: one for one in standing}
            for station_id in wanted:
                if station_id not in chosen:
                    await self._stations.get(scope, station_id)  # not there at all, or no more
                    raise Conflict("station_not_standing", "所选站点在该日未设立或已撤销，请重新选择。")
            standing = [chosen[station_id] for station_id in dict.fromkeys(wanted)]
        facts = await list_facts(scope, self._session, standing, on)
        return [
            StationInScope(
                one.id,
                one.area_code,
                one.details.name,
                tuple(each.area_code for each in facts[one.id].communities or () if each.area_code),
            )
            for one in standing
        ]

    async def assessments(
        self, scope: AreaScope, standard: str, version: str, as_of: date, stations: Sequence[UUID]
    ) -> Mapping[UUID, Assessment]:
        """Every station against the pinned version: one query for each kind of fact, however many stations."""
        pinned = self._pinned(standard, version)
        records = [one for one in await self._records(scope) if one.id in set(stations)]
        facts = await self._facts(scope, pinned, records, as_of)
        return {one.id: assess(facts[one.id], pinned, as_of) for one in records}

    async def facts_document(
        self, scope: AreaScope, station_id: UUID, standard: str, version: str, on: date
    ) -> Mapping[str, Any]:
        station = await self._stations.get(scope, station_id)
        return asdict((await self._facts(scope, self._pinned(standard, version), [station], on))[station_id])

    async def _facts(
        self, scope: AreaScope, pinned: Standard, stations: Sequence[StationRecord], on: date
    ) -> Mapping[UUID, Facts]:
        measures = asked_by(pinned.on(on), on)
        return await list_facts_on_file(scope, self._session, stations, on, today=self._today, measures=measures)

    def _pinned(self, code: str, version: str) -> Standard:
        """The standard as if it had only the version that the campaign was opened with."""
        standard = self._standards.get(code)
        kept = [one for one in standard.versions if one.version == version]
        if not kept:
            detail = f"验收活动所用标准 {code} 的版本 {version} 已不在系统中，请恢复该版本的标准文件后重试。"
            raise Conflict("standard_version_gone", detail)
        return replace(standard, versions=tuple(kept))

    async def _records(self, scope: AreaScope) -> Sequence[StationRecord]:
        return await self._stations.list_stations(scope, area_code=None, on=None, after=None, limit=10_000)


def _stands(station: StationRecord, on: date) -> bool:
    return holds(on, station.details.opened_on, station.closed_on)


class Inspectors:
    """Who inspects, and who ever worked where."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def find_inspector(self, scope: AreaScope, account_id: UUID) -> Inspector | None:
        """An active account of the district with the duty."""
        statement = sa.select(ACCOUNT.display_name, ACCOUNT.area_code).where(
            ACCOUNT.id == account_id,
            ACCOUNT.district == scope.district,
            ACCOUNT.disabled_at.is_(None),
            ACCOUNT.duties.contains([Duty.INSPECTOR.value]),
        )
        found = (await self._session.execute(statement)).one_or_none()
        return None if found is None else Inspector(account_id, found.display_name, found.area_code)

    async def everyone_at(self, scope: AreaScope, station_id: UUID) -> list[Colleague]:
        """Everybody who ever held a post at a station of this sub-district, former ones too."""
        area = sa.select(STATION.area_code).where(within(scope, STATION), STATION.id == station_id).scalar_subquery()
        statement = (
            sa.select(STAFF.account_id, STAFF.name, ACCOUNT.display_name)
            .join(Station, sa.and_(STATION.district == STAFF.district, STATION.id == STAFF.station_id))
            .outerjoin(Account, sa.and_(ACCOUNT.district == STAFF.district, ACCOUNT.id == STAFF.account_id))
            .where(within(scope, STAFF), STATION.area_code == area, held(STAFF))
        )
        return [Colleague(*row) for row in await self._session.execute(statement)]

    async def names_of(self, scope: AreaScope, accounts: AbstractSet[UUID]) -> dict[UUID, str]:
        statement = sa.select(ACCOUNT.id, ACCOUNT.display_name).where(
            ACCOUNT.district == scope.district, ACCOUNT.id.in_(accounts)
        )
        return {row.id: row.display_name for row in await self._session.execute(statement)}


class EvidenceFiles:
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def there(self, scope: AreaScope, area_code: str, files: AbstractSet[UUID]) -> AbstractSet[UUID]:
        """Which of the files are evidence about the station of this sub-district, and still kept."""
        statement = sa.select(FILE.id).where(
            within(scope, FILE), FILE.area_code == area_code, FILE.id.in_(files), FILE.purpose == "evidence", FILE.parts > 0
        )
        return set((await self._session.execute(statement)).scalars())


class AcceptanceTrail:
    """Entries of the acceptance in the audit trail."""

    def __init__(self, audit: AuditTrail) -> None:
        self._audit = audit

    async def note(self, action: str, kind: str, subject: UUID, area_code: str, fields: Iterable[str] = ()) -> None:
        await self._audit.record(AuditEntry(action, kind, subject, area_code, tuple(fields)))


@dataclass(frozen=True)
class AcceptanceDesk:
    """One caller's desk: the acts, and the stores for plain reads."""

    acts: Acceptance
    records: InspectionRepository
    derivation: Derivation


def open_acceptance_desk(
    session: AsyncSession,
    actor: Actor,
    standards: Standards,
    consequences: Consequences,
    new_id: Callable[[], UUID],
    *,
    today: date,
    now: datetime,
) -> AcceptanceDesk:
    """``today`` is the business date, ``now`` the moment; both go into what is written."""
    records = InspectionRepository(session)
    derivation = Derivation(session, standards, consequences, today)
    acts = Acceptance(
        actor=actor,
        today=today,
        now=now,
        new_id=new_id,
        campaigns=records,
        derivation=derivation,
        people=Inspectors(session),
        evidence=EvidenceFiles(session),
        trail=AcceptanceTrail(AuditTrail(session, actor)),
    )
    return AcceptanceDesk(acts, records, derivation)
