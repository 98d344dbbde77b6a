"""Deaths, detentions and warnings: matched with whoever is registered in the area, kept for later where nobody is."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.base import columns
from app.db.constraints import register_constraint
from app.db.import_writers import RunContext, register_writer
from app.db.import_writers.number_lookup import find_people
from app.db.import_writers.table import Key, TableWriter, Wanted
from app.db.import_writers.target import Row, Sealed, Target
from app.db.keyed import rows_by
from app.db.scoping import within
from app.db.tables.bureau_notices import BureauNotice
from app.domain.access import AreaScope
from app.domain.identity import normalise_name
from app.domain.imports.kinds.bureau_notices import DEATH_NOTICES, DETENTION_NOTICES, WARNINGS
from app.domain.imports.model import RowFault
from app.security.fields import Field

FIELDS = ("area_code", "name", "occurred_on", "source", "document_no", "detail", "received_on")


register_constraint("uq_bureau_notice_natural_key", "already_there", "该信息已经导入，不必重复导入。")
NOTICE = columns(BureauNotice)
OTHER_NAME = RowFault(
    "姓名", "name_differs", "该身份证号在本辖区登记的是另一姓名，请核对身份证号和姓名；姓名确已变更的，请先更正登记。"
)


class NoticeWriter(TableWriter):
    """Finds the person, and from him the area where the file gives none; of others the office that was told keeps the notice."""

    async def complete(self, scope: AreaScope, session: AsyncSession, rows: Sequence[Wanted], run: RunContext) -> None:
        known = await find_people(scope, session, run.blind_index, [row.fields["id_number"] for row in rows])
        for row in rows:
            person = known.get(row.fields["id_number"])
            if person is None:
                continue
            row.columns["person_id"] = person["id"]
            row.columns.setdefault("area_code", person["area_code"])
            if person["name_key"] != normalise_name(row.fields["name"]):
                row.doubt = OTHER_NAME  # who was registered later under another name may keep his notice

    async def existing(
        self,
        scope: AreaScope,
        session: AsyncSession,
        rows: Sequence[Wanted],
        run: RunContext,
    ) -> dict[Key, Row]:
        """Of what several offices were told that of the row's own area, or else any that the sender sees."""
        if not rows:
            return {}
        keys = {name: [row.key[place] for row in rows] for place, name in enumerate(self.target.key)}
        there, found = rows_by(BureauNotice, keys, within(scope, self.target.columns))
        told: dict[Key, list[Row]] = defaultdict(list)
        for one in (await session.execute(sa.select(*found.c).select_from(there).order_by(found.c.id))).mappings():
            told[tuple(one[name] for name in self.target.key)].append(dict(one))
        default = {"person_id": None, "area_code": scope.prefix, "received_on": run.today}
        known: dict[Key, Row] = {}
        for row in rows:
            before = _chosen(told.get(row.key, ()), row)
            row.columns = {name: (before or default)[name] for name in default} | row.columns
            row.key = (*row.key, row.columns["area_code"])
            if before is not None:
                known[row.key] = before
        await _link(scope, session, [(known[row.key], row.columns["person_id"]) for row in rows if row.key in known])
        return known

    def subject_of(self, row: Wanted) -> Key:
        """Each office that was told has a notice of its own."""
        return row.key if row.before is None else (*row.key[:-1], row.before["area_code"])

    def _is_as_wanted(self, row: Wanted, before: Row, run: RunContext) -> bool:
        """The notice goes to where its person lives."""
        return bool(before["area_code"] == row.columns["area_code"]) and super()._is_as_wanted(row, before, run)


async def _link(scope: AreaScope, session: AsyncSession, pairs: Sequence[tuple[Row, UUID | None]]) -> None:
    """Whoever has been registered since is named: no change of what was reported."""
    for before, person_id in pairs:
        if person_id is not None and before["person_id"] is None:
            named = sa.update(BureauNotice).where(within(scope, NOTICE), NOTICE.id == before["id"]).values(person_id=person_id)
            await session.execute(named.execution_options(synchronize_session=False))


def _chosen(told: Sequence[Row], row: Wanted) -> Row | None:
    """Of the row's own area; a row that names none may be any of them."""
    own = [one for one in told if one["area_code"] == row.columns.get("area_code")]
    return next(iter(own or (() if "area_code" in row.fields else told)), None)


def target_of(kind: str, *more: str, **constants: Any) -> Target:
    """The part of the table that holds one kind of report."""
    return Target(
        table=BureauNotice,
        key=("kind", "number_digest", "occurred_on", "category"),
        values={name: name for name in (*FIELDS, *more)},
        sealed={"id_number": Sealed("id_number_sealed", Field.ID_NUMBER, "id_number_masked")},
        digests={"number_digest": "id_number"},
        constants={"kind": kind, **constants},
    )


TARGETS = {
    DEATH_NOTICES.code: target_of("death", category=""),
    DETENTION_NOTICES.code: target_of("detention", "category", "ended_on"),
    WARNINGS.code: target_of("warning", "category"),
}
for _code, _target in TARGETS.items():
    register_writer(_code, NoticeWriter(_target))
