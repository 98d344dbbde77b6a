"""Policy sets as the policy desk works on them; loading by command and the book in force stand in ``policy``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.base import columns
from app.db.constraints import register_constraint
from app.db.repositories.entitlements import within
from app.db.repositories.policy import read_rows
from app.db.tables.reference import PolicyParameter
from app.db.tables.reference import PolicySet as PolicySetTable
from app.domain.access import AreaScope, Signature
from app.domain.eligibility import ParameterRow
from app.domain.errors import NotFound
from app.domain.policy.model import PolicySet, SetStatus, SignOff

SET, PARAMETER = columns(PolicySetTable), columns(PolicyParameter)

register_constraint("uq_policy_set_one_active", "set_not_draft", "该区划刚刚启用了另一参数集，请重新读取、测算后再办理。")
register_constraint("ck_policy_set_signed_by_another", "own_policy_set", "不能签批自己编制的参数集，请由他人签批。")
register_constraint("ck_policy_set_signed_before_active", "sign_off_missing", "该草案尚未由他人签批，不能启用。")
register_constraint(
    "ex_policy_parameter_one_at_a_time", "parameter_overlap", "同一参数的取值期间重叠，请更正 effective_from 或 effective_to。"
)


class PolicySetRepository:
    """The sets of one transaction. Sets carry no wall (a province holds parameters too), so the scope is checked here."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def get(self, scope: AreaScope, set_id: UUID, *, lock: bool = False) -> PolicySet:
        found = await self._find(sa.select(PolicySetTable).where(SET.id == set_id, within(SET.area_code, scope)), lock=lock)
        if found is None:
            raise NotFound("set_not_found", "没有该参数集，或不在您的辖区内，请核对编号。")
        return found

    async def find_active(self, scope: AreaScope, area_code: str, *, lock: bool = False) -> PolicySet | None:
        statement = sa.select(PolicySetTable).where(SET.area_code == area_code, SET.status == SetStatus.ACTIVE.value)
        return await self._find(statement.where(within(SET.area_code, scope)), lock=lock)

    async def _find(self, statement: sa.Select[Any], *, lock: bool) -> PolicySet | None:
        statement = statement.with_for_update() if lock else statement
        row = (await self._session.execute(statement, execution_options={"populate_existing": True})).scalar_one_or_none()
        return None if row is None else policy_set_of(row)

    async def rows(self, scope: AreaScope, set_id: UUID) -> tuple[ParameterRow, ...]:
        await self.get(scope, set_id)
        return await read_rows(self._session, set_id)

    async def add(self, scope: AreaScope, policy_set: PolicySet, rows: Sequence[ParameterRow]) -> PolicySet:
        values = _row(policy_set) | {"id": policy_set.id, "version": 1}
        await self._session.execute(sa.insert(PolicySetTable).values(**values))
        await self._write(policy_set.id, rows)
        return await self.get(scope, policy_set.id)

    async def _write(self, set_id: UUID, rows: Sequence[ParameterRow]) -> None:
        if rows:
            await self._session.execute(sa.insert(PolicyParameter), [_parameter(set_id, row) for row in rows])

    async def replace_key(self, scope: AreaScope, policy_set: PolicySet, key: str, rows: Sequence[ParameterRow]) -> None:
        await self.get(scope, policy_set.id)
        former = sa.delete(PolicyParameter).where(PARAMETER.set_id == policy_set.id, PARAMETER.key == key)
        await self._session.execute(former)
        await self._write(policy_set.id, rows)

    async def save(self, scope: AreaScope, policy_set: PolicySet) -> PolicySet:
        changed = sa.update(PolicySetTable).where(SET.id == policy_set.id, within(SET.area_code, scope))
        await self._session.execute(changed.values(version=SET.version + 1, **_row(policy_set)))
        return await self.get(scope, policy_set.id)

    async def list_page(self, scope: AreaScope, *, status: SetStatus | None, before: UUID | None, limit: int) -> list[PolicySet]:
        """Newest first."""
        statement = sa.select(PolicySetTable).where(*_chosen(scope, status))
        if before is not None:
            statement = statement.where(SET.id < before)
        rows = (await self._session.execute(statement.order_by(SET.id.desc()).limit(limit))).scalars()
        return [policy_set_of(row) for row in rows]

    async def count(self, scope: AreaScope, *, status: SetStatus | None) -> int:
        statement = sa.select(sa.func.count()).select_from(PolicySetTable).where(*_chosen(scope, status))
        return int((await self._session.execute(statement)).scalar_one())


def _chosen(scope: AreaScope, status: SetStatus | None) -> list[sa.ColumnElement[bool]]:
    exact = [] if status is None else [SET.status == status.value]
    return [within(SET.area_code, scope), *exact]


def policy_set_of(row: PolicySetTable) -> PolicySet:
    return PolicySet(
        id=row.id,
        area_code=row.area_code,
        status=SetStatus(row.status),
        content_hash=row.content_hash,
        title=row.title,
        effective_from=row.effective_from,
        author_id=row.author_id,
        author_name=row.loaded_by,
        copied_from=row.copied_from,
        demo=row.demo,
        version=row.version,
        created_at=row.loaded_at,
        sign_off=_sign_off(row),
        activated_at=row.activated_at,
        activated_by=row.activated_by,
    )


def _sign_off(row: PolicySetTable) -> SignOff | None:
    if row.signed_by is None or row.signed_at is None or row.signed_hash is None or row.simulation_id is None:
        return None
    return SignOff(Signature(row.signed_by, row.signed_by_name or "", row.signed_at), row.signed_hash, row.simulation_id)


def _row(policy_set: PolicySet) -> dict[str, Any]:
    signed = policy_set.sign_off
    return {
        "area_code": policy_set.area_code,
        "status": policy_set.status.value,
        "content_hash": policy_set.content_hash,
        "title": policy_set.title,
        "effective_from": policy_set.effective_from,
        "author_id": policy_set.author_id,
        "loaded_by": policy_set.author_name,
        "loaded_at": policy_set.created_at,
        "copied_from": policy_set.copied_from,
        "demo": policy_set.demo,
        "signed_by": signed and signed.signature.by,
        "signed_by_name": signed and signed.signature.name,
        "signed_at": signed and signed.signature.at,
        "signed_hash": signed and signed.content_hash,
        "simulation_id": signed and signed.simulation_id,
        "activated_at": policy_set.activated_at,
        "activated_by": policy_set.activated_by,
    }


def _parameter(set_id: UUID, row: ParameterRow) -> dict[str, Any]:
    return {
        "set_id": set_id,
        "key": row.key,
        "valid_from": row.valid_from,
        "valid_until": row.valid_until,
        "value": row.value,
        "source": row.source,
    }
