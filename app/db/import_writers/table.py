"""The generic writer: a ``Target`` says where the rows go, this does the rest, a block at a time.

An empty cell states nothing: what is on record stays as it is. A block is written as a whole; when the database refuses it (a
period overlaps, somebody was quicker at the desk), it is halved until the row that is to blame stands alone and is refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.constraints import conflict_of
from app.db.import_writers import RunContext, marks
from app.db.import_writers.marks import Before, Mark
from app.db.import_writers.target import Row, Target, number_digest
from app.db.keyed import rows_by
from app.db.locks import lock_subjects
from app.db.scoping import within
from app.domain.access import AreaScope
from app.domain.errors import Conflict
from app.domain.imports.model import Applied, Block, RowFault
from app.ids import new_id
from app.security.fields import FieldCipher

Key = tuple[Any, ...]
UNDOING = sa.text("SELECT set_config('app.undoing', :import_id, true)")
ALREADY_THERE = RowFault(None, "already_there", "已有该记录，而本次导入只新增；请改用更新方式导入，或删去该行。")


@dataclass(slots=True)
class Wanted:
    """A row of the file on its way: its fields, and the table's columns that they fill (sealed ones are filled last)."""

    number: int
    fields: dict[str, Any]
    columns: dict[str, Any]
    key: Key = ()
    subject_key: bytes = b""
    before: Row | None = None
    mark: Mark | None = None
    doubt: RowFault | None = None  # why it can't be taken as a new row


@dataclass(slots=True)
class _Outcome:
    created: list[Wanted] = field(default_factory=list)
    updated: list[Wanted] = field(default_factory=list)
    unchanged: int = 0
    refused: dict[int, list[RowFault]] = field(default_factory=dict)


class TableWriter:
    """Writes and takes back the rows of one kind. Kinds with a wrinkle of their own override ``complete`` or ``existing``."""

    def __init__(self, target: Target) -> None:
        self.target = target

    # for kinds with a wrinkle

    async def complete(self, scope: AreaScope, session: AsyncSession, rows: Sequence[Wanted], run: RunContext) -> None:
        """Fills columns that the file doesn't give, and says where a new row would be in doubt."""

    async def existing(
        self,
        scope: AreaScope,
        session: AsyncSession,
        rows: Sequence[Wanted],
        run: RunContext,  # noqa: ARG002
    ) -> dict[Key, Row]:
        """The rows of the table with these natural keys."""
        if not rows:
            return {}
        keys = {name: [row.key[place] for row in rows] for place, name in enumerate(self.target.key)}
        there, found = rows_by(self.target.table, keys, within(scope, self.target.columns), *self.target.conditions())
        rows_found = (await session.execute(sa.select(*found.c).select_from(there))).mappings()
        return {tuple(row[name] for name in self.target.key): dict(row) for row in rows_found}

    def subject_of(self, row: Wanted) -> Key:
        """What tells the row's subject from all others of its kind in the district."""
        return row.key

    async def inserted(self, scope: AreaScope, session: AsyncSession, rows: Sequence[Wanted], run: RunContext) -> None:
        """Rows of other tables that belong to the new ones."""

    async def updated(self, scope: AreaScope, session: AsyncSession, rows: Sequence[tuple[UUID, Row]]) -> None:
        """Rows of other tables that follow the changed ones."""

    async def deleting(self, scope: AreaScope, session: AsyncSession, ids: Sequence[UUID]) -> None:
        """Takes away what ``inserted`` made, before its rows go."""

    # the writer

    async def write(self, scope: AreaScope, session: AsyncSession, block: Block, run: RunContext) -> Applied:
        """Set-wise; see ``Writer``."""
        await lock_subjects(session, [f"import {scope.district} {run.kind.code}".encode()])
        outcome = _Outcome()
        rows = await self._prepare(scope, session, block, run, outcome)
        self._decide(rows, run, outcome)
        await self._apply(scope, session, outcome.updated + outcome.created, run, outcome)
        created = sum(row.number not in outcome.refused for row in outcome.created)
        updated = sum(row.number not in outcome.refused for row in outcome.updated)
        return Applied(created, updated, outcome.unchanged, outcome.refused)

    # preparing

    async def _prepare(
        self, scope: AreaScope, session: AsyncSession, block: Block, run: RunContext, outcome: _Outcome
    ) -> list[Wanted]:
        target = self.target
        rows = [Wanted(number, _given(values), dict(target.constants)) for number, values in block.rows()]
        rows = await self._resolve(scope, session, rows, run, outcome)
        for row in rows:
            row.columns |= {column: row.fields[name] for name, column in target.values.items() if name in row.fields}
            for column, name in target.digests.items():
                row.columns[column] = number_digest(run.keys, column, row.fields[name])
        await self.complete(scope, session, rows, run)
        for row in rows:
            row.key = tuple(row.columns.get(name) for name in target.key)
        known = await self.existing(scope, session, rows, run)
        for row in rows:
            row.before = known.get(row.key)
            row.subject_key = marks.subject_key(run, *self.subject_of(row))
        marked = await marks.find_marks(scope, session, run.kind.code, [row.subject_key for row in rows])
        for row in rows:
            row.mark = marked.get(row.subject_key)
        return rows

    async def _resolve(
        self, scope: AreaScope, session: AsyncSession, rows: list[Wanted], run: RunContext, outcome: _Outcome
    ) -> list[Wanted]:
        for reference in self.target.references:
            values = list(dict.fromkeys(row.fields[reference.field] for row in rows))
            found = await reference.resolve(scope, session, values)
            for row in rows:
                row.columns[reference.column] = found.get(row.fields[reference.field])
                if row.columns[reference.column] is None:
                    title = run.kind.column(reference.field).title
                    outcome.refused[row.number] = [RowFault(title, reference.code, reference.message)]
            rows = [row for row in rows if row.number not in outcome.refused]
        return rows

    def _decide(self, rows: Iterable[Wanted], run: RunContext, outcome: _Outcome) -> None:
        for row in rows:
            if row.before is None and row.doubt is not None:
                outcome.refused[row.number] = [row.doubt]
            elif row.before is None:
                outcome.created.append(row)
            elif run.mode == "insert":
                outcome.refused[row.number] = [ALREADY_THERE]
            elif self._is_as_wanted(row, row.before, run):
                outcome.unchanged += 1
            else:
                outcome.updated.append(row)

    def _is_as_wanted(self, row: Wanted, before: Row, run: RunContext) -> bool:
        """Nothing to write: the row says the same, or it did when an import wrote it last and somebody has edited it since."""
        stored = self.target.view(before, run.cipher)
        if all(row.fields[name] == stored[name] for name in row.fields.keys() & stored.keys()):
            return True
        mark = row.mark
        if mark is None or mark.subject_id != before["id"]:
            return False
        if mark.said is None:  # from before marks kept it
            return mark.fingerprint == self._fingerprint(row, run)
        return mark.said == self._said(row, run)

    def _said(self, row: Wanted, run: RunContext) -> bytes:
        """Of the file's own fields."""
        return marks.fingerprint(run, row.fields)

    def _fingerprint(self, row: Wanted, run: RunContext) -> bytes:
        """Of the row as it will stand: the file's fields over those that it leaves alone."""
        names = [*self.target.values, *self.target.sealed]
        stored = (
            dict.fromkeys(names) | dict(self.target.defaults) if row.before is None else self.target.view(row.before, run.cipher)
        )
        given = {name: value for name, value in row.fields.items() if name in stored}
        return marks.fingerprint(run, stored | given | self._completed(row))

    def _completed(self, row: Wanted) -> dict[str, Any]:
        """Fields whose column was filled by ``complete``."""
        return {
            name: row.columns[column]
            for name, column in self.target.values.items()
            if name not in row.fields and column in row.columns
        }

    # writing

    async def _apply(
        self, scope: AreaScope, session: AsyncSession, rows: Sequence[Wanted], run: RunContext, outcome: _Outcome
    ) -> None:
        if not rows:
            return
        try:
            async with session.begin_nested():
                await self._put(scope, session, rows, run)
        except IntegrityError as error:
            refusal = conflict_of(error)
            if refusal is None:
                raise
            if len(rows) == 1:
                outcome.refused[rows[0].number] = [RowFault(None, refusal.code, refusal.detail)]
                return
            middle = len(rows) // 2
            await self._apply(scope, session, rows[:middle], run, outcome)
            await self._apply(scope, session, rows[middle:], run, outcome)

    async def _put(self, scope: AreaScope, session: AsyncSession, rows: Sequence[Wanted], run: RunContext) -> None:
        created, updated = [row for row in rows if row.before is None], [row for row in rows if row.before is not None]
        start = self.target.stamps(run.now, run.actor_id) | self.target.default_columns() | {"district": scope.district}
        for row in created:
            row.columns["id"] = new_id()
        if updated:  # first: whoever leaves makes room for who comes
            await self._update(scope, session, [(_id(row), self._changes(row, run.cipher)) for row in updated], run)
        if created:
            values = [start | row.columns | self._sealed(row, row.columns["id"], run.cipher) for row in created]
            await session.execute(sa.insert(self._table), values)
            await self.inserted(scope, session, created, run)
        befores = [
            Before(row.subject_key, row.before["id"], _area(row), self.target.image(row.before, run.cipher), row.mark)
            for row in updated
            if row.before is not None
        ]
        await marks.keep_before(scope, session, run, befores)
        written = [
            Mark(
                subject_key=row.subject_key,
                subject_id=_id(row),
                area_code=_area(row),
                fingerprint=self._fingerprint(row, run),
                import_id=run.import_id,
                created=row.before is None,
                said=self._said(row, run),
            )
            for row in rows
        ]
        await marks.put_marks(scope, session, run.kind.code, written)

    def _sealed(self, row: Wanted, owner: UUID, cipher: FieldCipher) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for name, sealed in self.target.sealed.items():
            if name not in row.fields:
                continue
            plain = row.fields[name]
            values[sealed.column] = None if plain is None else cipher.seal(sealed.kind, owner, plain)
            if sealed.masked is not None:
                values[sealed.masked] = None if plain is None else sealed.mask(plain)
        return values

    def _changes(self, row: Wanted, cipher: FieldCipher) -> dict[str, Any]:
        return {name: value for name, value in row.columns.items() if name != "id"} | self._sealed(row, _id(row), cipher)

    async def _update(self, scope: AreaScope, session: AsyncSession, rows: Sequence[tuple[UUID, Row]], run: RunContext) -> None:
        """Rows by id; all of them have the same columns, but for what an empty cell leaves alone."""
        by_columns: dict[tuple[str, ...], list[dict[str, Any]]] = {}
        for row_id, values in rows:
            bound = {f"new_{name}": value for name, value in values.items()} | {"row_id": row_id}
            by_columns.setdefault(tuple(values), []).append(bound)
        table = self.target.columns
        for names, bound_rows in by_columns.items():
            new = {name: sa.bindparam(f"new_{name}", type_=table[name].type) for name in names}
            statement = sa.update(self._table).where(within(scope, table), table.id == sa.bindparam("row_id", type_=sa.Uuid()))
            await session.execute(statement.values(new | self.target.touched(run.now)), bound_rows)
        await self.updated(scope, session, rows)

    # taking back

    async def what_built_on(self, scope: AreaScope, session: AsyncSession, import_id: UUID, run: RunContext) -> dict[str, int]:
        """Later imports and edits of the same rows, and rows of other tables that stand on those the import created."""
        written = await marks.marks_of(scope, session, import_id)
        rows = {row["id"]: row for row in await self._rows(scope, session, [mark.subject_id for mark in written])}
        edited = sum(
            (row := rows.get(mark.subject_id)) is None
            or marks.fingerprint(run, self.target.view(row, run.cipher)) != mark.fingerprint
            for mark in written
        )
        created = [mark.subject_id for mark in written if mark.created]
        found = {
            "later_imports": await marks.later_imports(scope, session, import_id),
            "later_edits": edited,
            "dependent_records": await self._dependents(scope, session, created),
        }
        return {code: count for code, count in found.items() if count}

    async def _rows(self, scope: AreaScope, session: AsyncSession, ids: Sequence[UUID]) -> Sequence[Row]:
        conditions = (within(scope, self.target.columns), *self.target.conditions())
        there, found = rows_by(self.target.table, {"id": ids}, *conditions)
        return [dict(row) for row in (await session.execute(sa.select(*found.c).select_from(there))).mappings()]

    async def _dependents(self, scope: AreaScope, session: AsyncSession, ids: Sequence[UUID]) -> int:
        total = 0
        for other in self.target.dependents:
            there, _ = rows_by(other.table, {other.column: ids}, within(scope, other.columns))
            total += (await session.execute(sa.select(sa.func.count()).select_from(there))).scalar_one()
        return total

    async def undo(self, scope: AreaScope, session: AsyncSession, import_id: UUID, run: RunContext) -> None:
        """Puts back what was changed, takes away what was created. Raises ``Conflict`` when a row has gone meanwhile."""
        await session.execute(UNDOING, {"import_id": str(import_id)})
        befores = await marks.befores_of(scope, session, run, import_id)
        table = self.target.columns
        restored = [
            (image["id"], {name: value for name, value in image.items() if name not in KEPT})
            for image in (self.target.row_of(before.image, before.subject_id, run.cipher) for before in befores)
        ]
        created = [mark.subject_id for mark in await marks.marks_of(scope, session, import_id) if mark.created]
        await self.deleting(scope, session, created)
        wanted = sa.select(sa.func.unnest(sa.cast(created, ARRAY(sa.Uuid))))
        gone = await session.execute(sa.delete(self._table).where(within(scope, table), table.id.in_(wanted)).returning(table.id))
        if len(gone.all()) != len(created):
            raise Conflict("import_cannot_be_undone", "导入的部分记录已被删除或移出辖区，不能整体撤销，请逐条办理。")
        await self._update(scope, session, restored, run)
        await marks.take_back(scope, session, run.kind.code, import_id, befores)

    @property
    def _table(self) -> sa.Table:
        return cast("sa.Table", self.target.table.__table__)  # type: ignore[attr-defined]


KEPT = ("district", "id", "version", "updated_at")  # an undo is a change like any other


def _given(values: Mapping[str, Any]) -> dict[str, Any]:
    """The fields that the row states."""
    return {name: value for name, value in values.items() if value is not None}


def _id(row: Wanted) -> UUID:
    return cast("UUID", row.columns["id"] if row.before is None else row.before["id"])


def _area(row: Wanted) -> str:
    return str(row.columns["area_code"] if "area_code" in row.columns else (row.before or {})["area_code"])


__all__ = ["TableWriter", "Wanted"]
