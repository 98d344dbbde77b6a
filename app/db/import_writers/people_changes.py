"""People who are registered already: what differs from their row is changed, the facts about them from today on."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.import_writers import people_known
from app.db.import_writers.people_befores import BeforeImage, keep
from app.db.import_writers.people_judgement import OnRecord
from app.db.import_writers.people_rows import KIND, PLAIN, certificate_part
from app.db.import_writers.people_task import Task, mark_people
from app.db.import_writers.plain_images import image_of
from app.db.import_writers.setwise import insert_rows, update_rows
from app.domain.identity import normalise_name
from app.domain.imports.kinds.people_words import NOT_STUDYING
from app.ids import new_id
from app.security.fields import Field

CHANGING = (
    *("area_code", "name", "name_key", "residence", "hukou_area_code", "ethnicity", "marital_status"),
    *("phone_sealed", "address_sealed"),
)
SEALED = {"phone_sealed": Field.PHONE, "address_sealed": Field.ADDRESS}
_SUPERSEDE = """
    UPDATE person_fact AS f SET superseded_at = $3 FROM unnest($4::uuid[], $5::text[]) AS u(person_id, kind)
    WHERE f.district = $1 AND f.person_id = u.person_id AND f.kind = u.kind AND f.valid_from = $2 AND f.superseded_at IS NULL
    RETURNING f.id, f.person_id
"""
_RELOCATE = """
    UPDATE person_fact AS f SET area_code = u.area_code FROM unnest($2::uuid[], $3::text[]) AS u(person_id, area_code)
    WHERE f.district = $1 AND f.person_id = u.person_id
"""


@dataclass(slots=True)
class Change:
    """What differs for one registered person."""

    place: int
    person: Any
    stay: Any
    columns: dict[str, Any] = field(default_factory=dict)
    facts: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    relation: str | None = None  # another relation in the household he belongs to
    joins: bool = False
    fact_ids: list[UUID] = field(default_factory=list)
    superseded: list[UUID] = field(default_factory=list)
    stay_id: UUID | None = None

    @property
    def is_one(self) -> bool:
        return bool(self.columns or self.facts or self.relation or self.joins)


async def find_changes(task: Task, record: OnRecord) -> list[Change]:
    """Those whose rows say something else than what is on record."""
    places = [place for place in task.left if place in record.people]
    ids = [record.people[place]["id"] for place in places]
    facts = await people_known.facts_today(task.scope, task.driver, ids, task.run.today)
    found = []
    for place in places:
        change = Change(place, record.people[place], record.stays.get(place))
        _compare(task, change, facts)
        if change.is_one:
            found.append(change)
    return found


def _compare(task: Task, change: Change, facts: Mapping[tuple[UUID, str], str]) -> None:
    person, relation = change.person, task.value("relation", change.place)
    for name in ("area_code", *PLAIN):
        value = task.value(name, change.place)
        if value is not None and value != person[name]:
            change.columns[name] = value
    if "name" in change.columns:
        change.columns["name_key"] = normalise_name(change.columns["name"])
    for name, kind in (("phone", Field.PHONE), ("address", Field.ADDRESS)):
        value = task.value(name, change.place)
        if value is not None and value != _opened(task, kind, person, person[f"{name}_sealed"]):
            change.columns[f"{name}_sealed"] = task.run.cipher.seal(kind, person["person_uid"], value)
    change.joins = change.stay is None
    if change.stay is not None and change.stay["relation"] != relation:
        change.relation = relation
    _compare_facts(task, change, facts)


def _opened(task: Task, kind: Field, person: Any, sealed: bytes | None) -> str | None:
    return None if sealed is None else task.run.cipher.open(kind, person["person_uid"], sealed)


def _compare_facts(task: Task, change: Change, facts: Mapping[tuple[UUID, str], str]) -> None:
    place, person = change.place, change.person
    for kind, name, nothing in (
        ("employment", "employment", None),
        ("study", "study", NOT_STUDYING),
        ("serious_illness", "serious_illness", False),
        ("reported_income", "monthly_income_fen", None),
    ):
        value = task.value(name, place)
        before = orjson.loads(facts.get((person["id"], kind), "{}") or "{}") or {}
        if value is None or before.get("value", nothing) == value:
            continue
        change.facts[kind] = {} if value == nothing else {"value": value}
    if task.value("disability_category", place) is not None:
        before = orjson.loads(facts.get((person["id"], "disability"), "{}") or "{}") or {}
        _compare_disability(task, change, before)


def _compare_disability(task: Task, change: Change, before: Mapping[str, Any]) -> None:
    """Category and grade make the fact; a certificate that the row doesn't name stays with it, and so does the need of care."""
    uid = change.person["person_uid"]
    category, grade = task.value("disability_category", change.place), task.value("disability_grade", change.place)
    certificate = task.value("disability_certificate", change.place)
    same = before.get("category") == category and before.get("grade") == grade
    known = _certificate(task, uid, before)
    if same and certificate in (None, known):
        return
    fact: dict[str, Any] = {
        "category": category,
        "grade": grade,
        "needs_care": before.get("needs_care", False) if same else False,
    }
    change.facts["disability"] = fact | certificate_part(certificate, uid, task.run)


def _certificate(task: Task, uid: UUID, fact: Mapping[str, Any]) -> str | None:
    sealed = fact.get("certificate_no_sealed")
    return None if sealed is None else task.run.cipher.open(Field.DISABILITY_CERTIFICATE, uid, base64.b64decode(sealed))


async def change_people(task: Task, session: AsyncSession, changes: Sequence[Change]) -> None:
    """Writes the changes, one version more for each person, and keeps what stood before."""
    if not changes:
        return
    await _write_facts(task, changes)
    await _write_stays(task, changes)
    await keep(task.scope, session, task.run, [_before(task, change) for change in changes])
    columns: dict[str, list[Any]] = {"id": [change.person["id"] for change in changes]}
    columns |= {name: [change.columns.get(name, change.person[name]) for change in changes] for name in CHANGING}
    versions = [change.person["version"] + 1 for change in changes]
    await update_rows(
        task.driver, "person", task.scope.district, columns | {"version": versions}, "updated_at = $1", task.run.now
    )
    await _relocate(task, [change for change in changes if "area_code" in change.columns])
    await mark_people(task, [change.place for change in changes], columns["id"], versions, created=False)


async def _write_facts(task: Task, changes: Sequence[Change]) -> None:
    stated = [(change, kind, value) for change in changes for kind, value in change.facts.items()]
    if not stated:
        return
    people, kinds = [change.person["id"] for change, _, _ in stated], [kind for _, kind, _ in stated]
    superseded = await task.driver.fetch(_SUPERSEDE, task.scope.district, task.run.today, task.run.now, people, kinds)
    by_person = {change.person["id"]: change for change in changes}
    for row in superseded:
        by_person[row["person_id"]].superseded.append(row["id"])
    ids = [new_id() for _ in stated]
    for (change, _, _), fact_id in zip(stated, ids, strict=True):
        change.fact_ids.append(fact_id)
    columns = {
        "id": ids,
        "area_code": [task.value("area_code", change.place) for change, _, _ in stated],
        "person_id": people,
        "kind": kinds,
        "value": [orjson.dumps(value).decode() for _, _, value in stated],
    }
    await insert_rows(task.driver, "person_fact", columns, task.recorded)


async def _write_stays(task: Task, changes: Sequence[Change]) -> None:
    """Somebody without a household joins; another relation corrects the stay."""
    joining = [change for change in changes if change.joins]
    for change in joining:
        change.stay_id = new_id()
    columns = {
        "id": [change.stay_id for change in joining],
        "area_code": [task.value("area_code", change.place) for change in joining],
        "household_id": [task.household_ids[task.value("household_no", change.place)] for change in joining],
        "person_id": [change.person["id"] for change in joining],
        "relation": [task.value("relation", change.place) for change in joining],
    }
    await insert_rows(task.driver, "household_member", columns, task.recorded)
    related = [change for change in changes if change.relation is not None]
    corrected = {"id": [change.stay["id"] for change in related], "relation": [change.relation for change in related]}
    await update_rows(task.driver, "household_member", task.scope.district, corrected, "valid_until = t.valid_until")


async def _relocate(task: Task, moved: Sequence[Change]) -> None:
    """Whoever joins a household lives where it is: the facts about him and his home go with him."""
    if not moved:
        return
    people = [change.person["id"] for change in moved]
    areas = [change.columns["area_code"] for change in moved]
    await task.driver.execute(_RELOCATE, task.scope.district, people, areas)
    await task.driver.execute(
        "UPDATE identity_home AS h SET area_code = u.area_code, since = $2"
        " FROM unnest($3::uuid[], $4::text[]) AS u(uid, area_code) WHERE h.person_uid = u.uid AND h.district = $1",
        task.scope.district,
        task.run.now,
        [change.person["person_uid"] for change in moved],
        areas,
    )


def _before(task: Task, change: Change) -> BeforeImage:
    person = change.person
    stood = {name: person[name] for name in (*CHANGING, "version")}
    image = {
        "person_uid": person["person_uid"],
        "person": image_of(stood, SEALED, person["person_uid"], task.run.cipher),
        "facts_added": change.fact_ids,
        "facts_superseded": change.superseded,
        "stay_added": change.stay_id,
        "stay": None if change.relation is None else {"id": change.stay["id"], "relation": change.stay["relation"]},
    }
    key = task.subjects[change.place]
    return BeforeImage(KIND, key, person["id"], task.value("area_code", change.place), image, task.mark(change.place))
