"""One question under one policy, with everything that several programmes read computed once."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cached_property

from app.domain.eligibility.assets import AssetLine, asset_line
from app.domain.eligibility.facts import AssessmentQuestion, Context, Holding, Household, Member, Residence
from app.domain.eligibility.household import Membership, membership
from app.domain.eligibility.income import IncomeAccount, dibao_items
from app.domain.eligibility.model import Outcome, ProgrammeResult
from app.domain.eligibility.obligations import imputed_items, support_items
from app.domain.eligibility.parameters import Policy
from app.domain.eligibility.periods import age_on

Answers = tuple[ProgrammeResult, ...]


class Case:
    """What a programme's rule is given. ``answers_to`` hands out the rows of another programme (asked for, or by the facts)."""

    def __init__(self, question: AssessmentQuestion, policy: Policy, look: Callable[[str], Answers]) -> None:
        self.question = question
        self.policy = policy
        self.on = question.business_date
        self._look = look
        self._answered: dict[str, Answers] = {}
        self._by_facts: dict[str, Answers] = {}

    # --- the question -------------------------------------------------------------------------------------------------------

    @property
    def household(self) -> Household:
        return self.question.household

    @property
    def context(self) -> Context:
        return self.question.context

    @cached_property
    def ages(self) -> dict[str, int]:
        """Completed years by member ref."""
        leap_day_on = self.policy.find("person.leap_day_birthday") or "02-28"
        return {member.ref: age_on(member.birth_date, self.on, leap_day_on) for member in self.household.members}

    def age(self, member: Member) -> int:
        return self.ages[member.ref]

    @cached_property
    def membership(self) -> Membership:
        return membership(self.household.members, self.ages)

    @property
    def counted(self) -> tuple[Member, ...]:
        return self.membership.counted

    @property
    def size(self) -> int:
        return self.membership.size

    @cached_property
    def standard_fen(self) -> int:
        """The dibao standard of the household's residence, per person and month."""
        kind = "urban" if self.question.residence is Residence.URBAN else "rural"
        return self.policy.money(f"dibao.standard.{kind}")

    @cached_property
    def income(self) -> IncomeAccount:
        """The counted members' income by the dibao rule, less the deductible hardship expense."""
        items = dibao_items(self.policy, self.counted)
        items += imputed_items(self.policy, self.counted, self.ages, self.context.overrides)
        items += support_items(self.policy, self.standard_fen_or_zero, self.context.obligors or (), self.context.overrides)
        return IncomeAccount(items, self.household.deductible_monthly_fen)

    @property
    def standard_fen_or_zero(self) -> int:
        """The standard where a support formula needs it; the lookup is spared where the area has no such formula."""
        return self.standard_fen if self.policy.find("dibao.support_payment") is not None else 0

    def asset_line(self, programme: str) -> AssetLine:
        return asset_line(self.policy, programme, self.standard_fen, max(1, self.size))

    # --- what is drawn already or granted in the same request ---------------------------------------------------------------

    def record(self, programme: str, answers: Answers) -> None:
        self._answered[programme] = answers

    def answered(self, programme: str) -> Answers:
        """The rows of a programme of this request; empty when it wasn't asked for."""
        return self._answered.get(programme, ())

    def answers_to(self, programme: str) -> Answers:
        """The rows of an earlier programme; by the facts when the request didn't ask for it."""
        if programme in self._answered:
            return self._answered[programme]
        if programme not in self._by_facts:
            self._by_facts[programme] = self._look(programme)
        return self._by_facts[programme]

    def held(self, programme: str, member: str | None = None) -> Holding | None:
        """A holding of the programme, of one member or of anybody."""
        for holding in self.context.holds or ():
            if holding.programme == programme and member in (None, holding.member):
                return holding
        return None

    def receives(self, programme: str, member: str | None = None, *, by_facts: bool = False) -> bool | None:
        """Whether a programme is drawn already or granted in this request; None where evidence is missing.

        The request's own answer takes the place of the household's current entitlement to the same programme, which it decides
        anew. ``by_facts`` also looks at a programme that the request didn't name.
        """
        if self.held(programme, member):
            return True
        current = self.context.current_entitlement
        drawn = current is not None and current.programme == programme
        if programme in self._answered:
            return _granted(_concerning(self._answered[programme], member), drawn)
        if drawn or not by_facts:
            return drawn
        return _granted(_concerning(self.answers_to(programme), member), drawn)

    def drawn_fen(self, programme: str, member: str) -> int | None:
        """What one member draws of a programme a month: his own amount, or his share of the household's; None = not stated."""
        holding = self.held(programme, member)
        if holding:
            return holding.monthly_fen
        for result in _concerning(self._answered.get(programme, ()), member):
            if result.outcome.grants:
                return self._share(result.monthly_fen or 0, result.member, member)
        current = self.context.current_entitlement
        if current is None or current.programme != programme or programme in self._answered:
            return 0
        return None if current.monthly_fen is None else self._share(current.monthly_fen, None, member)

    def _share(self, amount_fen: int, owner: str | None, member: str) -> int:
        if owner is not None:
            return amount_fen
        counts = any(counted.ref == member for counted in self.counted)
        return amount_fen // self.size if counts else 0

    # --- concerned members --------------------------------------------------------------------------------------------------

    def concerned(self, condition: Callable[[Member], bool]) -> tuple[Member, ...]:
        """The members that a per-person programme may mean; all members when it means nobody in particular."""
        chosen = tuple(member for member in self.household.members if condition(member))
        return chosen or self.household.members

    def pointer(self, member: Member, fact: str) -> str:
        """JSON pointer of a member's fact in the question."""
        return f"/household/members/{self.household.members.index(member)}/{fact}"


def _concerning(answers: Iterable[ProgrammeResult], member: str | None) -> Answers:
    return tuple(result for result in answers if member is None or result.member in (None, member))


def _granted(answers: Answers, drawn: bool) -> bool | None:
    """What the answers say; where they say nothing yet, what is drawn stays."""
    outcomes = {result.outcome for result in answers}
    if any(outcome.keeps for outcome in outcomes):
        return True
    if Outcome.NEEDS_EVIDENCE in outcomes:
        return drawn or None
    return drawn if not answers or Outcome.NOT_APPLICABLE in outcomes else False
