"""Column profiles: what they may say, both ways of each translation, and a foreign file in and out."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import app.db.import_writers.everything  # noqa: F401  (registers the kinds)
from app.domain.imports.model import Cell
from app.domain.imports.profiles import ProfileColumn, ProfileFault, parse_profile
from app.domain.imports.registry import KINDS
from app.domain.money import yuan_text
from app.import_profiles import profiles, read_profiles
from app.runtime import Runtime
from tests.integration.export_kit import csv_rows, file_of, refused_rows
from tests.integration.import_world import imported
from tests.integration.registry_world import MEISHAN, SignIn, fresh_number
from tests.world import World

GOOD: dict[str, Any] = {
    "code": "some_warnings",
    "title": "某平台",
    "kind": "warnings",
    "columns": [
        {"header": "名", "column": "name"},
        {"header": "号", "column": "id_number", "aliases": ["号码"]},
        {"header": "类", "column": "category", "values": {"1": "新购车辆"}},
        {"header": "日", "column": "occurred_on", "date": "YYYYMMDD"},
        {"header": "事", "column": "detail"},
        {"header": "版本", "fixed": "V2"},
    ],
    "fixed": {"source": "某平台"},
}


def changed(**more: Any) -> dict[str, Any]:
    return GOOD | more


def with_column(**more: Any) -> dict[str, Any]:
    return GOOD | {"columns": [*GOOD["columns"], more]}


# single translations


@pytest.mark.parametrize(
    ("pattern", "theirs", "ours"),
    [
        ("YYYYMMDD", "20260105", "2026-01-05"),
        ("YYYYMMDD", 20260105, "2026-01-05"),
        ("YYYY/MM/DD", "2026/1/5", "2026-01-05"),
        ("YYYY年MM月DD日", "2026年1月5日", "2026-01-05"),
        ("YYYYMM", "202601", "2026-01"),
        ("YYYYMMDD", "2026-01-05", "2026-01-05"),  # left as it is: the column's own check reads it
        ("YYYYMMDD", "不详", "不详"),
    ],
)
def test_dates_are_read_by_their_pattern(pattern: str, theirs: Cell, ours: str) -> None:
    assert ProfileColumn("日", "occurred_on", date=pattern).read(theirs) == ours


@given(
    st.dates(date(1900, 1, 1), date(2200, 12, 31)), st.sampled_from(["YYYYMMDD", "YYYY/MM/DD", "YYYY年MM月DD日", "DD.MM.YYYY"])
)
def test_dates_come_back_from_every_pattern(day: date, pattern: str) -> None:
    column = ProfileColumn("日", "occurred_on", date=pattern)
    assert column.read(column.write(day.isoformat())) == day.isoformat()


@given(st.integers(-(10**11), 10**11))
def test_amounts_in_fen_come_back(fen: int) -> None:
    column = ProfileColumn("额", "amount", unit="fen")
    assert column.write(yuan_text(fen)) == str(fen)
    assert column.read(str(fen)) == column.read(fen) == yuan_text(fen)


@given(st.dictionaries(st.text(min_size=1), st.text(min_size=1), min_size=1))
def test_values_come_back_when_each_has_one_name(values: dict[str, str]) -> None:
    values = {
        theirs.strip(): ours for ours, theirs in {ours: theirs for theirs, ours in values.items()}.items() if theirs.strip()
    }
    column = ProfileColumn("类", "category", values=values)
    for theirs, ours in values.items():
        assert column.read(f" {theirs} ") == ours
        if list(values.values()).count(ours) == 1:
            assert column.write(ours) == theirs


def test_what_is_not_in_the_list_passes_unchanged() -> None:
    column = ProfileColumn("类", "category", values={"1": "新购车辆"})
    assert (column.read("新购车辆"), column.write("别的"), column.read(None), column.read(True)) == (
        "新购车辆",
        "别的",
        None,
        True,
    )


# what a profile may say


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("01", "户主"),
        ("1", "户主"),
        (1, "户主"),
        (" 01 ", "户主"),
        ("０１", "户主"),
        (10, "配偶"),
        ("010", "配偶"),
        (2, 2),
        ("甲", "甲"),
    ],
)
def test_codes_are_known_without_their_naughts(theirs: Cell, ours: Cell) -> None:
    """A spreadsheet makes numbers of codes, and 1 of 01."""
    column = ProfileColumn("关系", "relation", values={"01": "户主", "10": "配偶"})
    assert column.read(theirs) == ours
    assert column.write("户主") == "01"


def test_what_only_we_write_is_no_unknown_column() -> None:
    assert parse_profile(GOOD, KINDS).only_written() == {"版本"}


def test_a_code_that_two_could_be_is_not_guessed() -> None:
    column = ProfileColumn("关系", "relation", values={"01": "户主", "1": "配偶"})
    assert [column.read(cell) for cell in ("01", "1", 1, "001")] == ["户主", "配偶", "配偶", "001"]


def test_a_good_profile_names_all_headers() -> None:
    profile = parse_profile(GOOD, KINDS)
    assert profile.headers() == {
        "名": "name",
        "号": "id_number",
        "号码": "id_number",
        "类": "category",
        "日": "occurred_on",
        "事": "detail",
    }
    assert profile.write({"name": "张三", "category": "新购车辆", "occurred_on": "2026-01-05"}) == [
        "张三",
        "",
        "1",
        "20260105",
        "",
        "V2",
    ]


@pytest.mark.parametrize(
    ("document", "place"),
    [
        ([], "document"),
        (changed(kind="dragons"), "kind"),
        (changed(directions=["sideways"]), "directions"),
        (changed(colour="red"), "colour"),
        (changed(columns=[]), "columns"),
        (changed(title=" "), "title"),
        (changed(fixed={"nothing": "x"}), "nothing"),
        (changed(fixed={}), "source"),
        (with_column(header="名", column="document_no"), "twice"),
        (with_column(header="来", column="source"), "twice"),
        (with_column(header="来", column="nothing"), "nothing"),
        (with_column(header="来"), "fixed"),
        (with_column(header="来", column="document_no", date="DD"), "date"),
        (with_column(header="来", column="document_no", unit="li"), "unit"),
        (with_column(header="来", column="document_no", values={1: "一"}), "quotation"),
        (with_column(header="来", column="document_no", values={"是": True}), "quotation"),
    ],
)
def test_a_profile_that_cannot_be_right_is_refused_by_place(document: object, place: str) -> None:
    with pytest.raises(ProfileFault, match=place):
        parse_profile(document, KINDS)


def test_a_file_of_profiles_has_to_bear_the_code_as_its_name(tmp_path: Path) -> None:
    (tmp_path / "other.yaml").write_text("code: some\ntitle: x\nkind: warnings\ncolumns: [{header: a, column: name}]\n", "utf-8")
    with pytest.raises(ProfileFault, match=r"other\.yaml"):
        read_profiles(tmp_path, KINDS)
    (tmp_path / "other.yaml").write_text("a: [", "utf-8")
    with pytest.raises(ProfileFault, match=r"other\.yaml"):
        read_profiles(tmp_path, KINDS)


def test_the_profiles_of_this_release_are_right_and_lose_nothing() -> None:
    """Every value that is translated on the way out is read back as itself."""
    wanted = {"province_people", "province_entitlements", "yikatong_payees", "verification_list", "monitoring_warnings"}
    assert wanted <= set(profiles())
    for profile in profiles().values():
        kind = KINDS[profile.kind]
        for column in profile.columns:
            if column.column is None:
                continue
            cell = kind.column(column.column).cell
            for theirs, ours in column.values.items():
                values, faults = cell.parse([ours])
                assert not faults, (profile.code, column.header, ours)
                assert values[0] is not None
                if profile.directions == {"import", "export"}:
                    assert column.write(cell.write(values[0])) == theirs, (profile.code, column.header, ours)


# whole files


def foreign(header: Sequence[str], *rows: Sequence[str]) -> bytes:
    file = io.StringIO(newline="")
    csv.writer(file).writerows([header, *rows])
    return file.getvalue().encode("gb18030")


@pytest.mark.db
async def test_a_list_of_warnings_comes_in_as_the_platform_writes_it(runtime: Runtime, world: World, sign_in: SignIn) -> None:
    clerk, number = sign_in("s001.clerk"), fresh_number()
    header = ["预警编号", "对象姓名", "公民身份号码", "预警类别", "预警时间", "预警描述", "所属区划"]
    row = ["Y-1", "吴测试", number, "01", "20261001", "名下新增车辆", MEISHAN]
    file = foreign(header, row)
    done = await imported(runtime, clerk, file, kind="warnings", profile="monitoring_warnings")
    assert (done["status"], done["rows_created"]) == ("succeeded", 1), done
    found = [one for one in csv_rows(await file_of(runtime, clerk, "warnings", plain=True))[1] if one["身份证号"] == number]
    assert [(one["预警类型"], one["预警日期"], one["来源"]) for one in found] == [
        ("新购车辆", "2026-10-01", "低收入人口动态监测平台")
    ]


@pytest.mark.db
async def test_people_go_out_as_the_province_writes_them_and_come_back(runtime: Runtime, world: World, sign_in: SignIn) -> None:
    worker, number = sign_in("c001001.worker"), fresh_number()
    header = ["户编号", "姓名", "身份证号", "与户主关系", "户口性质", "区划代码", "月收入(元)", "婚姻状况"]
    row = [f"P-{number[-6:]}", "冯测试", number, "户主", "农村", MEISHAN, "1,200", "丧偶"]
    assert (await imported(runtime, worker, foreign(header, row), kind="people"))["rows_created"] == 1
    file = await file_of(runtime, worker, "people", plain=True, profile="province_people")
    one = next(one for one in csv_rows(file)[1] if one["证件号码"] == number)
    wanted = {"证件种类": "01", "与户主关系": "01", "户口类别": "1", "婚姻状况": "30", "月均收入": "1200.00"}
    assert {header: one[header] for header in wanted} == wanted
    back = await imported(runtime, worker, file, kind="people", profile="province_people")
    assert (back["rows_unchanged"], back["rows_rejected"]) == (back["rows_total"], 0), back


@pytest.mark.db
async def test_rolls_and_accounts_go_out_in_foreign_words_and_come_back(runtime: Runtime, world: World, sign_in: SignIn) -> None:
    reviewer, number = sign_in("district.reviewer"), fresh_number()
    no = f"E-{number[-8:]}"
    header = ["户编号", "姓名", "身份证号", "与户主关系", "户口性质", "区划代码", "开户银行", "银行账号", "户名", "账户类型"]
    row = [no, "蒋测试", number, "户主", "城镇", MEISHAN, "农商银行", "6010-777", "蒋测试", "存折"]
    await imported(runtime, reviewer, foreign(header, row), kind="people")
    header = ["家庭编码", "救助类型", "月救助金额", "其中分类施保", "保障人口数", "享受起始年月", "城乡类型"]
    file = foreign(header, [no, "101", "68050", "5000", "1", "202403", "2"])
    done = await imported(runtime, reviewer, file, kind="entitlements", profile="province_entitlements")
    assert (done["status"], done["rows_created"]) == ("succeeded", 1), done
    expected = {
        "province_entitlements": {"救助类型": "101", "月救助金额": "68050", "享受起始年月": "202403", "城乡类型": "2"},
        "yikatong_payees": {"社保卡银行账号": "6010777", "账户性质": "2", "补贴年度项目": "社会救助"},
    }
    for code, cells in expected.items():
        profile = profiles()[code]
        file = await file_of(runtime, reviewer, profile.kind, plain=True, profile=code)
        mine = next(one for one in csv_rows(file)[1] if no in one.values())
        assert {title: mine[title] for title in cells} == cells
        back = await imported(runtime, reviewer, file, kind=profile.kind, profile=code)
        assert await refused_rows(reviewer, back) == []
        assert back["rows_unchanged"] + back["rows_rejected"] == back["rows_total"]


@pytest.mark.db
async def test_a_list_for_verification_has_what_the_centre_wants(runtime: Runtime, world: World, sign_in: SignIn) -> None:
    file = await file_of(runtime, sign_in("c001001.worker"), "people", plain=True, profile="verification_list")
    rows = csv_rows(file)[1]
    assert {row["核对类型"] for row in rows} <= {"社会救助"}
    assert all(set(row) == {column.header for column in profiles()["verification_list"].columns} for row in rows)


@pytest.mark.db
async def test_the_profiles_are_published(world: World, sign_in: SignIn) -> None:
    answer = await sign_in("district.reviewer").get("/api/v1/import-profiles")
    assert {one["code"] for one in answer.json()["items"]} == set(profiles())


@pytest.mark.db
@pytest.mark.parametrize(("profile", "kind"), [("verification_list", "people"), ("monitoring_warnings", "people")])
async def test_a_profile_is_for_its_kind_and_its_direction(world: World, sign_in: SignIn, profile: str, kind: str) -> None:
    form = {"kind": kind, "profile": profile}
    sent = {"data": form, "files": {"file": ("x.csv", b"a,b\n1,2\n")}, "headers": {"Idempotency-Key": profile}}
    answer = await sign_in("district.reviewer").post("/api/v1/imports", **sent)  # type: ignore[arg-type]
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (422, "unknown_profile")
