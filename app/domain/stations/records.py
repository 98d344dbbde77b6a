"""What is on file about a station: frozen values. Periods are half-open; money in fen, areas in m².

Sheets (premises, budget, …) are written anew as a whole: each is in force until the next one of its kind. The field names of a
sheet are those of its table and of the public contract.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Generic, Literal, TypeVar
from uuid import UUID

Establishment = Literal["administrative", "institutional", "other"]
LeadsAs = Literal["head", "deputy"]
Audience = Literal["assistants", "coordinators"]
MeetingKind = Literal["monthly_meeting", "quarterly_check"]
OfficeKind = Literal["urban", "township"]
Provider = Literal["bureau", "street"]

#: S001: 站长由街办分管领导兼任，副站长由社会事务科科长兼任.
HEAD_POST = "分管领导"
DEPUTY_POST = "社会事务科科长"
MONTHS = 12


def holds(day: date, since: date, until: date | None) -> bool:
    """Whether a half-open period covers the day."""
    return since <= day and (until is None or day < until)


# -- stations ----------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class StationDetails:
    """Everything about a station that may be corrected. ``head_post``, ``deputy_post``: whose office leads it by rule."""

    name: str
    opened_on: date
    head_post: str = HEAD_POST
    deputy_post: str = DEPUTY_POST
    address: str | None = None
    phone: str | None = None


@dataclass(frozen=True, slots=True)
class StationRecord:
    """A station on file; ``closed_on`` is the first day it is no more."""

    id: UUID
    area_code: str
    details: StationDetails
    closed_on: date | None
    version: int

    def open_on(self, day: date) -> bool:
        return holds(day, self.details.opened_on, self.closed_on)


# -- people ------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class StaffDetails:
    """A post at a station. ``filed_on``: on file with the bureau after the examination (S000: 考试合格后备案).

    ``consulted_on``: the bureau gave its opinion before the post was given (S000: 人员的调整事先征求县民政局的意见).
    """

    name: str
    establishment: Establishment
    full_time: bool
    position: str
    since: date
    leads_as: LeadsAs | None = None
    education: str | None = None
    exam_passed: bool = False
    filed_on: date | None = None
    other_posts: str | None = None
    consulted_on: date | None = None
    account_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class StaffRecord:
    """A post on file, held from ``details.since`` up to, not including, ``until``."""

    id: UUID
    station_id: UUID
    area_code: str
    details: StaffDetails
    until: date | None
    version: int

    def holds_on(self, day: date) -> bool:
        return holds(day, self.details.since, self.until)


@dataclass(frozen=True, slots=True)
class InformantDetails:
    """An informant (信息监督员) of a community; the phone in plain only on its way in."""

    area_code: str
    name: str
    since: date
    phone: str | None = None
    badge_no: str | None = None


@dataclass(frozen=True, slots=True)
class InformantRecord:
    """An informant on file; the phone masked."""

    id: UUID
    area_code: str
    name: str
    phone_masked: str | None
    badge_no: str | None
    since: date
    until: date | None
    version: int

    def holds_on(self, day: date) -> bool:
        return holds(day, self.since, self.until)


# -- sheets ------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Premises:
    """办公场所."""

    area_m2: Decimal
    independent: bool
    accessible: bool
    service_window: bool
    archive_room: bool


@dataclass(frozen=True, slots=True)
class Budget:
    """A year's budget; ``disbursed_fen`` has twelve places, January first, None for a month without a payment."""

    year: int
    in_fiscal_budget: bool
    amount_fen: int
    disbursed_fen: tuple[int | None, ...]


@dataclass(frozen=True, slots=True)
class Equipment:
    """办公设施: pieces in working order."""

    computer: int
    telephone: int
    fax: int
    printer: int
    camera: int
    vehicle: int


@dataclass(frozen=True, slots=True)
class Rules:
    """规章制度 and 标识 by code; ``made_by_bureau``: signs that the bureau has provided, the street office provides the rest."""

    rules: tuple[str, ...]
    signage: tuple[str, ...]
    made_by_bureau: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Archives:
    """文档资料, as counted on the sheet's day."""

    total: int
    bound: int
    digitised: int
    confidential: bool


@dataclass(frozen=True, slots=True)
class Volunteers:
    """志愿者队伍 and 应急措施."""

    volunteers: int
    emergency_plan: bool
    emergency_plan_on: date | None = None


@dataclass(frozen=True, slots=True)
class CommunityOffice:
    """The office of one community (五有一创)."""

    kind: OfficeKind
    area_m2: Decimal
    rooms: tuple[str, ...]


StationContent = Premises | Budget | Equipment | Rules | Archives | Volunteers
C = TypeVar("C", bound=StationContent | CommunityOffice)
S = TypeVar("S", bound=StationContent)


@dataclass(frozen=True, slots=True)
class Sheet(Generic[C]):
    """A sheet on file, in force from ``valid_from`` up to, not including, ``valid_until`` (None: no later one)."""

    id: UUID
    area_code: str
    valid_from: date
    valid_until: date | None
    content: C


# -- events ------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Training:
    """A training for assistants (民政助理员) or coordinators (村居协管员)."""

    audience: Audience
    held_on: date
    topic: str
    attended: int


@dataclass(frozen=True, slots=True)
class Meeting:
    """例会 or 检查 with the coordinators (一月一例会、一季一检查)."""

    kind: MeetingKind
    held_on: date
    invited: int
    attended: int
    note: str | None = None


E = TypeVar("E", bound=Training | Meeting)


@dataclass(frozen=True, slots=True)
class Event(Generic[E]):
    """A training or meeting on file."""

    id: UUID
    station_id: UUID
    area_code: str
    version: int
    content: E
