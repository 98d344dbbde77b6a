"""People and the facts about them over time."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.tables.registry import PersonFact
from app.domain.access import AreaScope
from app.domain.registry.model import Attributes, Disability


async def attributes_on(
    session: AsyncSession, scope: AreaScope, person_ids: Iterable[UUID], on: date
) -> dict[UUID, Attributes]:
    """The attributes in force on a day, per person; the end of a fact is the next row of its kind, maybe an empty one."""
    statement = (
        select(PersonFact.person_id, PersonFact.kind, PersonFact.value)
        .distinct(PersonFact.person_id, PersonFact.kind)
        .where(
            PersonFact.district == scope.district,
            PersonFact.person_id.in_(list(person_ids)),
            PersonFact.valid_from <= on,
            PersonFact.superseded_at.is_(None),
        )
        .order_by(PersonFact.person_id, PersonFact.kind, PersonFact.valid_from.desc())
    )
    found: dict[UUID, dict[str, Any]] = {}
    for person_id, kind, value in await session.execute(statement):
        found.setdefault(person_id, {})[kind] = value
    return {person_id: _attributes(facts) for person_id, facts in found.items()}


def _attributes(facts: dict[str, Any]) -> Attributes:
    disability = facts.get("disability")
    return Attributes(
        disability=_disability(disability) if disability else None,
        employment=(facts.get("employment") or {}).get("value"),
        study=(facts.get("study") or {}).get("value"),
        serious_illness=bool((facts.get("serious_illness") or {}).get("value", False)),
    )


def _disability(value: dict[str, Any]) -> Disability:
    return Disability(value["category"], value["grade"], value["needs_care"], value.get("certificate_no_masked"))
