"""How the programmes stand to each other, as data: order of precedence, exclusion, passporting, higher-of, top-up.

Everything about "not both", "the higher one", "only what is missing" and "who has that gets this" is declared here and nowhere
else. A programme's file calls ``require_not_excluded`` and ``passport_of``; ``settlement`` applies ``TOP_UPS`` once all answers
are known.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from app.domain.eligibility.case import Case
from app.domain.eligibility.ruling import Ruling, all_of, any_of

PRECEDENCE: tuple[str, ...] = (
    "orphan",
    "unsupported_child",
    "tekun",
    "dibao",
    "dibao_edge",
    "dibao_single",
    "rigid_expense",
    "disability_living",
    "disability_care",
    "old_age",
    "medical",
    "temporary",
    "one_off",
    "disaster",
    "veteran",
)
"""A programme may look only at programmes before it, so that no two can wait for each other."""


class Whose(StrEnum):
    """Whose receiving excludes: the same member's, any counted member's, all counted members', the household's."""

    MEMBER = "member"
    ANY_MEMBER = "any_member"
    ALL_MEMBERS = "all_members"
    HOUSEHOLD = "household"


@dataclass(frozen=True, slots=True)
class Exclusion:
    """``programme`` is refused while ``by`` is received.

    ``by_facts``: also when the request didn't name ``by`` but the facts grant it. ``held_only``: only when drawn before the
    request (the new grant has precedence). ``unless_receiving``: doesn't exclude somebody who also receives one of these.
    """

    programme: str
    by: str
    code: str
    topic: str
    whose: Whose = Whose.MEMBER
    by_facts: bool = False
    held_only: bool = False
    unless_receiving: tuple[str, ...] = ()


EXCLUSIONS: tuple[Exclusion, ...] = (
    Exclusion("orphan", "tekun", "not_in_tekun", "tekun_choice", held_only=True),
    Exclusion("orphan", "unsupported_child", "not_in_unsupported_child", "tekun_choice", held_only=True),
    Exclusion("unsupported_child", "orphan", "not_in_orphan", "unsupported_target"),
    Exclusion("tekun", "orphan", "not_in_orphan", "tekun_choice"),
    Exclusion("tekun", "unsupported_child", "not_in_unsupported_child", "tekun_choice"),
    Exclusion("dibao", "tekun", "not_in_tekun", "no_double", Whose.ANY_MEMBER),
    Exclusion("dibao", "dibao", "not_in_other_dibao", "no_double", Whose.ANY_MEMBER, held_only=True),
    Exclusion("dibao_edge", "dibao", "household_not_in_dibao", "edge", Whose.HOUSEHOLD, by_facts=True),
    Exclusion("dibao_edge", "tekun", "not_in_tekun", "edge", Whose.ALL_MEMBERS),
    Exclusion("dibao_single", "tekun", "not_in_tekun", "no_double"),
    Exclusion("dibao_single", "dibao", "household_not_in_dibao", "single", Whose.HOUSEHOLD, by_facts=True),
    Exclusion("rigid_expense", "dibao", "household_not_in_dibao", "rigid_target", Whose.HOUSEHOLD, by_facts=True),
    Exclusion("rigid_expense", "dibao_edge", "household_not_in_edge", "rigid_target", Whose.HOUSEHOLD, by_facts=True),
    Exclusion("rigid_expense", "tekun", "not_in_tekun", "rigid_target", Whose.ALL_MEMBERS),
    Exclusion("disability_living", "tekun", "not_in_tekun", "disability_subsidy"),
    Exclusion("disability_living", "orphan", "not_in_orphan", "disability_subsidy"),
    # 民发〔2019〕62号 三(一): drawn in full it excludes the living subsidy; a topped-up 低保 or 特困 child keeps it.
    Exclusion(
        "disability_living",
        "unsupported_child",
        "not_in_full_unsupported_child",
        "unsupported_amount",
        unless_receiving=("dibao", "dibao_single"),
    ),
    Exclusion("disability_care", "tekun", "not_in_tekun", "disability_subsidy"),
    Exclusion("disability_care", "work_injury_care", "no_work_injury_care", "disability_subsidy"),
)


@dataclass(frozen=True, slots=True)
class Passport:
    """Receiving ``through`` opens ``programme`` (where the flag ``when``, if any, is set by the locality)."""

    programme: str
    through: str
    when: str | None = None


PASSPORTS: tuple[Passport, ...] = (
    Passport("disability_living", "dibao"),
    Passport("disability_living", "dibao_single"),
    Passport("disability_living", "dibao_edge", "disability_living.extend_to_edge"),
    Passport("disability_living", "rigid_expense", "disability_living.extend_to_edge"),
    Passport("medical", "tekun"),
    Passport("medical", "dibao"),
    Passport("medical", "dibao_single"),
    Passport("medical", "dibao_edge"),
    Passport("medical", "rigid_expense"),
)


@dataclass(frozen=True, slots=True)
class TopUp:
    """``programme`` pays only what is missing beside the amounts already drawn of ``against``."""

    programme: str
    against: tuple[str, ...]
    topic: str


TOP_UPS: tuple[TopUp, ...] = (
    TopUp("unsupported_child", ("dibao", "dibao_single", "tekun", "disability_living"), "unsupported_amount"),
)


@dataclass(frozen=True, slots=True)
class HigherOf:
    """Two allowances of one purpose: only the higher one is paid; on a tie the one already drawn stays."""

    programme: str
    other: str
    topic: str


HIGHER_OF: tuple[HigherOf, ...] = (HigherOf("disability_care", "elderly_care_allowance", "disability_subsidy"),)


def require_not_excluded(case: Case, ruling: Ruling, member: str | None = None) -> bool | None:
    """Check every exclusion of the ruling's programme, each as a reason of its own."""
    rules = _EXCLUSIONS_OF.get(ruling.programme, ())
    return all_of(*[ruling.require(rule.code, not _excludes(case, rule, member), rule.topic) for rule in rules])


_EXCLUSIONS_OF = {
    programme: tuple(rule for rule in EXCLUSIONS if rule.programme == programme)
    for programme in {rule.programme for rule in EXCLUSIONS}
}


def _excludes(case: Case, rule: Exclusion, member: str | None) -> bool:
    """Unknown doesn't exclude: somebody who may turn out to be entitled elsewhere doesn't receive it yet."""
    match rule.whose:
        case Whose.MEMBER:
            excluded = _received(case, rule, member)
        case Whose.ANY_MEMBER:
            excluded = any(_received(case, rule, counted.ref) for counted in case.counted)
        case Whose.ALL_MEMBERS:
            excluded = bool(case.counted) and all(_received(case, rule, counted.ref) for counted in case.counted)
        case Whose.HOUSEHOLD:
            excluded = _received(case, rule, None)
    return excluded and not any(case.receives(other, member) for other in rule.unless_receiving)


def _received(case: Case, rule: Exclusion, member: str | None) -> bool:
    if rule.held_only:
        return _drawn_before(case, rule, member)
    return case.receives(rule.by, member, by_facts=rule.by_facts) is True


def _drawn_before(case: Case, rule: Exclusion, member: str | None) -> bool:
    """Drawn before this request; the household's own current entitlement to the same programme is not another one."""
    current = case.context.current_entitlement
    own = current is not None and current.programme == rule.by
    if rule.by == rule.programme:
        return not own and case.held(rule.by, member) is not None
    return own or case.held(rule.by, member) is not None


def passport_of(
    case: Case, programme: str, member: str | None, among: Iterable[str] | None = None
) -> tuple[bool | None, str | None]:
    """Whether some other programme opens this one, and which; None where that hangs on missing evidence."""
    routes = [route for route in PASSPORTS if route.programme == programme and (among is None or route.through in among)]
    standings: list[bool | None] = []
    for route in routes:
        if route.when is not None and not case.policy.flag(route.when):
            continue
        standing = case.receives(route.through, member, by_facts=True)
        if standing:
            return True, route.through
        standings.append(standing)
    return any_of(*standings), None
