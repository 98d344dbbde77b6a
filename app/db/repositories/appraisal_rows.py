"""Rows of the year-end assessment, and the records that they are."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from app.db.tables.appraisals import (
    AppraisalAdjustment,
    AppraisalReport,
    AppraisalScore,
    AppraisalStation,
    AppraisalTarget,
    AppraisalYear,
    PersonnelRecord,
)
from app.domain.access import Signature
from app.domain.appraisals.model import Adjustment, Appraisal, Phase, Report, Schedule, Score, Span, StationYear, Target
from app.domain.appraisals.personnel import PersonKind, PersonRecord, RecordKind, RecordOutcome
from app.domain.appraisals.scheme import Kind, Part, Round
from app.domain.appraisals.scheme_document import hundredths, read_scheme
from app.domain.appraisals.scoring import AdjustmentRow, IndicatorRow, PartRow, Standing, StationResult

TWO_PLACES = Decimal(100)


def schedule_document(schedule: Schedule) -> dict[str, dict[str, str]]:
    return {phase.value: {"first": span.first.isoformat(), "last": span.last.isoformat()} for phase, span in schedule.items()}


def _schedule(document: Mapping[str, Any]) -> Schedule:
    return {
        Phase(phase): Span(date.fromisoformat(span["first"]), date.fromisoformat(span["last"]))
        for phase, span in document.items()
    }


def value_column(value: int | None) -> Decimal | None:
    """Hundredths of a unit as they are stored."""
    return None if value is None else Decimal(value) / TWO_PLACES


def _value(stored: Decimal | None) -> int | None:
    return None if stored is None else hundredths(stored)


def _entered(row: Any) -> Signature:
    return Signature(row.entered_by, row.entered_by_name, row.entered_at)


def appraisal_of(row: AppraisalYear) -> Appraisal:
    published = None
    if row.published_by is not None and row.published_by_name is not None and row.published_at is not None:
        published = Signature(row.published_by, row.published_by_name, row.published_at)
    return Appraisal(
        id=row.id,
        area_code=row.area_code,
        year=row.year,
        title=row.title,
        scheme=read_scheme(row.scheme),
        scheme_digest=row.scheme_digest,
        schedule=_schedule(row.schedule),
        phase=Phase(row.phase),
        opened=Signature(row.opened_by, row.opened_by_name, row.opened_at),
        published=published,
        version=row.version,
    )


def station_year_of(row: AppraisalStation) -> StationYear:
    return StationYear(
        id=row.id,
        appraisal_id=row.appraisal_id,
        station_id=row.station_id,
        area_code=row.area_code,
        station_name=row.station_name,
        year=row.year,
        title=row.title,
        scheme=read_scheme(row.scheme),
        schedule=_schedule(row.schedule),
        phase=Phase(row.phase),
        version=row.version,
    )


def target_of(row: AppraisalTarget) -> Target:
    return Target(row.indicator, _value(row.target), row.note, row.owner, _entered(row))


def report_of(row: AppraisalReport) -> Report:
    actual, evidence = _value(row.actual), tuple(row.evidence)
    return Report(row.indicator, Round(row.round), actual, row.note, row.next_step, evidence, _entered(row))


def score_of(row: AppraisalScore) -> Score:
    return Score(
        part=Part(row.part),
        round=Round(row.round),
        points=row.score_points,
        note=row.note,
        sample_size=row.sample_size,
        satisfied=row.satisfied,
        conducted_by=row.conducted_by,
        evidence=tuple(row.evidence),
        signature=_entered(row),
    )


def adjustment_of(row: AppraisalAdjustment) -> Adjustment:
    withdrawn = None
    if row.withdrawn_by is not None and row.withdrawn_by_name is not None and row.withdrawn_at is not None:
        withdrawn = Signature(row.withdrawn_by, row.withdrawn_by_name, row.withdrawn_at)
    return Adjustment(
        id=row.id,
        kind=Kind(row.kind),
        code=row.code,
        points=row.score_points,
        reason=row.reason,
        evidence=tuple(row.evidence),
        signature=_entered(row),
        withdrawn=withdrawn,
        withdrawn_reason=row.withdrawn_reason,
    )


def person_record_of(row: PersonnelRecord) -> PersonRecord:
    return PersonRecord(
        id=row.id,
        station_id=row.station_id,
        area_code=row.area_code,
        person_id=row.person_id,
        person_kind=PersonKind(row.person_kind),
        person_name=row.person_name,
        kind=RecordKind(row.kind),
        period=row.period,
        held_on=row.held_on,
        outcome=RecordOutcome(row.outcome),
        note=row.note,
        signature=Signature(row.recorded_by, row.recorded_by_name, row.recorded_at),
    )


def result_of_content(written: Mapping[str, Any]) -> StationResult:
    """A result as it was frozen."""
    rows = [IndicatorRow(**row | {"standing": Standing(row["standing"])}) for row in written["indicators"]]
    parts = [PartRow(Part(row["part"]), Round(row["round"]), row["weight"], row["points"]) for row in written["parts"]]
    adjustments = [AdjustmentRow(**row | {"kind": Kind(row["kind"])}) for row in written["adjustments"]]
    kept = {
        "station_id": UUID(written["station_id"]),
        "indicators": tuple(rows),
        "parts": tuple(parts),
        "adjustments": tuple(adjustments),
        "vetoed": tuple(written["vetoed"]),
        "missing": tuple(written["missing"]),
    }
    return StationResult(**{**written, **kept})
