"""Relations in an import against the household as it is on record: what the rows bring is judged, what was there is not."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from app.db.import_writers import people_known
from app.db.session import transaction
from app.domain.access import AreaScope
from app.runtime import Runtime
from tests.integration.import_world import csv_of, imported
from tests.integration.kind_kit import DISTRICT, Bench, counts
from tests.integration.registry_world import SignIn, fresh_number, registered
from tests.integration.test_import_people import household, number, refusals, row
from tests.world import World

pytestmark = [pytest.mark.db, pytest.mark.asyncio(loop_scope="session")]

BORN = date(1983, 6, 15)
BEFORE, SAME, AFTER = (BORN + timedelta(days) for days in (-1, 0, 1))


@pytest.fixture
def people(runtime: Runtime, world: World) -> Bench:
    return Bench.of(runtime, "people")


def born(household_no: str, relation: str, day: date, **cells: Any) -> dict[str, Any]:
    return row(household_no, relation, 身份证号=fresh_number(day), **cells)


async def relations(bench: Bench, household_no: str) -> list[str]:
    found = await household(bench, household_no)
    assert found is not None
    return sorted(member.relation for member in found.members)


async def forced(bench: Bench, household_no: str, change: str) -> None:
    """Changes memberships behind the registry's back, as rows of earlier times may stand."""
    async with transaction(bench.runtime.engine, DISTRICT) as session:
        found = "household_id = (SELECT id FROM household WHERE household_no = :no)"
        await session.execute(text(f"UPDATE household_member SET {change} AND {found}"), {"no": household_no})


async def test_a_second_spouse_beside_the_one_on_record(people: Bench) -> None:
    no = number()
    head, wife = row(no), row(no, "配偶")
    await people.write(head, wife)
    second = row(no, "配偶")
    applied, _ = await people.write(head | {"姓名": "陈改名"}, second)
    assert refusals(applied) == {2: "household_held_back", 3: "head_has_two_spouses"}
    assert applied.refused[3][0].column == "与户主关系"
    applied, _ = await people.write(head | {"姓名": "陈改名"}, wife | {"与户主关系": "其他"}, second)
    assert counts(applied) == (1, 2, 0, 0)
    assert await relations(people, no) == ["head", "other", "spouse"]
    applied, _ = await people.write(wife | {"手机号": "13800138000"})  # she says again what holds no more
    assert refusals(applied) == {2: "head_has_two_spouses"}


@pytest.mark.parametrize(
    ("relation", "day", "code"),
    [
        ("长子", BEFORE, "not_younger_than_head"),
        ("女", SAME, None),
        ("女", AFTER, None),
        ("孙子", BEFORE, "not_younger_than_head"),
        ("孙子", AFTER, None),
        ("母亲", AFTER, "not_older_than_head"),
        ("父亲", SAME, None),
        ("父亲", BEFORE, None),
        ("外婆", AFTER, "not_older_than_head"),
        ("外婆", BEFORE, None),
        ("其他", BEFORE, None),
        ("弟弟", BEFORE, None),
    ],
)
async def test_who_joins_is_held_against_the_head_on_record(people: Bench, relation: str, day: date, code: str | None) -> None:
    no = number()
    await people.write(born(no, "户主", BORN))
    applied, _ = await people.write(born(no, relation, day), row(no, "兄"))
    assert refusals(applied) == ({} if code is None else {2: code, 3: "household_held_back"})
    assert len(await relations(people, no)) == (3 if code is None else 1)


async def test_who_stands_otherwise_to_the_head_is_held_against_him(people: Bench, sign_in: SignIn) -> None:
    no, registered_number = number(), fresh_number(BEFORE)
    elder = born(no, "其他", BEFORE)
    await people.write(born(no, "户主", BORN), elder)
    applied, _ = await people.write(elder | {"与户主关系": "子女"})
    assert refusals(applied) == {2: "not_younger_than_head"}
    body = await registered(sign_in("s001.clerk"), id_number=registered_number)  # belongs to no household yet
    joining = row(no, "子女", 身份证号=registered_number, 姓名=body["name"])
    assert refusals((await people.write(joining))[0]) == {2: "not_younger_than_head"}
    assert counts((await people.write(joining | {"与户主关系": "父母"}))[0]) == (0, 1, 0, 0)
    assert await relations(people, no) == ["head", "other", "parent"]


async def test_what_contradicts_on_record_stands_in_nobodys_way(people: Bench) -> None:
    no = number()
    head, one, two, elder = born(no, "户主", BORN), row(no, "姐"), row(no, "姐"), born(no, "其他亲属", BEFORE)
    await people.write(head, one, two, elder)
    await forced(people, no, "relation = 'spouse' WHERE relation = 'sibling'")
    await forced(people, no, "relation = 'child' WHERE relation = 'other'")
    wives = [wife | {"与户主关系": "配偶", "姓名": "陈改名"} for wife in (one, two)]
    applied, _ = await people.write(*wives, elder | {"与户主关系": "子女", "姓名": "陈改名"}, born(no, "妹", AFTER))
    assert counts(applied) == (1, 3, 0, 0)
    applied, _ = await people.write(elder | {"与户主关系": "孙子"})
    assert refusals(applied) == {2: "not_younger_than_head"}
    await forced(
        people, no, "relation = 'other' WHERE relation IN ('spouse', 'child')"
    )  # other tests send in what they find here


async def test_a_new_head_of_those_left_behind_has_their_relations_judged(people: Bench) -> None:
    no = number()
    await people.write(born(no, "户主", BEFORE), born(no, "子女", BORN))
    await forced(people, no, "valid_until = valid_from WHERE relation = 'head'")
    applied, _ = await people.write(born(no, "户主", AFTER), row(no, "其他"))
    assert refusals(applied) == {2: "not_younger_than_head", 3: "household_held_back"}
    assert counts((await people.write(born(no, "户主", BEFORE)))[0]) == (1, 0, 0, 0)


async def test_a_block_asks_once_and_a_first_load_never(people: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    members = people_known.members

    async def counted(scope: AreaScope, driver: Any, household_ids: Any) -> Any:
        asked.append(len(household_ids))
        return await members(scope, driver, household_ids)

    monkeypatch.setattr(people_known, "members", counted)
    numbers = [number() for _ in range(40)]
    heads = [row(no) for no in numbers]
    await people.write(*heads)
    await people.write(*(head | {"姓名": "陈改名"} for head in heads))
    await people.write(*(row(no, "子女") for no in numbers))
    assert asked == [0, 0, 40]
    assert await members(DISTRICT, None, []) == {}  # without a household not even the driver is touched


async def test_a_file_is_told_row_by_row_and_goes_in_when_corrected(runtime: Runtime, sign_in: SignIn) -> None:
    clerk, no = sign_in("s001.clerk"), number()
    rows = [born(no, "户主", BORN), born(no, "继子", BEFORE), born(no, "配偶", BEFORE), row(no + "b")]
    run = await imported(runtime, clerk, csv_of([list(one.values()) for one in rows], list(rows[0])), kind="people")
    assert (run["rows_ok"], run["rows_rejected"]) == (1, 3)
    errors = (await clerk.get(f"/api/v1/imports/{run['id']}/errors")).json()["items"]
    assert {one["row"]: one["faults"][0]["code"] for one in errors} == {
        2: "household_held_back",
        3: "not_younger_than_head",
        4: "household_held_back",
    }
    rows[1]["与户主关系"] = "其他"
    run = await imported(runtime, clerk, csv_of([list(one.values()) for one in rows], list(rows[0])), kind="people")
    assert (run["status"], run["rows_created"], run["rows_unchanged"]) == ("succeeded", 3, 1)
