"""SIGTERM while requests are being answered: every one that was under way is answered, and the process ends (scorecard 13)."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import httpx
import pytest
from sqlalchemy import URL

from app.settings import Settings
from tests.conftest import build_database, running
from tests.world import seed_world

pytestmark = pytest.mark.db
ROOT = Path(__file__).resolve().parents[2]


def served(settings: Settings, port: int) -> subprocess.Popen[bytes]:
    assert settings.database_url is not None
    environment = os.environ | {
        "DATABASE_URL": settings.database_url.get_secret_value(),
        "DATA_DIR": str(settings.data_dir),
        "PORT": str(port),
        "DEMO": "true",
        "LOG_LEVEL": "WARNING",
    }
    command = [sys.executable, "-m", "uvicorn", "app.main:create_app", "--factory", "--port", str(port)]
    manners = ["--timeout-graceful-shutdown", "20", "--no-access-log", "--log-level", "warning"]
    return subprocess.Popen([*command, *manners], cwd=ROOT, env=environment)


async def until_live(client: httpx.AsyncClient) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            if (await client.get("/readyz")).status_code == 200:
                return
        except httpx.TransportError:
            await asyncio.sleep(0.1)
    raise AssertionError("not ready")


async def test_no_request_under_way_is_dropped(cluster: URL, worker_name: str, tmp_path: Path) -> None:
    settings = await build_database(cluster, f"stop_{worker_name}", tmp_path)
    async with running(settings) as runtime:
        await seed_world(runtime)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = served(settings, port)
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
            await until_live(client)
            # Hashing keeps these busy for a while after the signal.
            form = {"grant_type": "password", "username": "s001.clerk", "password": "demo-Pass-2026"}
            under_way = [asyncio.create_task(client.post("/api/v1/auth/token", data=form)) for _ in range(12)]
            await asyncio.sleep(0.3)
            server.send_signal(signal.SIGTERM)
            answers = await asyncio.gather(*under_way)
        assert Counter(answer.status_code for answer in answers) == {200: 12}
        assert await asyncio.to_thread(server.wait, 30) in (0, -signal.SIGTERM)
    finally:
        server.kill()
        server.wait()
