"""``minzheng import``: a scripted bulk import over the interface. Exit code 0: all rows in, 3: some rejected, 1: failed."""

from __future__ import annotations

import argparse
import getpass
import os
import sys
import time
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from app.commands import Subparsers
    from app.commands._import_client import ImportClient, Login
    from app.commands._progress import Progress

ALL_IN, FAILED, SOME_REJECTED = 0, 1, 3
SHOWN_ROWS = 10
POLL_SECONDS = (0.2, 2.0)  # first soon, then less often
DEFAULT_URL = "http://127.0.0.1:8000"
PHASES = {"reading": "读取检查", "applying": "写入", "finished": "完成"}


def register(subparsers: Subparsers) -> None:
    """Add ``import``."""
    parser = subparsers.add_parser("import", help="批量导入文件：全部导入返回 0，部分行未导入返回 3，失败返回 1")
    parser.add_argument("kind", help="导入类别，如 people、entitlements（见接口 /api/v1/import-kinds）")
    parser.add_argument("file", type=Path, help="CSV 或 XLSX 文件")
    parser.add_argument("--dry-run", action="store_true", help="试运行：只检查，不写入")
    parser.add_argument("--mode", choices=["upsert", "insert"], default="upsert", help="upsert 新增或更新（默认），insert 只新增")
    parser.add_argument("--profile", help="列名对照方案")
    parser.add_argument("--base-url", default=os.environ.get("MINZHENG_URL", DEFAULT_URL), help=f"服务地址（默认 {DEFAULT_URL}）")
    parser.add_argument("--token", help="访问令牌；也可放在环境变量 MINZHENG_TOKEN 中，以免出现在进程列表里")
    parser.add_argument("--username", help="用户名；口令取自环境变量 MINZHENG_PASSWORD，没有则提示输入")
    parser.set_defaults(run=_run)


def _run(args: argparse.Namespace) -> int:
    from app.commands._import_client import ImportClient, ImportFailedError
    from app.commands._progress import Progress

    progress = Progress()
    try:
        _require_readable(args.file)
        client = ImportClient(args.base_url, _login(args), progress.say)
        try:
            return _import(client, args, progress)
        finally:
            client.close()
    except ImportFailedError as failure:
        progress.end()
        print(f"导入失败：{failure}", file=sys.stderr)
        return FAILED


def _require_readable(file: Path) -> None:
    from app.commands._error_file import reason
    from app.commands._import_client import ImportFailedError

    try:
        file.open("rb").close()
    except FileNotFoundError:
        raise ImportFailedError(f"找不到文件 {file}，请核对路径。") from None
    except IsADirectoryError:
        raise ImportFailedError(f"{file} 是文件夹，请给出其中的 CSV 或 XLSX 文件。") from None
    except OSError as error:
        raise ImportFailedError(f"文件 {file} 打不开（{reason(error)}），请核对读取权限。") from None


def _login(args: argparse.Namespace) -> Login:
    from app.commands._import_client import ImportFailedError, Login

    token = args.token or os.environ.get("MINZHENG_TOKEN")
    if args.username:
        return Login(None, args.username, os.environ.get("MINZHENG_PASSWORD") or _asked_password(args.username))
    if not token:
        raise ImportFailedError("缺少登录信息：请给出 --username，或 --token（环境变量 MINZHENG_TOKEN）。")
    return Login(token)


def _asked_password(username: str) -> str:
    """From the terminal; where there is none (cron), from a line of standard input."""
    from app.commands._import_client import ImportFailedError

    with warnings.catch_warnings():
        warnings.simplefilter("error", getpass.GetPassWarning)
        try:
            return getpass.getpass(f"{username} 的口令：")
        except getpass.GetPassWarning:
            password = sys.stdin.readline().rstrip("\r\n") if sys.stdin else ""
    if not password:
        advice = "请设置环境变量 MINZHENG_PASSWORD，或改用 --token（环境变量 MINZHENG_TOKEN）。"
        raise ImportFailedError(f"没有终端可以输入口令；{advice}")
    return password


def _import(client: ImportClient, args: argparse.Namespace, progress: Progress) -> int:
    from app.commands._import_client import ImportFailedError

    fields = {"kind": args.kind, "mode": args.mode, "dry_run": "true" if args.dry_run else "false"}
    if args.profile:
        fields["profile"] = args.profile
    size = args.file.stat().st_size or 1
    run = client.send(args.file, fields, lambda sent: progress.show("上传", sent / size, f"{sent >> 10} KB"))
    try:
        run = _follow(client, run["id"], progress)
    except (KeyboardInterrupt, ImportFailedError):
        progress.say(f"已停止等待；导入 {run['id']} 已提交，仍在服务器上继续，可查询 /api/v1/imports/{run['id']}。")
        raise
    progress.end()
    return _conclude(client, run, args.file)


def _follow(client: ImportClient, import_id: str, progress: Progress) -> dict[str, Any]:
    pause, slowest = POLL_SECONDS
    while True:
        run: dict[str, Any] = client.get(f"/imports/{import_id}")
        done = run["status"] not in ("queued", "running")
        progress.show(PHASES.get(run["phase"], run["phase"]), run["progress"], f"{run['rows_total']} 行")
        if done:
            return run
        time.sleep(pause)
        pause = min(pause * 1.5, slowest)


def _conclude(client: ImportClient, run: dict[str, Any], source: Path) -> int:
    if run["status"] == "failed":
        print(f"导入失败：{(run['problem'] or {}).get('detail', '原因不明，请联系管理员')}", file=sys.stderr)
        return FAILED
    for notice in run["notices"]:
        print(f"提示：{notice['message']}")
    verb = "可以导入" if run["dry_run"] else "已导入"
    changes = f"新增 {run['rows_created']}，更新 {run['rows_updated']}，无变化 {run['rows_unchanged']}"
    print(f"共 {run['rows_total']} 行：{verb} {run['rows_ok']} 行（{changes}），未导入 {run['rows_rejected']} 行。")
    if not run["rows_rejected"]:
        _mention_outdated(source)
        return ALL_IN
    _show_errors(client, run)
    _save_errors(client, run, source)
    return SOME_REJECTED


def _mention_outdated(source: Path) -> None:
    from app.commands._error_file import error_file_of

    if (earlier := error_file_of(source)).is_file():
        print(f"提示：{earlier} 是以前某次导入留下的，已过时；核对后可以删除。")


def _save_errors(client: ImportClient, run: dict[str, Any], source: Path) -> None:
    from app.commands._error_file import error_file_of, keep_aside, reason

    path, target = f"/imports/{run['id']}/errors.csv", error_file_of(source)
    try:
        if kept := keep_aside(target):
            print(f"提示：以前的 {target.name} 可能正在更正，已改名为 {kept.name}，没有覆盖。")
        client.save(path, target)
    except OSError as error:
        print(f"未导入的行没能存入 {target}（{reason(error)}）；请核对写入权限，或从 /api/v1{path} 下载。", file=sys.stderr)
    else:
        print(f"未导入的行已存入 {target}，更正后可直接重新导入。")


def _show_errors(client: ImportClient, run: dict[str, Any]) -> None:
    from app.commands._progress import table

    found = client.get(f"/imports/{run['id']}/errors", limit=SHOWN_ROWS)["items"]
    rows = [[str(row["row"]), fault["column"] or "（整行）", fault["message"]] for row in found for fault in row["faults"]]
    print(table(["行号", "列", "错误原因"], rows[:SHOWN_ROWS]))
    if run["rows_rejected"] > len(found) or len(rows) > SHOWN_ROWS:
        print("……")
