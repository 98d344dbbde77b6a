"""What a set would do: every running entitlement assessed twice on its own facts, under what is in force and under the draft."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any
from uuid import UUID

from app.domain.eligibility import Answered, Answering, Asked, AssessmentQuestion, ParameterBook
from app.domain.policy.model import Verdict

COUNTS = ("assessed", "not_assessable", "gaining", "losing", "unchanged", "entering", "leaving")
SUMS = ("before_fen", "after_fen", "gained_fen", "lost_fen")
MONTHS_OF_YEAR = 12
Tally = dict[str, int]


@dataclass(frozen=True, slots=True)
class RunningCase:
    """A running entitlement with the question that its latest decision answered; None: it came in without one."""

    entitlement_id: UUID
    household_id: UUID
    person_id: UUID | None
    area_code: str
    programme: str
    since_month: date
    until_month: date | None
    question: AssessmentQuestion | None


def asked_on(case: RunningCase, question: AssessmentQuestion, on: date) -> Asked:
    """The case's own programme, on a day."""
    member = str(case.person_id) if case.person_id else None
    return Asked(replace(question, business_date=on, programmes=(case.programme,)), member)


def compare(case: RunningCase, old: Answered | None, new: Answered | None) -> Verdict | None:
    """None where either side can't be told (no facts, no parameters, other people)."""
    if old is None or new is None:
        return None
    return Verdict(
        entitlement_id=case.entitlement_id,
        household_id=case.household_id,
        area_code=case.area_code,
        programme=case.programme,
        before_outcome=old.outcome.value,
        after_outcome=new.outcome.value,
        before_fen=old.monthly_fen,
        after_fen=new.monthly_fen,
    )


def compare_all(
    cases: Sequence[RunningCase], before: ParameterBook, after: ParameterBook, on: date, answering: Answering
) -> tuple[list[Verdict], dict[str, dict[str, Tally]]]:
    """What differs, and over all the tally of each community and programme."""
    told = [case for case in cases if case.question is not None]
    asked = [asked_on(case, case.question, on) for case in told if case.question is not None]
    pairs = zip(told, answering(asked, before), answering(asked, after), strict=True)
    verdicts = {case.entitlement_id: compare(case, old, new) for case, old, new in pairs}
    tallies: dict[str, dict[str, Tally]] = {}
    for case in cases:
        programmes = tallies.setdefault(case.area_code, {})
        tally = programmes.setdefault(case.programme, dict.fromkeys((*COUNTS, *SUMS), 0))
        _count(tally, verdicts.get(case.entitlement_id))
    return [verdict for verdict in verdicts.values() if verdict is not None and verdict.differs], tallies


def _count(tally: Tally, verdict: Verdict | None) -> None:
    if verdict is None:
        tally["not_assessable"] += 1
        return
    change = verdict.change_fen
    tally["assessed"] += 1
    tally["gaining" if change > 0 else "losing" if change < 0 else "unchanged"] += 1
    tally["entering"] += verdict.before_fen == 0 < verdict.after_fen
    tally["leaving"] += verdict.after_fen == 0 < verdict.before_fen
    tally["before_fen"] += verdict.before_fen
    tally["after_fen"] += verdict.after_fen
    tally["gained_fen"] += max(change, 0)
    tally["lost_fen"] += max(-change, 0)


def summarise(chunks: Iterable[tuple[str, dict[str, Tally]]]) -> dict[str, Any]:
    """The tallies of all communities in one: in total, by programme and by area, and as series for a chart."""
    pairs = [(area, programme, tally) for area, found in chunks for programme, tally in found.items()]
    by_programme = _grouped((programme, tally) for _, programme, tally in pairs)
    by_area = _grouped((area, tally) for area, _, tally in pairs)
    return {
        "total": _costed(_added(tally for _, _, tally in pairs)),
        "by_programme": [{"programme": programme, **_costed(tally)} for programme, tally in by_programme],
        "by_area": [{"area_code": area, **_costed(tally)} for area, tally in by_area],
        "charts": [
            _chart("monthly_cost_by_programme", by_programme, ("before_fen", "after_fen")),
            _chart("households_by_area", by_area, ("gaining", "losing")),
        ],
    }


def _grouped(pairs: Iterable[tuple[str, Tally]]) -> list[tuple[str, Tally]]:
    grouped: dict[str, list[Tally]] = {}
    for name, tally in pairs:
        grouped.setdefault(name, []).append(tally)
    return [(name, _added(grouped[name])) for name in sorted(grouped)]


def _added(tallies: Iterable[Tally]) -> Tally:
    total = dict.fromkeys((*COUNTS, *SUMS), 0)
    for tally in tallies:
        for name in total:
            total[name] += tally[name]
    return total


def _costed(tally: Tally) -> Tally:
    """Cost per month as assessed, per year as twelve such months."""
    change = tally["after_fen"] - tally["before_fen"]
    return tally | {"monthly_change_fen": change, "yearly_change_fen": MONTHS_OF_YEAR * change}


def _chart(name: str, rows: Sequence[tuple[str, Tally]], series: Sequence[str]) -> dict[str, Any]:
    values = [{"name": measure, "values": [tally[measure] for _, tally in rows]} for measure in series]
    return {"name": name, "labels": [label for label, _ in rows], "series": values}
