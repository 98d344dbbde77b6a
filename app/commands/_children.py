"""The processes of ``minzheng serve``: started together, started again when killed, stopped in order."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from app.embedded import EmbeddedPostgres
from app.embedded.orphans import signalled_when_parent_dies

LOOK_SECONDS = 0.2
STOP_SECONDS = 30.0
FAILURES_ALLOWED = 5
FAILURES_WINDOW_SECONDS = 60.0


class GaveUpError(RuntimeError):
    """A process keeps dying; the text (Chinese) says which."""


@dataclass
class Child:
    """One process of ours. ``name`` is what the person at the terminal reads."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    process: subprocess.Popen[bytes] | None = None
    deaths: list[float] = field(default_factory=list)

    def start(self) -> None:
        """In a session of its own: Ctrl-C reaches us, and we stop it in order; dies with us if we are killed."""
        self.process = subprocess.Popen(
            self.command,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=signalled_when_parent_dies(signal.SIGTERM),  # noqa: PLW1509  (two system calls, no lock of another thread)
        )

    def is_alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def ask_to_stop(self) -> None:
        if self.process is not None:
            self.process.terminate()

    def wait_or_kill(self, deadline: float) -> None:
        if self.process is None:
            return
        try:
            self.process.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def start_again(self) -> None:
        """After a death: at most five in a minute. Raises GaveUpError."""
        now = time.monotonic()
        self.deaths = [*(at for at in self.deaths if now - at < FAILURES_WINDOW_SECONDS), now]
        if len(self.deaths) > FAILURES_ALLOWED:
            raise GaveUpError(f"{self.name}反复退出，已停止服务；请查看上面的日志。")
        print(f"{self.name}意外退出，正在重新启动……", file=sys.stderr, flush=True)
        self.start()


def watch(children: Sequence[Child], postgres: EmbeddedPostgres | None) -> None:
    """Never returns by itself: ended by KeyboardInterrupt (Ctrl-C, SIGTERM) or GaveUpError."""
    while True:
        if postgres is not None and postgres.restart_if_dead():
            print("数据库意外退出，已重新启动，数据完好。", file=sys.stderr, flush=True)
        for child in children:
            if not child.is_alive():
                child.start_again()
        time.sleep(LOOK_SECONDS)


def stop(children: Sequence[Child]) -> None:
    """Requests and jobs under way are finished, within half a minute; then they are killed."""
    for child in children:
        child.ask_to_stop()
    deadline = time.monotonic() + STOP_SECONDS
    for child in children:
        child.wait_or_kill(deadline)
