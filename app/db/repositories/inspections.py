"""Acceptance campaigns, inspections with their marks, rectifications, published results."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import orjson
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.base import columns
from app.db.repositories.inspection_rows import (
    campaign_of,
    campaign_values,
    inspection_of,
    inspection_values,
    mark_of,
    mark_values,
    rectification_of,
    rectification_values,
)
from app.db.scoping import at_or_below, within
from app.db.tables.inspections import Inspection as InspectionTable
from app.db.tables.inspections import InspectionCampaign, InspectionMark, InspectionResult
from app.db.tables.inspections import Rectification as RectificationTable
from app.domain.access import AreaScope
from app.domain.inspections import refusals
from app.domain.inspections.consequences import Frozen
from app.domain.inspections.model import (
    Campaign,
    Escalation,
    Inspection,
    Mark,
    Phase,
    Rectification,
    RectificationState,
)
from app.domain.inspections.workflow import overdue_since
from app.ids import new_id

CAMPAIGN = columns(InspectionCampaign)
INSPECTION = columns(InspectionTable)
MARK = columns(InspectionMark)
RECTIFICATION = columns(RectificationTable)
RESULT = columns(InspectionResult)
CANONICAL = orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS
SAID = ("met", "note", "evidence", "rectify_by", "marked_by", "marked_by_name", "marked_at")
ENDED = [phase.value for phase in (Phase.CLOSED, Phase.PUBLISHED, Phase.CANCELLED)]


@dataclass(frozen=True, slots=True)
class InspectionFilter:
    campaign_id: UUID | None = None
    station_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class RectificationFilter:
    """``overdue_on``: only those that are overdue on this day; ``escalated``: those that are before somebody on a day."""

    open_only: bool = False
    overdue_on: date | None = None
    escalated: tuple[Escalation, date] | None = None
    station_id: UUID | None = None


class InspectionRepository:
    """The acceptance records of one transaction."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    # campaigns

    async def add(self, scope: AreaScope, campaign: Campaign) -> None:
        values = {"district": scope.district, "id": campaign.id, "area_code": campaign.area_code, **campaign_values(campaign)}
        await self._session.execute(sa.insert(InspectionCampaign).values(**values, version=1))

    async def get(self, scope: AreaScope, campaign_id: UUID, *, lock: bool = False) -> Campaign:
        """``NotFound`` campaign_not_found."""
        statement = sa.select(InspectionCampaign).where(within(scope, CAMPAIGN), CAMPAIGN.id == campaign_id)
        row = (await self._session.execute(_fresh(statement, lock=lock))).scalar_one_or_none()
        if row is None:
            raise refusals.campaign_not_found()
        return campaign_of(row)

    async def save(self, scope: AreaScope, campaign: Campaign) -> Campaign:
        """One version more; its phase stands on its inspections too."""
        mine = sa.update(InspectionCampaign).where(within(scope, CAMPAIGN), CAMPAIGN.id == campaign.id)
        await self._session.execute(mine.values(**campaign_values(campaign), version=campaign.version + 1))
        parts = sa.update(InspectionTable).where(within(scope, INSPECTION), INSPECTION.campaign_id == campaign.id)
        await self._session.execute(parts.values(phase=campaign.phase.value))
        return await self.get(scope, campaign.id)

    async def list_campaigns(self, scope: AreaScope, *, before: UUID | None, limit: int) -> list[Campaign]:
        """Newest first."""
        statement = sa.select(InspectionCampaign).where(within(scope, CAMPAIGN))
        if before is not None:
            statement = statement.where(CAMPAIGN.id < before)
        rows = (await self._session.execute(statement.order_by(CAMPAIGN.id.desc()).limit(limit))).scalars()
        return [campaign_of(row) for row in rows]

    async def count_campaigns(self, scope: AreaScope) -> int:
        return await self._count(InspectionCampaign, within(scope, CAMPAIGN))

    async def busy_stations(self, scope: AreaScope, stations: Sequence[UUID]) -> list[str]:
        """Names of those that are in another campaign which hasn't ended."""
        statement = sa.select(INSPECTION.station_name).where(
            within(scope, INSPECTION), INSPECTION.station_id.in_(stations), INSPECTION.phase.not_in(ENDED)
        )
        return list((await self._session.execute(statement.order_by(INSPECTION.area_code))).scalars())

    # inspections

    async def add_inspections(self, scope: AreaScope, inspections: Iterable[Inspection]) -> None:
        rows = [
            {
                "district": scope.district,
                "id": one.id,
                "area_code": one.area_code,
                "campaign_id": one.campaign_id,
                "title": one.title,
                "standard": one.standard,
                "standard_version": one.standard_version,
                "as_of": one.as_of,
                "phase": one.phase.value,
                "station_id": one.station_id,
                "station_name": one.station_name,
                "sample": list(one.sample),
                "version": 1,
                **inspection_values(one),
            }
            for one in inspections
        ]
        await self._session.execute(sa.insert(InspectionTable), rows)

    async def get_inspection(self, scope: AreaScope, inspection_id: UUID, *, lock: bool = False) -> Inspection:
        """``NotFound`` inspection_not_found."""
        statement = sa.select(InspectionTable).where(within(scope, INSPECTION), INSPECTION.id == inspection_id)
        row = (await self._session.execute(_fresh(statement, lock=lock))).scalar_one_or_none()
        if row is None:
            raise refusals.inspection_not_found()
        return inspection_of(row)

    async def save_inspection(self, scope: AreaScope, inspection: Inspection) -> Inspection:
        mine = sa.update(InspectionTable).where(within(scope, INSPECTION), INSPECTION.id == inspection.id)
        await self._session.execute(mine.values(**inspection_values(inspection), version=inspection.version + 1))
        return await self.get_inspection(scope, inspection.id)

    async def list_inspections(self, scope: AreaScope, campaign_id: UUID) -> list[Inspection]:
        """All of a campaign, by area."""
        statement = sa.select(InspectionTable).where(within(scope, INSPECTION), INSPECTION.campaign_id == campaign_id)
        rows = (await self._session.execute(_fresh(statement.order_by(INSPECTION.area_code)))).scalars()
        return [inspection_of(row) for row in rows]

    async def page_inspections(
        self, scope: AreaScope, only: InspectionFilter, *, after: UUID | None, limit: int
    ) -> list[Inspection]:
        statement = sa.select(InspectionTable).where(*_inspections(scope, only))
        if after is not None:
            statement = statement.where(INSPECTION.id > after)
        rows = (await self._session.execute(_fresh(statement.order_by(INSPECTION.id).limit(limit)))).scalars()
        return [inspection_of(row) for row in rows]

    async def count_inspections(self, scope: AreaScope, only: InspectionFilter) -> int:
        return await self._count(InspectionTable, *_inspections(scope, only))

    # marks

    async def put_marks(self, scope: AreaScope, inspection: Inspection, marks: Iterable[Mark]) -> None:
        """The source's latest word on each criterion, which stands there once at most; one statement."""
        of = {"district": scope.district, "area_code": inspection.area_code, "inspection_id": inspection.id}
        rows = [{**of, "id": new_id(), **mark_values(mark)} for mark in marks]
        if not rows:
            return
        statement = upsert(InspectionMark).values(rows)
        said = {name: statement.excluded[name] for name in SAID}
        key = ["district", "inspection_id", "criterion", "source"]
        await self._session.execute(statement.on_conflict_do_update(index_elements=key, set_=said))

    async def list_marks(self, scope: AreaScope, inspections: Sequence[UUID]) -> dict[UUID, list[Mark]]:
        """Inspection → its marks, for all of them in one query."""
        statement = sa.select(InspectionMark).where(within(scope, MARK), MARK.inspection_id.in_(inspections))
        found: dict[UUID, list[Mark]] = {}
        for row in (await self._session.execute(_fresh(statement.order_by(MARK.criterion, MARK.source)))).scalars():
            found.setdefault(row.inspection_id, []).append(mark_of(row))
        return found

    # rectifications

    async def add_rectifications(self, scope: AreaScope, rectifications: Iterable[Rectification]) -> None:
        rows = [
            {
                "district": scope.district,
                "id": one.id,
                "area_code": one.area_code,
                "inspection_id": one.inspection_id,
                "station_id": one.station_id,
                "criterion": one.criterion,
                "requirement": one.requirement,
                "version": 1,
                **rectification_values(one),
            }
            for one in rectifications
        ]
        if rows:
            await self._session.execute(sa.insert(RectificationTable), rows)

    async def get_rectification(self, scope: AreaScope, rectification_id: UUID, *, lock: bool = False) -> Rectification:
        """``NotFound`` rectification_not_found."""
        statement = sa.select(RectificationTable).where(within(scope, RECTIFICATION), RECTIFICATION.id == rectification_id)
        row = (await self._session.execute(_fresh(statement, lock=lock))).scalar_one_or_none()
        if row is None:
            raise refusals.rectification_not_found()
        return rectification_of(row)

    async def save_rectification(self, scope: AreaScope, rectification: Rectification) -> Rectification:
        mine = sa.update(RectificationTable).where(within(scope, RECTIFICATION), RECTIFICATION.id == rectification.id)
        await self._session.execute(mine.values(**rectification_values(rectification), version=rectification.version + 1))
        return await self.get_rectification(scope, rectification.id)

    async def list_rectifications_of(self, scope: AreaScope, inspections: Sequence[UUID]) -> list[Rectification]:
        statement = sa.select(RectificationTable).where(
            within(scope, RECTIFICATION), RECTIFICATION.inspection_id.in_(inspections)
        )
        rows = (await self._session.execute(_fresh(statement.order_by(RECTIFICATION.id)))).scalars()
        return [rectification_of(row) for row in rows]

    async def page_rectifications(
        self, scope: AreaScope, only: RectificationFilter, *, after: UUID | None, limit: int
    ) -> list[Rectification]:
        statement = sa.select(RectificationTable).where(*_rectifications(scope, only))
        if after is not None:
            statement = statement.where(RECTIFICATION.id > after)
        rows = (await self._session.execute(_fresh(statement.order_by(RECTIFICATION.id).limit(limit)))).scalars()
        return [rectification_of(row) for row in rows]

    async def count_rectifications(self, scope: AreaScope, only: RectificationFilter) -> int:
        return await self._count(RectificationTable, *_rectifications(scope, only))

    # publication

    async def freeze(self, scope: AreaScope, campaign: Campaign, results: Iterable[Frozen], now: datetime) -> None:
        """Writes the published results; each carries the hash of its own content."""
        rows = []
        for frozen in results:
            result, canonical = frozen.result, orjson.dumps(asdict(frozen), default=_text, option=CANONICAL)
            row = {
                "district": scope.district,
                "id": new_id(),
                "area_code": result.area_code,
                "campaign_id": campaign.id,
                "station_id": result.station_id,
                "station_name": result.station_name,
                "passed": result.passed is True,
                "score_points": result.score_points or 0,
                "rank": result.rank or 0,
                "consequence": asdict(frozen.consequence),
                "content": orjson.loads(canonical),
                "content_hash": hashlib.sha256(canonical).hexdigest(),
                "published_at": now,
            }
            rows.append(row)
        await self._session.execute(sa.insert(InspectionResult), rows)

    async def list_results(self, scope: AreaScope, campaign_id: UUID) -> list[InspectionResult]:
        """What was published, by rank; empty before."""
        statement = sa.select(InspectionResult).where(within(scope, RESULT), RESULT.campaign_id == campaign_id)
        return list((await self._session.execute(statement.order_by(RESULT.rank, RESULT.area_code))).scalars())

    async def find_latest_published(self, scope: AreaScope) -> UUID | None:
        """The campaign whose results were published last, as far as the scope sees any."""
        latest = sa.select(RESULT.campaign_id).where(within(scope, RESULT)).order_by(RESULT.published_at.desc()).limit(1)
        found: UUID | None = (await self._session.execute(latest)).scalar_one_or_none()
        return found

    async def _count(self, table: Any, *conditions: Any) -> int:
        statement = sa.select(sa.func.count()).select_from(table).where(*conditions)
        return int((await self._session.execute(statement)).scalar_one())


def _fresh(statement: Any, *, lock: bool = False) -> Any:
    """Rows as they are now, not as this session read them before."""
    statement = statement.with_for_update() if lock else statement
    return statement.execution_options(populate_existing=True)


def _inspections(scope: AreaScope, only: InspectionFilter) -> list[Any]:
    conditions = [within(scope, INSPECTION)]
    if only.campaign_id is not None:
        conditions.append(INSPECTION.campaign_id == only.campaign_id)
    if only.station_id is not None:
        conditions.append(INSPECTION.station_id == only.station_id)
    return conditions


def _rectifications(scope: AreaScope, only: RectificationFilter) -> list[Any]:
    conditions = [RECTIFICATION.district == scope.district, at_or_below(RECTIFICATION.area_code, scope.prefix)]
    if only.open_only:
        conditions.append(RECTIFICATION.state != RectificationState.CLOSED.value)
    if only.overdue_on is not None:
        conditions += [RECTIFICATION.state == RectificationState.OPEN.value, RECTIFICATION.due_on < only.overdue_on]
    if only.escalated is not None:
        first, last = overdue_since(*only.escalated)
        late = sa.and_(RECTIFICATION.due_on <= last, RECTIFICATION.due_on >= first if first else sa.true())
        conditions += [RECTIFICATION.state == RectificationState.OPEN.value, late]
    if only.station_id is not None:
        conditions.append(RECTIFICATION.station_id == only.station_id)
    return conditions


def _text(value: object) -> Any:
    """What JSON has no form for: sets in order, exact numbers and ids (the driver's own kind) as text."""
    if isinstance(value, frozenset | set):
        return sorted(value)
    if isinstance(value, Decimal | UUID):
        return str(value)
    raise TypeError(f"{type(value).__name__} can't be published")
