"""A few community cadres of the demo with a near relative each, registered residents like everybody else (近亲属备案)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from sqlalchemy import exists, select

from app.db.base import columns
from app.db.locks import lock_subjects
from app.db.repositories.audit import AuditEntry, write_audit
from app.db.repositories.officials import OfficialRepository
from app.db.session import transaction
from app.db.tables.stations import Official
from app.demo.accounts import demo_id
from app.demo.model import DemoHousehold, DemoPopulation
from app.demo.residents import communities
from app.domain.access import AreaScope
from app.domain.officials.model import Post, Relation, RelativeEntry
from app.runtime import Runtime

OFFICIAL = columns(Official)
COMMUNITIES = ("350702001001", "350702001002", "350702002001", "340882100002")  # those of the demo accounts, and a neighbour
TIES: dict[str, Relation] = {"spouse": "spouse", "child": "child", "parent": "parent"}


async def load_officials(runtime: Runtime, population: DemoPopulation, now: datetime) -> int:
    """The number of officials; 0 when the district has its own already."""
    scope = AreaScope(population.district, population.district)
    async with transaction(runtime.engine, scope) as session:
        await lock_subjects(session, [b"demo officials " + scope.district.encode()])
        if await session.scalar(select(exists().where(OFFICIAL.district == scope.district))):
            return 0
        officials = OfficialRepository(session, runtime.cipher, runtime.blind_index)
        count = 0
        for household, post in _chosen(population):
            by = demo_id("demo officials")
            official_id = await officials.add(scope, post, household.head.id_number, by=by, now=now)
            await officials.add_relatives(scope, official_id, post.area_code, _relatives(household), now)
            count += 1
        entry = AuditEntry("demo.load_officials", "district", scope.district, scope.district, details={"officials": count})
        await write_audit(session, [entry], None, actor_name="demo", district=scope.district)
    return count


def _chosen(population: DemoPopulation) -> Iterator[tuple[DemoHousehold, Post]]:
    """One head of household who has work and family in each of the communities."""
    names = {area.code: area.name for area in communities(population.district)}
    for code in COMMUNITIES:
        here = (household for household in population.households if household.area_code == code)
        fit = (one for one in here if one.head.employment == "employed" and _relatives(one))
        household = next(fit, None)
        if household is not None:
            yield household, Post(household.head.name, names[code], "委员", code)


def _relatives(household: DemoHousehold) -> list[RelativeEntry]:
    near = (member for member in household.members[1:] if member.relation in TIES)
    return [RelativeEntry(TIES[member.relation], member.person.name, member.person.id_number) for member in near][:1]
