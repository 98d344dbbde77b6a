"""From inputs to a total: whole numbers only, hundredths of a point. Pure.

Rounding: every indicator, then the indicators together, the survey, and the weighted sum are each rounded once, half up, to a
hundredth; nothing is rounded in between. Whoever repeats a step with the published figures gets the published figure.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from uuid import UUID

from app.domain.appraisals.model import Inputs, StationYear
from app.domain.appraisals.scheme import (
    FULL_POINTS,
    WHOLE_WEIGHT,
    AdjustmentRule,
    Direction,
    Indicator,
    Kind,
    Part,
    Round,
    Scheme,
)


def half_up(numerator: int, denominator: int) -> int:
    """The nearest whole number, halves up; for numbers that aren't negative."""
    return (2 * numerator + denominator) // (2 * denominator)


class Standing(StrEnum):
    """What became of an indicator."""

    SCORED = "scored"
    NO_DATA = "no_data"  # taken from the operating data, which has nothing; left out, never a zero
    NOT_REPORTED = "not_reported"  # the station owes it
    NOT_APPLICABLE = "not_applicable"  # not asked of this station
    OVERDUE = "overdue"  # never handed in: a zero, entered by the district after the last day


@dataclass(frozen=True, slots=True)
class IndicatorRow:
    """One indicator of one station. ``source``: what the value was taken from."""

    indicator: str
    name: str
    line: str
    business: str | None
    unit: str
    weight: int
    target: int | None
    actual: int | None
    source: str | None
    next_step: str | None
    standing: Standing
    points: int | None


@dataclass(frozen=True, slots=True)
class PartRow:
    """One part of the total; ``points`` None: still missing."""

    part: Part
    round: Round
    weight: int
    points: int | None


@dataclass(frozen=True, slots=True)
class AdjustmentRow:
    """What a rule adds or takes off: what was entered, and what of it counts under the rule's cap."""

    kind: Kind
    code: str
    name: str
    entered: int
    counted: int
    source: str


@dataclass(frozen=True, slots=True)
class StationResult:
    """A station's year. ``missing``: what has to be entered before it can be published; then ``total`` is None."""

    station_id: UUID
    area_code: str
    station_name: str
    indicators: tuple[IndicatorRow, ...]
    parts: tuple[PartRow, ...]
    adjustments: tuple[AdjustmentRow, ...]
    base: int | None
    bonus: int
    deduction: int
    vetoed: tuple[str, ...]
    total: int | None
    grade: str | None
    rank: int | None
    missing: tuple[str, ...]


def attainment(direction: Direction, target: int, actual: int) -> int:
    """How far the target was reached: 0 … 10000. More than reached is full, not more."""
    if direction is Direction.HIGHER:
        part, whole = actual, target
    else:
        part, whole = target, actual
    if part >= whole:
        return FULL_POINTS
    return half_up(FULL_POINTS * max(part, 0), whole)


def survey_points(satisfied: int, sample_size: int) -> int:
    """社会公认度: the satisfied among those asked."""
    return half_up(FULL_POINTS * satisfied, sample_size)


def indicator_row(indicator: Indicator, inputs: Inputs) -> IndicatorRow:
    """The year's end counts; what was said in the middle of the year is on file only."""
    target = inputs.targets.get(indicator.code)
    report = inputs.reports.get((Round.YEAR_END, indicator.code))
    measured = inputs.measured.get(indicator.measure) if indicator.measure else None
    row = IndicatorRow(
        indicator=indicator.code,
        name=indicator.name,
        line=indicator.line.value,
        business=indicator.business,
        unit=indicator.unit,
        weight=indicator.weight,
        target=target.target if target else None,
        actual=None,
        source=None,
        next_step=report.next_step if report else None,
        standing=Standing.NOT_REPORTED,
        points=None,
    )
    if target is not None and target.target is None:
        return replace(row, standing=Standing.NOT_APPLICABLE, source=target.note)
    if indicator.measure is not None:
        return (
            replace(row, standing=Standing.NO_DATA)
            if measured is None
            else _scored(row, indicator, measured.value, measured.source)
        )
    if report is None:
        return row
    if report.actual is None:
        return replace(row, standing=Standing.OVERDUE, points=0, source=report.note)
    return _scored(row, indicator, report.actual, "本站填报")


def _scored(row: IndicatorRow, indicator: Indicator, actual: int, source: str) -> IndicatorRow:
    if row.target is None:
        return replace(row, actual=actual, source=source)
    points = attainment(indicator.direction, row.target, actual)
    return replace(row, actual=actual, source=source, standing=Standing.SCORED, points=points)


def indicator_points(rows: Iterable[IndicatorRow]) -> int | None:
    """The weighted mean of those that have points; None when none has."""
    scored = [(row.weight, row.points) for row in rows if row.points is not None]
    weight = sum(each for each, _ in scored)
    return half_up(sum(each * points for each, points in scored), weight) if weight else None


def parts_of(scheme: Scheme, inputs: Inputs, indicators: int | None) -> tuple[PartRow, ...]:
    rows = []
    for (part, round_), weight in scheme.weights.items():
        if not weight:
            continue
        score = inputs.scores.get((part, round_))
        points = indicators if part is Part.INDICATORS else (score.points if score else None)
        rows.append(PartRow(part, round_, weight, points))
    return tuple(rows)


def weighted(parts: Sequence[PartRow]) -> int | None:
    """The weighted sum; None as long as a part is missing."""
    products = [row.weight * row.points for row in parts if row.points is not None]
    return half_up(sum(products), WHOLE_WEIGHT) if len(products) == len(parts) else None


def adjustment_row(rule: AdjustmentRule, inputs: Inputs) -> AdjustmentRow:
    """Entries that stand, or what the operating data say, up to the rule's cap."""
    entered = sum(
        one.points for one in inputs.adjustments if one.withdrawn is None and (one.kind, one.code) == (rule.kind, rule.code)
    )
    source = "区民政局登记"
    if rule.measure is not None:
        measured = inputs.measured.get(rule.measure)
        entered, source = (measured.value, measured.source) if measured else (0, "没有数据，不扣分")
    return AdjustmentRow(rule.kind, rule.code, rule.name, entered, min(entered, rule.cap), source)


def result_of(station: StationYear, inputs: Inputs) -> StationResult:
    """A station's result without its rank."""
    scheme = station.scheme
    rows = tuple(indicator_row(one, inputs) for one in scheme.indicators)
    parts = parts_of(scheme, inputs, indicator_points(rows))
    adjustments = tuple(adjustment_row(rule, inputs) for rule in scheme.rules if rule.kind is not Kind.VETO)
    bonus = min(_counted(adjustments, Kind.BONUS), scheme.bonus_cap)
    deduction = min(_counted(adjustments, Kind.DEDUCTION), scheme.deduction_cap)
    vetoed = tuple(one.code for one in inputs.adjustments if one.withdrawn is None and one.kind is Kind.VETO)
    missing = _missing(rows, parts)
    base = None if missing else weighted(parts)
    total = None if base is None else max(base + bonus - deduction, 0)
    return StationResult(
        station_id=station.station_id,
        area_code=station.area_code,
        station_name=station.station_name,
        indicators=rows,
        parts=parts,
        adjustments=adjustments,
        base=base,
        bonus=bonus,
        deduction=deduction,
        vetoed=vetoed,
        total=total,
        grade=_grade(scheme, total, vetoed),
        rank=None,
        missing=missing,
    )


def _counted(rows: Iterable[AdjustmentRow], kind: Kind) -> int:
    return sum(row.counted for row in rows if row.kind is kind)


def _missing(rows: Iterable[IndicatorRow], parts: Iterable[PartRow]) -> tuple[str, ...]:
    """Names of what somebody still has to enter."""
    owed = [f"指标“{row.name}”" for row in rows if row.standing is Standing.NOT_REPORTED]
    return (*owed, *(part_name(row.part, row.round) for row in parts if row.points is None))


PARTS = {Part.SELF_REVIEW: "自评", Part.LEADER: "主要领导评分", Part.SURVEY: "社会公认度", Part.INDICATORS: "指标完成情况"}
ROUNDS = {Round.MID_YEAR: "年中", Round.YEAR_END: "年终"}


def part_name(part: Part, round_: Round) -> str:
    return f"{ROUNDS[round_]}{PARTS[part]}"


def _grade(scheme: Scheme, total: int | None, vetoed: Sequence[str]) -> str | None:
    """一票否决: the lowest grade, whatever the points."""
    if total is None:
        return None
    return scheme.lowest_grade.grade if vetoed else scheme.grade_of(total).grade


def ranked(results: Iterable[StationResult]) -> tuple[StationResult, ...]:
    """By total; equals share a rank and the next one counts them all (1, 1, 3). Who was vetoed comes after everybody else.

    A result without a total has no rank and doesn't count.
    """
    ordered = sorted(results, key=lambda result: (*_place(result), result.area_code))
    first_with: dict[tuple[bool, bool, int], int] = {}
    for place, result in enumerate(ordered, start=1):
        first_with.setdefault(_place(result), place)
    return tuple(replace(one, rank=None if one.total is None else first_with[_place(one)]) for one in ordered)


def _place(result: StationResult) -> tuple[bool, bool, int]:
    vetoed = bool(result.vetoed)
    return (result.total is None, vetoed, 0 if vetoed else -(result.total or 0))
