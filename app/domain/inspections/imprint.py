"""What a published result needs to stand on paper: frozen with it, so that a document never asks what has changed since.

Names are those of the day of publication: of the campaign, its standard, the issuing body, the people who signed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from app.domain.inspections.model import Campaign, Inspection, Mark, Rectification, RectificationState, Schedule, Source


@dataclass(frozen=True, slots=True)
class Failing:
    """A criterion that was found failing: what is asked for, until when; ``closed`` once a re-inspection found it met."""

    criterion: str
    requirement: str | None
    rectify_by: date | None
    closed: bool


@dataclass(frozen=True, slots=True)
class Imprint:
    """``issuer``: 发文机关. ``station_head``: who countersigned."""

    title: str
    issuer: str
    standard_name: str
    schedule: Schedule
    published_on: date
    inspectors: tuple[str, ...]
    station_head: str | None
    failing: tuple[Failing, ...]


@dataclass(frozen=True, slots=True)
class ImprintSource:
    """What all stations of a campaign share. ``names``: what the accounts of those who signed are called."""

    campaign: Campaign
    issuer: str
    standard_name: str
    names: Mapping[UUID, str]
    on: date


def imprint_of(
    source: ImprintSource, inspection: Inspection, marks: Iterable[Mark], rectifications: Iterable[Rectification]
) -> Imprint:
    """A signer whose account is gone keeps the name that the signature carries."""
    names = source.names
    signatures = sorted(inspection.signatures, key=lambda one: (one.at, one.by))
    countersigned = inspection.countersigned
    return Imprint(
        title=source.campaign.title,
        issuer=source.issuer,
        standard_name=source.standard_name,
        schedule=source.campaign.schedule,
        published_on=source.on,
        inspectors=tuple(names.get(one.by, one.name) for one in signatures),
        station_head=None if countersigned is None else names.get(countersigned.by, countersigned.name),
        failing=_failing(marks, list(rectifications)),
    )


def _failing(marks: Iterable[Mark], rectifications: Sequence[Rectification]) -> tuple[Failing, ...]:
    """As the rectification stands, whose day a re-inspection may have moved; else as it was found."""
    by_criterion = {one.criterion: one for one in rectifications}
    found = sorted((mark for mark in marks if mark.source is Source.FOUND and not mark.met), key=lambda mark: mark.criterion)
    return tuple(_one(mark, by_criterion.get(mark.criterion)) for mark in found)


def _one(mark: Mark, rectification: Rectification | None) -> Failing:
    if rectification is None:
        return Failing(mark.criterion, mark.note, mark.rectify_by, closed=False)
    closed = rectification.state is RectificationState.CLOSED
    return Failing(mark.criterion, rectification.requirement, rectification.due_on, closed)


def signers(inspections: Iterable[Inspection]) -> set[UUID]:
    """The accounts of everybody who signed."""
    signed = [one for inspection in inspections for one in (*inspection.signatures, inspection.countersigned)]
    return {one.by for one in signed if one is not None}
