"""The households of a block: new ones opened, known ones brought up to what the rows say."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.db.import_writers import people_known
from app.db.import_writers.people_befores import BeforeImage, keep
from app.db.import_writers.people_judgement import OnRecord
from app.db.import_writers.people_rows import HOUSEHOLD_KIND, HouseholdEntry, household_columns, household_key, households_of
from app.db.import_writers.people_task import Task, add_marks
from app.db.import_writers.plain_images import image_of
from app.db.import_writers.setwise import insert_rows, update_rows
from app.domain.errors import Unavailable
from app.ids import new_id
from app.security.fields import Field
from app.security.masking import mask

CHANGING = (
    *("residence", "address_sealed", "bank_account_sealed", "bank_account_masked"),
    *("bank_name", "account_holder", "account_kind"),
)
SEALED = {"address_sealed": Field.ADDRESS, "bank_account_sealed": Field.BANK_ACCOUNT}
_MARK_VERSIONS = """
    UPDATE import_mark AS m SET import_id = $3, subject_version = u.version, created = m.created AND m.import_id = $3
    FROM unnest($4::bytea[], $5::int[]) AS u(key, version)
    WHERE m.district = $1 AND m.kind = $2 AND m.subject_key = u.key
"""


async def open_households(task: Task, record: OnRecord) -> None:
    """Opens those that don't exist; ``task.household_ids`` then knows all of them."""
    task.household_ids = {number: household["id"] for number, household in record.households.items()}
    entries = households_of(task.block, task.left)
    new = [entries[number] for number in sorted(entries) if number not in record.households]
    if not new:
        return
    ids = [new_id() for _ in new]
    columns = household_columns(new, ids, task.run)
    if await insert_rows(task.driver, "household", columns, task.written, unless_there=True) < len(new):
        await _refuse_taken(task, new, ids)
        kept = [row for row, entry in enumerate(new) if entry.household_no in task.household_ids]
    else:
        task.household_ids |= {entry.household_no: ids[row] for row, entry in enumerate(new)}
        kept = list(range(len(new)))
    marks: dict[str, list[Any]] = {
        "area_code": [new[row].area_code for row in kept],
        "subject_id": [ids[row] for row in kept],
        "fingerprint": [b""] * len(kept),
        "subject_version": [1] * len(kept),
    }
    subjects = [household_key(task.run, new[row].household_no) for row in kept]
    await add_marks(task, HOUSEHOLD_KIND, subjects, marks, created=True)


async def _refuse_taken(task: Task, new: Sequence[HouseholdEntry], ids: Sequence[UUID]) -> None:
    """A number that exists and can't be seen is another area's; one that can be seen by now was opened this moment."""
    there = await people_known.households(task.scope, task.driver, [entry.household_no for entry in new])
    if any(entry.household_no in there and there[entry.household_no]["id"] != own for entry, own in zip(new, ids, strict=True)):
        raise Unavailable("import_raced", "同一户编号正在由他人登记，请稍后重试。")
    task.household_ids |= {number: household["id"] for number, household in there.items()}
    for place in task.left:
        if task.value("household_no", place) not in task.household_ids:
            task.refusals.refuse(place, "户编号", "household_no_taken", "户编号已被使用，请更换户编号。")


async def change_households(
    task: Task, session: AsyncSession, record: OnRecord, joined: Iterable[str], restated: Mapping[str, Collection[str]]
) -> set[str]:
    """Brings known households up to what the rows say; those whose details changed. ``joined``: numbers with new members;
    ``restated``: number → those of residence and address that the head's row says anew.
    """
    entries = households_of(task.block, task.left)
    joined = set(joined)
    columns = {
        number: await _changed(task, entry, record.households[number], restated.get(number, ()))
        for number, entry in entries.items()
        if number in record.households
    }
    touched = [number for number in sorted(columns) if columns[number] or number in joined]
    await write_households(task, session, [(record.households[number], columns[number]) for number in touched])
    return {number for number in touched if columns[number]}


async def _changed(task: Task, entry: HouseholdEntry, household: Any, restated: Collection[str]) -> dict[str, Any]:
    """The columns that differ from what is on record."""
    found: dict[str, Any] = {}
    if "residence" in restated and entry.residence not in (None, household["residence"]):
        found["residence"] = entry.residence
    if "address" in restated and entry.address not in (None, _plain(task, Field.ADDRESS, household, "address_sealed")):
        found["address_sealed"] = task.run.cipher.seal(Field.ADDRESS, household["id"], entry.address)
    if entry.account is not None:
        found |= account_changes(task, entry.account, household)
    return found


def account_changes(task: Task, account: Mapping[str, Any], household: Any) -> dict[str, Any]:
    """The columns of an account that isn't the one on record; none when it is."""
    number = account["account_number"]
    plain = {
        "bank_name": account["bank_name"],
        "account_holder": account["account_holder"],
        "account_kind": account["account_kind"] or "card",
    }
    same = number == _plain(task, Field.BANK_ACCOUNT, household, "bank_account_sealed")
    if same and all(household[name] == value for name, value in plain.items()):
        return {}
    sealed = task.run.cipher.seal(Field.BANK_ACCOUNT, household["id"], number)
    return plain | {"bank_account_sealed": sealed, "bank_account_masked": mask(Field.BANK_ACCOUNT, number)}


def _plain(task: Task, field: Field, household: Any, column: str) -> str | None:
    sealed = household[column]
    return None if sealed is None else task.run.cipher.open(field, household["id"], sealed)


async def write_households(task: Task, session: AsyncSession, changes: Sequence[tuple[Any, Mapping[str, Any]]]) -> None:
    """Writes new columns and one version more, and keeps what stood before this import came."""
    if not changes:
        return
    keys = [household_key(task.run, household["household_no"]) for household, _ in changes]
    marks = await people_known.marks_of(task.scope, task.driver, HOUSEHOLD_KIND, keys)
    await keep(
        task.scope,
        session,
        task.run,
        [
            _before(task, key, household, marks.get(key))
            for key, (household, _) in zip(keys, changes, strict=True)
            if key not in marks or marks[key]["import_id"] != task.run.import_id
        ],
    )
    columns: dict[str, list[Any]] = {"id": [household["id"] for household, _ in changes]}
    columns |= {name: [change.get(name, household[name]) for household, change in changes] for name in CHANGING}
    columns["version"] = [household["version"] + 1 for household, _ in changes]
    await update_rows(task.driver, "household", task.scope.district, columns, "updated_at = $1", task.run.now)
    await _mark(task, keys, changes, marks)


def _before(task: Task, key: bytes, household: Any, mark: Any) -> BeforeImage:
    stood = {name: household[name] for name in (*CHANGING, "version")}
    image = image_of(stood, SEALED, household["id"], task.run.cipher)
    return BeforeImage(HOUSEHOLD_KIND, key, household["id"], household["area_code"], image, mark)


async def _mark(
    task: Task, keys: Sequence[bytes], changes: Sequence[tuple[Any, Mapping[str, Any]]], marks: Mapping[bytes, Any]
) -> None:
    versions = {key: household["version"] + 1 for key, (household, _) in zip(keys, changes, strict=True)}
    marked = [key for key in keys if key in marks]
    moved = [versions[key] for key in marked]
    await task.driver.execute(_MARK_VERSIONS, task.scope.district, HOUSEHOLD_KIND, task.run.import_id, marked, moved)
    fresh = [(key, household) for key, (household, _) in zip(keys, changes, strict=True) if key not in marks]
    columns = {
        "area_code": [household["area_code"] for _, household in fresh],
        "subject_id": [household["id"] for _, household in fresh],
        "fingerprint": [b""] * len(fresh),
        "subject_version": [versions[key] for key, _ in fresh],
    }
    await add_marks(task, HOUSEHOLD_KIND, [key for key, _ in fresh], columns, created=False)
