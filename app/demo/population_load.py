"""Writing a synthetic population into the registry: 20,000 people in seconds, all or nothing.

COPY refuses tables with row-level security, so rows are copied into staging tables and merged set-wise under the scope of their
district, where the walls check every one of them.
"""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import exists, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.base import columns
from app.db.locks import lock_subjects
from app.db.repositories.audit import AuditEntry, write_audit
from app.db.session import raw_connection, transaction
from app.db.tables.registry import Household
from app.demo.accounts import NAMESPACE
from app.demo.model import DemoHousehold, DemoMember, DemoPerson, DemoPopulation
from app.domain.access import AreaScope
from app.domain.identity import normalise_name
from app.ids import new_id
from app.runtime import Runtime
from app.security.fields import Field
from app.security.masking import mask

HOUSEHOLD = columns(Household)
Rows = dict[str, list[dict[str, Any]]]

#: In the order in which they refer to each other.
TABLES = ("identity_key", "identity_home", "person", "person_fact", "household", "household_member")


async def load_population(runtime: Runtime, population: DemoPopulation) -> int:
    """Registers everybody in one transaction; the number of people, 0 when the district has its demo population already."""
    scope = AreaScope(population.district, population.district)
    async with transaction(runtime.engine, scope) as session:
        await lock_subjects(session, [b"demo population " + scope.district.encode()])
        if await _is_loaded(session, scope):
            return 0
        rows = await asyncio.to_thread(_rows, runtime, scope, population.households)
        for table in TABLES:
            await _merge(session, table, rows[table])
        counts = {"people": len(rows["person"]), "households": len(rows["household"])}
        entry = AuditEntry("demo.load_population", "district", scope.district, scope.district, details=counts)
        await write_audit(session, [entry], None, actor_name="demo", district=scope.district)
    return counts["people"]


async def _is_loaded(session: AsyncSession, scope: AreaScope) -> bool:
    statement = select(exists().where(HOUSEHOLD.district == scope.district, HOUSEHOLD.synthetic))
    return bool((await session.execute(statement)).scalar_one())


async def _merge(session: AsyncSession, table: str, rows: list[dict[str, Any]]) -> None:
    if not rows:
        return
    names = list(rows[0])
    driver = await raw_connection(session)
    await driver.execute(f"CREATE TEMP TABLE staging_{table} (LIKE {table}) ON COMMIT DROP")
    records = [tuple(row.values()) for row in rows]
    await driver.copy_records_to_table(f"staging_{table}", records=records, columns=names)
    listed = ", ".join(names)
    await driver.execute(f"INSERT INTO {table} ({listed}) SELECT {listed} FROM staging_{table}")


def _rows(runtime: Runtime, scope: AreaScope, households: Iterable[DemoHousehold]) -> Rows:
    rows: Rows = {table: [] for table in TABLES}
    writer = _Writer(runtime, scope, datetime.now(UTC), rows)
    for household in households:
        writer.household(household)
    return rows


class _Writer:
    """Turns households into the rows of every table; keeps what all rows have in common."""

    def __init__(self, runtime: Runtime, scope: AreaScope, now: datetime, rows: Rows) -> None:
        self._cipher = runtime.cipher
        self._blind_index = runtime.blind_index
        self._district = scope.district
        self._now = now
        self._rows = rows

    def household(self, household: DemoHousehold) -> None:
        household_id = new_id()
        account = household.account
        self._rows["household"].append(
            {
                **self._key(household_id, household.area_code),
                "household_no": household.number,
                "residence": household.residence,
                "address_sealed": self._cipher.seal(Field.ADDRESS, household_id, household.address),
                "bank_account_sealed": self._cipher.seal(Field.BANK_ACCOUNT, household_id, account.account),
                "bank_account_masked": mask(Field.BANK_ACCOUNT, account.account),
                "bank_name": account.bank_name,
                "account_holder": account.holder,
                "account_kind": account.kind,
                **self._written(),
            }
        )
        for member in household.members:
            self._member(household_id, household.area_code, member)

    def _member(self, household_id: UUID, area_code: str, member: DemoMember) -> None:
        person_id, person_uid = new_id(), new_id()
        self._identity(person_uid, member.person)
        self._person(person_id, person_uid, member.person)
        self._facts(person_id, person_uid, member)
        self._rows["household_member"].append(
            {
                **self._key(new_id(), area_code),
                "household_id": household_id,
                "person_id": person_id,
                "relation": member.relation,
                "valid_from": member.joined_on,
                **self._recorded(),
            }
        )

    def _identity(self, person_uid: UUID, person: DemoPerson) -> None:
        for version, digest in self._blind_index.digest(Field.ID_NUMBER, person.id_number).items():
            self._rows["identity_key"].append({"index_version": version, "bidx": digest, "person_uid": person_uid})
        home = {"person_uid": person_uid, "district": self._district, "area_code": person.area_code, "since": self._now}
        self._rows["identity_home"].append(home)

    def _person(self, person_id: UUID, person_uid: UUID, person: DemoPerson) -> None:
        seal = self._cipher.seal
        self._rows["person"].append(
            {
                **self._key(person_id, person.area_code),
                "person_uid": person_uid,
                "name": person.name,
                "name_key": normalise_name(person.name),
                "birth_date": person.birth_date,
                "gender": person.gender,
                "residence": person.residence,
                "hukou_area_code": person.hukou_area_code,
                "ethnicity": person.ethnicity,
                "marital_status": person.marital_status,
                "id_number_sealed": seal(Field.ID_NUMBER, person_uid, person.id_number),
                "id_number_masked": mask(Field.ID_NUMBER, person.id_number),
                "phone_sealed": seal(Field.PHONE, person_uid, person.phone) if person.phone else None,
                "address_sealed": seal(Field.ADDRESS, person_uid, person.address),
                **self._written(),
            }
        )

    def _facts(self, person_id: UUID, person_uid: UUID, member: DemoMember) -> None:
        for kind, value in self._fact_values(person_uid, member.person):
            self._rows["person_fact"].append(
                {
                    **self._key(new_id(), member.person.area_code),
                    "person_id": person_id,
                    "kind": kind,
                    "valid_from": member.joined_on,
                    "value": json.dumps(value),
                    **self._recorded(),
                }
            )

    def _fact_values(self, person_uid: UUID, person: DemoPerson) -> Iterator[tuple[str, dict[str, Any]]]:
        yield "employment", {"value": person.employment}
        if person.study:
            yield "study", {"value": person.study}
        if person.serious_illness:
            yield "serious_illness", {"value": True}
        if found := person.disability:
            sealed = self._cipher.seal(Field.DISABILITY_CERTIFICATE, person_uid, found.certificate_no)
            yield (
                "disability",
                {
                    "category": found.category,
                    "grade": found.grade,
                    "needs_care": found.needs_care,
                    "certificate_no_masked": mask(Field.DISABILITY_CERTIFICATE, found.certificate_no),
                    "certificate_no_sealed": base64.b64encode(sealed).decode(),
                },
            )

    def _key(self, row_id: UUID, area_code: str) -> dict[str, Any]:
        return {"district": self._district, "id": row_id, "area_code": area_code}

    def _written(self) -> dict[str, Any]:
        moments = {"created_at": self._now, "updated_at": self._now}
        return {"synthetic": True, "version": 1, "created_by": NAMESPACE, **moments}

    def _recorded(self) -> dict[str, Any]:
        return {"recorded_at": self._now, "recorded_by": NAMESPACE}
