"""Deaths, detentions and warnings: matched with whoever is registered in the area, kept for later where nobody is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from app.db.constraints import register_constraint
from app.db.import_writers import RunContext, register_writer
from app.db.import_writers.number_lookup import find_people
from app.db.import_writers.table import TableWriter, Wanted
from app.db.import_writers.target import Sealed, Target
from app.db.tables.bureau_notices import BureauNotice
from app.domain.access import AreaScope
from app.domain.imports.kinds.bureau_notices import DEATH_NOTICES, DETENTION_NOTICES, WARNINGS
from app.security.fields import Field

register_constraint("uq_bureau_notice_natural_key", "notice_elsewhere", "该信息已由其他辖区导入，请与当地核对，不必重复导入。")

FIELDS = ("area_code", "name", "occurred_on", "source", "document_no", "detail", "received_on")


class NoticeWriter(TableWriter):
    """Finds the person, and from him the area where the file gives none."""

    async def complete(self, scope: AreaScope, session: AsyncSession, rows: Sequence[Wanted], run: RunContext) -> None:
        known = await find_people(scope, session, run.blind_index, [row.fields["id_number"] for row in rows])
        for row in rows:
            person = known.get(row.fields["id_number"])
            row.columns["person_id"] = None if person is None else person["id"]
            row.columns.setdefault("area_code", scope.prefix if person is None else person["area_code"])
            row.columns.setdefault("received_on", run.today)


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
