"""A training of informants, and the certificates that follow from it. Pure.

The district's bureau trains the stations' people, and files who passed the examination (区对基层民政组织意见 三（二）;
示范民政工作站 考试合格后备案). A record can be corrected until its certificates are issued; a certificate never changes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from app.domain.access import Signature
from app.domain.errors import FieldError
from app.domain.trainings import refusals


@dataclass(frozen=True, slots=True)
class Attendee:
    """``exam_passed`` None: the training had no examination."""

    informant_id: UUID
    exam_passed: bool | None


@dataclass(frozen=True, slots=True)
class TrainingEntry:
    """A training as it was held; ``class_hours``: 学时."""

    held_on: date
    subject: str
    class_hours: int
    exam: bool
    attendees: tuple[Attendee, ...]


@dataclass(frozen=True, slots=True)
class Training:
    """``issued``: who issued its certificates, and when."""

    id: UUID
    station_id: UUID
    area_code: str
    entry: TrainingEntry
    issued: Signature | None
    version: int

    def find_attendee(self, informant_id: UUID) -> Attendee | None:
        return next((one for one in self.entry.attendees if one.informant_id == informant_id), None)


@dataclass(frozen=True, slots=True)
class TrainingStation:
    """The station that holds the training."""

    id: UUID
    area_code: str
    name: str
    closed_on: date | None


@dataclass(frozen=True, slots=True)
class Trainee:
    """An informant as a training needs him; half-open term, and the full name of his community."""

    id: UUID
    area_code: str
    name: str
    since: date
    until: date | None
    community: str

    def serves_on(self, day: date) -> bool:
        return self.since <= day and (self.until is None or day < self.until)


@dataclass(frozen=True, slots=True)
class Certificate:
    """Issued for good: ``content`` is all that stands on it."""

    id: UUID
    number: str
    training_id: UUID
    informant_id: UUID
    area_code: str
    content: Mapping[str, Any]
    issued: Signature


def check_entry(entry: TrainingEntry, trainees: Mapping[UUID, Trainee], today: date) -> None:
    """``trainees``: the station's informants among the attendees. Raises ``Malformed`` with every finding."""
    faults: list[FieldError] = []
    if entry.held_on > today:
        faults.append(refusals.in_future())
    seen: set[UUID] = set()
    for place, attendee in enumerate(entry.attendees):
        faults += _faults_of(attendee, f"/attendees/{place}", entry, trainees, attendee.informant_id in seen)
        seen.add(attendee.informant_id)
    if faults:
        raise refusals.malformed(faults)


def _faults_of(
    attendee: Attendee, pointer: str, entry: TrainingEntry, trainees: Mapping[UUID, Trainee], repeated: bool
) -> list[FieldError]:
    faults = []
    trainee = trainees.get(attendee.informant_id)
    if repeated:
        faults.append(refusals.repeated(pointer))
    elif trainee is None or not trainee.serves_on(entry.held_on):
        faults.append(refusals.elsewhere(pointer))
    if entry.exam != (attendee.exam_passed is not None):
        faults.append(refusals.exam_result(pointer, exam=entry.exam))
    return faults


def entitled(training: Training) -> Sequence[Attendee]:
    """Who gets a certificate: whoever passed, or attended where nothing was examined."""
    return [one for one in training.entry.attendees if one.exam_passed is not False]


def certified(
    training: Training,
    station: TrainingStation,
    trainee: Trainee,
    *,
    certificate_id: UUID,
    number: str,
    issued: Signature,
    on: date,
) -> Certificate:
    """The certificate of one informant, with the names of the day."""
    entry = training.entry
    content = {
        "number": number,
        "name": trainee.name,
        "community": trainee.community,
        "subject": entry.subject,
        "held_on": entry.held_on.isoformat(),
        "class_hours": entry.class_hours,
        "examined": entry.exam,
        "issuer": station.name,
        "issued_on": on.isoformat(),
    }
    return Certificate(certificate_id, number, training.id, trainee.id, trainee.area_code, content, issued)


def number_of(station: TrainingStation, year: int, place: int) -> str:
    """``place`` counts the station's certificates of the year, from 1."""
    return f"{station.area_code}-{year}-{place:04d}"
