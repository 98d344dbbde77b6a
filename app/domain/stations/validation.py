"""A sheet that contradicts itself is refused, with the sums shown: the source documents' own didn't add up (659 = 461 + 188?).

Nothing is corrected silently and nothing is guessed: a part that isn't known is left out of its sum, which then can only be too
large.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date

from app.domain.errors import FieldError
from app.domain.stations import refusals
from app.domain.stations.facts import CommunityFact, Facts, TallyFact
from app.domain.stations.measures import ESTABLISHED
from app.domain.stations.operating import JUDGED

SHOWN_TERMS = 20


def check_facts(facts: Facts, as_of: date) -> None:
    """Refuse contradictions, all at once.

    Raises:
        Malformed: 422 ``contradictory_facts`` with one error per contradiction.

    """
    errors = [
        *_population_errors(facts),
        *_archive_errors(facts),
        *_operations_errors(facts),
        *_repeated_communities(facts.communities or ()),
        *_days_to_come(facts, as_of),
        *_claimed_errors(facts),
    ]
    if errors:
        raise refusals.contradictory(errors)


def _population_errors(facts: Facts) -> Iterator[FieldError]:
    if facts.population is not None and facts.communities is not None:
        counts = [community.population for community in facts.communities]
        yield from _sum_error("/facts/population", "人口总数", facts.population, counts, "各村（社区）人口合计")


def _sum_error(pointer: str, what: str, total: int, terms: Sequence[int | None], of_what: str) -> Iterator[FieldError]:
    """One finding when the total isn't the sum; with unknown terms, only when what is known is more already."""
    known = [term for term in terms if term is not None]
    wrong = sum(known) > total if len(known) < len(terms) else sum(known) != total
    if wrong:
        gap = f"相差 {abs(total - sum(known))}"
        yield FieldError(pointer, "sum_differs", f"{what} {total} 与{of_what} {_shown_sum(known)} 不符，{gap}，请核对。")


def _shown_sum(terms: Sequence[int]) -> str:
    if len(terms) <= 1:
        return str(sum(terms))
    shown = " + ".join(str(term) for term in terms[:SHOWN_TERMS])
    return f"{shown}{' + …' if len(terms) > SHOWN_TERMS else ''} = {sum(terms)}"


def _archive_errors(facts: Facts) -> Iterator[FieldError]:
    total = facts.archives.total
    for name, text, part in (("bound", "已装订", facts.archives.bound), ("digitised", "已数字化", facts.archives.digitised)):
        if total is not None and part is not None and part > total:
            message = f"{text} {part} 份，多于档案总数 {total} 份（多 {part - total} 份），请核对。"
            yield FieldError(f"/facts/archives/{name}", "more_than_total", message)


def _operations_errors(facts: Facts) -> Iterator[FieldError]:
    for code, measure in JUDGED.items():
        fact: TallyFact = getattr(facts.operations, code)
        if fact.part is not None and fact.whole is not None and fact.part > fact.whole:
            message = f"{measure.name}：达标 {fact.part} 件，多于总数 {fact.whole} 件（多 {fact.part - fact.whole} 件），请核对。"
            yield FieldError(f"/facts/operations/{code}/part", "more_than_total", message)


def _repeated_communities(communities: Sequence[CommunityFact]) -> Iterator[FieldError]:
    seen: Counter[str] = Counter()
    for place, community in enumerate(communities):
        if community.area_code is not None:
            if seen[community.area_code]:
                message = f"村（社区）{community.area_code} 填写了两次，人口和监督员会重复计算，请删除重复的一项。"
                yield FieldError(f"/facts/communities/{place}/area_code", "repeated_community", message)
            seen[community.area_code] += 1


def _days_to_come(facts: Facts, as_of: date) -> Iterator[FieldError]:
    for place, post in enumerate(facts.staff or ()):
        if post.since is not None and post.since > as_of:
            message = f"任职日期 {post.since} 晚于评估日期 {as_of}，请核对。"
            yield FieldError(f"/facts/staff/{place}/since", "after_as_of", message)


def _claimed_errors(facts: Facts) -> Iterator[FieldError]:
    """Totals that the form itself writes, against its items."""
    claimed, communities = facts.claimed, facts.communities
    if claimed.staff is not None and facts.staff is not None:
        yield from _sum_error("/facts/claimed/staff", "所填工作人员总数", claimed.staff, [len(facts.staff)], "所列人数")
    if claimed.established_staff is not None and facts.staff is not None:
        yield from _established_error(facts, claimed.established_staff)
    if claimed.communities is not None and communities is not None:
        yield from _sum_error(
            "/facts/claimed/communities", "所填村（社区）总数", claimed.communities, [len(communities)], "所列个数"
        )
    if claimed.informants is not None and communities is not None:
        informants = [community.informants for community in communities]
        pointer = "/facts/claimed/informants"
        yield from _sum_error(pointer, "所填信息监督员总数", claimed.informants, informants, "各村（社区）信息监督员合计")


def _established_error(facts: Facts, claimed: int) -> Iterator[FieldError]:
    """行政编 + 事业编; posts whose establishment isn't known leave the sum open."""
    kinds = [post.establishment for post in facts.staff or ()]
    terms: list[int | None] = [kinds.count(kind) for kind in ESTABLISHED]
    if None in kinds:
        terms.append(None)
    yield from _sum_error("/facts/claimed/established_staff", "所填在编人数", claimed, terms, "行政编与事业编人数")
