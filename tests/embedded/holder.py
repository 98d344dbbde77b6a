"""A process that runs an embedded Postgres until its stdin closes: ``python holder.py DATA_DIR [URL]``.

Prints one line: a JSON object with the server's pid and the owner's address, or with the refusal (and exits 1).
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from app.embedded import EmbeddedPostgres, EmbeddedPostgresError


def main() -> int:
    postgres = EmbeddedPostgres(Path(sys.argv[1]), sync_initdb=False)
    try:
        postgres.start(url=sys.argv[2] if len(sys.argv) > 2 else None)
    except EmbeddedPostgresError as refusal:
        _tell({"refused": str(refusal)})
        return 1
    _tell({"pid": postgres.pid, "dsn": postgres.admin_dsn()})
    sys.stdin.read()
    postgres.stop()
    return 0


def _tell(what: dict[str, object]) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
