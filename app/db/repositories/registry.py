"""Households, their members over time, and the household as other areas see it on a day."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, cast
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.base import columns
from app.db.constraints import register_constraint
from app.db.locks import lock_subjects
from app.db.repositories.people import attributes_on
from app.db.scoping import at_or_below, within
from app.db.tables.registry import Household, HouseholdMember, Person
from app.domain.access import AreaScope
from app.domain.errors import Conflict
from app.domain.identity import AccountKind, normalise_bank_account
from app.domain.registry.entry import GENERATED_NO, AccountEntry, HouseholdChange, HouseholdDetails, HouseholdEntry
from app.domain.registry.model import (
    Attributes,
    HouseholdRecord,
    HouseholdSnapshot,
    MemberRecord,
    Membership,
    MemberSnapshot,
    PayeeAccount,
    Relation,
    Residence,
)
from app.domain.registry.ports import NewStay
from app.domain.registry.refusals import household_not_found
from app.ids import new_id
from app.security.fields import Field, FieldCipher
from app.security.masking import mask

HOUSEHOLD = columns(Household)
MEMBER = columns(HouseholdMember)
PERSON = columns(Person)
PERSON_OF_MEMBER = and_(PERSON.district == MEMBER.district, PERSON.id == MEMBER.person_id)

register_constraint("pk_identity_home", "person_already_registered", "该身份证号已登记，请勿重复登记。")
register_constraint("uq_person_district_person_uid", "person_already_registered", "该身份证号已登记，请勿重复登记。")


@dataclass(frozen=True, slots=True)
class HouseholdFilter:
    """Which households; None asks for no condition. ``area_code`` takes in everything below it."""

    area_code: str | None = None
    household_no: str | None = None
    residence: Residence | None = None


class HouseholdRepository:
    """The households of one transaction. Account and address are sealed under the household's id."""

    def __init__(self, session: AsyncSession, cipher: FieldCipher) -> None:
        self._session = session
        self._cipher = cipher

    # reading

    async def lock(self, scope: AreaScope, household_ids: Iterable[UUID]) -> None:
        """Takes the households for this transaction: by a lock of each against the desk, by row against imports, which take rows
        in this order too.
        """
        wanted, district = list(household_ids), scope.district.encode()
        await lock_subjects(self._session, [district + household_id.bytes for household_id in wanted])
        rows = select(HOUSEHOLD.id).where(within(scope, HOUSEHOLD), HOUSEHOLD.id.in_(wanted)).order_by(HOUSEHOLD.household_no)
        await self._session.execute(rows.with_for_update(key_share=True))

    async def get(self, scope: AreaScope, household_id: UUID, on: date) -> HouseholdRecord:
        """The household with its members of the day. ``NotFound`` household_not_found."""
        household = await self._row(scope, household_id)
        members = await self._members(scope, [household_id], on)
        return self._record(household, members.get(household_id, []))

    async def list_households(
        self, scope: AreaScope, wanted: HouseholdFilter, *, on: date, after: UUID | None, limit: int
    ) -> Sequence[HouseholdRecord]:
        """A page by id, each with its members of the day."""
        statement = select(Household).where(*_conditions(scope, wanted))
        if after is not None:
            statement = statement.where(HOUSEHOLD.id > after)
        rows = (await self._session.execute(statement.order_by(HOUSEHOLD.id).limit(limit))).scalars().all()
        members = await self._members(scope, [row.id for row in rows], on)
        return [self._record(row, members.get(row.id, [])) for row in rows]

    async def count_households(self, scope: AreaScope, wanted: HouseholdFilter) -> int:
        statement = select(func.count()).select_from(Household).where(*_conditions(scope, wanted))
        return (await self._session.execute(statement)).scalar_one()

    async def reveal(self, scope: AreaScope, household_id: UUID, names: Iterable[str]) -> dict[str, str | None]:
        """Plain values of account_number or address; the caller puts the reading on record."""
        household = await self._row(scope, household_id)
        sealed = {
            "account_number": (Field.BANK_ACCOUNT, household.bank_account_sealed),
            "address": (Field.ADDRESS, household.address_sealed),
        }
        return {name: self._open(sealed[name][0], household_id, sealed[name][1]) for name in names}

    async def snapshot(self, scope: AreaScope, household_id: UUID, on: date) -> HouseholdSnapshot:
        """The household on a day, head first, with the attributes in force on it and the payee's account (sealed).

        ``NotFound`` household_not_found; ``Conflict`` household_partly_outside when somebody who was a member on that day has
        since left the caller's area: a household must never be judged with a member missing.
        """
        household = await self._row(scope, household_id)
        rows = await self._stays_with_people(scope, [household_id], on)
        attributes = await attributes_on(scope, self._session, [stay.person_id for stay, _ in rows], on)
        return HouseholdSnapshot(
            household_id=household.id,
            household_no=household.household_no,
            area_code=household.area_code,
            residence=cast("Residence", household.residence),
            version=household.version,
            on=on,
            members=tuple(_member_snapshot(stay, person, attributes.get(stay.person_id, Attributes())) for stay, person in rows),
            payee=_payee(household),
        )

    async def stays_of_people(self, scope: AreaScope, person_ids: Iterable[UUID]) -> Sequence[Membership]:
        return await self._stays(within(scope, MEMBER), MEMBER.person_id.in_(list(person_ids)))

    async def stays_in(self, scope: AreaScope, household_id: UUID) -> Sequence[Membership]:
        return await self._stays(within(scope, MEMBER), MEMBER.household_id == household_id)

    # writing

    async def add(self, scope: AreaScope, entry: HouseholdEntry, *, by: UUID, now: datetime) -> UUID:
        """A household without members; without a number of its own it gets the next one of its community."""
        household_id = new_id()
        values = {
            "district": scope.district,
            "id": household_id,
            "area_code": entry.area_code,
            "household_no": entry.household_no or await self._next_number(scope, entry.area_code),
            "created_at": now,
            "created_by": by,
            "updated_at": now,
            **self._columns_of(household_id, entry.details, {"residence", "address", "account"}),
        }
        await self._session.execute(insert(Household).values(**values))
        return household_id

    async def change(self, scope: AreaScope, household_id: UUID, change: HouseholdChange, *, now: datetime) -> None:
        values = self._columns_of(household_id, change.details, change.given)
        await self._update(scope, [household_id], {**values, "updated_at": now})

    async def touch(self, scope: AreaScope, household_ids: Iterable[UUID], now: datetime) -> None:
        """One version more: its members changed."""
        await self._update(scope, list(household_ids), {"updated_at": now})

    async def end_stay(self, scope: AreaScope, stay: Membership) -> None:
        statement = update(HouseholdMember).where(within(scope, MEMBER), MEMBER.id == stay.id)
        statement = statement.values(valid_until=stay.valid_until)
        await self._session.execute(statement.execution_options(synchronize_session=False))

    async def add_stay(self, scope: AreaScope, stay: NewStay, *, by: UUID, now: datetime) -> Membership:
        stay_id = new_id()
        values = {
            "district": scope.district,
            "id": stay_id,
            "area_code": stay.area_code,
            "household_id": stay.household_id,
            "person_id": stay.person_id,
            "relation": stay.relation,
            "valid_from": stay.valid_from,
            "recorded_at": now,
            "recorded_by": by,
        }
        await self._session.execute(insert(HouseholdMember).values(**values))
        return Membership(stay_id, stay.household_id, stay.person_id, stay.relation, stay.valid_from)

    # rows and values

    async def _row(self, scope: AreaScope, household_id: UUID) -> Household:
        statement = select(Household).where(within(scope, HOUSEHOLD), HOUSEHOLD.id == household_id)
        statement = statement.execution_options(populate_existing=True)
        household = (await self._session.execute(statement)).scalar_one_or_none()
        if household is None:
            raise household_not_found()
        return household

    async def _update(self, scope: AreaScope, household_ids: Sequence[UUID], values: dict[str, Any]) -> None:
        statement = update(Household).where(within(scope, HOUSEHOLD), HOUSEHOLD.id.in_(household_ids))
        statement = statement.values(**values, version=HOUSEHOLD.version + 1)
        await self._session.execute(statement.execution_options(synchronize_session=False))

    async def _stays(self, *conditions: ColumnElement[bool]) -> list[Membership]:
        statement = select(HouseholdMember).where(*conditions).order_by(MEMBER.valid_from, MEMBER.id)
        rows = (await self._session.execute(statement.execution_options(populate_existing=True))).scalars()
        return [
            Membership(row.id, row.household_id, row.person_id, cast("Relation", row.relation), row.valid_from, row.valid_until)
            for row in rows
        ]

    async def _stays_with_people(
        self, scope: AreaScope, household_ids: Sequence[UUID], on: date
    ) -> list[tuple[HouseholdMember, Person | None]]:
        """Memberships of the day, the head first, then by age; without a person where he has left the caller's area."""
        if not household_ids:
            return []
        statement = (
            select(HouseholdMember, Person)
            .join_from(HouseholdMember, Person, and_(PERSON_OF_MEMBER, within(scope, PERSON)), isouter=True)
            .where(
                within(scope, MEMBER),
                MEMBER.household_id.in_(household_ids),
                MEMBER.valid_from <= on,
                or_(MEMBER.valid_until.is_(None), MEMBER.valid_until > on),
            )
            .order_by(MEMBER.relation != "head", PERSON.birth_date, MEMBER.id)
        )
        rows = await self._session.execute(statement.execution_options(populate_existing=True))
        return [(row[0], row[1]) for row in rows]

    async def _members(self, scope: AreaScope, household_ids: Sequence[UUID], on: date) -> dict[UUID, list[MemberRecord]]:
        found: dict[UUID, list[MemberRecord]] = {}
        for stay, person in await self._stays_with_people(scope, household_ids, on):
            record = MemberRecord(
                person_id=stay.person_id,
                name=person.name if person else None,
                relation=cast("Relation", stay.relation),
                valid_from=stay.valid_from,
                valid_until=stay.valid_until,
            )
            found.setdefault(stay.household_id, []).append(record)
        return found

    def _record(self, household: Household, members: Sequence[MemberRecord]) -> HouseholdRecord:
        address = self._open(Field.ADDRESS, household.id, household.address_sealed)
        return HouseholdRecord(
            id=household.id,
            household_no=household.household_no,
            area_code=household.area_code,
            residence=cast("Residence", household.residence),
            address_masked=mask(Field.ADDRESS, address) if address else None,
            payee=_payee(household),
            synthetic=household.synthetic,
            version=household.version,
            members=tuple(members),
        )

    def _open(self, field: Field, household_id: UUID, sealed: bytes | None) -> str | None:
        return None if sealed is None else self._cipher.open(field, household_id, sealed)

    def _columns_of(self, household_id: UUID, details: HouseholdDetails, given: Iterable[str]) -> dict[str, Any]:
        values: dict[str, Any] = {}
        if "residence" in given:
            values["residence"] = details.residence
        if "address" in given:
            address = details.address
            values["address_sealed"] = self._cipher.seal(Field.ADDRESS, household_id, address) if address else None
        if "account" in given:
            values |= self._account_columns(household_id, details.account)
        return values

    def _account_columns(self, household_id: UUID, account: AccountEntry | None) -> dict[str, Any]:
        if account is None:
            return dict.fromkeys(ACCOUNT_COLUMNS)
        number = normalise_bank_account(account.account_number)
        return {
            "bank_account_sealed": self._cipher.seal(Field.BANK_ACCOUNT, household_id, number),
            "bank_account_masked": mask(Field.BANK_ACCOUNT, number),
            "bank_name": account.bank_name,
            "account_holder": account.account_holder,
            "account_kind": account.account_kind.value,
        }

    async def _next_number(self, scope: AreaScope, area_code: str) -> str:
        """The community's code and a running number; whoever opens the next household there waits for our transaction."""
        await lock_subjects(self._session, [b"household_no " + area_code.encode()])
        statement = select(HOUSEHOLD.household_no).where(within(scope, HOUSEHOLD), HOUSEHOLD.area_code == area_code)
        numbers = (await self._session.execute(statement)).scalars()
        running = {int(number[13:]) for number in numbers if GENERATED_NO.fullmatch(number)}
        after = max(running, default=0) + 1
        free = after if after <= LAST_RUNNING else next(number for number in range(1, after) if number not in running)
        return f"{area_code}-{free:06d}"


LAST_RUNNING = 999_999  # six digits; a file may bring the last of them, and then the gaps are filled
ACCOUNT_COLUMNS = ("bank_account_sealed", "bank_account_masked", "bank_name", "account_holder", "account_kind")


def _conditions(scope: AreaScope, wanted: HouseholdFilter) -> list[ColumnElement[bool]]:
    conditions = [within(scope, HOUSEHOLD)]
    if wanted.area_code is not None:
        conditions.append(at_or_below(HOUSEHOLD.area_code, wanted.area_code))
    if wanted.household_no is not None:
        conditions.append(HOUSEHOLD.household_no == wanted.household_no)
    if wanted.residence is not None:
        conditions.append(HOUSEHOLD.residence == wanted.residence)
    return conditions


def _payee(household: Household) -> PayeeAccount | None:
    if household.bank_account_sealed is None:
        return None
    return PayeeAccount(
        bank_name=household.bank_name or "",
        account_holder=household.account_holder or "",
        account_kind=AccountKind(household.account_kind or AccountKind.CARD),
        number_masked=household.bank_account_masked or "",
        number_sealed=household.bank_account_sealed,
    )


def _member_snapshot(stay: HouseholdMember, person: Person | None, attributes: Attributes) -> MemberSnapshot:
    if person is None:
        raise Conflict(
            "household_partly_outside", "该家庭当日的成员中有人已迁出本辖区，请由能看到双方辖区的上级岗位办理，或改用当前日期。"
        )
    shared: dict[str, Any] = {
        name: getattr(person, name)
        for name in ("person_uid", "name", "name_key", "birth_date", "gender", "residence", "id_number_masked")
    }
    return MemberSnapshot(
        person_id=person.id,
        relation=cast("Relation", stay.relation),
        disability=attributes.disability,
        employment=attributes.employment,
        study=attributes.study,
        serious_illness=attributes.serious_illness,
        **shared,
    )
