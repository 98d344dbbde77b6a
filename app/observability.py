"""Trace ids, structured JSON logs with redaction, metrics by route template."""

from __future__ import annotations

import logging
import os
import re
import secrets
import sys
import time
from contextvars import ContextVar
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import orjson
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead
from starlette.types import ASGIApp, Message, Receive, Scope, Send

REQUESTS = Counter("minzheng_http_requests_total", "Requests by route template", ["method", "route", "status"])
LATENCY = Histogram(
    "minzheng_http_request_seconds",
    "Time to answer by route template",
    ["method", "route"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
IN_FLIGHT = Gauge("minzheng_http_requests_in_flight", "Requests being answered", multiprocess_mode="livesum")
POOL_IN_USE = Gauge("minzheng_db_pool_in_use", "Connections in use", ["pool"], multiprocess_mode="livesum")
POOL_SIZE = Gauge("minzheng_db_pool_size", "Connections that may be in use at once", ["pool"], multiprocess_mode="livesum")
JOBS = Counter("minzheng_jobs_total", "Jobs finished by kind and outcome", ["kind", "outcome"])
JOBS_OPEN = Gauge("minzheng_jobs_open", "Jobs neither finished nor given up, older than a minute", multiprocess_mode="livemax")
JOB_CHUNKS = Counter("minzheng_job_chunks_total", "Job chunks by kind and outcome", ["kind", "outcome"])
UNSEALED = Gauge("minzheng_audit_unsealed", "Audit records waiting for their link", multiprocess_mode="livemax")
SEALS_BROKEN = Counter("minzheng_seals_broken_total", "Sealed values that did not open: altered, moved, or their key is gone")
REFUSED_BUSY = Counter("minzheng_http_refused_busy_total", "Requests turned away because too many were being answered")
REFUSAL_RECORD_FAILURES = Counter("minzheng_refusal_record_failures_total", "Refusals that could not be put on record")

_trace: ContextVar[str] = ContextVar("trace_id", default="-")
_remote: ContextVar[str | None] = ContextVar("remote_address", default=None)

TRACEPARENT = re.compile(r"^00-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}$")
ID_NUMBER = re.compile(r"(?<!\d)(\d{4})\d{10}(\d{3}[\dXx])(?!\d)")
LONG_NUMBER = re.compile(r"(?<![\w-])\d{11,19}(?![\w-])")  # not the end of a UUID
ROW_VALUES = re.compile(r"(?<=DETAIL: ) .*|(?<=Key )\([^)]*\)=\([^)]*\)|(?<=Failing row contains )\(.*\)")
TOKEN = re.compile(r"eyJ[\w-]+\.[\w-]+\.[\w-]*")


def trace_id() -> str:
    return _trace.get()


def remote_address() -> str | None:
    return _remote.get()


def redact(text: str) -> str:
    """Hides what may be an ID number, a phone or card number, a token, or the row that Postgres quotes in an error."""
    text = ROW_VALUES.sub("<hidden>", text)
    text = ID_NUMBER.sub(r"\1**********\2", text)
    text = LONG_NUMBER.sub(lambda found: "*" * len(found.group()), text)
    return TOKEN.sub("<token>", text)


class JsonFormatter(logging.Formatter):
    """One line of JSON a record; strings are redacted, and so no line break can forge a line."""

    PLAIN = frozenset(logging.LogRecord("", 0, "", 0, "", (), None).__dict__) | {"message", "taskName", "color_message"}

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": redact(record.getMessage()),
            "trace_id": trace_id(),
        }
        for key, value in record.__dict__.items():
            if key not in self.PLAIN:
                line[key] = redact(str(value)) if not isinstance(value, int | float | bool | None) else value
        if record.exc_info:
            line["exception"] = redact(self.formatException(record.exc_info))
        return orjson.dumps(line, default=str).decode()


def configure_logging(level: str) -> None:
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for noisy in ("uvicorn.access", "uvicorn.error", "uvicorn"):
        logger = logging.getLogger(noisy)
        logger.handlers.clear()
        logger.propagate = True
    logging.getLogger("uvicorn.access").setLevel(logging.WARNING)
    logging.getLogger("httpx").setLevel(logging.WARNING)


class Tracing:
    """Outermost middleware: a trace id for each request, one log line, metrics by route template."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.log = logging.getLogger("minzheng.access")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        trace = _incoming_trace(scope) or secrets.token_hex(16)
        _trace.set(trace)
        _remote.set(scope["client"][0] if scope.get("client") else None)
        started, status = time.perf_counter(), 500

        async def tagged(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], (b"x-trace-id", trace.encode())]
            await send(message)

        IN_FLIGHT.inc()
        try:
            await self.app(scope, receive, tagged)
        finally:
            IN_FLIGHT.dec()
            self._observe(scope, status, time.perf_counter() - started)

    def _observe(self, scope: Scope, status: int, seconds: float) -> None:
        route = getattr(scope.get("route"), "path_format", None) or "unmatched"
        method = scope["method"] if scope["method"] in ("GET", "POST", "PUT", "DELETE") else "OTHER"
        requests, latency = _series(method, route, status)
        requests.inc()
        latency.observe(seconds)
        if route not in ("/livez", "/metrics"):
            self.log.info("request", extra={"method": method, "route": route, "status": status, "ms": round(seconds * 1e3, 2)})


@cache
def _series(method: str, route: str, status: int) -> tuple[Counter, Histogram]:
    """What a request is counted in; there are as many as routes times the statuses that each has answered."""
    return REQUESTS.labels(method, route, str(status)), LATENCY.labels(method, route)


def _incoming_trace(scope: Scope) -> str | None:
    for name, value in scope["headers"]:
        if name == b"traceparent":
            found = TRACEPARENT.match(value.decode("latin-1"))
            return found.group(1) if found else None
    return None


def metrics_page() -> tuple[bytes, str]:
    """The metrics of this process, or those of all the processes that ``minzheng serve`` has started together."""
    folder = os.environ.get("PROMETHEUS_MULTIPROC_DIR")
    if folder is None:
        return generate_latest(REGISTRY), CONTENT_TYPE_LATEST
    _forget_dead(Path(folder))
    together = CollectorRegistry()
    MultiProcessCollector(together, path=folder)  # type: ignore[no-untyped-call]
    return generate_latest(together), CONTENT_TYPE_LATEST


def _forget_dead(folder: Path) -> None:
    """What a killed process was doing, it does no longer; what it counted stays."""
    for pid in {int(path.stem.rpartition("_")[2]) for path in folder.glob("gauge_live*_*.db")}:
        if not Path(f"/proc/{pid}").exists() and Path("/proc/self").exists():
            mark_process_dead(pid, str(folder))  # type: ignore[no-untyped-call]
