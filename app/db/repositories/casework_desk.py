"""Sets up the desk of casework over one transaction."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy.ext.asyncio import AsyncSession

from app.db.dated_rules import DatedRules
from app.db.repositories.applications import ApplicationRepository
from app.db.repositories.entitlements import EntitlementRepository
from app.db.repositories.policy import ParameterBooks
from app.db.repositories.registry import HouseholdRepository
from app.domain.access import Actor
from app.domain.casework.desk import Desk
from app.ids import new_id
from app.security.fields import FieldCipher


def open_casework_desk(
    session: AsyncSession, books: ParameterBooks, cipher: FieldCipher, actor: Actor, *, now: datetime, today: date
) -> Desk:
    """The walls of the session must stand at the actor's scope."""
    return Desk(
        actor=actor,
        now=now,
        today=today,
        applications=ApplicationRepository(session, actor, now, today),
        entitlements=EntitlementRepository(session, actor, now, today),
        households=HouseholdRepository(session, cipher),
        rules=DatedRules(session, books),
        new_id=new_id,
    )
