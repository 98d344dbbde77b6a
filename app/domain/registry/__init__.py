"""The registry: people, households, and who belongs to whom from when to when.

Other areas take a household from here as it was on a day::

    snapshot = await HouseholdRepository(session, cipher).snapshot(scope, household_id, on)   # app.db.repositories.registry
    snapshot.members[0].relation, snapshot.members[0].disability, snapshot.payee …

``NotFound`` (``household_not_found``) when it isn't there or outside the scope.

``contradictions`` is the rule on relations that every door into the registry keeps.
"""

from __future__ import annotations

from app.domain.registry.model import Disability, HouseholdSnapshot, MemberSnapshot, PayeeAccount
from app.domain.registry.relations import OLDER, YOUNGER, Contradiction, Relative, contradictions

__all__ = [
    "OLDER",
    "YOUNGER",
    "Contradiction",
    "Disability",
    "HouseholdSnapshot",
    "MemberSnapshot",
    "PayeeAccount",
    "Relative",
    "contradictions",
]
