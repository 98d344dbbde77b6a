"""Marks on a sheet: what one source says about several criteria, checked all at once. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from datetime import date
from uuid import UUID

from app.domain.access import Signature
from app.domain.errors import FieldError, Malformed
from app.domain.inspections import refusals, workflow
from app.domain.inspections.model import Mark, Source
from app.domain.stations import Assessment


@dataclass(frozen=True, slots=True)
class MarkEntry:
    """What somebody says about one criterion."""

    met: bool
    note: str | None
    evidence: tuple[UUID, ...]
    rectify_by: date | None = None


def mark_of(criterion: str, source: Source, entry: MarkEntry, signature: Signature) -> Mark:
    return Mark(criterion, source, entry.met, entry.note, entry.evidence, entry.rectify_by, signature)


def evidence_of(marks: Iterable[Mark]) -> set[UUID]:
    return {file for mark in marks for file in mark.evidence}


def check_mark(mark: Mark, derived: Mapping[str, bool | None], missing: AbstractSet[UUID], today: date) -> None:
    """``derived`` by criterion; ``missing``: evidence that isn't there. Raises ``NotFound`` criterion_unknown, ``Malformed``."""
    if mark.criterion not in derived:
        raise refusals.criterion_unknown(mark.criterion)
    if mark.source is Source.FOUND:
        workflow.check_finding(mark, derived[mark.criterion], today)
    if not missing.isdisjoint(mark.evidence):
        raise refusals.evidence_unknown()


def check_sheet(marks: Sequence[Mark], derived: Mapping[str, bool | None], missing: AbstractSet[UUID], today: date) -> None:
    """Every mark of a sheet; all faults in one ``Malformed``, each with its place (``/marks/3/rectify_by``)."""
    faults: list[FieldError] = []
    seen: set[str] = set()
    for place, mark in enumerate(marks):
        if mark.criterion not in derived or mark.criterion in seen:
            repeated = mark.criterion in seen
            faults.append(refusals.criterion_fault(f"/marks/{place}/criterion", mark.criterion, repeated=repeated))
            continue
        seen.add(mark.criterion)
        try:
            check_mark(mark, derived, missing, today)
        except Malformed as refusal:
            faults += [replace(fault, pointer=f"/marks/{place}{fault.pointer}") for fault in refusal.errors]
    if faults:
        raise refusals.sheet_refused(faults)


def by_criterion(derived: Assessment) -> dict[str, bool | None]:
    """Criterion → what the operating data say."""
    return {verdict.criterion.code: verdict.met for verdict in derived.criteria}
