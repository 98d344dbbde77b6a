"""The demo's item lists, and requests at its counters: in time, overdue, waiting for a supplement, offered to a colleague."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import yaml
from sqlalchemy import exists, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.base import columns
from app.db.locks import lock_subjects
from app.db.service_desk import ServiceDesk, open_service_desk
from app.db.session import enter_scope, transaction
from app.db.tables.service_items import ServiceItemList
from app.demo.accounts import ACCOUNTS, SECOND_ACCOUNTS, DemoAccount
from app.domain.access import Actor, AreaScope, Duty
from app.domain.calendar import SHANGHAI, business_date
from app.domain.service_items import RequestEntry, Supply
from app.domain.service_items.requests import HandOverReason, Missing, MissingReason
from app.ids import new_id
from app.runtime import Runtime

if TYPE_CHECKING:
    from app.routers.v1.service_models import ServiceListIn

DATA = Path(__file__).parents[1] / "data"
PATTERN = "service-items-*.yaml"
LIST = columns(ServiceItemList)
AT_STATION, AT_COMMUNITY = Duty.STATION_CLERK, Duty.COMMUNITY_WORKER


@dataclass(frozen=True)
class _Visit:
    """Somebody came so many days ago; ``ended``: so many days after that. None: still open."""

    duty: Duty
    item: str
    days_ago: int
    ended: int | None = None
    materials: dict[str, Supply] = field(default_factory=dict)
    missing: str | None = None
    offered: bool = False


IN_HAND = {"id_card": Supply.DATA_SHARING}
VISITS = (
    _Visit(AT_STATION, "policy_advice", 30, 0),
    _Visit(AT_STATION, "data_correction", 40, 7, {**IN_HAND, "evidence": Supply.COMMITMENT}),
    _Visit(AT_STATION, "tekun_care_review", 40, None, IN_HAND),
    _Visit(AT_STATION, "old_age", 6, None, IN_HAND, "bank_account"),
    _Visit(AT_STATION, "disability_care", 5, None, IN_HAND, None, True),
    _Visit(AT_COMMUNITY, "policy_advice", 20, 0),
    _Visit(AT_COMMUNITY, "relief_assist", 12, 1, {**IN_HAND, "mandate": Supply.COMMITMENT}),
    _Visit(AT_COMMUNITY, "old_age_assist", 9, None, IN_HAND),
)


def published_lists() -> list[ServiceListIn]:
    """The lists that come with the application. Raises ``ValueError`` (pydantic's) naming the place."""
    from app.routers.v1.service_models import ServiceListIn  # noqa: PLC0415  (all of the interface; no second start needs it)

    documents = [yaml.safe_load(path.read_text("utf-8")) for path in sorted(DATA.glob(PATTERN))]
    return [ServiceListIn.model_validate({key: value for key, value in one.items() if key != "shared"}) for one in documents]


async def load_service_items(runtime: Runtime, now: datetime) -> None:
    """Idempotent, one transaction a district."""
    for accounts in (ACCOUNTS, SECOND_ACCOUNTS):
        district = accounts[0].area
        async with transaction(runtime.engine, AreaScope(district, district)) as session:
            await lock_subjects(session, [b"demo service items " + district.encode()])
            if not await session.scalar(select(exists().where(LIST.district == district))):
                await _Demo(runtime, session, district, accounts).build(business_date(now))


@dataclass(frozen=True)
class _Demo:
    """What building a district's demo needs."""

    runtime: Runtime
    session: AsyncSession
    district: str
    accounts: Sequence[DemoAccount]

    async def build(self, today: date) -> None:
        since = await self._publish()
        for account in self.accounts:
            await enter_scope(self.session, AreaScope(self.district, account.area))
            for number, visit in enumerate(VISITS):
                day = today - timedelta(days=visit.days_ago)
                if visit.duty in account.duties and day >= since:
                    await self._visit(account, visit, number, day)

    async def _publish(self) -> date:
        """The first day on which all of them are in force."""
        officer, lists = next(one for one in self.accounts if Duty.POLICY_OFFICER in one.duties), published_lists()
        for one in lists:
            await self._desk(officer, one.valid_from).publishing.publish(new_id(), one.entry())
        return max(one.valid_from for one in lists)

    async def _visit(self, account: DemoAccount, visit: _Visit, number: int, day: date) -> None:
        desk = self._desk(account, day)
        entry = RequestEntry(visit.item, name=f"示例群众{number + 1}", materials=visit.materials)
        request = await desk.acts.take(new_id(), entry)
        if visit.missing is not None:
            await desk.acts.notify_missing(request.id, [Missing(visit.missing, MissingReason.ABSENT)], None)
        if visit.offered:
            head = next(one for one in self.accounts if one.area == account.area and Duty.STATION_HEAD in one.duties)
            await desk.acts.hand_over(request.id, head.id, HandOverReason.ABSENCE, None)
        if visit.ended is not None:
            ending = self._desk(account, day + timedelta(days=visit.ended))
            await ending.acts.finish(request.id, "已办结并告知申请人", None)

    def _desk(self, account: DemoAccount, day: date) -> ServiceDesk:
        actor = Actor(account.id, account.username, account.level, account.area, self.district, frozenset(account.duties))
        return open_service_desk(
            self.session, self.runtime.cipher, actor, today=day, now=datetime.combine(day, time(12), SHANGHAI)
        )
