"""Officials: named by their ID number, which a table of blind-index rows finds again under every live key."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.base import columns
from app.db.constraints import register_constraint
from app.db.import_writers import RunContext, register_writer
from app.db.import_writers.number_lookup import digests_of, each_digest
from app.db.import_writers.table import Key, TableWriter, Wanted
from app.db.import_writers.target import Dependent, Row, Sealed, Target
from app.db.keyed import found_by
from app.db.scoping import within
from app.db.tables.stations import Official, OfficialNumber, OfficialRelative
from app.domain.access import AreaScope
from app.domain.imports.kinds.officials import OFFICIALS
from app.ids import new_id
from app.security.fields import Field

NUMBER = columns(OfficialNumber)
OFFICIAL = columns(Official)
NAMES = tuple(column.name for column in OFFICIAL)

register_constraint("uq_official_number_official", "official_elsewhere", "此人已在其他辖区备案，请与当地核对后由上级调整。")


class OfficialWriter(TableWriter):
    """The natural key is a number that is never stored in the clear: in memory it stands in the row's key."""

    async def complete(
        self,
        scope: AreaScope,  # noqa: ARG002
        session: AsyncSession,  # noqa: ARG002
        rows: Sequence[Wanted],
        run: RunContext,  # noqa: ARG002
    ) -> None:
        for row in rows:
            row.columns["id_number"] = row.fields["id_number"]

    async def existing(self, scope: AreaScope, session: AsyncSession, rows: Sequence[Wanted], run: RunContext) -> dict[Key, Row]:
        digests = digests_of(run.blind_index, (row.columns.pop("id_number") for row in rows))
        wanted = each_digest(digests)
        same = {"index_version": wanted.c.index_version, "bidx": wanted.c.bidx}
        number = found_by(OfficialNumber, same, NUMBER.district == scope.district, NUMBER.relative_id.is_(None))
        official = found_by(Official, {"id": number.c.official_id}, within(scope, OFFICIAL))
        there = sa.join(wanted, number, sa.true()).join(official, sa.true())
        statement = sa.select(wanted.c.index_version, wanted.c.bidx, *official.c).select_from(there)
        found = (await session.execute(statement)).mappings()
        return {(digests[row["index_version"], bytes(row["bidx"])],): {name: row[name] for name in NAMES} for row in found}

    def subject_of(self, row: Wanted) -> Key:
        """Somebody withdrawn or moved may be put on record elsewhere: each area has a mark of its own."""
        return (*row.key, row.columns["area_code"] if row.before is None else row.before["area_code"])

    async def inserted(self, scope: AreaScope, session: AsyncSession, rows: Sequence[Wanted], run: RunContext) -> None:
        numbers = [
            {
                "district": scope.district,
                "id": new_id(),
                "area_code": row.columns["area_code"],
                "official_id": row.columns["id"],
                "index_version": version,
                "bidx": digest,
            }
            for row in rows
            for version, digest in run.blind_index.digest(Field.ID_NUMBER, row.fields["id_number"]).items()
        ]
        await session.execute(sa.insert(OfficialNumber), numbers)

    async def updated(self, scope: AreaScope, session: AsyncSession, rows: Sequence[tuple[UUID, Row]]) -> None:
        """The index rows lie where the official does."""
        for official_id, values in rows:
            statement = sa.update(OfficialNumber).where(within(scope, NUMBER), NUMBER.official_id == official_id)
            statement = statement.where(NUMBER.relative_id.is_(None)).values(area_code=values["area_code"])
            await session.execute(statement.execution_options(synchronize_session=False))

    async def deleting(self, scope: AreaScope, session: AsyncSession, ids: Sequence[UUID]) -> None:
        statement = sa.delete(OfficialNumber).where(within(scope, NUMBER), NUMBER.official_id.in_(ids))
        await session.execute(statement.execution_options(synchronize_session=False))


TARGET = Target(
    table=Official,
    key=("id_number",),
    values={name: name for name in ("name", "organisation", "position", "area_code")},
    sealed={"id_number": Sealed("id_number_sealed", Field.ID_NUMBER, "id_number_masked")},
    dependents=(Dependent(OfficialRelative, "official_id"),),
)
register_writer(OFFICIALS.code, OfficialWriter(TARGET))
