"""政策找人: who looks entitled to something that they don't draw, and who draws something that they no longer look entitled to.

Pure, one household at a time. A finding decides nothing: it is a reason to go and ask, with the rules that were checked.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from functools import cache
from uuid import UUID

from app.domain.access import Signature
from app.domain.eligibility import AssessmentQuestion, Outcome, ParameterBook, ProgrammeResult, Reason, assess, in_force
from app.domain.errors import DomainError
from app.domain.policy.model import Document

PERSON_PROGRAMMES = ("disability_living", "disability_care", "old_age")
CHILD_PROGRAMMES = ("orphan", "unsupported_child")
ADULT_AGE = 18
# Nobody draws both (民发〔2022〕83号 三(一)): the basic livelihood is secured once.
LIVELIHOOD = ("dibao", "dibao_single", "tekun", "orphan", "unsupported_child")
TOPPED_UP = frozenset({"dibao", "unsupported_child"})


class FindingKind(StrEnum):
    MAY_BE_ENTITLED = "may_be_entitled"
    EDGE_MEMBER_DISABLED = "edge_member_disabled"
    NO_LONGER_ENTITLED = "no_longer_entitled"
    DRAWN_AFTER_DEATH = "drawn_after_death"
    DRAWN_AFTER_COMING_OF_AGE = "drawn_after_coming_of_age"
    DRAWN_TWICE = "drawn_twice"


class FindingState(StrEnum):
    OPEN = "open"
    TAKEN_UP = "taken_up"
    DISMISSED = "dismissed"
    RESOLVED = "resolved"


@dataclass(frozen=True, slots=True)
class KnownMember:
    """Somebody who lives in the household or is covered by what it draws."""

    person_id: UUID
    birth_date: date
    died_on: date | None
    draws: tuple[str, ...]
    disabled_since: date | None
    severely_disabled: bool


@dataclass(frozen=True, slots=True)
class KnownHousehold:
    """What is on record of a household on a day.

    ``question``: its living members with what the registry and the latest application say of them. ``declared``: whether income
    and assets are known at all. ``pending``: programmes that are being applied for. ``drawn_since``: programme of the household
    to the month it began.
    """

    household_id: UUID
    area_code: str
    head: UUID
    members: tuple[KnownMember, ...]
    question: AssessmentQuestion
    declared: bool
    pending: frozenset[str]
    drawn_since: dict[str, date]


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of a community's work list. ``expected_fen``: the monthly amount that the rules would give, where they tell."""

    household_id: UUID
    area_code: str
    person_id: UUID
    kind: FindingKind
    programme: str
    expected_fen: int | None = None
    reasons: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True)
class StoredFinding:
    """A finding on the list, with what somebody made of it."""

    id: UUID
    run_id: UUID
    finding: Finding
    reasons: Sequence[Document]
    found_on: date
    state: FindingState
    settled: Signature | None
    note: str | None
    version: int


@dataclass(frozen=True, slots=True)
class DiscoveryRun:
    """A search through the registered population of an area on a day."""

    id: UUID
    area_code: str
    on: date
    job_id: UUID
    requested: Signature
    counts: Document | None
    finished_at: datetime | None


def search(households: Iterable[KnownHousehold], book: ParameterBook, on: date) -> list[Finding]:
    """What strikes about each, in order. Only programmes with parameters in force are asked about."""
    known = cache(lambda area_code, programmes: tuple(code for code in programmes if in_force(book, area_code, on, code)))
    asked = (_asking(one, known(one.area_code, one.question.programmes or ())) for one in households)
    return [finding for household in asked for finding in findings_of(household, book, on)]


def _asking(household: KnownHousehold, programmes: tuple[str, ...]) -> KnownHousehold:
    question = household.question
    return (
        household if programmes == question.programmes else replace(household, question=replace(question, programmes=programmes))
    )


def findings_of(household: KnownHousehold, book: ParameterBook, on: date) -> list[Finding]:
    """Everything that strikes about one household; what the rules can't tell strikes nobody."""
    return [*_by_rules(household, book), *_by_record(household, on)]


# --- by the rules ---------------------------------------------------------------------------------------------------------


def _by_rules(household: KnownHousehold, book: ParameterBook) -> Iterator[Finding]:
    if not household.question.programmes:
        return
    try:
        results = assess(household.question, book).results
    except DomainError:
        return
    drawn = {(member.person_id, programme) for member in household.members for programme in member.draws}
    for result in results:
        if result.programme in PERSON_PROGRAMMES and result.member is not None:
            yield from _about_person(household, result, UUID(result.member), drawn)
        elif result.programme == "dibao" and household.declared:
            yield from _about_dibao(household, result)


def _about_person(
    household: KnownHousehold, result: ProgrammeResult, person_id: UUID, drawn: set[tuple[UUID, str]]
) -> Iterator[Finding]:
    draws = (person_id, result.programme) in drawn
    if result.outcome.keeps and not draws and result.programme not in household.pending:
        yield _found(household, FindingKind.MAY_BE_ENTITLED, result, person_id)
    elif draws and result.outcome is Outcome.INELIGIBLE:
        yield _found(household, FindingKind.NO_LONGER_ENTITLED, result, person_id)


def _about_dibao(household: KnownHousehold, result: ProgrammeResult) -> Iterator[Finding]:
    draws = "dibao" in household.drawn_since
    if result.outcome is Outcome.ELIGIBLE and not draws and "dibao" not in household.pending:
        yield _found(household, FindingKind.MAY_BE_ENTITLED, result, household.head)
    elif draws and result.outcome is Outcome.INELIGIBLE:
        yield _found(household, FindingKind.NO_LONGER_ENTITLED, result, household.head)


def _found(household: KnownHousehold, kind: FindingKind, result: ProgrammeResult, person_id: UUID) -> Finding:
    """With the rules that speak for it: those met for an entitlement, those failed against one."""
    speaking = tuple(reason for reason in result.reasons if reason.met is (kind is FindingKind.MAY_BE_ENTITLED))
    expected = result.monthly_fen if kind is FindingKind.MAY_BE_ENTITLED else None
    return Finding(household.household_id, household.area_code, person_id, kind, result.programme, expected, speaking)


# --- by the record --------------------------------------------------------------------------------------------------------


def _by_record(household: KnownHousehold, on: date) -> Iterator[Finding]:
    for member in household.members:
        if member.died_on is not None:
            for programme in member.draws:
                yield _noticed(household, member, FindingKind.DRAWN_AFTER_DEATH, programme)
            continue
        yield from _of_age(household, member, on)
        yield from _twice(household, member)
        yield from _newly_disabled(household, member)


def _noticed(household: KnownHousehold, member: KnownMember, kind: FindingKind, programme: str) -> Finding:
    return Finding(household.household_id, household.area_code, member.person_id, kind, programme)


def _of_age(household: KnownHousehold, member: KnownMember, on: date) -> Iterator[Finding]:
    born = member.birth_date
    age = on.year - born.year - ((on.month, on.day) < (born.month, born.day))
    for programme in CHILD_PROGRAMMES:
        if age >= ADULT_AGE and programme in member.draws:
            yield _noticed(household, member, FindingKind.DRAWN_AFTER_COMING_OF_AGE, programme)


def _twice(household: KnownHousehold, member: KnownMember) -> Iterator[Finding]:
    """An unsupported child's allowance tops a dibao up, so these two go together."""
    drawn = [programme for programme in LIVELIHOOD if programme in member.draws]
    repeated = {programme for programme in drawn if member.draws.count(programme) > 1}
    if repeated or (len(drawn) > 1 and frozenset(drawn) != TOPPED_UP):
        yield _noticed(household, member, FindingKind.DRAWN_TWICE, drawn[-1])


def _newly_disabled(household: KnownHousehold, member: KnownMember) -> Iterator[Finding]:
    """Severely disabled since the household came in: perhaps 单人户纳入低保 (民发〔2021〕57号 第八条)."""
    since = household.drawn_since.get("dibao_edge")
    newly = since is not None and member.disabled_since is not None and member.disabled_since >= since
    if newly and member.severely_disabled and "dibao_single" not in (*member.draws, *household.pending):
        yield _noticed(household, member, FindingKind.EDGE_MEMBER_DISABLED, "dibao_single")
