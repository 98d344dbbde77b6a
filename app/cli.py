"""The ``minzheng`` command: a table of subcommands, each in a file of its own in ``app/commands/``."""

from __future__ import annotations

import argparse
import importlib
import pkgutil
import sys
from collections.abc import Sequence

from pydantic import ValidationError
from sqlalchemy.exc import DBAPIError

from app import __version__, commands
from app.embedded import EmbeddedPostgresError
from app.security.keys import KeyFileRefused


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one subcommand and answers its exit code: 0 done, 1 failed with a Chinese reason, 2 wrong usage."""
    parsed = _parser().parse_args(arguments)
    try:
        code: int = parsed.run(parsed)
    except (EmbeddedPostgresError, KeyFileRefused) as refusal:
        print(refusal, file=sys.stderr)
        return 1
    except ValidationError as refusal:  # of the settings: a command validates its own input itself
        for error in refusal.errors():
            print(f"设置 {'.'.join(map(str, error['loc'])).upper()} 无效：{error['msg']}", file=sys.stderr)
        return 1
    except (OSError, DBAPIError) as error:  # a database that isn't there, a file that can't be read
        reason = error.orig if isinstance(error, DBAPIError) else error
        print(f"未能完成：{reason}。请检查地址、口令和权限后重试。", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="minzheng", description="基层民政后端：服务、数据库、参考数据、账号与密钥。")
    parser.add_argument("--version", action="version", version=f"minzheng {__version__}")
    subparsers = parser.add_subparsers(required=True, metavar="命令")
    for module in sorted(pkgutil.iter_modules(commands.__path__), key=lambda found: found.name):
        if not module.name.startswith("_"):
            importlib.import_module(f"{commands.__name__}.{module.name}").register(subparsers)
    return parser


if __name__ == "__main__":
    sys.exit(main())
