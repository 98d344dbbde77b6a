"""Whether somebody with a legal duty of support is able to give it (民发〔2021〕43号 第八条)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from app.domain.eligibility.assets import assets_comply
from app.domain.eligibility.case import Case
from app.domain.eligibility.facts import Absence, Disability, Member, Obligor, Relation
from app.domain.eligibility.household import ADULT_AGE
from app.domain.eligibility.income import IncomeAccount, dibao_items
from app.domain.eligibility.periods import age_on
from app.domain.eligibility.ruling import all_of, any_of

ELDERLY_ON_DIBAO = 60
ELDERLY_WITH_LITTLE = 70

# Relation to the head, pairwise: who in the household owes whom support (spouses; parents and children both ways).
_DUTIES = frozenset(
    {
        frozenset({Relation.HEAD, Relation.SPOUSE}),
        frozenset({Relation.HEAD, Relation.CHILD}),
        frozenset({Relation.SPOUSE, Relation.CHILD}),
        frozenset({Relation.HEAD, Relation.PARENT}),
        frozenset({Relation.PARENT}),
        frozenset({Relation.GRANDPARENT}),
        frozenset({Relation.PARENT, Relation.GRANDPARENT}),
        frozenset({Relation.CHILD, Relation.GRANDCHILD}),
    }
)


@dataclass(frozen=True, slots=True)
class Standing:
    """What article 8 looks at. None = unknown."""

    age: int | None
    programme: str | None
    annual_income_fen: int | None
    assets_comply: bool | None
    disability: Disability | None
    absence: Absence | None
    civil_incapacity: bool = False


def is_incapable(standing: Standing, disposable_fen: Callable[[], int]) -> bool | None:
    """Any one item of article 8 makes an obligor incapable; None where the missing facts decide it.

    ``disposable_fen`` (last year's disposable income per head) is asked for only when an item hangs on it.
    """
    if standing.programme == "tekun":
        return True
    old_on_dibao = standing.programme == "dibao" and _at_least(standing.age, ELDERLY_ON_DIBAO)
    lost = standing.civil_incapacity or standing.absence in (Absence.MISSING, Absence.IMPRISONED)
    disabled = standing.disability is not None and standing.disability.severe_or_grade_3_intellectual_mental
    weak = any_of(_at_least(standing.age, ELDERLY_WITH_LITTLE), disabled)
    poor = _poor(standing, disposable_fen) if weak is not False else False
    return any_of(old_on_dibao, all_of(weak, poor), all_of(lost, standing.assets_comply))


def _poor(standing: Standing, disposable_fen: Callable[[], int]) -> bool | None:
    income = standing.annual_income_fen
    return all_of(None if income is None else income < disposable_fen(), standing.assets_comply)


def _at_least(age: int | None, years: int) -> bool | None:
    return None if age is None else age >= years


def standing_of_obligor(obligor: Obligor, on: date) -> Standing:
    return Standing(
        age=None if obligor.birth_date is None else age_on(obligor.birth_date, on),
        programme=obligor.programme,
        annual_income_fen=obligor.annual_income_fen,
        assets_comply=obligor.assets_comply,
        disability=obligor.disability,
        absence=obligor.absence,
        civil_incapacity=obligor.civil_incapacity,
    )


def standing_of_member(case: Case, member: Member) -> Standing:
    """The same of somebody who lives in the household: his own income, the household's assets."""
    account = IncomeAccount(dibao_items(case.policy, [member]))
    return Standing(
        age=case.age(member),
        programme=_programme_of(case, member),
        annual_income_fen=int(account.total * 12),
        assets_comply=assets_comply(case.household.assets, case.asset_line("tekun")),
        disability=member.disability,
        absence=member.absence,
    )


def _programme_of(case: Case, member: Member) -> str | None:
    """Drawn already: an answer of this request would make the two wait for each other."""
    current = case.context.current_entitlement
    for code in ("tekun", "dibao"):
        if case.held(code, member.ref) is not None or (current is not None and current.programme == code):
            return code
    return None


def obligors_at_home(case: Case, person: Member) -> tuple[Member, ...]:
    """Adult members of the household who owe this member support."""
    return tuple(
        member
        for member in case.household.members
        if member is not person and case.age(member) >= ADULT_AGE and frozenset({member.relation, person.relation}) in _DUTIES
    )
