"""A desk for station files over one session: the acts of ``app.domain.stations`` with their stores and the audit trail."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy.ext.asyncio import AsyncSession

from app.db.registry_desk import RegistryTrail
from app.db.repositories.audit import AuditTrail
from app.db.repositories.informants import InformantRepository
from app.db.repositories.reference import find_area
from app.db.repositories.station_sheets import SheetRepository
from app.db.repositories.stations import StationRepository
from app.domain.access import Actor, AreaScope
from app.domain.stations.service import StationFiles
from app.security.fields import FieldCipher


class StationAreas:
    """Sub-districts and communities as station files need them."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def find_area(self, scope: AreaScope, code: str, digits: int, on: date) -> str | None:
        """The name of a division with so many digits, in force on the day and within the scope."""
        if len(code) != digits or not scope.covers(code):
            return None
        area = await find_area(self._session, code, on)
        return area.name if area is not None and area.district == scope.district else None


@dataclass(frozen=True)
class StationDesk:
    """One caller's desk: the acts, and the stores for plain reads."""

    files: StationFiles
    stations: StationRepository
    sheets: SheetRepository
    informants: InformantRepository
    trail: RegistryTrail


def open_station_desk(session: AsyncSession, cipher: FieldCipher, actor: Actor, *, today: date, now: datetime) -> StationDesk:
    """``today`` is the business date, ``now`` the moment; both go into what is written."""
    stations, sheets = StationRepository(session), SheetRepository(session)
    informants = InformantRepository(session, cipher)
    trail = RegistryTrail(AuditTrail(session, actor))
    files = StationFiles(
        scope=actor.scope,
        actor_id=actor.id,
        today=today,
        now=now,
        stations=stations,
        sheets=sheets,
        informants=informants,
        areas=StationAreas(session),
        trail=trail,
    )
    return StationDesk(files, stations, sheets, informants, trail)
