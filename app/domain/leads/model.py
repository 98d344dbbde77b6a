"""A lead and how it moves: reported, taken by somebody who answers for it from then on (首问负责), settled with an outcome.

Informants report what people need in good time (区对基层民政组织意见 二（七）). Every lead has a clock (限时办结): its days are
the district's own, no regulation sets them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from uuid import UUID

from app.domain.calendar import Calendar, Deadline
from app.domain.leads import refusals


class LeadKind(StrEnum):
    HARDSHIP = "hardship"  # a family in trouble
    EMERGENCY = "emergency"  # fire, accident, sudden illness: first help cannot wait
    DEATH = "death"
    MOVE = "move"
    OTHER = "other"


class LeadState(StrEnum):
    REPORTED = "reported"
    TAKEN = "taken"
    SETTLED = "settled"
    WITHDRAWN = "withdrawn"


class LeadOutcome(StrEnum):
    APPLICATION = "application"  # an application was opened
    RECORD_CHANGED = "record_changed"  # a death, a move was put on record
    VISITED = "visited"  # looked at on the spot, nothing is due
    PASSED_ON = "passed_on"  # to another bureau
    UNFOUNDED = "unfounded"


#: Working days to settle a lead. An emergency by the next working day; the others as long as a survey may take to begin
#: (民发〔2021〕57号 第十五条 gives three).
WORKING_DAYS: Mapping[LeadKind, int] = {
    LeadKind.EMERGENCY: 1,
    LeadKind.HARDSHIP: 3,
    LeadKind.DEATH: 3,
    LeadKind.MOVE: 5,
    LeadKind.OTHER: 5,
}
OPEN = (LeadState.REPORTED, LeadState.TAKEN)


@dataclass(frozen=True, slots=True)
class LeadEntry:
    """A lead as reported. ``about``: whom it concerns; ``informant_id``: who noticed it."""

    area_code: str
    kind: LeadKind
    about: str
    description: str
    informant_id: UUID | None = None
    household_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Party:
    """An account that acts, with its name of the day."""

    id: UUID
    name: str


@dataclass(frozen=True, slots=True)
class Lead:
    """One lead. ``due`` is its clock; ``handler`` answers for it until he hands it over."""

    id: UUID
    entry: LeadEntry
    state: LeadState
    reported_by: Party
    reported_on: date
    due: Deadline
    handler: Party | None
    outcome: LeadOutcome | None
    note: str | None
    settled_on: date | None
    version: int
    fed_back_on: date | None = None

    @property
    def is_open(self) -> bool:
        return self.state in OPEN


def due_of(kind: LeadKind, reported_on: date, calendar: Calendar) -> Deadline:
    """The last day of the clock; the day of the report isn't counted."""
    return calendar.add_working_days(reported_on, WORKING_DAYS[kind])


def overdue(lead: Lead, today: date) -> bool:
    """Open after its last day, or settled after it. A lead taken back was never late."""
    if lead.state is LeadState.WITHDRAWN:
        return False
    return (lead.settled_on or today) > lead.due.date


def taken(lead: Lead, handler: Party) -> Lead:
    """Who takes it first answers for it."""
    _require(lead, LeadState.REPORTED)
    return replace(lead, state=LeadState.TAKEN, handler=handler)


def handed_over(lead: Lead, by: Party, to: Party, *, assigns: bool = False) -> Lead:
    """By whoever has it, or (``assigns``) by the head of the station when he is away; to somebody else than has it."""
    _require(lead, LeadState.TAKEN)
    if not assigns:
        _require_handler(lead, by)
    if lead.handler is not None and lead.handler.id == to.id:
        raise refusals.same_handler()
    return replace(lead, handler=to)


def settled(lead: Lead, by: Party, outcome: LeadOutcome, note: str, today: date) -> Lead:
    """The outcome goes back to whoever reported it."""
    _require(lead, LeadState.TAKEN)
    _require_handler(lead, by)
    return replace(lead, state=LeadState.SETTLED, outcome=outcome, note=note, settled_on=today)


def fed_back(lead: Lead, today: date) -> Lead:
    """The outcome was told to the informant, once."""
    _require(lead, LeadState.SETTLED)
    if lead.entry.informant_id is None:
        raise refusals.nobody_to_tell()
    if lead.fed_back_on is not None:
        raise refusals.told_already(lead.fed_back_on)
    return replace(lead, fed_back_on=today)


def withdrawn(lead: Lead, by: Party, note: str, today: date) -> Lead:
    """By whoever reported it, before anybody took it."""
    _require(lead, LeadState.REPORTED)
    if lead.reported_by.id != by.id:
        raise refusals.not_the_reporter()
    return replace(lead, state=LeadState.WITHDRAWN, note=note, settled_on=today)


def _require(lead: Lead, wanted: LeadState) -> None:
    if lead.state is not wanted:
        raise refusals.wrong_state(lead.state.value)


def _require_handler(lead: Lead, by: Party) -> None:
    if lead.handler is None or lead.handler.id != by.id:
        raise refusals.not_the_handler(lead.handler.name if lead.handler else "")
