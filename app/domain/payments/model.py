"""What payments deal in: batches, who signed what, what is due, claims and their lines. Amounts in fen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from uuid import UUID

from app.domain.access import Signature
from app.domain.calendar import Month
from app.domain.errors import FieldError, Malformed
from app.domain.identity import AccountKind

#: Programmes paid every month by the civil affairs bureau. The rest grants no monthly money, or is another authority's to pay.
PAYABLE_PROGRAMMES: Mapping[str, str] = {
    "dibao": "最低生活保障",
    "dibao_single": "单人户低保",
    "tekun": "特困人员救助供养",
    "disability_living": "困难残疾人生活补贴",
    "disability_care": "重度残疾人护理补贴",
    "old_age": "高龄津贴",
    "orphan": "孤儿基本生活费",
    "unsupported_child": "事实无人抚养儿童补贴",
}
MAX_PERIOD_MONTHS = 24


class BatchState(StrEnum):
    """Where a batch stands."""

    DRAFT = "draft"
    COMPUTING = "computing"
    COMPUTED = "computed"
    SUBMITTED = "submitted"
    APPROVED = "approved"
    WITH_TREASURY = "with_treasury"
    TREASURY_ACCEPTED = "treasury_accepted"
    TREASURY_RETURNED = "treasury_returned"
    RELEASED = "released"
    REJECTED = "rejected"
    CANCELLED = "cancelled"


#: States in which a batch holds its claims; in the others they are void, or were never made.
LIVE_STATES = frozenset(BatchState) - {BatchState.REJECTED, BatchState.CANCELLED}


class BatchAct(StrEnum):
    """The named acts that move a batch."""

    COMPUTE = "compute"
    SUBMIT = "submit"
    APPROVE = "approve"
    REJECT = "reject"
    SEND_TO_TREASURY = "send-to-treasury"
    TREASURY_ACCEPT = "treasury-accept"
    TREASURY_RETURN = "treasury-return"
    RELEASE = "release"
    CANCEL = "cancel"


class Cause(StrEnum):
    """Why a line is paid: for the batch's last month, or for an earlier one that was still open (补发)."""

    REGULAR = "regular"
    ARREARS = "arrears"


class HeldReason(StrEnum):
    """Why a line is not paid for now. A held household never stops the others."""

    ACCOUNT_MISSING = "account_missing"
    ACCOUNT_INVALID = "account_invalid"
    ACCOUNT_UNREADABLE = "account_unreadable"
    ACCOUNT_HOLDERS_DIFFER = "account_holders_differ"
    HOLDER_MISSING = "holder_missing"
    HOLDER_INVALID = "holder_invalid"


@dataclass(frozen=True, slots=True)
class Totals:
    """What a batch comes to. ``items``, ``households``, ``accounts`` and ``total_fen`` count what is paid, not what is held.

    ``already_claimed`` counts the benefits of the period that another batch has taken.
    """

    households: int = 0
    items: int = 0
    accounts: int = 0
    total_fen: int = 0
    held_households: int = 0
    held_fen: int = 0
    already_claimed: int = 0
    by_programme: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class BatchRequest:
    """Benefits of ``programmes`` in ``area_code`` for ``period_from`` to ``period_to``, both included, paid in ``pay_month``."""

    area_code: str
    period_from: Month
    period_to: Month
    pay_month: Month
    programmes: tuple[str, ...]

    def check(self) -> None:
        """Raises ``Malformed`` with everything that is wrong."""
        errors = []
        if self.period_from > self.period_to:
            errors.append(FieldError("/period_from", "period_reversed", "起始月份不能晚于截止月份。"))
        if self.period_to > self.pay_month:
            errors.append(FieldError("/period_to", "period_after_pay_month", "不能提前发放：截止月份不能晚于发放月份。"))
        if self.period_from.months_until(self.period_to) >= MAX_PERIOD_MONTHS:
            errors.append(FieldError("/period_from", "period_too_long", f"一个批次至多 {MAX_PERIOD_MONTHS} 个月，请分批办理。"))
        if errors:
            raise Malformed("malformed_request", "发放期间有误，请按提示更正。", errors=errors)

    @property
    def months(self) -> tuple[Month, ...]:
        return tuple(self.period_from.shift(n) for n in range(self.period_from.months_until(self.period_to) + 1))


@dataclass(frozen=True, slots=True)
class Batch:
    """A batch as it stands. ``closed``: who rejected or cancelled it; ``reason``: why, or why the treasury returned it."""

    id: UUID
    number: str
    request: BatchRequest
    state: BatchState
    prepared: Signature
    pay_by_on: date | None = None
    submitted: Signature | None = None
    approved: Signature | None = None
    treasury: Signature | None = None
    released: Signature | None = None
    closed: Signature | None = None
    reason: str | None = None
    totals: Totals = field(default_factory=Totals)
    job_id: UUID | None = None
    file_sha256: str | None = None
    version: int = 1

    def is_own(self, account: UUID) -> bool:
        """Whether the account prepared or submitted this batch: such a one neither approves nor releases it."""
        return account == self.prepared.by or (self.submitted is not None and account == self.submitted.by)


@dataclass(frozen=True, slots=True)
class Payee:
    """Where a household's money goes, opened for checking. ``account`` None: none on file; ``readable``: its seal opens."""

    household_id: UUID
    account: str | None = None
    account_kind: AccountKind | None = None
    account_holder: str | None = None
    bank_name: str | None = None
    account_masked: str | None = None
    account_sealed: bytes | None = field(default=None, repr=False)
    account_digest: bytes | None = None
    readable: bool = True


@dataclass(frozen=True, slots=True)
class DueLine:
    """One component of one entitlement in one month that no batch has taken yet.

    ``subject_id`` is what is paid once: the person of a per-person programme, else the household.
    """

    entitlement_id: UUID
    programme: str
    area_code: str
    household_id: UUID
    subject_id: UUID
    benefit_month: Month
    component: str
    person_id: UUID | None
    amount_fen: int


@dataclass(frozen=True, slots=True)
class Line:
    """One payment line of a claim."""

    component: str
    person_id: UUID | None
    cause: Cause
    amount_fen: int


@dataclass(frozen=True, slots=True)
class Claim:
    """One benefit of one month with its lines, to be taken by a batch."""

    entitlement_id: UUID
    programme: str
    area_code: str
    household_id: UUID
    subject_id: UUID
    benefit_month: Month
    lines: tuple[Line, ...]
    held_reason: HeldReason | None = None

    @property
    def amount_fen(self) -> int:
        return sum(line.amount_fen for line in self.lines)
