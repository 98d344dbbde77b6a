"""What the rows of a block become in each table: pure work on columns, for a thread of its own while Postgres writes.

Sealed values are bound as the registry binds them: number, phone, address and certificate to the person's ``person_uid``, a
household's address and account to the household's id.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any, Final
from uuid import UUID

import orjson

from app.db.import_writers import RunContext
from app.db.import_writers.row_digests import DIGEST_BYTES, RowDigests
from app.db.import_writers.setwise import new_ids
from app.domain.identity import normalise_name
from app.domain.imports.model import Block
from app.security.fields import Field
from app.security.masking import mask

KIND: Final = "people"
HOUSEHOLD_KIND: Final = "people_household"

Columns = dict[str, list[Any]]
#: Columns of a row that a person's own row takes as they are.
PLAIN: Final = ("name", "residence", "hukou_area_code", "ethnicity", "marital_status")
SIMPLE_FACTS: Final = ("employment", "study")


def digests_of(block: Block, run: RunContext) -> RowDigests:
    """Whom each row is about, by the ID number, and what it says: every column counts, in the order of their names."""
    rows = zip(*(block.columns[name] for name in sorted(block.columns)), strict=True)
    subjects = run.keys.fingerprint_many("import_person", map(str.encode, block.columns["id_number"]))
    return RowDigests.of(block.numbers, subjects, run.keys.fingerprint_many("import_row", map(orjson.dumps, rows)))


def person_key(run: RunContext, id_number: str) -> bytes:
    """The subject key of the person of a number."""
    return run.keys.fingerprint("import_person", id_number.encode())[:DIGEST_BYTES]


@dataclass(frozen=True, slots=True)
class Sealed:
    """Rows made ready as new people: under the identities proposed for them, which have still to be settled."""

    places: list[int]
    digests: dict[int, list[bytes]]
    uids: list[UUID]
    people: Columns
    facts: Columns


def seal(block: Block, run: RunContext, places: list[int]) -> Sealed:
    """Proposes identities and seals under them; what is not new after all is thrown away."""
    uids, ids = new_ids(len(places)), new_ids(len(places))
    digests = run.blind_index.digest_many(Field.ID_NUMBER, column(block, "id_number", places))
    people, facts = person_columns(block, places, ids, uids, run), fact_columns(block, places, ids, uids, run)
    return Sealed(places, digests, uids, people, facts)


def household_key(run: RunContext, household_no: str) -> bytes:
    return run.keys.fingerprint("import_household", household_no.encode())[:DIGEST_BYTES]


@lru_cache(maxsize=65_536)
def _born(digits: str) -> date:
    return date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))


def birth_date(id_number: str) -> date:
    """As the digits of the number say."""
    return _born(id_number[6:14])


@lru_cache(maxsize=16_384)
def _name_key(name: str) -> str:
    return normalise_name(name)


def column(block: Block, name: str, places: Sequence[int]) -> list[Any]:
    """A column at these places; of a column that the file doesn't have, Nones."""
    values = block.columns.get(name)
    return [None] * len(places) if values is None else [values[place] for place in places]


def person_columns(block: Block, places: Sequence[int], ids: Sequence[UUID], uids: Sequence[UUID], run: RunContext) -> Columns:
    """New people."""
    numbers, names = column(block, "id_number", places), column(block, "name", places)
    seal = run.cipher.seal_many
    return {
        "id": list(ids),
        "area_code": column(block, "area_code", places),
        "person_uid": list(uids),
        **{name: column(block, name, places) for name in PLAIN},
        "name_key": [_name_key(name) for name in names],
        "birth_date": [_born(number[6:14]) for number in numbers],
        "gender": ["male" if int(number[16]) % 2 else "female" for number in numbers],
        "id_number_sealed": seal(Field.ID_NUMBER, uids, numbers),
        "id_number_masked": [f"{number[:4]}**********{number[14:]}" for number in numbers],
        "phone_sealed": seal(Field.PHONE, uids, column(block, "phone", places)),
        "address_sealed": seal(Field.ADDRESS, uids, column(block, "address", places)),
    }


def fact_columns(block: Block, places: Sequence[int], ids: Sequence[UUID], uids: Sequence[UUID], run: RunContext) -> Columns:
    """The facts of new people that their rows state."""
    facts: Columns = {"id": [], "area_code": [], "person_id": [], "kind": [], "value": []}
    areas = column(block, "area_code", places)
    stated = [(kind, [_simple(value) for value in column(block, kind, places)]) for kind in SIMPLE_FACTS]
    ill = ['{"value":true}' if value else None for value in column(block, "serious_illness", places)]
    incomes = [None if fen is None else f'{{"value":{fen}}}' for fen in column(block, "monthly_income_fen", places)]
    disabilities = [_disability(block, place, uid, run) for place, uid in zip(places, uids, strict=True)]
    for kind, values in (*stated, ("serious_illness", ill), ("reported_income", incomes), ("disability", disabilities)):
        found = [place for place, value in enumerate(values) if value is not None]
        facts["id"] += new_ids(len(found))
        facts["area_code"] += [areas[place] for place in found]
        facts["person_id"] += [ids[place] for place in found]
        facts["kind"] += [kind] * len(found)
        facts["value"] += [values[place] for place in found]
    return facts


@lru_cache(maxsize=256)
def _simple(value: str | None) -> str | None:
    return None if value is None else orjson.dumps({"value": value}).decode()


def _disability(block: Block, place: int, uid: UUID, run: RunContext) -> str | None:
    categories = block.columns.get("disability_category")
    if categories is None or categories[place] is None:
        return None
    grade, certificate = _at(block, "disability_grade", place), _at(block, "disability_certificate", place)
    return orjson.dumps(disability_fact(categories[place], grade, certificate, uid, run)).decode()


def _at(block: Block, name: str, place: int) -> Any:
    values = block.columns.get(name)
    return None if values is None else values[place]


def disability_fact(category: str, grade: int, certificate: str | None, uid: UUID, run: RunContext) -> dict[str, Any]:
    """As the registry stores it; whether somebody needs care the file doesn't say."""
    return {"category": category, "grade": grade, "needs_care": False} | certificate_part(certificate, uid, run)


def certificate_part(certificate: str | None, uid: UUID, run: RunContext) -> dict[str, str]:
    if certificate is None:
        return {}
    sealed = run.cipher.seal(Field.DISABILITY_CERTIFICATE, uid, certificate)
    return {
        "certificate_no_masked": mask(Field.DISABILITY_CERTIFICATE, certificate),
        "certificate_no_sealed": base64.b64encode(sealed).decode(),
    }


@dataclass(frozen=True, slots=True)
class HouseholdEntry:
    """What the rows of a block say of one household. Residence and address are the head's; None where no row says anything."""

    household_no: str
    area_code: str
    residence: str | None
    address: str | None
    account: Mapping[str, Any] | None
    first_residence: str


ACCOUNT_FIELDS: Final = ("bank_name", "account_number", "account_holder", "account_kind")


def households_of(block: Block, places: Sequence[int]) -> dict[str, HouseholdEntry]:
    """The households of these rows by their number."""
    found: dict[str, HouseholdEntry] = {}
    heads, accounts = _heads(block, places), _accounts(block, places)
    numbers, areas, residences = block.columns["household_no"], block.columns["area_code"], block.columns["residence"]
    for place in places:
        number = numbers[place]
        if number in found:
            continue
        head = heads.get(number)
        found[number] = HouseholdEntry(
            number,
            areas[place],
            None if head is None else residences[head],
            None if head is None else _at(block, "address", head),
            accounts.get(number),
            residences[place],
        )
    return found


def _heads(block: Block, places: Sequence[int]) -> dict[str, int]:
    numbers, relations = block.columns["household_no"], block.columns["relation"]
    return {numbers[place]: place for place in places if relations[place] == "head"}


def _accounts(block: Block, places: Sequence[int]) -> dict[str, dict[str, Any]]:
    given = block.columns.get("account_number")
    if given is None:
        return {}
    numbers = block.columns["household_no"]
    return {
        numbers[place]: {name: _at(block, name, place) for name in ACCOUNT_FIELDS} for place in places if given[place] is not None
    }


def household_columns(entries: Sequence[HouseholdEntry], ids: Sequence[UUID], run: RunContext) -> Columns:
    """New households."""
    accounts: list[Mapping[str, Any]] = [entry.account or {} for entry in entries]
    numbers = [account.get("account_number") for account in accounts]
    seal = run.cipher.seal_many
    return {
        "id": list(ids),
        "area_code": [entry.area_code for entry in entries],
        "household_no": [entry.household_no for entry in entries],
        "residence": [entry.residence or entry.first_residence for entry in entries],
        "address_sealed": seal(Field.ADDRESS, ids, [entry.address for entry in entries]),
        "bank_account_sealed": seal(Field.BANK_ACCOUNT, ids, numbers),
        "bank_account_masked": [None if number is None else mask(Field.BANK_ACCOUNT, number) for number in numbers],
        "bank_name": [account.get("bank_name") for account in accounts],
        "account_holder": [account.get("account_holder") for account in accounts],
        "account_kind": [None if not account else account.get("account_kind") or "card" for account in accounts],
    }
