"""docs/integration/imports.zh-CN.md, every command of it, against a fresh `minzheng serve --demo`."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.system.serving import ROOT, Served

PAGE = ROOT / "docs" / "integration" / "imports.zh-CN.md"
pytestmark = [
    pytest.mark.db,
    pytest.mark.xdist_group("serve"),
    pytest.mark.skipif(not all(map(shutil.which, ("bash", "curl"))), reason="the page needs bash and curl"),
]


@pytest.fixture(scope="module")
def served(demo_data: Path) -> Iterator[Served]:
    demo = Served(data=demo_data)
    try:
        demo.wait_until_ready()
        yield demo
    finally:
        demo.stop()


def test_every_command_of_the_page_works(served: Served, tmp_path: Path) -> None:
    blocks = "\n".join(re.findall(r"```bash\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL))
    script = "set -euo pipefail\n" + blocks.replace(".venv/bin/minzheng", f"{sys.executable} -m app.cli")
    environment = os.environ | {"API": served.url, "PYTHONPATH": str(ROOT)}
    run = subprocess.run(
        ["bash", "-c", script], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=180, check=False
    )
    assert run.returncode == 0, run.stdout + run.stderr
    place = 0
    for expected in (  # in this order
        "people 人员和家庭 可导入",
        "户编号*,姓名*",
        "202 Accepted",
        "/api/v1/imports/",
        "'completed_with_errors', 'dry_run': True, 'rows_total': 4, 'rows_ok': 2, 'rows_rejected': 2",
        "id_number_checksum",
        "area_outside_scope",
        "'dry_run': False, 'rows_total': 4, 'rows_ok': 2, 'rows_rejected': 2, 'rows_created': 2",
        "'succeeded', 'dry_run': False, 'rows_total': 2, 'rows_ok': 2, 'rows_rejected': 0, 'rows_created': 2",
        "'rows_created': 0, 'rows_updated': 0, 'rows_unchanged': 2",
        "event: finished",
        "undone",
        "退出码 3",
        "未导入 0 行",
    ):
        assert expected in run.stdout[place:], run.stdout + run.stderr
        place = run.stdout.index(expected, place)
