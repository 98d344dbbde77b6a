"""Whether this process can serve: database, role, migration head, keys; and warnings an operator should act on."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import asyncpg

from app.db.ddl import months_between
from app.db.engine import application_url
from app.db.migrate import head_revision, known_revisions
from app.domain.calendar import SHANGHAI
from app.runtime import Runtime

CHECK_SECONDS = 3
FRESH_SECONDS = 1.0
STATE = """
    SELECT (SELECT version_num FROM alembic_version) AS revision,
           (SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user) AS unbounded,
           (SELECT array_agg(year) FROM calendar_year) AS years,
           (SELECT array_agg(relname::text) FROM pg_class WHERE relispartition AND relkind = 'r') AS partitions,
           EXISTS (
               SELECT FROM pg_stat_activity WHERE application_name = 'minzheng-queue' AND datname = current_database()
           ) AS worker
    """
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


class Probe:
    """Looks by a connection of its own: a full pool is no reason to be taken out of service, and a server that lets nobody in
    any more is one, even while the pooled connections still work. Many askers at once share one look, for a second.
    """

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._lock = asyncio.Lock()
        self._seen: tuple[float, Readiness] | None = None

    async def look(self) -> Readiness:
        async with self._lock:
            if self._seen is None or time.monotonic() - self._seen[0] > FRESH_SECONDS:
                report = await readiness(self._runtime)
                self._seen = time.monotonic(), report
            return self._seen[1]


async def readiness(runtime: Runtime) -> Readiness:
    """Answers within ``CHECK_SECONDS``, whatever the database does."""
    today = datetime.now(UTC).astimezone(SHANGHAI).date()
    try:
        async with asyncio.timeout(CHECK_SECONDS):
            row = await _state(runtime)
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
        return Readiness((Check("database", "failed", f"数据库无法访问：{type(error).__name__}"), _keys(runtime)))
    return Readiness(
        (
            Check("database", "ok", "可访问"),
            _role(bool(row["unbounded"])),
            _revision(row["revision"]),
            _keys(runtime),
            _calendar(set(row["years"] or ()), today),
            _partitions(set(row["partitions"] or ()), today),
            _worker(bool(row["worker"])),
        )
    )


async def _state(runtime: Runtime) -> asyncpg.Record:
    url = application_url(runtime.settings).set(drivername="postgresql").render_as_string(hide_password=False)
    connection = await asyncpg.connect(url, timeout=CHECK_SECONDS, server_settings={"application_name": "minzheng-probe"})
    try:
        (row,) = await connection.fetch(STATE)
        return row
    finally:
        connection.terminate()  # without waiting for a server that may be frozen


def _worker(connected: bool) -> Check:
    if connected:
        return Check("worker", "ok", "后台任务进程已连接")
    return Check("worker", "warning", "没有后台任务进程连接，后台任务和审计封存将延迟；请运行 minzheng worker")


def _role(unbounded: bool) -> Check:
    if unbounded:
        return Check("role", "failed", "应用账号不得为超级用户或绕过行级安全，请改用 minzheng db upgrade 建立的应用角色")
    return Check("role", "ok", "应用账号受行级安全约束")


def _revision(revision: str) -> Check:
    head = head_revision()
    if revision == head:
        return Check("migrations", "ok", revision)
    if revision not in known_revisions():
        # The next release has upgraded already: ours goes on serving until it is replaced.
        return Check("migrations", "warning", f"数据库版本 {revision} 比程序（{head}）新，请尽快更新程序")
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
