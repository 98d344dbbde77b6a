"""From what is due to claims and lines. Pure.

Each component of each month stands as a line of its own (base, each uplift, arrears), so that each can be traced back.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping
from itertools import groupby
from uuid import UUID

from app.domain.calendar import Month
from app.domain.identity import IdentityFault, parse_bank_account
from app.domain.payments.model import PAYABLE_PROGRAMMES, Cause, Claim, DueLine, HeldReason, Line, Payee


def claims_of(due: Iterable[DueLine], payees: Mapping[UUID, Payee], regular_month: Month) -> list[Claim]:
    """One claim per entitlement and month, in the order in which every batch takes them: month, programme, subject.

    The common order keeps two batches that are computed at once from waiting for each other in a ring.
    """
    reasons = {household: hold_reason(payee) for household, payee in payees.items()}
    ordered = sorted(due, key=_order)
    claims = (_claim(list(lines), reasons, regular_month) for _, lines in groupby(ordered, key=_claim_key))
    return [claim for claim in claims if claim.amount_fen > 0]


def _claim_key(line: DueLine) -> tuple[object, ...]:
    return line.benefit_month, line.programme, line.subject_id, line.entitlement_id


def _order(line: DueLine) -> tuple[object, ...]:
    return (*_claim_key(line), line.component, str(line.person_id or ""))


def _claim(due: list[DueLine], reasons: Mapping[UUID, HeldReason | None], regular_month: Month) -> Claim:
    first = due[0]
    cause = Cause.REGULAR if first.benefit_month == regular_month else Cause.ARREARS
    return Claim(
        entitlement_id=first.entitlement_id,
        programme=first.programme,
        area_code=first.area_code,
        household_id=first.household_id,
        subject_id=first.subject_id,
        benefit_month=first.benefit_month,
        lines=tuple(Line(line.component, line.person_id, cause, line.amount_fen) for line in due if line.amount_fen > 0),
        held_reason=reasons.get(first.household_id, HeldReason.ACCOUNT_MISSING),
    )


def hold_reason(payee: Payee) -> HeldReason | None:
    """Why this payee can't be paid for now; None if he can. The household waits, the batch goes on."""
    if not payee.readable:
        return HeldReason.ACCOUNT_UNREADABLE
    if not payee.account or payee.account_kind is None:
        return HeldReason.ACCOUNT_MISSING
    try:
        parse_bank_account(payee.account, payee.account_kind)
    except IdentityFault:
        return HeldReason.ACCOUNT_INVALID
    return _holder_fault((payee.account_holder or "").strip())


def _holder_fault(holder: str) -> HeldReason | None:
    if not holder:
        return HeldReason.HOLDER_MISSING
    unwritable = any(unicodedata.category(character) in ("Cc", "Cs") for character in holder)
    return HeldReason.HOLDER_INVALID if unwritable else None


def memo_of(programme: str, cause: Cause) -> str:
    """What the recipient reads in his account."""
    name = PAYABLE_PROGRAMMES.get(programme, programme)
    return f"{name}补发" if cause is Cause.ARREARS else name
