"""The report on how stations work, and the cases behind its figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.base import columns
from app.db.repositories.station_facts import list_facts
from app.db.scoping import within
from app.db.station_operations import list_readings, operations_fact
from app.db.tables.inspections import Inspection, InspectionMark
from app.db.tables.station_files import StationAssessment
from app.domain.access import AreaScope
from app.domain.stations import Standard, assess
from app.domain.stations.operating import JUDGED, Period
from app.domain.stations.operating_report import NO_WORDS, OperationsReport, StationOperations, Words, points_of, rows_of
from app.domain.stations.records import StationRecord

INSPECTION, MARK, KEPT = columns(Inspection), columns(InspectionMark), columns(StationAssessment)
SELF, FOUND = "self", "found"


async def report_of(
    scope: AreaScope, session: AsyncSession, standard: Standard, stations: Sequence[StationRecord], period: Period, as_of: date
) -> OperationsReport:
    """All stations at once: one query for each kind of fact and for each measure. Raises ``NoStandardInForce``."""
    version = standard.on(as_of)
    facts = await list_facts(scope, session, stations, as_of)
    readings = await list_readings(scope, session, stations, period)
    words = await list_words(scope, session, standard.code, [station.id for station in stations])
    shown = []
    for station in sorted(stations, key=lambda one: one.area_code):
        own = readings[station.id]
        operations = operations_fact({code: own[code] for code in JUDGED})
        assessment = assess(replace(facts[station.id], operations=operations), standard, as_of)
        shown.append(
            StationOperations(
                station_id=station.id,
                area_code=station.area_code,
                name=station.details.name,
                grade=assessment.grade.value,
                points=points_of(assessment),
                readings=tuple(own.values()),
                rows=rows_of(assessment, words.get(station.id, NO_WORDS)),
            )
        )
    return OperationsReport(standard.code, version.version, as_of, period, tuple(shown))


async def list_words(scope: AreaScope, session: AsyncSession, standard: str, stations: Sequence[UUID]) -> Mapping[UUID, Words]:
    """Station → the latest word of itself, in an assessment or an inspection, and of inspectors once confirmed."""
    latest: dict[tuple[UUID, str, str], tuple[datetime, bool]] = {}
    for station, source, criterion, at, met in await _marks(scope, session, standard, stations):
        latest[station, source, criterion] = (at, met)
    for station, at, claims in await _claims(scope, session, standard, stations):
        for claim in claims:
            key = station, SELF, claim["code"]
            latest[key] = max(latest.get(key, (at, claim["met"])), (at, claim["met"]))
    return {station: Words(_said(latest, station, SELF), _said(latest, station, FOUND)) for station in stations}


def _said(latest: Mapping[tuple[UUID, str, str], tuple[datetime, bool]], station: UUID, source: str) -> dict[str, bool]:
    return {criterion: met for (of, by, criterion), (_, met) in latest.items() if (of, by) == (station, source)}


async def _marks(scope: AreaScope, session: AsyncSession, standard: str, stations: Sequence[UUID]) -> Sequence[Any]:
    """A finding is the team's until the inspection is confirmed."""
    key = (INSPECTION.station_id, MARK.source, MARK.criterion)
    confirmed = sa.or_(MARK.source == SELF, INSPECTION.state == "confirmed")
    statement = (
        sa.select(*key, MARK.marked_at, MARK.met)
        .ext(distinct_on(*key))
        .join_from(InspectionMark, Inspection, sa.and_(INSPECTION.district == MARK.district, INSPECTION.id == MARK.inspection_id))
        .where(
            within(scope, MARK),
            INSPECTION.standard == standard,
            INSPECTION.station_id.in_(stations),
            INSPECTION.phase != "cancelled",
            confirmed,
        )
        .order_by(*key, MARK.marked_at.desc())
    )
    return (await session.execute(statement)).all()


async def _claims(scope: AreaScope, session: AsyncSession, standard: str, stations: Sequence[UUID]) -> Sequence[Any]:
    statement = (
        sa.select(KEPT.station_id, KEPT.assessed_at, KEPT.claims)
        .ext(distinct_on(KEPT.station_id))
        .where(
            within(scope, KEPT), KEPT.standard == standard, KEPT.station_id.in_(stations), KEPT.claims != sa.text("'[]'::jsonb")
        )
        .order_by(KEPT.station_id, KEPT.id.desc())
    )
    return (await session.execute(statement)).all()
