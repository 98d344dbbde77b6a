"""docs/tutorial.md, every command of it, against a fresh `minzheng serve --demo`."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

ROOT = Path(__file__).resolve().parents[2]
TUTORIAL = ROOT / "docs" / "tutorial.md"
pytestmark = [
    pytest.mark.db,
    pytest.mark.xdist_group("serve"),
    pytest.mark.skipif(not all(map(shutil.which, ("bash", "curl", "iconv"))), reason="the tutorial needs bash, curl and iconv"),
]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def demo_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    folder = tmp_path_factory.mktemp("tutorial")
    folder.chmod(0o711)
    url = f"http://127.0.0.1:{(port := free_port())}"
    command = [sys.executable, "-m", "app.cli", "serve", "--demo", "--port", str(port), "--data-dir", str(folder / "data")]
    with (folder / "log").open("w") as log:
        server = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log, env=os.environ | {"PYTHONPATH": str(ROOT)})
        try:
            wait_until_ready(url, server, folder / "log")
            yield url, folder / "data"
        finally:
            server.send_signal(signal.SIGINT)
            assert server.wait(60) == 0


def wait_until_ready(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(600):
        assert server.poll() is None, log.read_text()
        try:
            if httpx.get(f"{url}/readyz", timeout=5).status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.25)
    raise AssertionError(log.read_text())


def commands() -> str:
    """All shell blocks of the page; the one that starts the demo isn't marked as bash."""
    return "\n".join(re.findall(r"```bash\n(.*?)```", TUTORIAL.read_text("utf-8"), re.DOTALL))


def test_every_command_of_the_tutorial_works(demo_server: tuple[str, Path], tmp_path: Path) -> None:
    url, data = demo_server
    script = "set -euo pipefail\n" + commands().replace(".venv/bin/minzheng", f"{sys.executable} -m app.cli")
    environment = os.environ | {"API": url, "DATA_DIR": str(data), "PYTHONPATH": str(ROOT)}
    run = subprocess.run(
        ["bash", "-c", script], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert run.returncode == 0, run.stderr
    said = run.stdout
    for expected in (
        "3507**********9911",
        "身份证号校验位不符",
        '"provisional"',
        "opinion_given",
        "75600",
        "公示须满七天",
        "notice_closed",
        "released",
        "7000003507020000018,陈示平,756.00",
        "'enrolled': True",
        "审计链完整",
    ):
        assert expected in said, said
