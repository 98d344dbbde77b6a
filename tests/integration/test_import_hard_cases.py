"""Rows and lists that once went wrong without anybody being told."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection
from datetime import date
from typing import Any

import pytest
from sqlalchemy import text

from app.db.repositories.imports import ImportRepository
from app.db.session import transaction
from app.domain.access import AreaScope
from app.domain.imports.registry import KINDS
from app.import_profiles import find_profile
from app.runtime import Runtime
from tests.integration.import_world import csv_of, imported, shown, started, work
from tests.integration.kind_kit import CLERK, DISTRICT, Bench, counts
from tests.integration.registry_world import HUANGDUN, MEISHAN, MEISHAN_OTHER, SignIn, card, fresh_number
from tests.integration.test_import_entitlements import home, roll
from tests.integration.test_import_kinds import staff, station
from tests.integration.test_import_people import number, row

pytestmark = [pytest.mark.db, pytest.mark.usefixtures("world")]


async def value(runtime: Runtime, query: str, **bound: Any) -> Any:
    async with transaction(runtime.engine, DISTRICT) as session:
        return (await session.execute(text(query), bound)).scalar_one()


# money


@pytest.mark.parametrize(
    ("cell", "fen"),
    [
        ("62000", 62_000),
        ("62,000", 62_000),
        ("６２０００", 62_000),
        ("62000.00", 62_000),
        (62_000, 62_000),
        ("", None),
        (None, None),
        ("62000元", "amount_format"),
        ("62 000", "amount_format"),
        ("620.5", "amount_format"),
        ("6,20,00", "amount_format"),
    ],
)
def test_fen_are_never_read_as_yuan(cell: Any, fen: int | str | None) -> None:
    """As it stands 62,000 would be yuan, a hundred times what is meant."""
    profile = find_profile("province_entitlements")
    assert profile is not None
    values, faults = KINDS["entitlements"].column("monthly_fen").cell.parse(profile.read("monthly_fen", [cell]))
    if isinstance(fen, str):
        assert (faults[0].code, "以分为单位" in faults[0].message) == (fen, True)
    else:
        assert (values, faults) == ([fen], {})


async def test_an_account_has_a_holder(runtime: Runtime) -> None:
    """The payee isn't a member, the roll leaves 户名 empty."""
    rolls = Bench.of(runtime, "entitlements", DISTRICT)
    (no, _), (_, (uncle,)) = await home(rolls), await home(rolls)
    _, run = await rolls.write(roll(no, 领款人身份证号=uncle, 银行账号=card()))
    assert await value(runtime, "SELECT account_holder FROM household WHERE household_no = :no", no=no) == "陈导入"
    await rolls.undo(run)  # an account without a bank can't be sent in again


async def test_one_row_twice_does_not_sink_the_roll(runtime: Runtime, sign_in: SignIn) -> None:
    """The file's key holds them apart, the database doesn't: the import was tried again until it failed as a whole."""
    rolls = Bench.of(runtime, "entitlements", DISTRICT)
    no, (head, wife) = await home(rolls, "配偶")
    rows = [roll(no, 保障人员身份证号=head), roll(no, 身份证号=wife, 保障人员身份证号=wife), roll((await home(rolls))[0])]
    content = csv_of([["" if cell is None else str(cell) for cell in one.values()] for one in rows], list(rows[0]))
    run = await imported(runtime, sign_in("district.reviewer"), content, kind="entitlements")
    assert (run["status"], run["rows_created"], run["rows_rejected"]) == ("completed_with_errors", 2, 1)


# every row has a verdict


async def test_a_division_that_ends_meanwhile_costs_its_rows_and_says_so(
    runtime: Runtime, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    clerk, known = sign_in("s001.clerk"), ImportRepository.known_areas
    asked: list[date] = []

    async def fewer_when_applying(self: ImportRepository, scope: AreaScope, on: date) -> Collection[str]:
        asked.append(on)
        areas = await known(self, scope, on)
        return areas if len(asked) <= 2 else areas - {MEISHAN_OTHER}

    monkeypatch.setattr(ImportRepository, "known_areas", fewer_when_applying)
    rows = [row(number()), row(number(), 区划代码=MEISHAN_OTHER)]
    import_id = await started(clerk, csv_of([list(one.values()) for one in rows], list(rows[0])), kind="people")
    await work(runtime, import_id)
    run = await shown(clerk, import_id)
    assert (run["rows_total"], run["rows_ok"], run["rows_rejected"]) == (2, 1, 1)


async def test_a_fault_names_the_header(runtime: Runtime) -> None:
    applied, _ = await Bench.of(runtime, "staff").write(staff() | {"区划代码": "350702004"})
    assert [faults[0].column for faults in applied.refused.values()] == ["区划代码"]


# officials, staff


def official(**cells: Any) -> dict[str, Any]:
    given = {"姓名": "钱干部", "身份证号": fresh_number(), "工作单位": "街道办", "职务": "科员", "区划代码": "350702001"}
    return given | cells


async def test_somebody_withdrawn_may_be_put_on_record_next_door(runtime: Runtime, sign_in: SignIn) -> None:
    """His mark lies where the sender doesn't see it: the whole list failed."""
    clerk, given = sign_in("s001.clerk"), official()
    run = await imported(runtime, clerk, csv_of([list(given.values())], list(given)), kind="officials")
    subject = await value(runtime, "SELECT subject_id FROM import_mark WHERE import_id = :id", id=run["id"])
    assert (await clerk.post(f"/api/v1/officials/{subject}/withdraw")).status_code == 204
    rows = [given | {"区划代码": "350702002"}, official(区划代码="350702002")]
    content = csv_of([list(one.values()) for one in rows], list(given))
    run = await imported(runtime, sign_in("s002.clerk"), content, kind="officials")
    assert (run["status"], run["rows_created"]) == ("succeeded", 2)


@pytest.fixture
async def station_without_a_deputy(runtime: Runtime) -> AsyncIterator[None]:
    await Bench.of(runtime, "stations").write(station())
    ended = text("UPDATE station_staff SET valid_until = valid_from WHERE leads_as = 'deputy' AND valid_until IS NULL")
    async with transaction(runtime.engine, CLERK) as session:
        await session.execute(ended)
    yield
    async with transaction(runtime.engine, CLERK) as session:
        await session.execute(ended)


@pytest.mark.usefixtures("station_without_a_deputy")
async def test_whoever_leaves_makes_room_for_who_comes_and_back(runtime: Runtime) -> None:
    bench, deputy = Bench.of(runtime, "staff"), {"担任站长或副站长": "副站长", "离任日期": None}
    old = staff() | deputy
    new = staff() | deputy | {"任职日期": "2026-11-01", "征求意见日期": "2026-10-01"}
    await bench.write(old)
    applied, run = await bench.write(new, old | {"离任日期": "2026-11-01"})
    assert (counts(applied), applied.refused) == ((1, 1, 0, 0), {})
    await bench.undo(run)
    assert counts((await bench.write(old))[0]) == (0, 0, 1, 0)


# notices


def notice(**cells: Any) -> dict[str, Any]:
    return {"姓名": "孙无名", "身份证号": fresh_number(), "死亡日期": "2026-10-01", "来源": "公安", "备注": None} | cells


async def test_an_empty_cell_says_nothing_of_the_day_of_receipt(runtime: Runtime) -> None:
    bench, given = Bench.of(runtime, "death_notices"), notice()
    await bench.write(given | {"收到日期": "2026-10-05"})
    detail = f"火化证明已收 {number()}"
    assert counts((await bench.write(given | {"备注": detail}))[0]) == (0, 1, 0, 0)
    assert await value(runtime, "SELECT received_on FROM bureau_notice WHERE detail = :d", d=detail) == date(2026, 10, 5)


async def test_the_same_notice_again_keeps_its_person(runtime: Runtime) -> None:
    bench, given = Bench.of(runtime, "death_notices"), row(number())
    await Bench.of(runtime, "people").write(given)
    sent = notice(姓名=given["姓名"], 身份证号=given["身份证号"], 备注=number())
    await bench.write(sent)
    person = await value(runtime, "SELECT person_id FROM bureau_notice WHERE detail = :d", d=sent["备注"])
    async with transaction(runtime.engine, DISTRICT) as session:
        moved = {"area": HUANGDUN, "person": person}
        await session.execute(text("UPDATE person SET area_code = :area WHERE id = :person"), moved)
    assert counts((await bench.write(sent))[0]) == (0, 0, 1, 0)
    assert await value(runtime, "SELECT person_id FROM bureau_notice WHERE detail = :d", d=sent["备注"]) == person
    async with transaction(runtime.engine, DISTRICT) as session:
        await session.execute(text("UPDATE person SET area_code = :area WHERE id = :person"), moved | {"area": MEISHAN})


async def test_a_notice_to_another_office_leaves_the_first_its_own(runtime: Runtime) -> None:
    sent = notice(备注=number())
    await Bench.of(runtime, "death_notices").write(sent)
    await Bench.of(runtime, "death_notices", DISTRICT).write(sent | {"区划代码": "350702002"})
    areas = "SELECT array_agg(area_code ORDER BY area_code) FROM bureau_notice WHERE detail = :d"
    assert await value(runtime, areas, d=sent["备注"]) == ["350702001", "350702002"]
