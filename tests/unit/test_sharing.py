"""The rules of sharing that need no database."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from app.domain.access import Actor, AreaScope, Duty, Level
from app.domain.errors import Forbidden
from app.domain.sharing import Agreement, StatusQuery, admit, in_force
from app.domain.sharing.agreements import seconds_to_midnight
from app.ids import new_id

AGREEMENT = Agreement(
    id=new_id(),
    district="350702",
    area_code="350702",
    programmes=frozenset({"dibao"}),
    purposes=("student_aid",),
    fields=frozenset(),
    quota_per_day=1,
    valid_from=date(2026, 3, 1),
    valid_until=date(2026, 4, 1),
)
NOW = datetime(2026, 3, 31, 15, 0, tzinfo=UTC)
QUERY = StatusQuery(
    id=new_id(),
    client=Actor(new_id(), "bureau", Level.DISTRICT, "350702", "350702", frozenset({Duty.BUREAU})),
    number_digests={1: b"digest"},
    name_key="某某",
    subject="",
    as_of=date(2026, 3, 1),
    programmes=("dibao",),
    purpose="student_aid",
    legal_basis="",
    case_no="",
    attest=True,
    asked_at=NOW,
    today=date(2026, 3, 31),
    trace_id="",
)


@pytest.mark.parametrize(
    ("day", "holds"),
    [
        (date(2026, 2, 28), False),
        (date(2026, 3, 1), True),
        (date(2026, 3, 31), True),
        (date(2026, 4, 1), False),
    ],
)
def test_an_agreement_is_in_force_from_its_first_day_to_before_its_end(day: date, holds: bool) -> None:
    if holds:
        assert in_force(AGREEMENT, day) is AGREEMENT
    else:
        with pytest.raises(Forbidden):
            in_force(AGREEMENT, day)


def test_an_agreement_without_end_goes_on() -> None:
    assert in_force(replace(AGREEMENT, valid_until=None), date(2299, 1, 1))


@pytest.mark.parametrize(
    ("agreed", "own", "common"),
    [
        ("350702", "350702", "350702"),
        ("350702001", "350702", "350702001"),
        ("350702", "350702001", "350702001"),
        ("350702001", "350702002", None),
        ("350702", "350703", None),
    ],
)
def test_the_narrower_area_bounds_the_question(agreed: str, own: str, common: str | None) -> None:
    agreement = replace(AGREEMENT, area_code=agreed)
    query = replace(QUERY, client=replace(QUERY.client, area=own))
    if common is None:
        with pytest.raises(Forbidden, match="outside_agreement"):
            admit(agreement, query)
    else:
        assert admit(agreement, query) == AreaScope("350702", common)


@pytest.mark.parametrize(
    ("moment", "seconds"),
    [
        (datetime(2026, 3, 31, 15, 59, 59, tzinfo=UTC), 1),
        (datetime(2026, 3, 31, 15, 59, 59, 1, tzinfo=UTC), 1),
        (datetime(2026, 3, 31, 15, 59, 59, 999_999, tzinfo=UTC), 1),
        (datetime(2026, 3, 31, 16, 0, 0, tzinfo=UTC), 86_400),
        (datetime(2026, 3, 31, 0, 0, 0, tzinfo=UTC), 57_600),
    ],
)
def test_the_quota_comes_back_at_midnight_in_shanghai(moment: datetime, seconds: int) -> None:
    assert seconds_to_midnight(moment) == seconds


@pytest.mark.parametrize(
    ("agreed", "said", "covered"),
    [
        ("公租房", "公租房", True),
        ("公租房", "公租房审核", False),
        ("公租房*", "公租房年度复核", True),
        ("公租房*", "公租房", True),
        ("公租房*", "非公租房", False),
        ("*housing*", "Public Housing", True),
        ("*住房*审核*", "保障性住房资格审核", True),
        ("*住房*审核*", "审核住房", False),
        ("a.c", "abc", False),
        ("a.c*", "abcd", False),
    ],
)
def test_a_purpose_is_covered_word_for_word_unless_the_agreement_leaves_it_open(agreed: str, said: str, covered: bool) -> None:
    agreement, query = replace(AGREEMENT, purposes=(agreed,)), replace(QUERY, purpose=said)
    if covered:
        assert admit(agreement, query) == AreaScope("350702", "350702")
    else:
        with pytest.raises(Forbidden):
            admit(agreement, query)
