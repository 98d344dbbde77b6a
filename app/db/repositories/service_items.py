"""The published item lists of a district: written once, read by everybody in it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.base import columns
from app.db.locks import lock_subjects
from app.db.tables.service_items import ServiceItem, ServiceItemList
from app.domain.access import AreaScope, Signature
from app.domain.service_items import (
    Citation,
    DayUnit,
    Item,
    ItemEntry,
    ItemList,
    ListEntry,
    ListLevel,
    Material,
    Step,
    TimeLimit,
    Waiver,
    refusals,
)
from app.ids import new_id

LIST, ITEM = columns(ServiceItemList), columns(ServiceItem)

# The next version of the level that begins later ends this one; of two that begin on one day only the last published counts.
NEXT = sa.func.lead(LIST.valid_from).over(partition_by=(LIST.district, LIST.level), order_by=(LIST.valid_from, LIST.number))


class ServiceItemRepository:
    """The lists and items of one transaction."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def publish(
        self, scope: AreaScope, list_id: UUID, entry: ListEntry, *, by_application: Collection[str], signed: Signature
    ) -> None:
        await lock_subjects(self._session, [f"service list {scope.district} {entry.level}".encode()])
        last = sa.select(sa.func.coalesce(sa.func.max(LIST.number), 0)).where(
            LIST.district == scope.district, LIST.level == entry.level.value
        )
        head = {"district": scope.district, "area_code": scope.prefix, "level": entry.level.value}
        values = {
            **head,
            "id": list_id,
            "number": int((await self._session.execute(last)).scalar_one()) + 1,
            "title": entry.title,
            "source": entry.source,
            "valid_from": entry.valid_from,
            "published_by": signed.by,
            "published_by_name": signed.name,
            "published_at": signed.at,
        }
        await self._session.execute(sa.insert(ServiceItemList).values(**values))
        rows = [
            {**head, "id": new_id(), "list_id": list_id, "place": place, **_item_values(one, by_application)}
            for place, one in enumerate(entry.items)
        ]
        await self._session.execute(sa.insert(ServiceItem), rows)

    async def get(self, scope: AreaScope, list_id: UUID) -> ItemList:
        """``NotFound`` service_list_not_found."""
        versions = _versions(scope)
        row = (await self._session.execute(sa.select(versions).where(versions.c.id == list_id))).one_or_none()
        if row is None:
            raise refusals.list_not_found()
        return _list(row)

    async def list_lists(self, scope: AreaScope, *, level: ListLevel | None, before: UUID | None, limit: int) -> list[ItemList]:
        """The last published first."""
        versions = _versions(scope)
        statement = sa.select(versions).order_by(versions.c.id.desc()).limit(limit)
        if level is not None:
            statement = statement.where(versions.c.level == level.value)
        if before is not None:
            statement = statement.where(versions.c.id < before)
        return [_list(row) for row in await self._session.execute(statement)]

    async def count_lists(self, scope: AreaScope, *, level: ListLevel | None) -> int:
        statement = sa.select(sa.func.count()).select_from(ServiceItemList).where(LIST.district == scope.district)
        if level is not None:
            statement = statement.where(LIST.level == level.value)
        return int((await self._session.execute(statement)).scalar_one())

    async def list_in_force(self, scope: AreaScope, on: date) -> list[ItemList]:
        """Those of the day, one a level at most."""
        versions = _versions(scope)
        ends = sa.or_(versions.c.valid_until.is_(None), versions.c.valid_until > on)
        statement = sa.select(versions).where(versions.c.valid_from <= on, ends).order_by(versions.c.level)
        return [_list(row) for row in await self._session.execute(statement)]

    async def find_in_force(self, scope: AreaScope, level: ListLevel, on: date) -> ItemList | None:
        return next((one for one in await self.list_in_force(scope, on) if one.level is level), None)

    async def find_item(self, scope: AreaScope, list_id: UUID, code: str) -> Item | None:
        statement = sa.select(ServiceItem).where(ITEM.district == scope.district, ITEM.list_id == list_id, ITEM.code == code)
        row = (await self._session.execute(statement)).scalar_one_or_none()
        return None if row is None else item_of(row)

    async def get_item(self, scope: AreaScope, item_id: UUID) -> Item:
        """``NotFound`` service_item_not_found."""
        statement = sa.select(ServiceItem).where(ITEM.district == scope.district, ITEM.id == item_id)
        row = (await self._session.execute(statement)).scalar_one_or_none()
        if row is None:
            raise refusals.item_not_found()
        return item_of(row)

    async def list_items(self, scope: AreaScope, lists: Sequence[UUID]) -> list[Item]:
        """In the order of their lists."""
        statement = sa.select(ServiceItem).where(ITEM.district == scope.district, ITEM.list_id.in_(lists))
        rows = (await self._session.execute(statement.order_by(ITEM.list_id, ITEM.place))).scalars()
        return [item_of(row) for row in rows]


def _versions(scope: AreaScope) -> sa.Subquery:
    return sa.select(*LIST, NEXT.label("valid_until")).where(LIST.district == scope.district).subquery("versions")


def _list(row: Any) -> ItemList:
    signed = Signature(row.published_by, row.published_by_name, row.published_at)
    level = ListLevel(row.level)
    return ItemList(row.id, level, row.number, row.title, row.source, row.valid_from, row.valid_until, signed)


def _item_values(entry: ItemEntry, by_application: Collection[str]) -> dict[str, Any]:
    limit = entry.limit
    return {
        "code": entry.code,
        "name": entry.name,
        "programme": entry.programme,
        "by_application": entry.programme in by_application,
        "day_unit": limit.unit.value,
        "promised_days": limit.promised_days,
        "legal_days": limit.legal_days,
        "content": {
            "basis": [[one.document, one.article] for one in entry.basis],
            "procedure": [[one.name, one.by] for one in entry.procedure],
            "result": entry.result,
            "rules": list(entry.rules),
            "materials": [[one.code, one.name, one.required, sorted(one.waivers)] for one in entry.materials],
            "legal_article": limit.legal_article,
            "pause_article": limit.pause_article,
            "handled_by": entry.handled_by,
        },
    }


def item_of(row: ServiceItem) -> Item:
    content = row.content
    entry = ItemEntry(
        code=row.code,
        name=row.name,
        basis=tuple(Citation(*one) for one in content["basis"]),
        procedure=tuple(Step(*one) for one in content["procedure"]),
        result=content["result"],
        rules=tuple(content["rules"]),
        materials=tuple(
            Material(code, name, required, frozenset(map(Waiver, waivers)))
            for code, name, required, waivers in content["materials"]
        ),
        limit=TimeLimit(
            DayUnit(row.day_unit), row.promised_days, row.legal_days, content["legal_article"], content["pause_article"]
        ),
        handled_by=content["handled_by"],
        programme=row.programme,
    )
    return Item(row.id, row.list_id, ListLevel(row.level), entry, row.by_application)
