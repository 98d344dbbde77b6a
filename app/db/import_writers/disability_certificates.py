"""残疾人证: the fact ``disability`` of registered people, written as the registry writes it, from the day of issue on.

What the registry was told for later days without a certificate (a list of people brings the disability of the day it came), or
with the one that this certificate follows, is the same disability: it gets this certificate too. Where it ends up in another
category or grade, somebody has to look. A row that says what it said last time is left alone, whatever others have said since.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import takewhile
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.base import columns
from app.db.import_writers import RunContext, marks, people_known, register_writer
from app.db.import_writers.marks import Before, Mark
from app.db.import_writers.number_lookup import find_people
from app.db.import_writers.people_rows import certificate_part
from app.db.import_writers.people_touched import Touched, give_back, held_marks, touch
from app.db.import_writers.people_undo import hold_written
from app.db.import_writers.table import ALREADY_THERE
from app.db.keyed import rows_by
from app.db.scoping import within
from app.db.session import raw_connection
from app.db.tables.registry import PersonFact
from app.domain.access import AreaScope
from app.domain.identity import DISABILITY_CATEGORIES, normalise_name, parse_disability_certificate
from app.domain.imports.kinds.disability_certificates import DISABILITY_CERTIFICATES
from app.domain.imports.model import Applied, Block, RowFault, Verdicts
from app.ids import new_id
from app.security.fields import Field, FieldCipher, SealBroken

FACT = columns(PersonFact)
KIND = "disability"
UNKNOWN = RowFault("身份证号", "person_unknown", "您的辖区内没有登记此人，请先登记人员，再导入残疾人证。")
CONTRADICTED = RowFault(
    "残疾人证号",
    "later_record_differs",
    "此人在发证日期之后登记的残疾类别或等级与此证不一致；请核对：以此证为准的先更正人员登记再导入，已换新证的请导入新证。",
)
OTHER_NAME = RowFault("姓名", "name_differs", "姓名与登记的不一致，请核对身份证号和姓名；姓名确已变更的，请先更正登记。")


@dataclass(frozen=True, slots=True)
class Fact:
    """A disability on record from a day on, its certificate in plain; ``stated`` is empty where it has ended."""

    id: UUID
    valid_from: date
    stated: Mapping[str, Any]

    @property
    def certificate(self) -> str | None:
        return self.stated.get("certificate_no")


@dataclass(slots=True)
class Wanted:
    """A certificate on its way: the person, what is on record about him, and what is to stand from the day of issue on."""

    number: int
    person: Mapping[str, Any]
    issued_on: date
    id_number: str
    cared_for: bool | None  # as the row has it
    plain: dict[str, Any]
    facts: Sequence[Fact]
    subject_key: bytes
    mark: Mark | None = None
    fact_ids: list[UUID] = field(default_factory=list)

    @property
    def in_force(self) -> Fact | None:
        return next((fact for fact in reversed(self.facts) if fact.valid_from <= self.issued_on), None)

    @property
    def carried_on(self) -> list[Fact]:
        """What was stated for days after the issue without a certificate of its own, up to the next certificate or the end."""
        own = {None, self.plain["certificate_no"], self.in_force.certificate if self.in_force else None}
        later = (fact for fact in self.facts if fact.valid_from > self.issued_on)
        return list(takewhile(lambda fact: fact.stated and fact.certificate in own, later))

    @property
    def is_there(self) -> bool:
        """Whether the registry knows of the disability."""
        return bool(self.carried_on) or (self.in_force is not None and bool(self.in_force.stated))

    @property
    def is_on_record(self) -> bool:
        """The certificate from its day on, and in the end the need of care that the row says."""
        if self.in_force is None or not self.in_force.stated:
            return False
        standing = [self.in_force, *self.carried_on]
        same = all(fact.stated[name] == self.plain[name] for fact in standing for name in ("category", "grade", "certificate_no"))
        return same and self.cared_for in (None, bool(standing[-1].stated["needs_care"]))

    @property
    def contradicted(self) -> bool:
        """Whether what carries on ends up in another category or grade."""
        last = next(reversed(self.carried_on), None)
        return last is not None and any(last.stated[name] != self.plain[name] for name in ("category", "grade"))

    @property
    def replaced(self) -> list[UUID]:
        """The facts in whose place the certificate is written."""
        return [fact.id for fact in self.facts if fact.valid_from == self.issued_on or fact in self.carried_on]

    def stated(self) -> Iterator[tuple[date, dict[str, Any]]]:
        """From which day on what is to stand; the need of care goes on as it was said, unless the row says it."""
        yield self.issued_on, self.plain
        for fact in self.carried_on:
            care = bool(fact.stated["needs_care"]) if self.cared_for is None else self.cared_for
            yield fact.valid_from, self.plain | {"needs_care": care}


def _opened(cipher: FieldCipher, person_uid: UUID, value: Mapping[str, Any]) -> dict[str, Any]:
    """A stored disability with its certificate's number in plain; a number that can't be read is like no other."""
    plain = {name: value.get(name) for name in ("category", "grade", "needs_care")}
    sealed = value.get("certificate_no_sealed")
    try:
        number = None if sealed is None else cipher.open(Field.DISABILITY_CERTIFICATE, person_uid, base64.b64decode(sealed))
    except SealBroken:
        number = ""
    return plain | {"certificate_no": number}


async def facts_of(
    scope: AreaScope, session: AsyncSession, uids: Mapping[UUID, UUID], cipher: FieldCipher
) -> dict[UUID, list[Fact]]:
    """Person → everything on record and not corrected since, the earliest first. ``uids``: person → identity."""
    conditions = (within(scope, FACT), FACT.kind == KIND, FACT.superseded_at.is_(None))
    there, fact = rows_by(PersonFact, {"person_id": sorted(uids)}, *conditions)
    statement = sa.select(fact.c.person_id, fact.c.id, fact.c.valid_from, fact.c.value).select_from(there)
    found: dict[UUID, list[Fact]] = {}
    for row in await session.execute(statement.order_by(fact.c.person_id, fact.c.valid_from)):
        stated = _opened(cipher, uids[row.person_id], row.value) if row.value else {}
        found.setdefault(row.person_id, []).append(Fact(row.id, row.valid_from, stated))
    return found


class CertificateWriter:
    """Writes only about people who are registered in the caller's area under the same name."""

    async def write(self, scope: AreaScope, session: AsyncSession, block: Block, run: RunContext) -> Applied:
        """Set-wise; see ``Writer``."""
        refused: Verdicts = {}
        rows = await self._prepare(scope, session, block, run, refused)
        pending: list[Wanted] = []
        for row in rows:
            if run.mode == "insert" and row.is_there:
                refused[row.number] = [ALREADY_THERE]
            elif self._is_as_wanted(row, run):
                continue
            elif row.contradicted:
                refused[row.number] = [CONTRADICTED]
            else:
                pending.append(row)
        unchanged = len(rows) - len(pending) - sum(row.number in refused for row in rows)
        await self._put(scope, session, pending, run)
        created = sum(not row.is_there for row in pending)
        return Applied(created, len(pending) - created, unchanged, refused)

    async def _prepare(
        self, scope: AreaScope, session: AsyncSession, block: Block, run: RunContext, refused: Verdicts
    ) -> list[Wanted]:
        given = list(block.rows())
        found = await find_people(scope, session, run.blind_index, (values["id_number"] for _, values in given))
        held = await people_known.hold(scope, await raw_connection(session), {one["person_uid"] for one in found.values()})
        accepted = []
        for number, values in given:
            known = found.get(values["id_number"])
            person = None if known is None else held.get(known["person_uid"])
            if person is None or person["name_key"] != normalise_name(values["name"]):
                refused[number] = [UNKNOWN if person is None else OTHER_NAME]
            else:
                accepted.append((number, values, person))
        facts = await facts_of(scope, session, {person["id"]: person["person_uid"] for _, _, person in accepted}, run.cipher)
        rows = [_wanted(number, values, person, facts.get(person["id"], []), run) for number, values, person in accepted]
        known_marks = await marks.find_marks(scope, session, run.kind.code, [row.subject_key for row in rows])
        for row in rows:
            row.mark = known_marks.get(row.subject_key)
        return rows

    def _is_as_wanted(self, row: Wanted, run: RunContext) -> bool:
        return row.is_on_record or (row.mark is not None and row.mark.fingerprint == _fingerprint(row, run))

    async def _put(self, scope: AreaScope, session: AsyncSession, rows: Sequence[Wanted], run: RunContext) -> None:
        if not rows:
            return
        await _supersede(scope, session, [fact for row in rows for fact in row.replaced], run.now)
        facts = [_fact_row(scope, row, since, plain, run) for row in rows for since, plain in row.stated()]
        await session.execute(sa.insert(PersonFact), facts)
        touched = [Touched(row.person["id"], row.person["area_code"], row.id_number) for row in rows]
        await touch(scope, session, touched, run)
        befores = [Before(row.subject_key, row.person["id"], row.person["area_code"], _image(row), row.mark) for row in rows]
        await marks.keep_before(scope, session, run, befores)
        written = [
            Mark(row.subject_key, row.person["id"], row.person["area_code"], _fingerprint(row, run), run.import_id, created=False)
            for row in rows
        ]
        await marks.put_marks(scope, session, run.kind.code, written)

    async def what_built_on(self, scope: AreaScope, session: AsyncSession, import_id: UUID, run: RunContext) -> dict[str, int]:
        """Later imports, and people whose certificates were corrected since."""
        befores = await marks.befores_of(scope, session, run, import_id)
        there, fact = rows_by(PersonFact, {"id": [one for before in befores for one in _written(before)]}, within(scope, FACT))
        standing = sa.select(fact.c.id).select_from(there).where(fact.c.superseded_at.is_(None))
        stand = set((await session.execute(standing)).scalars())
        edited = sum(not stand.issuperset(_written(before)) for before in befores)
        found = {"later_imports": await marks.later_imports(scope, session, import_id), "later_edits": edited}
        return {code: count for code, count in found.items() if count}

    async def hold(self, scope: AreaScope, session: AsyncSession, import_id: UUID) -> None:
        await hold_written(scope, session, import_id)

    async def undo(self, scope: AreaScope, session: AsyncSession, import_id: UUID, run: RunContext) -> None:
        """What the import stated is superseded, what it superseded stands again."""
        befores = await marks.befores_of(scope, session, run, import_id)
        await _supersede(scope, session, [one for before in befores for one in _written(before)], run.now)
        again = [UUID(one) for before in befores for one in before.image["replaced"]]
        await _supersede(scope, session, again, None)
        held = await held_marks(scope, session, import_id, run)
        await marks.take_back(scope, session, run.kind.code, import_id, befores)
        await give_back(scope, session, [before.subject_id for before in befores], held, run)


def _image(row: Wanted) -> dict[str, Any]:
    return {"written": [str(one) for one in row.fact_ids], "replaced": [str(one) for one in row.replaced]}


def _written(before: Before) -> list[UUID]:
    """The facts that the import stated about a person."""
    return [UUID(one) for one in before.image["written"]]


def _wanted(number: int, values: Mapping[str, Any], person: Mapping[str, Any], facts: Sequence[Fact], run: RunContext) -> Wanted:
    certificate = parse_disability_certificate(values["certificate_no"])
    key = marks.subject_key(run, str(person["person_uid"]))
    cared_for = values["needs_care"]
    row = Wanted(number, person, values["issued_on"], values["id_number"], cared_for, {}, facts, key)
    before = row.in_force.stated if row.in_force else {}
    row.plain = {
        "category": DISABILITY_CATEGORIES[certificate.category],
        "grade": certificate.grade,
        "needs_care": bool(before.get("needs_care", False)) if cared_for is None else cared_for,
        "certificate_no": certificate.value,
    }
    return row


def _fingerprint(row: Wanted, run: RunContext) -> bytes:
    """Of what the row itself says: the number has category and grade in it."""
    said = {"certificate_no": row.plain["certificate_no"], "issued_on": row.issued_on, "needs_care": row.cared_for}
    return marks.fingerprint(run, said)


def _fact_row(scope: AreaScope, row: Wanted, since: date, plain: Mapping[str, Any], run: RunContext) -> dict[str, Any]:
    row.fact_ids.append(new_id())
    value = {name: plain[name] for name in ("category", "grade", "needs_care")}
    return {
        "district": scope.district,
        "id": row.fact_ids[-1],
        "area_code": row.person["area_code"],
        "person_id": row.person["id"],
        "kind": KIND,
        "valid_from": since,
        "value": value | certificate_part(plain["certificate_no"], row.person["person_uid"], run),
        "recorded_at": run.now,
        "recorded_by": run.actor_id,
    }


async def _supersede(scope: AreaScope, session: AsyncSession, fact_ids: Sequence[UUID], at: datetime | None) -> None:
    """The facts no longer stand from now on (None: they do again)."""
    chosen = FACT.id == sa.any_(sa.cast(fact_ids, ARRAY(sa.Uuid)))
    statement = sa.update(PersonFact).where(within(scope, FACT), chosen).values(superseded_at=at)
    await session.execute(statement.execution_options(synchronize_session=False))


register_writer(DISABILITY_CERTIFICATES.code, CertificateWriter())
