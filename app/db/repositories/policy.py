"""Policy sets: loading a document, activating, and the parameter book that the rules read."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from uuid import UUID

import yaml
from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.base import columns
from app.db.tables.reference import PolicyParameter, PolicySet
from app.domain.eligibility.parameters import ParameterBook, ParameterRow, content_hash
from app.domain.eligibility.policy_document import rows_of
from app.domain.eligibility.replay import identity_of
from app.domain.errors import FieldError, Malformed
from app.ids import new_id


@dataclass(frozen=True, slots=True)
class LoadedSet:
    """What loading did with one area of a document: ``unchanged``, ``draft`` or ``active``."""

    id: UUID
    area_code: str
    status: str
    parameters: int


PARAMETER = columns(PolicyParameter)
SET = columns(PolicySet)


async def load_policy_document(session: AsyncSession, text: str, *, demo: bool, loaded_by: str, now: datetime) -> list[LoadedSet]:
    """Makes a draft set for each area of a YAML document; an area without an active set, or the demo, activates at once.

    The same document twice changes nothing. Raises ``Malformed`` with pointers into the document.
    """
    by_area = groupby(sorted(rows_of(read_document(text)), key=lambda row: row.area_code), key=lambda row: row.area_code)
    return [await _load_set(session, area, list(rows), demo=demo, loaded_by=loaded_by, now=now) for area, rows in by_area]


def read_document(text: str | bytes) -> object:
    """The parsed YAML. Raises ``Malformed`` policy_malformed."""
    try:
        return _plain(yaml.safe_load(_without_aliases(text)))
    except (yaml.YAMLError, ValueError, TypeError, RecursionError) as error:
        finding = FieldError("", "not_yaml", f"不是合法的 YAML：{(str(error).splitlines() or [''])[0]}")
        raise Malformed("policy_malformed", "政策文件无法读取，请检查缩进和引号。", errors=[finding]) from error


def _plain(document: object) -> object:
    """As JSON holds it: keys are text, dates are text, nothing that Postgres can't store."""
    text = json.dumps(document, ensure_ascii=False, default=str)
    if "\\u0000" in text or any("\ud800" <= character <= "\udfff" for character in text):
        raise yaml.YAMLError("含有无法保存的字符")
    return json.loads(text)


def _without_aliases(text: str | bytes) -> str | bytes:
    """A few lines of them expand to gigabytes."""
    if any(isinstance(token, yaml.AliasToken) for token in yaml.scan(text)):
        raise yaml.YAMLError("不支持别名（*）")
    return text


async def _load_set(
    session: AsyncSession, area: str, rows: Sequence[ParameterRow], *, demo: bool, loaded_by: str, now: datetime
) -> LoadedSet:
    digest = content_hash(rows)
    same = select(SET.id).where(SET.area_code == area, SET.content_hash == digest, SET.author_id.is_(None))
    if (known := (await session.execute(same)).one_or_none()) is not None:
        return LoadedSet(known.id, area, "unchanged", len(rows))
    set_id = new_id()
    values = {"id": set_id, "area_code": area, "content_hash": digest, "demo": demo, "loaded_at": now, "loaded_by": loaded_by}
    await session.execute(insert(PolicySet).values(status="draft", version=1, **values))
    await session.execute(insert(PolicyParameter), [_parameter(set_id, row) for row in rows])
    active = select(SET.id).where(SET.area_code == area, SET.status == "active")
    if demo or (await session.execute(active)).first() is None:
        await activate(session, set_id, area, by=loaded_by, now=now)
        return LoadedSet(set_id, area, "active", len(rows))
    return LoadedSet(set_id, area, "draft", len(rows))


def _parameter(set_id: UUID, row: ParameterRow) -> dict[str, object]:
    return {
        "set_id": set_id,
        "key": row.key,
        "valid_from": row.valid_from,
        "valid_until": row.valid_until,
        "value": row.value,
        "source": row.source,
    }


async def activate(session: AsyncSession, set_id: UUID, area: str, *, by: str, now: datetime) -> None:
    """Makes a set the active one of its area; the former one is superseded, never deleted."""
    former = update(PolicySet).where(SET.area_code == area, SET.status == "active")
    await session.execute(former.values(status="superseded"))
    chosen = update(PolicySet).where(SET.id == set_id)
    await session.execute(chosen.values(status="active", activated_at=now, activated_by=by))


class ParameterBooks:
    """The active parameters, parsed once and kept until another set becomes active. One per process."""

    def __init__(self) -> None:
        self._stamp: tuple[UUID, ...] = ()
        self._book = ParameterBook(())

    async def current(self, session: AsyncSession) -> ParameterBook:
        """One cheap query tells whether the kept book still holds."""
        active = select(SET.id).where(SET.status == "active").order_by(SET.id)
        stamp = tuple((await session.execute(active)).scalars())
        if stamp != self._stamp:
            self._book = await read_book(session, stamp)
            self._stamp = stamp
        return self._book

    @property
    def latest(self) -> ParameterBook:
        """The kept book, unasked whether it still holds; empty in a process that has read none yet."""
        return self._book

    def kept(self, active: Sequence[UUID]) -> ParameterBook | None:
        """The kept book, if it is made of just these sets (by id)."""
        return self._book if tuple(active) == self._stamp else None


async def active_sets(session: AsyncSession) -> dict[str, UUID]:
    """The active set of each area that has one."""
    rows = await session.execute(select(SET.area_code, SET.id).where(SET.status == "active").order_by(SET.id))
    return {row.area_code: row.id for row in rows}


async def rows_ever_in_force(session: AsyncSession) -> frozenset[ParameterRow]:
    """The identities of all values that a decision may have used: of active and superseded sets."""
    used = (await session.execute(select(SET.id).where(SET.status != "draft"))).scalars().all()
    parameters = select(SET.area_code, PolicyParameter).join(PolicyParameter, PARAMETER.set_id == SET.id).where(SET.id.in_(used))
    return frozenset(identity_of(_row(area, stored)) for area, stored in await session.execute(parameters))


async def read_rows(session: AsyncSession, set_id: UUID) -> tuple[ParameterRow, ...]:
    """The values of one set, by key and start."""
    return tuple(sorted((await read_book(session, [set_id])).rows, key=lambda row: (row.key, row.valid_from)))


async def read_book(session: AsyncSession, sets: Sequence[UUID]) -> ParameterBook:
    """The book made of exactly these sets (for replays, of sets that are no longer active)."""
    statement = (
        select(SET.area_code, SET.demo, PolicyParameter).join(PolicyParameter, PARAMETER.set_id == SET.id).where(SET.id.in_(sets))
    )
    found = (await session.execute(statement)).all()
    rows = tuple(_row(area, parameter) for area, _, parameter in found)
    return ParameterBook(rows, demo_areas=frozenset(area for area, demo, _ in found if demo))


def _row(area: str, stored: PolicyParameter) -> ParameterRow:
    return ParameterRow(area, stored.key, stored.valid_from, stored.valid_until, stored.value, stored.source)
