"""The processes of ``minzheng serve``: started together, started again when killed, stopped in order."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from app.embedded import EmbeddedPostgres, EmbeddedPostgresError
from app.embedded.orphans import signalled_when_parent_dies

LOOK_SECONDS = 0.2
STOP_SECONDS = 30.0
SETTLED_SECONDS = 5.0  # who has lived that long and dies has had an accident; who hasn't can't start
FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 15.0
QUICK_DEATHS_ALLOWED = 8


class GaveUpError(RuntimeError):
    """A process keeps dying; the text (Chinese) says which."""


@dataclass
class Patience:
    """When to start what has died: at once after an accident, ever later while it dies right after its start."""

    name: str
    deaths: int = 0
    started_at: float = 0.0
    next_at: float = 0.0

    def started(self) -> None:
        self.started_at = time.monotonic()

    def died(self) -> None:
        """Says so and sets the pause. Raises GaveUpError after eight quick deaths in a row (about a minute)."""
        now = time.monotonic()
        if now - self.started_at >= SETTLED_SECONDS:
            self.settled()
        self.deaths += 1
        if self.deaths > QUICK_DEATHS_ALLOWED:
            raise GaveUpError(f"{self.name}反复退出，已停止服务；请查看上面的日志。")
        pause = 0.0 if self.deaths == 1 else min(FIRST_PAUSE_SECONDS * 2 ** (self.deaths - 2), LONGEST_PAUSE_SECONDS)
        self.next_at = now + pause
        print(f"{self.name}意外退出，{f'{pause:g} 秒后' if pause else '正在'}重新启动……", file=sys.stderr, flush=True)

    def settled(self) -> None:
        """It is known to work; what was before is forgotten."""
        self.deaths = 0

    def is_over(self) -> bool:
        return time.monotonic() >= self.next_at


@dataclass
class Child:
    """One process of ours. ``name`` is what the person at the terminal reads."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    process: subprocess.Popen[bytes] | None = None
    patience: Patience = field(init=False)

    def __post_init__(self) -> None:
        self.patience = Patience(self.name)

    def start(self) -> None:
        """In a session of its own: Ctrl-C reaches us, and we stop it in order; dies with us if we are killed."""
        self.process = subprocess.Popen(
            self.command,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=signalled_when_parent_dies(signal.SIGTERM),  # noqa: PLW1509  (two system calls, no lock of another thread)
        )
        self.patience.started()

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

    def keep_alive(self) -> None:
        """Starts it again after a death, patiently. Raises GaveUpError."""
        if self.process is not None and self.process.poll() is not None:
            self.process = None
            self.patience.died()
        if self.process is None and self.patience.is_over():
            self.start()


@dataclass
class Database:
    """The embedded Postgres under watch. While it is away the API answers 503 with Retry-After."""

    postgres: EmbeddedPostgres
    patience: Patience = field(default_factory=lambda: Patience("数据库"))
    is_down: bool = False

    def keep_alive(self) -> None:
        """Starts it again after a death or a failed start, patiently. Raises GaveUpError."""
        if not self.is_down and not self.postgres.is_running():
            self.is_down = True
            self.patience.died()
        if self.is_down and self.patience.is_over():
            self._start_again()

    def _start_again(self) -> None:
        self.patience.started()
        try:
            self.postgres.restart_if_dead()
        except EmbeddedPostgresError as error:
            print(error, file=sys.stderr, flush=True)
            self.patience.died()
            return
        self.is_down = False
        self.patience.settled()  # it answers: should it be killed again, it is started again at once
        print("数据库已重新启动，数据完好。", file=sys.stderr, flush=True)


def watch(children: Sequence[Child], postgres: EmbeddedPostgres | None) -> None:
    """Never returns by itself: ended by KeyboardInterrupt (Ctrl-C, SIGTERM) or GaveUpError."""
    watched: list[Child | Database] = [*([Database(postgres)] if postgres is not None else []), *children]
    while True:
        for one in watched:
            one.keep_alive()
        time.sleep(LOOK_SECONDS)


def stop(children: Sequence[Child]) -> None:
    """Requests and jobs under way are finished, within half a minute; then they are killed."""
    for child in children:
        child.ask_to_stop()
    deadline = time.monotonic() + STOP_SECONDS
    for child in children:
        child.wait_or_kill(deadline)
