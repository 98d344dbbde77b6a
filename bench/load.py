"""A small closed-loop load generator: so many connections, each sends its next request when the last one is answered."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import quantiles


@dataclass(frozen=True)
class Round:
    """What one round measured; latencies in milliseconds."""

    requests: int
    seconds: float
    p50_ms: float
    p99_ms: float

    @property
    def per_second(self) -> float:
        return self.requests / self.seconds


def http_request(path: str, body: bytes, headers: dict[str, str]) -> bytes:
    lines = [f"POST {path} HTTP/1.1", "Host: bench", "Content-Type: application/json", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


async def run_round(port: int, requests: Sequence[bytes], *, seconds: float, connections: int) -> Round:
    """Loads ``127.0.0.1:port`` for so long; any answer but 200 ends the measurement with an error."""
    todo = itertools.cycle(requests)
    latencies: list[float] = []
    started = time.perf_counter()
    until = started + seconds
    async with asyncio.TaskGroup() as group:
        for _ in range(connections):
            group.create_task(_connection(port, todo, until, latencies))
    cuts = quantiles(latencies, n=100)
    return Round(len(latencies), time.perf_counter() - started, cuts[49] * 1e3, cuts[98] * 1e3)


async def _connection(port: int, todo: itertools.cycle[bytes], until: float, latencies: list[float]) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        while (sent := time.perf_counter()) < until:
            writer.write(next(todo))
            await _answer(reader)
            latencies.append(time.perf_counter() - sent)
    finally:
        writer.close()


async def _answer(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    length = next(int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:"))
    body = await reader.readexactly(length)
    if not head.startswith(b"HTTP/1.1 200 "):
        raise RuntimeError(f"not 200: {head.split(b' ', 2)[1].decode()} {body.decode()[:300]}")
    return body
