"""What can go wrong with the embedded Postgres, told in the words of the person at the terminal."""

from __future__ import annotations

from pathlib import Path


class EmbeddedPostgresError(RuntimeError):
    """The embedded Postgres can't do what was asked; the text (Chinese) says what to do next."""


class AlreadyRunning(EmbeddedPostgresError):
    """Another process holds this data folder. ``url`` is where it answers (None: it didn't say), ``pid`` its process."""

    def __init__(self, data_dir: Path, pid: int | None, url: str | None) -> None:
        self.pid = pid
        self.url = url
        where = f"，地址：{url}" if url else ""
        who = f"（进程 {pid}）" if pid else ""
        super().__init__(
            f"数据目录 {data_dir} 已有服务在运行{who}{where}。"
            "请直接使用它；若要另开一个，请换数据目录和端口，例如 make run DATA_DIR=另一目录 PORT=8001。"
        )
