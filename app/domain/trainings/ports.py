"""What trainings of informants need of the outside. Implemented in ``app/db``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import date
from typing import Protocol
from uuid import UUID

from app.domain.access import AreaScope
from app.domain.trainings.model import Certificate, Trainee, Training, TrainingStation


class Trainings(Protocol):
    async def add(self, scope: AreaScope, training: Training, by: UUID) -> None:
        """``Conflict`` training_repeated."""

    async def get(self, scope: AreaScope, station_id: UUID, training_id: UUID, *, lock: bool = False) -> Training: ...

    async def save(self, scope: AreaScope, training: Training) -> Training:
        """One version more."""

    async def count_certificates(self, scope: AreaScope, station: TrainingStation, year: int) -> int:
        """Those that the station issued in the year."""

    async def issue(self, scope: AreaScope, certificates: Sequence[Certificate]) -> None:
        """For good."""


class Surroundings(Protocol):
    """Stations and informants as trainings name them."""

    async def station(self, scope: AreaScope, station_id: UUID) -> TrainingStation:
        """Held against other writers until the end of the transaction. ``NotFound`` station_not_found."""

    async def trainees(self, scope: AreaScope, area_code: str, informants: AbstractSet[UUID], on: date) -> Mapping[UUID, Trainee]:
        """Those of the informants who belong to the sub-district; names of communities as on the day."""


class Trail(Protocol):
    async def note(self, action: str, kind: str, subject: UUID, area_code: str, fields: Iterable[str] = ()) -> None: ...
