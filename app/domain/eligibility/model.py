"""The answer: frozen, with every reason and every step, independent of any storage or wire format."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from app.domain.eligibility.parameters import ParameterRow


class Outcome(StrEnum):
    ELIGIBLE = "eligible"
    INELIGIBLE = "ineligible"
    NEEDS_EVIDENCE = "needs_evidence"
    GRADUAL_EXIT = "gradual_exit"
    URGENT_FIRST = "urgent_first"
    ESCALATE = "escalate"
    SUSPENDED = "suspended"
    NOT_APPLICABLE = "not_applicable"

    @property
    def grants(self) -> bool:
        """Whether somebody with this answer receives the programme. In gradual exit a household still holds dibao."""
        return self in (Outcome.ELIGIBLE, Outcome.GRADUAL_EXIT, Outcome.URGENT_FIRST)

    @property
    def keeps(self) -> bool:
        """Whether somebody with this answer stands in the programme: paused is not out."""
        return self.grants or self is Outcome.SUSPENDED


class Authority(StrEnum):
    """The responsible bureau (主管部门)."""

    CIVIL_AFFAIRS = "民政"
    HEALTH_SECURITY = "医保"
    EMERGENCY = "应急管理"
    VETERANS = "退役军人事务"


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the computation as it happened. Amounts are in fen, inexact ones as a fraction in text."""

    step: str
    value: int | str | bool | None
    article: str
    because: str
    member: str | None = None


@dataclass(frozen=True, slots=True)
class Reason:
    """One rule that was checked. ``met`` None: can't be told without further evidence.

    ``measured`` and ``limit`` are decimal yuan (or counts, days), truncated to four places; the comparison was exact.
    """

    code: str
    article: str
    met: bool | None
    measured: str | None = None
    limit: str | None = None


@dataclass(frozen=True, slots=True)
class Component:
    """A part of the amount, of the household (``member`` None) or of one member."""

    kind: str
    amount_fen: int
    member: str | None = None


@dataclass(frozen=True, slots=True)
class Missing:
    """A fact that is needed and not known: where it belongs in the question, and what to bring."""

    pointer: str
    message: str


@dataclass(frozen=True, slots=True)
class ProgrammeResult:
    programme: str
    outcome: Outcome
    member: str | None = None
    authority: str = Authority.CIVIL_AFFAIRS
    monthly_fen: int | None = None
    one_off_fen: int | None = None
    components: tuple[Component, ...] = ()
    starts_month: str | None = None
    ends_month: str | None = None
    next_review_on: date | None = None
    valid_until: date | None = None
    reasons: tuple[Reason, ...] = ()
    missing: tuple[Missing, ...] = ()
    trace: tuple[Step, ...] = ()


@dataclass(frozen=True, slots=True)
class Assessment:
    """All answers to one question, with what they were computed from.

    ``parameters_used`` are the exact rows a decision cites; ``notice`` is 演示参数 where the area's parameters are test values.
    """

    policy_version: str
    results: tuple[ProgrammeResult, ...]
    parameters_used: tuple[ParameterRow, ...]
    engine_version: str
    notice: str | None = None

    def of(self, programme: str, member: str | None = None) -> ProgrammeResult:
        """The result row of a programme (and member).

        Raises:
            KeyError: the assessment has no such row.

        """
        for result in self.results:
            if result.programme == programme and result.member == member:
                return result
        raise KeyError((programme, member))
