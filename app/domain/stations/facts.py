"""The facts of one station on one day, as an assessment takes them: frozen, mirroring the published fact keys.

None means unknown; an empty tuple or set means "none". Areas are in m², money in fen.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Literal

from app.domain.stations.records import Establishment, OfficeKind

CommunityKind = Literal["community", "village"]


@dataclass(frozen=True, slots=True)
class StaffFact:
    """One post. ``leader``: 站长 or 副站长, who hold the post beside their own office.

    ``filed``: on file with the bureau after the examination. ``consulted``: the bureau was asked before the post was given.
    """

    establishment: Establishment | None = None
    name: str | None = None
    full_time: bool | None = None
    position: str | None = None
    since: date | None = None
    education: str | None = None
    leader: bool = False
    filed: bool | None = None
    consulted: bool | None = None


@dataclass(frozen=True, slots=True)
class PremisesFact:
    area_m2: Decimal | int | None = None
    independent: bool | None = None
    accessible: bool | None = None
    service_window: bool | None = None
    archive_room: bool | None = None


@dataclass(frozen=True, slots=True)
class BudgetFact:
    in_fiscal_budget: bool | None = None
    monthly_disbursed: bool | None = None
    amount_fen: int | None = None
    last_year_fen: int | None = None


@dataclass(frozen=True, slots=True)
class EquipmentFact:
    """Pieces in working order."""

    computer: int | None = None
    telephone: int | None = None
    fax: int | None = None
    printer: int | None = None
    camera: int | None = None
    vehicle: int | None = None


@dataclass(frozen=True, slots=True)
class ArchivesFact:
    total: int | None = None
    bound: int | None = None
    digitised: int | None = None
    confidential: bool | None = None


@dataclass(frozen=True, slots=True)
class CommunityFact:
    """A community or village with its people and its informants (信息监督员)."""

    population: int | None = None
    informants: int | None = None
    area_code: str | None = None
    kind: CommunityKind | None = None


@dataclass(frozen=True, slots=True)
class TrainingsFact:
    """Trainings held this year, for assistants (民政助理员) and coordinators (村居协管员)."""

    assistants_this_year: int | None = None
    coordinators_this_year: int | None = None


@dataclass(frozen=True, slots=True)
class MeetingsFact:
    """Of the last twelve months: months with a meeting, quarters with a check."""

    monthly_held_12m: int | None = None
    quarterly_checks_12m: int | None = None


@dataclass(frozen=True, slots=True)
class CommunityOfficeFact:
    area_m2: Decimal | int | None = None
    kind: OfficeKind | None = None
    rooms: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class TallyFact:
    """Cases as they should be, and all cases. ``recorded`` False: nobody keeps such data."""

    part: int | None = None
    whole: int | None = None
    recorded: bool = True


@dataclass(frozen=True, slots=True)
class OperationsFact:
    """How the station worked over the last twelve full months, one tally for each of ``operating.JUDGED``."""

    home_visit_rate: TallyFact = field(default_factory=TallyFact)
    survey_rate: TallyFact = field(default_factory=TallyFact)
    on_time_rate: TallyFact = field(default_factory=TallyFact)
    notice_rate: TallyFact = field(default_factory=TallyFact)
    review_rate: TallyFact = field(default_factory=TallyFact)
    complete_case_files: TallyFact = field(default_factory=TallyFact)
    digital_case_files: TallyFact = field(default_factory=TallyFact)
    account_paid_rate: TallyFact = field(default_factory=TallyFact)
    lead_on_time_rate: TallyFact = field(default_factory=TallyFact)
    active_informants: TallyFact = field(default_factory=TallyFact)
    service_on_time_rate: TallyFact = field(default_factory=TallyFact)
    hotline_rate: TallyFact = field(default_factory=TallyFact)
    petition_rate: TallyFact = field(default_factory=TallyFact)


@dataclass(frozen=True, slots=True)
class ClaimedTotals:
    """Totals as the form itself writes them, beside the items that they sum up."""

    staff: int | None = None
    established_staff: int | None = None
    communities: int | None = None
    informants: int | None = None


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything a standard may ask about a station."""

    staff: tuple[StaffFact, ...] | None = None
    premises: PremisesFact = field(default_factory=PremisesFact)
    budget: BudgetFact = field(default_factory=BudgetFact)
    equipment: EquipmentFact = field(default_factory=EquipmentFact)
    rules: frozenset[str] | None = None
    signage: frozenset[str] | None = None
    archives: ArchivesFact = field(default_factory=ArchivesFact)
    communities: tuple[CommunityFact, ...] | None = None
    population: int | None = None
    trainings: TrainingsFact = field(default_factory=TrainingsFact)
    meetings: MeetingsFact = field(default_factory=MeetingsFact)
    volunteers: int | None = None
    emergency_plan: bool | None = None
    community_office: CommunityOfficeFact = field(default_factory=CommunityOfficeFact)
    operations: OperationsFact = field(default_factory=OperationsFact)
    claimed: ClaimedTotals = field(default_factory=ClaimedTotals)
