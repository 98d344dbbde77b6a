"""Rows of a roll that was imported before: what may still be corrected by an import, and what is a change of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.base import columns
from app.db.import_writers import RunContext
from app.db.import_writers.entitlement_judgement import Roll
from app.db.import_writers.people_befores import BeforeImage, keep
from app.db.import_writers.people_task import Task, move_marks
from app.db.import_writers.people_undo import Image
from app.db.import_writers.setwise import each_by
from app.db.tables.casework import Entitlement
from app.domain.access import AreaScope
from app.domain.imports.kinds.entitlements import ENTITLEMENTS

ENTITLEMENT = columns(Entitlement)
#: Corrected by an import as long as nothing else has touched the entitlement; an empty cell corrects nothing.
CORRECTED = ("next_review_on", "roll_class", "certificate_no", "document_no")
_AMOUNTS = f"""
    SELECT entitlement_id, sum(amount_fen)::bigint AS monthly,
           coalesce(sum(amount_fen) FILTER (WHERE component = 'uplift'), 0)::bigint AS uplift
    FROM {each_by("entitlement_amount", "entitlement_id", "uuid", 2)} WHERE superseded_at IS NULL
        AND from_month <= $3 AND (until_month IS NULL OR until_month > $3)
    GROUP BY entitlement_id
"""
_COVERED = f"""
    SELECT entitlement_id, person_id FROM {each_by("entitlement_member", "entitlement_id", "uuid", 2)}
    WHERE from_month <= $3 AND (until_month IS NULL OR until_month > $3)
"""


@dataclass(slots=True)
class RollChange:
    """What a row says otherwise than the entitlement on record."""

    roll: Roll
    columns: dict[str, Any] = field(default_factory=dict)


async def find_changes(task: Task, rolls: Sequence[Roll]) -> list[RollChange]:
    """Corrections; what can't be one is refused."""
    ids = [roll.entitlement["id"] for roll in rolls]
    if not ids:
        return []
    month = task.run.today.replace(day=1)
    amounts = {row["entitlement_id"]: row for row in await task.driver.fetch(_AMOUNTS, task.scope.district, ids, month)}
    covered: dict[Any, set[Any]] = {one: set() for one in ids}
    for row in await task.driver.fetch(_COVERED, task.scope.district, ids, month):
        covered[row["entitlement_id"]].add(row["person_id"])
    found = []
    for roll in rolls:
        held = roll.entitlement
        given = {name: roll.values[name] for name in CORRECTED if roll.values[name] is not None}
        change = RollChange(roll, {name: value for name, value in given.items() if value != held[name]})
        another = _is_another(roll, amounts.get(held["id"]), covered[held["id"]])
        if roll.made_elsewhere and (another or change.columns):
            text = "该户（或此人）已有同一项目的在保待遇，不能由名册再次导入；请核对，金额变化请办理变更。"
            task.refusals.refuse(roll.place, "项目", "already_entitled", text)
        elif another:
            text = "与已导入的待遇在金额、起始月份、城乡或保障人员上不同：请撤销原导入后重新导入；已有发放的请办理变更。"
            task.refusals.refuse(roll.place, None, "entitlement_in_use", text)
        elif change.columns:
            found.append(change)
    return found


def _is_another(roll: Roll, amounts: Any, covered: set[Any]) -> bool:
    """Whether money, months or people differ: that is a decision, not a correction."""
    values, held = roll.values, roll.entitlement
    due = (0, 0) if amounts is None else (amounts["monthly"], amounts["uplift"])  # nothing falls due in the month
    return (
        due != (values["monthly_fen"], values["uplift_fen"] or 0)
        or held["since_month"] != values["since_month"]
        or (values["residence"] is not None and held["category"] != values["residence"])
        or covered != {one["id"] for one in roll.covered}
    )


async def change_rolls(task: Task, session: AsyncSession, changes: Sequence[RollChange]) -> None:
    """Writes the corrections and keeps what stood before."""
    if not changes:
        return
    kind = ENTITLEMENTS.code
    images = []
    for change in changes:
        held, place = change.roll.entitlement, change.roll.place
        image = {name: held[name] for name in CORRECTED}
        images.append(BeforeImage(kind, task.subjects[place], held["id"], held["area_code"], image, task.mark(place)))
        statement = sa.update(Entitlement).where(ENTITLEMENT.district == task.scope.district, ENTITLEMENT.id == held["id"])
        values = change.columns | {"version": held["version"] + 1, "updated_at": task.run.now}
        await session.execute(statement.values(**values).execution_options(synchronize_session=False))
    await keep(task.scope, session, task.run, images)
    moved = (
        [change.roll.entitlement["area_code"] for change in changes],
        [task.fingerprints[change.roll.place] for change in changes],
        [change.roll.entitlement["version"] + 1 for change in changes],
    )
    await move_marks(task, kind, [task.subjects[change.roll.place] for change in changes], moved, created=False)


async def put_back(scope: AreaScope, session: AsyncSession, images: Sequence[Image], run: RunContext) -> dict[UUID, int]:
    """What was corrected as it stood before; the version goes on. Entitlement → its version now."""
    versions = {}
    for row, image in images:
        values = dict(image) | {"next_review_on": _day(image["next_review_on"])}
        statement = (
            sa.update(Entitlement)
            .where(ENTITLEMENT.district == scope.district, ENTITLEMENT.id == row["subject_id"])
            .values(**values, version=ENTITLEMENT.version + 1, updated_at=run.now)
            .returning(ENTITLEMENT.version)
            .execution_options(synchronize_session=False)
        )
        versions[row["subject_id"]] = (await session.execute(statement)).scalar_one()
    return versions


def _day(stored: str | None) -> date | None:
    return None if stored is None else date.fromisoformat(stored)
