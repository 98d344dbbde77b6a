"""The audit trail and its seal chain; rows are only ever added."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from app.db.base import AreaCode, DistrictKey, Json, Texts, instant


class AuditRecord(SQLModel, table=True):
    """Who did (or was refused) what to whom, when, which fields, why. Opaque ids only: no plaintext of a person."""

    __tablename__ = "audit_record"
    __table_args__ = (sa.Index("ix_audit_record_area", "district", "area_code", "id"),)

    id: UUID = Field(primary_key=True)
    at: datetime = instant()
    district: str | None = Field(default=None, sa_type=DistrictKey)
    area_code: str | None = Field(default=None, sa_type=AreaCode)
    actor_id: UUID | None = None
    actor_name: str
    action: str
    subject_kind: str
    subject_id: str | None = None
    fields: list[str] = Field(sa_type=Texts)
    reason: str | None = None
    outcome: str
    details: dict[str, Any] | None = Field(default=None, sa_type=Json)
    trace_id: str | None = None
    remote_address: str | None = None


class AuditUnsealed(SQLModel, table=True):
    """A record not yet chained; written in the same transaction as the record."""

    __tablename__ = "audit_unsealed"

    audit_id: UUID = Field(primary_key=True)
    queued_at: datetime = instant()


class AuditLink(SQLModel, table=True):
    """One link of the chain: ``digest`` = H(previous digest, position, record id, record digest)."""

    __tablename__ = "audit_link"
    __table_args__ = (sa.UniqueConstraint("audit_id"),)

    position: int = Field(primary_key=True, sa_type=sa.BigInteger, sa_column_kwargs={"autoincrement": False})
    audit_id: UUID
    record_digest: bytes
    digest: bytes
    sealed_at: datetime = instant()
