"""The acts on station files, each told in order: check, lock, look, decide, save, put on record."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

from app.domain.access import AreaScope
from app.domain.stations import refusals
from app.domain.stations.entry import check_event, check_reason, check_sheet, check_staff, check_station, checked_informant
from app.domain.stations.ports import Areas, Informants, Sheets, Stations, Trail
from app.domain.stations.records import (
    Budget,
    CommunityOffice,
    E,
    Event,
    InformantDetails,
    InformantRecord,
    S,
    Sheet,
    StaffDetails,
    StaffRecord,
    StationContent,
    StationDetails,
    StationRecord,
)

SUBDISTRICT_DIGITS = 9
COMMUNITY_DIGITS = 12


@dataclass(frozen=True)
class StationFiles:
    """The station files at one caller's desk, in one transaction. ``today`` is the business date, ``now`` the moment.

    Writers take the sub-district (stations, staff, sheets, events) or the community (informants, its office) first.
    """

    scope: AreaScope
    actor_id: UUID
    today: date
    now: datetime
    stations: Stations
    sheets: Sheets
    informants: Informants
    areas: Areas
    trail: Trail

    # stations

    async def open_station(self, area_code: str, details: StationDetails) -> StationRecord:
        """Sets up a sub-district's station. ``NotFound`` area_not_found; ``Conflict`` station_exists."""
        check_station(details, self.today)
        if await self.areas.find_area(self.scope, area_code, SUBDISTRICT_DIGITS, self.today) is None:
            raise refusals.area_not_found("乡镇（街道）")
        await self.stations.lock(self.scope, area_code)
        await self._refuse_second(area_code, details, None, None)
        station_id = await self.stations.add(self.scope, area_code, details, by=self.actor_id, now=self.now)
        await self.trail.note("station.open", "station", station_id, area_code)
        return await self.stations.get(self.scope, station_id)

    async def change_station(self, station_id: UUID, change: Mapping[str, Any], expected: int | None) -> StationRecord:
        """New values of the given fields of ``StationDetails`` and of ``closed_on``; the others stay."""
        station = await self._locked(station_id, expected)
        details = replace(station.details, **{name: value for name, value in change.items() if name != "closed_on"})
        changed = replace(station, details=details, closed_on=change.get("closed_on", station.closed_on))
        check_station(details, self.today)
        if changed.closed_on is not None:
            _refuse_to_come(changed.closed_on, self.today, "/closed_on")
            _check_end(details.opened_on, None, changed.closed_on)
        await self._refuse_second(station.area_code, details, changed.closed_on, station_id)
        return await self._save_station("station.change", changed, change)

    async def close_station(self, station_id: UUID, on: date, expected: int | None) -> StationRecord:
        """``on`` is the first day it is no more."""
        _refuse_to_come(on, self.today)
        station = await self._locked(station_id, expected)
        _check_end(station.details.opened_on, station.closed_on, on)
        return await self._save_station("station.close", replace(station, closed_on=on), ("closed_on",))

    # staff

    async def add_staff(self, station_id: UUID, details: StaffDetails) -> StaffRecord:
        """Somebody takes up a post. ``Conflict`` staff_period_overlaps, station_leader_taken."""
        check_staff(details, self.today)
        station = await self._open(station_id, details.since)
        await self._check_post(station, details, None, None)
        staff_id = await self.stations.add_staff(self.scope, station, details, by=self.actor_id, now=self.now)
        await self._touched("station_staff.add", station, staff_id)
        return await self.stations.get_staff(self.scope, station_id, staff_id)

    async def change_staff(
        self, station_id: UUID, staff_id: UUID, change: Mapping[str, Any], expected: int | None
    ) -> StaffRecord:
        """New values of the given fields of ``StaffDetails`` and of ``until``; the others stay."""
        station, staff = await self._staff(station_id, staff_id, expected)
        details = replace(staff.details, **{name: value for name, value in change.items() if name != "until"})
        until: date | None = change.get("until", staff.until)
        check_staff(details, self.today)
        if until is not None:
            _refuse_to_come(until, self.today, "/until")
            _check_end(details.since, None, until)
        await self._check_post(station, details, until, staff_id)
        return await self._save_staff("station_staff.change", station, replace(staff, details=details, until=until), change)

    async def end_staff(self, station_id: UUID, staff_id: UUID, on: date, expected: int | None) -> StaffRecord:
        """``on`` is the first day the post is held no more; on its first day it voids the entry."""
        _refuse_to_come(on, self.today)
        station, staff = await self._staff(station_id, staff_id, expected)
        _check_end(staff.details.since, staff.until, on)
        return await self._save_staff("station_staff.end", station, replace(staff, until=on), ("until",))

    # sheets and events

    async def put_sheet(self, station_id: UUID, content: S, valid_from: date) -> Sheet[S]:
        """A new sheet from ``valid_from`` on, which corrects one of the same day. A budget corrects that of its year."""
        check_sheet(content, valid_from, self.today)
        day = date(content.year, 1, 1) if isinstance(content, Budget) else valid_from
        station = await self._open(station_id, day)
        sheet = await self.sheets.put(self.scope, station, content, day, by=self.actor_id, now=self.now)
        await self.trail.note(f"station.{type(content).__name__.lower()}", "station", station.id, station.area_code)
        return sheet

    async def put_office(
        self, station_id: UUID, area_code: str, content: CommunityOffice, valid_from: date
    ) -> Sheet[CommunityOffice]:
        """The office of one of the station's communities from ``valid_from`` on."""
        check_sheet(content, valid_from, self.today)
        await self._community(await self._open(station_id, valid_from), area_code)
        sheet = await self.sheets.put(self.scope, area_code, content, valid_from, by=self.actor_id, now=self.now)
        await self.trail.note("community_office.put", "community_office", sheet.id, area_code)
        return sheet

    async def withdraw_sheet(
        self, station_id: UUID, kind: type[StationContent | CommunityOffice], sheet_id: UUID, reason: str
    ) -> None:
        """Takes back a sheet made in error: the former one holds again. ``NotFound`` station_sheet_not_found."""
        check_reason(reason)
        station = await self._locked(station_id)
        area_code = await self.sheets.withdraw(self.scope, station, kind, sheet_id, self.now)
        if area_code is None:
            raise refusals.sheet_not_found()
        await self.trail.note(f"station_{kind.__name__.lower()}.withdraw", "station_sheet", sheet_id, area_code, reason=reason)

    async def add_event(self, station_id: UUID, content: E) -> Event[E]:
        """A training or meeting that was held. ``Conflict`` station_event_repeated."""
        check_event(content, self.today)
        station = await self._open(station_id, content.held_on)
        event_id = await self.stations.add_event(self.scope, station, content, by=self.actor_id, now=self.now)
        if event_id is None:
            raise refusals.event_repeated(content.held_on)
        await self.trail.note(_action(content, "add"), "station_event", event_id, station.area_code)
        return await self.stations.get_event(self.scope, station_id, type(content), event_id)

    async def change_event(self, station_id: UUID, kind: type[E], event_id: UUID, content: E, expected: int | None) -> Event[E]:
        """Corrects a record as a whole."""
        check_event(content, self.today)
        station = await self._open(station_id, content.held_on)
        event = await self.stations.get_event(self.scope, station_id, kind, event_id)
        refusals.check_version(expected, event.version)
        await self.stations.change_event(self.scope, replace(event, content=content), self.now)
        await self.trail.note(_action(content, "change"), "station_event", event_id, station.area_code)
        return await self.stations.get_event(self.scope, station_id, kind, event_id)

    async def withdraw_event(self, station_id: UUID, kind: type[E], event_id: UUID, reason: str, expected: int | None) -> None:
        """Takes back a training or meeting that never took place."""
        check_reason(reason)
        station = await self._locked(station_id)
        event = await self.stations.get_event(self.scope, station_id, kind, event_id)
        refusals.check_version(expected, event.version)
        await self.stations.remove_event(self.scope, event)
        await self.trail.note(_action(event.content, "withdraw"), "station_event", event_id, station.area_code, reason=reason)

    # informants

    async def add_informant(self, station_id: UUID, entry: InformantDetails) -> InformantRecord:
        """An informant of one of the station's communities. ``Conflict`` informant_period_overlaps."""
        details = checked_informant(entry, self.today)
        await self._community(await self._open(station_id, details.since), details.area_code)
        await self._check_informant(details.area_code, details.name, details.since, None, None)
        informant_id = await self.informants.add(self.scope, details, by=self.actor_id, now=self.now)
        await self.trail.note("informant.add", "informant", informant_id, details.area_code)
        return await self.informants.get(self.scope, informant_id)

    async def change_informant(
        self, station_id: UUID, informant_id: UUID, change: Mapping[str, Any], expected: int | None
    ) -> InformantRecord:
        """New values of ``name``, ``phone``, ``badge_no``, ``since``, ``until``; what isn't given stays."""
        record = await self._informant(station_id, informant_id, expected)
        changed = replace(record, **{name: value for name, value in change.items() if name != "phone"})
        details = InformantDetails(changed.area_code, changed.name, changed.since, change.get("phone"))
        checked = checked_informant(details, self.today)
        if changed.until is not None:
            _refuse_to_come(changed.until, self.today, "/until")
            _check_end(changed.since, None, changed.until)
        await self._check_informant(changed.area_code, changed.name, changed.since, changed.until, informant_id)
        if "phone" in change:
            await self.informants.change_phone(self.scope, informant_id, checked.phone)
        return await self._save_informant("informant.change", changed, change)

    async def end_informant(self, station_id: UUID, informant_id: UUID, on: date, expected: int | None) -> InformantRecord:
        """``on`` is the first day he is informant no more; on his first day it voids the entry."""
        _refuse_to_come(on, self.today)
        record = await self._informant(station_id, informant_id, expected)
        _check_end(record.since, record.until, on)
        return await self._save_informant("informant.end", replace(record, until=on), ("until",))

    # what the acts share

    async def _locked(self, station_id: UUID, expected: int | None = None) -> StationRecord:
        seen = await self.stations.get(self.scope, station_id)
        await self.stations.lock(self.scope, seen.area_code)
        station = await self.stations.get(self.scope, station_id)
        refusals.check_version(expected, station.version)
        return station

    async def _open(self, station_id: UUID, day: date) -> StationRecord:
        """The station, taken, unless it was closed by the day."""
        station = await self._locked(station_id)
        if station.closed_on is not None and station.closed_on <= day:
            raise refusals.station_closed(station.closed_on)
        return station

    async def _refuse_second(self, area_code: str, details: StationDetails, closed_on: date | None, but: UUID | None) -> None:
        for other in await self.stations.list_of_area(self.scope, area_code):
            if other.id != but and overlap(other.details.opened_on, other.closed_on, details.opened_on, closed_on):
                raise refusals.station_exists(other.details.name, other.details.opened_on)

    async def _save_station(self, action: str, station: StationRecord, fields: Iterable[str]) -> StationRecord:
        await self.stations.change(self.scope, station, self.now)
        await self.trail.note(action, "station", station.id, station.area_code, sorted(fields))
        return await self.stations.get(self.scope, station.id)

    async def _staff(self, station_id: UUID, staff_id: UUID, expected: int | None) -> tuple[StationRecord, StaffRecord]:
        station = await self._locked(station_id)
        staff = await self.stations.get_staff(self.scope, station_id, staff_id)
        refusals.check_version(expected, staff.version)
        return station, staff

    async def _check_post(self, station: StationRecord, details: StaffDetails, until: date | None, but: UUID | None) -> None:
        for other in await self.stations.list_everyone(self.scope, station.id):
            held = other.details
            if other.id == but or not overlap(held.since, other.until, details.since, until):
                continue
            if held.name == details.name:
                raise refusals.staff_overlaps(held.name, held.since)
            if details.leads_as is not None and held.leads_as == details.leads_as:
                raise refusals.leader_taken(held.name, held.since)
        if details.account_id is not None and not await self.stations.has_account(
            self.scope, details.account_id, station.area_code
        ):
            raise refusals.account_not_found()

    async def _save_staff(self, action: str, station: StationRecord, staff: StaffRecord, fields: Iterable[str]) -> StaffRecord:
        await self.stations.change_staff(self.scope, staff, self.now)
        await self._touched(action, station, staff.id, fields)
        return await self.stations.get_staff(self.scope, station.id, staff.id)

    async def _touched(self, action: str, station: StationRecord, staff_id: UUID, fields: Iterable[str] = ()) -> None:
        """A station names its leaders: it is a version further when its staff changes."""
        await self.stations.change(self.scope, station, self.now)
        await self.trail.note(action, "station_staff", staff_id, station.area_code, sorted(fields))

    async def _community(self, station: StationRecord, area_code: str) -> None:
        """Takes a community of the station; always after the station, so that nobody waits for one who waits for him."""
        if not area_code.startswith(station.area_code):
            raise refusals.area_not_found("村（社区）")
        if await self.areas.find_area(self.scope, area_code, COMMUNITY_DIGITS, self.today) is None:
            raise refusals.area_not_found("村（社区）")
        await self.stations.lock(self.scope, area_code)

    async def _informant(self, station_id: UUID, informant_id: UUID, expected: int | None) -> InformantRecord:
        station = await self.stations.get(self.scope, station_id)
        seen = await self.informants.get(self.scope, informant_id)
        if not seen.area_code.startswith(station.area_code):
            raise refusals.informant_not_found()
        await self.stations.lock(self.scope, seen.area_code)
        record = await self.informants.get(self.scope, informant_id)
        refusals.check_version(expected, record.version)
        return record

    async def _check_informant(self, area_code: str, name: str, since: date, until: date | None, but: UUID | None) -> None:
        for other in await self.informants.list_of_community(self.scope, area_code):
            if other.id != but and other.name == name and overlap(other.since, other.until, since, until):
                raise refusals.informant_overlaps(other.name, other.since)

    async def _save_informant(self, action: str, record: InformantRecord, fields: Iterable[str]) -> InformantRecord:
        await self.informants.change(self.scope, record, self.now)
        await self.trail.note(action, "informant", record.id, record.area_code, sorted(fields))
        return await self.informants.get(self.scope, record.id)


def overlap(since: date, until: date | None, other_since: date, other_until: date | None) -> bool:
    """Whether two half-open periods share a day; one voided on its first day has none."""
    last, other_last = until or date.max, other_until or date.max
    return max(since, other_since) < min(last, other_last)


def _check_end(since: date, until: date | None, on: date) -> None:
    if until is not None:
        raise refusals.already_ended(until)
    if on < since:
        raise refusals.ends_before_start(since)


def _refuse_to_come(day: date, today: date, pointer: str = "/on") -> None:
    errors = refusals.check_past(day, today, pointer)
    if errors:
        raise refusals.malformed(errors)


def _action(content: object, act: str) -> str:
    return f"station_{type(content).__name__.lower()}.{act}"
