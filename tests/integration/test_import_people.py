"""Importing people and households: what is created, changed, left alone and refused, and how it is taken back."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from app.db.repositories.people import PeopleRepository
from app.db.repositories.registry import HouseholdFilter, HouseholdRepository
from app.db.session import transaction
from app.domain.access import AreaScope
from app.domain.imports.kinds import people_words as words
from app.domain.imports.model import Applied
from app.domain.registry.model import HouseholdRecord, PayeeAccount, PersonRecord
from app.ids import new_id
from app.runtime import Runtime
from app.security.fields import Field
from tests.integration.kind_kit import DISTRICT, TODAY, Bench, counts, parsed
from tests.integration.registry_world import (
    HUANGDUN,
    MEISHAN,
    MEISHAN_OTHER,
    QIANSHAN,
    SignIn,
    card,
    fresh_number,
    opened,
    registered,
)
from tests.world import World

pytestmark = [pytest.mark.db, pytest.mark.asyncio(loop_scope="session")]

QIANSHAN_SCOPE = AreaScope("340882", "340882")


def row(household_no: str, relation: str = "户主", **cells: Any) -> dict[str, Any]:
    """A row with the columns that are required; others by their header."""
    return {
        "户编号": household_no,
        "姓名": "陈导入",
        "身份证号": number_for(relation),
        "与户主关系": relation,
        "户口性质": "农村",
        "区划代码": MEISHAN,
        **cells,
    }


def number_for(relation: str) -> str:
    """A number not used before, born as the word for the relation asks for."""
    return fresh_number(relation=next(code for code, known in words.RELATIONS.items() if relation in known))


def filled(household_no: str, relation: str = "户主", **cells: Any) -> dict[str, Any]:
    """A row with every column."""
    given = row(household_no, relation)
    more = {
        "证件类型": "居民身份证",
        "户籍区划代码": "350702",
        "住址": "梅山街道梅山社区测试路 3 号",
        "手机号": "13800138000",
        "民族": "汉族",
        "婚姻状况": "已婚",
        "残疾类别": "肢体",
        "残疾等级": "二级",
        "残疾人证号": f"{given['身份证号']}42",
        "是否重病": "是",
        "就业状况": "务农",
        "学业状况": None,
        "月收入(元)": "1,200.50",
        "开户银行": "农业银行",
        "银行账号": card(),
        "户名": "陈导入",
        "账户类型": None,
    }
    return given | more | cells


def number() -> str:
    return f"DR{new_id().hex[-12:]}"


@pytest.fixture
def people(runtime: Runtime, world: World) -> Bench:
    return Bench.of(runtime, "people")


async def household(bench: Bench, household_no: str, scope: AreaScope = DISTRICT) -> HouseholdRecord | None:
    async with transaction(bench.runtime.engine, scope) as session:
        households = HouseholdRepository(session, bench.runtime.cipher)
        found = await households.list_households(scope, HouseholdFilter(household_no=household_no), on=TODAY, after=None, limit=2)
        return found[0] if found else None


async def person(bench: Bench, household_no: str, relation: str = "head") -> PersonRecord:
    found = await household(bench, household_no)
    assert found is not None
    member = next(one for one in found.members if one.relation == relation)
    async with transaction(bench.runtime.engine, DISTRICT) as session:
        return await PeopleRepository(session, bench.runtime.cipher).get(DISTRICT, member.person_id, TODAY)


async def plain(bench: Bench, record: PersonRecord) -> dict[str, str | None]:
    async with transaction(bench.runtime.engine, DISTRICT) as session:
        return await PeopleRepository(session, bench.runtime.cipher).reveal(
            DISTRICT, record.id, ("id_number", "phone", "address")
        )


async def facts(bench: Bench, record: PersonRecord) -> dict[str, Any]:
    async with transaction(bench.runtime.engine, DISTRICT) as session:
        rows = await session.execute(
            text("SELECT kind, value FROM person_fact WHERE person_id = :id AND superseded_at IS NULL ORDER BY valid_from"),
            {"id": record.id},
        )
        return {row.kind: row.value for row in rows}


def refusals(applied: Applied) -> dict[int, str]:
    return {place: faults[0].code for place, faults in applied.refused.items()}


async def test_every_column_arrives(people: Bench) -> None:
    no = number()
    head, child = filled(no), row(no, "长女", 姓名="陈小导")
    child = dict.fromkeys(head) | child | {"学业状况": "小学"}
    applied, _ = await people.write(head, child)
    assert counts(applied) == (2, 0, 0, 0)
    found = await person(people, no)
    assert (found.name, found.residence, found.area_code) == ("陈导入", "rural", MEISHAN)
    assert (found.hukou_area_code, found.ethnicity, found.marital_status) == ("350702", "汉族", "married")
    assert await plain(people, found) == {"id_number": head["身份证号"], "phone": "13800138000", "address": head["住址"]}
    attributes = found.attributes
    assert attributes.disability is not None
    assert (attributes.disability.category, attributes.disability.grade) == ("physical", 2)
    assert (attributes.employment, attributes.serious_illness, attributes.study) == ("farming", True, None)
    assert (await facts(people, found))["reported_income"] == {"value": 120050}
    home = await household(people, no)
    assert home is not None
    assert home.payee is not None
    assert (home.payee.bank_name, home.payee.account_holder, home.payee.account_kind) == ("农业银行", "陈导入", "card")
    assert people.runtime.cipher.open(Field.BANK_ACCOUNT, home.id, home.payee.number_sealed) == head["银行账号"]
    assert [(member.relation, member.valid_from) for member in home.members] == [("head", TODAY), ("child", TODAY)]
    daughter = await person(people, no, "child")
    assert (daughter.attributes.study, daughter.attributes.serious_illness) == ("compulsory", False)
    assert daughter.birth_date == date(int(child["身份证号"][6:10]), int(child["身份证号"][10:12]), int(child["身份证号"][12:14]))


async def test_the_same_rows_twice_change_nothing(people: Bench) -> None:
    no = number()
    rows = [filled(no), dict.fromkeys(filled(no)) | row(no, "配偶")]
    await people.write(*rows)
    before = await person(people, no)
    applied, _ = await people.write(*reversed(rows))
    assert counts(applied) == (0, 0, 2, 0)
    assert await person(people, no) == before


async def test_edits_in_between_outlive_the_same_file(people: Bench, sign_in: SignIn) -> None:
    no = number()
    given = row(no, 手机号="13800138000")
    await people.write(given)
    found = await person(people, no)
    change = await sign_in("s001.clerk").put(
        f"/api/v1/persons/{found.id}",
        json={"phone": "13900139000", "valid_from": "2026-11-20"},
        headers={"If-Match": '"1"', "X-Demo-Date": "2026-11-20"},
    )
    assert change.status_code == 200, change.text
    applied, _ = await people.write(given)
    assert counts(applied) == (0, 0, 1, 0)
    assert (await plain(people, found))["phone"] == "13900139000"


def account(bench: Bench, home: HouseholdRecord) -> PayeeAccount:
    """Where a household's money goes, the number in plain."""
    assert home.payee is not None
    number_sealed = bench.runtime.cipher.open(Field.BANK_ACCOUNT, home.id, home.payee.number_sealed)
    return replace(home.payee, number_sealed=number_sealed.encode())


async def test_what_differs_is_updated_and_taken_back(people: Bench) -> None:
    no = number()
    first, other = filled(no), dict.fromkeys(filled(no)) | row(no, "配偶")
    await people.write(first, other)
    before, home = await person(people, no), await household(people, no)
    known = await facts(people, before)
    changed = first | {"姓名": "陈改名", "手机号": "13900139000", "是否重病": "否", "月收入(元)": 300, "残疾等级": "一级"}
    changed |= {"残疾人证号": f"{first['身份证号']}41", "银行账号": card(), "住址": "梅山街道梅山社区新路 1 号"}
    applied, run = await people.write(changed, other | {"与户主关系": "其他"})
    assert counts(applied) == (0, 2, 0, 0)
    after = await person(people, no)
    assert (after.name, after.attributes.serious_illness, after.version) == ("陈改名", False, before.version + 1)
    assert after.attributes.disability is not None
    assert after.attributes.disability.grade == 1
    assert (await facts(people, after))["reported_income"] == {"value": 30000}
    assert (await plain(people, after))["phone"] == "13900139000"
    assert (await person(people, no, "other")).version == 2
    assert await people.built_on(run) == {}
    await people.undo(run)
    restored, home_again = await person(people, no), await household(people, no)
    assert home_again is not None
    assert home is not None
    assert (restored.name, restored.attributes, restored.phone_masked) == (before.name, before.attributes, before.phone_masked)
    assert await facts(people, restored) == known
    assert account(people, home_again) == account(people, home)
    assert [member.relation for member in home_again.members] == ["head", "spouse"]
    assert counts((await people.write(first, other))[0]) == (0, 0, 2, 0)


async def test_empty_cells_take_nothing_away(people: Bench) -> None:
    no = number()
    given = filled(no)
    await people.write(given)
    before = await person(people, no)
    applied, _ = await people.write(dict.fromkeys(given) | {name: given[name] for name in row(no)} | {"姓名": "陈新名"})
    assert counts(applied) == (0, 1, 0, 0)
    after = await person(people, no)
    assert (after.attributes, after.phone_masked, after.ethnicity) == (before.attributes, before.phone_masked, before.ethnicity)


async def test_people_of_the_registry_are_found_by_their_number(people: Bench, sign_in: SignIn) -> None:
    id_number, no = fresh_number(), number()
    body = await registered(sign_in("s001.clerk"), MEISHAN_OTHER, id_number=id_number)
    applied, _ = await people.write(row(no, 身份证号=id_number, 姓名=body["name"], 户口性质="城镇"))
    assert counts(applied) == (0, 1, 0, 0)
    found = await person(people, no)
    assert (str(found.id), found.area_code) == (body["id"], MEISHAN)


async def test_only_adding_refuses_who_is_there(people: Bench) -> None:
    no = number()
    given, spouse = row(no), row(no, "配偶")
    await people.write(given)
    applied, _ = await people.write(given | {"姓名": "陈他"}, spouse, mode="insert")
    assert refusals(applied) == {2: "already_there", 3: "household_held_back"}
    assert counts((await people.write(given, mode="insert"))[0]) == (0, 0, 1, 0)


async def test_people_elsewhere_are_refused_without_saying_where(people: Bench, runtime: Runtime) -> None:
    here, there = number(), number()
    stranger, neighbour = row(there, 区划代码=QIANSHAN), row(there, 区划代码=HUANGDUN)
    neighbours = Bench.of(runtime, "people", AreaScope("350702", "350702002"))
    await neighbours.write(neighbour)
    abroad = Bench.of(runtime, "people", QIANSHAN_SCOPE)
    block, _ = parsed(abroad.kind, [stranger], QIANSHAN_SCOPE)
    block.columns["area_code"] = [QIANSHAN]  # which the areas of these tests leave out, so that it counts as faulty
    async with transaction(runtime.engine, QIANSHAN_SCOPE) as session:
        assert (await abroad.writer.write(QIANSHAN_SCOPE, session, block, await abroad.start())).created == 1
    applied, _ = await people.write(
        row(here, 身份证号=stranger["身份证号"]),
        row(here + "b", 身份证号=neighbour["身份证号"]),
        row(here, "配偶"),
        row(there + "c"),
    )
    assert refusals(applied) == {
        2: "person_already_registered",
        3: "person_already_registered",
        4: "household_held_back",
    }
    said = {faults[0].message for place, faults in applied.refused.items() if place < 4}
    assert said == {"该身份证号已在本辖区以外登记，请联系上级民政部门办理迁转。"}
    assert await household(people, here) is None


async def test_household_numbers_of_others_are_refused(people: Bench, runtime: Runtime) -> None:
    no, own = number(), number()
    await Bench.of(runtime, "people", AreaScope("350702", "350702002")).write(row(no, 区划代码=HUANGDUN))
    await people.write(row(own))
    applied, _ = await people.write(row(no), row(own, "配偶", 区划代码=MEISHAN_OTHER), row(own + "x"))
    assert refusals(applied) == {2: "household_no_taken", 3: "household_in_other_area"}
    assert applied.created == 1


async def test_nobody_is_moved_and_no_head_replaced_by_an_import(people: Bench, sign_in: SignIn) -> None:
    no, other = number(), number()
    head, child = row(no), row(no, "子女")
    await people.write(head, child, row(other))
    applied, _ = await people.write(child | {"户编号": other})
    assert refusals(applied) == {2: "person_in_other_household"}
    assert no not in applied.refused[2][0].message
    applied, _ = await people.write(child | {"与户主关系": "户主"})
    assert refusals(applied) == {2: "household_has_head"}
    applied, _ = await people.write(head | {"与户主关系": "其他"})
    assert refusals(applied) == {2: "household_without_head"}


async def test_new_members_join_and_can_be_taken_back(people: Bench, sign_in: SignIn) -> None:
    no = number()
    await people.write(row(no))
    home = await household(people, no)
    applied, run = await people.write(row(no, "子女"), row(no, "配偶"))
    assert counts(applied) == (2, 0, 0, 0)
    grown = await household(people, no)
    assert grown is not None
    assert home is not None
    assert (len(grown.members), grown.version) == (3, home.version + 1)
    assert await people.built_on(run) == {}
    await people.undo(run)
    again = await household(people, no)
    assert again is not None
    assert again.members == home.members


async def test_undoing_leaves_nothing_and_the_number_free(people: Bench, sign_in: SignIn) -> None:
    no = number()
    given = filled(no)
    _, run = await people.write(given)
    found = await person(people, no)
    await people.undo(run)
    assert await household(people, no) is None
    async with transaction(people.runtime.engine, DISTRICT) as session:
        for query in (
            "SELECT count(*) FROM person WHERE id = :id",
            "SELECT count(*) FROM person_fact WHERE person_id = :id",
            "SELECT count(*) FROM import_mark WHERE subject_id = :id",
            "SELECT count(*) FROM identity_home WHERE person_uid = :uid",
        ):
            assert (await session.execute(text(query), {"id": found.id, "uid": found.person_uid})).scalar_one() == 0
    again = await registered(sign_in("s001.clerk"), id_number=given["身份证号"])
    assert again["id"] != str(found.id)


async def test_what_was_built_on_an_import_stands_in_the_way(people: Bench, sign_in: SignIn) -> None:
    no = number()
    given = row(no)
    _, run = await people.write(given)
    await people.write(given | {"姓名": "陈后改"})
    assert await people.built_on(run) == {"later_imports": 1}
    second = number()
    _, run = await people.write(row(second))
    home = await household(people, second)
    assert home is not None
    admitted = (await registered(sign_in("s001.clerk")))["id"]
    answer = await sign_in("s001.clerk").post(
        f"/api/v1/households/{home.id}/members", json={"person_id": admitted, "relation": "spouse", "since": "2026-11-20"}
    )
    assert answer.status_code < 300, answer.text
    assert await people.built_on(run) == {"later_edits": 1}


async def test_without_an_import_to_undo_nothing_can_be_deleted(people: Bench) -> None:
    no = number()
    await people.write(row(no))
    found = await person(people, no)
    async with transaction(people.runtime.engine, DISTRICT) as session:
        gone = await session.execute(text("DELETE FROM person_fact WHERE person_id = :id"), {"id": found.id})
        assert gone.rowcount == 0  # type: ignore[attr-defined]
        gone = await session.execute(text("DELETE FROM household_member WHERE person_id = :id"), {"id": found.id})
        assert gone.rowcount == 0  # type: ignore[attr-defined]
    with pytest.raises(Exception, match="removal refused"):
        async with transaction(people.runtime.engine, DISTRICT) as session:
            await session.execute(text("DELETE FROM identity_home WHERE person_uid = :uid"), {"uid": found.person_uid})


async def test_a_household_of_the_registry_keeps_its_head(people: Bench, sign_in: SignIn) -> None:
    home = await opened(sign_in("s001.clerk"), "head")
    applied, _ = await people.write(row(home["household_no"], "子女"))
    assert counts(applied) == (1, 0, 0, 0)
    applied, _ = await people.write(row(home["household_no"]))
    assert refusals(applied) == {2: "household_has_head"}


@pytest.mark.parametrize("relation", ["户主", "配偶"])
async def test_who_leaves_after_the_day_of_the_import_is_still_there(people: Bench, relation: str) -> None:
    """An import asked for shortly before midnight meets what the desk has done since, again and again if it doesn't see it."""
    old, new = number(), number()
    head, spouse = row(old), row(old, "配偶")
    await people.write(head, spouse)
    left = await person(people, old, "head" if relation == "户主" else "spouse")
    await _stay_until(people, left, TODAY + timedelta(days=1))
    moved = (head if relation == "户主" else spouse) | {"户编号": new, "与户主关系": "户主"}
    applied, _ = await people.write(moved)
    assert refusals(applied) == {2: "person_in_other_household"}
    if relation == "户主":
        applied, _ = await people.write(row(old))
        assert refusals(applied) == {2: "household_has_head"}
    await _stay_until(people, left, None)  # exports of other tests find whole households


async def _stay_until(people: Bench, who: PersonRecord, day: date | None) -> None:
    async with transaction(people.runtime.engine, DISTRICT) as session:
        ended = text("UPDATE household_member SET valid_until = :day WHERE person_id = :id")
        await session.execute(ended, {"day": day, "id": who.id})


async def test_a_stay_that_never_held_is_in_nobodys_way(runtime: Runtime, world: World) -> None:
    people = Bench.of(runtime, "people")
    old, new = number(), number()
    head, spouse = row(old), row(old, "配偶")
    await people.write(head, spouse)
    who = await person(people, old, "spouse")
    async with transaction(runtime.engine, DISTRICT) as session:  # put in by mistake on the day after, taken out the same day
        ended = text("UPDATE household_member SET valid_from = :day, valid_until = :day WHERE person_id = :id")
        await session.execute(ended, {"day": TODAY + timedelta(days=1), "id": who.id})
    applied, _ = await people.write(spouse | {"户编号": new, "与户主关系": "户主"})
    assert {n: [f.code for f in faults] for n, faults in applied.refused.items()} == {}


async def test_a_person_with_an_unreadable_phone_does_not_stop_the_part(runtime: Runtime, world: World) -> None:
    people = Bench.of(runtime, "people")
    one = row(number(), 手机号="13800138000")
    await people.write(one)
    who = await person(people, one["户编号"])
    async with transaction(runtime.engine, DISTRICT) as session:
        await session.execute(
            text("UPDATE person SET phone_sealed = '\\x0001aabbccddeeff00112233445566778899' WHERE id = :i"), {"i": who.id}
        )
    applied, _ = await people.write({name: cell for name, cell in one.items() if name != "手机号"} | {"民族": "畲族"})
    assert counts(applied) == (0, 1, 0, 0)
    async with transaction(runtime.engine, DISTRICT) as session:  # exports of other tests read everybody
        await session.execute(text("UPDATE person SET phone_sealed = NULL WHERE id = :i"), {"i": who.id})
