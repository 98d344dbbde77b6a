"""Standards and answers: what is asked of a station, and how it stands. A standard is data, read by ``standard_document``.

A standard has versions, each in force for a half-open period; a version has criteria, each with the sentence of the document it
comes from. Standards of different places are never merged: each number keeps its own source.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from types import MappingProxyType

from app.domain.errors import Conflict, NotFound


class Dimension(StrEnum):
    """The six aspects of the acceptance (区对基层民政组织意见 三（三）)."""

    PREMISES = "premises"
    STAFF = "staff"
    FACILITIES = "facilities"
    RULES = "rules"
    ARCHIVES = "archives"
    TEAM = "team"


class Comparator(StrEnum):
    AT_LEAST = "at_least"
    AT_MOST = "at_most"
    WITHIN = "within"
    IS_TRUE = "is_true"
    INCLUDES = "includes"


class Grade(StrEnum):
    QUALIFIED = "qualified"
    UNQUALIFIED = "unqualified"
    UNDETERMINED = "undetermined"


@dataclass(frozen=True, slots=True)
class Limit:
    """What is required: of everybody, or of one band (``band_from`` inclusive, ``band_until`` exclusive) or kind.

    ``assumption`` says what was decided where the source leaves it open.
    """

    lower: int | None = None
    upper: int | None = None
    codes: frozenset[str] = frozenset()
    band_from: int | None = None
    band_until: int | None = None
    kind: str | None = None
    assumption: str | None = None


@dataclass(frozen=True, slots=True)
class Criterion:
    """One thing that a standard asks for. ``limit_by`` names the fact that chooses among the limits; None: the only one holds."""

    code: str
    name: str
    dimension: Dimension
    measure: str
    comparator: Comparator
    limits: tuple[Limit, ...]
    article: str
    sentence: str
    evidence: tuple[str, ...]
    weight: int
    mandatory: bool
    valid_from: date
    valid_until: date | None = None
    limit_by: str | None = None
    arguments: Mapping[str, bool] = field(default_factory=lambda: MappingProxyType({}))

    def in_force_on(self, day: date) -> bool:
        return self.valid_from <= day and (self.valid_until is None or day < self.valid_until)


@dataclass(frozen=True, slots=True)
class StandardVersion:
    """A standard as it is in force for a while. ``version`` names its content too: other content is another version."""

    version: str
    source: str
    valid_from: date
    valid_until: date | None
    criteria: tuple[Criterion, ...]

    def in_force_on(self, day: date) -> bool:
        return self.valid_from <= day and (self.valid_until is None or day < self.valid_until)

    def criteria_on(self, day: date) -> tuple[Criterion, ...]:
        return tuple(criterion for criterion in self.criteria if criterion.in_force_on(day))


class NoStandardInForce(Conflict):
    """The standard has no version in force on the day (409)."""


@dataclass(frozen=True, slots=True)
class Standard:
    """A standard with all its versions, oldest first, never overlapping."""

    code: str
    name: str
    description: str
    versions: tuple[StandardVersion, ...]

    def on(self, day: date) -> StandardVersion:
        """The version in force on a day.

        Raises:
            NoStandardInForce: there is none; never a fallback to another day's.

        """
        for version in self.versions:
            if version.in_force_on(day):
                return version
        periods = "；".join(_period(version) for version in self.versions)
        detail = f"标准“{self.name}”在 {day} 没有生效的版本（现有：{periods}），请核对评估日期。"
        raise NoStandardInForce("no_standard_in_force", detail)


def _period(version: StandardVersion) -> str:
    return f"{version.valid_from} 起" + (f"至 {version.valid_until} 前" if version.valid_until else "")


@dataclass(frozen=True, slots=True)
class Standards:
    """All standards that are known."""

    by_code: Mapping[str, Standard]

    @property
    def codes(self) -> tuple[str, ...]:
        return tuple(self.by_code)

    def get(self, code: str) -> Standard:
        """Raises ``NotFound`` for a code that isn't there."""
        if code not in self.by_code:
            known = "、".join(self.by_code)
            raise NotFound("standard_not_found", f"没有标准“{code[:50]}”，可用：{known}。")
        return self.by_code[code]


# --- the answer ------------------------------------------------------------------------------------------------------------


class Undecided(StrEnum):
    """Why a criterion or a dimension is neither met nor failed."""

    FACT_MISSING = "fact_missing"
    NOT_DEFINED = "not_defined"
    NOTHING_TO_MEASURE = "nothing_to_measure"
    NO_DATA = "no_data"  # nobody keeps what is asked for: open, and left out of the points
    NO_CASES = "no_cases"  # nothing of the kind was to be handled: neither open nor counted
    NOTHING_MANDATORY = "nothing_mandatory"  # of a dimension: it has scored criteria only, and decides nothing


#: Reasons for which a criterion has no say in the grade, and those for which it has none in the points.
WITHOUT_VERDICT = frozenset({Undecided.NOT_DEFINED, Undecided.NO_CASES})
WITHOUT_POINTS = WITHOUT_VERDICT | {Undecided.NO_DATA}


class Caution(StrEnum):
    """Met, and yet to be looked at."""

    ABOVE_UPPER_END = "above_upper_end"


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a station stands on one criterion.

    ``measured`` and ``required`` are texts in ``unit`` (whole numbers, others truncated to two places); ``lacking`` names the
    codes or communities that are short; ``missing`` points at the facts that would decide.
    """

    criterion: Criterion
    met: bool | None
    measured: str | None
    required: str | None
    unit: str | None
    reason: Undecided | None = None
    warning: Caution | None = None
    lacking: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    assumption: str | None = None


@dataclass(frozen=True, slots=True)
class DimensionVerdict:
    """A dimension by its mandatory criteria; the counts are of all its criteria."""

    dimension: Dimension
    met: bool | None
    reason: Undecided | None
    criteria_total: int
    criteria_met: int
    criteria_failed: int


@dataclass(frozen=True, slots=True)
class Assessment:
    """How a station stands on a standard on a day."""

    standard: str
    version: str
    as_of: date
    criteria: tuple[Verdict, ...]
    dimensions: tuple[DimensionVerdict, ...]
    grade: Grade

    def of(self, code: str) -> Verdict:
        """The verdict on a criterion.

        Raises:
            KeyError: the version has no such criterion.

        """
        for verdict in self.criteria:
            if verdict.criterion.code == code:
                return verdict
        raise KeyError(code)
