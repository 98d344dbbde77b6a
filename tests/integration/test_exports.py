"""Exports: the same kinds back out, in one's area, with a watermark, on record; and an export that is sent in changes nothing."""

from __future__ import annotations

import io
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from openpyxl import load_workbook  # type: ignore[import-untyped]
from sqlalchemy import text

from app.db.export_readers import reader_of
from app.db.import_writers import writer_of
from app.db.session import transaction
from app.domain.imports.registry import KINDS
from app.jobs.export_retention import forget_old_exports
from app.runtime import Runtime
from tests.integration import test_import_kinds as samples
from tests.integration.export_kit import PURPOSE, WHOLE, ask, content, csv_rows, exported, file_of, refused_rows, sheet_rows
from tests.integration.import_world import csv_of, imported
from tests.integration.kind_kit import DISTRICT, Bench
from tests.integration.registry_world import HUANGDUN, MEISHAN, SignIn, card, fresh_number
from tests.world import World

pytestmark = [pytest.mark.db, pytest.mark.usefixtures("world")]

OURS = [kind for kind in KINDS.values() if not kind.code.startswith("test_")]
ROWS_EACH = 3


@pytest.fixture(scope="session")
async def filled(runtime: Runtime, world: World, sign_in: SignIn) -> None:  # the world first: areas, accounts
    """Some rows of every kind that is a table, in two sub-districts."""
    await Bench.of(runtime, "stations", DISTRICT).write(samples.station(), samples.station("350702002"))
    for code, (make, _) in samples.SAMPLES.items():
        await Bench.of(runtime, code, DISTRICT).write(*(make() for _ in range(ROWS_EACH)))
    await Bench.of(runtime, "informants", DISTRICT).write(samples.informant() | {"区划代码": HUANGDUN})
    for clerk, area in (("s001.clerk", MEISHAN), ("s002.clerk", HUANGDUN)):
        row = await samples.certificate(sign_in(clerk), area)
        await Bench.of(runtime, "disability_certificates", DISTRICT).write(row)
    people = [one for area in (MEISHAN, HUANGDUN) for one in household(area)]
    rolls = [roll(people[:2]), roll(people[3:]), roll(people[2:3], "高龄津贴")]
    payees = [
        {"户编号": people[0]["户编号"], "户名": "沈测试", "开户银行": "农商银行", "银行账号": "6010-12345", "账户类型": "存折"}
    ]
    for code, rows in (("people", people), ("entitlements", rolls), ("payees", payees)):
        done = await imported(runtime, sign_in("district.reviewer"), file_with(rows), kind=code)
        assert (done["rows_rejected"], done["rows_unchanged"]) == (0, 0), done


def file_with(rows: list[dict[str, str]]) -> bytes:
    header = list(dict.fromkeys(title for row in rows for title in row))
    return csv_of([[row.get(title, "") for title in header] for row in rows], header)


def household(area: str) -> list[dict[str, str]]:
    """Three people with everything that a row can say."""
    numbers = [fresh_number(), fresh_number(), fresh_number(date(1940, 3, 3))]
    shared = {"户编号": f"X-{numbers[0][-8:]}", "户口性质": "农村", "区划代码": area, "住址": "和平路 1 号", "民族": "汉族"}
    head = {"姓名": "沈测试", "与户主关系": "户主", "手机号": "13812345678", "婚姻状况": "已婚", "就业状况": "务农"}
    head |= {"月收入(元)": "1,200.50", "户籍区划代码": "350702", "残疾类别": "肢体", "残疾等级": "三级"}
    head |= {"残疾人证号": f"{numbers[0]}43", "是否重病": "是"}
    account = {"开户银行": "农商银行", "银行账号": card(), "户名": "沈测试", "账户类型": "银行卡"}
    others = [{"姓名": "韩测试", "与户主关系": "配偶", "学业状况": "本科"}, {"姓名": "沈老", "与户主关系": "父母"}]
    return [shared | {"身份证号": number} | one for number, one in zip(numbers, [head | account, *others], strict=True)]


def roll(people: list[dict[str, str]], programme: str = "最低生活保障") -> dict[str, str]:
    row = {"户编号": people[0]["户编号"], "项目": programme, "月保障金额(元)": "680.50", "保障人数": str(len(people))}
    row |= {"起始月份": "2024-03", "类别": "A类", "救助证号": "Z-1", "文号": "民救〔2024〕1 号", "下次复核日": "2027-03-01"}
    if programme == "高龄津贴":
        return row | {"身份证号": people[0]["身份证号"]}
    return row | {"分类施保金额(元)": "80.5", "保障人员身份证号": "、".join(one["身份证号"] for one in people)}


def exporter_of(code: str) -> str:
    return "district.canlian" if code == "disability_certificates" else "district.reviewer"


@pytest.mark.parametrize("kind", OURS, ids=lambda kind: kind.code)
def test_every_kind_can_be_written_and_read(kind: Any) -> None:
    assert writer_of(kind) is not None
    assert reader_of(kind) is not None


@pytest.mark.parametrize("file_format", ["csv", "xlsx"])
@pytest.mark.parametrize("code", [kind.code for kind in OURS])
async def test_an_export_that_is_sent_in_changes_nothing(
    runtime: Runtime, sign_in: SignIn, filled: None, code: str, file_format: str
) -> None:
    client = sign_in(exporter_of(code))
    file = await file_of(runtime, client, code, plain=True, format=file_format)
    sent = await imported(runtime, client, file, kind=code, name=f"x.{file_format}")
    assert await refused_rows(client, sent) == []
    assert sent["rows_unchanged"] + sent["rows_rejected"] == sent["rows_total"]
    assert sent["rows_unchanged"] >= 1
    assert [notice for notice in sent["notices"] if notice["code"] != "rows_skipped"] == []


@pytest.mark.parametrize("file_format", ["csv", "xlsx"])
async def test_an_export_of_nothing_is_no_fault(runtime: Runtime, sign_in: SignIn, filled: None, file_format: str) -> None:
    client = sign_in("district.reviewer")
    file = await file_of(runtime, client, "stations", format=file_format, area_code=MEISHAN)
    sent = await imported(runtime, client, file, kind="stations", name=f"x.{file_format}")
    assert (sent["status"], sent["rows_total"], sent["problem"], sent["notices"]) == ("succeeded", 0, None, [])


async def test_rolls_and_payees_say_what_was_imported(runtime: Runtime, sign_in: SignIn, filled: None) -> None:
    client = sign_in("district.reviewer")
    rolls = csv_rows(await file_of(runtime, client, "entitlements", plain=True))[1]
    dibao = next(row for row in rolls if row["项目"] == "最低生活保障" and row["救助证号"] == "Z-1")
    wanted = {"月保障金额(元)": "680.50", "分类施保金额(元)": "80.50", "起始月份": "2024-03", "城乡": "农村", "类别": "A类"}
    assert {title: dibao[title] for title in wanted} == wanted
    assert len(dibao["保障人员身份证号"].split("、")) == int(dibao["保障人数"])
    masked = csv_rows(await file_of(runtime, client, "entitlements"))[1]
    assert all("*" in number for row in masked for number in row["保障人员身份证号"].split("、") if number)
    payees = csv_rows(await file_of(runtime, client, "payees", plain=True))[1]
    assert {"银行账号": "601012345", "账户类型": "存折", "开户银行": "农商银行"}.items() <= {
        title: cell for row in payees if row["银行账号"] == "601012345" for title, cell in row.items()
    }.items()


async def test_what_would_be_a_formula_is_kept_from_being_one_and_comes_back(
    runtime: Runtime, sign_in: SignIn, filled: None
) -> None:
    bench, client = Bench.of(runtime, "warnings", DISTRICT), sign_in("district.reviewer")
    texts = ["=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "'=quoted", "'plain", "-5.00", "＝全角", "1e5 元"]
    await bench.write(*(samples.warning() | {"预警内容": one} for one in texts))
    file = await file_of(runtime, client, "warnings", plain=True)
    found = [row["预警内容"] for row in csv_rows(file)[1]]
    assert not any(one.startswith(("=", "+", "@", "-2", "＝")) for one in found)
    assert {"'=1+1", "''=quoted", "-5.00", "'＝全角"} <= set(found)
    assert (await imported(runtime, client, file, kind="warnings"))["rows_updated"] == 0
    book = await file_of(runtime, client, "warnings", plain=True, format="xlsx")
    cells = [cell for row in load_workbook(io.BytesIO(book)).active.iter_rows() for cell in row if cell.value is not None]
    assert {cell.data_type for cell in cells} == {"s"}
    assert set(texts) <= {cell.value for cell in cells}
    assert (await imported(runtime, client, book, kind="warnings", name="x.xlsx"))["rows_updated"] == 0


async def test_numbers_are_masked_unless_they_are_asked_for(runtime: Runtime, sign_in: SignIn, filled: None) -> None:
    client, number = sign_in("district.reviewer"), fresh_number()
    await Bench.of(runtime, "officials", DISTRICT).write(samples.official() | {"身份证号": number})
    masked, plain = [await file_of(runtime, client, "officials", plain=wanted) for wanted in (False, True)]
    assert number not in masked.decode()
    assert f"{number[:4]}**********{number[-4:]}" in masked.decode()
    assert number in plain.decode()
    refused = await imported(runtime, client, masked, kind="officials")
    assert refused["rows_rejected"] == refused["rows_total"]


async def test_the_file_says_where_it_comes_from(runtime: Runtime, sign_in: SignIn, filled: None) -> None:
    client = sign_in("district.reviewer")
    export = await exported(runtime, client, "informants")
    title, note = csv_rows(await content(client, export))[0]
    assert "民政信息监督员" in title
    assert "脱敏" in title
    assert "district.reviewer" in note
    assert PURPOSE in note
    assert export["id"] in note
    book = await exported(runtime, client, "informants", format="xlsx")
    sheet = load_workbook(io.BytesIO(await content(client, book)))
    assert sheet.properties.creator == "district.reviewer"
    assert sheet.properties.subject == PURPOSE
    assert book["id"] in sheet.properties.description
    assert book["id"] in sheet.active.oddFooter.left.text
    assert book["id"] in sheet.active["A2"].value


async def test_text_stays_text_in_workbooks(runtime: Runtime, sign_in: SignIn, filled: None) -> None:
    rows = sheet_rows(await file_of(runtime, sign_in("district.reviewer"), "officials", plain=True, format="xlsx"))
    place = rows[2].index("身份证号")
    assert all(isinstance(row[place], str) and len(row[place]) == 18 for row in rows[3:])


# whose rows


async def test_a_clerk_gets_the_rows_of_his_area(runtime: Runtime, sign_in: SignIn, filled: None) -> None:
    async def areas(username: str, **body: Any) -> set[str]:
        file = await file_of(runtime, sign_in(username), "informants", **body)
        return {row["区划代码"][:9] for row in csv_rows(file)[1]}

    assert await areas("s001.clerk") == {"350702001"}
    assert await areas("district.reviewer") == {"350702001", "350702002"}
    assert await areas("district.reviewer", area_code="350702002") == {"350702002"}


async def test_an_area_outside_ones_own_is_not_there(sign_in: SignIn) -> None:
    clerk = sign_in("s001.clerk")
    outside = await ask(clerk, "informants", area_code="350702002")
    nowhere = await ask(clerk, "informants", area_code="350702999")
    assert (outside.status_code, outside.json()["code"]) == (404, "area_not_found")
    assert nowhere.status_code == 404


@pytest.mark.parametrize(
    ("username", "code", "status"),
    [
        ("s001.clerk", "disability_certificates", 403),
        ("district.canlian", "officials", 403),
        ("district.canlian", "disability_certificates", 202),
        ("district.approver", "officials", 403),
    ],
)
async def test_a_kind_names_who_may_export_it(sign_in: SignIn, username: str, code: str, status: int) -> None:
    assert (await ask(sign_in(username), code)).status_code == status


@pytest.mark.parametrize(
    ("body", "pointer", "code"),
    [
        ({"kind": "dragons"}, "/kind", "unknown_kind"),
        ({"purpose": "核对 350702199001011234"}, "/purpose", "purpose_has_number"),
        ({"purpose": " "}, "/purpose", "too_short"),
        ({"profile": "nobody"}, "/profile", "unknown_profile"),
        ({"format": "pdf"}, "/format", "unknown_value"),
        ({"as_of": "2090-01-01"}, "/as_of", "date_in_future"),
    ],
)
async def test_orders_that_cannot_be_met(sign_in: SignIn, body: dict[str, Any], pointer: str, code: str) -> None:
    answer = await ask(sign_in("district.reviewer"), body.pop("kind", "officials"), **body)
    assert answer.status_code == 422
    assert [(one["pointer"], one["code"]) for one in answer.json()["errors"]] == [(pointer, code)]


async def test_only_who_asked_for_it_gets_the_file(runtime: Runtime, sign_in: SignIn, filled: None) -> None:
    export = await exported(runtime, sign_in("district.reviewer"), "officials", plain=True)
    path = f"/api/v1/exports/{export['id']}/content"
    for username, code in (("district.finance", "export_of_another"), ("district.canlian", "export_duty_required")):
        answer = await sign_in(username).get(path)
        assert (answer.status_code, answer.json()["code"]) == (403, code)
    assert (await sign_in("s001.clerk").get(f"/api/v1/exports/{export['id']}")).status_code == 404


async def test_there_is_no_file_before_it_is_made(sign_in: SignIn) -> None:
    client = sign_in("district.reviewer")
    location = (await ask(client, "stations")).headers["Location"]
    answer = await client.get(f"{location}/content")
    assert (answer.status_code, answer.json()["code"]) == (409, "export_not_finished")
    assert (await client.get(location)).json()["status"] == "queued"


async def test_the_list_shows_the_newest_first(runtime: Runtime, sign_in: SignIn) -> None:
    client = sign_in("s002.clerk")
    ids = [(await exported(runtime, client, "informants"))["id"] for _ in range(3)]
    page = (await client.get("/api/v1/exports", params={"limit": 2, "count": True})).json()
    assert [one["id"] for one in page["items"]] == ids[:0:-1]
    rest = (await client.get("/api/v1/exports", params={"cursor": page["next_cursor"]})).json()
    assert rest["items"][0]["id"] == ids[0]


# on record and under seal


async def test_taking_numbers_out_is_on_record(runtime: Runtime, sign_in: SignIn, filled: None) -> None:
    client = sign_in("district.reviewer")
    export = await exported(runtime, client, "officials", plain=True)
    await content(client, export)
    async with transaction(runtime.engine, WHOLE) as session:
        statement = text("SELECT action, reason, fields, details FROM audit_record WHERE subject_id = :id ORDER BY id")
        rows = {row.action: row for row in await session.execute(statement, {"id": export["id"]})}
    assert set(rows) == {"export.request", "export.made", "export.download"}
    assert rows["export.made"].fields == ["id_number"]
    assert rows["export.made"].details["rows"] == export["rows"] > 0
    assert rows["export.made"].reason == PURPOSE


async def test_the_file_is_kept_under_seal(runtime: Runtime, sign_in: SignIn, filled: None) -> None:
    export = await exported(runtime, sign_in("district.reviewer"), "officials", plain=True)
    async with transaction(runtime.engine, WHOLE) as session:
        statement = text("SELECT content_sealed FROM stored_file_part WHERE district = '350702'")
        parts = (await session.execute(statement)).scalars().all()
    assert export["size_bytes"] > 0
    assert not any("身份证号".encode() in part for part in parts)


async def test_files_lie_ready_for_some_days_only(runtime: Runtime, sign_in: SignIn, filled: None) -> None:
    client = sign_in("district.reviewer")
    old, young = [await exported(runtime, client, "stations") for _ in range(2)]
    days = runtime.settings.export_content_days
    finished, until = (datetime.fromisoformat(young[name]) for name in ("finished_at", "available_until"))
    assert until - finished == timedelta(days=days)
    async with transaction(runtime.engine, WHOLE) as session:
        aged = text("UPDATE export_run SET finished_at = finished_at - make_interval(days => :d) WHERE id = :i")
        await session.execute(aged, {"d": days, "i": old["id"]})
    assert await forget_old_exports(runtime) >= 1
    gone = await client.get(f"/api/v1/exports/{old['id']}/content")
    assert (gone.status_code, gone.json()["code"]) == (404, "export_expired")
    assert "重新导出" in gone.json()["detail"]
    assert (await client.get(f"/api/v1/exports/{old['id']}")).json()["rows"] == old["rows"]
    assert await content(client, young)


async def test_too_many_rows_for_a_workbook_are_refused_with_a_way_out(
    runtime: Runtime, sign_in: SignIn, filled: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.sheets.workbook_writing.XLSX_ROWS", 5)
    export = await exported(runtime, sign_in("district.reviewer"), "informants", format="xlsx")
    assert (export["status"], export["problem"]["code"]) == ("failed", "export_too_many_rows")
    assert "csv" in export["problem"]["detail"]


async def test_a_reader_goes_on_where_it_stopped(
    runtime: Runtime, sign_in: SignIn, filled: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = sign_in("district.reviewer")
    once = csv_rows(await file_of(runtime, client, "informants", plain=True))[1]
    monkeypatch.setattr("app.db.export_readers.table.CHUNK_ROWS", 2)
    assert csv_rows(await file_of(runtime, client, "informants", plain=True))[1] == once
