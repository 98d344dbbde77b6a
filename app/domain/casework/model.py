"""What casework remembers: frozen values. Amounts in fen, months by their first day, periods half-open."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal
from uuid import UUID

from app.domain.casework.workflow import State

Document = Mapping[str, Any]
DecisionKind = Literal["opinion", "confirmation", "refusal"]


@dataclass(frozen=True, slots=True)
class Application:
    """One application for one programme. ``facts``: the ``household`` of contract §4, refs are person ids; None until put.

    ``opinion_id`` and ``opinion_by`` are of the standing opinion; a return for supplement takes it away.
    """

    id: UUID
    area_code: str
    number: str
    programme: str
    household_id: UUID
    applicant_person_id: UUID
    residence: str
    state: State
    facts: Document | None
    missing_items: tuple[str, ...]
    submitted_at: datetime | None
    accepted_on: date | None
    opinion_id: UUID | None
    opinion_by: UUID | None
    decision_id: UUID | None
    closed_at: datetime | None
    version: int
    created_at: datetime
    created_by: UUID
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Happening:
    """What goes on the timeline: an act (or ``create``, ``put-facts``), with codes and opaque ids in ``details``."""

    act: str
    note: str | None = None
    details: Document | None = None


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    """One act on an application, from which state to which; ``from_state`` is None for its creation."""

    number: int
    act: str
    from_state: str | None
    to_state: str
    at: datetime
    business_date: date
    actor_id: UUID
    actor_name: str
    note: str | None
    details: Document | None


@dataclass(frozen=True, slots=True)
class RunningClock:
    """A time limit of an application as stored; ``met_on`` is the day of the act that met or stopped it."""

    kind: str
    starts_on: date
    days: int
    due_on: date
    provisional: bool
    article: str
    met_on: date | None


@dataclass(frozen=True, slots=True)
class FrozenAssessment:
    """The rules' answer with all it was computed from; the documents have the shapes of contract §4."""

    id: UUID
    programme: str
    business_date: date
    policy_version: str
    engine_version: str
    inputs: Document
    result: Document
    parameters: tuple[Document, ...]
    outcome: str
    monthly_fen: int | None
    notice: str | None


@dataclass(frozen=True, slots=True)
class Decision:
    """An opinion, a confirmation or a refusal, on an assessment of its own."""

    id: UUID
    assessment_id: UUID
    kind: DecisionKind
    outcome: str
    reasons: tuple[Document, ...]
    text: str | None
    business_date: date
    decided_at: datetime
    decided_by: UUID
    decided_by_name: str


@dataclass(frozen=True, slots=True)
class NoticeContent:
    """All that may be published of an application (57号 第二十四条): no number, address, illness or income."""

    applicant_name: str
    members_count: int
    proposed_monthly_fen: int
    community: str


@dataclass(frozen=True, slots=True)
class PublicNotice:
    """Posted on ``posted_on``, shown through ``last_day``; the next act from ``closable_from`` on (57号 第十九条)."""

    id: UUID
    application_id: UUID
    area_code: str
    programme: str
    content: NoticeContent
    posted_on: date
    last_day: date
    closable_from: date
    closed_on: date | None


@dataclass(frozen=True, slots=True)
class Holding:
    """A programme that somebody already draws by another entitlement."""

    person_id: UUID
    programme: str


@dataclass(frozen=True, slots=True)
class GrantedComponent:
    """A component of the monthly amount, of the household or for one member; never negative."""

    component: str
    person_id: UUID | None
    amount_fen: int


@dataclass(frozen=True, slots=True)
class Grant:
    """What a confirmation gives: who is covered, how much, from which month, when it is looked at again."""

    programme: str
    category: str
    since_month: date
    next_review_on: date | None
    covered: tuple[UUID, ...]
    components: tuple[GrantedComponent, ...]


@dataclass(frozen=True, slots=True)
class Entitlement:
    id: UUID
    number: str
    programme: str
    category: str
    area_code: str
    household_id: UUID
    person_id: UUID | None
    application_id: UUID | None
    decision_id: UUID | None
    origin: str
    state: str
    since_month: date
    until_month: date | None
    next_review_on: date | None
    version: int
    created_at: datetime


@dataclass(frozen=True, slots=True)
class AmountPeriod:
    """A component of an entitlement over months, as known now."""

    component: str
    person_id: UUID | None
    from_month: date
    until_month: date | None
    amount_fen: int


@dataclass(frozen=True, slots=True)
class CoveredMember:
    person_id: UUID
    name: str | None
    from_month: date
    until_month: date | None


@dataclass(frozen=True, slots=True)
class DueComponent:
    """One component that an entitlement is worth in one benefit month: what payments pay.

    ``person_id``: whose entitlement it is (per-person programmes, else None); ``component_person_id``: whom an uplift is for.
    """

    entitlement_id: UUID
    number: str
    programme: str
    category: str
    area_code: str
    household_id: UUID
    person_id: UUID | None
    component: str
    component_person_id: UUID | None
    amount_fen: int
