"""What is wrong with rows of people by themselves, and between the rows of a household: no database."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import hypothesis
import pytest
from hypothesis import strategies as st

from app.domain.identity import checksum_character
from app.domain.imports.consistency_setwise import HouseholdsOfFile
from app.domain.imports.kinds.people import PEOPLE
from app.domain.imports.model import Block, Cell, Verdicts
from tests.integration.kind_kit import parsed
from tests.integration.registry_world import MEISHAN, MEISHAN_OTHER, card, fresh_number
from tests.integration.test_import_people import number_for

CARD = card()


def row(household_no: str | None = "H1", relation: str = "户主", **cells: Any) -> dict[str, Cell]:
    empty: dict[str, Cell] = dict.fromkeys(column.title for column in PEOPLE.columns)
    given = {"户编号": household_no, "姓名": "陈测试", "身份证号": number_for(relation), "与户主关系": relation}
    return empty | given | {"户口性质": "农村", "区划代码": MEISHAN} | cells


def codes(verdicts: Verdicts) -> dict[int, list[str]]:
    return {number: [fault.code for fault in faults] for number, faults in sorted(verdicts.items())}


NUMBER = fresh_number()
FOREIGN = "911124198108030024"
UNBORN = "35070220991231001"


@pytest.mark.parametrize(
    ("cells", "code"),
    [
        ({"残疾类别": "肢体"}, "disability_incomplete"),
        ({"残疾等级": "二级"}, "disability_incomplete"),
        ({"身份证号": NUMBER, "残疾人证号": f"{NUMBER}42"}, "disability_incomplete"),
        ({"身份证号": NUMBER, "残疾类别": "4", "残疾等级": "一级", "残疾人证号": f"{NUMBER}42"}, "disability_certificate_grade"),
        (
            {"身份证号": NUMBER, "残疾类别": "智力", "残疾等级": "2级", "残疾人证号": f"{NUMBER}42"},
            "disability_certificate_category",
        ),
        ({"残疾类别": "肢体", "残疾等级": "Ⅱ级", "残疾人证号": f"{NUMBER}42"}, "disability_certificate_holder"),
        ({"银行账号": CARD, "户名": "陈测试"}, "account_incomplete"),
        ({"开户银行": "农业银行"}, "account_incomplete"),
        ({"银行账号": f"{CARD[:-1]}{9 - int(CARD[-1])}", "户名": "陈", "开户银行": "农行"}, "bank_account_checksum"),
        ({"身份证号": UNBORN + checksum_character(UNBORN)}, "id_number_date"),
        ({"证件类型": "港澳台居民居住证"}, "id_kind_differs"),
        ({"身份证号": FOREIGN, "证件类型": "身份证"}, "id_kind_differs"),
        ({"住址": "梅山街道****"}, "address_masked"),
        ({"户编号": f"{MEISHAN_OTHER}-000001"}, "household_no_reserved"),
        ({"月收入(元)": "-1"}, "amount_range"),
        ({"与户主关系": "邻居"}, "choice_unknown"),
        ({"户口性质": None}, "required"),
    ],
)
def test_one_row(cells: dict[str, Any], code: str) -> None:
    _, verdicts = parsed(PEOPLE, [row(**cells)])
    assert codes(verdicts)[2][0] == code
    assert all(str(value) not in fault.message for fault in verdicts[2] for value in cells.values() if len(str(value)) > 5)


def test_what_offices_write_is_read() -> None:
    words = {"与户主关系": "次女", "户口性质": "非农业户口", "婚姻状况": "离异", "残疾类别": "智力残疾", "残疾等级": "叁级"}
    words |= {"是否重病": "√", "就业状况": "灵活就业", "学业状况": "初中", "账户类型": "社会保障卡", "月收入(元)": "￥1,200元"}
    account = {"开户银行": "农行", "银行账号": "6228 4800 0000 0001 234", "户名": "陈 测试"}
    block, verdicts = parsed(PEOPLE, [row(**words, **account)])
    assert verdicts == {}
    (_, values) = next(iter(block.rows()))
    assert [values[name] for name in ("relation", "residence", "marital_status", "disability_category", "disability_grade")] == [
        *("child", "urban", "divorced", "intellectual", 3)
    ]
    assert [values[name] for name in ("serious_illness", "employment", "study", "account_kind", "monthly_income_fen")] == [
        *(True, "self_employed", "compulsory", "social_security_card", 120_000)
    ]
    assert values["account_number"] == "6228480000000001234"


def between(rows: list[dict[str, Cell]], part: int = 2) -> Verdicts:
    """The rows in parts of so many, and what holds between them."""
    block, verdicts = parsed(PEOPLE, rows)
    check = HouseholdsOfFile()
    for start in range(0, len(rows), part):
        columns = {name: values[start : start + part] for name, values in block.columns.items()}
        check.add(Block(block.numbers[start : start + part], columns))
    found = check.verdicts()
    return found | check.held_back({*found, *verdicts})


def test_households_have_one_head_one_place_one_account() -> None:
    account = {"开户银行": "农行", "银行账号": card(), "户名": "陈测试"}
    rows = [
        *(row("A"), row("B", "配偶"), row("C"), row("D")),
        *(row("A", "子女"), row("C"), row("D", "子女", 区划代码=MEISHAN_OTHER), row("E", **account)),
        *(row("E", "配偶", **account), row("F", **account), row("F", "子女", **(account | {"银行账号": card()}))),
    ]
    assert codes(between(rows)) == {
        3: ["one_head_required"],
        4: ["one_head_required"],
        5: ["household_areas_differ"],
        7: ["one_head_required"],
        8: ["household_areas_differ"],
        11: ["household_accounts_differ"],
        12: ["household_accounts_differ"],
    }


def test_an_area_in_doubt_contradicts_none() -> None:
    rows = [
        *(row("A"), row("A", "子女", 区划代码=None), row("B"), row("B", "子女", 区划代码=f"{MEISHAN[:9]}999")),
        *(row("C"), row("C", "配偶", 区划代码=None), row("C", "子女", 区划代码=MEISHAN_OTHER)),
    ]
    held, differ = ["household_held_back"], ["household_areas_differ"]
    assert codes(between(rows)) == {2: held, 4: held, 6: differ, 7: differ, 8: differ}


def born(day: str) -> str:
    return (digits := f"350702{day}001") + checksum_character(digits)


def test_relations_that_contradict_the_head_are_told_by_row() -> None:
    head, before, after = (born(day) for day in ("19800301", "19800229", "19800302"))
    rows = [
        *(row("A", "妻"), row("A", 身份证号=head), row("A", "配偶"), row("A", "妹")),
        *(
            row("B", "长子", 身份证号=before),
            row("B", 身份证号=head),
            row("B", "外孙女", 身份证号=before),
            row("B", "次女", 身份证号=after),
        ),
        *(
            row("C", "母亲", 身份证号=after),
            row("C", "爷爷", 身份证号=before),
            row("C", 身份证号=head),
            row("C", "父亲", 身份证号=after),
        ),
        *(
            row("D", 身份证号=head),
            row("D", "其他", 身份证号=before),
            row("D", "继子", 身份证号=after),
            row("D", "父亲", 身份证号=head),
            row("D", "配偶", 身份证号=before),
        ),
        *(row("E", "子女", 身份证号=before), row("E", 身份证号=None)),  # when the head was born is in doubt
    ]
    found = between(rows, 3)
    spouses, younger, older = ["head_has_two_spouses"], ["not_younger_than_head"], ["not_older_than_head"]
    held = ["household_held_back"]
    assert list(codes(found).values()) == [
        *(spouses, held, spouses, held),
        *(younger, held, younger, held),
        *(older, held, held, older),
        held,
    ]
    assert sorted(found) == [*range(2, 14), 19]
    faults = [fault for faults in found.values() for fault in faults if fault.code != "household_held_back"]
    assert {fault.column for fault in faults} == {"与户主关系"}
    assert all("请填“其他”" in fault.message for fault in faults)


def test_a_household_with_a_faulty_row_is_held_back_whole() -> None:
    rows = [row("A"), row("B"), row("A", "子女"), row("A", "配偶", 残疾类别="肢体"), row(None, "配偶"), row("B", "子女")]
    found = between(rows)
    assert codes(found) == {2: ["household_held_back"], 4: ["household_held_back"]}
    assert "第 5 行" in found[2][0].message


def test_an_empty_file_says_nothing() -> None:
    check = HouseholdsOfFile()
    assert (check.verdicts(), check.held_back({2})) == ({}, {})


CELLS: dict[str, st.SearchStrategy[Any]] = {
    "证件类型": st.sampled_from([None, "身份证", "港澳台居民居住证"]),
    "身份证号": st.sampled_from([None, NUMBER, FOREIGN, UNBORN + checksum_character(UNBORN)]),
    "残疾类别": st.sampled_from([None, "肢体"]),
    "残疾等级": st.sampled_from([None, "二级"]),
    "残疾人证号": st.sampled_from([None, f"{NUMBER}42", f"{NUMBER}43"]),
    "开户银行": st.sampled_from([None, "农行"]),
    "银行账号": st.sampled_from([None, CARD, "12345"]),
    "户名": st.sampled_from([None, "陈测试"]),
    "住址": st.sampled_from([None, "某路", "某路**"]),
    "户编号": st.sampled_from([None, "H1", f"{MEISHAN}-000001", f"{MEISHAN_OTHER}-000001"]),
}


@hypothesis.given(st.lists(st.fixed_dictionaries(CELLS), min_size=1, max_size=6))
def test_looking_at_suspects_only_finds_what_looking_at_all_finds(cells: list[dict[str, Cell]]) -> None:
    rows = [row() | one for one in cells]
    everything = replace(PEOPLE, suspects=None)
    assert codes(parsed(PEOPLE, rows)[1]) == codes(parsed(everything, rows)[1])
