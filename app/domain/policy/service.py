"""Parameter sets, told in order: a draft, its values, the sign-off under a simulation, the activation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

from app.domain.access import Actor, AreaScope, Signature
from app.domain.eligibility import ParameterRow, content_hash, relocated, rows_of
from app.domain.errors import Conflict, FieldError, Malformed, PreconditionFailed
from app.domain.policy import gate
from app.domain.policy.differences import differences, require_no_change_before
from app.domain.policy.model import Difference, PolicySet, SetStatus, SignOff
from app.domain.policy.ports import PolicySets, Simulations

Versions = Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Draft:
    """What somebody wants to put up: ``parameters`` as in a policy document, or None for a copy of the active set."""

    area_code: str
    title: str
    effective_from: date
    parameters: Mapping[str, Versions] | None


async def create(sets: PolicySets, scope: AreaScope, draft: Draft, set_id: UUID, author: Actor, now: datetime) -> PolicySet:
    """A draft in the author's name. ``Malformed`` values; ``Conflict`` no_active_set: nothing to copy."""
    active = await sets.find_active(scope, draft.area_code)
    if draft.parameters is None:
        rows = await _copied(sets, scope, draft.area_code, active)
    else:
        rows = _rows(draft.area_code, draft.parameters, "")
    new = PolicySet(
        id=set_id,
        area_code=draft.area_code,
        status=SetStatus.DRAFT,
        content_hash=content_hash(rows),
        title=draft.title,
        effective_from=draft.effective_from,
        author_id=author.id,
        author_name=author.name,
        copied_from=active.id if active and draft.parameters is None else None,
        demo=active is not None and active.demo,
        version=1,
        created_at=now,
        sign_off=None,
        activated_at=None,
        activated_by=None,
    )
    return await sets.add(scope, new, rows)


async def _copied(sets: PolicySets, scope: AreaScope, area_code: str, active: PolicySet | None) -> tuple[ParameterRow, ...]:
    if active is None:
        raise Conflict("no_active_set", f"{area_code} 没有现行参数集可以复制，请在 parameters 中填写参数。")
    return await sets.rows(scope, active.id)


def _rows(area_code: str, parameters: Mapping[str, Versions], inner: str) -> tuple[ParameterRow, ...]:
    """The rows of a document of one area; findings point into the caller's own document."""
    try:
        return rows_of([{"area": area_code, "parameters": dict(parameters)}])
    except Malformed as error:
        findings = [relocated(finding, inner + finding.pointer.removeprefix("/0")) for finding in error.errors]
        raise Malformed(error.code, "参数取值有误，请按 errors 更正。", errors=findings) from error


def drafts_of(document: object, title: str, effective_from: date) -> list[Draft]:
    """A whole policy document, one draft for each of its areas."""
    rows_of(document)  # whatever is wrong with it is told with pointers into the document
    if not isinstance(document, list) or not document:
        finding = FieldError("", "no_areas", "文件里没有任何区划的参数。")
        raise Malformed("malformed_policy", "政策文件没有内容，请检查后重新上传。", errors=[finding])
    return [Draft(area["area"], title, effective_from, area["parameters"]) for area in document]


async def put_parameter(
    sets: PolicySets, scope: AreaScope, set_id: UUID, key: str, versions: Versions, *, version: int | None
) -> PolicySet:
    """All values of one key of a draft; none takes the key out. A signature under the former content falls away."""
    found = await sets.get(scope, set_id, lock=True)
    _check_version(found, version)
    gate.require_draft(found)
    try:
        rows = _rows(found.area_code, {key: versions}, "")
    except Malformed as error:
        inside = f"/parameters/{key}"
        findings = [relocated(one, "/versions" + one.pointer.removeprefix(inside)) for one in error.errors]
        raise Malformed(error.code, error.detail, errors=findings) from error
    await sets.replace_key(scope, found, key, rows)
    digest = content_hash(await sets.rows(scope, set_id))
    return await sets.save(scope, replace(found, content_hash=digest, sign_off=None))


async def list_differences(sets: PolicySets, scope: AreaScope, set_id: UUID) -> list[Difference]:
    """What the set says otherwise than the area's active one."""
    found = await sets.get(scope, set_id)
    active = await sets.find_active(scope, found.area_code)
    before = await sets.rows(scope, active.id) if active else ()
    return differences(before, await sets.rows(scope, set_id))


async def sign_off(
    sets: PolicySets,
    simulations: Simulations,
    scope: AreaScope,
    set_id: UUID,
    simulation_id: UUID,
    actor: Actor,
    *,
    version: int | None,
    now: datetime,
) -> PolicySet:
    """Somebody else than the author has seen what this content does to everybody, and agrees."""
    found = await sets.get(scope, set_id, lock=True)
    _check_version(found, version)
    gate.require_draft(found)
    gate.require_not_author(found, actor)
    await _require_replayed(sets, simulations, scope, found, simulation_id)
    signed = SignOff(Signature(actor.id, actor.name, now), found.content_hash, simulation_id)
    return await sets.save(scope, replace(found, sign_off=signed))


async def _require_replayed(
    sets: PolicySets, simulations: Simulations, scope: AreaScope, found: PolicySet, simulation_id: UUID
) -> PolicySet | None:
    """The active set that the draft would supersede, once the simulation and the dates are in order."""
    active = await sets.find_active(scope, found.area_code, lock=True)
    gate.require_complete(found, await simulations.get(scope, simulation_id), active.id if active else None)
    before = await sets.rows(scope, active.id) if active else ()
    if active is not None:
        require_no_change_before(differences(before, await sets.rows(scope, found.id)), gate.effective_date(found))
    return active


async def activate(
    sets: PolicySets,
    simulations: Simulations,
    scope: AreaScope,
    set_id: UUID,
    actor: Actor,
    *,
    version: int | None,
    now: datetime,
    today: date,
) -> PolicySet:
    """The draft becomes law here, from its effective date on; the former set is superseded in the same transaction.

    The locks are taken in one order (draft, then active set), so of two at once the second finds the first one's work.
    """
    found = await sets.get(scope, set_id, lock=True)
    _check_version(found, version)
    gate.require_draft(found)
    simulation_id = gate.require_signed(found)
    gate.require_effective(found, today)
    former = await _require_replayed(sets, simulations, scope, found, simulation_id)
    if former is not None:
        await sets.save(scope, replace(former, status=SetStatus.SUPERSEDED))
    activated = replace(found, status=SetStatus.ACTIVE, activated_at=now, activated_by=actor.name)
    return await sets.save(scope, activated)


def _check_version(found: PolicySet, version: int | None) -> None:
    if version is not None and version != found.version:
        raise PreconditionFailed("stale_version", "内容已被他人更新，请重新读取后再提交。")
