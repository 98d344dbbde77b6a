"""Imports of the other kinds that come in thousands, beside the import of as many people: microseconds a row and growth.

``python bench/imports_kinds.py [--people 40000] [--rows 16000] [--kinds payees,warnings]``, about two minutes. One embedded
Postgres, the functions of the jobs themselves, as in ``imports.py``. Each kind goes in twice, a quarter of the rows and then all
of them (the quarter is found unchanged), into a registry that has just been filled, so that nothing is known of its tables: what
walks over the whole district for each part shows as growth.
"""

from __future__ import annotations

import argparse
import asyncio
import csv
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from math import log
from pathlib import Path
from typing import Final

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from app.db.engine import normalise_url  # noqa: E402  (the checkout comes first on the path)
from app.embedded import EmbeddedPostgres  # noqa: E402
from bench.imports import Contest, communities  # noqa: E402
from bench.imports_people import BANKS, card, write_people  # noqa: E402

Person = dict[str, str]
Maker = Callable[[int, Person], list[str]]
QUARTER: Final = 4
#: Kind → its header, which people it is about, a row of it.
KINDS: Final[dict[str, tuple[tuple[str, ...], Callable[[Person], bool], Maker]]] = {
    "payees": (
        ("户编号", "领款人身份证号", "户名", "开户银行", "银行账号"),
        lambda one: one["与户主关系"] == "户主",
        lambda n, one: [one["户编号"], one["身份证号"], one["姓名"], BANKS[n % 3], card(5_000_000 + n)],
    ),
    "entitlements": (
        ("户编号", "项目", "城乡", "月保障金额(元)", "保障人数", "起始月份", "类别"),
        lambda one: one["与户主关系"] == "户主",
        lambda _, one: [one["户编号"], "最低生活保障", one["户口性质"], "300.00", one["人数"], "2026-01", "B类"],
    ),
    "disability_certificates": (
        ("姓名", "身份证号", "残疾人证号", "发证日期"),
        lambda _: True,
        lambda n, one: [one["姓名"], one["身份证号"], f"{one['身份证号']}4{n % 4 + 1}", "2020-05-06"],
    ),
    "warnings": (
        ("姓名", "身份证号", "预警类型", "预警日期", "预警内容", "来源"),
        lambda _: True,
        lambda _, one: [one["姓名"], one["身份证号"], "新购车辆", "2026-03-04", "名下新增一辆小型汽车", "省低收入人口监测平台"],
    ),
    "death_notices": (
        ("姓名", "身份证号", "死亡日期", "来源"),
        lambda _: True,
        lambda _, one: [one["姓名"], one["身份证号"], "2026-02-03", "公安户籍注销"],
    ),
    "officials": (
        ("姓名", "身份证号", "工作单位", "职务", "区划代码"),
        lambda _: True,
        lambda _, one: [one["姓名"], one["身份证号"], "某某街道办事处", "民政助理员", one["区划代码"]],
    ),
}


def people_of(path: Path) -> list[Person]:
    """The rows of the file, each with the size of its household."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        people = list(csv.DictReader(file))
    sizes = Counter(one["户编号"] for one in people)
    return [one | {"人数": str(sizes[one["户编号"]])} for one in people]


def write_kind(path: Path, kind: str, people: Sequence[Person], rows: int) -> int:
    """A CSV of at most so many rows; how many there are."""
    header, wanted, row = KINDS[kind]
    chosen = [one for one in people if wanted(one)][:rows]
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows(row(number, one) for number, one in enumerate(chosen))
    return len(chosen)


def measured(contest: Contest, folder: Path, people: Sequence[Person], kinds: Sequence[str], rows: int) -> Iterator[str]:
    for kind in kinds:
        seconds, counts = [], []
        for share in (rows // QUARTER, rows):
            path = folder / f"{kind}.csv"
            counts.append(write_kind(path, kind, people, share))
            told = contest.ours("kinds", path, kind)
            assert sum(told["counts"]) == counts[-1], told
            assert told["counts"][3] == 0, told
            seconds.append(told["seconds"])
        growth = log(seconds[1] / seconds[0]) / log((counts[1] - counts[0]) / counts[0])
        yield f"{kind}: {seconds[1] / (counts[1] - counts[0]) * 1e6:.0f} µs a row, growth {growth:.2f} ({counts[1]} rows)"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=40_000)
    parser.add_argument("--rows", type=int, default=16_000)
    parser.add_argument("--kinds", type=lambda text: text.split(","), default=list(KINDS))
    sizes = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="mz-bench-"))
    folder.chmod(0o711)
    try:
        with EmbeddedPostgres(folder / "server", sync_initdb=False) as postgres:
            contest = Contest(normalise_url(postgres.admin_dsn()), folder)
            path = folder / "people.csv"
            write_people(path, sizes.people, communities())
            asyncio.run(contest.prepare("kinds"))
            told = contest.ours("kinds", path)
            print(f"people: {told['seconds'] / sizes.people * 1e6:.0f} µs a row ({sizes.people} rows)")
            for line in measured(contest, folder, people_of(path), sizes.kinds, sizes.rows):
                print(line, flush=True)
            postgres.remove()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
