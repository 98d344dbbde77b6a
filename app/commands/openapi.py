"""``minzheng openapi``: the published contract as a file."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from app.commands import Subparsers

DOCUMENT = Path(__file__).resolve().parents[2] / "openapi" / "v1.json"


def register(subparsers: Subparsers) -> None:
    """Add ``openapi``."""
    parser = subparsers.add_parser("openapi", help="生成接口文档 openapi/v1.json")
    parser.add_argument("--check", action="store_true", help="只检查已有文件是否与程序一致")
    parser.set_defaults(run=_run)


def _run(args: argparse.Namespace) -> int:
    from app.main import create_app
    from app.openapi import build, text_of

    text = text_of(build(create_app()))
    if args.check:
        if DOCUMENT.exists() and DOCUMENT.read_text("utf-8") == text:
            return 0
        print("openapi/v1.json 与程序不一致，请运行 make openapi。", file=sys.stderr)
        return 1
    DOCUMENT.write_text(text, "utf-8")
    print(f"已写入 {DOCUMENT}")
    return 0
