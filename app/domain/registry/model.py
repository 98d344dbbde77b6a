"""What the registry knows of people and households: frozen values. Sensitive numbers appear masked or sealed, never plain.

Periods are half-open: a membership holds from ``valid_from`` up to, not including, ``valid_until``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Literal
from uuid import UUID

from app.domain.identity import AccountKind, Gender

Residence = Literal["urban", "rural"]
Relation = Literal["head", "spouse", "child", "parent", "grandparent", "grandchild", "sibling", "other"]
MaritalStatus = Literal["unmarried", "married", "widowed", "divorced"]
Employment = Literal["employed", "self_employed", "farming", "unemployed", "retired", "none"]
Study = Literal["preschool", "compulsory", "senior_secondary", "vocational", "junior_college", "undergraduate", "postgraduate"]
DisabilityCategory = Literal["vision", "hearing", "speech", "physical", "intellectual", "mental", "multiple"]


@dataclass(frozen=True, slots=True)
class Disability:
    """As on the certificate (GB/T 26341); grade 1 is the most severe. The certificate's number comes masked."""

    category: DisabilityCategory
    grade: int
    needs_care: bool = False
    certificate_no_masked: str | None = None


@dataclass(frozen=True, slots=True)
class Attributes:
    """The facts about a person that are in force on one day."""

    disability: Disability | None = None
    employment: Employment | None = None
    study: Study | None = None
    serious_illness: bool = False
    survival_confirmed_on: date | None = None


@dataclass(frozen=True, slots=True)
class PersonRecord:
    """A registered person as everybody with access may see him: sensitive fields masked."""

    id: UUID
    person_uid: UUID
    area_code: str
    name: str
    birth_date: date
    gender: Gender
    residence: Residence
    id_number_masked: str
    phone_masked: str | None
    address_masked: str | None
    hukou_area_code: str | None
    ethnicity: str | None
    marital_status: MaritalStatus | None
    synthetic: bool
    version: int
    attributes: Attributes = field(default_factory=Attributes)


@dataclass(frozen=True, slots=True)
class Membership:
    """One stay of a person in a household in one relation to its head; ``valid_until`` None: still there."""

    id: UUID
    household_id: UUID
    person_id: UUID
    relation: Relation
    valid_from: date
    valid_until: date | None = None

    def holds_on(self, day: date) -> bool:
        return self.valid_from <= day and self.reaches_past(day)

    def reaches_past(self, day: date) -> bool:
        """Whether it holds on the day or on some later one; a membership voided on its first day never does."""
        return self.valid_until is None or (day < self.valid_until and self.valid_from < self.valid_until)


@dataclass(frozen=True, slots=True)
class MemberRecord:
    """A membership with the person's name; the name is None when he has since left the caller's area."""

    person_id: UUID
    name: str | None
    relation: Relation
    valid_from: date
    valid_until: date | None


@dataclass(frozen=True, slots=True)
class PayeeAccount:
    """Where money for a household goes. ``number_sealed`` opens with ``Field.BANK_ACCOUNT`` and the household's id."""

    bank_name: str
    account_holder: str
    account_kind: AccountKind
    number_masked: str
    number_sealed: bytes


@dataclass(frozen=True, slots=True)
class HouseholdRecord:
    """A household as registered, with those who are its members on the day that was asked for."""

    id: UUID
    household_no: str
    area_code: str
    residence: Residence
    address_masked: str | None
    payee: PayeeAccount | None
    synthetic: bool
    version: int
    members: tuple[MemberRecord, ...] = ()


@dataclass(frozen=True, slots=True)
class MemberSnapshot:
    """A member on one day, with the attributes in force on it. ``name_key`` is the form to compare names in."""

    person_id: UUID
    person_uid: UUID
    name: str
    name_key: str
    relation: Relation
    birth_date: date
    gender: Gender
    residence: Residence
    id_number_masked: str
    disability: Disability | None
    employment: Employment | None
    study: Study | None
    serious_illness: bool


@dataclass(frozen=True, slots=True)
class HouseholdSnapshot:
    """A household on the day ``on``: what casework and payments take from the registry. The head stands first."""

    household_id: UUID
    household_no: str
    area_code: str
    residence: Residence
    version: int
    on: date
    members: tuple[MemberSnapshot, ...]
    payee: PayeeAccount | None

    @property
    def head(self) -> MemberSnapshot | None:
        """None on a day when nobody had joined yet."""
        return next((member for member in self.members if member.relation == "head"), None)
