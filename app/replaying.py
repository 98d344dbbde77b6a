"""Replaying every stored decision: fit for every night, in short transactions, read-only but for its own audit record."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from uuid import UUID

from app.db.repositories import replays
from app.db.repositories.audit import AuditEntry, write_audit
from app.db.repositories.policy import rows_ever_in_force
from app.db.repositories.reference import list_districts
from app.db.repositories.replays import StoredDecision
from app.db.session import transaction
from app.domain.access import AreaScope
from app.domain.eligibility import Drift, ParameterRow, StoredAnswer, replay
from app.runtime import Runtime

PAGE = 200
Replay = Callable[[StoredAnswer, frozenset[ParameterRow]], list[Drift]]


@dataclass(frozen=True, slots=True)
class DriftedDecision:
    """A decision that no longer comes out as it was made."""

    district: str
    decision_id: UUID
    policy_version: str
    engine_version: str
    drifts: tuple[Drift, ...]


@dataclass(slots=True)
class ReplayReport:
    """How many decisions were replayed, and which of them drifted."""

    replayed: int = 0
    drifted: list[DriftedDecision] = field(default_factory=list)


async def replay_decisions(runtime: Runtime, replayed_by: Replay = replay) -> ReplayReport:
    """Every stored decision of every district."""
    report = ReplayReport()
    async with transaction(runtime.engine) as session:
        scopes = await list_districts(session)
        known = await rows_ever_in_force(session)
    for scope in scopes:
        await _replay_district(runtime, scope, known, replayed_by, report)
    return report


async def _replay_district(
    runtime: Runtime, scope: AreaScope, known: frozenset[ParameterRow], replayed_by: Replay, report: ReplayReport
) -> None:
    before = (report.replayed, len(report.drifted))
    async for stored in _decisions(runtime, scope):
        report.replayed += 1
        if drifts := replayed_by(stored.answer, known):
            drifted = DriftedDecision(scope.district, stored.id, stored.policy_version, stored.engine_version, tuple(drifts))
            report.drifted.append(drifted)
    counts = {"replayed": report.replayed - before[0], "drifted": len(report.drifted) - before[1]}
    async with transaction(runtime.engine, scope) as session:
        entry = AuditEntry("decision.replay", "district", scope.district, scope.district, details=counts)
        await write_audit(session, [entry], None, district=scope.district)


async def _decisions(runtime: Runtime, scope: AreaScope) -> AsyncIterator[StoredDecision]:
    after: UUID | None = None
    while True:
        async with transaction(runtime.engine, scope) as session:
            page = await replays.list_decisions(scope, session, after=after, limit=PAGE)
        for stored in page:
            yield stored
        if len(page) < PAGE:
            return
        after = page[-1].id
