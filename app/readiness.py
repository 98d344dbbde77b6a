"""Whether this process can serve: database, role, migration head, keys; and warnings an operator should act on."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from app.db.ddl import months_between
from app.db.migrate import head_revision
from app.domain.calendar import SHANGHAI
from app.runtime import Runtime

CHECK_SECONDS = 3
STATE = text(
    """
    SELECT (SELECT version_num FROM alembic_version) AS revision,
           (SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user) AS unbounded,
           (SELECT array_agg(year) FROM calendar_year) AS years,
           (SELECT array_agg(relname::text) FROM pg_class WHERE relispartition AND relkind = 'r') AS partitions
    """
)
PARTITIONED = ("benefit_claim", "payment_item", "ledger_transfer")


@dataclass(frozen=True)
class Check:
    """One finding: ``ok``, ``warning`` (still ready) or ``failed``."""

    name: str
    state: str
    detail: str


@dataclass(frozen=True)
class Readiness:
    checks: tuple[Check, ...]

    @property
    def ready(self) -> bool:
        return all(check.state != "failed" for check in self.checks)

    def as_json(self) -> dict[str, Any]:
        items = [{"name": c.name, "state": c.state, "detail": c.detail} for c in self.checks]
        return {"status": "ready" if self.ready else "not_ready", "checks": items}


async def readiness(runtime: Runtime) -> Readiness:
    today = datetime.now(UTC).astimezone(SHANGHAI).date()
    try:
        async with asyncio.timeout(CHECK_SECONDS), runtime.engine.connect() as connection:
            row = (await connection.execute(STATE)).one()
    except (SQLAlchemyError, OSError, TimeoutError) as error:
        return Readiness((Check("database", "failed", f"数据库无法访问：{type(error).__name__}"), _keys(runtime)))
    return Readiness(
        (
            Check("database", "ok", "可访问"),
            _role(bool(row.unbounded)),
            _revision(row.revision),
            _keys(runtime),
            _calendar(set(row.years or ()), today),
            _partitions(set(row.partitions or ()), today),
        )
    )


def _role(unbounded: bool) -> Check:
    if unbounded:
        return Check("role", "failed", "应用账号不得为超级用户或绕过行级安全，请改用 minzheng db upgrade 建立的应用角色")
    return Check("role", "ok", "应用账号受行级安全约束")


def _revision(revision: str) -> Check:
    head = head_revision()
    if revision == head:
        return Check("migrations", "ok", revision)
    return Check("migrations", "failed", f"数据库版本 {revision}，程序需要 {head}，请运行 minzheng db upgrade")


def _keys(runtime: Runtime) -> Check:
    return Check("keys", "ok", f"签名密钥 {len(runtime.tokens.jwks()['keys'])} 个")


def _calendar(years: set[int], today: date) -> Check:
    missing = [str(year) for year in (today.year, (today + timedelta(days=70)).year) if year not in years]
    if not missing:
        return Check("calendar", "ok", "工作日历已装载")
    names = "、".join(sorted(set(missing)))
    return Check("calendar", "warning", f"{names} 年工作日历未装载，相关时限为暂定；请运行 minzheng calendar load")


def _partitions(present: set[str], today: date) -> Check:
    (_, following), *_ = months_between(today, today + timedelta(days=1))
    missing = [table for table in PARTITIONED if f"{table}_{following:%Y%m}" not in present]
    if missing:
        return Check("partitions", "warning", f"{', '.join(missing)} 缺少 {following:%Y-%m} 分区，请运行 minzheng db maintain")
    return Check("partitions", "ok", "下月分区已建立")
