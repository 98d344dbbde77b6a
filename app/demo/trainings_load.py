"""The demo's training of informants: one at the station of the demo's accounts, examined, its certificates issued."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import exists, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.base import columns
from app.db.locks import lock_subjects
from app.db.repositories.informants import InformantFilter, InformantRepository
from app.db.repositories.stations import StationRepository
from app.db.session import transaction
from app.db.tables.trainings import InformantTraining
from app.db.training_desk import open_training_desk
from app.demo.accounts import ACCOUNTS, SECOND_ACCOUNTS, DemoAccount
from app.domain.access import Actor, AreaScope, Duty
from app.domain.calendar import business_date
from app.domain.trainings import Attendee, TrainingDesk, TrainingEntry
from app.ids import new_id
from app.runtime import Runtime

TRAINING = columns(InformantTraining)
HELD_DAYS_AGO, ATTENDEES = 20, 6


async def load_trainings(runtime: Runtime, now: datetime) -> None:
    """Idempotent, one transaction a district."""
    for accounts in (ACCOUNTS, SECOND_ACCOUNTS):
        head = next(one for one in accounts if Duty.STATION_HEAD in one.duties)
        scope = AreaScope(head.area[:6], head.area)
        async with transaction(runtime.engine, scope) as session:
            await lock_subjects(session, [b"demo trainings " + scope.district.encode()])
            if not await session.scalar(select(exists().where(TRAINING.district == scope.district))):
                await _hold(runtime, session, scope, head, now)


async def _hold(runtime: Runtime, session: AsyncSession, scope: AreaScope, head: DemoAccount, now: datetime) -> None:
    """The last of the list failed; everybody else has a certificate."""
    day = business_date(now) - timedelta(days=HELD_DAYS_AGO)
    stations = await StationRepository(session).list_stations(scope, area_code=head.area, on=day, after=None, limit=1)
    wanted = InformantFilter(head.area, day)
    informants = await InformantRepository(session, runtime.cipher).list_informants(scope, wanted, after=None, limit=ATTENDEES)
    if not stations or not informants:
        return
    attendees = tuple(Attendee(one.id, exam_passed=place < ATTENDEES - 1) for place, one in enumerate(informants))
    desk = _desk(session, head, scope, now)
    training = await desk.record(stations[0].id, TrainingEntry(day, "急难线索的发现和报送", 8, exam=True, attendees=attendees))
    await desk.issue(stations[0].id, training.id, None)


def _desk(session: AsyncSession, head: DemoAccount, scope: AreaScope, now: datetime) -> TrainingDesk:
    actor = Actor(head.id, head.username, head.level, head.area, scope.district, frozenset(head.duties))
    return open_training_desk(session, actor, new_id, today=business_date(now), now=now)
