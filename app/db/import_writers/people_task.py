"""One block on its way into the registry, and the marks that it leaves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from app.db.import_writers import RunContext
from app.db.import_writers.people_rows import KIND, column
from app.db.import_writers.row_digests import RowDigests
from app.db.import_writers.setwise import insert_rows
from app.domain.access import AreaScope
from app.domain.imports.model import Block, RowFault, Verdicts

_MOVE = """
    UPDATE import_mark AS m SET area_code = u.area_code, fingerprint = u.print, import_id = $3, created = $8,
           subject_version = u.version
    FROM unnest($4::bytea[], $5::text[], $6::bytea[], $7::int[]) AS u(key, area_code, print, version)
    WHERE m.district = $1 AND m.kind = $2 AND m.subject_key = u.key
"""
_REPRINT = """
    UPDATE import_mark AS m SET fingerprint = u.print FROM unnest($3::bytea[], $4::bytea[]) AS u(key, print)
    WHERE m.district = $1 AND m.kind = $2 AND m.subject_key = u.key
"""


class Refusals:
    """Rows that can't be written, by their place in the block; the first reason counts."""

    def __init__(self, block: Block) -> None:
        self._block = block
        self._faults: dict[int, RowFault] = {}

    def __contains__(self, place: int) -> bool:
        return place in self._faults

    def refuse(self, place: int, column_title: str | None, code: str, message: str) -> None:
        self._faults.setdefault(place, RowFault(column_title, code, message))

    def hold_back_households(self, places: Sequence[int]) -> None:
        """The rest of a household waits for its refused rows."""
        numbers = self._block.columns["household_no"]
        refused = {numbers[place]: self._block.numbers[place] for place in reversed(list(self._faults))}
        for place in places:
            if place not in self._faults and numbers[place] in refused:
                text = f"同户第 {refused[numbers[place]]} 行不能导入，整户暂不导入，请更正后一并导入。"
                self.refuse(place, None, "household_held_back", text)

    def verdicts(self) -> Verdicts:
        return {self._block.numbers[place]: [fault] for place, fault in sorted(self._faults.items())}


@dataclass
class Task:
    """One block with what was found out about it: which rows say something new, whose they are, in which household.

    ``marks``: of each row that says something new, by its place, what an import wrote last.
    """

    scope: AreaScope
    driver: Any
    block: Block
    run: RunContext
    digests: RowDigests
    marks: dict[int, Any]
    refusals: Refusals
    uids: dict[int, UUID] = field(default_factory=dict)
    household_ids: dict[str, UUID] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.places = list(self.marks)
        self.subjects, self.fingerprints = self.digests.subjects, self.digests.fingerprints

    @property
    def district(self) -> dict[str, str]:
        return {"district": self.scope.district}

    @property
    def recorded(self) -> dict[str, Any]:
        return self.district | {"recorded_at": self.run.now, "recorded_by": self.run.actor_id, "valid_from": self.run.today}

    @property
    def written(self) -> dict[str, Any]:
        run = self.run
        stamps = {"created_at": run.now, "created_by": run.actor_id, "updated_at": run.now}
        return self.district | {"synthetic": run.synthetic, "version": 1} | stamps

    def value(self, name: str, place: int) -> Any:
        return self.block.columns[name][place]

    def mark(self, place: int) -> Any:
        """What an import wrote last about the person of a row; None when none did."""
        mark = self.marks[place]
        return None if mark["subject_id"] is None else mark

    @property
    def left(self) -> list[int]:
        return [place for place in self.places if place not in self.refusals]


async def add_marks(
    task: Task, kind: str, subjects: Sequence[bytes], columns: Mapping[str, Sequence[Any]], *, created: bool
) -> None:
    """Marks of subjects that had none. One that stands outside the scope stays as it is."""
    shared = task.district | {"kind": kind, "import_id": task.run.import_id, "created": created}
    await insert_rows(task.driver, "import_mark", {"subject_key": subjects, **columns}, shared, unless_there=True)


async def move_marks(
    task: Task, kind: str, subjects: Sequence[bytes], columns: Sequence[Sequence[Any]], *, created: bool
) -> None:
    """Marks that an import wrote before; ``columns``: areas, fingerprints, versions."""
    if subjects:
        areas, prints, versions = columns
        arguments = (task.run.import_id, subjects, areas, prints, versions, created)
        await task.driver.execute(_MOVE, task.scope.district, kind, *arguments)


async def mark_people(task: Task, places: Sequence[int], ids: Sequence[UUID], versions: Sequence[int], *, created: bool) -> None:
    """What this import wrote about the people of these rows."""
    marked = [(place, row) for row, place in enumerate(places) if task.mark(place) is not None]
    fresh = [(place, row) for row, place in enumerate(places) if task.mark(place) is None]
    subjects, prints = task.subjects, task.fingerprints
    columns: dict[str, Sequence[Any]] = {
        "area_code": column(task.block, "area_code", [place for place, _ in fresh]),
        "subject_id": [ids[row] for _, row in fresh],
        "fingerprint": [prints[place] for place, _ in fresh],
        "subject_version": [versions[row] for _, row in fresh],
    }
    await add_marks(task, KIND, [subjects[place] for place, _ in fresh], columns, created=created)
    moved = (
        column(task.block, "area_code", [place for place, _ in marked]),
        [prints[place] for place, _ in marked],
        [versions[row] for _, row in marked],
    )
    await move_marks(task, KIND, [subjects[place] for place, _ in marked], moved, created=created)


async def reprint_marks(task: Task, places: Sequence[int]) -> None:
    """The row is written otherwise but says what is on record: next time it is known at once."""
    known = [place for place in places if task.mark(place) is not None]
    if known:
        subjects = [task.subjects[place] for place in known]
        await task.driver.execute(_REPRINT, task.scope.district, KIND, subjects, [task.fingerprints[place] for place in known])
