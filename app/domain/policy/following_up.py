"""What becomes of a finding: somebody takes it up, or dismisses it with a reason. Neither decides an entitlement."""

from __future__ import annotations

from typing import Protocol
from uuid import UUID

from app.domain.access import AreaScope, Signature
from app.domain.errors import Conflict, PreconditionFailed
from app.domain.policy.discovery import FindingState, StoredFinding

FROM = {
    FindingState.TAKEN_UP: (FindingState.OPEN,),
    FindingState.DISMISSED: (FindingState.OPEN, FindingState.TAKEN_UP),
}


class Findings(Protocol):
    async def get_finding(self, scope: AreaScope, finding_id: UUID, *, lock: bool = False) -> StoredFinding:
        """``NotFound`` finding_not_found."""

    async def settle(
        self, scope: AreaScope, finding_id: UUID, state: FindingState, signature: Signature, note: str | None
    ) -> StoredFinding: ...


async def settle(
    findings: Findings,
    scope: AreaScope,
    finding_id: UUID,
    state: FindingState,
    signature: Signature,
    *,
    note: str | None,
    version: int | None,
) -> StoredFinding:
    """``state``: TAKEN_UP, or DISMISSED with its reason in ``note``. ``Conflict`` finding_settled."""
    found = await findings.get_finding(scope, finding_id, lock=True)
    if version is not None and version != found.version:
        raise PreconditionFailed("stale_version", "内容已被他人更新，请重新读取后再提交。")
    if found.state not in FROM[state]:
        raise Conflict("finding_settled", "该线索已办结或情况已不存在，请刷新工作清单。")
    return await findings.settle(scope, finding_id, state, signature, note)
