"""The published item lists: what is done where, on what basis, with which materials, in what time. Frozen records.

Three lists (乡镇、村级、社区《办理的民政事项清单》), each in versions: a version is in force from its first day until the
first day of the next one, and never changes. Basis, procedure, result and management rules of every item are open (四公开).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from uuid import UUID

from app.domain.access import Signature


class ListLevel(StrEnum):
    """Whose list: that of sub-districts and townships, of villages, of communities."""

    SUBDISTRICT = "subdistrict"
    VILLAGE = "village"
    COMMUNITY = "community"


class DayUnit(StrEnum):
    WORKING = "working_day"
    CALENDAR = "calendar_day"


class Waiver(StrEnum):
    """How a material need not be brought: the authorities share it (社会救助法 第六十二条), or the applicant commits himself."""

    DATA_SHARING = "data_sharing"
    COMMITMENT = "commitment"  # 告知承诺


class Supply(StrEnum):
    """How a material came in."""

    ORIGINAL = "original"
    DATA_SHARING = "data_sharing"
    COMMITMENT = "commitment"


@dataclass(frozen=True, slots=True)
class Citation:
    """A legal basis: the document and its article."""

    document: str
    article: str


@dataclass(frozen=True, slots=True)
class Material:
    """What an applicant brings, unless one of ``waivers`` is used."""

    code: str
    name: str
    required: bool
    waivers: frozenset[Waiver] = frozenset()

    def may_come_as(self, supply: Supply) -> bool:
        return supply is Supply.ORIGINAL or Waiver(supply.value) in self.waivers


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the procedure and who does it."""

    name: str
    by: str


@dataclass(frozen=True, slots=True)
class TimeLimit:
    """Days of one ``unit``. ``legal_days`` None: no law sets a limit. 0 promised days: settled on the spot (即办).

    ``pause_article``: the article by which the time the applicant needs for a supplement isn't counted; None: it is.
    """

    unit: DayUnit
    promised_days: int
    legal_days: int | None = None
    legal_article: str | None = None
    pause_article: str | None = None


@dataclass(frozen=True, slots=True)
class ItemEntry:
    """An item as it is published. All items are free of charge."""

    code: str
    name: str
    basis: tuple[Citation, ...]
    procedure: tuple[Step, ...]
    result: str
    rules: tuple[str, ...]
    materials: tuple[Material, ...]
    limit: TimeLimit
    handled_by: str
    programme: str | None = None


@dataclass(frozen=True, slots=True)
class Item:
    """An item of a published version. ``by_application``: a relief application is the 办件, with its own acts and clocks."""

    id: UUID
    list_id: UUID
    level: ListLevel
    entry: ItemEntry
    by_application: bool

    @property
    def materials(self) -> Mapping[str, Material]:
        return {material.code: material for material in self.entry.materials}


@dataclass(frozen=True, slots=True)
class ListEntry:
    """A list to be published. ``source``: the document that it puts into effect."""

    level: ListLevel
    title: str
    source: str
    valid_from: date
    items: tuple[ItemEntry, ...]


@dataclass(frozen=True, slots=True)
class ItemList:
    """A published version; ``valid_until`` (not included) is the first day of the next one, None for the last."""

    id: UUID
    level: ListLevel
    number: int
    title: str
    source: str
    valid_from: date
    valid_until: date | None
    published: Signature

    def in_force_on(self, day: date) -> bool:
        return self.valid_from <= day and (self.valid_until is None or day < self.valid_until)


@dataclass(frozen=True, slots=True)
class Party:
    """An account with its name of the day."""

    id: UUID
    name: str
