"""Accounts, clients, refresh tokens, revocations, lock-out and stored answers.

These stand outside the districts' walls: a sign-in comes before any scope is known.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from app.db.base import AreaCode, DistrictKey, Instant, Json, Texts, instant, instant_or_none


class Account(SQLModel, table=True):
    """A member of staff; ``area_code`` bounds all that he sees, ``duties`` all that he may do."""

    __tablename__ = "account"
    __table_args__ = (
        sa.UniqueConstraint("username"),
        sa.CheckConstraint("level IN ('district', 'subdistrict', 'community')", name="level_known"),
        sa.CheckConstraint(
            "length(area_code) = CASE level WHEN 'district' THEN 6 WHEN 'subdistrict' THEN 9 ELSE 12 END",
            name="area_fits_level",
        ),
        sa.CheckConstraint("cardinality(duties) > 0", name="has_a_duty"),
        sa.CheckConstraint("NOT duties @> ARRAY['finance', 'approver']", name="pays_or_approves"),
        sa.Index("ix_account_district", "district", "username"),
    )

    id: UUID = Field(primary_key=True)
    username: str
    display_name: str
    password_hash: str
    password_set_at: datetime = instant()
    must_change_password: bool = False
    level: str
    area_code: str = Field(sa_type=AreaCode)
    district: str = Field(sa_type=DistrictKey)
    duties: list[str] = Field(sa_type=Texts)
    version: int
    demo: bool = False
    created_at: datetime = instant()
    created_by: str
    disabled_at: datetime | None = instant_or_none()
    tokens_valid_from: datetime = instant()


class Client(SQLModel, table=True):
    """Another bureau's system, signing in with client credentials."""

    __tablename__ = "client"
    __table_args__ = (sa.UniqueConstraint("client_id"), sa.Index("ix_client_district", "district", "client_id"))

    id: UUID = Field(primary_key=True)
    client_id: str
    name: str
    secret_hash: str | None = None
    public_jwk: dict[str, Any] | None = Field(default=None, sa_type=Json)
    area_code: str = Field(sa_type=AreaCode)
    district: str = Field(sa_type=DistrictKey)
    version: int
    demo: bool = False
    created_at: datetime = instant()
    created_by: str
    disabled_at: datetime | None = instant_or_none()
    tokens_valid_from: datetime = instant()


class SignInFailures(SQLModel, table=True):
    """Failed sign-ins in a row per name, known or not, so that both look the same.

    ``name`` is ``kind:id``, or the keyed digest of a name that nobody has: people type passwords into the wrong field.
    """

    __tablename__ = "sign_in_failures"

    name: str = Field(primary_key=True)
    failures: int
    last_failed_at: datetime = instant()
    locked_until: datetime | None = instant_or_none()


class RefreshToken(SQLModel, table=True):
    """A refresh token (only its digest), one link of a family; using one twice revokes the family.

    The family is the sign-in: the ``sid`` of its access tokens. All its links end when the sign-in does.
    """

    __tablename__ = "refresh_token"
    __table_args__ = (
        sa.UniqueConstraint("digest"),
        sa.Index("ix_refresh_token_account_id", "account_id", "family"),
        sa.Index("ix_refresh_token_expires_at", "expires_at"),
    )

    id: UUID = Field(primary_key=True)
    family: UUID
    account_id: UUID = Field(foreign_key="account.id")
    digest: bytes
    issued_at: datetime = instant()
    expires_at: datetime = instant()
    used_at: datetime | None = instant_or_none()
    revoked_at: datetime | None = instant_or_none()


class RevokedToken(SQLModel, table=True):
    """An access token (``jti``) or a whole sign-in (its ``sid``) revoked before its end, or a client assertion already used."""

    __tablename__ = "revoked_token"
    __table_args__ = (sa.Index("ix_revoked_token_expires_at", "expires_at"),)

    jti: str = Field(primary_key=True)
    expires_at: datetime = instant()
    revoked_at: datetime = instant()


class StoredAnswer(SQLModel, table=True):
    """The first answer to an Idempotency-Key, encrypted; ``keep_until`` is empty for money: kept for ever."""

    __tablename__ = "stored_answer"
    __table_args__ = (sa.Index("ix_stored_answer_keep_until", "keep_until"),)

    caller: UUID = Field(primary_key=True)
    route: str = Field(primary_key=True)
    key_digest: bytes = Field(primary_key=True)
    scope: str
    fingerprint: bytes
    status: int
    headers: dict[str, str] = Field(sa_type=Json)
    body: bytes
    stored_at: datetime = instant()
    keep_until: datetime | None = Field(default=None, sa_type=Instant)
