"""``minzheng serve`` and ``minzheng worker``."""

from __future__ import annotations

import argparse
import asyncio
import http.client
import os
import signal
import socket
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from app.commands import Subparsers
    from app.commands._children import Child
    from app.embedded import EmbeddedPostgres
    from app.settings import Settings


READY_SECONDS = 120.0
GRACEFUL_SECONDS = 20
ANY_ADDRESS = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  (where a server that listens everywhere is asked)


def register(subparsers: Subparsers) -> None:
    """Add ``serve`` and ``worker``."""
    serve = subparsers.add_parser("serve", help="启动接口服务和后台任务（未设 DATABASE_URL 时使用内嵌数据库）")
    serve.add_argument("--host", help="监听地址（默认 127.0.0.1）")
    serve.add_argument("--port", type=int, help="监听端口（默认 8000）")
    serve.add_argument("--workers", type=int, default=1, help="接口进程数（默认 1）")
    serve.add_argument("--demo", action="store_true", default=None, help="演示模式：演示密钥、演示账号和虚构数据")
    serve.add_argument("--data-dir", type=Path, help="数据目录（默认 .minzheng）")
    serve.add_argument("--no-worker", action="store_true", help="不启动后台任务进程")
    serve.set_defaults(run=_serve)
    worker = subparsers.add_parser("worker", help="只启动后台任务进程")
    worker.add_argument("--check", action="store_true", help="只检查本机的后台任务进程是否连着任务队列（健康检查）")
    worker.set_defaults(run=_worker)


def _serve(args: argparse.Namespace) -> int:
    from app.security.keys import KeyFileRefused

    settings = _settings(args)
    _listen_to_signals()
    try:
        with _embedded(settings) as (settings, postgres):
            _check_port(settings)
            _prepare(settings)
            _run_until_stopped(settings, postgres, args)
    except (KeyFileRefused, ServeError) as refusal:
        print(refusal, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        with suppress(OSError):  # the terminal may be gone
            print("已停止。", flush=True)
    return 0


class ServeError(RuntimeError):
    """The service can't run; the text (Chinese) says what to do."""


def _settings(args: argparse.Namespace) -> Settings:
    from app.settings import Settings

    given = {name: getattr(args, name) for name in ("host", "port", "demo", "data_dir")}
    return Settings(**{name: value for name, value in given.items() if value is not None})


def _listen_to_signals() -> None:
    """Each ends it like Ctrl-C; a hang-up only when nobody (nohup) has asked to ignore it."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, _interrupt)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


@contextmanager
def _embedded(settings: Settings) -> Iterator[tuple[Settings, EmbeddedPostgres | None]]:
    """The embedded Postgres for the duration, unless DATABASE_URL names another. Raises AlreadyRunning with the other's URL."""
    from app.commands._database import create_database, with_embedded
    from app.embedded import EmbeddedPostgres

    if settings.database_url is not None:
        yield settings, None
        return
    postgres = EmbeddedPostgres(settings.data_dir)
    try:
        postgres.start(url=_url(settings))
        create_database(postgres)
        yield with_embedded(settings, postgres), postgres
    finally:
        _let_stopping_finish()
        postgres.stop()


def _let_stopping_finish() -> None:
    """A second Ctrl-C must not leave half of it running; every wait of the way down is bounded."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)


def _url(settings: Settings) -> str:
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return f"http://{host}:{settings.port}"


def _check_port(settings: Settings) -> None:
    """Said before anything is loaded, in words; the server itself would only log an errno."""
    family, kind, protocol, _, address = socket.getaddrinfo(settings.host, settings.port, type=socket.SOCK_STREAM)[0]
    with socket.socket(family, kind, protocol) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(address)
        except OSError as error:
            raise ServeError(
                f"无法监听 {_url(settings)}（{error.strerror}）：端口可能被其他程序占用，"
                f"请换一个端口，例如 make run PORT={settings.port + 1} 或 minzheng serve --port {settings.port + 1}。"
            ) from None


def _prepare(settings: Settings) -> None:
    """Schema, keys and, in demo mode, the demo district."""
    from app.commands._database import admin_url, migrate
    from app.security.keys import KeyRing

    admin = admin_url(settings)
    if admin is not None:
        asyncio.run(migrate(settings, admin))
    if settings.demo and not settings.keys_path.exists():
        KeyRing.create(settings.keys_path, settings.field_cipher, demo=True)
    KeyRing.load(settings.keys_path, demo=settings.demo)
    if settings.demo:
        asyncio.run(_load_demo(settings))


async def _load_demo(settings: Settings) -> None:
    from app.demo.whole import load_demo
    from app.runtime import open_runtime

    async with open_runtime(settings) as runtime:
        await load_demo(runtime)


def _run_until_stopped(settings: Settings, postgres: EmbeddedPostgres | None, args: argparse.Namespace) -> None:
    from app.commands._children import GaveUpError, stop, watch

    metrics = tempfile.TemporaryDirectory(prefix="minzheng-metrics-")
    children = _children(settings, args, metrics.name)
    try:
        for child in children:
            child.start()
        _wait_until_ready(settings, children[0])
        _tell(settings)
        watch(children, postgres)
    except GaveUpError as reason:
        raise ServeError(str(reason)) from None
    finally:
        _let_stopping_finish()
        stop(children)
        metrics.cleanup()


def _children(settings: Settings, args: argparse.Namespace, metrics: str) -> list[Child]:
    from app.commands._children import Child

    environment = _environment(settings) | {"PROMETHEUS_MULTIPROC_DIR": metrics}  # one /metrics for all of them
    server = ["-m", "uvicorn", "app.main:create_app", "--factory", "--host", settings.host, "--port", str(settings.port)]
    manners = ["--workers", str(args.workers), "--timeout-graceful-shutdown", str(GRACEFUL_SECONDS), "--no-server-header"]
    # Whose X-Forwarded-For is believed is said by the deployment; by default nobody's.
    proxy = [] if "FORWARDED_ALLOW_IPS" in os.environ else ["--no-proxy-headers"]
    children = [Child("接口服务", [sys.executable, *server, *manners, *proxy, "--no-access-log"], environment)]
    if not args.no_worker:
        children.append(Child("后台任务", [sys.executable, "-m", "app.cli", "worker"], environment))
    return children


def _environment(settings: Settings) -> dict[str, str]:
    """What the children read their settings from. The owner's address stays with us."""
    chosen: dict[str, Any] = {
        "DATABASE_URL": settings.database_url.get_secret_value() if settings.database_url else None,
        "DATA_DIR": settings.data_dir.absolute(),
        "HOST": settings.host,
        "PORT": settings.port,
        "DEMO": "true" if settings.demo else "false",
    }
    inherited = {name: value for name, value in os.environ.items() if not name.upper().startswith("DATABASE_ADMIN_URL")}
    return inherited | {name: str(value) for name, value in chosen.items() if value is not None}


def _wait_until_ready(settings: Settings, api: Child) -> None:
    """Until ``/readyz`` says so. Raises ServeError with its findings, or when the process ends before."""
    deadline = time.monotonic() + READY_SECONDS
    answer = "没有应答"
    while time.monotonic() < deadline:
        if not api.is_alive():
            raise ServeError("接口服务未能启动，请查看上面的日志。")
        status, answer = _ask_readiness(settings)
        if status == http.HTTPStatus.OK:
            return
        time.sleep(0.1)
    raise ServeError(f"接口服务在 {READY_SECONDS:g} 秒内没有就绪：{answer}")


def _ask_readiness(settings: Settings) -> tuple[int, str]:
    connection = http.client.HTTPConnection(ANY_ADDRESS.get(settings.host, settings.host), settings.port, timeout=5)
    try:
        connection.request("GET", "/readyz")
        response = connection.getresponse()
        return response.status, response.read().decode(errors="replace")
    except OSError as error:
        return 0, f"没有应答（{error}）"
    finally:
        connection.close()


def _tell(settings: Settings) -> None:
    url = _url(settings)
    print(f"民政后端已启动：{url}")
    print(f"  接口文档  {url}/docs")
    print(f"  接口地址  {url}/api/v1")
    print(f"  就绪检查  {url}/readyz")
    if settings.demo:
        _tell_demo()
    print("按 Ctrl-C 停止。", flush=True)


def _tell_demo() -> None:
    from app.demo.accounts import ACCOUNTS, CLIENTS
    from app.security.passwords import DEMO_CLIENT_SECRET, DEMO_PASSWORD

    print(f"演示账号（密码均为 {DEMO_PASSWORD}，数据均为虚构）：")
    for account in ACCOUNTS:
        print(f"  {account.username:<20} {account.area:<12}  {account.display_name}")
    print(f"演示委办局客户端（密钥均为 {DEMO_CLIENT_SECRET}）：")
    for client in CLIENTS:
        print(f"  {client.client_id:<20} {client.name}")


def _worker(args: argparse.Namespace) -> int:
    from app.commands._database import opened_database
    from app.observability import configure_logging
    from app.settings import Settings

    settings = Settings()
    configure_logging(settings.log_level)
    with opened_database(settings) as opened:
        if args.check:
            return 0 if asyncio.run(_worker_is_connected(opened)) else 1
        asyncio.run(_work_until_stopped(opened))
    return 0


async def _worker_is_connected(settings: Settings) -> bool:
    """A worker on this machine holds its connection to the queue: without it, it takes no jobs."""
    from app.db.engine import application_url, create_engine
    from app.db.maintenance import queue_is_listened_to

    engine = create_engine(application_url(settings), settings, pool_size=1, name="minzheng-check")
    try:
        return await queue_is_listened_to(engine)
    finally:
        await engine.dispose()


async def _work_until_stopped(settings: Settings) -> None:
    from app.jobs.worker import run_worker

    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await run_worker(settings, stop)
