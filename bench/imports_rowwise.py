"""The usual way, for comparison: a pydantic model for each row, and plain ``INSERT … ON CONFLICT`` statements, a row at a time.

The same checks by the same functions of the domain, the same blind index, the same four encrypted fields, the same tables with
their indexes and walls; prepared statements, one transaction for a thousand rows.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any
from uuid import UUID

from pydantic import BaseModel, Field, field_validator, model_validator

from app.db.session import raw_connection, transaction
from app.domain.access import AreaScope
from app.domain.areas import is_area_code
from app.domain.identity import (
    DISABILITY_CATEGORIES,
    AccountKind,
    normalise_name,
    parse_bank_account,
    parse_disability_certificate,
    parse_id_number,
    parse_phone,
)
from app.domain.imports.cells.choices import word_key
from app.domain.imports.kinds import people_words as words
from app.ids import new_id
from app.runtime import Runtime
from app.security.fields import Field as Sealed
from app.security.masking import mask

TODAY = datetime.now(UTC).astimezone().date()
BATCH = 1_000
_CATEGORIES = {name: number for number, name in DISABILITY_CATEGORIES.items()}


def _codes(known: words.Words) -> dict[str, str]:
    return {word_key(word): code for code, titles in known.items() for word in (code, *titles)}


_WORDS = {
    "与户主关系": _codes(words.RELATIONS),
    "户口性质": _codes(words.RESIDENCES),
    "婚姻状况": _codes(words.MARITAL),
    "残疾类别": _codes(words.DISABILITY_KINDS),
    "残疾等级": _codes(words.GRADES),
    "就业状况": _codes(words.EMPLOYMENTS),
    "学业状况": _codes(words.STUDIES),
    "账户类型": _codes(words.ACCOUNT_KINDS),
    "证件类型": _codes(words.ID_KINDS),
}


class PersonRow(BaseModel):
    """One row, checked."""

    household_no: str = Field(alias="户编号", min_length=1, max_length=40)
    name: str = Field(alias="姓名", min_length=1, max_length=60)
    id_kind: str | None = Field(None, alias="证件类型")
    id_number: str = Field(alias="身份证号")
    relation: str = Field(alias="与户主关系")
    residence: str = Field(alias="户口性质")
    area_code: str = Field(alias="区划代码")
    hukou_area_code: str | None = Field(None, alias="户籍区划代码")
    address: str | None = Field(None, alias="住址", max_length=200)
    phone: str | None = Field(None, alias="手机号")
    ethnicity: str | None = Field(None, alias="民族", max_length=20)
    marital_status: str | None = Field(None, alias="婚姻状况")
    disability_category: str | None = Field(None, alias="残疾类别")
    disability_grade: str | None = Field(None, alias="残疾等级")
    disability_certificate: str | None = Field(None, alias="残疾人证号")
    serious_illness: bool | None = Field(None, alias="是否重病")
    employment: str | None = Field(None, alias="就业状况")
    study: str | None = Field(None, alias="学业状况")
    income_fen: int | None = Field(None, alias="月收入(元)")
    bank_name: str | None = Field(None, alias="开户银行")
    account_number: str | None = Field(None, alias="银行账号")
    account_holder: str | None = Field(None, alias="户名")
    account_kind: str | None = Field(None, alias="账户类型")

    @model_validator(mode="before")
    @classmethod
    def words_and_blanks(cls, cells: dict[str, str]) -> dict[str, Any]:
        """Empty cells are missing, words become codes."""
        given = {title: text.strip() for title, text in cells.items() if text and text.strip()}
        coded = {title: known[word_key(given[title])] for title, known in _WORDS.items() if title in given}
        return given | coded

    @field_validator("serious_illness", mode="before")
    @classmethod
    def yes_or_no(cls, cell: str | None) -> bool | None:
        """是, 否."""
        return None if cell is None else {"是": True, "否": False}[cell]

    @field_validator("income_fen", mode="before")
    @classmethod
    def fen(cls, cell: str | None) -> int | None:
        """Yuan with two decimals."""
        if cell is None:
            return None
        yuan, _, rest = cell.replace(",", "").partition(".")
        return int(yuan) * 100 + int((rest + "00")[:2])

    @field_validator("id_number")
    @classmethod
    def number(cls, cell: str) -> str:
        """GB 11643."""
        return parse_id_number(cell, as_of=TODAY).value

    @field_validator("phone")
    @classmethod
    def telephone(cls, cell: str | None) -> str | None:
        """Normalised."""
        return None if cell is None else parse_phone(cell)

    @field_validator("area_code", "hukou_area_code")
    @classmethod
    def area(cls, cell: str | None) -> str | None:
        """A code of the right form."""
        if cell is not None and not is_area_code(cell):
            raise ValueError("area code")
        return cell

    @model_validator(mode="after")
    def together(self) -> PersonRow:
        """Disability and account."""
        if (self.disability_category is None) != (self.disability_grade is None):
            raise ValueError("disability")
        if self.disability_certificate is not None and self.disability_category and self.disability_grade:
            number, grade = _CATEGORIES[self.disability_category], int(self.disability_grade)
            parse_disability_certificate(self.disability_certificate, id_number=self.id_number, category=number, grade=grade)
        if self.account_number is not None:
            parse_bank_account(self.account_number, AccountKind(self.account_kind or "card"))
        return self


_KEY = (
    "INSERT INTO identity_key (index_version, bidx, person_uid) VALUES ($1, $2, $3)"
    " ON CONFLICT (index_version, bidx) DO NOTHING RETURNING person_uid"
)
_KNOWN = "SELECT person_uid FROM identity_key WHERE index_version = $1 AND bidx = $2"
_HOME = (
    "INSERT INTO identity_home (person_uid, district, area_code, since) VALUES ($1, $2, $3, $4)"
    " ON CONFLICT (person_uid) DO NOTHING"
)
_PERSON = """
    INSERT INTO person (district, id, area_code, person_uid, name, name_key, birth_date, gender, residence, hukou_area_code,
        ethnicity, marital_status, id_number_sealed, id_number_masked, phone_sealed, address_sealed, synthetic, version,
        created_at, created_by, updated_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, true, 1, $17, $18, $17)
    ON CONFLICT (district, person_uid) DO UPDATE SET name = excluded.name, name_key = excluded.name_key,
        residence = excluded.residence, hukou_area_code = excluded.hukou_area_code, ethnicity = excluded.ethnicity,
        marital_status = excluded.marital_status, phone_sealed = excluded.phone_sealed, address_sealed = excluded.address_sealed,
        version = person.version + 1, updated_at = excluded.updated_at
    RETURNING id
"""
_HOUSEHOLD = """
    INSERT INTO household
        (district, id, area_code, household_no, residence, synthetic, version, created_at, created_by, updated_at)
    VALUES ($1, $2, $3, $4, $5, true, 1, $6, $7, $6)
    ON CONFLICT (district, household_no) DO UPDATE SET updated_at = excluded.updated_at RETURNING id
"""
_ACCOUNT = """
    UPDATE household SET bank_account_sealed = $3, bank_account_masked = $4, bank_name = $5,
        account_holder = $6, account_kind = $7
    WHERE district = $1 AND id = $2
"""
_MEMBER = """
    INSERT INTO household_member
        (district, id, area_code, household_id, person_id, relation, valid_from, recorded_at, recorded_by)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING
"""
_FACT = """
    INSERT INTO person_fact (district, id, area_code, person_id, kind, valid_from, value, recorded_at, recorded_by)
    VALUES ($1, $2, $3, $4, $5, $6, $7::text::jsonb, $8, $9)
    ON CONFLICT (district, person_id, kind, valid_from) WHERE superseded_at IS NULL DO UPDATE SET value = excluded.value
"""


async def load(runtime: Runtime, scope: AreaScope, path: Path, rows: int) -> None:
    """The first rows of the file."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = islice(csv.DictReader(file), rows)
        while batch := list(islice(reader, BATCH)):
            async with transaction(runtime.engine, scope) as session:
                driver = await raw_connection(session)
                writer = RowWriter(runtime, scope, driver)
                for cells in batch:
                    await writer.write(PersonRow.model_validate(cells))


class RowWriter:
    """Writes one row at a time."""

    def __init__(self, runtime: Runtime, scope: AreaScope, driver: Any) -> None:
        self._cipher, self._index = runtime.cipher, runtime.blind_index
        self._district, self._driver = scope.district, driver
        self._now, self._by = datetime.now(UTC), new_id()

    async def write(self, row: PersonRow) -> None:
        """Identity, person, household, membership, facts."""
        uid = await self._identity(row)
        person_id = await self._person(row, uid)
        household_id = await self._driver.fetchval(
            _HOUSEHOLD, self._district, new_id(), row.area_code, row.household_no, row.residence, self._now, self._by
        )
        if row.account_number is not None:
            sealed = self._cipher.seal(Sealed.BANK_ACCOUNT, household_id, row.account_number)
            masked = mask(Sealed.BANK_ACCOUNT, row.account_number)
            kind = row.account_kind or "card"
            await self._driver.execute(
                _ACCOUNT, self._district, household_id, sealed, masked, row.bank_name, row.account_holder, kind
            )
        stay = (new_id(), row.area_code, household_id, person_id, row.relation, TODAY, self._now, self._by)
        await self._driver.execute(_MEMBER, self._district, *stay)
        for kind, value in self._facts(row, uid):
            fact = (new_id(), row.area_code, person_id, kind, TODAY, json.dumps(value), self._now, self._by)
            await self._driver.execute(_FACT, self._district, *fact)

    async def _identity(self, row: PersonRow) -> UUID:
        uid = new_id()
        for version, digest in self._index.digest(Sealed.ID_NUMBER, row.id_number).items():
            if await self._driver.fetchval(_KEY, version, digest, uid) is None:
                uid = await self._driver.fetchval(_KNOWN, version, digest)
        await self._driver.execute(_HOME, uid, self._district, row.area_code, self._now)
        return uid

    async def _person(self, row: PersonRow, uid: UUID) -> UUID:
        number = parse_id_number(row.id_number)
        seal = self._cipher.seal
        person_id: UUID = await self._driver.fetchval(
            _PERSON,
            self._district,
            new_id(),
            row.area_code,
            uid,
            row.name,
            normalise_name(row.name),
            number.birth_date,
            number.gender,
            row.residence,
            row.hukou_area_code,
            row.ethnicity,
            row.marital_status,
            seal(Sealed.ID_NUMBER, uid, number.value),
            mask(Sealed.ID_NUMBER, number.value),
            seal(Sealed.PHONE, uid, row.phone) if row.phone else None,
            seal(Sealed.ADDRESS, uid, row.address) if row.address else None,
            self._now,
            self._by,
        )
        return person_id

    def _facts(self, row: PersonRow, uid: UUID) -> Iterator[tuple[str, dict[str, Any]]]:
        for kind, value in (("employment", row.employment), ("study", row.study), ("reported_income", row.income_fen)):
            if value is not None:
                yield kind, {"value": value}
        if row.serious_illness:
            yield "serious_illness", {"value": True}
        if row.disability_category is not None:
            certificate = row.disability_certificate
            sealed = self._cipher.seal(Sealed.DISABILITY_CERTIFICATE, uid, certificate).hex() if certificate else None
            yield "disability", {"category": row.disability_category, "grade": row.disability_grade, "certificate": sealed}
