"""What the demo data is made of: plain values that the loader writes to the database. Every one of them is synthetic."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Literal

from app.domain.identity import Gender

Residence = Literal["urban", "rural"]


@dataclass(frozen=True, slots=True)
class DemoIncome:
    """A monthly income; ``kind`` is a word of the public contract."""

    kind: str
    monthly_fen: int


@dataclass(frozen=True, slots=True)
class DemoAsset:
    """An asset of the household; ``kind`` is a word of the public contract."""

    kind: str
    value_fen: int
    exempt_fen: int = 0


@dataclass(frozen=True, slots=True)
class DemoDisability:
    """A disability certificate (GB/T 26341): category in words, grade 1 (heaviest) to 4."""

    category: str
    grade: int
    needs_care: bool
    certificate_no: str


@dataclass(frozen=True, slots=True)
class DemoBankAccount:
    """A bank card that no bank has issued."""

    bank_name: str
    account: str
    holder: str
    kind: str = "card"


@dataclass(frozen=True, slots=True)
class DemoPerson:
    """A person who doesn't exist. ``gender``, ``employment`` and ``study`` are words of the public contract."""

    name: str
    id_number: str
    birth_date: date
    gender: Gender
    ethnicity: str
    marital_status: str  # unmarried, married, widowed, divorced
    residence: Residence
    hukou_area_code: str
    area_code: str
    address: str
    phone: str | None
    employment: str
    employable: bool
    study: str | None
    serious_illness: bool
    disability: DemoDisability | None
    incomes: tuple[DemoIncome, ...]
    synthetic: Literal[True] = True


@dataclass(frozen=True, slots=True)
class DemoMember:
    """A person's place in a household; ``relation`` to the head in words of the public contract."""

    person: DemoPerson
    relation: str
    joined_on: date


@dataclass(frozen=True, slots=True)
class DemoHousehold:
    """A household; the first member is the head. ``account`` is the head's."""

    number: str
    district: str
    area_code: str
    residence: Residence
    address: str
    registered_on: date
    members: tuple[DemoMember, ...]
    assets: tuple[DemoAsset, ...]
    account: DemoBankAccount

    @property
    def head(self) -> DemoPerson:
        return self.members[0].person


class DemoState(StrEnum):
    """How far a demo application has come."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    ACCEPTED = "accepted"
    RETURNED = "returned"
    OPINION_GIVEN = "opinion_given"
    NOTICE_OPEN = "notice_open"
    CONFIRMED = "confirmed"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class DemoApplication:
    """An application for 低保 that has come as far as ``state``.

    The dates of acts not reached are ``None``. ``facts`` is the ``household`` of a one-shot assessment; ``eligible`` and
    ``monthly_fen`` (uplifts included, 0 when not eligible) are what the rule must answer on them.
    """

    household: DemoHousehold
    state: DemoState
    facts: dict[str, object]
    eligible: bool
    monthly_fen: int
    drafted_on: date
    submitted_on: date | None = None
    returned_on: date | None = None
    accepted_on: date | None = None
    opinion_on: date | None = None
    posted_on: date | None = None
    notice_closed_on: date | None = None
    decided_on: date | None = None
    missing_items: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DemoPopulation:
    """The synthetic population of one district, and the applications of some of its households."""

    district: str
    households: tuple[DemoHousehold, ...]
    applications: tuple[DemoApplication, ...] = ()

    @property
    def people_count(self) -> int:
        return sum(len(household.members) for household in self.households)
