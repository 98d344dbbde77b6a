"""From verdicts to a score, a ranking and what follows from it. Pure: nothing here is stored, published or undone.

验收合格的街办区政府将通报表扬, 不合格的将通报批评并在年终目标考评中酌情扣分 (区对基层民政组织意见 三（三）): how many points is a
local decision, so it stands in a dated table.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction

from app.domain.errors import Conflict
from app.domain.stations.model import Assessment, Dimension, Grade, Undecided, Verdict
from app.domain.stations.readings import HUNDRED, shown_number

# --- the score -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Score:
    """Weights of the criteria for which the standard has a rule: met, not known yet, and all of them."""

    earned: int
    unknown: int
    total: int

    @property
    def points(self) -> Fraction | None:
        """Of a hundred, exactly; None where the standard has no rule at all."""
        return Fraction(HUNDRED * self.earned, self.total) if self.total else None

    @property
    def points_at_best(self) -> Fraction | None:
        """If everything that isn't known yet turned out well."""
        return Fraction(HUNDRED * (self.earned + self.unknown), self.total) if self.total else None

    @property
    def shown(self) -> str | None:
        """Truncated to two places, never rounded up."""
        points = self.points
        return None if points is None else shown_number(points)


def score_of(assessment: Assessment) -> Score:
    """The whole score: what isn't known earns nothing and is counted."""
    return _score(assessment.criteria)


def scores_by_dimension(assessment: Assessment) -> dict[Dimension, Score]:
    """One score for each dimension that the standard speaks about."""
    dimensions = {verdict.criterion.dimension for verdict in assessment.criteria}
    return {
        dimension: _score(verdict for verdict in assessment.criteria if verdict.criterion.dimension is dimension)
        for dimension in Dimension
        if dimension in dimensions
    }


def _score(verdicts: Iterable[Verdict]) -> Score:
    counted = [verdict for verdict in verdicts if verdict.reason is not Undecided.NOT_DEFINED]
    return Score(
        earned=sum(verdict.criterion.weight for verdict in counted if verdict.met is True),
        unknown=sum(verdict.criterion.weight for verdict in counted if verdict.met is None),
        total=sum(verdict.criterion.weight for verdict in counted),
    )


# --- the ranking -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Standing:
    """How a station came out: what a ranking needs of an assessment."""

    station: str
    grade: Grade
    points: Fraction

    @classmethod
    def of(cls, station: str, assessment: Assessment) -> Standing:
        return cls(station, assessment.grade, score_of(assessment).points or Fraction(0))


@dataclass(frozen=True, slots=True)
class Place:
    """A station's place. ``rank`` None: not graded yet, so not ranked; ``shared``: somebody else has the same rank."""

    station: str
    rank: int | None
    shared: bool
    grade: Grade
    points: Fraction


def ranking(standings: Sequence[Standing]) -> tuple[Place, ...]:
    """Qualified before unqualified, then by points; equals share a rank and the next rank is skipped (1, 2, 2, 4).

    Those with an open grade stand at the end without a rank. Among equals the order is that of the stations' names.
    """
    graded = sorted((each for each in standings if each.grade is not Grade.UNDETERMINED), key=_order)
    open_grades = sorted((each for each in standings if each.grade is Grade.UNDETERMINED), key=lambda each: each.station)
    keys = [_merit(each) for each in graded]
    ranked = [
        Place(each.station, keys.index(key) + 1, keys.count(key) > 1, each.grade, each.points)
        for each, key in zip(graded, keys, strict=True)
    ]
    return (*ranked, *(Place(each.station, None, False, each.grade, each.points) for each in open_grades))


def _merit(standing: Standing) -> tuple[bool, Fraction]:
    return standing.grade is not Grade.QUALIFIED, -standing.points


def _order(standing: Standing) -> tuple[bool, Fraction, str]:
    return (*_merit(standing), standing.station)


# --- what follows ----------------------------------------------------------------------------------------------------------


class Announcement(StrEnum):
    PRAISE = "public_praise"
    CRITICISM = "public_criticism"


@dataclass(frozen=True, slots=True)
class ConsequenceRule:
    """One row of the dated table: for a grade, what is announced and how many points the year-end target loses.

    ``points_off`` once, ``points_off_each`` for every failed mandatory criterion, together at most ``points_off_most``.
    """

    grade: Grade
    announcement: Announcement
    valid_from: date
    valid_until: date | None
    source: str
    points_off: Decimal = Decimal(0)
    points_off_each: Decimal = Decimal(0)
    points_off_most: Decimal | None = None

    def in_force_on(self, day: date) -> bool:
        return self.valid_from <= day and (self.valid_until is None or day < self.valid_until)


@dataclass(frozen=True, slots=True)
class Consequence:
    """What follows for one station."""

    announcement: Announcement
    points_off: Decimal
    failed: tuple[str, ...]
    source: str


class NoConsequencesInForce(Conflict):
    """The table has no row for the grade on the day (409): nothing is announced or taken off by guess."""


def consequence_of(assessment: Assessment, table: Sequence[ConsequenceRule], on: date) -> Consequence | None:
    """What follows from an assessment on the day it is published; None as long as its grade is open.

    Raises:
        NoConsequencesInForce: the table has no row in force.

    """
    if assessment.grade is Grade.UNDETERMINED:
        return None
    rule = next((rule for rule in table if rule.grade is assessment.grade and rule.in_force_on(on)), None)
    if rule is None:
        detail = f"{on} 没有生效的验收结果运用规定（表扬、批评和扣分），请先装载后再公布。"
        raise NoConsequencesInForce("no_consequences_in_force", detail)
    failed = tuple(v.criterion.code for v in assessment.criteria if v.criterion.mandatory and v.met is False)
    return Consequence(rule.announcement, _points_off(rule, len(failed)), failed, rule.source)


def _points_off(rule: ConsequenceRule, failed: int) -> Decimal:
    points = rule.points_off + rule.points_off_each * failed
    return points if rule.points_off_most is None else min(points, rule.points_off_most)
