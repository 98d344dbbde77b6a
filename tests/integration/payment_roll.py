"""Entitled households for payment tests, written straight into the tables of registry and casework.

Every test takes a community of its own, so that batches of different tests never meet in the shared database.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from uuid import UUID

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.base import columns
from app.db.session import transaction
from app.db.tables.casework import Entitlement, EntitlementAmount
from app.db.tables.registry import Household
from app.demo.load import DATA
from app.domain.access import AreaScope
from app.domain.areas import parse_areas
from app.ids import new_id
from app.runtime import Runtime
from app.security.fields import Field
from app.security.masking import mask_bank_account

DISTRICT = AreaScope("350702", "350702")
MAKER = UUID(int=7)
NOW = datetime(2026, 8, 1, 2, tzinfo=UTC)
HOUSEHOLD = columns(Household)


def card_number(number: int) -> str:
    """A 19-digit number that passes Luhn and belongs to nobody."""
    body = f"70{number:016d}"
    total = sum(int("0246813579"[int(d)] if place % 2 == 0 else d) for place, d in enumerate(reversed(body)))
    return f"{body}{-total % 10}"


@dataclass(frozen=True)
class Entitled:
    """A household with its entitlement."""

    household_id: UUID
    entitlement_id: UUID
    account: str | None
    holder: str | None


class Roll:
    """Makes entitled households in one community."""

    numbers = itertools.count(1)

    def __init__(self, runtime: Runtime, area_code: str) -> None:
        self.runtime = runtime
        self.area_code = area_code

    async def household(
        self,
        amounts: Mapping[str, int],
        *,
        programme: str = "dibao",
        since: date = date(2026, 1, 1),
        account: str | None = "",
        holder: str | None = "陈示芳",
        kind: str = "card",
        state: str = "active",
    ) -> Entitled:
        """``account``: "" for a fresh valid card, None for none on file."""
        number = next(self.numbers)
        account = card_number(number) if account == "" else account
        async with transaction(self.runtime.engine, DISTRICT) as session:
            household_id = await self._household(session, number, account, holder, kind)
            entitlement_id = await self.entitlement(session, household_id, amounts, programme, since, state)
        return Entitled(household_id, entitlement_id, account, holder)

    async def _household(self, session: AsyncSession, number: int, account: str | None, holder: str | None, kind: str) -> UUID:
        household_id = new_id()
        session.add(
            Household(
                district="350702",
                id=household_id,
                area_code=self.area_code,
                household_no=f"PAY-{household_id}",
                residence="urban",
                bank_account_sealed=self.runtime.cipher.seal(Field.BANK_ACCOUNT, household_id, account) if account else None,
                bank_account_masked=mask_bank_account(account) if account else None,
                bank_name="示例农商银行",
                account_holder=holder,
                account_kind=kind if account else None,
                synthetic=True,
                created_at=NOW,
                created_by=MAKER,
                updated_at=NOW,
            )
        )
        await session.flush()
        return household_id

    async def entitlement(
        self,
        session: AsyncSession,
        household_id: UUID,
        amounts: Mapping[str, int],
        programme: str = "dibao",
        since: date = date(2026, 1, 1),
        state: str = "active",
    ) -> UUID:
        entitlement_id = new_id()
        session.add(
            Entitlement(
                district="350702",
                id=entitlement_id,
                area_code=self.area_code,
                number=f"PAY-{entitlement_id}",
                programme=programme,
                household_id=household_id,
                category="urban",
                state=state,
                since_month=since,
                synthetic=True,
                created_at=NOW,
                created_by=MAKER,
                updated_at=NOW,
            )
        )
        await session.flush()
        for component, amount_fen in amounts.items():
            session.add(self._amount(entitlement_id, component, amount_fen, since))
        await session.flush()
        return entitlement_id

    def _amount(self, entitlement_id: UUID, component: str, amount_fen: int, since: date) -> EntitlementAmount:
        return EntitlementAmount(
            district="350702",
            id=new_id(),
            area_code=self.area_code,
            entitlement_id=entitlement_id,
            component=component,
            from_month=since,
            amount_fen=amount_fen,
            recorded_at=NOW,
        )

    async def set_account(self, household_id: UUID, account: str) -> None:
        async with transaction(self.runtime.engine, DISTRICT) as session:
            sealed = self.runtime.cipher.seal(Field.BANK_ACCOUNT, household_id, account)
            statement = update(Household).where(HOUSEHOLD.district == "350702", HOUSEHOLD.id == household_id)
            await session.execute(statement.values(bank_account_sealed=sealed, account_kind="card", account_holder="陈示芳"))


def communities() -> list[str]:
    """Every community of the demo district but those of the demo accounts."""
    rows = parse_areas((DATA / "areas-350702.csv").read_text("utf-8"))
    taken = {"350702001001", "350702002001"}
    return sorted(row.code for row in rows if len(row.code) == 12 and row.code not in taken)
