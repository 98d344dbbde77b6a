"""Who a person is, across districts: a surrogate identity with one blind-index row per live key version."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from app.db.base import AreaCode, DistrictKey, instant


class IdentityKey(SQLModel, table=True):
    """Blind index of an ID number → the person; one row per live index-key version, so that index keys can rotate."""

    __tablename__ = "identity_key"
    __table_args__ = (sa.Index("ix_identity_key_person_uid", "person_uid"),)

    index_version: int = Field(primary_key=True)
    bidx: bytes = Field(primary_key=True)
    person_uid: UUID


class IdentityHome(SQLModel, table=True):
    """Where a person is registered now: one district, one area."""

    __tablename__ = "identity_home"

    person_uid: UUID = Field(primary_key=True)
    district: str = Field(sa_type=DistrictKey)
    area_code: str = Field(sa_type=AreaCode)
    since: datetime = instant()


class FoundElsewhere(SQLModel, table=True):
    """Somebody whom an account's imports found registered elsewhere: a keyed digest of the number, forgotten after the window."""

    __tablename__ = "found_elsewhere"

    account_id: UUID = Field(primary_key=True)
    subject_key: bytes = Field(primary_key=True)
    at: datetime = instant()


class ElsewhereAttempt(SQLModel, table=True):
    """An attempt to register a number that stands elsewhere; counted per caller, forgotten after the window."""

    __tablename__ = "elsewhere_attempt"
    __table_args__ = (sa.Index("ix_elsewhere_attempt_caller", "caller", "at"),)

    id: UUID = Field(primary_key=True)
    caller: UUID
    at: datetime = instant()
