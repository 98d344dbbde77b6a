"""From marks to results: three sources side by side, the verdict, the score, the ranking. Pure.

What counts is what the inspectors found, and after them what a re-inspection closed. The station's own word and the operating
data are shown beside it and never change it; where the station's word is against the data, the row says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from app.domain.inspections.model import Inspection, Mark, Rectification, RectificationState, Result, Row, Source
from app.domain.stations import WITHOUT_VERDICT, Assessment, Verdict

FULL_POINTS = 100_00  # hundredths of a point


def result_of(
    inspection: Inspection, derived: Assessment, marks: Sequence[Mark], rectifications: Sequence[Rectification]
) -> Result:
    """A station's result, without its rank."""
    closed = {one.criterion for one in rectifications if one.state is RectificationState.CLOSED}
    said = {(mark.source, mark.criterion): mark.met for mark in marks}
    rows = tuple(_row(verdict, said, closed) for verdict in derived.criteria)
    return Result(
        station_id=inspection.station_id,
        area_code=inspection.area_code,
        station_name=inspection.station_name,
        passed=_passed(rows),
        score_points=_score(rows),
        rank=None,
        rows=rows,
    )


def _row(verdict: Verdict, said: dict[tuple[Source, str], bool], closed: set[str]) -> Row:
    criterion = verdict.criterion
    own = said.get((Source.SELF, criterion.code))
    return Row(
        criterion=criterion.code,
        name=criterion.name,
        dimension=criterion.dimension,
        mandatory=criterion.mandatory,
        weight=criterion.weight,
        derived=verdict.met,
        derived_reason=verdict.reason,
        measured=verdict.measured,
        required=verdict.required,
        self_met=own,
        found=said.get((Source.FOUND, criterion.code)),
        rectified=criterion.code in closed,
        disagrees=own is not None and verdict.met is not None and own != verdict.met,
        unit=verdict.unit,
    )


def to_be_found(derived: Assessment) -> list[Verdict]:
    """The criteria that inspectors have to decide: all for which the standard has a rule here, and of which there was a case."""
    return [verdict for verdict in derived.criteria if verdict.reason not in WITHOUT_VERDICT]


def unmarked(derived: Assessment, marks: Iterable[Mark]) -> list[str]:
    """Names of the criteria without a finding."""
    found = {mark.criterion for mark in marks if mark.source is Source.FOUND}
    return [verdict.criterion.name for verdict in to_be_found(derived) if verdict.criterion.code not in found]


def final(row: Row) -> bool | None:
    """Whether the criterion counts as met; None when nobody decided it."""
    return True if row.rectified else row.found


def _judged(rows: Iterable[Row]) -> list[Row]:
    """What the standard asks here; and what was found, whatever has been entered since."""
    return [row for row in rows if row.derived_reason not in WITHOUT_VERDICT or row.found is not None]


def _passed(rows: Sequence[Row]) -> bool | None:
    """Only when every mandatory criterion is met; a failed one decides whatever else is open."""
    verdicts = [final(row) for row in _judged(rows) if row.mandatory]
    if False in verdicts:
        return False
    return None if None in verdicts else True


def _score(rows: Sequence[Row]) -> int | None:
    """Weights of what is met among the weights of what the standard asks here, in hundredths of a point, truncated."""
    judged = _judged(rows)
    total = sum(row.weight for row in judged)
    if not total or any(final(row) is None for row in judged):
        return None
    return FULL_POINTS * sum(row.weight for row in judged if final(row)) // total


def ranked(results: Iterable[Result]) -> tuple[Result, ...]:
    """Those that passed first, then by score; equals share a rank and the next one counts them all (1, 1, 3).

    Those that aren't decided come last, without a rank.
    """

    def key(result: Result) -> tuple[bool, int]:
        return (result.passed is not True, -(result.score_points or 0))

    everyone = sorted(results, key=lambda result: (*key(result), result.area_code))
    decided = [one for one in everyone if one.passed is not None and one.score_points is not None]
    first_with: dict[tuple[bool, int], int] = {}
    for place, result in enumerate(decided, start=1):
        first_with.setdefault(key(result), place)
    places = [replace(result, rank=first_with[key(result)]) for result in decided]
    return (*places, *(one for one in everyone if one not in decided))
