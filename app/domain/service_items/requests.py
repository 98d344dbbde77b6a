"""A request (办件) and how it moves: who answers for it, what is missing, when it has to end. Pure.

首问负责: who took the applicant in answers for the request until somebody else has accepted it, so that exactly one person always
does. 一次性告知: all that is missing is named in one list; afterwards only what was newly brought can be objected to.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from enum import StrEnum
from uuid import UUID

from app.domain.calendar import Calendar, Deadline
from app.domain.service_items import clocks, refusals
from app.domain.service_items.clocks import Clock
from app.domain.service_items.model import Item, Party, Supply, Waiver

#: Where no law sets a limit, a request so many days past the promised one is brought before the district.
DISTRICT_AFTER = timedelta(days=10)


class RequestState(StrEnum):
    IN_HAND = "in_hand"
    AWAITING = "awaiting_supplement"
    DONE = "done"
    NOT_ACCEPTED = "not_accepted"
    WITHDRAWN = "withdrawn"


OPEN = (RequestState.IN_HAND, RequestState.AWAITING)


class HandOverReason(StrEnum):
    """Why somebody hands over, declines or takes over."""

    OTHER_DUTY = "other_duty"  # somebody else's duty
    ABSENCE = "absence"
    REASSIGNMENT = "reassignment"
    WORKLOAD = "workload"


class MissingReason(StrEnum):
    ABSENT = "absent"
    DEFECTIVE = "defective"
    SHARING_UNAVAILABLE = "sharing_unavailable"  # the authorities couldn't get it for him


class Ground(StrEnum):
    """Why a request isn't accepted."""

    NOT_OUR_BUSINESS = "not_our_business"
    CONDITIONS_NOT_MET = "conditions_not_met"
    NOT_SUPPLEMENTED = "not_supplemented"
    DUPLICATE = "duplicate"


class RequestEscalation(StrEnum):
    """Before whom an overdue request is brought."""

    STATION_HEAD = "station_head"
    DISTRICT = "district"


@dataclass(frozen=True, slots=True)
class RequestEntry:
    """What is written down at the counter. Either ``person_id`` or ``name``; ``phone`` in plain only on its way in."""

    item_code: str
    person_id: UUID | None = None
    name: str | None = None
    phone: str | None = None
    application_id: UUID | None = None
    materials: Mapping[str, Supply] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Applicant:
    """A registered person, or a name; the phone masked."""

    person_id: UUID | None
    name: str | None
    phone_masked: str | None


@dataclass(frozen=True, slots=True)
class Offer:
    """A hand-over that waits to be accepted."""

    to: Party
    reason: HandOverReason
    on: date


@dataclass(frozen=True, slots=True)
class Missing:
    """A material on the list that the applicant was given."""

    code: str
    reason: MissingReason


@dataclass(frozen=True, slots=True)
class LinkedApplication:
    """The relief application that a request stands for; its state and its total clock are the application's own."""

    id: UUID
    number: str
    programme: str
    closed_on: date | None
    withdrawn: bool
    accepted_on: date | None = None
    due: Deadline | None = None


@dataclass(frozen=True, slots=True)
class Request:
    """One request. ``legal`` None: no legal limit. Both clocks None: the linked application has them.

    ``objectionable``: what was brought since the last list; only to that a further list may object.
    """

    id: UUID
    area_code: str
    item: Item
    applicant: Applicant
    state: RequestState
    taken_by: Party
    taken_on: date
    responsible: Party
    offer: Offer | None
    materials: Mapping[str, Supply]
    missing: tuple[Missing, ...]
    notified_on: date | None
    objectionable: frozenset[str]
    legal: Clock | None
    promised: Clock | None
    application: LinkedApplication | None
    closed_on: date | None
    ground: Ground | None
    note: str | None
    version: int

    @property
    def standing(self) -> RequestState:
        """The state; where an application is linked, as that stands."""
        if self.application is None or self.application.closed_on is None or self.state not in OPEN:
            return self.state
        return RequestState.WITHDRAWN if self.application.withdrawn else RequestState.DONE

    @property
    def is_open(self) -> bool:
        return self.standing in OPEN

    @property
    def ended_on(self) -> date | None:
        """The day it ended; where an application is linked, as that did."""
        return self.closed_on or (self.application.closed_on if self.application else None)

    @property
    def paused(self) -> bool:
        """While the applicant brings what is missing, at least one clock stands still."""
        return any(clock is not None and clock.due is None for clock in (self.legal, self.promised))


# --- who answers for it -------------------------------------------------------------------------------------------------


def offered(request: Request, by: Party, to: Party, reason: HandOverReason, today: date) -> Request:
    """The responsible one offers it to a colleague, and stays responsible until that one has accepted."""
    _require_responsible(request, by)
    if request.offer is not None:
        raise refusals.offer_pending(request.offer.to.name)
    if to.id == by.id:
        raise refusals.same_person()
    return replace(request, offer=Offer(to, reason, today))


def accepted(request: Request, by: Party) -> Request:
    """Only whoever it was offered to."""
    _require_offered_to(request, by)
    return replace(request, responsible=by, offer=None)


def declined(request: Request, by: Party) -> Request:
    _require_offered_to(request, by)
    return replace(request, offer=None)


def recalled(request: Request, by: Party) -> Request:
    """The responsible one takes his offer back."""
    _require_responsible(request, by)
    if request.offer is None:
        raise refusals.no_offer()
    return replace(request, offer=None)


def taken_over(request: Request, by: Party, *, orphaned: bool, is_head: bool) -> Request:
    """Nobody is left who could hand it over (account disabled, moved away), or the head of the station steps in."""
    _require_open(request)
    if request.responsible.id == by.id:
        raise refusals.same_person()
    if not (orphaned or is_head):
        raise refusals.not_orphaned(request.responsible.name)
    return replace(request, responsible=by, offer=None)


# --- what is missing ----------------------------------------------------------------------------------------------------


def check_materials(item: Item, brought: Mapping[str, Supply]) -> None:
    """``Malformed`` material_unknown, waiver_not_allowed."""
    for code, supply in brought.items():
        material = item.materials.get(code)
        if material is None:
            raise refusals.material_unknown(code)
        if not material.may_come_as(supply):
            raise refusals.waiver_not_allowed(material.name)


def notified(request: Request, by: Party, missing: Sequence[Missing], today: date, calendar: Calendar) -> Request:
    """一次性告知. The clocks stand still from then on, where the item's law says so."""
    _require_responsible(request, by)
    _require_own_clock(request)
    if request.state is not RequestState.IN_HAND:
        raise refusals.wrong_state(request.standing.value)
    for one in missing:
        _check_missing(request, one)
    named = {one.code for one in missing}
    changed = replace(
        request,
        state=RequestState.AWAITING,
        missing=tuple(missing),
        notified_on=today,
        materials={code: supply for code, supply in request.materials.items() if code not in named},
        objectionable=frozenset(),
    )
    if request.item.entry.limit.pause_article is None:
        return changed
    return _on_clocks(changed, lambda clock: clocks.stopped(clock, today, calendar))


def _check_missing(request: Request, missing: Missing) -> None:
    material = request.item.materials.get(missing.code)
    if material is None:
        raise refusals.material_unknown(missing.code)
    if request.notified_on is not None and not (
        missing.code in request.objectionable and missing.reason is MissingReason.DEFECTIVE
    ):
        raise refusals.notified_already(request.notified_on, material.name)
    if (missing.reason is MissingReason.DEFECTIVE) != (missing.code in request.materials):
        raise refusals.reason_does_not_fit(material.name)
    if Waiver.DATA_SHARING in material.waivers and missing.reason is MissingReason.ABSENT:
        raise refusals.shared_material(material.name)


def supplemented(request: Request, by: Party, brought: Mapping[str, Supply], today: date, calendar: Calendar) -> Request:
    """What the applicant brought of the list; when nothing of it is missing any more, the clocks run on."""
    _require_responsible(request, by)
    if request.state is not RequestState.AWAITING:
        raise refusals.wrong_state(request.standing.value)
    check_materials(request.item, brought)
    listed = {one.code for one in request.missing}
    for code in brought:
        if code not in listed:
            raise refusals.not_asked_for(request.item.materials[code].name)
    left = tuple(one for one in request.missing if one.code not in brought)
    changed = replace(
        request,
        missing=left,
        materials={**request.materials, **brought},
        objectionable=request.objectionable | frozenset(brought),
    )
    if left:
        return changed
    return replace(_resumed(changed, today, calendar), state=RequestState.IN_HAND)


# --- how it ends --------------------------------------------------------------------------------------------------------


def done(request: Request, by: Party, note: str, today: date) -> Request:
    """With every required material in."""
    _require_responsible(request, by)
    _require_own_clock(request)
    if request.state is not RequestState.IN_HAND:
        raise refusals.wrong_state(request.standing.value)
    lacking = [one.name for one in request.item.entry.materials if one.required and one.code not in request.materials]
    if lacking:
        raise refusals.materials_incomplete(lacking)
    return replace(request, state=RequestState.DONE, offer=None, note=note, closed_on=today)


def not_accepted(request: Request, by: Party, ground: Ground, note: str, today: date, calendar: Calendar) -> Request:
    """With its reason. For want of a supplement only after the list was given."""
    _require_responsible(request, by)
    _require_own_clock(request)
    if ground is Ground.NOT_SUPPLEMENTED and request.state is not RequestState.AWAITING:
        raise refusals.nothing_asked_for()
    return replace(_ended(request, today, calendar), state=RequestState.NOT_ACCEPTED, ground=ground, note=note)


def withdrawn(request: Request, by: Party, note: str, today: date, calendar: Calendar) -> Request:
    """The applicant takes it back; written down by whoever answers for it."""
    _require_responsible(request, by)
    _require_own_clock(request)
    return replace(_ended(request, today, calendar), state=RequestState.WITHDRAWN, note=note)


def _ended(request: Request, today: date, calendar: Calendar) -> Request:
    """A clock that stood still runs on as of the last day: waiting for the applicant made nothing late."""
    return replace(_resumed(request, today, calendar), offer=None, closed_on=today)


# --- how late it is -----------------------------------------------------------------------------------------------------


def overdue(request: Request, today: date) -> bool:
    """By the promised limit or by the legal one; what has ended is judged by its last day."""
    day = request.closed_on or today
    return any(clock is not None and clock.late(day) for clock in (request.legal, request.promised))


def escalation_of(request: Request, today: date) -> RequestEscalation | None:
    """Past the promised day before the station's head, past the legal one before the district."""
    if not request.is_open or not overdue(request, today):
        return None
    if request.legal is not None:
        return RequestEscalation.DISTRICT if request.legal.late(today) else RequestEscalation.STATION_HEAD
    promised = request.promised.due_on if request.promised else None
    return RequestEscalation.DISTRICT if promised and today - promised > DISTRICT_AFTER else RequestEscalation.STATION_HEAD


# --- conditions ---------------------------------------------------------------------------------------------------------


def _require_open(request: Request) -> None:
    if not request.is_open:
        raise refusals.wrong_state(request.standing.value)


def _require_responsible(request: Request, by: Party) -> None:
    _require_open(request)
    if request.responsible.id != by.id:
        raise refusals.not_responsible(request.responsible.name)


def _require_offered_to(request: Request, by: Party) -> None:
    _require_open(request)
    if request.offer is None:
        raise refusals.no_offer()
    if request.offer.to.id != by.id:
        raise refusals.not_offered_to_you(request.offer.to.name)


def _require_own_clock(request: Request) -> None:
    if request.application is not None:
        raise refusals.ask_the_application(request.application.number)


def _on_clocks(request: Request, act: clocks.Change) -> Request:
    return replace(
        request,
        legal=None if request.legal is None else act(request.legal),
        promised=None if request.promised is None else act(request.promised),
    )


def _resumed(request: Request, today: date, calendar: Calendar) -> Request:
    return _on_clocks(request, lambda clock: clocks.resumed(clock, today, calendar))
