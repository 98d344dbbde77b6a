"""A policy compiled for the set-wise twins: dates for ages, lines and amounts as whole numbers, and tables of answers.

There is no second reading of the law here. Wherever a rule has finitely many cases, its table is filled by asking the pure
function; what is left to the twins is adding, comparing and rounding.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from functools import cache, cached_property
from math import lcm
from typing import Any

import numpy as np

from app.domain.eligibility.answering import in_force
from app.domain.eligibility.arithmetic_setwise import NotSetWise, checked_line
from app.domain.eligibility.assets import AssetLine
from app.domain.eligibility.case import Case
from app.domain.eligibility.columns_setwise import INCOME_COLUMNS, UNKNOWN, Column, code_of
from app.domain.eligibility.engine import assess
from app.domain.eligibility.facts import (
    Absence,
    AssessmentQuestion,
    Context,
    Disability,
    DisabilityCategory,
    Household,
    Income,
    IncomeKind,
    Member,
    Relation,
    Residence,
    Study,
)
from app.domain.eligibility.household import ADULT_AGE, membership
from app.domain.eligibility.income import dibao_items
from app.domain.eligibility.model import ProgrammeResult
from app.domain.eligibility.obligations import working_ages
from app.domain.eligibility.parameters import ParameterBook
from app.domain.eligibility.periods import age_on
from app.domain.eligibility.uplift import elderly_age, highest, uplift_fen
from app.domain.money import Rounding, exact

RESIDENCES = tuple(Residence)
GRADES = (1, 2, 3, 4)
OLDEST = 200
ADULT, MINOR = ADULT_AGE, ADULT_AGE - 1
DISABILITY_CODES = (len(DisabilityCategory) + 1) * 10
Probe = tuple[Disability, int]


@dataclass(frozen=True, slots=True)
class Imputed:
    """劳动力系数, scaled: what an employable member between two dates of birth is taken to earn."""

    expected: int
    born_until: int
    born_after: int


@dataclass(frozen=True, slots=True)
class Tier:
    """``income per head < line / denominator`` (scaled, by residence) pays so much a head."""

    line: Column
    denominator: int
    per_person_fen: int


class Rules:
    """One area on one day. Everything is computed when first asked for, so that only what is needed must be in force.

    Amounts per residence are arrays indexed by its code (entry 0 is unused). ``scale`` makes every counted income whole.
    """

    def __init__(self, book: ParameterBook, area_code: str, on: date) -> None:
        self.book, self.area_code, self.on = book, area_code, on
        self.policy = book.policy(area_code, on)
        self._by_disability: dict[str, Column] = {}
        self._uplifts: dict[str, Uplift | None] = {}
        if self.policy.find("dibao.support_payment") is not None:
            raise NotSetWise("赡养费推算规则（dibao.support_payment）")

    # --- asking the pure functions ------------------------------------------------------------------------------------------

    def case(self, residence: Residence) -> Case:
        """A case without particular facts, for what hangs on the policy alone."""
        return Case(_alone(self.area_code, self.on, residence, _nobody(self.on), ()), self.policy, lambda _: ())

    def ask(self, programme: str, member: Member, context: Context) -> ProgrammeResult:
        """The pure answer for one member living alone."""
        question = _alone(self.area_code, self.on, Residence.URBAN, member, (programme,), context)
        return assess(question, self.book).of(programme, member.ref)

    def in_force(self, programme: str) -> bool:
        return in_force(self.book, self.area_code, self.on, programme)

    # --- ages -------------------------------------------------------------------------------------------------------------------

    def born_until(self, age: int) -> int:
        """The last day of birth (ordinal) with which the age is completed on the day; later births are younger."""
        if age >= self.on.year:
            return 0
        leap_day_on = self.policy.find("person.leap_day_birthday") or "02-28"
        anniversary = date(self.on.year - age, self.on.month, min(self.on.day, 28))
        birth = min(anniversary + timedelta(days=4), self.on)
        while age_on(birth, self.on, leap_day_on) < age:
            birth -= timedelta(days=1)
        return birth.toordinal()

    @cached_property
    def adult_until(self) -> int:
        return self.born_until(ADULT_AGE)

    # --- incomes ------------------------------------------------------------------------------------------------------------

    @cached_property
    def income_weights(self) -> dict[str, int]:
        """Column → what counts of one fen of it, scaled."""
        return {name: int(share * self.scale) for name, share in self._shares.items() if share}

    @cached_property
    def scale(self) -> int:
        denominators = [share.denominator for share in self._shares.values()]
        return lcm(*denominators, self._expected.denominator)

    @cached_property
    def _shares(self) -> dict[str, Fraction]:
        shares: dict[str, set[Fraction]] = {name: set() for name in INCOME_COLUMNS.values()}
        for kind in IncomeKind:
            probe = Member("probe", Relation.HEAD, self.on, incomes=(Income(kind, 1),))
            (item,) = dibao_items(self.policy, [probe])
            if kind in INCOME_COLUMNS:
                shares[INCOME_COLUMNS[kind]].add(Fraction(item.counted))
            elif item.counted:
                raise NotSetWise(f"收入种类 {kind.value}")
        if any(len(found) != 1 for found in shares.values()):
            raise NotSetWise("同一栏内计入方式不同的收入")
        return {name: found.pop() for name, found in shares.items()}

    @property
    def _imputed_rule(self) -> Mapping[str, Any] | None:
        rule: Mapping[str, Any] | None = self.policy.find("dibao.imputed_income")
        return rule

    @property
    def _expected(self) -> Fraction:
        rule = self._imputed_rule
        return Fraction(0) if rule is None else int(rule["base_fen"]) * exact(rule["coefficient"])

    @cached_property
    def imputed(self) -> Imputed | None:
        rule = self._imputed_rule
        if rule is None:
            return None
        from_age, until_age = working_ages(rule)
        return Imputed(int(self._expected * self.scale), self.born_until(from_age), self.born_until(until_age))

    # --- lines and amounts --------------------------------------------------------------------------------------------------

    @cached_property
    def standard_fen(self) -> Column:
        """The dibao standard by residence."""
        return np.array([0, *(self.case(residence).standard_fen for residence in RESIDENCES)], dtype=np.int64)

    def income_line(self, ratio: Fraction) -> tuple[Column, int]:
        """``ratio`` of the standard, scaled, as numerators by residence over one denominator."""
        lines = [checked_line(ratio * int(fen), self.scale, ratio.denominator) for fen in self.standard_fen]
        return np.array(lines, dtype=np.int64), ratio.denominator

    def asset_line(self, programme: str) -> tuple[AssetLine, Column]:
        """The line (for vehicles and homes), and the limit of financial assets per head by residence."""
        lines = [self.case(residence).asset_line(programme) for residence in RESIDENCES]
        return lines[0], np.array([0, *(line.financial_limit_fen for line in lines)], dtype=np.int64)

    @cached_property
    def tiers(self) -> tuple[Tier, ...]:
        return tuple(
            Tier(*self.income_line(exact(tier["income_below_rate"])), int(tier["per_person"]))
            for tier in self.policy.get("dibao.tiers")
        )

    @cached_property
    def rounding(self) -> Rounding:
        return self.policy.rounding("dibao")

    # --- tables ---------------------------------------------------------------------------------------------------------------

    @cached_property
    def counted(self) -> Column:
        """Who counts as a member: by 0 minor, 1 adult and ``standing_code``."""
        return _membership_table()

    @cached_property
    def doubtful_studies(self) -> list[int]:
        """Who is not absent counts, unless he studies one of these."""
        return [
            code_of(study)
            for study in Study
            if not all(_counts(None, study, one, age) for one in Relation for age in (MINOR, ADULT))
        ]

    def uplift(self, programme: str) -> Uplift | None:
        """The programme's uplifts; None where the locality has none. Compiled once."""
        if programme not in self._uplifts:
            rule: Mapping[str, Any] | None = self.policy.find(f"{programme}.uplift")
            self._uplifts[programme] = None if rule is None else Uplift(self, rule)
        return self._uplifts[programme]

    def amounts_by_disability(self, programme: str, context: Context) -> Column:
        """The monthly amount by ``disability_code``; -1 = not granted. Asked for once."""
        if programme not in self._by_disability:
            self._by_disability[programme] = self._amounts_by_disability(programme, context)
        return self._by_disability[programme]

    def _amounts_by_disability(self, programme: str, context: Context) -> Column:
        table = np.full(DISABILITY_CODES, UNKNOWN, dtype=np.int64)
        for disability in every_disability():
            member = Member("probe", Relation.HEAD, self.on, disability=disability)
            result = self.ask(programme, member, context)
            if result.outcome.grants and result.monthly_fen is not None:
                table[disability_code_of(disability)] = result.monthly_fen
        return table


class Uplift:
    """分类施保 as tables: the ground by severe disability, serious illness and age band, its amount by residence."""

    def __init__(self, rules: Rules, rule: Mapping[str, Any]) -> None:
        self.elderly_until = rules.born_until(elderly_age(rule))
        self.grounds: list[str] = []
        self.amounts: list[Column] = []
        # No ground is entry 0; the highest ground is the one that the pure rule picks.
        self.table = np.zeros(16, dtype=np.int8)
        for case in range(16):
            severe, ill, elderly, minor = (bool(case & bit) for bit in (8, 4, 2, 1))
            self.table[case] = self._code(rules, rule, severe=severe, ill=ill, elderly=elderly, minor=minor)

    def _code(self, rules: Rules, rule: Mapping[str, Any], *, severe: bool, ill: bool, elderly: bool, minor: bool) -> int:
        ages = [age for age in range(OLDEST) if (age >= elderly_age(rule)) == elderly and (age < ADULT_AGE) == minor]
        if not ages:
            return 0
        disability = Disability(DisabilityCategory.PHYSICAL, 1) if severe else None
        member = Member("probe", Relation.HEAD, rules.on, disability=disability, serious_illness=ill)
        best = highest(rule, member, ages[0])
        if best is None:
            return 0
        ground, rate = best
        if ground not in self.grounds:
            self.grounds.append(ground)
            self.amounts.append(np.array([0, *(uplift_fen(rules.case(one), rate) for one in RESIDENCES)], dtype=np.int64))
        return self.grounds.index(ground) + 1


# --- codes of combined facts ---------------------------------------------------------------------------------------------------


def standing_code(absence: Column, study: Column, relation: Column) -> Column:
    """Absence, study and relation as one index."""
    code: Column = (absence.astype(np.int16) * (len(Study) + 1) + study) * (len(Relation) + 1) + relation
    return code


def disability_code(category: Column, grade: Column, needs_care: Column) -> Column:
    """Category, grade and need of care as one index; 0 = no certificate."""
    code: Column = category.astype(np.int16) * 10 + grade * 2 + needs_care
    return code


def disability_code_of(disability: Disability) -> int:
    return code_of(disability.category) * 10 + disability.grade * 2 + disability.needs_care


def every_disability() -> list[Disability]:
    return [
        Disability(category, grade, needs_care)
        for category in DisabilityCategory
        for grade in GRADES
        for needs_care in (False, True)
    ]


@cache
def severe_disabilities() -> Column:
    return _of_disability("severe")


@cache
def severe_or_grade_3_disabilities() -> Column:
    return _of_disability("severe_or_grade_3_intellectual_mental")


def _of_disability(fact: str) -> Column:
    table = np.zeros(DISABILITY_CODES, dtype=np.bool_)
    for disability in every_disability():
        table[disability_code_of(disability)] = getattr(disability, fact)
    return table


@cache
def _membership_table() -> Column:
    """Row 0 for minors, row 1 for adults; the pure rule is asked about each combination."""
    table = np.ones((2, (len(Absence) + 1) * (len(Study) + 1) * (len(Relation) + 1)), dtype=np.bool_)
    for absence in (None, *Absence):
        for study in (None, *Study):
            for relation in Relation:
                place = ((code_of(absence) * (len(Study) + 1)) + code_of(study)) * (len(Relation) + 1) + code_of(relation)
                for row, age in enumerate((MINOR, ADULT)):
                    table[row, place] = _counts(absence, study, relation, age)
    table.setflags(write=False)
    return table


def _counts(absence: Absence | None, study: Study | None, relation: Relation, age: int) -> bool:
    """What the pure rule says of a member."""
    member = Member("probe", relation, date.min, absence=absence, study=study)
    return membership((member,), {"probe": age}).size == 1


def _alone(
    area_code: str,
    on: date,
    residence: Residence,
    member: Member,
    programmes: tuple[str, ...],
    context: Context | None = None,
) -> AssessmentQuestion:
    """A household of one, about which everything is known."""
    household = Household((member,), assets=(), expenses=(), authorised_verification=True)
    return AssessmentQuestion(on, area_code, residence, household, programmes or None, context or Context())


def _nobody(on: date) -> Member:
    return Member("probe", Relation.HEAD, on)
