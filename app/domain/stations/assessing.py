"""One station against one standard: every criterion judged, rolled up by dimension and to a grade.

Three values throughout: met, failed, not known. A failed mandatory criterion decides whatever else is unknown; an unknown one
leaves the grade open, and so does one about which nobody keeps data (``no_data``); one for which the standard has no rule
(``not_defined``) or of which there was no case (``no_cases``) does neither.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from fractions import Fraction

from app.domain.stations.facts import Facts
from app.domain.stations.measures import LEADERS_COUNTED, LIMIT_BY, MEASURES, Item, MeasureKind, items_of
from app.domain.stations.model import (
    WITHOUT_VERDICT,
    Assessment,
    Caution,
    Comparator,
    Criterion,
    Dimension,
    DimensionVerdict,
    Grade,
    Limit,
    Standard,
    Undecided,
    Verdict,
)
from app.domain.stations.readings import Reading, shown_flag
from app.domain.stations.validation import check_facts


def assess(facts: Facts, standard: Standard, as_of: date) -> Assessment:
    """The answer, for the version in force on ``as_of``.

    Raises:
        Malformed: 422 ``contradictory_facts``, with the sums.
        NoStandardInForce: 409, no version is in force on the day.

    """
    version = standard.on(as_of)
    check_facts(facts, as_of)
    verdicts = tuple(judge(criterion, facts, as_of) for criterion in version.criteria_on(as_of))
    return Assessment(
        standard=standard.code,
        version=version.version,
        as_of=as_of,
        criteria=verdicts,
        dimensions=roll_up(verdicts),
        grade=grade_of(verdicts),
    )


def judge(criterion: Criterion, facts: Facts, as_of: date) -> Verdict:
    """One criterion over the facts."""
    if MEASURES[criterion.measure].kind is MeasureKind.EACH_COMMUNITY:
        return _judge_each(criterion, facts, as_of)
    reading = _read(criterion, facts, as_of)
    limit, chosen_by = _limit_for(criterion, facts, as_of)
    if chosen_by is not None and chosen_by.reason is not None:
        return _open(criterion, reading, chosen_by.reason, missing=chosen_by.missing)
    if limit is None:
        return _open(criterion, reading, Undecided.NOT_DEFINED)
    return _compared(criterion, reading, limit)


def _read(criterion: Criterion, facts: Facts, as_of: date) -> Reading:
    return MEASURES[criterion.measure].read(facts, as_of, bool(criterion.arguments.get(LEADERS_COUNTED, False)))


def _limit_for(criterion: Criterion, facts: Facts, as_of: date) -> tuple[Limit | None, Reading | None]:
    """The limit that holds for this station, None where the standard has none, and what chose it."""
    if criterion.limit_by is None:
        return criterion.limits[0], None
    chosen_by = LIMIT_BY[criterion.limit_by].read(facts, as_of, False)
    return limit_among(criterion.limits, chosen_by), chosen_by


def limit_among(limits: Sequence[Limit], chosen_by: Reading) -> Limit | None:
    """The limit of the band or kind that was read; None where no band reaches there."""
    for limit in limits:
        if limit.kind is not None:
            if limit.kind == chosen_by.kind:
                return limit
        elif chosen_by.low is not None and _in_band(limit, chosen_by.low):
            return limit
    return None


def _in_band(limit: Limit, value: Fraction) -> bool:
    above = limit.band_from is None or value >= limit.band_from
    return above and (limit.band_until is None or value < limit.band_until)


def _open(criterion: Criterion, reading: Reading, reason: Undecided, *, missing: tuple[str, ...] = ()) -> Verdict:
    unit = MEASURES[criterion.measure].unit
    return Verdict(criterion, None, reading.shown, None, unit, reason=reason, missing=missing)


def _compared(criterion: Criterion, reading: Reading, limit: Limit) -> Verdict:
    met, lacking = met_by(criterion.comparator, reading, limit)
    caution = None
    if met and criterion.comparator is Comparator.WITHIN and limit.upper is not None and _above(reading.low, limit.upper):
        caution = Caution.ABOVE_UPPER_END
    return Verdict(
        criterion,
        met,
        _measured(reading, limit),
        _required(criterion.comparator, limit),
        MEASURES[criterion.measure].unit,
        reason=reading.reason if met is None else None,
        warning=caution,
        lacking=lacking,
        missing=reading.missing if met is None else (),
        assumption=limit.assumption or reading.note,
    )


def met_by(comparator: Comparator, reading: Reading, limit: Limit) -> tuple[bool | None, tuple[str, ...]]:
    """Whether a reading satisfies a limit, and the codes that it lacks."""
    if comparator is Comparator.IS_TRUE:
        return reading.flag, ()
    if comparator is Comparator.INCLUDES:
        if reading.codes is None:
            return None, ()
        lacking = tuple(sorted(limit.codes - reading.codes))
        return not lacking, lacking
    if comparator is Comparator.AT_MOST:
        return _at_most(reading, limit.upper or 0), ()
    return _at_least(reading, limit.lower or 0), ()


def _at_least(reading: Reading, lower: int) -> bool | None:
    if reading.low is not None and reading.low >= lower:
        return True
    return False if reading.high is not None and reading.high < lower else None


def _at_most(reading: Reading, upper: int) -> bool | None:
    if _above(reading.low, upper):
        return False
    return True if reading.high is not None and reading.high <= upper else None


def _above(value: Fraction | None, upper: int) -> bool:
    return value is not None and value > upper


def _measured(reading: Reading, limit: Limit) -> str | None:
    return reading.shown if reading.codes is None else str(len(limit.codes & reading.codes))


def _required(comparator: Comparator, limit: Limit) -> str:
    if comparator is Comparator.IS_TRUE:
        return shown_flag(True)
    if comparator is Comparator.INCLUDES:
        return str(len(limit.codes))
    if comparator is Comparator.AT_MOST:
        return str(limit.upper)
    if comparator is Comparator.WITHIN and limit.lower != limit.upper:
        return f"{limit.lower}-{limit.upper}"
    return str(limit.lower)


# --- every community -------------------------------------------------------------------------------------------------------


def _judge_each(criterion: Criterion, facts: Facts, as_of: date) -> Verdict:
    """Met when every community is; ``measured`` and ``required`` are the sums, ``lacking`` the communities that are short."""
    whole = _read(criterion, facts, as_of)
    items = items_of(facts)
    if not items:
        return _open(criterion, whole, whole.reason or Undecided.NOTHING_TO_MEASURE, missing=whole.missing)
    limits = [_item_limit(criterion, item) for item in items]
    answers = [_item_met(criterion, item, limit) for item, limit in zip(items, limits, strict=True)]
    missing = [_item_missing(criterion, item) for item, (answer, _) in zip(items, answers, strict=True) if answer is None]
    met = both(met for met, reason in answers if reason is not Undecided.NOT_DEFINED)
    if all(reason is Undecided.NOT_DEFINED for _, reason in answers):
        return _open(criterion, whole, Undecided.NOT_DEFINED)
    return Verdict(
        criterion,
        met,
        whole.shown,
        _sum_of(items, limits),
        MEASURES[criterion.measure].unit,
        reason=Undecided.FACT_MISSING if met is None else None,
        lacking=tuple(item.ref for item, (answer, _) in zip(items, answers, strict=True) if answer is False),
        missing=tuple(place for places in missing for place in places) if met is None else (),
    )


def _item_missing(criterion: Criterion, item: Item) -> tuple[str, ...]:
    chosen_by = () if criterion.limit_by is None else item.by.missing
    return (*chosen_by, *item.value.missing)


def _item_limit(criterion: Criterion, item: Item) -> Limit | None:
    return criterion.limits[0] if criterion.limit_by is None else limit_among(criterion.limits, item.by)


def _item_met(criterion: Criterion, item: Item, limit: Limit | None) -> tuple[bool | None, Undecided | None]:
    if limit is None:
        return None, item.by.reason or Undecided.NOT_DEFINED
    return met_by(criterion.comparator, item.value, limit)[0], item.value.reason


def _sum_of(items: Sequence[Item], limits: Sequence[Limit | None]) -> str | None:
    """What all communities need together; None as long as the limit of one isn't known."""
    if any(limit is None and item.by.reason is not None for item, limit in zip(items, limits, strict=True)):
        return None
    return str(sum(limit.lower or 0 for limit in limits if limit is not None))


# --- roll-up ---------------------------------------------------------------------------------------------------------------


def both(answers: Iterable[bool | None]) -> bool | None:
    """Every one of them: one failure decides, else one unknown leaves it open."""
    known = list(answers)
    if False in known:
        return False
    return None if None in known else True


def deciding(verdicts: Iterable[Verdict]) -> list[Verdict]:
    """The mandatory ones for which the standard has a rule, and of which there was a case."""
    return [verdict for verdict in verdicts if verdict.criterion.mandatory and verdict.reason not in WITHOUT_VERDICT]


def grade_of(verdicts: Sequence[Verdict]) -> Grade:
    """Qualified only when every mandatory criterion is met (三（三）检查验收阶段); never for want of anything to look at."""
    decided_by = deciding(verdicts)
    if not decided_by and _without_case(verdicts):
        return Grade.UNDETERMINED
    met = both(verdict.met for verdict in decided_by)
    return {True: Grade.QUALIFIED, False: Grade.UNQUALIFIED, None: Grade.UNDETERMINED}[met]


def _without_case(verdicts: Iterable[Verdict]) -> bool:
    return any(verdict.criterion.mandatory and verdict.reason is Undecided.NO_CASES for verdict in verdicts)


def roll_up(verdicts: Sequence[Verdict]) -> tuple[DimensionVerdict, ...]:
    """One row for each dimension that the standard speaks about, in the order of the six aspects."""
    found = {dimension: [v for v in verdicts if v.criterion.dimension is dimension] for dimension in Dimension}
    return tuple(_dimension(dimension, own) for dimension, own in found.items() if own)


def _dimension(dimension: Dimension, verdicts: Sequence[Verdict]) -> DimensionVerdict:
    decided_by = deciding(verdicts)
    met = both(verdict.met for verdict in decided_by) if decided_by else None
    return DimensionVerdict(
        dimension,
        met=met,
        reason=None if met is not None else _open_dimension(decided_by, verdicts),
        criteria_total=len(verdicts),
        criteria_met=sum(verdict.met is True for verdict in verdicts),
        criteria_failed=sum(verdict.met is False for verdict in verdicts),
    )


def _open_dimension(decided_by: Sequence[Verdict], verdicts: Sequence[Verdict]) -> Undecided:
    if decided_by:
        return next(verdict.reason for verdict in decided_by if verdict.reason is not None)
    if _without_case(verdicts):
        return Undecided.NO_CASES
    undefined = all(verdict.reason is Undecided.NOT_DEFINED for verdict in verdicts)
    return Undecided.NOT_DEFINED if undefined else Undecided.NOTHING_MANDATORY
