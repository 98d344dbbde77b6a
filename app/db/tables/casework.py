"""Casework: applications and their events, assessments, decisions, notices, entitlements and what they are worth by month.

An application moves only by named acts; each act leaves an event. What was decided (facts, policy version, result) is frozen in
``assessment`` and ``decision`` and never edited. Amounts of an entitlement are bitemporal: from which month they hold, and when
we learned it; a correction supersedes a row and adds another.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlmodel import Field

from app.db.base import DistrictTable, Json, Texts, first_of_month, instant, instant_or_none, within_district


class Application(DistrictTable, table=True):
    """One application for one programme; ``area_code`` is the community it came from, kept when areas change."""

    __tablename__ = "application"
    __table_args__ = (
        sa.UniqueConstraint("district", "number"),
        sa.ForeignKeyConstraint(["district", "household_id"], ["household.district", "household.id"]),
        sa.ForeignKeyConstraint(["district", "applicant_person_id"], ["person.district", "person.id"]),
        sa.Index("ix_application_applicant", "district", "applicant_person_id"),
        sa.Index("ix_application_household", "district", "household_id"),
        sa.Index("ix_application_area_state", "district", "area_code", "state", "id"),
        sa.Index("ix_application_running", "district", "area_code", "id", postgresql_where=sa.text("closed_at IS NULL")),
        sa.Index(
            "uq_application_one_open",
            "district",
            "household_id",
            "programme",
            unique=True,
            postgresql_where=sa.text("closed_at IS NULL"),
        ),
        within_district(),
    )

    number: str
    programme: str
    household_id: UUID
    applicant_person_id: UUID
    residence: str
    state: str
    facts: Any = Field(default=None, sa_type=Json, nullable=True)
    missing_items: list[str] = Field(default_factory=list, sa_type=Texts)
    submitted_at: datetime | None = instant_or_none()
    accepted_on: date | None = None
    opinion_id: UUID | None = None
    opinion_by: UUID | None = None
    decision_id: UUID | None = None
    closed_at: datetime | None = instant_or_none()
    synthetic: bool = False
    version: int = 1
    created_at: datetime = instant()
    created_by: UUID
    updated_at: datetime = instant()


class ApplicationEvent(DistrictTable, table=True):
    """One act on an application: who, when, from which state to which. Append-only."""

    __tablename__ = "application_event"
    __table_args__ = (
        sa.ForeignKeyConstraint(["district", "application_id"], ["application.district", "application.id"]),
        sa.UniqueConstraint("district", "application_id", "number"),
        within_district(),
    )

    application_id: UUID
    number: int
    act: str
    from_state: str | None = None
    to_state: str
    at: datetime = instant()
    business_date: date
    actor_id: UUID
    actor_name: str
    note: str | None = None
    details: Any = Field(default=None, sa_type=Json, nullable=True)


class ApplicationDeadline(DistrictTable, table=True):
    """A time limit that runs on an application; provisional while its calendar year isn't loaded, then recomputed."""

    __tablename__ = "application_deadline"
    __table_args__ = (
        sa.ForeignKeyConstraint(["district", "application_id"], ["application.district", "application.id"]),
        sa.UniqueConstraint("district", "application_id", "kind"),
        sa.Index(
            "ix_application_deadline_open",
            "district",
            "area_code",
            "due_on",
            postgresql_where=sa.text("met_on IS NULL"),
        ),
        within_district(),
    )

    application_id: UUID
    kind: str
    starts_on: date
    days: int
    working_days: bool
    due_on: date
    provisional: bool
    article: str
    met_on: date | None = None
    computed_at: datetime = instant()


class Assessment(DistrictTable, table=True):
    """The frozen answer of the rules: inputs, policy version, engine version, result. Append-only."""

    __tablename__ = "assessment"
    __table_args__ = (
        sa.ForeignKeyConstraint(["district", "application_id"], ["application.district", "application.id"]),
        within_district(),
    )

    application_id: UUID
    programme: str
    business_date: date
    policy_version: str
    engine_version: str
    inputs: Any = Field(sa_type=Json)
    result: Any = Field(sa_type=Json)
    parameters: Any = Field(sa_type=Json)
    outcome: str
    monthly_fen: int | None = Field(default=None, sa_type=sa.BigInteger)
    notice: str | None = None
    made_at: datetime = instant()
    made_by: UUID


class Decision(DistrictTable, table=True):
    """An opinion, a confirmation or a refusal on an assessment, with its reasons. Append-only."""

    __tablename__ = "decision"
    __table_args__ = (
        sa.ForeignKeyConstraint(["district", "application_id"], ["application.district", "application.id"]),
        sa.ForeignKeyConstraint(["district", "assessment_id"], ["assessment.district", "assessment.id"]),
        sa.CheckConstraint("kind IN ('opinion', 'confirmation', 'refusal')", name="kind_known"),
        within_district(),
    )

    application_id: UUID
    assessment_id: UUID
    kind: str
    outcome: str
    reasons: Any = Field(sa_type=Json)
    text: str | None = None
    business_date: date
    decided_at: datetime = instant()
    decided_by: UUID
    decided_by_name: str


class PublicNotice(DistrictTable, table=True):
    """A public notice (公示) in the community: seven calendar days after the day of posting (民发〔2021〕57号 第十九条)."""

    __tablename__ = "public_notice"
    __table_args__ = (
        sa.ForeignKeyConstraint(["district", "application_id"], ["application.district", "application.id"]),
        sa.Index("ix_public_notice_area", "district", "area_code", "id", postgresql_where=sa.text("closed_on IS NULL")),
        sa.Index(
            "uq_public_notice_one_open",
            "district",
            "application_id",
            unique=True,
            postgresql_where=sa.text("closed_on IS NULL"),
        ),
        within_district(),
    )

    application_id: UUID
    programme: str
    content: Any = Field(sa_type=Json)
    posted_on: date
    last_day: date
    closable_from: date
    closed_on: date | None = None
    opened_by: UUID
    opened_at: datetime = instant()


class Entitlement(DistrictTable, table=True):
    """What a household (or one person) is entitled to, from ``since_month`` on; months are stored as their first day."""

    __tablename__ = "entitlement"
    __table_args__ = (
        sa.ForeignKeyConstraint(["district", "household_id"], ["household.district", "household.id"]),
        sa.CheckConstraint("state IN ('active', 'suspended', 'ended')", name="state_known"),
        first_of_month("since_month"),
        first_of_month("until_month"),
        sa.UniqueConstraint("district", "number"),
        sa.Index("ix_entitlement_household", "district", "household_id"),
        sa.Index("ix_entitlement_area", "district", "area_code", "programme", "id"),
        sa.Index(
            "uq_entitlement_one_in_force",
            "district",
            "household_id",
            "programme",
            unique=True,
            postgresql_where=sa.text("state <> 'ended' AND person_id IS NULL"),
        ),
        within_district(),
    )

    number: str
    programme: str
    household_id: UUID
    person_id: UUID | None = None
    application_id: UUID | None = None
    decision_id: UUID | None = None
    origin: str = "application"
    category: str
    state: str
    since_month: date
    until_month: date | None = None
    next_review_on: date | None = None
    roll_class: str | None = None  # of a roll that came in from before: its class, certificate and document, who signed it
    certificate_no: str | None = None
    document_no: str | None = None
    signed_by: UUID | None = None
    signed_by_name: str | None = None
    signed_on: date | None = None
    synthetic: bool = False
    version: int = 1
    created_at: datetime = instant()
    created_by: UUID
    updated_at: datetime = instant()


class EntitlementMember(DistrictTable, table=True):
    """Who is covered by an entitlement, from which month to which (half-open)."""

    __tablename__ = "entitlement_member"
    __table_args__ = (
        sa.ForeignKeyConstraint(["district", "entitlement_id"], ["entitlement.district", "entitlement.id"]),
        sa.ForeignKeyConstraint(["district", "person_id"], ["person.district", "person.id"]),
        postgresql.ExcludeConstraint(
            ("district", "="),
            ("entitlement_id", "="),
            ("person_id", "="),
            (sa.literal_column("daterange(from_month, until_month)"), "&&"),
            name="ex_entitlement_member_once",
            using="gist",
        ),
        sa.Index("ix_entitlement_member_person", "district", "person_id"),
        within_district(),
    )

    entitlement_id: UUID
    person_id: UUID
    person_uid: UUID
    from_month: date
    until_month: date | None = None


class EntitlementAmount(DistrictTable, table=True):
    """One component of the monthly amount, from a month on until the next row; corrected by superseding, never by editing."""

    __tablename__ = "entitlement_amount"
    __table_args__ = (
        sa.ForeignKeyConstraint(["district", "entitlement_id"], ["entitlement.district", "entitlement.id"]),
        sa.CheckConstraint("amount_fen >= 0", name="amount_not_negative"),
        first_of_month("from_month"),
        first_of_month("until_month"),
        sa.Index("ix_entitlement_amount_current", "district", "entitlement_id", "from_month"),
        within_district(),
    )

    entitlement_id: UUID
    component: str
    person_id: UUID | None = None
    from_month: date
    until_month: date | None = None
    amount_fen: int = Field(sa_type=sa.BigInteger)
    decision_id: UUID | None = None
    recorded_at: datetime = instant()
    superseded_at: datetime | None = instant_or_none()


class Enrolment(DistrictTable, table=True):
    """Read model of the status queries: one row per person and programme in force, written with the entitlement itself.

    Nobody is enrolled twice in one programme for the same month (民发〔2022〕83号 三(一)): the database refuses it.
    """

    __tablename__ = "enrolment"
    __table_args__ = (
        sa.UniqueConstraint("district", "entitlement_id", "person_uid"),
        postgresql.ExcludeConstraint(
            ("district", "="),
            ("person_uid", "="),
            ("programme", "="),
            (sa.literal_column("daterange(since_month, until_month)"), "&&"),
            name="ex_enrolment_once_per_programme",
            using="gist",
        ),
        sa.Index("ix_enrolment_person", "person_uid", "programme"),
        within_district(),
    )

    person_uid: UUID
    name_key: str
    programme: str
    category: str
    entitlement_id: UUID
    since_month: date
    until_month: date | None = None
    valid_until: date | None = None
