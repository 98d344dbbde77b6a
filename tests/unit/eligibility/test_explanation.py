"""The Chinese explanation and the 告知书 say what the answer says, and nothing else."""

from __future__ import annotations

import pytest

from app.domain.eligibility import Outcome
from app.domain.eligibility.explanation import NoticeDetails, explain, notice_text, reason_text
from app.domain.eligibility.model import Reason
from tests.unit.eligibility.families import adults, family, income, on_dibao, only, person, question

DETAILS = NoticeDetails("李某", "某区民政局")
ILL = person("m2", "spouse", serious_illness=True)


def test_every_reason_and_step_is_explained_with_its_article() -> None:
    result = only(question(family(*adults(3, "900")), "dibao"))
    lines = explain(result).splitlines()
    assert lines[0] == "最低生活保障：符合，每月 756.00 元"
    assert "✓ 家庭人均月收入低于低保标准：实际 300.00，标准 552.00（社会救助暂行办法 第九条）" in lines
    assert all(any(step.because in line and step.article in line for line in lines) for step in result.trace)
    assert sum(line.startswith(("✓", "✗", "？")) for line in lines) == len(result.reasons)


def test_names_stand_in_for_references_where_given() -> None:
    household = family(person(incomes=(income("300"),)), ILL)
    result = only(question(household, "dibao"))
    assert "（张某）" in notice_text(result, DETAILS, {"m2": "张某"})
    assert "[张某]" in explain(result, {"m2": "张某"})


def test_a_grant_names_amount_start_and_review() -> None:
    text = notice_text(only(question(family(*adults(3, "900")), "dibao")), DETAILS)
    assert text.startswith("李某：\n经审核确认，您（家庭）符合最低生活保障条件。")
    assert "自 2026-04 起每月发放 756.00 元" in text
    assert "下次核查日期：2027-03-10" in text
    assert "60 日内申请行政复议" in text
    assert text.endswith("某区民政局")


def test_a_refusal_names_only_what_refused_it() -> None:
    text = notice_text(only(question(family(*adults(3, "1656")), "dibao")), DETAILS)
    assert "不符合最低生活保障条件" in text
    assert "家庭人均月收入不低于低保标准：实际 552.00，标准 552.00（依据：社会救助暂行办法 第九条）" in text
    assert "金融资产未超过限额" not in text
    assert "每月发放" not in text


def test_missing_facts_are_told_all_at_once() -> None:
    household = family(person(), assets=None, authorised_verification=None)
    result = only(question(household, "dibao"))
    text = notice_text(result, DETAILS)
    assert result.outcome is Outcome.NEEDS_EVIDENCE
    assert all(f"需补充：{missing.message}" in text for missing in result.missing)


def test_gradual_exit_names_its_last_month() -> None:
    current = on_dibao("756", employment=True)
    result = only(question(family(*adults(3, "1800")), "dibao", current_entitlement=current))
    assert "渐退期，至 2026-09 止" in notice_text(result, DETAILS)


@pytest.mark.parametrize(
    ("met", "text"),
    [
        (True, "家庭人均月收入低于低保标准：标准 552.00"),
        (False, "家庭人均月收入不低于低保标准：标准 552.00"),
        (None, "人均收入低于低保标准：材料不足，尚不能判断：标准 552.00"),
    ],
)
def test_reason_text(met: bool | None, text: str) -> None:
    assert reason_text(Reason("income_below_standard", "社会救助法 第十八条", met, None, "552.00")) == text


def test_a_reason_of_a_local_programme_shows_its_code() -> None:
    assert reason_text(Reason("some_local_rule", "当地文件", True)) == "some_local_rule"
