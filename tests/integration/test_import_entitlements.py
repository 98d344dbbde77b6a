"""Existing rolls and payees: what comes in, what is refused, what is due, and how it is taken back."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from sqlalchemy import text

from app.db.repositories.entitlements import list_due_components
from app.db.session import transaction
from app.domain.calendar import Month
from app.domain.identity import checksum_character
from app.domain.imports.model import Applied
from app.domain.imports.registry import KINDS
from app.ids import new_id
from app.runtime import Runtime
from app.security.fields import Field
from tests.integration.kind_kit import DISTRICT, TODAY, Bench, counts, parsed
from tests.integration.registry_world import SignIn, card, fresh_number, opened
from tests.integration.test_import_people import account, household, number, person
from tests.integration.test_import_people import row as person_row
from tests.world import World

pytestmark = [pytest.mark.db, pytest.mark.asyncio(loop_scope="session")]


BORN_IN_1981 = "35070219810120001" + checksum_character("35070219810120001")


@pytest.fixture
def rolls(runtime: Runtime, world: World) -> Bench:
    return Bench.of(runtime, "entitlements", DISTRICT)


@pytest.fixture
def payees(runtime: Runtime, world: World) -> Bench:
    return Bench.of(runtime, "payees", DISTRICT)


async def home(bench: Bench, *relations: str) -> tuple[str, list[str]]:
    """A household with these members besides its head; its number and theirs."""
    no = number()
    rows = [person_row(no, relation) for relation in ("户主", *relations)]
    await Bench.of(bench.runtime, "people", DISTRICT).write(*rows)
    return no, [row["身份证号"] for row in rows]


def roll(household_no: str, **cells: Any) -> dict[str, Any]:
    given = {"户编号": household_no, "项目": "低保", "月保障金额(元)": "620.50", "保障人数": 1, "起始月份": "2024-03"}
    rest = ("身份证号", "城乡", "分类施保金额(元)", "保障人员身份证号", "类别", "救助证号", "文号", "下次复核日")
    return dict.fromkeys((*rest, "领款人身份证号", "户名", "银行账号")) | given | cells


async def stored(bench: Bench, household_no: str) -> list[dict[str, Any]]:
    async with transaction(bench.runtime.engine, DISTRICT) as session:
        rows = await session.execute(
            text(
                "SELECT e.*, (SELECT count(*) FROM entitlement_member m WHERE m.entitlement_id = e.id) AS members,"
                " (SELECT count(*) FROM enrolment n WHERE n.entitlement_id = e.id) AS enrolled FROM entitlement e"
                " JOIN household h ON h.district = e.district AND h.id = e.household_id WHERE h.household_no = :no ORDER BY e.id"
            ),
            {"no": household_no},
        )
        return [dict(row) for row in rows.mappings()]


async def due(bench: Bench, month: Month) -> dict[Any, int]:
    async with transaction(bench.runtime.engine, DISTRICT) as session:
        found = await list_due_components(DISTRICT, session, month, ["dibao", "old_age"])
    totals: dict[Any, int] = {}
    for part in found:
        totals[part.household_id] = totals.get(part.household_id, 0) + part.amount_fen
    return totals


def refusals(applied: Applied) -> dict[int, str]:
    return {place: faults[0].code for place, faults in applied.refused.items()}


async def test_a_roll_comes_in_signed_and_due_for_review(rolls: Bench) -> None:
    no, _ = await home(rolls, "配偶")
    given = roll(no, **{"保障人数": 2, "分类施保金额(元)": "100", "类别": "A类", "救助证号": "Z1", "文号": "延民〔2024〕1号"})
    applied, run = await rolls.write(given)
    assert counts(applied) == (1, 0, 0, 0)
    (found,) = await stored(rolls, no)
    assert (found["origin"], found["state"], found["programme"], found["category"]) == ("legacy_roll", "active", "dibao", "rural")
    assert (found["since_month"], found["next_review_on"], found["signed_by"]) == (date(2024, 3, 1), TODAY, run.actor_id)
    assert (found["signed_by_name"], found["signed_on"], found["roll_class"]) == ("s001.clerk", TODAY, "A类")
    assert (found["certificate_no"], found["document_no"]) == ("Z1", "延民〔2024〕1号")
    assert (found["members"], found["enrolled"]) == (2, 2)
    assert (await due(rolls, Month.of(TODAY)))[found["household_id"]] == 62_050
    assert found["household_id"] not in await due(rolls, Month(2026, 10)), "months before the import were paid elsewhere"
    assert counts((await rolls.write(given))[0]) == (0, 0, 1, 0)


async def test_per_person_programmes_name_their_person(rolls: Bench) -> None:
    no, (head, mother) = await home(rolls, "母亲")
    applied, _ = await rolls.write(
        roll(no, 项目="高龄津贴", 身份证号=mother, **{"月保障金额(元)": 100}), roll(no, 项目="高龄津贴", 身份证号=head)
    )
    assert counts(applied) == (2, 0, 0, 0)
    assert all(one["person_id"] is not None and one["members"] == 1 for one in await stored(rolls, no))
    _, verdicts = parsed(rolls.kind, [roll(no, 项目="高龄津贴"), roll(no, 项目="高龄津贴", 身份证号=head, 保障人数=2)], DISTRICT)
    assert {place: faults[0].code for place, faults in verdicts.items()} == {2: "person_required", 3: "covered_differ"}


async def test_rows_that_do_not_fit_together(rolls: Bench) -> None:
    no, (head,) = await home(rolls)
    rows = [
        roll(no, **{"分类施保金额(元)": 700}),
        roll(no, 起始月份="2027-01"),
        roll(no, 保障人数=2, 保障人员身份证号=head),
        roll(no, 户名="陈导入"),
    ]
    _, verdicts = parsed(rolls.kind, rows, DISTRICT)
    assert [faults[0].code for faults in verdicts.values()] == [
        "uplift_exceeds_amount",
        "month_in_future",
        "covered_differ",
        "account_incomplete",
    ]


@pytest.mark.parametrize(
    ("cells", "wanted"),
    [
        ({"月保障金额(元)": 0}, None),
        ({"月保障金额(元)": "50000.01"}, ("月保障金额(元)", "amount_range")),
        ({"月保障金额(元)": "99999999"}, ("月保障金额(元)", "amount_range")),
        ({"月保障金额(元)": 100_000, "保障人数": 2}, None),
        ({"月保障金额(元)": 50_000}, None),
        ({"月保障金额(元)": 0, "项目": "低保边缘家庭"}, None),
        ({"起始月份": "1900-03"}, ("起始月份", "date_range")),
        ({"起始月份": "1955-12"}, ("起始月份", "date_range")),
        ({"起始月份": "1956-01"}, None),
        ({"起始月份": "1980-12", "身份证号": BORN_IN_1981}, ("起始月份", "before_birth")),
        ({"起始月份": "1981-01", "身份证号": BORN_IN_1981}, None),
    ],
)
async def test_implausible_money_and_months_are_refused(cells: dict[str, Any], wanted: tuple[str, str] | None) -> None:
    _, verdicts = parsed(KINDS["entitlements"], [roll("H1") | cells], DISTRICT)
    assert [(fault.column, fault.code) for faults in verdicts.values() for fault in faults] == ([wanted] if wanted else [])
    assert all(fault.message.endswith("。") and "请" in fault.message for faults in verdicts.values() for fault in faults)


async def test_what_the_record_contradicts_is_refused(rolls: Bench, sign_in: SignIn) -> None:
    no, (head,) = await home(rolls)
    pair, _ = await home(rolls, "配偶")
    applied, _ = await rolls.write(
        roll("没有的户"),
        roll(pair),
        roll(no, 保障人员身份证号=fresh_number()),
        roll(no, 项目="高龄津贴", 身份证号=fresh_number()),
        roll(no, 领款人身份证号=fresh_number(), 户名="陈导入", 银行账号=card()),
        roll(no, 领款人身份证号=head, 户名="别人", 银行账号=card(), 项目="特困", 身份证号=head),
    )
    assert refusals(applied) == {
        2: "household_unknown",
        3: "covered_differ",
        4: "covered_unknown",
        5: "covered_unknown",
        6: "person_unknown",
        7: "holder_differs",
    }


async def test_nobody_draws_the_same_twice(rolls: Bench) -> None:
    no, _ = await home(rolls)
    await rolls.write(roll(no))
    other = Bench.of(rolls.runtime, "entitlements", DISTRICT)
    async with transaction(rolls.runtime.engine, DISTRICT) as session:
        await session.execute(text("DELETE FROM import_mark WHERE kind = 'entitlements'"))
    assert counts((await other.write(roll(no)))[0]) == (0, 0, 1, 0)  # what the export says may come back
    for change in ({"月保障金额(元)": "620.51"}, {"类别": "C类"}):
        applied, _ = await other.write(roll(no, **change))
        assert refusals(applied) == {2: "already_entitled"}


async def test_only_what_is_no_decision_can_be_corrected(rolls: Bench) -> None:
    no, _ = await home(rolls)
    given = roll(no, 类别="A类")
    await rolls.write(given)
    applied, run = await rolls.write(given | {"类别": "B类", "下次复核日": "2027-03-01"})
    assert counts(applied) == (0, 1, 0, 0)
    (found,) = await stored(rolls, no)
    assert (found["roll_class"], found["next_review_on"], found["version"]) == ("B类", date(2027, 3, 1), 2)
    applied, _ = await rolls.write(given | {"月保障金额(元)": 700})
    assert refusals(applied) == {2: "entitlement_in_use"}
    assert await rolls.built_on(run) == {}
    await rolls.undo(run)
    (found,) = await stored(rolls, no)
    assert (found["roll_class"], found["next_review_on"]) == ("A类", TODAY)
    assert counts((await rolls.write(given))[0]) == (0, 0, 1, 0)


async def test_a_roll_is_taken_back_with_its_account(rolls: Bench) -> None:
    no, (head,) = await home(rolls)
    number_ = card()
    applied, run = await rolls.write(roll(no, 领款人身份证号=head, 户名="陈导入", 银行账号=number_))
    assert counts(applied) == (1, 0, 0, 0)
    found = await household(rolls, no)
    assert found is not None
    assert found.payee is not None
    assert rolls.runtime.cipher.open(Field.BANK_ACCOUNT, found.id, found.payee.number_sealed) == number_
    assert await rolls.built_on(run) == {}
    await rolls.undo(run)
    assert await stored(rolls, no) == []
    again = await household(rolls, no)
    assert again is not None
    assert again.payee is None
    assert counts((await rolls.write(roll(no)))[0]) == (1, 0, 0, 0)


async def test_people_with_a_roll_cannot_be_taken_back(rolls: Bench) -> None:
    people = Bench.of(rolls.runtime, "people", DISTRICT)
    no = number()
    _, run = await people.write(person_row(no))
    await rolls.write(roll(no))
    assert await people.built_on(run) == {"entitlements": 1}


async def test_payees_set_accounts_and_are_taken_back(payees: Bench, sign_in: SignIn) -> None:
    no, (head,) = await home(payees)
    given = {"户编号": no, "领款人身份证号": head, "户名": "陈导入", "开户银行": "农业银行", "银行账号": card(), "账户类型": None}
    applied, _ = await payees.write(given)
    assert counts(applied) == (1, 0, 0, 0)
    before = await household(payees, no)
    assert counts((await payees.write(given))[0]) == (0, 0, 1, 0)
    applied, run = await payees.write(given | {"银行账号": card()})
    assert counts(applied) == (0, 1, 0, 0)
    assert await payees.built_on(run) == {}
    await payees.undo(run)
    after = await household(payees, no)
    assert after is not None
    assert before is not None
    assert account(payees, after) == account(payees, before)
    wrong = given | {"领款人身份证号": None, "户编号": f"X{new_id().hex}"}
    applied, _ = await payees.write(given | {"户名": "别人"}, wrong)
    assert refusals(applied) == {2: "holder_differs", 3: "household_unknown"}


async def test_an_account_by_hand_outlives_the_same_list(payees: Bench, sign_in: SignIn) -> None:
    registered = await opened(sign_in("s001.clerk"), "head")
    given = {
        "户编号": registered["household_no"],
        "户名": "陈测试",
        "开户银行": "农业银行",
        "银行账号": card(),
        "账户类型": "银行卡",
    }
    assert counts((await payees.write(given))[0]) == (1, 0, 0, 0)
    account = {"bank_name": "邮储", "account_number": card(), "account_holder": "陈测试", "account_kind": "card"}
    changed = await sign_in("s001.clerk").put(
        f"/api/v1/households/{registered['id']}", json={"account": account}, headers={"If-Match": "*"}
    )
    assert changed.status_code == 200, changed.text
    assert counts((await payees.write(given))[0]) == (0, 0, 1, 0)
    found = await household(payees, registered["household_no"])
    assert found is not None
    assert found.payee is not None
    assert found.payee.bank_name == "邮储"
    assert (await person(payees, registered["household_no"])).name == "陈测试"
