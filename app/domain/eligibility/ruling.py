"""The sheet on which a programme's rule writes while it computes: reasons, steps, components, missing facts.

There is no second path that explains afterwards: what stands in the trace is what was computed.
"""

from __future__ import annotations

from datetime import date

from app.domain.eligibility.law import cite
from app.domain.eligibility.model import Authority, Component, Missing, Outcome, ProgrammeResult, Reason, Step
from app.domain.money import Exact


def all_of(*conditions: bool | None) -> bool | None:
    """Three-valued "and": False beats unknown, unknown beats True."""
    if False in conditions:
        return False
    return None if None in conditions else True


def any_of(*conditions: bool | None) -> bool | None:
    """Three-valued "or": True beats unknown, unknown beats False."""
    if True in conditions:
        return True
    return None if None in conditions else False


def recorded(value: Exact | str | bool | None) -> int | str | bool | None:
    """A traced value: whole numbers as integers, others as an exact fraction in text."""
    if value is None or isinstance(value, (int, str)):
        return value
    return value.numerator if value.denominator == 1 else f"{value.numerator}/{value.denominator}"


class Ruling:
    """Collects one result row. ``member`` None = the household."""

    def __init__(self, programme: str, on: date, member: str | None = None, authority: str = Authority.CIVIL_AFFAIRS) -> None:
        self.programme = programme
        self.on = on
        self.member = member
        self.authority = authority
        self._conditions: list[bool | None] = []
        self._reasons: list[Reason] = []
        self._steps: list[Step] = []
        self._components: list[Component] = []
        self._missing: list[Missing] = []

    def require(
        self, code: str, met: bool | None, topic: str, *, measured: str | None = None, limit: str | None = None
    ) -> bool | None:
        """A condition of the programme: one that fails refuses it, one that is unknown asks for evidence."""
        self._conditions.append(met)
        return self.remark(code, met, topic, measured=measured, limit=limit)

    def remark(
        self, code: str, met: bool | None, topic: str, *, measured: str | None = None, limit: str | None = None
    ) -> bool | None:
        """A rule that was checked without deciding the outcome by itself."""
        self._reasons.append(Reason(code, cite(topic, self.on), met, measured, limit))
        return met

    def note(self, step: str, value: Exact | str | bool | None, topic: str, because: str, member: str | None = None) -> None:
        self._steps.append(Step(step, recorded(value), cite(topic, self.on), because, member))

    def add(self, kind: str, amount_fen: int, member: str | None = None) -> None:
        """A component of the amount."""
        self._components.append(Component(kind, amount_fen, member))

    def lack(self, pointer: str, message: str) -> None:
        """A fact that the answer may hang on is not known."""
        if not any(missing.pointer == pointer for missing in self._missing):
            self._missing.append(Missing(pointer, message))

    @property
    def standing(self) -> Outcome:
        """What the conditions say so far."""
        match all_of(*self._conditions):
            case True:
                return Outcome.ELIGIBLE
            case False:
                return Outcome.INELIGIBLE
            case _:
                return Outcome.NEEDS_EVIDENCE

    @property
    def total_fen(self) -> int:
        return sum(component.amount_fen for component in self._components)

    def answer(
        self,
        outcome: Outcome,
        *,
        monthly_fen: int | None = None,
        one_off_fen: int | None = None,
        starts_month: str | None = None,
        ends_month: str | None = None,
        next_review_on: date | None = None,
        valid_until: date | None = None,
    ) -> ProgrammeResult:
        """The finished row; missing facts are listed only where the answer hangs on them."""
        return ProgrammeResult(
            programme=self.programme,
            outcome=outcome,
            member=self.member,
            authority=self.authority,
            monthly_fen=monthly_fen,
            one_off_fen=one_off_fen,
            components=tuple(self._components),
            starts_month=starts_month,
            ends_month=ends_month,
            next_review_on=next_review_on,
            valid_until=valid_until,
            reasons=tuple(self._reasons),
            missing=tuple(self._missing) if outcome is Outcome.NEEDS_EVIDENCE else (),
            trace=tuple(self._steps),
        )
