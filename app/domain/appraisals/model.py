"""The year-end assessment of stations (年终考核): the year, each station in it, and what was entered. Frozen records.

Entries are never changed: a later word on the same thing counts instead of the earlier one, which stays on file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from uuid import UUID

from app.domain.access import Signature
from app.domain.appraisals.scheme import Kind, Part, Round, Scheme


class Phase(StrEnum):
    """The five phases of S003 L255-L301, one step at a time; then published for good. Any of the five can be cancelled."""

    PREPARATION = "preparation"  # 准备启动
    OPERATION = "operation"  # 工作运行
    MID_YEAR = "mid_year"  # 年中测评
    REPORTING = "reporting"  # 信息上报
    REVIEW = "review"  # 年度工作评议
    PUBLISHED = "published"
    CANCELLED = "cancelled"


FIVE = (Phase.PREPARATION, Phase.OPERATION, Phase.MID_YEAR, Phase.REPORTING, Phase.REVIEW)


@dataclass(frozen=True, slots=True)
class Span:
    """The days of a phase, both included."""

    first: date
    last: date


Schedule = Mapping[Phase, Span]


@dataclass(frozen=True, slots=True)
class Appraisal:
    """One year of a district. The scheme is copied into it when it is opened: no later version reaches it."""

    id: UUID
    area_code: str
    year: int
    title: str
    scheme: Scheme
    scheme_digest: str
    schedule: Schedule
    phase: Phase
    opened: Signature
    published: Signature | None
    version: int


@dataclass(frozen=True, slots=True)
class StationYear:
    """One station in a year, with what it needs of the district's appraisal, which it doesn't see."""

    id: UUID
    appraisal_id: UUID
    station_id: UUID
    area_code: str
    station_name: str
    year: int
    title: str
    scheme: Scheme
    schedule: Schedule
    phase: Phase
    version: int


@dataclass(frozen=True, slots=True)
class Target:
    """What a station is to reach; None: the indicator isn't asked of it, for the reason in ``note``."""

    indicator: str
    target: int | None
    note: str | None
    owner: str | None  # 责任人 (S003 L263)
    signature: Signature


@dataclass(frozen=True, slots=True)
class Report:
    """What a station says it has reached. ``actual`` None: not handed in until the last day, entered by the district."""

    indicator: str
    round: Round
    actual: int | None
    note: str | None
    next_step: str | None  # 下一步打算, for what wasn't reached (S003 L277)
    evidence: tuple[UUID, ...]
    signature: Signature


@dataclass(frozen=True, slots=True)
class Score:
    """自评, 主要领导评分 or 社会公认度. A survey brings its sample and who was satisfied, and its points follow from them."""

    part: Part
    round: Round
    points: int
    note: str | None
    sample_size: int | None
    satisfied: int | None
    conducted_by: str | None
    evidence: tuple[UUID, ...]
    signature: Signature


@dataclass(frozen=True, slots=True)
class Adjustment:
    """A bonus, a deduction or a veto with its reason; ``withdrawn`` takes it back and leaves it on file."""

    id: UUID
    kind: Kind
    code: str
    points: int
    reason: str
    evidence: tuple[UUID, ...]
    signature: Signature
    withdrawn: Signature | None = None
    withdrawn_reason: str | None = None


@dataclass(frozen=True, slots=True)
class Measured:
    """A value from the operating data, hundredths of its unit, and what it was counted from."""

    value: int
    source: str


@dataclass(frozen=True, slots=True)
class Inputs:
    """Everything that a station's result is computed from: the latest word on each thing."""

    targets: Mapping[str, Target]
    reports: Mapping[tuple[Round, str], Report]
    scores: Mapping[tuple[Part, Round], Score]
    adjustments: tuple[Adjustment, ...]
    measured: Mapping[str, Measured]
