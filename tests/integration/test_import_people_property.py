"""Whatever population comes in goes out as it came, and comes in again without a change."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import hypothesis
import pytest
from hypothesis import strategies as st

import app.db.export_readers.everything  # noqa: F401  (registers the readers)
from app.db.export_readers import Reading, reader_of
from app.db.session import transaction
from app.domain.access import AreaScope
from app.domain.imports.kinds import people_words as words
from app.domain.imports.model import Kind
from app.runtime import Runtime
from tests.integration.kind_kit import TODAY, Bench, counts, parsed
from tests.integration.registry_world import MEISHAN_OTHER, card
from tests.integration.test_import_people import number, number_for
from tests.world import World

pytestmark = [pytest.mark.db, pytest.mark.asyncio(loop_scope="session")]

HOME = AreaScope("350702", MEISHAN_OTHER)
NAMES = st.text(st.sampled_from("陈李王阿卜杜拉·依明江𠮷"), min_size=2, max_size=8).filter(lambda name: name.strip("·") == name)
PLACES = st.text(st.sampled_from("路街号栋单元一二三 ABC12-/"), min_size=1, max_size=30).map(str.strip).filter(bool)
INCOMES = st.integers(0, 10**9).map(lambda fen: f"{fen // 100}.{fen % 100:02d}")


def word(known: words.Words, *left_out: str) -> st.SearchStrategy[str]:
    return st.sampled_from([word for code, titles in known.items() if code not in left_out for word in titles])


@st.composite
def members(draw: st.DrawFn, household_no: str, relation: str) -> dict[str, Any]:
    id_number = number_for(relation)
    given: dict[str, Any] = {
        "户编号": household_no,
        "姓名": draw(NAMES),
        "证件类型": draw(st.sampled_from([None, "居民身份证", "身份证"])),
        "身份证号": draw(st.sampled_from([id_number, id_number.lower(), f" {id_number[:6]} {id_number[6:]}"])),
        "与户主关系": relation,
        "户口性质": draw(word(words.RESIDENCES)),
        "区划代码": MEISHAN_OTHER,
        "户籍区划代码": draw(st.sampled_from([None, "350702", "350702001"])),
        "住址": draw(st.none() | PLACES),
        "手机号": draw(st.sampled_from([None, "13800138000", "０１３9-1234567", "+8613912345678"])),
        "民族": draw(st.sampled_from([None, "汉族", "维吾尔族"])),
        "婚姻状况": draw(st.none() | word(words.MARITAL)),
        "是否重病": draw(st.sampled_from([None, "是", "否"])),
        "就业状况": draw(st.none() | word(words.EMPLOYMENTS)),
        "学业状况": draw(st.none() | word(words.STUDIES)),
        "月收入(元)": draw(st.none() | INCOMES),
    }
    given["手机号"] = None if given["手机号"] and given["手机号"].startswith("０") else given["手机号"]
    disability: dict[str, Any] = dict.fromkeys(("残疾类别", "残疾等级", "残疾人证号"))
    if draw(st.booleans()):
        category, grade = draw(st.integers(1, 7)), draw(st.integers(1, 4))
        suffix = draw(st.sampled_from([None, "", "B1"]))
        disability = {"残疾类别": str(category), "残疾等级": str(grade)}
        disability["残疾人证号"] = None if suffix is None else f"{id_number}{category}{grade}{suffix}"
    return given | disability


@st.composite
def populations(draw: st.DrawFn) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for _ in range(draw(st.integers(1, 4))):
        household_no = number()
        others = draw(st.lists(word(words.RELATIONS, "head", "spouse"), max_size=4))
        relations = ["户主", *draw(st.lists(word(words.RELATIONS, "head"), max_size=1)), *others]
        people = [draw(members(household_no, relation)) for relation in relations]
        account = dict.fromkeys(("开户银行", "银行账号", "户名", "账户类型"))
        for one in people:
            one.update(account)
        if draw(st.booleans()):
            kind = draw(st.none() | word(words.ACCOUNT_KINDS))
            bank = {"开户银行": "农业银行", "银行账号": card(), "户名": "陈导入", "账户类型": kind}
            draw(st.sampled_from(people)).update(bank)
        rows += people
    return draw(st.permutations(rows))


def as_file(kind: Kind, fields: Mapping[str, Any]) -> dict[str, Any]:
    """A row as an export writes it."""
    texts = {column.title: fields.get(column.name) for column in kind.columns}
    cells = {column.title: column.cell for column in kind.columns}
    return {title: None if value is None else cells[title].write(value) for title, value in texts.items()}


async def taken_out(bench: Bench, household_nos: set[str]) -> list[dict[str, Any]]:
    async with transaction(bench.runtime.engine, HOME) as session:
        reading = Reading(MEISHAN_OTHER, TODAY, bench.runtime.cipher)
        chunks = [chunk async for chunk in reader_of(bench.kind).read(HOME, session, reading)]
    return [dict(fields) for chunk in chunks for fields in chunk if fields["household_no"] in household_nos]


def said(fields: Mapping[str, Any]) -> dict[str, Any]:
    """What a row says: an empty cell says nothing, and some words say no more than an empty cell."""
    silent = {"id_kind": "resident_id", "serious_illness": False, "study": words.NOT_STUDYING}
    account = {"bank_name", "account_number", "account_holder", "account_kind"}  # of the household, on whichever row
    return {
        name: value for name, value in fields.items() if value is not None and silent.get(name) != value and name not in account
    }


@hypothesis.settings(max_examples=25, deadline=None, suppress_health_check=list(hypothesis.HealthCheck))
@hypothesis.given(rows=populations())
async def test_what_comes_in_goes_out_and_comes_in_again(runtime: Runtime, world: World, rows: list[dict[str, Any]]) -> None:
    people = Bench.of(runtime, "people", HOME)
    block, verdicts = parsed(people.kind, rows, HOME)
    assert verdicts == {}
    applied, _ = await people.write(*rows)
    assert counts(applied) == (len(rows), 0, 0, 0)
    assert counts((await people.write(*reversed(rows)))[0]) == (0, 0, len(rows), 0)
    out = await taken_out(people, {row["户编号"] for row in rows})
    sent = {fields["id_number"]: said(fields) for _, fields in block.rows()}
    assert {fields["id_number"]: said(fields) for fields in out} == sent
    assert counts((await people.write(*(as_file(people.kind, fields) for fields in out)))[0]) == (0, 0, len(rows), 0)
