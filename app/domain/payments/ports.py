"""What the use cases of payments need from storage. One object of each lives for one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol
from uuid import UUID

from app.domain.access import Actor, AreaScope, Signature
from app.domain.payments.bankfile import BankItem
from app.domain.payments.model import Batch, BatchRequest, Claim, DueLine, Payee, Totals


class Batches(Protocol):
    """The batches themselves."""

    async def add(self, scope: AreaScope, request: BatchRequest, prepared: Signature, pay_by_on: date | None) -> Batch:
        """A new draft with the next number of its pay month. ``Conflict`` month_not_open for a month without partitions."""
        ...

    async def get(self, scope: AreaScope, batch_id: UUID, *, lock: bool = False, share: bool = False) -> Batch:
        """``NotFound`` batch_not_found. Until the end nobody else moves it (``lock``), or nobody at all (``share``)."""
        ...

    async def save(self, scope: AreaScope, batch: Batch) -> Batch:
        """Writes what an act may change and counts the version up."""
        ...


class Claims(Protocol):
    """Claims and payment lines."""

    async def count_due(self, scope: AreaScope, request: BatchRequest) -> dict[str, int]:
        """Community → entitlements in force; what the choice between now and a job hangs on."""
        ...

    async def list_due(self, scope: AreaScope, request: BatchRequest) -> list[DueLine]:
        """What is due in ``request.area_code`` and not taken by any batch."""
        ...

    async def payees(self, scope: AreaScope, households: Sequence[UUID]) -> dict[UUID, Payee]:
        """Where the money of these households goes, as on file now."""
        ...

    async def take(
        self, scope: AreaScope, batch: Batch, claims: Sequence[Claim], payees: dict[UUID, Payee], now: datetime
    ) -> int:
        """Takes the claims that are still free and writes their lines; returns how many were free."""
        ...

    async def hold_shared_accounts(self, scope: AreaScope, batch: Batch) -> None:
        """Holds the lines of accounts that stand under more than one holder."""
        ...

    async def void_held(self, scope: AreaScope, batch: Batch, now: datetime) -> None:
        """Gives the claims of held lines back, so that a later batch can pay them."""
        ...

    async def void_all(self, scope: AreaScope, batch: Batch, now: datetime) -> None:
        """Gives every claim of an unreleased batch back."""
        ...

    async def totals(self, scope: AreaScope, batch: Batch) -> Totals: ...

    async def list_payable(self, scope: AreaScope, batch: Batch, programme: str | None = None) -> list[BankItem]:
        """The lines that are paid, accounts opened."""
        ...

    async def mark_released(self, scope: AreaScope, batch: Batch, now: datetime) -> None: ...


class Ledger(Protocol):
    """The append-only ledger."""

    async def post_release(self, scope: AreaScope, batch: Batch, posted: Signature) -> int:
        """One transfer per paid line, appropriation of its programme against the bank's clearing; returns their sum in fen."""
        ...


class ComputeJobs(Protocol):
    """Starting the computation in the background."""

    async def start(self, scope: AreaScope, batch: Batch, areas: Sequence[str], actor: Actor, now: datetime) -> UUID:
        """One chunk per community; returns the job's id."""
        ...


@dataclass(frozen=True, slots=True)
class Books:
    """The storage of one transaction."""

    batches: Batches
    claims: Claims
    ledger: Ledger
