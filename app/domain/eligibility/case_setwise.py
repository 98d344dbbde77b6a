"""Many households under one policy: the set-wise twin of ``case`` and of what several programmes ask alike."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from app.domain.eligibility.arithmetic_setwise import MANY_MEMBERS, SAFE, NotSetWise, below, summed
from app.domain.eligibility.columns_setwise import INCOME_COLUMNS, UNKNOWN, Column, Population, held_bit, programme_code
from app.domain.eligibility.interplay import EXCLUSIONS, PASSPORTS, Exclusion, Whose
from app.domain.eligibility.model import Outcome
from app.domain.eligibility.obligations import EARNINGS
from app.domain.eligibility.rules_setwise import Rules, Uplift, disability_code, severe_disabilities, standing_code

OUTCOMES: tuple[Outcome, ...] = tuple(Outcome)
ELIGIBLE, INELIGIBLE, NEEDS_EVIDENCE, GRADUAL_EXIT, SUSPENDED = (
    OUTCOMES.index(outcome)
    for outcome in (Outcome.ELIGIBLE, Outcome.INELIGIBLE, Outcome.NEEDS_EVIDENCE, Outcome.GRADUAL_EXIT, Outcome.SUSPENDED)
)
KEEPS = np.array([outcome.keeps for outcome in OUTCOMES])
SCALE_WITHOUT_CARE = 128


@dataclass(frozen=True, slots=True)
class Part:
    """Components of one kind: what is added at some households, or at some members (positions in the population)."""

    kind: str
    at: Column
    amount_fen: Column
    per_member: bool


@dataclass(frozen=True, slots=True)
class Answers:
    """The answers to one programme. ``members`` None: one per household; else one per member that it names (positions).

    ``outcome`` holds places in ``OUTCOMES``; ``monthly_fen`` is 0 where nothing is paid. ``withheld`` marks members of a
    household in which a key that only a grant needs isn't in force.
    """

    programme: str
    outcome: Column
    monthly_fen: Column
    parts: tuple[Part, ...] = ()
    members: Column | None = None
    withheld: Column | None = None


@dataclass(slots=True)
class Standing:
    """What the conditions say so far, three-valued: a failed one beats an unknown one."""

    failed: Column
    unknown: Column

    def require(self, met: Column, known: Column | None = None) -> None:
        if known is None:
            self.failed |= ~met
        else:
            self.failed |= known & ~met
            self.unknown |= ~known

    def outcome(self) -> Column:
        found = np.full(len(self.failed), ELIGIBLE, dtype=np.int8)
        found[self.unknown] = NEEDS_EVIDENCE
        found[self.failed] = INELIGIBLE
        return found

    @property
    def met(self) -> Column:
        return ~(self.failed | self.unknown)


Rule = Callable[["Cases"], Answers]


class Cases:
    """What a twin is given. ``asked`` are the programmes of the question; others are answered by the facts where a rule looks."""

    def __init__(self, population: Population, rules: Rules, asked: frozenset[str], twins: dict[str, Rule]) -> None:
        self.population, self.rules, self.asked = population, rules, asked
        self._twins = twins
        self._answers: dict[str, Answers | None] = {}

    # --- who counts -----------------------------------------------------------------------------------------------------------

    @cached_property
    def adult(self) -> Column:
        return self.population.birth <= self.rules.adult_until

    @cached_property
    def left_out(self) -> Column:
        """The members that don't count (positions): few, so that everything about them is done one by one."""
        facts = self.population
        doubtful = facts.absence != 0
        for study in self.rules.doubtful_studies:
            doubtful |= facts.study == study
        special = np.flatnonzero(doubtful)
        codes = standing_code(facts.absence[special], facts.study[special], facts.relation[special])
        return special[~self.rules.counted[self.adult[special].astype(np.int8), codes]]

    @cached_property
    def left_out_of(self) -> Column:
        """The households that those who don't count belong to."""
        return self.population.owners(self.left_out)

    @cached_property
    def counts(self) -> Column:
        counts = np.ones(self.population.members, dtype=np.bool_)
        counts[self.left_out] = False
        return counts

    @cached_property
    def heads(self) -> Column:
        """How many members count, by household."""
        heads = self.population.size.astype(np.int64)
        np.subtract.at(heads, self.left_out_of, 1)
        return heads

    @cached_property
    def divisor(self) -> Column:
        return np.maximum(self.heads, 1)

    # --- income ---------------------------------------------------------------------------------------------------------------

    @cached_property
    def own_income(self) -> Column:
        """What counts of each member's own income, scaled (57号 第十三条)."""
        total: Column | None = None
        for name, weight in self.rules.income_weights.items():
            column = getattr(self.population, name)
            self._check_size(column, weight)
            if total is None:
                total = np.multiply(column, weight, dtype=np.int64)
            else:
                total += column if weight == 1 else column * weight
        return np.zeros(self.population.members, dtype=np.int64) if total is None else total

    def _check_size(self, column: Column, weight: int) -> None:
        if weight > SCALE_WITHOUT_CARE and int(column.max(initial=0)) * weight * MANY_MEMBERS >= SAFE:
            raise NotSetWise("金额过大的收入")

    @cached_property
    def income(self) -> Column:
        """The household's counted income less the deductible expense, scaled, never negative."""
        member = self.own_income
        if self.rules.imputed is not None:
            member = member + self._imputed()
        total = summed(member, self.population.starts)
        np.subtract.at(total, self.left_out_of, member[self.left_out])
        total -= self.population.deductible_fen * np.int64(self.rules.scale)
        return np.maximum(total, 0, out=total)

    def _imputed(self) -> Column:
        """What employable members of working age are taken to earn above what they report."""
        rule, facts = self.rules.imputed, self.population
        added = np.zeros(facts.members, dtype=np.int64)
        if rule is None:
            return added
        able = np.flatnonzero(facts.employable & (facts.birth <= rule.born_until) & (facts.birth > rule.born_after))
        reported = sum(getattr(facts, INCOME_COLUMNS[kind])[able] for kind in EARNINGS)
        added[able] = np.maximum(rule.expected - reported * np.int64(self.rules.scale), 0)
        return added

    def income_below(self, line: Column, denominator: int) -> Column:
        """Income per head strictly below a line by residence."""
        return below(self.income, self.divisor, line[self.population.residence], denominator)

    @cached_property
    def standard_fen(self) -> Column:
        """The standard of each household."""
        return self.rules.standard_fen[self.population.residence]

    # --- conditions of the whole household -----------------------------------------------------------------------------------

    def household_standing(self, programme: str) -> Standing:
        """Authorisation and the programme's exclusions; the twin adds its own conditions."""
        refused, unknown = self.authorisation
        standing = Standing(refused.copy(), unknown.copy())
        for rule in self._exclusions(programme):
            standing.failed |= self._excluded_households(rule)
        return standing

    @cached_property
    def authorisation(self) -> tuple[Column, Column]:
        """Refused, and not known, by household (57号 第二十九条)."""
        facts = self.population
        refused = facts.authorised == 0
        unknown = facts.authorised == UNKNOWN
        adults = np.flatnonzero((facts.member_authorised != UNKNOWN) & self.adult & self.counts)
        refused[facts.owners(adults[facts.member_authorised[adults] == 0])] = True
        agreeing = np.unique(facts.owners(adults[facts.member_authorised[adults] == 1]))
        open_ones = agreeing[unknown[agreeing]]
        if open_ones.size:
            unknown[open_ones[self._every_adult_agrees(open_ones)]] = False
        unknown &= ~refused
        return refused, unknown

    def _every_adult_agrees(self, households: Column) -> Column:
        facts = self.population
        members = facts.members_of(households)
        size = facts.size[households].astype(np.int64)
        starts = np.cumsum(size) - size
        adults = self.adult[members] & self.counts[members]
        silent = adults & (facts.member_authorised[members] == UNKNOWN)
        agrees: Column = (summed(adults, starts) > 0) & (summed(silent, starts) == 0)
        return agrees

    def require_assets(self, standing: Standing, programme: str) -> None:
        """The asset line (57号 第十四条)."""
        facts, (line, per_head) = self.population, self.rules.asset_line(programme)
        met = facts.financial_fen <= per_head[facts.residence] * self.divisor
        if not line.vehicle_allowed:
            met &= facts.vehicles == 0
        if line.real_estate_units is not None:
            met &= facts.homes <= line.real_estate_units
        standing.require(met, facts.financial_fen != UNKNOWN)

    # --- what is drawn already or granted in the same request ------------------------------------------------------------------

    def answers_to(self, programme: str) -> Answers | None:
        """None: no such programme by the facts (nothing in force for it)."""
        if programme not in self._answers:
            self._answers[programme] = self._look(programme)
        return self._answers[programme]

    def _look(self, programme: str) -> Answers | None:
        if programme not in self.asked and not self.rules.in_force(programme):
            return None
        if programme not in self._twins:
            raise NotSetWise(f"项目 {programme}")
        return self._twins[programme](self)

    def drawn(self, programme: str) -> Column:
        drawn: Column = self.population.current_programme == programme_code(programme)
        return drawn

    def holds(self, programme: str) -> Column:
        """Members that hold it (positions)."""
        return np.flatnonzero(self.population.holds & held_bit(programme))

    def household_receives(self, programme: str, *, by_facts: bool = True) -> tuple[Column, Column]:
        """Yes and unknown by household: the twin of ``Case.receives`` for nobody in particular."""
        drawn = self.drawn(programme)
        asked = programme in self.asked
        answers = self.answers_to(programme) if asked or by_facts else None
        if answers is None:
            yes, unknown = drawn.copy(), np.zeros_like(drawn)
        else:
            asks = answers.outcome == NEEDS_EVIDENCE
            yes = KEEPS[answers.outcome] | (drawn & (asks | (not asked)))
            unknown = asks & ~drawn
        yes[self.population.owners(self.holds(programme))] = True
        return yes, unknown & ~yes

    def members_receive(self, programme: str, members: Column, *, by_facts: bool = False) -> tuple[Column, Column]:
        """Yes and unknown for some members: the twin of ``Case.receives`` of a member."""
        owners = self.population.owners(members)
        held = (self.population.holds[members] & held_bit(programme)) != 0
        drawn = self.drawn(programme)[owners]
        asked = programme in self.asked
        answers = self.answers_to(programme) if asked or by_facts else None
        if answers is None:
            return held | drawn, np.zeros_like(held)
        outcome, answered = self._outcome_of(answers, members, owners)
        asks = answered & (outcome == NEEDS_EVIDENCE)
        yes = held | (answered & KEEPS[outcome]) | (drawn & (asks | ~answered | (not asked)))
        return yes, asks & ~yes

    @staticmethod
    def _outcome_of(answers: Answers, members: Column, owners: Column) -> tuple[Column, Column]:
        """The outcome that concerns each member, and whether there is one."""
        if answers.members is None:
            return answers.outcome[owners], np.ones(len(members), dtype=np.bool_)
        if not answers.members.size:
            return np.zeros(len(members), dtype=np.int8), np.zeros(len(members), dtype=np.bool_)
        place = np.minimum(np.searchsorted(answers.members, members), len(answers.members) - 1)
        answered = answers.members[place] == members
        if answers.withheld is not None:
            answered &= ~answers.withheld[place]
        return answers.outcome[place], answered

    # --- exclusions and passports, from the one table -------------------------------------------

    @staticmethod
    def _exclusions(programme: str) -> list[Exclusion]:
        return [rule for rule in EXCLUSIONS if rule.programme == programme]

    def _excluded_households(self, rule: Exclusion) -> Column:
        if rule.whose is Whose.HOUSEHOLD:
            return self.household_receives(rule.by, by_facts=rule.by_facts)[0]
        holders = self.holds(rule.by)
        holders = holders[self.counts[holders]]
        held = np.zeros(self.population.households, dtype=np.int64)
        np.add.at(held, self.population.owners(holders), 1)
        drawn = self.drawn(rule.by)
        if rule.by == rule.programme:
            excluded: Column = (held > 0) & ~drawn  # held_only: its own current entitlement is not another one
        elif rule.whose is Whose.ANY_MEMBER:
            excluded = (self.heads > 0) & (drawn | (held > 0))
        else:
            excluded = (self.heads > 0) & (drawn | (held == self.heads))
        return excluded

    def members_excluded(self, programme: str, members: Column) -> Column:
        """Members (positions) that an exclusion of a programme of persons keeps out."""
        excluded = np.zeros(len(members), dtype=np.bool_)
        for rule in self._exclusions(programme):
            if rule.whose is Whose.HOUSEHOLD:
                found = self.household_receives(rule.by, by_facts=rule.by_facts)[0][self.population.owners(members)]
            else:
                found = self.members_receive(rule.by, members, by_facts=rule.by_facts)[0]
            for other in rule.unless_receiving:
                found &= ~self.members_receive(other, members)[0]
            excluded |= found
        return excluded

    def passport(self, programme: str, members: Column) -> tuple[Column, Column]:
        """Whether another programme opens this one: yes and unknown for each member."""
        yes = np.zeros(len(members), dtype=np.bool_)
        unknown = yes.copy()
        for route in PASSPORTS:
            if route.programme != programme or (route.when is not None and not self.rules.policy.flag(route.when)):
                continue
            found, open_ones = self.members_receive(route.through, members, by_facts=True)
            yes |= found
            unknown |= open_ones
        return yes, unknown & ~yes

    # --- 分类施保 -------------------------------------------

    def uplifts(self, rule: Uplift | None, members: Column, residence: Column) -> tuple[Column, tuple[Part, ...]]:
        """The uplift of each of some members living in such places, and the components by ground."""
        amounts = np.zeros(len(members), dtype=np.int64)
        if rule is None or not rule.grounds:
            return amounts, ()
        ground = self._grounds(rule, members)
        parts = []
        for place, name in enumerate(rule.grounds):
            found = np.flatnonzero(ground == place + 1)
            amounts[found] = rule.amounts[place][residence[found]]
            parts.append(Part(f"uplift_{name}", members[found], amounts[found], per_member=True))
        return amounts, tuple(parts)

    def _grounds(self, rule: Uplift, members: Column) -> Column:
        facts = self.population
        births = facts.birth[members]
        severe = severe_disabilities()[self.disability(members)]
        case = severe * np.int8(8) + facts.serious_illness[members] * np.int8(4)
        case += (births <= rule.elderly_until) * np.int8(2) + (births > self.rules.adult_until)
        ground: Column = rule.table[case]
        return ground

    def disability(self, members: Column) -> Column:
        """The disability code of some members."""
        facts = self.population
        return disability_code(facts.disability_category[members], facts.disability_grade[members], facts.needs_care[members])
