"""The rules of a year's assessment (考核细则): indicators, weights, bonuses and deductions. Data in versions, never constants.

S002 L32: the bureau lays them down at the beginning of the year; S003 L255-L301 gives the parts that a year's result is made of.
Points are hundredths of a point (10000 = 100 分), values of indicators hundredths of their unit, weights whole numbers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

FULL_POINTS = 100_00
WHOLE_WEIGHT = 100


class Part(StrEnum):
    """What the total is made of (S003 L275-L279, L293-L301)."""

    SELF_REVIEW = "self_review"  # 自评
    LEADER = "leader"  # 主要领导评分
    SURVEY = "survey"  # 社会公认度
    INDICATORS = "indicators"  # 指标完成情况


class Round(StrEnum):
    """The assessment in the middle of the year and the one at its end."""

    MID_YEAR = "mid_year"
    YEAR_END = "year_end"


class Line(StrEnum):
    """共性指标 are the same for everybody, 业务指标 belong to a line of business (S003 L287)."""

    COMMON = "common"
    BUSINESS = "business"


class Direction(StrEnum):
    """Whether more is better, or less."""

    HIGHER = "higher"
    LOWER = "lower"


class Kind(StrEnum):
    """What an entry beside the weighted parts does (奖扣分, 一票否决)."""

    BONUS = "bonus"
    DEDUCTION = "deduction"
    VETO = "veto"


@dataclass(frozen=True, slots=True)
class Indicator:
    """One indicator. ``target``: the year's default, None where each station has its own; ``measure``: taken from the operating
    data, nobody reports it.
    """

    code: str
    name: str
    line: Line
    business: str | None  # the line of business
    unit: str
    direction: Direction
    weight: int
    target: int | None
    measure: str | None
    source: str


@dataclass(frozen=True, slots=True)
class AdjustmentRule:
    """A bonus, a deduction or a veto. ``most``: of one entry; ``cap``: of a year; ``measure``: entered by the system itself."""

    code: str
    kind: Kind
    name: str
    most: int
    cap: int
    measure: str | None
    source: str


@dataclass(frozen=True, slots=True)
class GradeStep:
    """From so many hundredths of a point on."""

    grade: str
    name: str
    at_least: int


@dataclass(frozen=True, slots=True)
class PersonnelRule:
    """How a person's year is put together (一月一例会、一季一检查, S002 L32). Weights of the two kinds of record."""

    meeting_weight: int
    check_weight: int
    excellent_from: int
    qualified_from: int
    source: str


@dataclass(frozen=True, slots=True)
class Scheme:
    """One version of the rules. ``weights``: part and round → per cent; together 100."""

    code: str
    version: str
    title: str
    source: str
    from_year: int
    weights: Mapping[tuple[Part, Round], int]
    indicators: tuple[Indicator, ...]
    rules: tuple[AdjustmentRule, ...]
    bonus_cap: int
    deduction_cap: int
    survey_least_sample: int
    grades: tuple[GradeStep, ...]  # the best first; the last one from 0 on
    personnel: PersonnelRule
    document: Mapping[str, Any]  # as it was written down, to be frozen with the result

    def indicator(self, code: str) -> Indicator | None:
        return next((one for one in self.indicators if one.code == code), None)

    def rule(self, kind: Kind, code: str) -> AdjustmentRule | None:
        return next((one for one in self.rules if (one.kind, one.code) == (kind, code)), None)

    @property
    def measures(self) -> frozenset[str]:
        """What has to be taken from the operating data."""
        named = [one.measure for one in self.indicators] + [one.measure for one in self.rules]
        return frozenset(measure for measure in named if measure is not None)

    def weight(self, part: Part, round_: Round) -> int:
        return self.weights.get((part, round_), 0)

    def grade_of(self, points: int) -> GradeStep:
        return next(step for step in self.grades if points >= step.at_least)

    @property
    def lowest_grade(self) -> GradeStep:
        return self.grades[-1]


@dataclass(frozen=True, slots=True)
class Shelf:
    """All versions of the schemes that a district may choose from."""

    schemes: Sequence[Scheme]

    def codes(self) -> list[str]:
        return sorted({one.code for one in self.schemes})

    def versions(self, code: str) -> list[Scheme]:
        """The oldest first."""
        return sorted((one for one in self.schemes if one.code == code), key=lambda one: (one.from_year, one.version))

    def find(self, code: str, version: str | None, year: int) -> Scheme | None:
        """The version named; without a name the latest one for the year."""
        fitting = [one for one in self.versions(code) if one.from_year <= year and version in (None, one.version)]
        return fitting[-1] if fitting else None
