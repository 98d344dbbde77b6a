"""The rows that casework writes, from frozen values: for one act at a time and for many at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from datetime import date, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from app.domain.access import Actor, AreaScope
from app.domain.casework.clocks import Clock
from app.domain.casework.model import Application, Decision, FrozenAssessment, Grant, Happening, PublicNotice
from app.domain.casework.workflow import State
from app.ids import new_id

Row = dict[str, Any]

NEXT_NUMBER = sa.text("SELECT nextval('casework_number')")


def application_number(on: date, running: int) -> str:
    """A number that people can read out: the year of application and a running number."""
    return f"SQ{on.year}{running:06d}"


def entitlement_number(on: date, running: int) -> str:
    return f"BZ{on.year}{running:06d}"


@dataclass(frozen=True, slots=True)
class Stamp:
    """In whose name, at what moment, on which business date."""

    actor: Actor
    now: datetime
    today: date


@dataclass(frozen=True, slots=True)
class CoveredPerson:
    """A person that a grant covers, as the registry knows him; ``name_key`` is the form to compare names in."""

    id: UUID
    person_uid: UUID
    name_key: str


def shallow(value: Any) -> Row:
    """The fields of a frozen value as they are: documents are stored, not copied."""
    return {field.name: getattr(value, field.name) for field in fields(value)}


def application_row(scope: AreaScope, application: Application, *, synthetic: bool = False) -> Row:
    values = shallow(application) | {"state": application.state.value, "missing_items": list(application.missing_items)}
    return values | {"district": scope.district, "synthetic": synthetic}


def event_row(scope: AreaScope, stamp: Stamp, application: Application, came_from: State | None, happening: Happening) -> Row:
    """The event is numbered by the version that it made."""
    return {
        **_hangs_on(scope, application),
        "id": new_id(),
        "number": application.version,
        "act": str(happening.act),
        "from_state": came_from and came_from.value,
        "to_state": application.state.value,
        "at": stamp.now,
        "business_date": stamp.today,
        "actor_id": stamp.actor.id,
        "actor_name": stamp.actor.name,
        "note": happening.note,
        "details": happening.details,
    }


def _hangs_on(scope: AreaScope, application: Application) -> Row:
    return {"district": scope.district, "area_code": application.area_code, "application_id": application.id}


def clock_row(scope: AreaScope, application: Application, clock: Clock, now: datetime) -> Row:
    return {
        **_hangs_on(scope, application),
        "id": new_id(),
        "kind": clock.kind.value,
        "starts_on": clock.starts_on,
        "days": clock.days,
        "working_days": True,
        "due_on": clock.due.date,
        "provisional": clock.due.provisional,
        "article": clock.article,
        "met_on": None,
        "computed_at": now,
    }


def assessment_row(scope: AreaScope, application: Application, assessment: FrozenAssessment, decision: Decision) -> Row:
    made = {"made_at": decision.decided_at, "made_by": decision.decided_by}
    return {**_hangs_on(scope, application), **shallow(assessment), **made}


def decision_row(scope: AreaScope, application: Application, decision: Decision) -> Row:
    return {**_hangs_on(scope, application), **shallow(decision)}


def notice_row(scope: AreaScope, stamp: Stamp, notice: PublicNotice) -> Row:
    opened = {"opened_by": stamp.actor.id, "opened_at": stamp.now}
    return {"district": scope.district, **shallow(notice), "content": asdict(notice.content), **opened}


@dataclass(frozen=True, slots=True)
class Granting:
    """A grant about to be written: under which id and number, for which application."""

    scope: AreaScope
    application: Application
    grant: Grant
    id: UUID
    number: str

    @property
    def _part(self) -> Row:
        return {"district": self.scope.district, "area_code": self.application.area_code, "entitlement_id": self.id}

    def entitlement_row(self, stamp: Stamp, *, synthetic: bool = False) -> Row:
        return {
            "district": self.scope.district,
            "area_code": self.application.area_code,
            "id": self.id,
            "number": self.number,
            "programme": self.grant.programme,
            "household_id": self.application.household_id,
            "person_id": None,
            "application_id": self.application.id,
            "decision_id": self.application.decision_id,
            "origin": "application",
            "category": self.grant.category,
            "state": "active",
            "since_month": self.grant.since_month,
            "until_month": None,
            "next_review_on": self.grant.next_review_on,
            "synthetic": synthetic,
            "version": 1,
            "created_at": stamp.now,
            "created_by": stamp.actor.id,
            "updated_at": stamp.now,
        }

    def amount_rows(self, now: datetime) -> list[Row]:
        common = {"from_month": self.grant.since_month, "decision_id": self.application.decision_id, "recorded_at": now}
        return [{**self._part, "id": new_id(), **common, **shallow(component)} for component in self.grant.components]

    def member_rows(self, people: Iterable[CoveredPerson]) -> list[Row]:
        return [
            {
                **self._part,
                "id": new_id(),
                "person_id": person.id,
                "person_uid": person.person_uid,
                "from_month": self.grant.since_month,
            }
            for person in people
        ]

    def enrolment_rows(self, people: Iterable[CoveredPerson]) -> list[Row]:
        """For the status queries: the same people, by the identity that holds across districts."""
        shared: Mapping[str, Any] = {
            "programme": self.grant.programme,
            "category": self.grant.category,
            "since_month": self.grant.since_month,
        }
        return [
            {**self._part, "id": new_id(), "person_uid": person.person_uid, "name_key": person.name_key, **shared}
            for person in people
        ]
