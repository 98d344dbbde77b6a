"""The same file again, byte for byte: settled by the digests of its rows, read only when something has changed since."""

from __future__ import annotations

from typing import Any

import pytest

import app.jobs.import_reading
import app.jobs.imports
from app.runtime import Runtime
from tests.integration.import_world import IMPORTS, imported
from tests.integration.registry_world import SignIn
from tests.integration.test_import_people import number, row
from tests.integration.test_import_people_files import as_csv
from tests.world import World

pytestmark = [pytest.mark.db, pytest.mark.asyncio(loop_scope="session")]


class Readings:
    """How often a file was opened."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.count, read = 0, app.jobs.import_reading.open_file

        def counted(*arguments: Any) -> Any:
            self.count += 1
            return read(*arguments)

        monkeypatch.setattr(app.jobs.imports, "open_file", counted)


@pytest.fixture
def readings(monkeypatch: pytest.MonkeyPatch) -> Readings:
    return Readings(monkeypatch)


def households(count: int) -> list[dict[str, Any]]:
    return [row(no, relation) for no in (number() for _ in range(count)) for relation in ("户主", "配偶")]


def told(found: dict[str, Any]) -> tuple[Any, ...]:
    return found["status"], found["rows_total"], found["rows_ok"], found["rows_created"], found["rows_unchanged"]


async def test_a_file_sent_again_is_not_read_again(
    runtime: Runtime, world: World, sign_in: SignIn, readings: Readings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app.jobs.import_reading, "PART_ROWS", 3)
    clerk, content = sign_in("s001.clerk"), as_csv([one | {"备用列": "x"} for one in [*households(4), row(number())]])
    first = await imported(runtime, clerk, content, kind="people", name="people.csv")
    assert told(first) == ("succeeded", 9, 9, 9, 0)
    for times in range(2):
        again = await imported(runtime, clerk, content, kind="people", name="people.csv")
        assert told(again) == ("succeeded", 9, 9, 0, 9), times
        assert again["notices"] == first["notices"] != []
    assert readings.count == 1
    undone = await clerk.post(f"{IMPORTS}/{again['id']}/undo")
    assert undone.json()["code"] == "nothing_to_undo"


async def test_it_is_read_when_another_file_has_said_something_else(
    runtime: Runtime, world: World, sign_in: SignIn, readings: Readings
) -> None:
    clerk, rows = sign_in("s001.clerk"), households(1)
    rows[0]["手机号"] = "13800138000"
    await imported(runtime, clerk, as_csv(rows), kind="people", name="people.csv")
    other = [rows[0] | {"手机号": "13900139000"}, rows[1]]
    await imported(runtime, clerk, as_csv(other), kind="people", name="people.csv")
    third = await imported(runtime, clerk, as_csv(rows), kind="people", name="people.csv")
    assert (third["rows_updated"], third["rows_unchanged"]) == (1, 1)
    fourth = await imported(runtime, clerk, as_csv(rows), kind="people", name="people.csv")
    assert told(fourth) == ("succeeded", 2, 2, 0, 2)
    assert readings.count == 3


async def test_it_is_read_when_it_was_taken_back_or_came_otherwise(
    runtime: Runtime, world: World, sign_in: SignIn, readings: Readings
) -> None:
    clerk, content = sign_in("s001.clerk"), as_csv(households(2))
    dry = await imported(runtime, clerk, content, kind="people", name="people.csv", dry_run="true")
    assert (dry["status"], dry["rows_created"]) == ("succeeded", 4)
    first = await imported(runtime, clerk, content, kind="people", name="people.csv")
    assert (await clerk.post(f"{IMPORTS}/{first['id']}/undo")).status_code == 200
    second = await imported(runtime, clerk, content, kind="people", name="people.csv")
    assert told(second) == ("succeeded", 4, 4, 4, 0)
    insert = await imported(runtime, clerk, content, kind="people", name="people.csv", mode="insert")
    assert told(insert) == ("succeeded", 4, 4, 0, 4)
    district = await imported(runtime, sign_in("district.reviewer"), content, kind="people", name="people.csv")
    assert told(district) == ("succeeded", 4, 4, 0, 4)
    assert readings.count == 5


async def test_a_file_with_rejected_rows_is_read_each_time(
    runtime: Runtime, world: World, sign_in: SignIn, readings: Readings
) -> None:
    clerk, rows = sign_in("s001.clerk"), households(2)
    rows[0]["身份证号"] = rows[0]["身份证号"][:-1]
    for _ in range(2):
        found = await imported(runtime, clerk, as_csv(rows), kind="people", name="people.csv")
        assert (found["status"], found["rows_rejected"]) == ("completed_with_errors", 2)
        assert (await clerk.get(f"{IMPORTS}/{found['id']}/errors.csv")).status_code == 200
    assert readings.count == 2
