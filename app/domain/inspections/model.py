"""Acceptance of stations (检查验收): campaigns, inspections, marks, rectifications, results. Frozen records.

区对基层民政组织意见 三: preparation, implementation, inspection and acceptance; 通报表扬 or 通报批评 and points off the year-end
target follow from the result.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any
from uuid import UUID

from app.domain.access import Signature


class Phase(StrEnum):
    """Where a campaign stands; in this order, one step at a time. ``cancelled`` can follow any but the last two."""

    DRAFT = "draft"
    PREPARATION = "preparation"
    IMPLEMENTATION = "implementation"
    INSPECTION = "inspection"
    CLOSED = "closed"
    PUBLISHED = "published"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Inspector:
    """An account that inspects; ``area_code`` is the area it works in."""

    account_id: UUID
    name: str
    area_code: str


@dataclass(frozen=True, slots=True)
class Colleague:
    """Somebody who holds or held a post at a station; ``account_name``: what his account calls him, where he has one."""

    account_id: UUID | None
    name: str
    account_name: str | None = None


class Source(StrEnum):
    """Where a mark comes from; the three are shown side by side and never mixed."""

    SELF = "self"  # the station's own assessment
    FOUND = "found"  # what the inspectors found
    DERIVED = "derived"  # computed from the operating data; never entered


class InspectionState(StrEnum):
    """``confirmed``: signed by every inspector of the team and by the station's head."""

    PLANNED = "planned"
    SIGNED = "signed"  # by the inspectors
    CONFIRMED = "confirmed"


class RectificationState(StrEnum):
    OPEN = "open"
    SUBMITTED = "submitted"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Schedule:
    """The first day of each phase; ``conclude_by`` is the last day of all."""

    preparation_from: date
    implementation_from: date
    inspection_from: date
    conclude_by: date


@dataclass(frozen=True, slots=True)
class Campaign:
    """One acceptance campaign of a district. The standard's version is pinned when it is opened."""

    id: UUID
    area_code: str
    title: str
    standard: str
    standard_version: str
    as_of: date  # the day whose facts are judged
    schedule: Schedule
    seed: int  # of the sampling plan: the same seed draws the same sample
    sample_size: int  # communities looked at on the spot, per station
    phase: Phase
    opened: Signature
    published: Signature | None
    version: int


@dataclass(frozen=True, slots=True)
class Inspection:
    """One station in a campaign: its team, the communities drawn, and who has signed.

    What it needs of its campaign stands on it too: a station sees its own inspection, not the district's campaign.
    """

    id: UUID
    campaign_id: UUID
    title: str
    standard: str
    standard_version: str
    as_of: date
    phase: Phase
    station_id: UUID
    area_code: str
    station_name: str
    inspectors: tuple[UUID, ...]
    sample: tuple[str, ...]
    state: InspectionState
    signatures: tuple[Signature, ...]
    countersigned: Signature | None
    version: int


@dataclass(frozen=True, slots=True)
class Mark:
    """What one source says about one criterion. ``evidence`` are stored files."""

    criterion: str
    source: Source
    met: bool
    note: str | None
    evidence: tuple[UUID, ...]
    rectify_by: date | None
    signature: Signature


@dataclass(frozen=True, slots=True)
class Rectification:
    """A failed criterion to be put right by a day, with its owner at the station."""

    id: UUID
    inspection_id: UUID
    station_id: UUID
    area_code: str
    criterion: str
    requirement: str
    due_on: date
    owner: str | None
    state: RectificationState
    submissions: tuple[Mapping[str, Any], ...]  # each: note, evidence, by, at; and what the re-inspection found
    closed: Signature | None
    version: int


class Escalation(StrEnum):
    """Whom an overdue rectification is brought before."""

    STATION_HEAD = "station_head"
    DISTRICT = "district"


@dataclass(frozen=True, slots=True)
class Row:
    """One criterion of one station with all three sources side by side."""

    criterion: str
    name: str
    dimension: str
    mandatory: bool
    weight: int
    derived: bool | None
    derived_reason: str | None
    measured: str | None
    required: str | None
    self_met: bool | None
    found: bool | None
    rectified: bool
    disagrees: bool  # the station's own word against the data
    unit: str | None = None  # of what was measured and is required


@dataclass(frozen=True, slots=True)
class Result:
    """A station's result. ``passed`` None: something mandatory hasn't been looked at."""

    station_id: UUID
    area_code: str
    station_name: str
    passed: bool | None
    score_points: int | None  # hundredths of a point, 0 … 10000
    rank: int | None
    rows: tuple[Row, ...]
