"""A small closed-loop load generator: so many connections, each sends its next request when the last one is answered.

It shares the machine with what it measures, so it costs as little as it can: bare callbacks on uvloop, no streams, no tasks.
"""

from __future__ import annotations

import asyncio
import itertools
import re
import time
from collections.abc import Coroutine, Iterable, Sequence
from dataclasses import dataclass
from statistics import quantiles
from typing import Any, TypeVar

import psutil
import uvloop

Result = TypeVar("Result")

HEAD_END = b"\r\n\r\n"
CONTENT_LENGTH = re.compile(rb"\r\ncontent-length: *([0-9]+)", re.IGNORECASE)


@dataclass(frozen=True)
class Round:
    """What one round measured; latencies in milliseconds, processor time in seconds (None: not asked for)."""

    requests: int
    seconds: float
    p50_ms: float
    p99_ms: float
    cpu_seconds: float | None = None

    @property
    def per_second(self) -> float:
        return self.requests / self.seconds

    @property
    def cpu_ms(self) -> float:
        """Processor time for one request."""
        return (self.cpu_seconds or 0.0) * 1e3 / self.requests


class Used:
    """Processor time of some processes and their children since the last time asked: what a busy machine disturbs least."""

    def __init__(self, pids: Iterable[int]) -> None:
        self._roots = [psutil.Process(pid) for pid in pids]
        self._before = self._total()

    def seconds(self) -> float:
        before, self._before = self._before, self._total()
        return self._before - before

    def _total(self) -> float:
        everybody = [one for root in self._roots for one in (root, *root.children(recursive=True))]
        return sum(times.user + times.system for times in (one.cpu_times() for one in everybody))


def run_load(work: Coroutine[Any, Any, Result]) -> Result:
    """Runs the rounds of a measurement on the loop that is cheapest for the client."""
    return uvloop.run(work)


def http_request(path: str, body: bytes, headers: dict[str, str]) -> bytes:
    lines = [f"POST {path} HTTP/1.1", "Host: bench", "Content-Type: application/json", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode() + HEAD_END + body


async def run_round(port: int, requests: Sequence[bytes], *, seconds: float, connections: int) -> Round:
    """Loads ``127.0.0.1:port`` for so long; any answer but 200 ends the measurement with an error."""
    loop, todo = asyncio.get_running_loop(), itertools.cycle(requests)
    latencies: list[float] = []
    started = time.perf_counter()
    callers = [Caller(todo, started + seconds, latencies, loop.create_future()) for _ in range(connections)]
    for caller in callers:
        await loop.create_connection(lambda caller=caller: caller, "127.0.0.1", port)  # type: ignore[misc]
    await asyncio.gather(*(caller.done for caller in callers))
    cuts = quantiles(latencies, n=100)
    return Round(len(latencies), time.perf_counter() - started, cuts[49] * 1e3, cuts[98] * 1e3)


class Caller(asyncio.Protocol):
    """One kept-alive connection; ``done`` is set once the time is over and the last answer has come."""

    def __init__(self, todo: itertools.cycle[bytes], until: float, latencies: list[float], done: asyncio.Future[None]) -> None:
        self.done = done
        self._todo, self._until, self._latencies = todo, until, latencies
        self._transport: Any = None
        self._sent = 0.0
        self._answer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._next()

    def data_received(self, data: bytes) -> None:
        self._answer = answer = self._answer + data
        head = answer.find(HEAD_END)
        if head < 0:
            return
        length = CONTENT_LENGTH.search(answer, 0, head)
        if length is None or len(answer) < head + len(HEAD_END) + int(length[1]):
            return
        self._latencies.append(time.perf_counter() - self._sent)
        self._answer = b""
        if not answer.startswith(b"HTTP/1.1 200 "):
            self._fail(f"not 200: {answer[:400]!r}")
        else:
            self._next()

    def connection_lost(self, _exc: Exception | None) -> None:
        self._fail("the server closed the connection")

    def _next(self) -> None:
        self._sent = time.perf_counter()
        if self._sent < self._until:
            self._transport.write(next(self._todo))
        else:
            self.done.set_result(None)
            self._transport.close()

    def _fail(self, why: str) -> None:
        if not self.done.done():
            self.done.set_exception(RuntimeError(why))
            self._transport.close()
