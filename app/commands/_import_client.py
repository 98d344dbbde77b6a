"""Talking to the interface from a script: signing in, sending a large file, trying again after what passes by itself."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any, BinaryIO, cast
from uuid import uuid4

import httpx

TRIES = 8
FIRST_PAUSE_SECONDS = 0.5
MAX_PAUSE_SECONDS = 30.0
CONNECT_SECONDS = 10.0
ANSWER_SECONDS = 120.0  # storing 256 MB takes a while
PASSING = (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.BAD_GATEWAY, HTTPStatus.GATEWAY_TIMEOUT)
BUSY = "idempotency_in_progress"

Say = Callable[[str], None]


class ImportFailedError(Exception):
    """It can't be done; the text (Chinese) says why and what to do."""


@dataclass
class Login:
    """Either a token, or a username with its password: then a new token is fetched whenever one has run out."""

    token: str | None
    username: str | None = None
    password: str | None = None

    @property
    def can_renew(self) -> bool:
        return self.username is not None


class ImportClient:
    """One server, one login. Every POST carries an Idempotency-Key, so that trying again never does a thing twice."""

    def __init__(self, base_url: str, login: Login, say: Say) -> None:
        timeout = httpx.Timeout(ANSWER_SECONDS, connect=CONNECT_SECONDS)
        self._http = httpx.Client(base_url=_interface(base_url), timeout=timeout)
        self._login = login
        self._say = say

    def close(self) -> None:
        self._http.close()

    def send(self, path: Path, fields: dict[str, str], watch: Callable[[int], None]) -> dict[str, Any]:
        """Uploads the file as it is read; answers the import."""
        key = {"Idempotency-Key": str(uuid4())}

        def post() -> httpx.Response:
            with path.open("rb") as source:
                files = {"file": (path.name, cast("BinaryIO", _Watched(source, watch)), "application/octet-stream")}
                return self._http.post("/imports", data=fields, files=files, headers=key | self._bearer())

        return cast("dict[str, Any]", self._call(post).json())

    def get(self, path: str, **parameters: str | int) -> Any:
        return self._call(lambda: self._http.get(path, params=parameters, headers=self._bearer())).json()

    def save(self, path: str, target: Path) -> None:
        """Downloads into a file readable by its owner only, whole or not at all."""
        self._call(lambda: self._save_once(path, target))

    def _save_once(self, path: str, target: Path) -> httpx.Response:
        with self._http.stream("GET", path, headers=self._bearer()) as answer:
            if answer.status_code != HTTPStatus.OK:
                answer.read()
                return answer
            number, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
            try:
                with os.fdopen(number, "wb") as file:
                    for piece in answer.iter_bytes():
                        file.write(piece)
                Path(name).replace(target)
            finally:
                with suppress(FileNotFoundError):
                    Path(name).unlink()
        return answer

    def _bearer(self) -> dict[str, str]:
        if self._login.token is None:
            self._sign_in()
        return {"Authorization": f"Bearer {self._login.token}"}

    def _sign_in(self) -> None:
        form = {"grant_type": "password", "username": self._login.username or "", "password": self._login.password or ""}
        answer = self._patiently(lambda: self._http.post("/auth/token", data=form))
        if answer.status_code != HTTPStatus.OK:
            raise ImportFailedError(f"登录未成功：{_detail(answer)}")
        self._login.token = answer.json()["access_token"]

    def _call(self, request: Callable[[], httpx.Response]) -> httpx.Response:
        """With a fresh token if the old one has run out. Raises ImportFailedError with what the server says."""
        answer = self._patiently(request)
        if answer.status_code == HTTPStatus.UNAUTHORIZED and self._login.can_renew:
            self._login.token = None
            answer = self._patiently(request)
        if answer.is_error:
            raise ImportFailedError(_detail(answer))
        return answer

    def _patiently(self, request: Callable[[], httpx.Response]) -> httpx.Response:
        """Again after lost connections and what the server calls passing, waiting as long as it asks for."""
        for pause in self._pauses():
            try:
                answer = request()
            except httpx.TransportError as error:
                last: str = f"连接不上服务器（{type(error).__name__}）"
            else:
                if not _passes(answer):
                    return answer
                last, pause = _detail(answer), max(pause, _retry_after(answer))  # noqa: PLW2901  (the server knows better)
            self._say(f"{last}，{pause:.0f} 秒后重试……")
            time.sleep(pause)
        raise ImportFailedError(f"多次重试未成功：{last}。请检查地址和网络后再试；已提交的导入不会重复办理。")

    def _pauses(self) -> Iterator[float]:
        for number in range(TRIES):
            yield min(FIRST_PAUSE_SECONDS * 2**number, MAX_PAUSE_SECONDS)


def _interface(address: str) -> str:
    """Where the interface is, whether or not somebody has written http:// before the address or /api/v1 after it."""
    written = address.strip()
    try:
        url = httpx.URL(written if "://" in written else f"http://{written}")
    except httpx.InvalidURL:
        url = httpx.URL("")
    if url.scheme not in ("http", "https") or not url.host:
        raise ImportFailedError(f"服务地址 {address} 不正确，应为 http://主机:端口 或 https://主机。")
    return str(url).rstrip("/").removesuffix("/api/v1") + "/api/v1"


def _passes(answer: httpx.Response) -> bool:
    if answer.status_code == HTTPStatus.CONFLICT:
        return _code(answer) == BUSY
    return answer.status_code in PASSING


def _retry_after(answer: httpx.Response) -> float:
    value = answer.headers.get("retry-after", "")
    return min(float(value), 600.0) if value.isdigit() else 0.0


def _problem(answer: httpx.Response) -> dict[str, Any]:
    try:
        found = answer.json()
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _code(answer: httpx.Response) -> str:
    return str(_problem(answer).get("code", ""))


def _detail(answer: httpx.Response) -> str:
    problem = _problem(answer)
    text = str(problem.get("detail") or f"服务器返回 {answer.status_code}")
    findings = [f"{one.get('pointer', '')} {one.get('message', '')}".strip() for one in problem.get("errors", ())]
    return "\n  ".join([text, *findings])


class _Watched:
    """A file whose reading is watched; the client asks it for its length first, and reads it as it sends."""

    def __init__(self, file: BinaryIO, watch: Callable[[int], None]) -> None:
        self._file = file
        self._watch = watch

    def read(self, size: int = -1) -> bytes:
        piece = self._file.read(size)
        self._watch(self._file.tell())
        return piece

    def seek(self, offset: int, whence: int = 0) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def fileno(self) -> int:
        return self._file.fileno()
