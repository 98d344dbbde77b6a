"""Who may do what where: levels, duties, the acting person and the area that bounds what he sees."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID


class Level(StrEnum):
    """The level an account works at; it decides the length of its area code (6, 9 or 12 digits)."""

    DISTRICT = "district"
    SUBDISTRICT = "subdistrict"
    COMMUNITY = "community"


class Duty(StrEnum):
    """Duties of the published table; an account may hold several, all of its own level."""

    COMMUNITY_WORKER = "community_worker"
    STATION_CLERK = "station_clerk"
    STATION_HEAD = "station_head"
    REVIEWER = "reviewer"
    FINANCE = "finance"
    APPROVER = "approver"
    TREASURY = "treasury"
    DISABILITY_FEDERATION = "disability_federation"
    INSPECTOR = "inspector"
    POLICY_OFFICER = "policy_officer"
    AUDITOR = "auditor"
    ADMIN = "admin"
    BUREAU = "bureau"  # client credentials of another bureau; never given to staff


LEVEL_OF_DUTY: dict[Duty, Level] = {
    Duty.COMMUNITY_WORKER: Level.COMMUNITY,
    Duty.STATION_CLERK: Level.SUBDISTRICT,
    Duty.STATION_HEAD: Level.SUBDISTRICT,
} | {duty: Level.DISTRICT for duty in Duty if duty not in (Duty.COMMUNITY_WORKER, Duty.STATION_CLERK, Duty.STATION_HEAD)}

AREA_DIGITS: dict[Level, int] = {Level.DISTRICT: 6, Level.SUBDISTRICT: 9, Level.COMMUNITY: 12}


@dataclass(frozen=True, slots=True)
class AreaScope:
    """What a caller may see: one district (tenant key) and, in it, every area whose code begins with ``prefix``.

    ``prefix`` is the whole code of an area (6, 9 or 12 digits), so that it always ends at an area's border.
    """

    district: str
    prefix: str

    def covers(self, area_code: str) -> bool:
        return area_code.startswith(self.prefix)


@dataclass(frozen=True, slots=True)
class Actor:
    """The acting account (staff) or client (bureau) of a request."""

    id: UUID
    name: str
    level: Level
    area: str
    district: str
    duties: frozenset[Duty]

    @property
    def scope(self) -> AreaScope:
        return AreaScope(self.district, self.area)

    def has(self, *duties: Duty) -> bool:
        return not self.duties.isdisjoint(duties)


@dataclass(frozen=True, slots=True)
class Signature:
    """Who did something, and when."""

    by: UUID
    name: str
    at: datetime

    @classmethod
    def of(cls, actor: Actor, now: datetime) -> Signature:
        return cls(actor.id, actor.name, now)
