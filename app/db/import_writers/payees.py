"""The accounts of households from a list of payees: sealed and bound as the registry does it, the holder checked by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.db.import_writers import RunContext, marks, people_known, register_writer
from app.db.import_writers.number_lookup import find_people
from app.db.import_writers.people_households import account_changes, write_households
from app.db.import_writers.people_task import Refusals, Task, add_marks, move_marks
from app.db.import_writers.people_undo import hold_written, take_back, what_built_on
from app.db.import_writers.row_digests import RowDigests
from app.db.session import raw_connection
from app.domain.access import AreaScope
from app.domain.identity import normalise_name
from app.domain.imports.kinds.payees import PAYEES
from app.domain.imports.model import Applied, Block

HOUSEHOLD_UNKNOWN = "您的辖区内没有登记该户，请核对户编号；尚未登记的请先导入人员和家庭。"
PAYEE_UNKNOWN = "您的辖区内没有登记此人，请核对领款人身份证号；尚未登记的请先登记人员。"
HOLDER_DIFFERS = "户名与领款人登记的姓名不一致，请对照存折或银行卡核对。"


async def open_task(scope: AreaScope, session: AsyncSession, block: Block, run: RunContext) -> Task:
    """A block of a kind about households: its digests, and the rows that say something new with their marks."""
    driver = await raw_connection(session)
    rows = [values for _, values in block.rows()]
    subjects = [marks.subject_key(run, *(row[name] for name in run.kind.key)) for row in rows]
    digests = RowDigests.of(block.numbers, subjects, [marks.fingerprint(run, row) for row in rows])
    news = await digests.news(scope, driver, run.kind.code)
    return Task(scope, driver, block, run, digests, {row["place"]: row for row in news}, Refusals(block))


@dataclass(frozen=True, slots=True)
class Payees:
    """The people that rows name as payees, by number."""

    people: Mapping[str, Mapping[str, Any]]

    @classmethod
    async def of(cls, task: Task, session: AsyncSession) -> Payees:
        numbers = {number for place in task.places if (number := task.value("payee_number", place)) is not None}
        return cls(await find_people(task.scope, session, task.run.blind_index, numbers) if numbers else {})

    def judge(self, task: Task, place: int) -> None:
        """The payee is somebody registered here, and the account is his."""
        number, holder = task.value("payee_number", place), task.value("account_holder", place)
        if number is None:
            return
        person = self.people.get(number)
        if person is None:
            task.refusals.refuse(place, "领款人身份证号", "person_unknown", PAYEE_UNKNOWN)
        elif holder is not None and normalise_name(holder) != person["name_key"]:
            task.refusals.refuse(place, "户名", "holder_differs", HOLDER_DIFFERS)


class PayeesWriter:
    """The writer of ``payees``."""

    async def write(self, scope: AreaScope, session: AsyncSession, block: Block, run: RunContext) -> Applied:
        """Households whose account is another one get it; a household without one counts as created."""
        task = await open_task(scope, session, block, run)
        if not task.places:
            return Applied(unchanged=len(block))
        payees = await Payees.of(task, session)
        numbers = {task.value("household_no", place) for place in task.places}
        households = await people_known.households(scope, task.driver, numbers)
        for place in task.places:
            self._judge(task, place, households.get(task.value("household_no", place)))
            payees.judge(task, place)
        changes = [(place, households[task.value("household_no", place)]) for place in task.left]
        written = [(place, household, account_changes(task, _account(task, place), household)) for place, household in changes]
        changed = [(place, household, columns) for place, household, columns in written if columns]
        await write_households(task, session, [(household, columns) for _, household, columns in changed])
        await _mark(task, written)
        created = sum(household["bank_account_sealed"] is None for _, household, _ in changed)
        refused = task.refusals.verdicts()
        unchanged = len(block) - len(changed) - len(refused)
        return Applied(created=created, updated=len(changed) - created, unchanged=unchanged, refused=refused)

    def _judge(self, task: Task, place: int, household: Any) -> None:
        if household is None:
            task.refusals.refuse(place, "户编号", "household_unknown", HOUSEHOLD_UNKNOWN)
        elif task.run.mode == "insert" and household["bank_account_sealed"] is not None:
            text = "该户已有领款账户，而本次只新增；要更新请改用更新方式导入。"
            task.refusals.refuse(place, "户编号", "already_there", text)

    async def what_built_on(
        self,
        scope: AreaScope,
        session: AsyncSession,
        import_id: UUID,
        run: RunContext,  # noqa: ARG002  (the signature of every writer)
    ) -> dict[str, int]:
        """Later imports and edits of the same households. What was paid carries a copy of the account."""
        return await what_built_on(scope, session, import_id, ("later_imports", "later_edits"))

    async def hold(self, scope: AreaScope, session: AsyncSession, import_id: UUID) -> None:
        await hold_written(scope, session, import_id)

    async def undo(self, scope: AreaScope, session: AsyncSession, import_id: UUID, run: RunContext) -> None:
        """The accounts as they were."""
        await take_back(scope, session, import_id, run)
        await forget_marks(scope, session, import_id, run)


def _account(task: Task, place: int) -> dict[str, Any]:
    names = ("bank_name", "account_number", "account_holder", "account_kind")
    return {name: task.value(name, place) for name in names}


async def _mark(task: Task, written: list[tuple[int, Any, dict[str, Any]]]) -> None:
    """So that the same row is known next time; the household itself has a mark of its own."""
    known = [(place, household) for place, household, _ in written if task.mark(place) is not None]
    fresh = [(place, household) for place, household, _ in written if task.mark(place) is None]
    subjects, prints = task.subjects, task.fingerprints
    columns = {
        "area_code": [household["area_code"] for _, household in fresh],
        "subject_id": [household["id"] for _, household in fresh],
        "fingerprint": [prints[place] for place, _ in fresh],
    }
    await add_marks(task, PAYEES.code, [subjects[place] for place, _ in fresh], columns, created=False)
    moved = ([one["area_code"] for _, one in known], [prints[place] for place, _ in known], [None] * len(known))
    await move_marks(task, PAYEES.code, [subjects[place] for place, _ in known], moved, created=False)


async def forget_marks(scope: AreaScope, session: AsyncSession, import_id: UUID, run: RunContext) -> None:
    """The rows of the import are news again."""
    driver = await raw_connection(session)
    query = "DELETE FROM import_mark WHERE district = $1 AND import_id = $2 AND kind = $3"
    await driver.execute(query, scope.district, import_id, run.kind.code)


register_writer(PAYEES.code, PayeesWriter())
