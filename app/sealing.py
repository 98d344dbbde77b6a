"""The sealer that chains the audit trail in the background, and the verification of the chain."""

from __future__ import annotations

import asyncio
import fcntl
import json
import logging
import os
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from app.db.engine import create_engine, seal_url
from app.db.repositories import audit_chain
from app.db.session import transaction
from app.observability import UNSEALED
from app.runtime import Runtime

log = logging.getLogger("minzheng.sealing")
BATCH = 2000
PATIENCE_MS = 3_600_000
TOLERATED_DELAY = timedelta(minutes=5)


async def seal_forever(runtime: Runtime, stop: asyncio.Event) -> None:
    """Seals as records come in, until ``stop``; several may run, one at a time does the work."""
    while not stop.is_set():
        try:
            sealed = await seal_once(runtime)
        except Exception:  # one bad record must not stop the worker; verify names what stays unsealed
            log.exception("sealing failed, trying again")
            sealed = 0
        if sealed < BATCH:
            await _pause(stop, runtime.settings.seal_interval_seconds)


async def _pause(stop: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await stop.wait()
    except TimeoutError:
        return


async def seal_once(runtime: Runtime) -> int:
    """Links the waiting records (at most one batch) and exports the new head; returns how many."""
    async with transaction(runtime.seal_engine) as session:
        sealed = await audit_chain.seal_batch(session, runtime.keys.fingerprint, limit=BATCH, now=datetime.now(UTC))
        position, digest = await audit_chain.chain_head(session)
        UNSEALED.set(await audit_chain.count_unsealed(session))
    if sealed:
        write_head(head_path(runtime), position, digest)
    return sealed


def head_path(runtime: Runtime) -> Path:
    """Where the head is exported to; copy it off the machine with the backups."""
    return runtime.settings.data_dir / "audit-head.json"


def write_head(path: Path, position: int, digest: bytes) -> None:
    """Never back to an older head: of two sealers the slower one may come second."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.with_suffix(".lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not _is_newer(path, position):
            return
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=".audit-head-")
        with os.fdopen(handle, "w") as file:
            json.dump({"position": position, "digest": digest.hex(), "at": datetime.now(UTC).isoformat()}, file)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)


def _is_newer(path: Path, position: int) -> bool:
    try:
        kept = read_head(path)
    except HeadUnreadable:
        return True
    return kept is None or kept[0] < position


class HeadUnreadable(Exception):
    """The exported head is there, but is no head."""


def read_head(path: Path) -> tuple[int, bytes] | None:
    """Position and digest; None when nothing was exported yet. Raises ``HeadUnreadable``."""
    try:
        stored = json.loads(path.read_text())
        return int(stored["position"]), bytes.fromhex(stored["digest"])
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError) as error:
        raise HeadUnreadable(str(path)) from error


@dataclass(frozen=True)
class Finding:
    """The first thing wrong with the trail, in words for the operator."""

    code: str
    record: str
    text: str


@dataclass(frozen=True)
class Verification:
    """``finding`` is None when every record is linked, unchanged and in order."""

    links: int
    finding: Finding | None


async def verify(runtime: Runtime) -> Verification:
    """Walks the whole chain, as it was when the walk began; the first broken record is named. Sealing may go on meanwhile."""
    patient = runtime.settings.model_copy(
        update={"statement_timeout_ms": PATIENCE_MS, "idle_in_transaction_timeout_ms": PATIENCE_MS}
    )
    engine = create_engine(seal_url(runtime.settings), patient, pool_size=1, name="minzheng-verify")
    try:
        # The head is read first and exported last, so it is never ahead of what the walk sees.
        exported = read_head(head_path(runtime))
        async with AsyncSession(engine.execution_options(isolation_level="REPEATABLE READ")) as session, session.begin():
            return await _verify(session, runtime.keys.fingerprint, exported)
    except HeadUnreadable:
        path = head_path(runtime)
        return Verification(0, Finding("head_unreadable", "", f"外存的链头文件 {path} 无法读取，请从备份恢复该文件后再核验"))
    finally:
        await engine.dispose()


async def _verify(session: AsyncSession, mac: audit_chain.Mac, exported: tuple[int, bytes] | None) -> Verification:
    position, previous = 0, audit_chain.GENESIS
    async for link in audit_chain.linked_records(session):
        position += 1
        finding = _fault(mac, link, position, previous) or _rewritten(link, exported)
        if finding is not None:
            return Verification(position - 1, finding)
        previous = link.digest
    return Verification(position, await _loose_ends(session, position, exported))


def _fault(mac: audit_chain.Mac, link: Any, position: int, previous: bytes) -> Finding | None:
    """What is wrong with a link, which should be the one at ``position`` after ``previous``."""
    audit_id = str(link.audit_id)
    if link.position != position:
        return Finding("link_removed", audit_id, f"第 {position} 环缺失，其后一环为审计记录 {audit_id}")
    if link.id is None:
        return Finding("record_removed", audit_id, f"审计记录 {audit_id}（第 {position} 环）已被删除")
    digest = audit_chain.record_digest(mac, link)
    expected = audit_chain.link_digest(mac, previous, position, link.audit_id.bytes, digest)
    if digest != link.record_digest or expected != link.digest:
        return Finding("record_changed", audit_id, f"审计记录 {audit_id}（第 {position} 环）与封存时不一致")
    return None


def _rewritten(link: Any, exported: tuple[int, bytes] | None) -> Finding | None:
    if exported is None or exported[0] != link.position or exported[1] == link.digest:
        return None
    text = f"第 {link.position} 环与外存的链头不一致，审计链被整体改写"
    return Finding("chain_rewritten", str(link.audit_id), text)


async def _loose_ends(session: AsyncSession, length: int, exported: tuple[int, bytes] | None) -> Finding | None:
    if exported and exported[0] > length:
        return Finding("chain_cut", "", f"外存链头为第 {exported[0]} 环，库中只有 {length} 环：链尾被截去")
    for code, record in await audit_chain.strays(session, queued_before=datetime.now(UTC) - TOLERATED_DELAY):
        words = "未经登记插入，从未排队封存" if code == "never_queued" else "排队超过五分钟仍未封存"
        return Finding(code, record, f"审计记录 {record} {words}")
    return None
