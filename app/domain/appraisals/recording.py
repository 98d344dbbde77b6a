"""Putting on record how people did at monthly meetings and quarterly checks, and what became of their year."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from app.domain.appraisals import refusals
from app.domain.appraisals.desk import AppraisalDesk
from app.domain.appraisals.model import Phase
from app.domain.appraisals.personnel import OUTCOMES, Person, PersonRecord, PersonYear, RecordKind, RecordOutcome, period_of
from app.domain.appraisals.scheme import PersonnelRule

OUTCOME_NAMES = {
    RecordOutcome.PRESENT: "到会（present）",
    RecordOutcome.EXCUSED: "请假（excused）",
    RecordOutcome.ABSENT: "缺席（absent）",
    RecordOutcome.PASSED: "合格（passed）",
    RecordOutcome.FAILED: "不合格（failed）",
}
SCHEME = "year_end"


@dataclass(frozen=True, slots=True)
class PersonOutcome:
    person_id: UUID
    outcome: RecordOutcome
    note: str | None


@dataclass(frozen=True, slots=True)
class RecordEntry:
    """One meeting or check, with everybody it is about."""

    kind: RecordKind
    held_on: date
    people: tuple[PersonOutcome, ...]


@dataclass(frozen=True)
class Personnel:
    """The people of a station (一月一例会、一季一检查, S002 L32; 区局联合街办考评, S001 L65)."""

    desk: AppraisalDesk

    async def record(self, station_id: UUID, entry: RecordEntry) -> Sequence[PersonRecord]:
        """All of them or none. A later record of the same period counts instead of the earlier one, which stays on file."""
        scope = self.desk.actor.scope
        area_code = await self.desk.stations.area_of(scope, station_id)
        if entry.held_on > self.desk.today:
            raise refusals.held_in_future()
        await self._require_unpublished(station_id, entry.held_on.year)
        there = await self.desk.people.list_people(scope, [station_id], entry.held_on, entry.held_on)
        by_id = {one.id: one for one in there}
        records = [self._record(by_id, index, one, entry, station_id, area_code) for index, one in enumerate(entry.people)]
        await self.desk.people.add_records(scope, records)
        await self.desk.trail.note(f"personnel.{entry.kind.value}", "station", station_id, area_code)
        return records

    def _record(
        self, there: Mapping[UUID, Person], index: int, said: PersonOutcome, entry: RecordEntry, station_id: UUID, area_code: str
    ) -> PersonRecord:
        pointer = f"/people/{index}"
        person = there.get(said.person_id)
        if person is None:
            raise refusals.person_unknown(f"{pointer}/person_id")
        if any(one.person_id == said.person_id for one in entry.people[:index]):
            raise refusals.malformed(f"{pointer}/person_id", "entered_twice", "同一人在本次提交中出现了两次，请只保留一条。")
        if person.account_id == self.desk.actor.id:
            raise refusals.own_record()
        fitting = OUTCOMES[entry.kind]
        if said.outcome not in fitting:
            raise refusals.outcome_of_other_kind(f"{pointer}/outcome", "、".join(OUTCOME_NAMES[one] for one in fitting))
        return PersonRecord(
            id=self.desk.new_id(),
            station_id=station_id,
            area_code=area_code,
            person_id=person.id,
            person_kind=person.kind,
            person_name=person.name,
            kind=entry.kind,
            period=period_of(entry.kind, entry.held_on),
            held_on=entry.held_on,
            outcome=said.outcome,
            note=said.note,
            signature=self.desk.signature(),
        )

    async def _require_unpublished(self, station_id: UUID, year: int) -> None:
        """The row is locked, so that a publication under way and a record don't miss each other."""
        found = await self.desk.years.find_station_year(self.desk.actor.scope, station_id, year, lock=True)
        if found is not None and found.phase is Phase.PUBLISHED:
            raise refusals.year_published(year)

    async def year(self, station_id: UUID, year: int) -> Sequence[PersonYear]:
        """By the rule of the year's own scheme; before the year is opened by the one it would be opened with."""
        await self.desk.stations.area_of(self.desk.actor.scope, station_id)
        rule = await self._rule(station_id, year)
        return (await self.desk.people_of([station_id], rule, year))[station_id]

    async def _rule(self, station_id: UUID, year: int) -> PersonnelRule:
        scope = self.desk.actor.scope
        found = await self.desk.years.find_station_year(scope, station_id, year)
        if found is not None:
            return found.scheme.personnel
        scheme = (await self.desk.schemes.shelf(scope)).find(SCHEME, None, year)
        if scheme is None:
            raise refusals.no_scheme_in_force(SCHEME, year)
        return scheme.personnel
