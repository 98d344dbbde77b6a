"""A file against what is on record: before it is imported (a dry run), and after."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

import httpx
import pytest
from openpyxl import load_workbook  # type: ignore[import-untyped]

from app import import_reconciliation
from app.domain.access import AreaScope
from app.domain.imports.model import Cell
from app.runtime import Runtime
from tests.integration import test_import_kinds as samples
from tests.integration.import_world import csv_of, imported, send
from tests.integration.kind_kit import DISTRICT, Bench
from tests.integration.registry_world import HUANGDUN, MEISHAN, MEISHAN_OTHER, SignIn, fresh_number

pytestmark = [pytest.mark.db, pytest.mark.usefixtures("world")]


def file_of(*rows: Mapping[str, Cell]) -> bytes:
    header = list(rows[0])
    return csv_of([["" if row[title] is None else str(row[title]) for title in header] for row in rows], header)


async def reconciled(client: httpx.AsyncClient, import_id: str, **query: Any) -> dict[str, Any]:
    answer = await client.get(f"/api/v1/imports/{import_id}/reconciliation", params=query)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def informant(area: str = MEISHAN_OTHER, **more: Cell) -> dict[str, Cell]:
    return samples.informant() | {"区划代码": area} | more


def tally(found: Mapping[str, Any]) -> tuple[int, ...]:
    return tuple(found[name] for name in ("rows", "rejected", "same", "new", "differing", "missing"))


async def test_a_dry_run_is_compared_with_what_is_on_record(runtime: Runtime, sign_in: SignIn) -> None:
    """Ours in communities that the file doesn't name are no business of the file."""
    clerk, bench = sign_in("s001.clerk"), Bench.of(runtime, "informants", DISTRICT)
    same, other, ours, elsewhere = informant(), informant(), informant(), informant(MEISHAN)
    await bench.write(same, other, ours, elsewhere)
    before = tally(
        await reconciled(clerk, (await imported(runtime, clerk, file_of(same), kind="informants", dry_run="true"))["id"])
    )
    new, broken = informant(), informant(手机号="123")
    file = file_of(same, other | {"手机号": "13900001111", "证号": None}, new, broken)
    run = await imported(runtime, clerk, file, kind="informants", dry_run="true")
    found = await reconciled(clerk, run["id"])
    assert tally(found) == (3, 1, 1, 1, 1, before[5] - 1)
    assert [(one["finding"], one["row"]) for one in found["differences"][:2]] == [("differing", 3), ("new", 4)]
    assert found["differences"][0]["fields"] == [{"column": "手机号", "ours": "138****5678", "theirs": "139****1111"}]
    missing = {one["key"]["姓名"] for one in found["differences"] if one["finding"] == "missing"}
    assert ours["姓名"] in missing
    assert elsewhere["姓名"] not in missing


async def test_what_the_file_has_wrong_is_not_missing_from_it(runtime: Runtime, sign_in: SignIn) -> None:
    clerk, bench = sign_in("s001.clerk"), Bench.of(runtime, "informants", DISTRICT)
    ours, other = informant(), informant()
    await bench.write(ours, other)
    run = await imported(runtime, clerk, file_of(ours | {"手机号": "123"}, other), kind="informants", dry_run="true")
    found = await reconciled(clerk, run["id"], shown=200)
    assert (found["rejected"], found["same"]) == (1, 1)
    assert ours["姓名"] not in {one["key"]["姓名"] for one in found["differences"]}


async def test_after_the_import_nothing_differs(runtime: Runtime, sign_in: SignIn) -> None:
    clerk, rows = sign_in("s001.clerk"), [informant() for _ in range(3)]
    run = await imported(runtime, clerk, file_of(*rows), kind="informants")
    assert tally(await reconciled(clerk, run["id"]))[:5] == (3, 0, 3, 0, 0)


async def test_people_are_compared_with_their_households(runtime: Runtime, sign_in: SignIn) -> None:
    worker, number, second = sign_in("c001001.worker"), fresh_number(), fresh_number()
    row = {
        "户编号": f"R-{number[-6:]}",
        "姓名": "卫测试",
        "身份证号": number,
        "与户主关系": "户主",
        "户口性质": "农村",
        "区划代码": MEISHAN,
    }
    await imported(runtime, worker, file_of(row), kind="people")
    changed = row | {"姓名": "卫测式", "户口性质": "城镇"}
    spouse = row | {"身份证号": second, "与户主关系": "配偶"}
    run = await imported(runtime, worker, file_of(changed, spouse), kind="people", dry_run="true")
    found = await reconciled(worker, run["id"], shown=2)
    assert tally(found)[:5] == (2, 0, 0, 1, 1)
    assert [field["column"] for field in found["differences"][0]["fields"]] == ["姓名", "户口性质"]
    assert found["differences"][1]["key"] == {"身份证号": f"{second[:4]}**********{second[-4:]}"}


async def test_the_workbook_has_everything(runtime: Runtime, sign_in: SignIn) -> None:
    clerk, number = sign_in("s001.clerk"), fresh_number()
    rows = [samples.official() | {"身份证号": number}, samples.official()]
    run = await imported(runtime, clerk, file_of(*rows), kind="officials", dry_run="true")
    answer = await clerk.get(f"/api/v1/imports/{run['id']}/reconciliation.xlsx")
    book = load_workbook(io.BytesIO(answer.content))
    assert book.sheetnames == ["汇总", "文件有系统没有", "两边不一致", "系统有文件没有"]
    assert len(list(book["文件有系统没有"].iter_rows(min_row=2))) == 2
    cells = {str(cell) for sheet in book for row in sheet.iter_rows(values_only=True) for cell in row}
    assert number not in cells


async def test_an_import_that_has_not_ended_cannot_be_reconciled(sign_in: SignIn) -> None:
    clerk = sign_in("s001.clerk")
    run = (await send(clerk, file_of(informant()), kind="informants")).json()
    answer = await clerk.get(f"/api/v1/imports/{run['id']}/reconciliation")
    assert (answer.status_code, answer.json()["code"]) == (409, "import_not_finished")


async def test_a_file_that_failed_cannot_be_reconciled(runtime: Runtime, sign_in: SignIn) -> None:
    clerk = sign_in("s001.clerk")
    run = await imported(runtime, clerk, "无,关\n1,2\n".encode(), kind="informants")
    answer = await clerk.get(f"/api/v1/imports/{run['id']}/reconciliation")
    assert (run["status"], answer.json()["code"]) == ("failed", "import_failed")


async def test_only_who_may_see_the_rows_may_compare_them(runtime: Runtime, sign_in: SignIn) -> None:
    reviewer = sign_in("district.reviewer")
    row = samples.informant() | {"区划代码": HUANGDUN}
    run = await imported(runtime, reviewer, file_of(row), kind="informants", dry_run="true")
    path = f"/api/v1/imports/{run['id']}/reconciliation"
    assert (await sign_in("s001.clerk").get(path)).status_code == 404
    assert (await sign_in("district.canlian").get(path)).status_code == 403


@pytest.mark.parametrize(
    ("scope", "by"), [("350702", "请按乡镇（街道）拆分"), ("350702001", "请按村（社区）拆分"), ("350702001001", "请拆分")]
)
def test_too_large_a_file_is_split_by_the_areas_below(scope: str, by: str) -> None:
    assert by in import_reconciliation._too_large(AreaScope("350702", scope)).detail
