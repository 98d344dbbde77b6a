"""Whole files of people through the interface and the worker, in several parts, and back again."""

from __future__ import annotations

import csv
import io
from typing import Any
from uuid import UUID

import pytest

import app.jobs.import_gathering
import app.jobs.import_reading
from app.domain.access import AreaScope
from app.runtime import Runtime
from tests.integration.import_world import IMPORTS, imported, rows_of, work
from tests.integration.kind_kit import Bench
from tests.integration.registry_world import SignIn, fresh_number
from tests.integration.test_import_people import household, number, row
from tests.world import World

pytestmark = [pytest.mark.db, pytest.mark.asyncio(loop_scope="session")]


def as_csv(rows: list[dict[str, Any]]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode("gb18030")


async def test_a_file_in_parts_with_faults_and_back(
    runtime: Runtime, world: World, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app.jobs.import_reading, "PART_ROWS", 7)
    people, clerk = Bench.of(runtime, "people"), sign_in("s001.clerk")
    numbers = [number() for _ in range(15)]
    rows = [row(no, relation) for no in numbers for relation in ("户主", "配偶", "子女")]
    rows[4]["身份证号"] = rows[4]["身份证号"][:-1]  # a digit is missing in the second household
    found = await imported(runtime, clerk, as_csv(rows), kind="people", name="people.csv")
    assert (found["status"], found["rows_total"], found["rows_ok"], found["rows_rejected"]) == (
        "completed_with_errors",
        45,
        42,
        3,
    )
    rejected = rows_of((await clerk.get(f"{IMPORTS}/{found['id']}/errors.csv")).content)
    assert [one["行号"] for one in rejected] == ["5", "6", "7"]
    assert "18 位" in rejected[1]["错误原因"]
    assert "第 6 行" in rejected[0]["错误原因"]
    assert await household(people, numbers[1]) is None
    for corrected in rejected:
        corrected["身份证号"] = corrected["身份证号"] if len(corrected["身份证号"]) == 18 else fresh_number()
    again = [{name: one[name] for name in rows[0]} for one in rejected]
    second = await imported(runtime, clerk, as_csv(again), kind="people", name="people.csv")
    assert (second["status"], second["rows_ok"]) == ("succeeded", 3)
    third = await imported(runtime, clerk, as_csv(rows), kind="people", name="people.csv")
    assert (third["status"], third["rows_ok"]) == ("completed_with_errors", 42)
    assert third["rows_unchanged"] == 42
    undone = await clerk.post(f"{IMPORTS}/{found['id']}/undo")
    assert undone.status_code < 300, undone.text
    await work(runtime, UUID(found["id"]))
    assert await household(people, numbers[0]) is None
    assert await household(people, numbers[1]) is not None


async def test_a_dry_run_writes_nothing(runtime: Runtime, world: World, sign_in: SignIn) -> None:
    no = number()
    rows = [row(no), row(no, "配偶")]
    clerk = sign_in("s001.clerk")
    found = await imported(runtime, clerk, as_csv(rows), kind="people", name="people.csv", dry_run="true")
    assert (found["status"], found["rows_ok"]) == ("succeeded", 2)
    assert await household(Bench.of(runtime, "people"), no) is None


async def test_rolls_come_from_reviewers_only(runtime: Runtime, world: World, sign_in: SignIn) -> None:
    content = as_csv([{"户编号": "H1", "项目": "低保", "月保障金额(元)": "1", "保障人数": "1", "起始月份": "2024-01"}])
    answer = await sign_in("s001.clerk").post(
        IMPORTS, data={"kind": "entitlements"}, files={"file": ("roll.csv", content)}, headers={"Idempotency-Key": number()}
    )
    assert (answer.status_code, answer.json()["code"]) == (403, "import_duty_required")


async def test_members_far_apart_in_the_file_stand_or_fall_together(
    runtime: Runtime, world: World, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file sorted by relation: all heads, then all spouses, then all children. Some are registered elsewhere already."""
    monkeypatch.setattr(app.jobs.import_reading, "PART_ROWS", 7)
    monkeypatch.setattr(app.jobs.import_gathering, "MOST_ROWS_HELD", 14)
    people, clerk = Bench.of(runtime, "people"), sign_in("s001.clerk")
    numbers = [number() for _ in range(12)]
    rows = [row(no, relation) for relation in ("户主", "配偶", "子女") for no in numbers]
    alone = row(number())
    rows.insert(20, alone)
    rows[16]["姓名"] = ""  # the spouse of the fifth household
    elsewhere = Bench.of(runtime, "people", AreaScope("350702", "350702002"))
    for place in (1, 34):  # the head of the second household, the child of the tenth
        await elsewhere.write(row(number(), 身份证号=rows[place]["身份证号"], 区划代码="350702002001"))
    file = as_csv(rows)
    found = await imported(runtime, clerk, file, kind="people", name="people.csv")
    counts = {name: found[f"rows_{name}"] for name in ("total", "ok", "created", "rejected", "unchanged")}
    assert counts == {"total": 37, "ok": 28, "created": 28, "rejected": 9, "unchanged": 0}
    assert found["progress"] == 1.0
    assert [place for place, no in enumerate(numbers) if await household(people, no) is None] == [1, 4, 9]
    assert await household(people, alone["户编号"]) is not None
    path = f"{IMPORTS}/{found['id']}/errors"
    listed, cursor = [], None
    while True:
        page = (await clerk.get(path, params={"limit": 2} | ({"cursor": cursor} if cursor else {}))).json()
        listed += [(one["row"], [fault["code"] for fault in one["faults"]]) for one in page["items"]]
        if (cursor := page["next_cursor"]) is None:
            break
    expected = sorted(2 + at for at, one in enumerate(rows) if one["户编号"] in {numbers[place] for place in (1, 4, 9)})
    assert [row for row, _ in listed] == expected
    assert dict(listed)[3] == ["person_already_registered"]
    assert sum("household_held_back" in codes for _, codes in listed) == 6
    csv_rows = [int(one["行号"]) for one in rows_of((await clerk.get(f"{path}.csv")).content)]
    assert csv_rows == expected
    again = await imported(runtime, clerk, file, kind="people", name="people.csv")
    assert (again["rows_unchanged"], again["rows_rejected"]) == (28, 9)
    assert (await clerk.post(f"{IMPORTS}/{found['id']}/undo")).json()["status"] == "undone"
    assert await household(people, numbers[0]) is None
