"""What was entered about stations in a year; the word with the highest number counts, the others stay on file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import SQLModel

from app.db.base import columns
from app.db.repositories.appraisal_rows import adjustment_of, report_of, score_of, target_of, value_column
from app.db.scoping import within
from app.db.tables.appraisals import AppraisalAdjustment, AppraisalReport, AppraisalScore, AppraisalTarget
from app.domain.access import AreaScope, Signature
from app.domain.appraisals.model import Adjustment, Inputs, Report, Score, StationYear, Target
from app.domain.appraisals.scheme import Part, Round
from app.ids import new_id

ADJUSTMENT = columns(AppraisalAdjustment)


class EntryRepository:
    """The entries of one transaction."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def add_targets(self, scope: AreaScope, station: StationYear, targets: Iterable[Target]) -> None:
        rows = [
            {
                **_entry(scope, station, one.signature),
                "indicator": one.indicator,
                "target": value_column(one.target),
                "note": one.note,
                "owner": one.owner,
            }
            for one in targets
        ]
        await self._insert(AppraisalTarget, rows)

    async def add_reports(self, scope: AreaScope, station: StationYear, reports: Iterable[Report]) -> None:
        rows = [
            {
                **_entry(scope, station, one.signature),
                "indicator": one.indicator,
                "round": one.round.value,
                "actual": value_column(one.actual),
                "note": one.note,
                "next_step": one.next_step,
                "evidence": list(one.evidence),
            }
            for one in reports
        ]
        await self._insert(AppraisalReport, rows)

    async def add_scores(self, scope: AreaScope, station: StationYear, scores: Iterable[Score]) -> None:
        rows = [
            {
                **_entry(scope, station, one.signature),
                "part": one.part.value,
                "round": one.round.value,
                "score_points": one.points,
                "note": one.note,
                "sample_size": one.sample_size,
                "satisfied": one.satisfied,
                "conducted_by": one.conducted_by,
                "evidence": list(one.evidence),
            }
            for one in scores
        ]
        await self._insert(AppraisalScore, rows)

    async def add_adjustment(self, scope: AreaScope, station: StationYear, adjustment: Adjustment) -> None:
        row = {
            **_entry(scope, station, adjustment.signature),
            "id": adjustment.id,
            "kind": adjustment.kind.value,
            "code": adjustment.code,
            "score_points": adjustment.points,
            "reason": adjustment.reason,
            "evidence": list(adjustment.evidence),
        }
        await self._insert(AppraisalAdjustment, [row])

    async def save_adjustment(self, scope: AreaScope, adjustment: Adjustment) -> None:
        """Its withdrawal."""
        withdrawn = adjustment.withdrawn
        values = {
            "withdrawn_by": withdrawn.by if withdrawn else None,
            "withdrawn_by_name": withdrawn.name if withdrawn else None,
            "withdrawn_at": withdrawn.at if withdrawn else None,
            "withdrawn_reason": adjustment.withdrawn_reason,
        }
        mine = sa.update(AppraisalAdjustment).where(within(scope, ADJUSTMENT), ADJUSTMENT.id == adjustment.id)
        await self._session.execute(mine.values(**values))

    async def list_inputs(self, scope: AreaScope, stations: Sequence[StationYear]) -> Mapping[UUID, Inputs]:
        """One query for each kind of entry, however many stations."""
        ids = [one.id for one in stations]
        targets: dict[UUID, dict[str, Target]] = {}
        reports: dict[UUID, dict[tuple[Round, str], Report]] = {}
        scores: dict[UUID, dict[tuple[Part, Round], Score]] = {}
        for row in await self._latest(scope, AppraisalTarget, ids, "indicator"):
            targets.setdefault(row.station_appraisal_id, {})[row.indicator] = target_of(row)
        for row in await self._latest(scope, AppraisalReport, ids, "round", "indicator"):
            report = report_of(row)
            reports.setdefault(row.station_appraisal_id, {})[(report.round, report.indicator)] = report
        for row in await self._latest(scope, AppraisalScore, ids, "round", "part"):
            score = score_of(row)
            scores.setdefault(row.station_appraisal_id, {})[(score.part, score.round)] = score
        adjustments = await self._adjustments(scope, ids)
        return {
            one: Inputs(targets.get(one, {}), reports.get(one, {}), scores.get(one, {}), tuple(adjustments.get(one, ())), {})
            for one in ids
        }

    async def _adjustments(self, scope: AreaScope, ids: Sequence[UUID]) -> dict[UUID, list[Adjustment]]:
        statement = sa.select(AppraisalAdjustment).where(within(scope, ADJUSTMENT), ADJUSTMENT.station_appraisal_id.in_(ids))
        found: dict[UUID, list[Adjustment]] = {}
        rows = await self._session.execute(_fresh(statement.order_by(ADJUSTMENT.number)))
        for row in rows.scalars():
            found.setdefault(row.station_appraisal_id, []).append(adjustment_of(row))
        return found

    async def _latest(self, scope: AreaScope, table: type[SQLModel], ids: Sequence[UUID], *key: str) -> list[Any]:
        own = columns(table)
        thing = [own.station_appraisal_id, *(own[name] for name in key)]
        statement = (
            sa.select(table)
            .ext(distinct_on(*thing))
            .where(within(scope, own), own.station_appraisal_id.in_(ids))
            .order_by(*thing, own.number.desc())
        )
        return list((await self._session.execute(_fresh(statement))).scalars())

    async def _insert(self, table: type[SQLModel], rows: list[dict[str, Any]]) -> None:
        if rows:
            await self._session.execute(sa.insert(table), rows)


def _entry(scope: AreaScope, station: StationYear, signature: Signature) -> dict[str, Any]:
    return {
        "district": scope.district,
        "id": new_id(),
        "area_code": station.area_code,
        "station_appraisal_id": station.id,
        "number": station.version,
        "entered_by": signature.by,
        "entered_by_name": signature.name,
        "entered_at": signature.at,
    }


def _fresh(statement: Any) -> Any:
    """Rows as they are now, not as this session read them before."""
    return statement.execution_options(populate_existing=True)
