"""New people by COPY into temporary tables and from there, set-wise and through the walls, to where they belong.

COPY refuses tables with row-level security, so that a staging table stands between; every row is still checked by the policies
when it is merged. One row carries all that is known of a person, and is sent once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from app.db.import_writers.people_rows import KIND
from app.db.import_writers.people_task import Task
from app.db.import_writers.setwise import stage
from app.domain.errors import Unavailable

PEOPLE: Final = {
    "id": "uuid",
    "person_uid": "uuid",
    "area_code": "text",
    "name": "text",
    "name_key": "text",
    "birth_date": "date",
    "gender": "text",
    "residence": "text",
    "hukou_area_code": "text",
    "ethnicity": "text",
    "marital_status": "text",
    "id_number_sealed": "bytea",
    "id_number_masked": "text",
    "phone_sealed": "bytea",
    "address_sealed": "bytea",
    "stay_id": "uuid",
    "household_id": "uuid",
    "relation": "text",
    "subject_key": "bytea",
    "fingerprint": "bytea",
}
FACTS: Final = {"id": "uuid", "area_code": "text", "person_id": "uuid", "kind": "text", "value": "text"}
_OWN = tuple(PEOPLE)[:15]

_HOMES = """
    INSERT INTO identity_home (person_uid, district, area_code, since)
    SELECT person_uid, $1, area_code, $2 FROM staged_people ON CONFLICT DO NOTHING
"""
_PERSONS = f"""
    INSERT INTO person (district, {", ".join(_OWN)}, synthetic, version, created_at, created_by, updated_at)
    SELECT $1, {", ".join(_OWN)}, $4, 1, $2, $3, $2 FROM staged_people
"""
_STAYS = """
    INSERT INTO household_member
        (district, id, area_code, household_id, person_id, relation, valid_from, recorded_at, recorded_by)
    SELECT $1, stay_id, area_code, household_id, id, relation, $4, $2, $3 FROM staged_people
"""
_FACTS = """
    INSERT INTO person_fact (district, id, area_code, person_id, kind, valid_from, value, recorded_at, recorded_by)
    SELECT $1, id, area_code, person_id, kind, $4, value::jsonb, $2, $3 FROM staged_facts
"""
_MARKS = f"""
    INSERT INTO import_mark
        (district, kind, subject_key, area_code, subject_id, fingerprint, import_id, created, subject_version)
    SELECT $1, '{KIND}', subject_key, area_code, id, fingerprint, $2, true, 1 FROM staged_people ON CONFLICT DO NOTHING
"""


async def add_people(task: Task, people: Mapping[str, Sequence[Any]], facts: Mapping[str, Sequence[Any]]) -> None:
    """Registers them, in their households, with what is stated of them. ``Unavailable`` when somebody was quicker."""
    run, district, driver = task.run, task.scope.district, task.driver
    await stage(driver, "staged_people", PEOPLE, people)
    await stage(driver, "staged_facts", FACTS, facts)
    if _count(await driver.execute(_HOMES, district, run.now)) < len(people["id"]):
        raise Unavailable("import_raced", "同一人员正在由他人登记，请稍后重试。")
    await driver.execute(_PERSONS, district, run.now, run.actor_id, run.synthetic)
    await driver.execute(_STAYS, district, run.now, run.actor_id, run.today)
    await driver.execute(_FACTS, district, run.now, run.actor_id, run.today)
    await driver.execute(_MARKS, district, run.import_id)


def _count(tag: str) -> int:
    return int(tag.rpartition(" ")[2])
