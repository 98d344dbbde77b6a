"""Payments: batches, claims (paid once), payment lines, the ledger.

A claim says that one benefit of one month is taken by one batch; it is what makes paying twice impossible. Lines hang on a claim
and carry a frozen copy of the payee. The ledger only ever grows. What may still change is decided by column privileges first and
by triggers second (revision 0003); ``docs/decisions/0003-paid-once.md`` tells why claims are voided and never deleted.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Field

from app.db.base import DistrictTable, Json, Texts, first_of_month, instant, instant_or_none, within_district

BATCH_STATES = (
    "draft",
    "computing",
    "computed",
    "submitted",
    "approved",
    "with_treasury",
    "treasury_accepted",
    "treasury_returned",
    "released",
    "rejected",
    "cancelled",
)
APPROVED_STATES = ("approved", "with_treasury", "treasury_accepted", "treasury_returned", "released")


def _one_of(values: tuple[str, ...]) -> str:
    return ", ".join(f"'{value}'" for value in values)


class PaymentBatch(DistrictTable, table=True):
    """One run of payments: ``area_code`` bounds whose benefits it pays, ``period_*`` (both included) for which months."""

    __tablename__ = "payment_batch"
    __table_args__ = (
        sa.UniqueConstraint("district", "number"),
        sa.CheckConstraint(f"state IN ({_one_of(BATCH_STATES)})", name="state_known"),
        sa.CheckConstraint("period_from <= period_to AND period_to <= pay_month", name="period_before_payment"),
        sa.CheckConstraint(
            "approved_by IS NULL OR (submitted_by IS NOT NULL AND approved_by <> prepared_by AND approved_by <> submitted_by)",
            name="approved_by_another",
        ),
        sa.CheckConstraint(
            "released_by IS NULL OR (approved_by IS NOT NULL AND released_by <> prepared_by AND released_by <> submitted_by)",
            name="released_by_another",
        ),
        sa.CheckConstraint(f"state NOT IN ({_one_of(APPROVED_STATES)}) OR approved_by IS NOT NULL", name="approval_on_record"),
        sa.CheckConstraint(
            "state <> 'released' OR (released_by IS NOT NULL AND file_sha256 IS NOT NULL)", name="release_on_record"
        ),
        first_of_month("period_from"),
        first_of_month("period_to"),
        first_of_month("pay_month"),
        within_district(),
    )

    number: str
    period_from: date
    period_to: date
    pay_month: date
    programmes: list[str] = Field(sa_type=Texts)
    state: str
    pay_by_on: date | None = None
    households: int = 0
    items: int = 0
    accounts: int = 0
    total_fen: int = Field(default=0, sa_type=sa.BigInteger)
    held_households: int = 0
    held_fen: int = Field(default=0, sa_type=sa.BigInteger)
    already_claimed: int = 0
    programme_totals: Any = Field(default_factory=dict, sa_type=Json)
    prepared_by: UUID
    prepared_by_name: str
    prepared_at: datetime = instant()
    submitted_by: UUID | None = None
    submitted_by_name: str | None = None
    submitted_at: datetime | None = instant_or_none()
    approved_by: UUID | None = None
    approved_by_name: str | None = None
    approved_at: datetime | None = instant_or_none()
    treasury_by: UUID | None = None
    treasury_by_name: str | None = None
    treasury_at: datetime | None = instant_or_none()
    released_by: UUID | None = None
    released_by_name: str | None = None
    released_at: datetime | None = instant_or_none()
    closed_by: UUID | None = None
    closed_by_name: str | None = None
    closed_at: datetime | None = instant_or_none()
    reason: str | None = None
    job_id: UUID | None = None
    file_sha256: str | None = None
    version: int = 1


class BenefitClaim(DistrictTable, table=True):
    """One benefit of one month, taken by one batch. Live until voided; ``subject_id`` is a person_uid or a household.

    The unique index has no district in it on purpose: a person is paid once, wherever he moved (database.md lists the exception).
    """

    __tablename__ = "benefit_claim"
    __table_args__ = (
        sa.ForeignKeyConstraint(["district", "batch_id"], ["payment_batch.district", "payment_batch.id"]),
        sa.ForeignKeyConstraint(["district", "entitlement_id"], ["entitlement.district", "entitlement.id"]),
        sa.Index(
            "uq_benefit_claim_paid_once",
            "benefit_month",
            "programme",
            "subject_id",
            unique=True,
            postgresql_where=sa.text("voided_at IS NULL"),
        ),
        sa.Index("ix_benefit_claim_batch", "district", "batch_id"),
        sa.CheckConstraint("released_at IS NULL OR voided_at IS NULL", name="released_or_voided"),
        first_of_month("benefit_month"),
        within_district(),
        {"postgresql_partition_by": "RANGE (benefit_month)"},
    )

    benefit_month: date = Field(primary_key=True)
    programme: str
    subject_id: UUID
    entitlement_id: UUID
    household_id: UUID
    batch_id: UUID
    claimed_at: datetime = instant()
    released_at: datetime | None = instant_or_none()
    voided_at: datetime | None = instant_or_none()


class PaymentItem(DistrictTable, table=True):
    """One line: one component of one claim, with the payee as he stood when it was computed. ``held_reason``: not paid, and why.

    ``account_sealed`` opens with ``Field.BANK_ACCOUNT`` and ``household_id``; ``account_digest`` finds equal accounts. A trigger
    checks the claim: a foreign key to a partitioned table would block detaching old months, and claims are never deleted.
    """

    __tablename__ = "payment_item"
    __table_args__ = (
        sa.ForeignKeyConstraint(["district", "batch_id"], ["payment_batch.district", "payment_batch.id"]),
        sa.Index(
            "uq_payment_item_once",
            "district",
            "claim_id",
            "component",
            "person_id",
            "cause",
            "pay_month",
            unique=True,
            postgresql_nulls_not_distinct=True,
        ),
        sa.Index("ix_payment_item_batch", "district", "batch_id", "id"),
        sa.CheckConstraint("amount_fen > 0", name="amount_positive"),
        sa.CheckConstraint("cause IN ('regular', 'arrears')", name="cause_known"),
        sa.CheckConstraint("held_reason IS NOT NULL OR account_sealed IS NOT NULL", name="payable_has_account"),
        first_of_month("pay_month"),
        within_district(),
        {"postgresql_partition_by": "RANGE (pay_month)"},
    )

    pay_month: date = Field(primary_key=True)
    batch_id: UUID
    claim_id: UUID
    benefit_month: date
    programme: str
    component: str
    cause: str
    entitlement_id: UUID
    household_id: UUID
    person_id: UUID | None = None
    amount_fen: int = Field(sa_type=sa.BigInteger)
    bank_name: str | None = None
    account_holder: str | None = None
    account_masked: str | None = None
    account_sealed: bytes | None = None
    account_digest: bytes | None = None
    held_reason: str | None = None


class LedgerAccount(DistrictTable, table=True):
    """An account of the district's ledger; its balance is what its transfers add up to and is stored nowhere."""

    __tablename__ = "ledger_account"
    __table_args__ = (
        sa.UniqueConstraint("district", "code"),
        sa.CheckConstraint("kind IN ('appropriation', 'clearing')", name="kind_known"),
        within_district(),
    )

    code: str
    name: str
    kind: str
    opened_at: datetime = instant()


class LedgerTransfer(DistrictTable, table=True):
    """Money moved once: from the credited to the debited account. Append-only; opaque ids only; balanced by its shape."""

    __tablename__ = "ledger_transfer"
    __table_args__ = (
        sa.ForeignKeyConstraint(["district", "debit_account_id"], ["ledger_account.district", "ledger_account.id"]),
        sa.ForeignKeyConstraint(["district", "credit_account_id"], ["ledger_account.district", "ledger_account.id"]),
        sa.Index("uq_ledger_transfer_item_once", "district", "item_id", "kind", "pay_month", unique=True),
        sa.Index("ix_ledger_transfer_batch", "district", "batch_id"),
        sa.CheckConstraint("debit_account_id <> credit_account_id", name="two_accounts"),
        sa.CheckConstraint("amount_fen > 0", name="amount_positive"),
        sa.CheckConstraint("kind IN ('release')", name="kind_known"),
        first_of_month("pay_month"),
        within_district(),
        {"postgresql_partition_by": "RANGE (pay_month)"},
    )

    pay_month: date = Field(primary_key=True)
    kind: str
    batch_id: UUID
    item_id: UUID
    debit_account_id: UUID
    credit_account_id: UUID
    amount_fen: int = Field(sa_type=sa.BigInteger)
    posted_at: datetime = instant()
    posted_by: UUID
