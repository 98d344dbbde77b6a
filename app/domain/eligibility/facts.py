"""The facts of a question: frozen, complete, free of clock and storage. They mirror contract §4.

None in ``Household`` and ``Context`` means unknown; an empty tuple means "none". An absent member fact is the harmless default.
Amounts are in fen.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum


class Residence(StrEnum):
    URBAN = "urban"
    RURAL = "rural"


class Relation(StrEnum):
    HEAD = "head"
    SPOUSE = "spouse"
    CHILD = "child"
    PARENT = "parent"
    GRANDPARENT = "grandparent"
    GRANDCHILD = "grandchild"
    SIBLING = "sibling"
    OTHER = "other"


class Gender(StrEnum):
    MALE = "male"
    FEMALE = "female"


class Absence(StrEnum):
    IMPRISONED = "imprisoned"
    COMPULSORY_REHAB = "compulsory_rehab"
    MISSING = "missing"
    RELIGIOUS_3Y = "religious_3y"
    OTHER_HOUSEHOLD = "other_household"


class Study(StrEnum):
    PRESCHOOL = "preschool"
    COMPULSORY = "compulsory"
    SENIOR_SECONDARY = "senior_secondary"
    VOCATIONAL = "vocational"
    JUNIOR_COLLEGE = "junior_college"
    UNDERGRADUATE = "undergraduate"
    POSTGRADUATE = "postgraduate"


class Employment(StrEnum):
    EMPLOYED = "employed"
    SELF_EMPLOYED = "self_employed"
    FARMING = "farming"
    UNEMPLOYED = "unemployed"
    RETIRED = "retired"
    NONE = "none"


class DisabilityCategory(StrEnum):
    VISION = "vision"
    HEARING = "hearing"
    SPEECH = "speech"
    PHYSICAL = "physical"
    INTELLECTUAL = "intellectual"
    MENTAL = "mental"
    MULTIPLE = "multiple"


class IncomeKind(StrEnum):
    WAGE = "wage"
    BUSINESS_NET = "business_net"
    PROPERTY_NET = "property_net"
    TRANSFER_NET = "transfer_net"
    OTHER = "other"
    PREFERENTIAL_PENSION = "preferential_pension"
    FAMILY_PLANNING_AWARD = "family_planning_award"
    SCHOLARSHIP = "scholarship"
    BRAVERY_AWARD = "bravery_award"
    SOCIAL_ASSISTANCE = "social_assistance"
    BASIC_PENSION_CENTRAL = "basic_pension_central"
    DISABILITY_SUBSIDY = "disability_subsidy"
    ORPHAN_ALLOWANCE = "orphan_allowance"
    UNSUPPORTED_CHILD_ALLOWANCE = "unsupported_child_allowance"
    OLD_AGE_ALLOWANCE = "old_age_allowance"
    SOCIAL_INSURANCE_MEDICAL = "social_insurance_medical"


class AssetKind(StrEnum):
    CASH = "cash"
    DEPOSIT = "deposit"
    SECURITIES = "securities"
    FUND = "fund"
    INSURANCE = "insurance"
    RECEIVABLE = "receivable"
    INTERNET_FINANCE = "internet_finance"
    VEHICLE = "vehicle"
    REAL_ESTATE = "real_estate"


class ExpenseKind(StrEnum):
    MEDICAL = "medical"
    EDUCATION = "education"
    DISABILITY_REHAB = "disability_rehab"
    LIVING = "living"
    OTHER = "other"


class ParentStatus(StrEnum):
    DEAD = "dead"
    MISSING = "missing"
    SEVERE_DISABILITY = "severe_disability"
    SERIOUS_ILLNESS = "serious_illness"
    IMPRISONED = "imprisoned"
    COMPULSORY_REHAB = "compulsory_rehab"
    RESTRICTED = "restricted"
    LOST_CONTACT = "lost_contact"
    ABLE = "able"


class EmergencyKind(StrEnum):
    FIRE = "fire"
    TRAFFIC_ACCIDENT = "traffic_accident"
    SUDDEN_ILLNESS = "sudden_illness"
    DISASTER = "disaster"
    INCOME_LOSS = "income_loss"
    OTHER = "other"


SEVERE_GRADE = 2  # 重残: grades 1 and 2
MODERATE_GRADE = 3


@dataclass(frozen=True, slots=True)
class Disability:
    """As on the certificate: GB/T 26341 category and grade (1 is the most severe)."""

    category: DisabilityCategory
    grade: int
    needs_care: bool = False

    @property
    def severe(self) -> bool:
        return self.grade <= SEVERE_GRADE

    @property
    def intellectual_or_mental(self) -> bool:
        return self.category in (DisabilityCategory.INTELLECTUAL, DisabilityCategory.MENTAL)

    @property
    def severe_or_grade_3_intellectual_mental(self) -> bool:
        """重残, or 三级智力、精神 (民发〔2021〕57号 第八条(一), 43号 第八条)."""
        return self.severe or (self.grade == MODERATE_GRADE and self.intellectual_or_mental)


@dataclass(frozen=True, slots=True)
class Income:
    kind: IncomeKind
    monthly_fen: int


@dataclass(frozen=True, slots=True)
class MedicalClaim:
    """Costs after insurance: what the rules cover, what was already paid this year, what lies outside the catalogue."""

    compliant_self_paid_fen: int
    paid_this_year_fen: int = 0
    outside_catalogue_fen: int = 0


@dataclass(frozen=True, slots=True)
class Member:
    ref: str
    relation: Relation
    birth_date: date
    gender: Gender | None = None
    absence: Absence | None = None
    study: Study | None = None
    employment: Employment | None = None
    employable: bool = False
    job_offers_refused: int = 0
    disability: Disability | None = None
    serious_illness: bool = False
    self_care_failed_items: int = 0
    incomes: tuple[Income, ...] = ()
    authorised_verification: bool | None = None
    survival_confirmed_on: date | None = None
    hukou_local: bool | None = None
    institutional_care: bool | None = None
    medical_claim: MedicalClaim | None = None


@dataclass(frozen=True, slots=True)
class Asset:
    kind: AssetKind
    value_fen: int
    exempt_fen: int = 0

    @property
    def counted_fen(self) -> int:
        return max(0, self.value_fen - self.exempt_fen)

    @property
    def wholly_exempt(self) -> bool:
        """A necessity of living or producing, left out as a whole (民发〔2021〕57号 第十四条)."""
        return self.exempt_fen > 0 and self.exempt_fen >= self.value_fen


@dataclass(frozen=True, slots=True)
class Expense:
    kind: ExpenseKind
    amount_fen: int
    reimbursed_fen: int = 0
    public_tuition_fen: int | None = None
    paid_on: date | None = None


@dataclass(frozen=True, slots=True)
class Household:
    members: tuple[Member, ...]
    assets: tuple[Asset, ...] | None = None
    expenses: tuple[Expense, ...] | None = None
    deductible_monthly_fen: int = 0
    authorised_verification: bool | None = None


@dataclass(frozen=True, slots=True)
class CurrentEntitlement:
    """What the household draws now; ``since`` is ``YYYY-MM``, an amount of None is unknown."""

    programme: str
    monthly_fen: int | None = None
    since: str | None = None
    ended_by_employment: bool = False


@dataclass(frozen=True, slots=True)
class Holding:
    """Another benefit that a member already draws: a programme code, elderly_care_allowance or work_injury_care."""

    member: str
    programme: str
    monthly_fen: int | None = None


@dataclass(frozen=True, slots=True)
class ParentFact:
    """The circumstance of one parent; ``child`` names the member it is about, None = all minors of the household."""

    status: ParentStatus
    months: int | None = None
    disability: Disability | None = None
    child: str | None = None


@dataclass(frozen=True, slots=True)
class Obligor:
    """Somebody outside the household with a legal duty of support (for 特困)."""

    relation: str | None = None
    birth_date: date | None = None
    programme: str | None = None
    annual_income_fen: int | None = None
    assets_comply: bool | None = None
    disability: Disability | None = None
    absence: Absence | None = None
    civil_incapacity: bool = False


@dataclass(frozen=True, slots=True)
class Emergency:
    kind: EmergencyKind
    urgent: bool = False
    requested_fen: int | None = None
    occurred_on: date | None = None
    occurred_area: str | None = None
    special: bool = False


@dataclass(frozen=True, slots=True)
class VeteranStatus:
    """An 优抚 identity of a member: its category as the standard lists it, and the yearly confirmation."""

    member: str
    category: str
    confirmed_on: date | None = None
    suspended: bool = False


@dataclass(frozen=True, slots=True)
class Override:
    """A reasoned departure from a formula: ``rule`` imputed_income or support_payment, for a member or the n-th obligor."""

    rule: str
    monthly_fen: int
    reason: str
    member: str | None = None
    obligor: int | None = None


@dataclass(frozen=True, slots=True)
class Context:
    """What only some programmes need. None = unknown, an empty tuple = none."""

    current_entitlement: CurrentEntitlement | None = None
    holds: tuple[Holding, ...] | None = None
    parents: tuple[ParentFact, ...] | None = None
    obligors: tuple[Obligor, ...] | None = None
    emergency: Emergency | None = None
    medical_claim: MedicalClaim | None = None
    hukou_local: bool | None = None
    survival_confirmed_on: date | None = None
    institutional_care: bool | None = None
    veterans: tuple[VeteranStatus, ...] | None = None
    overrides: tuple[Override, ...] = ()


@dataclass(frozen=True, slots=True)
class AssessmentQuestion:
    """Everything an answer depends on besides the parameters.

    ``business_date`` is the day of the decision (for the two disability subsidies: of the application); ``programmes`` None
    asks for every programme.
    """

    business_date: date
    area_code: str
    residence: Residence
    household: Household
    programmes: tuple[str, ...] | None = None
    context: Context = field(default_factory=Context)
