"""Writing the demo's stations with all that is on file about them; the second district gets one, so that walls have two sides."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import exists, insert, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import SQLModel

from app.db.base import columns
from app.db.locks import lock_subjects
from app.db.repositories.audit import AuditEntry, write_audit
from app.db.repositories.station_sheets import PLACES
from app.db.repositories.stations import EVENT_TABLES
from app.db.session import transaction
from app.db.tables.stations import Informant, Station, StationStaff
from app.demo.accounts import ACCOUNTS, DISTRICT, SECOND_ACCOUNTS, SECOND_DISTRICT, demo_id, station_heads
from app.demo.stations import OPENED_ON, DemoStation, demo_stations
from app.domain.access import AreaScope, Duty
from app.domain.calendar import business_date
from app.domain.stations.records import CommunityOffice, StationContent
from app.runtime import Runtime
from app.security.fields import Field, FieldCipher
from app.security.masking import mask

STATION = columns(Station)
Rows = dict[type[SQLModel], list[dict[str, Any]]]


async def load_stations(runtime: Runtime, now: datetime) -> int:
    """The number of stations; 0 when a district has its stations already."""
    today = business_date(now)
    loaded = 0
    for district, only in ((DISTRICT, None), (SECOND_DISTRICT, _stations_with_accounts())):
        stations = [one for one in demo_stations(district, today) if only is None or one.area_code in only]
        loaded += await _load(runtime, AreaScope(district, district), stations, now)
    return loaded


def _stations_with_accounts() -> set[str]:
    return {account.area for account in SECOND_ACCOUNTS if Duty.STATION_CLERK in account.duties}


async def _load(runtime: Runtime, scope: AreaScope, stations: list[DemoStation], now: datetime) -> int:
    async with transaction(runtime.engine, scope) as session:
        await lock_subjects(session, [b"demo stations " + scope.district.encode()])
        if await session.scalar(select(exists().where(STATION.district == scope.district))):
            return 0
        rows: Rows = {}
        for station in stations:
            for table, row in _rows(runtime.cipher, scope, station, now):
                rows.setdefault(table, []).append(row)
        await _write(session, rows)
        entry = AuditEntry("demo.load_stations", "district", scope.district, scope.district, details={"stations": len(stations)})
        await write_audit(session, [entry], None, actor_name="demo", district=scope.district)
    return len(stations)


async def _write(session: AsyncSession, rows: Rows) -> None:
    """Stations first: the others refer to them."""
    for table in sorted(rows, key=lambda table: table is not Station):
        await session.execute(insert(table), rows[table])


def _rows(
    cipher: FieldCipher, scope: AreaScope, station: DemoStation, now: datetime
) -> Iterator[tuple[type[SQLModel], dict[str, Any]]]:
    by = demo_id("demo stations")
    station_id = demo_id(f"station {station.area_code}")
    key = {"district": scope.district, "area_code": station.area_code}
    stamps = {"recorded_at": now, "recorded_by": by}
    yield (
        Station,
        {
            **key,
            "id": station_id,
            **asdict(station.details),
            "closed_on": None,
            "version": 1,
            "created_at": now,
            "created_by": by,
            "updated_at": now,
        },
    )
    own = {**key, "station_id": station_id, **stamps}
    yield from ((StationStaff, {**own, **row}) for row in _staff(station))
    for number, (valid_from, content) in enumerate(station.sheets):
        sheet_id = demo_id(f"station sheet {station.area_code} {number}")
        yield PLACES[type(content)].table, {**own, "id": sheet_id, **_sheet(valid_from, content)}
    for code, office in station.offices:
        row = {"district": scope.district, "area_code": code, "id": demo_id(f"community office {code}"), **stamps}
        yield PLACES[type(office)].table, row | _sheet(OPENED_ON, office)
    for number, event in enumerate(station.events):
        event_id = demo_id(f"station event {station.area_code} {number}")
        yield EVENT_TABLES[type(event)], {**own, "id": event_id, "version": 1, **asdict(event)}
    yield from ((Informant, {"district": scope.district, **stamps, **row}) for row in _informants(cipher, station))


def _staff(station: DemoStation) -> Iterator[dict[str, Any]]:
    """The head and the first of the others have the sub-district's demo accounts, where there are any."""
    accounts = _accounts(station.area_code)
    for number, staff in enumerate(station.staff):
        values = asdict(staff.details)
        values["valid_from"] = values.pop("since")
        duty = Duty.STATION_HEAD if values["leads_as"] == "head" else Duty.STATION_CLERK if values["leads_as"] is None else None
        values["account_id"] = accounts.pop(duty, None)
        yield {"id": demo_id(f"station staff {station.area_code} {number}"), "version": 1, "valid_until": staff.until, **values}


def _accounts(area_code: str) -> dict[Duty | None, UUID]:
    here = (account for account in (*ACCOUNTS, *SECOND_ACCOUNTS, *station_heads([area_code])) if account.area == area_code)
    return {duty: account.id for account in here for duty in account.duties}


def _sheet(valid_from: date, content: StationContent | CommunityOffice) -> dict[str, Any]:
    values = {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(content).items()}
    return {"valid_from": valid_from, "superseded_at": None, **values}


def _informants(cipher: FieldCipher, station: DemoStation) -> Iterable[dict[str, Any]]:
    for details in station.informants:
        informant_id = demo_id(f"informant {details.badge_no} {details.area_code}")
        phone = details.phone
        yield {
            "id": informant_id,
            "area_code": details.area_code,
            "name": details.name,
            "phone_sealed": cipher.seal(Field.PHONE, informant_id, phone) if phone else None,
            "phone_masked": mask(Field.PHONE, phone) if phone else None,
            "badge_no": details.badge_no,
            "valid_from": details.since,
            "valid_until": None,
            "version": 1,
        }
