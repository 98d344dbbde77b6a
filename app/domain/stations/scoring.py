"""From verdicts to points: the weights of what is met, among those of what the standard asks. Pure and exact.

How a district ranks its stations, and what follows for them, is decided on what inspectors found: ``app.domain.inspections``.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

from app.domain.stations.model import WITHOUT_POINTS, Dimension, Verdict
from app.domain.stations.readings import HUNDRED, shown_number


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


def score_of(verdicts: Iterable[Verdict]) -> Score:
    """What isn't known earns nothing and is counted: a score never looks better than what is known.

    Left out is what no station can show: no rule, no data kept by anybody, no case to handle.
    """
    counted = [verdict for verdict in verdicts if verdict.reason not in WITHOUT_POINTS]
    return Score(
        earned=sum(verdict.criterion.weight for verdict in counted if verdict.met is True),
        unknown=sum(verdict.criterion.weight for verdict in counted if verdict.met is None),
        total=sum(verdict.criterion.weight for verdict in counted),
    )


def scores_by_dimension(verdicts: Iterable[Verdict]) -> dict[Dimension, Score]:
    """One score for each dimension that the standard speaks about."""
    every = list(verdicts)
    spoken_of = {verdict.criterion.dimension for verdict in every}
    return {
        dimension: score_of(verdict for verdict in every if verdict.criterion.dimension is dimension)
        for dimension in Dimension
        if dimension in spoken_of
    }
