"""The acts on trainings of informants, each told in order."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from uuid import UUID

from app.domain.access import Actor, Signature
from app.domain.trainings import model, refusals
from app.domain.trainings.model import Certificate, Trainee, Training, TrainingEntry, TrainingStation
from app.domain.trainings.ports import Surroundings, Trail, Trainings


@dataclass(frozen=True)
class TrainingDesk:
    """Trainings at one caller's desk, in one transaction. ``today`` is the business date, ``now`` the moment."""

    actor: Actor
    today: date
    now: datetime
    new_id: Callable[[], UUID]
    trainings: Trainings
    around: Surroundings
    trail: Trail

    async def record(self, station_id: UUID, entry: TrainingEntry) -> Training:
        """A training that was held. ``Malformed``; ``Conflict`` station_closed, training_repeated."""
        station = await self.around.station(self.actor.scope, station_id)
        await self._checked(station, entry)
        training = Training(self.new_id(), station_id, station.area_code, entry, None, 1)
        await self.trainings.add(self.actor.scope, training, self.actor.id)
        await self.trail.note("informant_training.record", "informant_training", training.id, station.area_code)
        return await self.trainings.get(self.actor.scope, station_id, training.id)

    async def change(self, station_id: UUID, training_id: UUID, entry: TrainingEntry, expected: int | None) -> Training:
        """Corrects the record as a whole. ``Conflict`` training_issued."""
        station = await self.around.station(self.actor.scope, station_id)
        training = await self._open(station_id, training_id, expected)
        await self._checked(station, entry)
        await self.trail.note("informant_training.change", "informant_training", training.id, station.area_code)
        return await self.trainings.save(self.actor.scope, replace(training, entry=entry))

    async def issue(self, station_id: UUID, training_id: UUID, expected: int | None) -> Training:
        """A certificate for everybody who is entitled to one, numbered in the order of the list; the record is closed."""
        station = await self.around.station(self.actor.scope, station_id)
        training = await self._open(station_id, training_id, expected)
        trainees = await self._checked(station, training.entry)
        certificates = await self._certificates(training, station, trainees)
        if not certificates:
            raise refusals.nobody_to_certify()
        await self.trainings.issue(self.actor.scope, certificates)
        await self.trail.note("informant_training.issue", "informant_training", training.id, station.area_code)
        return await self.trainings.save(self.actor.scope, replace(training, issued=Signature.of(self.actor, self.now)))

    async def _certificates(
        self, training: Training, station: TrainingStation, trainees: Mapping[UUID, Trainee]
    ) -> list[Certificate]:
        before = await self.trainings.count_certificates(self.actor.scope, station, self.today.year)
        return [
            model.certified(
                training,
                station,
                trainees[one.informant_id],
                certificate_id=self.new_id(),
                number=model.number_of(station, self.today.year, place),
                issued=Signature.of(self.actor, self.now),
                on=self.today,
            )
            for place, one in enumerate(model.entitled(training), start=before + 1)
        ]

    async def _checked(self, station: TrainingStation, entry: TrainingEntry) -> Mapping[UUID, Trainee]:
        """The attendees as they are on file."""
        if station.closed_on is not None and station.closed_on <= entry.held_on:
            raise refusals.station_closed(station.closed_on)
        wanted = {one.informant_id for one in entry.attendees}
        trainees = await self.around.trainees(self.actor.scope, station.area_code, wanted, self.today)
        model.check_entry(entry, trainees, self.today)
        return trainees

    async def _open(self, station_id: UUID, training_id: UUID, expected: int | None) -> Training:
        training = await self.trainings.get(self.actor.scope, station_id, training_id, lock=True)
        refusals.check_version(expected, training.version)
        if training.issued is not None:
            raise refusals.already_issued()
        return training
