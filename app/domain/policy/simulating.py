"""Simulations, told in order: put on record with a job, computed some communities at once, summed up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol
from uuid import UUID

from app.domain.access import Actor, AreaScope, Signature
from app.domain.eligibility import NATIONAL_CATALOGUE
from app.domain.errors import Conflict, FieldError, Malformed
from app.domain.policy.model import PolicySet, SetStatus, Simulation
from app.domain.policy.ports import PolicySets


@dataclass(frozen=True, slots=True)
class SimulationRequest:
    """``programmes`` empty: all."""

    set_id: UUID
    area_code: str
    on: date
    programmes: tuple[str, ...]


class SimulationJobs(Protocol):
    async def start(
        self, scope: AreaScope, simulation_id: UUID, request: SimulationRequest, replacing: PolicySet, actor: Actor, now: datetime
    ) -> UUID:
        """Enqueues the communities in chunks, under the books in force now, with and without the set; the job's id."""


class SimulationStore(Protocol):
    async def add(self, scope: AreaScope, simulation: Simulation) -> None: ...


async def start(
    sets: PolicySets,
    simulations: SimulationStore,
    jobs: SimulationJobs,
    scope: AreaScope,
    request: SimulationRequest,
    simulation_id: UUID,
    actor: Actor,
    now: datetime,
) -> Simulation:
    """``Malformed`` for an unknown programme, ``Conflict`` set_not_draft for a set that is superseded."""
    _check_programmes(request.programmes)
    found = await sets.get(scope, request.set_id)
    if found.status is SetStatus.SUPERSEDED:
        raise Conflict("set_not_draft", "该参数集已被取代，请对草案或现行参数集测算。")
    active = await sets.find_active(scope, found.area_code)
    simulation = Simulation(
        id=simulation_id,
        area_code=request.area_code,
        set_id=found.id,
        set_hash=found.content_hash,
        base_set_id=active.id if active else None,
        on=request.on,
        programmes=request.programmes,
        job_id=await jobs.start(scope, simulation_id, request, found, actor, now),
        requested=Signature(actor.id, actor.name, now),
        summary=None,
        finished_at=None,
    )
    await simulations.add(scope, simulation)
    return simulation


def _check_programmes(programmes: Sequence[str]) -> None:
    findings = [
        FieldError(f"/programmes/{index}", "unknown_value", "没有这个项目，请核对项目代码。")
        for index, code in enumerate(programmes)
        if code not in NATIONAL_CATALOGUE.codes
    ]
    if findings:
        raise Malformed("malformed_request", "项目代码有误，请按 errors 更正。", errors=findings)


def require_unchanged(simulation: Simulation, content_hash: str) -> None:
    """The chunks of one simulation see one and the same content."""
    if simulation.set_hash != content_hash:
        raise Conflict("set_changed_meanwhile", "测算过程中草案内容有变动，测算已中止，请重新测算。")
