"""What the policy desk asks of storage. ``app/db/repositories`` answers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol
from uuid import UUID

from app.domain.access import AreaScope
from app.domain.eligibility import ParameterRow
from app.domain.policy.model import PolicySet, Simulation


class PolicySets(Protocol):
    """The sets of the areas in a scope; the parent areas' sets are other people's."""

    async def get(self, scope: AreaScope, set_id: UUID, *, lock: bool = False) -> PolicySet:
        """``NotFound`` set_not_found."""

    async def find_active(self, scope: AreaScope, area_code: str, *, lock: bool = False) -> PolicySet | None: ...

    async def rows(self, scope: AreaScope, set_id: UUID) -> tuple[ParameterRow, ...]: ...

    async def add(self, scope: AreaScope, policy_set: PolicySet, rows: Sequence[ParameterRow]) -> PolicySet: ...

    async def replace_key(self, scope: AreaScope, policy_set: PolicySet, key: str, rows: Sequence[ParameterRow]) -> None: ...

    async def save(self, scope: AreaScope, policy_set: PolicySet) -> PolicySet:
        """Under the next version; ``Conflict`` when a rule of the gate is broken, or another set is active already."""


class Simulations(Protocol):
    async def get(self, scope: AreaScope, simulation_id: UUID) -> Simulation:
        """``NotFound`` simulation_not_found."""
