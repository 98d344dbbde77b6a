"""Every kind that is a table: what its rows become, what changes nothing, what is refused, what undoing does."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import date
from itertools import count
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from app.codes import REGISTRY
from app.db.constraints import MEANING
from app.db.import_writers.number_lookup import find_people
from app.db.import_writers.tables import TARGETS
from app.db.import_writers.target import number_digest
from app.db.session import transaction
from app.db.tables.bureau_notices import BureauNotice
from app.db.tables.stations import OfficialNumber
from app.domain.access import AreaScope
from app.domain.imports.model import Cell
from app.runtime import Runtime
from tests.integration.import_world import csv_of, imported
from tests.integration.kind_kit import CLERK, DISTRICT, TODAY, Bench, counts, parsed
from tests.integration.registry_world import HUANGDUN, MEISHAN, MEISHAN_OTHER, SignIn, fresh_number, registered
from tests.integration.test_import_people import number as household_number
from tests.integration.test_import_people import row as person_row
from tests.world import World

pytestmark = [pytest.mark.db, pytest.mark.usefixtures("world")]

_days = count(1)


def fresh_day() -> str:
    """A day that no other row of this run uses: natural keys hold a day."""
    return date.fromordinal(date(2020, 1, 1).toordinal() + next(_days)).isoformat()


def resident_count() -> dict[str, Cell]:
    return {"区划代码": MEISHAN, "统计日期": fresh_day(), "人口数": "1,853", "户数": 620, "来源": "普查"}


def station(area: str = "350702001") -> dict[str, Cell]:
    return {
        "区划代码": area,
        "工作站名称": "梅山街道民政工作站",
        "成立日期": "2020-01-01",
        "地址": "梅山路 1 号",
        "联系电话": "0599-1234567",
    }


def staff() -> dict[str, Cell]:
    return {
        "区划代码": "350702001",
        "姓名": f"赵测{next(_days)}",
        "编制": "事业",
        "是否专职": "是",
        "岗位": "民政助理员",
        "学历": "大专",
        "考试是否合格": "是",
        "备案日期": "2025-03-01",
        "征求意见日期": "2024-04-20",
        "任职日期": "2024-05-06",
        "离任日期": None,
    }


def informant() -> dict[str, Cell]:
    return {"区划代码": MEISHAN, "姓名": f"钱测{next(_days)}", "手机号": "13812345678", "证号": "M-1", "聘任日期": "2024-01-01"}


def official() -> dict[str, Cell]:
    return {"姓名": "孙测试", "身份证号": fresh_number(), "工作单位": "梅山街道", "职务": "科员", "区划代码": "350702001"}


def death() -> dict[str, Cell]:
    return {"姓名": "李测试", "身份证号": fresh_number(), "死亡日期": "2026-08-01", "来源": "公安", "文号": "S-1", "备注": None}


def detention() -> dict[str, Cell]:
    return {
        "姓名": "周测试",
        "身份证号": fresh_number(),
        "羁押日期": "2026-05-01",
        "措施": "服刑",
        "释放日期": "2027-05-01",
        "来源": "司法局",
    }


def warning() -> dict[str, Cell]:
    who: dict[str, Cell] = {"姓名": "吴测试", "身份证号": fresh_number()}
    return who | {"预警类型": "新购车辆", "预警日期": "2026-10-01", "预警内容": "=名下新增车辆", "来源": "省平台"}


#: Kind → a row, and what may be changed in it.
SAMPLES: dict[str, tuple[Any, dict[str, Cell]]] = {
    "resident_counts": (resident_count, {"人口数": "2000"}),
    "staff": (staff, {"岗位": "社会工作者", "离任日期": "2026-06-01"}),
    "informants": (informant, {"手机号": "13912345678"}),
    "officials": (official, {"职务": "科长", "区划代码": "350702001001"}),
    "death_notices": (death, {"备注": "已核实"}),
    "detention_notices": (detention, {"释放日期": "2027-08-01"}),
    "warnings": (warning, {"预警内容": "名下新增车辆两台"}),
}


@pytest.fixture(scope="session")
async def open_station(runtime: Runtime, world: World) -> None:
    await Bench.of(runtime, "stations").write(station())


@pytest.fixture(params=SAMPLES)
def sample(
    request: pytest.FixtureRequest, runtime: Runtime, open_station: None
) -> tuple[Bench, dict[str, Cell], dict[str, Cell]]:
    make, change = SAMPLES[request.param]
    return Bench.of(runtime, request.param), make(), change


Sample = tuple[Bench, dict[str, Cell], dict[str, Cell]]


async def test_the_same_row_twice_changes_nothing(sample: Sample) -> None:
    bench, row, _ = sample
    assert counts((await bench.write(row))[0]) == (1, 0, 0, 0)
    assert counts((await bench.write(row))[0]) == (0, 0, 1, 0)


async def test_another_row_about_the_same_thing_updates_it(sample: Sample) -> None:
    bench, row, change = sample
    await bench.write(row)
    assert counts((await bench.write(row | change))[0]) == (0, 1, 0, 0)
    assert counts((await bench.write(row | change))[0]) == (0, 0, 1, 0)


async def test_insert_refuses_what_is_there(sample: Sample) -> None:
    bench, row, change = sample
    await bench.write(row, mode="insert")
    applied, _ = await bench.write(row | change, mode="insert")
    assert [fault.code for fault in applied.refused[2]] == ["already_there"]


async def test_undo_takes_away_what_was_created(sample: Sample) -> None:
    bench, row, _ = sample
    _, run = await bench.write(row)
    assert await bench.built_on(run) == {}
    await bench.undo(run)
    assert counts((await bench.write(row))[0]) == (1, 0, 0, 0)


async def test_undo_puts_back_what_was_changed(sample: Sample) -> None:
    bench, row, change = sample
    await bench.write(row)
    _, run = await bench.write(row | change)
    await bench.undo(run)
    assert counts((await bench.write(row))[0]) == (0, 0, 1, 0)
    _, again = await bench.write(row | change)
    assert await bench.built_on(again) == {}


async def test_a_later_import_stands_in_the_way_of_undoing_the_first(sample: Sample) -> None:
    bench, row, change = sample
    _, first = await bench.write(row)
    await bench.write(row | change)
    assert await bench.built_on(first) == {"later_imports": 1}


async def test_what_the_file_does_not_say_is_left_alone(sample: Sample) -> None:
    bench, row, _ = sample
    await bench.write(row)
    kept = {column.title for column in bench.kind.columns if column.required}
    assert counts((await bench.write({title: cell for title, cell in row.items() if title in kept}))[0])[3] == 0
    assert counts((await bench.write(row))[0]) == (0, 0, 1, 0)


async def test_nothing_is_stored_in_the_clear(runtime: Runtime, open_station: None) -> None:
    number, phone = fresh_number(), "13787654321"
    await Bench.of(runtime, "officials").write(official() | {"身份证号": number})
    await Bench.of(runtime, "officials").write(official() | {"身份证号": number, "职务": "站长"})
    await Bench.of(runtime, "death_notices").write(death() | {"身份证号": number})
    await Bench.of(runtime, "informants").write(informant() | {"手机号": phone})
    async with transaction(runtime.engine, DISTRICT) as session:
        for table in ("official", "official_number", "bureau_notice", "informant", "import_mark", "import_before"):
            rows = (await session.execute(text(f"SELECT t::text FROM {table} t"))).scalars().all()
            assert rows
            assert not any(number in row or phone in row for row in rows)
            assert not any(number.encode().hex() in row or phone.encode().hex() in row for row in rows)


async def test_two_imports_of_the_same_rows_at_once_write_them_once(sample: Sample) -> None:
    bench, row, _ = sample
    both = await asyncio.gather(bench.write(row), bench.write(row))
    assert sorted(counts(applied) for applied, _ in both) == [(0, 0, 1, 0), (1, 0, 0, 0)]


@pytest.mark.parametrize("table", ["resident_count", "bureau_notice"])
async def test_rows_go_only_with_the_import_that_made_them(runtime: Runtime, table: str) -> None:
    """The database itself refuses it (a restrictive policy), whatever a statement says."""
    await Bench.of(runtime, "resident_counts").write(resident_count())
    _, run = await Bench.of(runtime, "death_notices").write(death())
    async with transaction(runtime.engine, CLERK) as session:
        before = (await session.execute(text(f"SELECT count(*) FROM {table}"))).scalar_one()
        await session.execute(text(f"DELETE FROM {table}"))
        assert (await session.execute(text(f"SELECT count(*) FROM {table}"))).scalar_one() == before > 0
        await session.execute(text("SELECT set_config('app.undoing', :id, true)"), {"id": str(run.import_id)})
        await session.execute(text(f"DELETE FROM {table}"))
        gone = before - (await session.execute(text(f"SELECT count(*) FROM {table}"))).scalar_one()
        assert gone == (1 if table == "bureau_notice" else 0)
        await session.rollback()


async def test_somebody_quicker_at_the_desk_costs_one_row_and_not_the_file(runtime: Runtime, open_station: None) -> None:
    """The row appears between the look-up and the write; here because it lies in an area that the sender doesn't see."""
    numbers = [fresh_number() for _ in range(5)]
    await Bench.of(runtime, "officials", DISTRICT).write(official() | {"身份证号": numbers[2], "区划代码": "350702002"})
    applied, run = await Bench.of(runtime, "officials").write(*(official() | {"身份证号": number} for number in numbers))
    assert (applied.created, list(applied.refused)) == (4, [4])
    assert (applied.refused[4][0].code, "其他辖区" in applied.refused[4][0].message) == ("official_elsewhere", True)
    await Bench.of(runtime, "officials").undo(run)


def test_the_codes_of_refused_rows_are_published() -> None:
    tables = [*(target.table for target in TARGETS.values()), OfficialNumber, BureauNotice]
    refusing = {
        str(item.name)
        for table in tables
        for item in (*table.__table__.constraints, *table.__table__.indexes)  # type: ignore[attr-defined]
    }
    codes = {MEANING[name][0] for name in refusing & MEANING.keys()}
    assert codes >= {"official_elsewhere", "staff_period_overlaps", "informant_period_overlaps"}
    assert codes <= REGISTRY["import_row_fault"].keys()


# what the kinds check by themselves


@pytest.mark.parametrize(
    ("code", "make", "change", "fault"),
    [
        ("resident_counts", resident_count, {"户数": "1854"}, ("户数", "more_households_than_people")),
        ("resident_counts", resident_count, {"统计日期": "2026-11-21"}, ("统计日期", "date_in_future")),
        ("stations", station, {"联系电话": "打前台"}, ("联系电话", "phone_format")),
        ("stations", station, {"区划代码": MEISHAN}, ("区划代码", "area_code_malformed")),
        ("staff", staff, {"考试是否合格": "否"}, ("备案日期", "filed_without_exam")),
        ("staff", staff, {"征求意见日期": "2024-05-07"}, ("征求意见日期", "consulted_too_late")),
        ("staff", staff, {"离任日期": "2024-05-05"}, ("离任日期", "period_reversed")),
        ("informants", informant, {"手机号": "12345"}, ("手机号", "phone_format")),
        ("death_notices", death, {"死亡日期": "1949-10-01"}, ("死亡日期", "before_birth")),
        ("detention_notices", detention, {"措施": "出差"}, ("措施", "choice_unknown")),
        ("warnings", warning, {"预警类型": ""}, ("预警类型", "required")),
    ],
)
def test_rows_that_cannot_be_right(
    runtime: Runtime, code: str, make: Any, change: Mapping[str, Cell], fault: tuple[str, str]
) -> None:
    _, verdicts = parsed(Bench.of(runtime, code).kind, [make() | change])
    assert [(one.column, one.code) for one in verdicts[2]] == [fault]


# stations


async def test_staff_need_a_station(runtime: Runtime) -> None:
    bench = Bench.of(runtime, "staff", DISTRICT)
    applied, _ = await bench.write(staff() | {"区划代码": "350702003"})
    assert [fault.code for fault in applied.refused[2]] == ["station_unknown"]


async def test_a_second_head_is_refused_and_the_rest_of_the_file_goes_in(runtime: Runtime, open_station: None) -> None:
    bench = Bench.of(runtime, "staff")
    rows = [staff() | {"担任站长或副站长": post, "离任日期": None} for post in (None, "站长", None, "站长", None)]
    applied, run = await bench.write(*rows)
    assert (applied.created, list(applied.refused)) == (4, [5])
    assert (applied.refused[5][0].code, "同一职务" in applied.refused[5][0].message) == ("station_leader_taken", True)
    await bench.undo(run)


async def test_a_station_that_others_rest_on_is_not_taken_away(runtime: Runtime) -> None:
    stations, people = Bench.of(runtime, "stations", DISTRICT), Bench.of(runtime, "staff", DISTRICT)
    _, run = await stations.write(station("350702004"))
    _, hired = await people.write(staff() | {"区划代码": "350702004"})
    assert await stations.built_on(run) == {"dependent_records": 1}
    await people.undo(hired)
    assert await stations.built_on(run) == {}
    await stations.undo(run)


async def test_an_edit_at_the_desk_is_found_and_kept(runtime: Runtime, open_station: None) -> None:
    bench, row = Bench.of(runtime, "staff"), staff()
    _, run = await bench.write(row)
    async with transaction(runtime.engine, CLERK) as session:
        await session.execute(text("UPDATE station_staff SET education = '本科' WHERE name = :name"), {"name": row["姓名"]})
    assert await bench.built_on(run) == {"later_edits": 1}
    assert counts((await bench.write(row))[0]) == (0, 0, 1, 0)  # the file that was imported already doesn't undo the edit


async def test_an_edit_beyond_what_the_file_says_is_kept_too(runtime: Runtime, open_station: None) -> None:
    """One field that the file has and one that it leaves empty: the same file stands for neither."""
    bench, row = Bench.of(runtime, "staff"), staff() | {"学历": None}
    _, run = await bench.write(row)
    async with transaction(runtime.engine, CLERK) as session:
        edit = "UPDATE station_staff SET education = '本科', position = '社会工作者' WHERE name = :name"
        await session.execute(text(edit), {"name": row["姓名"]})
    assert counts((await bench.write(row))[0]) == (0, 0, 1, 0)
    assert await bench.built_on(run) == {"later_edits": 1}
    applied, later = await bench.write(row | {"岗位": "民政协理员"})
    assert counts(applied) == (0, 1, 0, 0)
    await bench.undo(later)
    assert counts((await bench.write(row))[0]) == (0, 0, 1, 0)


# notices and certificates


async def test_a_notice_goes_with_the_person_who_is_registered(runtime: Runtime, sign_in: SignIn) -> None:
    person = fresh_number()
    known = await registered(sign_in("s001.clerk"), MEISHAN_OTHER, id_number=person, name=death()["姓名"])
    unknown = fresh_number()
    await Bench.of(runtime, "death_notices").write(death() | {"身份证号": person}, death() | {"身份证号": unknown})
    async with transaction(runtime.engine, CLERK) as session:
        statement = text("SELECT area_code, person_id FROM bureau_notice WHERE kind = 'death' ORDER BY id DESC LIMIT 2")
        rows = {(row.area_code, row.person_id and str(row.person_id)) for row in await session.execute(statement)}
    assert rows == {(MEISHAN_OTHER, known["id"]), ("350702001", None)}


async def test_reports_meet_the_person_whenever_he_is_registered(runtime: Runtime, sign_in: SignIn) -> None:
    clerk, number = sign_in("s001.clerk"), fresh_number()
    await Bench.of(runtime, "death_notices").write(death() | {"身份证号": number})
    person = await registered(clerk, MEISHAN, id_number=number, name=detention()["姓名"])
    await Bench.of(runtime, "detention_notices").write(detention() | {"身份证号": number})
    await Bench.of(runtime, "warnings").write(warning())
    found = (await clerk.get(f"/api/v1/persons/{person['id']}/bureau-notices")).json()["items"]
    assert [(one["kind"], one["category"], one["person_id"]) for one in found] == [
        ("death", None, None),
        ("detention", "服刑", person["id"]),
    ]
    other = await sign_in("s002.clerk").get(f"/api/v1/persons/{person['id']}/bureau-notices")
    assert other.status_code == 404


async def told(runtime: Runtime, number: str) -> list[tuple[str, str | None]]:
    """Area and person of every report of a death, the earliest first, whoever may see it."""
    digest = number_digest(runtime.keys, "number_digest", number)
    query = text(
        "SELECT area_code, person_id::text FROM bureau_notice WHERE kind = 'death' AND number_digest = :digest ORDER BY id"
    )
    async with transaction(runtime.engine, DISTRICT) as session:
        return [(row.area_code, row.person_id) for row in await session.execute(query, {"digest": digest})]


async def test_what_one_office_was_told_says_nothing_to_another(runtime: Runtime, sign_in: SignIn) -> None:
    """The wrong office's list kept the right one from its own, and told it that there was a report."""
    number = fresh_number()
    person = await registered(sign_in("s002.clerk"), HUANGDUN, id_number=number)
    row = death() | {"身份证号": number, "姓名": person["name"]}
    assert counts((await Bench.of(runtime, "death_notices").write(row))[0]) == (1, 0, 0, 0)
    right = Bench.of(runtime, "death_notices", AreaScope("350702", "350702002"))
    assert counts((await right.write(row))[0]) == (1, 0, 0, 0)
    assert await told(runtime, number) == [("350702001", None), (HUANGDUN, person["id"])]
    district = Bench.of(runtime, "death_notices", DISTRICT)
    assert counts((await district.write(row))[0]) == (0, 0, 1, 0)


async def test_a_list_sent_again_finds_who_has_been_registered_since(runtime: Runtime, sign_in: SignIn) -> None:
    number = fresh_number()
    row = death() | {"身份证号": number}
    notices = Bench.of(runtime, "death_notices")
    await notices.write(row)
    person = await registered(sign_in("s001.clerk"), MEISHAN, id_number=number, name=row["姓名"])
    assert counts((await notices.write(row))[0]) == (0, 1, 0, 0)
    assert await told(runtime, number) == [(MEISHAN, person["id"])]
    assert counts((await notices.write(row))[0]) == (0, 0, 1, 0)


async def test_the_district_sends_a_report_to_where_its_person_lives(runtime: Runtime, sign_in: SignIn) -> None:
    number = fresh_number()
    row = death() | {"身份证号": number}
    person = await registered(sign_in("s002.clerk"), HUANGDUN, id_number=number, name=row["姓名"])
    await Bench.of(runtime, "death_notices").write(row)
    district = Bench.of(runtime, "death_notices", DISTRICT)
    applied, run = await district.write(row)
    assert (counts(applied), await told(runtime, number)) == ((0, 1, 0, 0), [(HUANGDUN, person["id"])])
    await district.undo(run)
    assert await told(runtime, number) == [("350702001", None)]


async def test_a_report_under_another_name_is_refused(runtime: Runtime, sign_in: SignIn) -> None:
    number = fresh_number()
    await registered(sign_in("s001.clerk"), MEISHAN, id_number=number, name="郑测试")
    applied, _ = await Bench.of(runtime, "death_notices").write(death() | {"身份证号": number, "姓名": "完全不同"}, death())
    assert {place: faults[0].code for place, faults in applied.refused.items()} == {2: "name_differs"}
    assert applied.created == 1


async def test_the_list_of_reports_is_narrowed(runtime: Runtime, sign_in: SignIn) -> None:
    clerk, number = sign_in("s001.clerk"), fresh_number()
    await Bench.of(runtime, "death_notices").write(death() | {"身份证号": number}, death())

    async def listed(**query: Any) -> dict[str, Any]:
        found: dict[str, Any] = (await clerk.get("/api/v1/bureau-notices", params={"count": True} | query)).json()
        return found

    assert {one["kind"] for one in (await listed(kind="death", limit=200))["items"]} == {"death"}
    page = await listed(kind="death", registered=False, limit=1)
    assert page["items"][0]["id_number_masked"].count("*") == 10
    following = await listed(kind="death", registered=False, limit=1, cursor=page["next_cursor"])
    assert following["items"][0]["id"] < page["items"][0]["id"]
    assert page["total"] >= 2
    assert (await listed(kind="death", area_code=MEISHAN_OTHER, registered=False))["items"] == []
    others = (await sign_in("s002.clerk").get("/api/v1/bureau-notices", params={"kind": "death", "limit": 200})).json()["items"]
    assert not [one for one in others if not one["area_code"].startswith("350702002")]


async def test_claimed_totals_of_counts_are_compared(runtime: Runtime, sign_in: SignIn) -> None:
    row = {title: str(cell).replace(",", "") for title, cell in resident_count().items()}
    total = ["合计", "", "1900", "620", ""]
    done = await imported(runtime, sign_in("s001.clerk"), csv_of([list(row.values()), total], list(row)), kind="resident_counts")
    assert done["rows_created"] == 1
    texts = [one["message"] for one in done["notices"] if one["code"] == "totals_differ"]
    assert len(texts) == 1
    assert "1900" in texts[0]
    assert "1853" in texts[0]


async def certificate(client: httpx.AsyncClient, area_code: str = MEISHAN) -> dict[str, Cell]:
    """A registered person and the row of the federation's list about him."""
    number = fresh_number()
    await registered(client, area_code, id_number=number, name="郑测试")
    return {"姓名": "郑测试", "身份证号": number, "残疾人证号": number + "43", "发证日期": "2025-02-03"}


async def test_a_certificate_becomes_the_persons_disability_from_its_day_on(runtime: Runtime, sign_in: SignIn) -> None:
    clerk = sign_in("s001.clerk")
    bench, row = Bench.of(runtime, "disability_certificates", DISTRICT), await certificate(clerk)
    applied, _ = await bench.write(row)
    assert counts(applied) == (1, 0, 0, 0)
    assert counts((await bench.write(row))[0]) == (0, 0, 1, 0)
    assert await shown(clerk, row) == ("physical", 3)
    worse = row | {"残疾人证号": str(row["身份证号"]) + "42B1", "发证日期": "2026-02-03", "残疾等级": "二级"}
    applied, run = await bench.write(worse)
    assert counts(applied) == (0, 1, 0, 0)
    assert await shown(clerk, row) == ("physical", 2)
    await bench.undo(run)
    assert await shown(clerk, row) == ("physical", 3)


async def shown(client: httpx.AsyncClient, row: Mapping[str, Cell]) -> tuple[str, int] | None:
    found = (await client.post("/api/v1/persons/search", json={"id_number": row["身份证号"]})).json()["items"][0]
    disability = found["disability"]
    return disability and (disability["category"], disability["grade"])


async def test_undoing_the_first_certificate_leaves_no_disability(runtime: Runtime, sign_in: SignIn) -> None:
    clerk = sign_in("s001.clerk")
    bench, row = Bench.of(runtime, "disability_certificates", DISTRICT), await certificate(clerk)
    _, run = await bench.write(row)
    await bench.undo(run)
    assert await shown(clerk, row) is None
    assert counts((await bench.write(row))[0]) == (1, 0, 0, 0)


LISTED = {"残疾类别": "肢体残疾", "残疾等级": "三级"}


@pytest.mark.parametrize("cared_for", [{}, {"是否需要长期照护": "否"}])
async def test_what_a_list_of_people_says_of_a_later_day_gets_the_certificate(
    runtime: Runtime, sign_in: SignIn, cared_for: dict[str, str]
) -> None:
    clerk = sign_in("s001.clerk")
    bench, row = Bench.of(runtime, "disability_certificates", DISTRICT), await certificate(clerk)
    listed = person_row(household_number(), 姓名=row["姓名"], 身份证号=row["身份证号"]) | LISTED
    people = Bench.of(runtime, "people", DISTRICT)
    await people.write(listed)
    await cared(runtime, row)
    before = await stated(runtime, row)
    applied, run = await bench.write(row | cared_for)
    assert (counts(applied), applied.refused) == ((0, 1, 0, 0), {})
    after = await stated(runtime, row)
    assert [since for since, _ in after] == [date(2025, 2, 3), TODAY]
    assert [value["certificate_no_masked"][-4:] for _, value in after] == [str(row["残疾人证号"])[-4:]] * 2
    assert [value["needs_care"] for _, value in after] == [False, not cared_for]
    assert counts((await bench.write(row | cared_for))[0]) == (0, 0, 1, 0)
    assert counts((await people.write(listed))[0]) == (0, 0, 1, 0)
    assert await bench.built_on(run) == {}
    await bench.undo(run)
    assert await stated(runtime, row) == before


async def test_a_certificate_that_a_later_day_contradicts_is_refused(runtime: Runtime, sign_in: SignIn) -> None:
    clerk = sign_in("s001.clerk")
    bench, row = Bench.of(runtime, "disability_certificates", DISTRICT), await certificate(clerk)
    listed = person_row(household_number(), 姓名=row["姓名"], 身份证号=row["身份证号"]) | LISTED | {"残疾等级": "一级"}
    await Bench.of(runtime, "people", DISTRICT).write(listed)
    applied, _ = await bench.write(row)
    assert {line: [fault.code for fault in faults] for line, faults in applied.refused.items()} == {2: ["later_record_differs"]}
    assert await shown(clerk, row) == ("physical", 1)
    applied, _ = await bench.write(row, mode="insert")
    assert [fault.code for faults in applied.refused.values() for fault in faults] == ["already_there"]


async def test_an_older_certificate_is_history_below_a_newer_one(runtime: Runtime, sign_in: SignIn) -> None:
    clerk = sign_in("s001.clerk")
    bench, row = Bench.of(runtime, "disability_certificates", DISTRICT), await certificate(clerk)
    await bench.write(row)
    older = row | {"残疾人证号": str(row["身份证号"]) + "44", "发证日期": "2015-02-03"}
    applied, run = await bench.write(older)
    assert (counts(applied), applied.refused) == ((1, 0, 0, 0), {})
    assert await shown(clerk, row) == ("physical", 3)
    await bench.undo(run)
    assert [since for since, _ in await stated(runtime, row)] == [date(2025, 2, 3)]


async def stated(runtime: Runtime, row: Mapping[str, Cell]) -> list[tuple[date, dict[str, Any]]]:
    """What stands of somebody's disability, by day; sealed numbers left out, for two seals of one number differ."""
    statement = """
        SELECT f.valid_from, f.value - 'certificate_no_sealed' FROM person_fact f
        WHERE f.person_id = :id AND f.kind = 'disability' AND f.superseded_at IS NULL ORDER BY f.valid_from
    """
    async with transaction(runtime.engine, DISTRICT) as session:
        found = await find_people(DISTRICT, session, runtime.blind_index, [str(row["身份证号"])])
        rows = await session.execute(text(statement), {"id": found[str(row["身份证号"])]["id"]})
        return [(since, value) for since, value in rows]


async def cared(runtime: Runtime, row: Mapping[str, Cell]) -> None:
    """At the desk somebody noted that he needs care, on the day of the list."""
    statement = """
        UPDATE person_fact SET value = value || '{"needs_care": true}' WHERE person_id = :id AND kind = 'disability'
    """
    async with transaction(runtime.engine, DISTRICT) as session:
        found = await find_people(DISTRICT, session, runtime.blind_index, [str(row["身份证号"])])
        await session.execute(text(statement), {"id": found[str(row["身份证号"])]["id"]})


async def test_certificates_of_people_unknown_or_of_another_name_are_refused(runtime: Runtime, sign_in: SignIn) -> None:
    bench, number = Bench.of(runtime, "disability_certificates", DISTRICT), fresh_number()
    row = await certificate(sign_in("s001.clerk"))
    stranger = row | {"身份证号": number, "残疾人证号": number + "11"}
    applied, _ = await bench.write(row | {"姓名": "郑测式"}, stranger)
    assert {line: [fault.code for fault in faults] for line, faults in applied.refused.items()} == {
        2: ["name_differs"],
        3: ["person_unknown"],
    }


def test_a_certificate_has_to_agree_with_its_row(runtime: Runtime) -> None:
    number = fresh_number()
    row = {
        "姓名": "王测试",
        "身份证号": number,
        "残疾人证号": fresh_number() + "43",
        "残疾类别": "肢体",
        "发证日期": "2025-02-03",
    }
    _, verdicts = parsed(Bench.of(runtime, "disability_certificates").kind, [row, row | {"残疾人证号": number + "33"}])
    assert [[fault.code for fault in faults] for faults in verdicts.values()] == [
        ["disability_certificate_holder"],
        ["disability_certificate_category"],
    ]


async def test_marks_from_before_the_migration_keep_edits(runtime: Runtime, open_station: None) -> None:
    bench, one = Bench.of(runtime, "staff"), staff()
    await bench.write(one)
    async with transaction(runtime.engine, CLERK) as session:
        await session.execute(text("UPDATE import_mark SET said = NULL WHERE kind = 'staff'"))
        edit = "UPDATE station_staff SET position = '社会工作者' WHERE name = :name"
        await session.execute(text(edit), {"name": one["姓名"]})
    assert counts((await bench.write(one))[0]) == (0, 0, 1, 0)
