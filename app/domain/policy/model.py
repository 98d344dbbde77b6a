"""What the policy desk remembers: parameter sets, simulations, adjustment batches. Amounts in fen, periods half-open."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from app.domain.access import Signature
from app.domain.calendar import Month
from app.domain.casework import GrantedComponent

Document = Mapping[str, Any]


class SetStatus(StrEnum):
    DRAFT = "draft"
    ACTIVE = "active"
    SUPERSEDED = "superseded"


@dataclass(frozen=True, slots=True)
class SignOff:
    """A signature under a simulation of exactly the content with this hash."""

    signature: Signature
    content_hash: str
    simulation_id: UUID


@dataclass(frozen=True, slots=True)
class PolicySet:
    """A set of parameters of one area. ``author_id`` None: loaded by a command, which is nobody's signature."""

    id: UUID
    area_code: str
    status: SetStatus
    content_hash: str
    title: str | None
    effective_from: date | None
    author_id: UUID | None
    author_name: str
    copied_from: UUID | None
    demo: bool
    version: int
    created_at: datetime
    sign_off: SignOff | None
    activated_at: datetime | None
    activated_by: str | None


@dataclass(frozen=True, slots=True)
class Difference:
    """What one set says otherwise than another in ``[valid_from, valid_until)``; None: it says nothing there."""

    key: str
    valid_from: date
    valid_until: date | None
    before: Any
    after: Any


@dataclass(frozen=True, slots=True)
class Simulation:
    """A replay of the running entitlements under a set. ``programmes`` empty: all. ``summary`` None: not finished.

    ``base_set_id``: the area's active set that it was compared with.
    """

    id: UUID
    area_code: str
    set_id: UUID
    set_hash: str
    base_set_id: UUID | None
    on: date
    programmes: tuple[str, ...]
    job_id: UUID
    requested: Signature
    summary: Document | None
    finished_at: datetime | None


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a background run has come."""

    status: str
    done: int
    total: int
    problem: Document | None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a household draws, and what it would draw, under two books on the same facts. Amounts by month, in fen."""

    entitlement_id: UUID
    household_id: UUID
    area_code: str
    programme: str
    before_outcome: str
    after_outcome: str
    before_fen: int
    after_fen: int

    @property
    def change_fen(self) -> int:
        return self.after_fen - self.before_fen

    @property
    def differs(self) -> bool:
        return self.change_fen != 0 or self.before_outcome != self.after_outcome


class AdjustmentState(StrEnum):
    PROPOSED = "proposed"
    APPROVED = "approved"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class KnownAmount:
    """A component of an entitlement over the months ``[from_month, until_month)``, as known now."""

    component: str
    person_id: UUID | None
    from_month: Month
    until_month: Month | None
    amount_fen: int

    def due_in(self, month: Month) -> bool:
        return self.from_month <= month and (self.until_month is None or month < self.until_month)


@dataclass(frozen=True, slots=True)
class Adjustment:
    """One entitlement in a 提标: the amount known now, the new one from a month on, and what months already begun lack.

    ``arrears``: the difference for each month before that of the business date. Whoever pays them pays for months that were
    paid at the old amount; a month not yet paid is due at the new one.
    """

    id: UUID
    area_code: str
    entitlement_id: UUID
    household_id: UUID
    programme: str
    from_month: Month
    old_fen: int
    new_fen: int
    components: tuple[GrantedComponent, ...]
    arrears: tuple[tuple[Month, int], ...]

    @property
    def arrears_fen(self) -> int:
        return sum(fen for _, fen in self.arrears)


@dataclass(frozen=True, slots=True)
class AdjustmentBatch:
    """All entitlements that a newly active set changes, approved at once by somebody else than who made it."""

    id: UUID
    area_code: str
    set_id: UUID
    effective_month: Month
    state: AdjustmentState
    business_date: date
    items: int
    excluded: int
    monthly_change_fen: int
    arrears_fen: int
    made: Signature
    approved: Signature | None
    version: int
