"""Households, their members over time, and the household as other areas see it on a day."""

from __future__ import annotations

from datetime import date
from typing import Any, cast
from uuid import UUID

from sqlalchemy import Row, and_, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.repositories.people import attributes_on
from app.db.tables.registry import Household, HouseholdMember, Person
from app.domain.access import AreaScope
from app.domain.errors import Conflict, NotFound
from app.domain.identity import AccountKind
from app.domain.registry.model import Attributes, HouseholdSnapshot, MemberSnapshot, PayeeAccount, Residence
from app.security.fields import FieldCipher

PERSON_OF_MEMBER = and_(Person.district == HouseholdMember.district, Person.id == HouseholdMember.person_id)


class HouseholdRepository:
    """The households of one transaction. Numbers are sealed under the household's id."""

    def __init__(self, session: AsyncSession, cipher: FieldCipher) -> None:
        self._session = session
        self._cipher = cipher

    async def snapshot(self, scope: AreaScope, household_id: UUID, on: date) -> HouseholdSnapshot:
        """The household on a day, head first, with the attributes in force on it and the payee's account (sealed).

        ``NotFound`` household_not_found; ``Conflict`` household_partly_outside when somebody who was a member on that day has
        since left the caller's area: a household must never be judged with a member missing.
        """
        household = await self._get(scope, household_id)
        statement = (
            select(HouseholdMember, Person)
            .join_from(HouseholdMember, Person, PERSON_OF_MEMBER, isouter=True)
            .where(
                HouseholdMember.district == scope.district,
                HouseholdMember.household_id == household_id,
                HouseholdMember.valid_from <= on,
                or_(HouseholdMember.valid_until.is_(None), HouseholdMember.valid_until > on),
            )
            .order_by(HouseholdMember.relation != "head", Person.birth_date, HouseholdMember.id)
        )
        rows = (await self._session.execute(statement)).all()
        attributes = await attributes_on(self._session, scope, [row[0].person_id for row in rows], on)
        return HouseholdSnapshot(
            household_id=household.id,
            household_no=household.household_no,
            area_code=household.area_code,
            residence=cast(Residence, household.residence),
            version=household.version,
            on=on,
            members=tuple(_member_snapshot(row, attributes) for row in rows),
            payee=payee_of(household),
        )

    async def _get(self, scope: AreaScope, household_id: UUID) -> Household:
        statement = select(Household).where(Household.district == scope.district, Household.id == household_id)
        household = (await self._session.execute(statement)).scalar_one_or_none()
        if household is None:
            raise NotFound("household_not_found", "没有找到该家庭，请核对家庭编号；不在本辖区的家庭请由其所在辖区办理。")
        return household


def payee_of(household: Household) -> PayeeAccount | None:
    if household.bank_account_sealed is None:
        return None
    return PayeeAccount(
        bank_name=household.bank_name or "",
        account_holder=household.account_holder or "",
        account_kind=AccountKind(household.account_kind),
        number_masked=household.bank_account_masked or "",
        number_sealed=household.bank_account_sealed,
    )


def _member_snapshot(row: Row[Any], attributes: dict[UUID, Attributes]) -> MemberSnapshot:
    membership, person = row
    if person is None:
        raise Conflict(
            "household_partly_outside", "该家庭当日的成员中有人已迁出本辖区，请由上级（能看到双方辖区的岗位）办理或改用当前日期。"
        )
    facts = attributes.get(person.id, Attributes())
    return MemberSnapshot(
        person_id=person.id,
        person_uid=person.person_uid,
        name=person.name,
        name_key=person.name_key,
        relation=membership.relation,
        birth_date=person.birth_date,
        gender=person.gender,
        residence=person.residence,
        id_number_masked=person.id_number_masked,
        disability=facts.disability,
        employment=facts.employment,
        study=facts.study,
        serious_illness=facts.serious_illness,
    )
