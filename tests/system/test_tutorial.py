"""The tutorials in docs, every command of them, against a fresh `minzheng serve --demo`."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.system.serving import Served

ROOT = Path(__file__).resolve().parents[2]
TUTORIAL = ROOT / "docs" / "tutorial.md"
ACCEPTANCE = ROOT / "docs" / "tutorial-acceptance.md"
pytestmark = [
    pytest.mark.db,
    pytest.mark.xdist_group("serve"),
    pytest.mark.skipif(not all(map(shutil.which, ("bash", "curl", "iconv"))), reason="the tutorial needs bash, curl and iconv"),
]


@pytest.fixture(scope="module")
def demo_server(demo_data: Path) -> Iterator[tuple[str, Path]]:
    """Where it answers, and its data folder."""
    served = Served(data=demo_data)
    try:
        served.wait_until_ready()
        yield served.url, served.data_dir
    finally:
        served.stop()


def blocks(page: Path) -> list[str]:
    """All shell blocks of the page; the one that starts the demo isn't marked as bash."""
    return re.findall(r"```bash\n(.*?)```", page.read_text("utf-8"), re.DOTALL)


def run(commands: list[str], demo: tuple[str, Path], folder: Path) -> str:
    """What the commands say, in one shell that stops at the first failure."""
    url, data = demo
    script = "set -euo pipefail\n" + "\n".join(commands).replace(".venv/bin/minzheng", f"{sys.executable} -m app.cli")
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"  # our own python3, whatever launcher comes first here
    environment = os.environ | {"API": url, "DATA_DIR": str(data), "PYTHONPATH": str(ROOT), "PATH": path}
    shell = subprocess.run(
        ["bash", "-c", script], cwd=folder, env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert shell.returncode == 0, shell.stdout + shell.stderr
    return shell.stdout


def assert_says(said: str, *expected: str) -> None:
    """Everything expected, in this order."""
    place = 0
    for words in expected:
        place = said.find(words, place)
        assert place >= 0, f"{words!r} is missing, or too early, in:\n{said}"


def test_every_command_of_the_tutorial_works(demo_server: tuple[str, Path], tmp_path: Path) -> None:
    assert_says(
        run(blocks(TUTORIAL), demo_server, tmp_path),
        "3507**********9911",
        "身份证号校验位不符",
        '"provisional"',
        "opinion_given",
        "75600",
        "公示须满七天",
        "notice_closed",
        "released",
        "7000003507020000018,陈示平,756.00",
        "'enrolled': True",
        "审计链完整",
    )


def test_a_whole_acceptance_campaign(demo_server: tuple[str, Path], tmp_path: Path) -> None:
    """21 stations: some pass, some fail for different reasons, one is put right and passes; what is published stays."""
    said = run([blocks(TUTORIAL)[0], *blocks(ACCEPTANCE)], demo_server, tmp_path)
    assert_says(
        said,
        "正在另一验收活动中",
        "2022-05-29/",
        "\n21\n",
        "曾在该站任职，须回避",
        "实施阶段从",
        "derived=False measured=7 required=11 self_met=True found=None disagrees=True",
        "证据只接受 JPEG、PNG 图片或 PDF",
        "文件内容是 PNG 图片，与名称或声明的类型“.pdf”不符",
        "须写明整改期限",
        "没有指标“no_such”",
        "signed\nplanned\nsigned\n",
        "\n21\n",
        "不能再修改",
        "350702002 黄墩街道办事处民政工作站 False 9200",
        "submitted\nclosed\n",
        "station_head\ndistrict\n",
        "\nclosed\npublished\n",
        "1 黄墩街道办事处民政工作站 100.0 通报表扬 0.0",
        "四鹤街道办事处民政工作站 92.0 通报批评 1.0",
        "已公布的结果没有变化",
        "%PDF-",
    )
    assert len(re.findall("通报表扬", said)) + len(re.findall("通报批评", said)) == 21
    reasons = {line.split()[1] for line in said.splitlines() if re.match(r"350702\d{3} [a-z_]+ ", line)}
    assert len(reasons) >= 8
    digests = re.findall(r"^([0-9a-f]{64})", said, re.MULTILINE)
    assert digests[0] == digests[1]  # of the photo: the answer's, and sha256sum's
