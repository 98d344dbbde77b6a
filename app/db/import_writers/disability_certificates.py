"""残疾人证: the fact ``disability`` of registered people, written as the registry writes it, from the day of issue on.

What the registry was told for later days without a certificate (a list of people brings the disability of the day it came) is the
same disability: it gets the certificate too. Where it says something else, somebody has to look.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import takewhile
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.base import columns
from app.db.import_writers import RunContext, marks, people_known, register_writer
from app.db.import_writers.marks import Before, Mark
from app.db.import_writers.number_lookup import find_people
from app.db.import_writers.people_rows import certificate_part
from app.db.import_writers.people_touched import Touched, give_back, held_marks, touch
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
from app.security.fields import Field, FieldCipher

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
    """A disability on record from a day on; ``value`` is empty where it has ended."""

    id: UUID
    valid_from: date
    value: Mapping[str, Any]


@dataclass(slots=True)
class Wanted:
    """A certificate on its way: the person, the fact in force on the day of issue, and what is to stand from that day on."""

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
    def same_day(self) -> Fact | None:
        return next((fact for fact in self.facts if fact.valid_from == self.issued_on), None)

    @property
    def uncertified(self) -> list[Fact]:
        """What was stated for days after the issue without a certificate, up to the next certificate or the end."""
        later = (fact for fact in self.facts if fact.valid_from > self.issued_on)
        return list(takewhile(lambda fact: fact.value and fact.value.get("certificate_no_sealed") is None, later))

    @property
    def is_there(self) -> bool:
        """Whether the registry knows of the disability."""
        return bool(self.uncertified) or (self.in_force is not None and bool(self.in_force.value))

    @property
    def contradicted(self) -> bool:
        """Whether a later day says another category or grade."""
        said = [(fact.value["category"], fact.value["grade"]) for fact in self.uncertified]
        return any(one != (self.plain["category"], self.plain["grade"]) for one in said)

    @property
    def replaced(self) -> list[Fact]:
        """What the certificate is written in place of."""
        return [*([self.same_day] if self.same_day else []), *self.uncertified]

    def stated(self) -> Iterator[tuple[date, dict[str, Any]]]:
        """From which day on what is to stand; the need of care goes on as it was said, unless the row says it."""
        yield self.issued_on, self.plain
        for fact in self.uncertified:
            care = bool(fact.value.get("needs_care", False)) if self.cared_for is None else self.cared_for
            yield fact.valid_from, self.plain | {"needs_care": care}


def opened(cipher: FieldCipher, person_uid: UUID, value: Mapping[str, Any]) -> dict[str, Any]:
    """A stored disability with its certificate's number in plain."""
    plain = {name: value.get(name) for name in ("category", "grade", "needs_care")}
    sealed = value.get("certificate_no_sealed")
    number = None if sealed is None else cipher.open(Field.DISABILITY_CERTIFICATE, person_uid, base64.b64decode(sealed))
    return plain | {"certificate_no": number}


async def facts_of(scope: AreaScope, session: AsyncSession, person_ids: Iterable[UUID]) -> dict[UUID, list[Fact]]:
    """Everything on record and not corrected since, the earliest first."""
    conditions = (within(scope, FACT), FACT.kind == KIND, FACT.superseded_at.is_(None))
    there, fact = rows_by(PersonFact, {"person_id": sorted(set(person_ids))}, *conditions)
    statement = sa.select(fact.c.person_id, fact.c.id, fact.c.valid_from, fact.c.value).select_from(there)
    found: dict[UUID, list[Fact]] = {}
    for row in await session.execute(statement.order_by(fact.c.person_id, fact.c.valid_from)):
        found.setdefault(row.person_id, []).append(Fact(row.id, row.valid_from, row.value or {}))
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
        facts = await facts_of(scope, session, [person["id"] for _, _, person in accepted])
        rows = [_wanted(number, values, person, facts.get(person["id"], []), run) for number, values, person in accepted]
        known_marks = await marks.find_marks(scope, session, run.kind.code, [row.subject_key for row in rows])
        for row in rows:
            row.mark = known_marks.get(row.subject_key)
        return rows

    def _is_as_wanted(self, row: Wanted, run: RunContext) -> bool:
        in_force = row.in_force
        stored = in_force.value if in_force else {}
        if stored and not row.uncertified and opened(run.cipher, row.person["person_uid"], stored) == row.plain:
            return True
        return row.mark is not None and row.mark.fingerprint == _fingerprint(row, run)

    async def _put(self, scope: AreaScope, session: AsyncSession, rows: Sequence[Wanted], run: RunContext) -> None:
        if not rows:
            return
        await supersede(scope, session, [fact.id for row in rows for fact in row.replaced], run)
        facts = [_fact_row(scope, row, since, plain, run) for row in rows for since, plain in row.stated()]
        await session.execute(sa.insert(PersonFact), facts)
        touched = [Touched(row.person["id"], row.person["area_code"], row.id_number) for row in rows]
        await touch(scope, session, touched, run)
        befores = [Before(row.subject_key, row.person["id"], row.person["area_code"], _image(row, run), row.mark) for row in rows]
        await marks.keep_before(scope, session, run, befores)
        written = [
            Mark(row.subject_key, row.person["id"], row.person["area_code"], _fingerprint(row, run), run.import_id, created=False)
            for row in rows
        ]
        await marks.put_marks(scope, session, run.kind.code, written)

    async def what_built_on(self, scope: AreaScope, session: AsyncSession, import_id: UUID, run: RunContext) -> dict[str, int]:
        """Later imports, and certificates that were corrected since."""
        befores = await marks.befores_of(scope, session, run, import_id)
        ids = [UUID(fact) for before in befores for fact in before.image["fact_ids"]]
        statement = sa.select(sa.func.count()).select_from(PersonFact)
        statement = statement.where(within(scope, FACT), FACT.id.in_(ids), FACT.superseded_at.is_(None))
        standing = (await session.execute(statement)).scalar_one()
        found = {"later_imports": await marks.later_imports(scope, session, import_id), "later_edits": len(ids) - standing}
        return {code: count for code, count in found.items() if count}

    async def undo(self, scope: AreaScope, session: AsyncSession, import_id: UUID, run: RunContext) -> None:
        """What the import stated is superseded, what it superseded is stated again: the history keeps both."""
        befores = await marks.befores_of(scope, session, run, import_id)
        await supersede(scope, session, [UUID(fact) for before in befores for fact in before.image["fact_ids"]], run)
        again = [_stated_again(scope, before, one, run) for before in befores for one in before.image["replaced"]]
        if again:
            await session.execute(sa.insert(PersonFact), again)
        held = await held_marks(scope, session, import_id, run)
        await marks.take_back(scope, session, run.kind.code, import_id, befores)
        await give_back(scope, session, [before.subject_id for before in befores], held, run)


def _wanted(number: int, values: Mapping[str, Any], person: Mapping[str, Any], facts: Sequence[Fact], run: RunContext) -> Wanted:
    certificate = parse_disability_certificate(values["certificate_no"])
    key = marks.subject_key(run, str(person["person_uid"]))
    cared_for = values["needs_care"]
    row = Wanted(number, person, values["issued_on"], values["id_number"], cared_for, {}, facts, key)
    before = row.in_force.value if row.in_force else {}
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


def _image(row: Wanted, run: RunContext) -> dict[str, Any]:
    """What the days said before, certificates in plain: the seal is the image's (see ``plain_images``)."""
    uid = row.person["person_uid"]
    replaced = [
        {"valid_from": fact.valid_from.isoformat(), "stated": opened(run.cipher, uid, fact.value) if fact.value else None}
        for fact in row.replaced
    ]
    return {"fact_ids": [str(fact) for fact in row.fact_ids], "person_uid": str(uid), "replaced": replaced}


def _stated_again(scope: AreaScope, before: Before, replaced: Mapping[str, Any], run: RunContext) -> dict[str, Any]:
    stated = replaced["stated"]
    value = _stored(stated, UUID(before.image["person_uid"]), run) if stated else {}
    return _row(scope, before.subject_id, before.area_code, date.fromisoformat(replaced["valid_from"]), value, run)


def _stored(plain: Mapping[str, Any], person_uid: UUID, run: RunContext) -> dict[str, Any]:
    """The way back from ``opened``."""
    value = {name: plain[name] for name in ("category", "grade", "needs_care")}
    return value | certificate_part(plain["certificate_no"], person_uid, run)


def _fact_row(scope: AreaScope, row: Wanted, since: date, plain: Mapping[str, Any], run: RunContext) -> dict[str, Any]:
    value = _stored(plain, row.person["person_uid"], run)
    fact = _row(scope, row.person["id"], row.person["area_code"], since, value, run)
    row.fact_ids.append(fact["id"])
    return fact


def _row(
    scope: AreaScope, person_id: UUID, area_code: str, valid_from: date, value: Mapping[str, Any], run: RunContext
) -> dict[str, Any]:
    return {
        "district": scope.district,
        "id": new_id(),
        "area_code": area_code,
        "person_id": person_id,
        "kind": KIND,
        "valid_from": valid_from,
        "value": dict(value),
        "recorded_at": run.now,
        "recorded_by": run.actor_id,
    }


async def supersede(scope: AreaScope, session: AsyncSession, fact_ids: Sequence[UUID], run: RunContext) -> None:
    """The facts no longer stand."""
    statement = sa.update(PersonFact).where(within(scope, FACT), FACT.id.in_(fact_ids)).values(superseded_at=run.now)
    await session.execute(statement.execution_options(synchronize_session=False))


register_writer(DISABILITY_CERTIFICATES.code, CertificateWriter())
