"""Dated parameters: periods, the chain of areas, what was used, the version, and documents that are refused."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from app.domain.eligibility import NoPolicyInForce, ParameterBook, ParameterRow, rows_of
from app.domain.eligibility.parameters import area_chain, content_hash
from app.domain.errors import Malformed
from tests.unit.eligibility.families import adults, answer, book, book_with, family, question

D = date


def document(area: str = "35", **parameters: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{"area": area, "parameters": parameters}]


LONG_AGO = D(2020, 1, 1)


def one(area: str, value: Any, start: date = LONG_AGO, end: date | None = None) -> ParameterRow:
    return ParameterRow(area, "key", start, end, value)


def test_chain_of_areas() -> None:
    assert area_chain("350702001001") == ("350702001001", "350702001", "350702", "3507", "35", "00")
    assert area_chain("350702") == ("350702", "3507", "35", "00")


def test_the_nearest_area_wins() -> None:
    parameters = ParameterBook((one("00", 1), one("35", 2), one("350702", 3), one("350702001", 4)))
    day = D(2026, 1, 1)
    asked = ("350702001001", "350702002", "350703", "110101")
    assert [parameters.policy(area, day).get("key") for area in asked] == [4, 3, 2, 1]


def test_an_ended_value_of_a_nearer_area_gives_way() -> None:
    parameters = ParameterBook((one("35", 2), one("350702", 3, end=D(2025, 1, 1))))
    assert parameters.policy("350702", D(2024, 12, 31)).get("key") == 3
    assert parameters.policy("350702", D(2025, 1, 1)).get("key") == 2


def test_last_day_in_force_is_inclusive_in_documents_and_half_open_inside() -> None:
    rows = rows_of(document(key=[{"effective_from": "2024-01-01", "effective_to": "2024-12-31", "value": 1}]))
    assert rows[0].valid_until == D(2025, 1, 1)
    policy = ParameterBook(rows)
    assert policy.policy("35", D(2024, 12, 31)).get("key") == 1
    with pytest.raises(NoPolicyInForce) as refusal:
        policy.policy("35", D(2025, 1, 1)).get("key")
    assert refusal.value.code == "no_policy_in_force"
    assert refusal.value.members == {"key": "key", "area_code": "35", "date": "2025-01-01"}


def test_a_value_ends_where_its_successor_begins() -> None:
    rows = rows_of(document(key=[{"effective_from": "2025-01-01", "value": 2}, {"effective_from": "2024-01-01", "value": 1}]))
    assert [(row.value, row.valid_until) for row in rows] == [(1, D(2025, 1, 1)), (2, None)]


def test_overlap_is_impossible() -> None:
    with pytest.raises(ValueError, match="two values"):
        ParameterBook((one("35", 1), one("35", 2, start=D(2021, 1, 1))))


@pytest.mark.parametrize(
    ("versions", "code"),
    [
        ([{"effective_from": "2024-01-01", "value": 1.5}], "inexact_value"),
        ([{"effective_from": "2024-01-01", "value": {"a": [0.1]}}], "inexact_value"),
        ([{"effective_from": "2024-13-01", "value": 1}], "not_a_date"),
        ([{"effective_from": "2024-01-01"}], "value_missing"),
        ([{"value": 1}], "not_a_date"),
        ([{"effective_from": "2024-01-02", "effective_to": "2024-01-01", "value": 1}], "period_empty"),
        ([{"effective_from": "2024-01-01", "value": 1}, {"effective_from": "2024-01-01", "value": 2}], "duplicate_parameter"),
        ("x", "not_a_list"),
    ],
)
def test_a_wrong_document_names_its_place(versions: Any, code: str) -> None:
    with pytest.raises(Malformed) as refusal:
        rows_of(document(key=versions))
    (error,) = refusal.value.errors
    assert error.code == code
    assert "/key" in error.pointer


@pytest.mark.parametrize(("wrong", "code"), [({"area": "35"}, "not_a_list"), ([{"area": 35}], "not_an_area")])
def test_a_document_of_another_shape(wrong: Any, code: str) -> None:
    with pytest.raises(Malformed) as refusal:
        rows_of(wrong)
    assert refusal.value.errors[0].code == code


def test_only_what_was_asked_for_is_cited() -> None:
    assessment = answer(question(family(*adults(1)), "dibao"))
    used = {row.key for row in assessment.parameters_used}
    assert {"dibao.standard.urban", "dibao.benefit_mode", "dibao.asset.financial_limit", "dibao.uplift"} <= used
    assert not {"dibao.basic_pension_exempt", "dibao_edge.ratio", "dibao.standard.rural", "tekun.basic_ratio"} & used
    (standard,) = [row for row in assessment.parameters_used if row.key == "dibao.standard.urban"]
    assert (standard.value, standard.source) == (55200, "003_a27f15f384efc2ca.txt 篇7")


def test_the_version_follows_the_values_in_force() -> None:
    before, after = (book().version("350702001001", day) for day in (D(2026, 6, 30), D(2026, 7, 1)))
    assert before.startswith("350702/2026-01-01/")
    assert after.startswith("350702/2026-07-01/")
    assert before.split("/")[2] == after.split("/")[2]
    changed = book_with("350702", {"another.key": 1}).version("350702001001", D(2026, 7, 1))
    assert changed != after
    assert book().version("340882", D(2026, 7, 1)).split("/")[2] != after.split("/")[2]


def test_the_hash_is_of_content_not_of_order() -> None:
    rows = book().rows
    assert content_hash(rows) == content_hash(reversed(rows))
    assert content_hash(rows) != content_hash([replace(rows[0], value=1), *rows[1:]])
