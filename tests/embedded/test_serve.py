"""``minzheng serve`` as a newcomer meets it: real processes, real signals."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

from app.embedded import EmbeddedPostgres
from app.security.keys import KeyRing
from tests.embedded.conftest import ROOT, lives, wait_for
from tests.system.serving import copy_data, open_folder

pytestmark = [pytest.mark.db, pytest.mark.xdist_group("serve")]

START_SECONDS = 60.0


class Service:
    """One running ``minzheng serve`` with its output."""

    def __init__(self, data_dir: Path, *options: str) -> None:
        self.port = _free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.process = subprocess.Popen(
            [sys.executable, "-m", "app.cli", "serve", "--port", str(self.port), "--data-dir", str(data_dir), *options],
            cwd=ROOT,
            env=_environment(),
            stdout=subprocess.PIPE,
            text=True,
        )
        self.told = self._told_until("Ctrl-C")

    def _told_until(self, word: str) -> str:
        told = ""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            told += line
            if word in line:
                break
        return told

    def get(self, path: str) -> int:
        """The status; 0 while nobody answers."""
        with suppress(httpx.TransportError):
            return httpx.get(self.url + path, timeout=5).status_code
        return 0

    def children(self) -> dict[str, int]:
        """Name → pid of postgres, api and worker."""
        listed = subprocess.run(["ps", "-wweo", "pid=,ppid=,args="], capture_output=True, text=True, check=True).stdout
        found: dict[str, int] = {}
        for line in listed.splitlines():
            pid, parent, arguments = line.split(None, 2)
            if int(parent) == self.process.pid:
                found |= {name: int(pid) for name in ("postgres", "uvicorn", "worker") if name in arguments}
        return found

    def end(self, number: int = signal.SIGINT) -> int:
        self.process.send_signal(number)
        return self.wait()

    def wait(self) -> int:
        self.process.communicate(timeout=60)
        return self.process.returncode


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("DATABASE_")}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture(scope="module")
def bare_data() -> Iterator[Path]:
    """What a first start makes of an empty folder, with keys of its own and without the demo's data; ended again."""
    data = (folder := open_folder()) / "data"
    data.mkdir(mode=0o755)
    KeyRing.create(data / "keys.json", "aes-256-gcm-siv")
    first = Service(data)
    assert first.get("/readyz") == 200
    assert first.end() == 0
    yield data
    EmbeddedPostgres(data).remove()
    shutil.rmtree(folder)


@pytest.fixture
def serve(data_dir: Path, request: pytest.FixtureRequest) -> Iterator[Callable[..., Service]]:
    """``serve()`` starts it on a copy of what was served before: of the demo where the options say so, else of ``bare_data``."""
    started: list[Service] = []

    def start(*options: str) -> Service:
        if not data_dir.exists():
            copy_data(request.getfixturevalue("demo_data" if options else "bare_data"), data_dir)
        started.append(Service(data_dir, *options))
        return started[-1]

    yield start
    for service in started:
        if service.process.poll() is None:
            service.end()


def test_the_demo_starts_tells_and_stops(serve: Callable[..., Service]) -> None:
    service = serve("--demo")
    assert service.url in service.told
    assert "district.reviewer" in service.told
    assert "bureau-housing" in service.told
    assert service.get("/readyz") == 200
    children = service.children()
    assert set(children) == {"postgres", "uvicorn", "worker"}
    assert service.end() == 0
    assert not any(lives(pid) for pid in children.values())


def test_a_second_start_is_refused_with_the_url(serve: Callable[..., Service], data_dir: Path) -> None:
    service = serve()
    second = subprocess.run(
        [sys.executable, "-m", "app.cli", "serve", "--demo", "--port", str(_free_port()), "--data-dir", str(data_dir)],
        cwd=ROOT,
        env=_environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert second.returncode == 1
    assert service.url in second.stderr
    assert service.get("/livez") == 200


def test_a_taken_port_is_told_in_words(data_dir: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        refused = subprocess.run(
            [sys.executable, "-m", "app.cli", "serve", "--demo", "--port", str(port), "--data-dir", str(data_dir)],
            cwd=ROOT,
            env=_environment(),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert refused.returncode == 1
    assert f"PORT={port + 1}" in refused.stderr
    assert EmbeddedPostgres.find_running(data_dir) is None


def test_whatever_is_killed_comes_back(serve: Callable[..., Service]) -> None:
    service = serve()
    before = service.children()
    for pid in before.values():
        os.kill(pid, signal.SIGKILL)
    assert wait_for(lambda: len(service.children()) == 3 and not set(service.children().values()) & set(before.values()), 30)
    assert wait_for(lambda: service.get("/readyz") == 200, 30)
    assert service.end(signal.SIGTERM) == 0


@pytest.mark.skipif(sys.platform != "linux", reason="PDEATHSIG is Linux's")
def test_kill_9_of_the_command_leaves_nothing_behind(serve: Callable[..., Service]) -> None:
    service = serve()
    children = service.children()
    service.process.kill()
    service.wait()
    assert wait_for(lambda: not any(lives(pid) for pid in children.values()), 40)
    began = time.monotonic()
    again = serve()
    assert again.get("/readyz") == 200
    assert time.monotonic() - began < START_SECONDS
