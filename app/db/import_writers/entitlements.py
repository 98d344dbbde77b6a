"""Rolls from before: entitlements of origin ``legacy_roll`` with their amounts, members and the read model of the status queries.

Amounts hold from the month of the import on: what was paid for earlier months was paid elsewhere, and must not fall due again.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.base import columns
from app.db.constraints import constraint_name
from app.db.import_writers import RunContext, register_writer
from app.db.import_writers.entitlement_changes import change_rolls, find_changes, put_back
from app.db.import_writers.entitlement_judgement import Roll, judge_rolls
from app.db.import_writers.payees import forget_marks, open_task
from app.db.import_writers.people_households import account_changes, write_households
from app.db.import_writers.people_task import Task, add_marks, reprint_marks
from app.db.import_writers.people_undo import hold_written, images_of, restore_marks, take_back, what_built_on
from app.db.repositories.case_rows import entitlement_number
from app.db.session import raw_connection
from app.db.tables.casework import Enrolment, Entitlement, EntitlementAmount, EntitlementMember
from app.domain.access import AreaScope
from app.domain.errors import Unavailable
from app.domain.identity import AccountKind, passes_luhn
from app.domain.imports.kinds.entitlements import ENTITLEMENTS, PER_PERSON
from app.domain.imports.model import Applied, Block
from app.ids import new_id

ORIGIN = "legacy_roll"
AMOUNT = columns(EntitlementAmount)
RACED = ("ex_enrolment_once_per_programme", "uq_entitlement_one_in_force", "pk_import_mark")
_NUMBERS = "SELECT nextval('casework_number') FROM generate_series(1, $1)"
_BLOCKERS = {
    "payments": """
        SELECT count(*) FROM benefit_claim WHERE district = $1 AND entitlement_id IN (
            SELECT subject_id FROM import_mark WHERE district = $1 AND import_id = $2 AND kind = 'entitlements')
    """,
    "later_edits": """
        SELECT count(*) FROM import_mark m LEFT JOIN entitlement e ON e.district = m.district AND e.id = m.subject_id
        WHERE m.district = $1 AND m.import_id = $2 AND m.kind = 'entitlements' AND e.version IS DISTINCT FROM m.subject_version
    """,
}
_MADE = "SELECT subject_id FROM import_mark WHERE district = $1 AND import_id = $2 AND kind = 'entitlements' AND created"
_CHILDREN = ("entitlement_amount", "entitlement_member", "enrolment")


class EntitlementsWriter:
    """The writer of ``entitlements``."""

    async def write(self, scope: AreaScope, session: AsyncSession, block: Block, run: RunContext) -> Applied:
        """New entitlements are in force at once. ``Unavailable`` import_raced when one was granted elsewhere at this moment."""
        task = await open_task(scope, session, block, run)
        if not task.places:
            return Applied(unchanged=len(block))
        rolls = await judge_rolls(task, session)
        new = [roll for roll in rolls if roll.entitlement is None]
        changes = await find_changes(task, [roll for roll in rolls if roll.entitlement is not None])
        try:
            await _add(task, session, new)
            await change_rolls(task, session, changes)
        except sa.exc.IntegrityError as error:
            if constraint_name(error) in RACED:
                raise Unavailable("import_raced", "同一家庭或人员的待遇正在由他人办理，请稍后重试。") from error
            raise
        paid = await _set_accounts(task, session, [roll for roll in rolls if roll.place not in task.refusals])
        told = {change.roll.place for change in changes} | {roll.place for roll in new}
        same = [roll.place for roll in rolls if roll.place not in told and roll.place not in task.refusals]
        await reprint_marks(task, same)
        refused = task.refusals.verdicts()
        updated = len(changes) + len(paid.intersection(same))
        return Applied(len(new), updated, len(block) - len(new) - updated - len(refused), refused)

    async def what_built_on(
        self,
        scope: AreaScope,
        session: AsyncSession,
        import_id: UUID,
        run: RunContext,  # noqa: ARG002  (the signature of every writer)
    ) -> dict[str, int]:
        """Payments, later imports and edits."""
        driver = await raw_connection(session)
        found = {code: await driver.fetchval(query, scope.district, import_id) for code, query in _BLOCKERS.items()}
        households = await what_built_on(scope, session, import_id, ("later_imports", "later_edits"))
        total = {code: found.get(code, 0) + households.get(code, 0) for code in {*found, *households}}
        return {code: count for code, count in sorted(total.items()) if count}

    async def hold(self, scope: AreaScope, session: AsyncSession, import_id: UUID) -> None:
        await hold_written(scope, session, import_id)

    async def undo(self, scope: AreaScope, session: AsyncSession, import_id: UUID, run: RunContext) -> None:
        """Entitlements that the import made go with everything that hangs on them; accounts are as they were."""
        driver = await raw_connection(session)
        await driver.execute("SELECT set_config('app.undoing', $1, true)", str(import_id))
        images = await images_of(scope, driver, import_id, (ENTITLEMENTS.code,), run)
        versions = await put_back(scope, session, images, run)
        for table in _CHILDREN:
            await driver.execute(
                f"DELETE FROM {table} WHERE district = $1 AND entitlement_id IN ({_MADE})", scope.district, import_id
            )
        await driver.execute(f"DELETE FROM entitlement WHERE district = $1 AND id IN ({_MADE})", scope.district, import_id)
        await forget_marks(scope, session, import_id, run)
        await restore_marks(scope, driver, [row for row, _ in images], versions)
        await take_back(scope, session, import_id, run)


async def _add(task: Task, session: AsyncSession, rolls: Sequence[Roll]) -> None:
    if not rolls:
        return
    numbers = [row[0] for row in await task.driver.fetch(_NUMBERS, len(rolls))]
    ids = [new_id() for _ in rolls]
    walled = [task.district | {"area_code": roll.household["area_code"]} for roll in rolls]
    rows = [_entitlement(task, roll) | wall for roll, wall in zip(rolls, walled, strict=True)]
    for row, one, number in zip(rows, ids, numbers, strict=True):
        row |= {"id": one, "number": entitlement_number(task.run.today, number)}
    await session.execute(sa.insert(Entitlement), rows)
    parts = list(zip(rolls, walled, ids, strict=True))
    amounts = [wall | part | {"entitlement_id": one} for roll, wall, one in parts for part in amount_rows(task, roll)]
    await session.execute(sa.insert(EntitlementAmount), amounts)
    members = [wall | part | {"entitlement_id": one} for roll, wall, one in parts for part in _members(roll)]
    await session.execute(sa.insert(EntitlementMember), members)
    enrolments = [wall | part | {"entitlement_id": one} for roll, wall, one in parts for part in _enrolments(roll)]
    await session.execute(sa.insert(Enrolment), enrolments)
    marked = {
        "area_code": [wall["area_code"] for wall in walled],
        "subject_id": ids,
        "fingerprint": [task.fingerprints[roll.place] for roll in rolls],
        "subject_version": [1] * len(rolls),
    }
    await add_marks(task, ENTITLEMENTS.code, [task.subjects[roll.place] for roll in rolls], marked, created=True)


def _entitlement(task: Task, roll: Roll) -> dict[str, Any]:
    run = task.run
    return {
        "programme": roll.programme,
        "household_id": roll.household["id"],
        "person_id": roll.person["id"] if roll.person else None,
        "origin": ORIGIN,
        "category": roll.category,
        "state": "active",
        "since_month": roll.values["since_month"],
        "next_review_on": roll.values["next_review_on"] or run.today,
        **{name: roll.values[name] for name in ("roll_class", "certificate_no", "document_no")},
        "signed_by": run.actor_id,
        "signed_by_name": run.actor_name,
        "signed_on": run.today,
        "synthetic": run.synthetic,
        "version": 1,
        "created_at": run.now,
        "created_by": run.actor_id,
        "updated_at": run.now,
    }


def amount_rows(task: Task, roll: Roll) -> list[dict[str, Any]]:
    """The base, and the uplift beside it, from this month on; in sum what the roll says is paid."""
    uplift = roll.values["uplift_fen"] or 0
    base = "tekun_basic" if roll.programme == "tekun" else "standard" if roll.programme in PER_PERSON else "base"
    parts = [(base, roll.values["monthly_fen"] - uplift)] + ([("uplift", uplift)] if uplift else [])
    common = {"from_month": task.run.today.replace(day=1), "recorded_at": task.run.now}
    return [{"id": new_id(), "component": component, "amount_fen": fen, **common} for component, fen in parts]


def _members(roll: Roll) -> list[dict[str, Any]]:
    return [
        {"id": new_id(), "person_id": one["id"], "person_uid": one["person_uid"], "from_month": roll.values["since_month"]}
        for one in roll.covered
    ]


def _enrolments(roll: Roll) -> list[dict[str, Any]]:
    shared = {"programme": roll.programme, "category": roll.category, "since_month": roll.values["since_month"]}
    return [{"id": new_id(), "person_uid": one["person_uid"], "name_key": one["name_key"], **shared} for one in roll.covered]


async def _set_accounts(task: Task, session: AsyncSession, rolls: Sequence[Roll]) -> set[int]:
    """The accounts that the roll names; the last row of a household counts. Places whose household got another one."""
    changes: dict[UUID, tuple[Any, dict[str, Any]]] = {}
    places: dict[UUID, int] = {}
    for roll in rolls:
        number = roll.values["account_number"]
        if number is None:
            continue
        household = roll.household
        account = {
            "bank_name": household["bank_name"],
            "account_number": number,
            "account_holder": roll.values["account_holder"] or roll.payee_name,
            "account_kind": _kind_of(number, household["account_kind"]),
        }
        if found := account_changes(task, account, household):
            changes[household["id"]], places[household["id"]] = (household, found), roll.place
    await write_households(task, session, [changes[one] for one in sorted(changes)])
    return set(places.values())


def _kind_of(number: str, known: str | None) -> str:
    """A roll doesn't say what kind of account it is: a number that can be a card is one."""
    if known is not None:
        return known
    return AccountKind.CARD.value if 16 <= len(number) <= 19 and passes_luhn(number) else AccountKind.PASSBOOK.value  # noqa: PLR2004


register_writer(ENTITLEMENTS.code, EntitlementsWriter())
