"""Operating measures: counts before rates, no data and no cases apart from zero, one fact flipped at a time."""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date
from typing import Any
from uuid import UUID

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from app.domain.access import AreaScope
from app.domain.errors import Malformed
from app.domain.inspections.judging import to_be_found
from app.domain.stations import Assessment, Grade, Undecided, assess
from app.domain.stations.facts import OperationsFact
from app.domain.stations.measures import MEASURES
from app.domain.stations.model import Dimension
from app.domain.stations.operating import (
    JUDGED,
    NOTHING,
    OPERATING,
    Miss,
    OperatingReading,
    Period,
    Shape,
    Tally,
    full_months,
    period_of,
)
from app.domain.stations.operating_ports import OperatingSource, Sources
from app.domain.stations.operating_report import NO_WORDS, Words, points_of, rows_of
from app.domain.stations.scoring import score_of
from app.domain.stations.standard_document import standard_of
from app.routers.v1.station_assessment_models import OperationsFacts
from app.station_standards import standards
from tests.unit.station_sheets import AS_OF, GOOD, Sheet, assessed, changed, facts_of

CASES = 40
WORKING: Sheet = {"operations": {code: {"part": CASES, "whole": CASES} for code in JUDGED}}
CRITERIA = {criterion.measure: criterion.code for criterion in standards().get("operations").on(AS_OF).criteria}
MANDATORY = {criterion.code for criterion in standards().get("operations").on(AS_OF).criteria if criterion.mandatory}


def working(**tallies: Mapping[str, Any] | None) -> Sheet:
    """The good figures with others for some measures; None: not said."""
    given = WORKING["operations"] | tallies
    return {"operations": {code: tally for code, tally in given.items() if tally is not None}}


def operations(sheet: Sheet) -> Assessment:
    return assessed("operations", sheet)


def moved(sheet: Sheet) -> dict[str, tuple[bool | None, Undecided | None]]:
    """The criteria that say something else than of the good figures."""
    before, after = operations(WORKING), operations(sheet)
    pairs = zip(before.criteria, after.criteria, strict=True)
    return {
        now.criterion.code: (now.met, now.reason) for then, now in pairs if (then.met, then.measured) != (now.met, now.measured)
    }


# --- the standard ----------------------------------------------------------------------------------------------------------


def test_every_share_is_asked_about_once_and_only_shares_are() -> None:
    assert CRITERIA.keys() == JUDGED.keys()
    assert len(CRITERIA) == len(set(CRITERIA.values()))
    assert JUDGED.keys() == {field.name for field in fields(OperationsFact)} == set(OperationsFacts.model_fields)
    assert set(JUDGED) <= set(MEASURES)


def test_every_measure_says_what_it_counts() -> None:
    assert all(re.search(r"[\u4e00-\u9fff]", one.name) and re.search(r"期", one.definition) for one in OPERATING.values())
    assert {one.unit for one in JUDGED.values()} == {"%"}


def test_all_good_figures_pass() -> None:
    result = operations(WORKING)
    assert (result.grade, score_of(result.criteria).shown) == (Grade.QUALIFIED, "100")


# --- one fact at a time ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("measure", JUDGED)
def test_one_case_missed_fails_exactly_the_criterion_about_it(measure: str) -> None:
    assert moved(working(**{measure: {"part": CASES - 1, "whole": CASES}})) == {CRITERIA[measure]: (False, None)}


@pytest.mark.parametrize("measure", JUDGED)
@pytest.mark.parametrize(
    ("tally", "reason"),
    [
        (None, Undecided.FACT_MISSING),
        ({"whole": CASES}, Undecided.FACT_MISSING),
        ({"part": CASES}, Undecided.FACT_MISSING),
        ({"recorded": False}, Undecided.NO_DATA),
        ({"recorded": False, "part": 0, "whole": CASES}, Undecided.NO_DATA),
        ({"part": 0, "whole": 0}, Undecided.NO_CASES),
    ],
)
def test_what_is_not_there_opens_exactly_the_criterion_about_it(
    measure: str, tally: Mapping[str, Any] | None, reason: Undecided
) -> None:
    code = CRITERIA[measure]
    sheet = working(**{measure: tally})
    assert moved(sheet) == {code: (None, reason)}
    result = operations(sheet)
    open_ones = code in MANDATORY and reason is not Undecided.NO_CASES
    assert result.grade is (Grade.UNDETERMINED if open_ones else Grade.QUALIFIED)
    assert bool(result.of(code).missing) == (reason is Undecided.FACT_MISSING)


@pytest.mark.parametrize("measure", JUDGED)
@pytest.mark.parametrize(
    ("part", "whole", "met"), [(0, 1, False), (1, 1, True), (999_999, 1_000_000, False), (10**6, 10**6, True)]
)
def test_the_limit_is_exact_however_close(measure: str, part: int, whole: int, met: bool) -> None:
    assert operations(working(**{measure: {"part": part, "whole": whole}})).of(CRITERIA[measure]).met is met


@pytest.mark.parametrize("measure", JUDGED)
def test_more_than_there_are_is_refused_with_the_sum(measure: str) -> None:
    with pytest.raises(Malformed) as refused:
        operations(working(**{measure: {"part": CASES + 2, "whole": CASES}}))
    (error,) = refused.value.errors
    assert (error.pointer, error.code) == (f"/facts/operations/{measure}/part", "more_than_total")
    assert "42" in error.message
    assert "多 2 件" in error.message


# --- neither passed, failed nor zero ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("measure", [code for code in JUDGED if CRITERIA[code] not in MANDATORY])
def test_no_data_and_no_cases_leave_the_points_alone(measure: str) -> None:
    """Somebody else's criterion is failed in both; the one without a figure changes neither points nor grade."""
    failed = {"within": {"part": 0, "whole": 1}}
    other = "lead_on_time_rate" if measure != "lead_on_time_rate" else "active_informants"
    with_figure = operations(working(**{other: failed["within"]}))
    lost = next(verdict.criterion.weight for verdict in with_figure.criteria if verdict.criterion.measure == other)
    own = next(verdict.criterion.weight for verdict in with_figure.criteria if verdict.criterion.measure == measure)
    for tally in ({"recorded": False}, {"part": 0, "whole": 0}):
        result = operations(working(**{other: failed["within"], measure: tally}))
        score = score_of(result.criteria)
        assert (score.earned, score.unknown, score.total) == (100 - own - lost, 0, 100 - own)
        assert result.grade is with_figure.grade


def test_nothing_to_look_at_never_passes() -> None:
    """Without a single case nothing was done wrong, and nothing was shown."""
    result = operations({"operations": {code: {"part": 0, "whole": 0} for code in JUDGED}})
    assert (result.grade, points_of(result)) == (Grade.UNDETERMINED, None)
    assert {row.dimension: row.reason for row in result.dimensions}[Dimension.RULES] is Undecided.NO_CASES


def test_nobody_keeping_anything_leaves_everything_open() -> None:
    result = operations({"operations": {code: {"recorded": False} for code in JUDGED}})
    assert (result.grade, points_of(result)) == (Grade.UNDETERMINED, None)
    assert {(verdict.met, verdict.reason) for verdict in result.criteria} == {(None, Undecided.NO_DATA)}


def test_a_failure_decides_whatever_has_no_data() -> None:
    sheet = working(home_visit_rate={"recorded": False}, on_time_rate={"part": 1, "whole": 2})
    assert operations(sheet).grade is Grade.UNQUALIFIED


# --- digitisation: the case files before the sheet -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("files", "met", "measured"),
    [
        (None, True, "100"),
        ({"recorded": False}, True, "100"),
        ({"part": 0, "whole": 0}, True, "100"),
        ({"whole": 4}, True, "100"),
        ({"part": 4, "whole": 4}, True, "100"),
        ({"part": 3, "whole": 4}, False, "75"),
    ],
)
def test_digitisation_is_read_from_case_files_where_there_are_any(files: Sheet | None, met: bool, measured: str) -> None:
    sheet = GOOD if files is None else GOOD | {"operations": {"digital_case_files": files}}
    before, after = assessed("sanyou_siquan", GOOD), assessed("sanyou_siquan", sheet)
    assert (after.of("archives_digitised").met, after.of("archives_digitised").measured) == (met, measured)
    others = [(a, b) for a, b in zip(before.criteria, after.criteria, strict=True) if a.criterion.code != "archives_digitised"]
    assert all(then == now for then, now in others)


def test_it_says_which_of_the_two_was_read() -> None:
    sheet = GOOD | {"operations": {"digital_case_files": {"part": 3, "whole": 4}}}
    assert assessed("sanyou_siquan", sheet).of("archives_digitised").assumption == (
        "按系统内在保对象的电子卷宗计算（3/4；登记的档案为 1200/1200 份）"
    )
    unstated = changed("archives", None, sheet)
    assert assessed("sanyou_siquan", unstated).of("archives_digitised").measured == "75"
    assert assessed("sanyou_siquan", GOOD).of("archives_digitised").assumption is None


# --- readings --------------------------------------------------------------------------------------------------------------


@given(st.integers(0, 10**6), st.integers(1, 10**6), st.sampled_from(sorted(OPERATING)))
def test_a_rate_is_truncated_and_never_out_of_its_counts(good: int, more: int, measure: str) -> None:
    reading = OperatingReading(measure, Tally(good, good + more))
    if OPERATING[measure].shape is Shape.COUNT:
        assert (reading.rate_bp, reading.count, reading.reason) == (None, good + more, None)
        return
    assert reading.rate_bp is not None
    assert reading.rate_bp * (good + more) <= 10_000 * good < (reading.rate_bp + 1) * (good + more)
    assert reading.rate_bp < 10_000  # a single miss never rounds up to a full rate


@pytest.mark.parametrize("measure", OPERATING)
def test_no_data_no_cases_and_zero_are_three_answers(measure: str) -> None:
    none, empty = OperatingReading(measure, None), OperatingReading(measure, NOTHING)
    assert (none.rate_bp, none.count, none.reason) == (None, None, Undecided.NO_DATA)
    if OPERATING[measure].shape is Shape.COUNT:
        assert (empty.rate_bp, empty.count, empty.reason) == (None, 0, None)
    else:
        assert (empty.rate_bp, empty.count, empty.reason) == (None, None, Undecided.NO_CASES)
        assert OperatingReading(measure, Tally(0, 1)).rate_bp == 0


@pytest.mark.parametrize(
    ("as_of", "today", "first", "until"),
    [
        (date(2026, 11, 22), date(2026, 11, 22), date(2025, 11, 1), date(2026, 11, 1)),
        (date(2026, 11, 1), date(2026, 11, 1), date(2025, 11, 1), date(2026, 11, 1)),
        (date(2026, 10, 31), date(2026, 11, 22), date(2025, 11, 1), date(2026, 11, 1)),  # the last day makes the month full
        (date(2026, 10, 31), date(2026, 10, 31), date(2025, 10, 1), date(2026, 10, 1)),  # but not while it is still running
        (date(2026, 10, 30), date(2026, 11, 22), date(2025, 10, 1), date(2026, 10, 1)),
        (date(2030, 1, 1), date(2026, 11, 22), date(2025, 11, 1), date(2026, 11, 1)),  # nothing of days to come
        (date(2024, 2, 29), date(2026, 11, 22), date(2023, 3, 1), date(2024, 3, 1)),
    ],
)
def test_the_last_twelve_full_months(as_of: date, today: date, first: date, until: date) -> None:
    assert full_months(as_of, today) == Period(first, until)


TODAY = date(2026, 11, 22)


def test_a_period_as_asked_for() -> None:
    assert period_of(date(2026, 3, 1), date(2026, 3, 1), TODAY, TODAY) == Period(date(2026, 3, 1), date(2026, 3, 2))
    assert period_of(date(2026, 3, 1), date(2026, 11, 21), TODAY, TODAY).last == date(2026, 11, 21)
    assert period_of(None, None, TODAY, TODAY) == full_months(TODAY, TODAY)


@pytest.mark.parametrize(
    ("first", "last", "pointer", "code"),
    [
        (date(2026, 3, 2), date(2026, 3, 1), "/query/period_to", "days_reversed"),
        (date(2026, 3, 2), TODAY, "/query/period_to", "period_not_over"),
        (date(2026, 3, 2), None, "/query/period_to", "required"),
        (None, date(2026, 3, 2), "/query/period_from", "required"),
    ],
)
def test_a_period_that_makes_no_sense(first: date | None, last: date | None, pointer: str, code: str) -> None:
    with pytest.raises(Malformed) as refused:
        period_of(first, last, TODAY, TODAY)
    assert [(error.pointer, error.code) for error in refused.value.errors] == [(pointer, code)]


# --- sources ---------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Ledger:
    """A source that keeps what it is given."""

    figures: Mapping[str, Mapping[str, Tally]]

    @property
    def kept(self) -> frozenset[str]:
        return frozenset(self.figures)

    async def tallies(self, _scope: AreaScope, measure: str, _period: Period) -> Mapping[str, Tally]:
        return self.figures[measure]

    async def list_misses(
        self, _scope: AreaScope, _measure: str, _area: str, _period: Period, *, after: UUID | None, limit: int
    ) -> Sequence[Miss]:
        return ()

    async def count_misses(self, _scope: AreaScope, _measure: str, _area: str, _period: Period) -> int:
        return 0


def test_a_measure_has_data_as_soon_as_its_area_keeps_it() -> None:
    nothing: OperatingSource = Ledger({})
    bare = Sources(nothing, nothing, nothing, nothing)
    assert list(bare.kept()) == []
    items = Ledger({"service_on_time_rate": {"350702001": Tally(1, 2)}})
    assert list(Sources(nothing, nothing, nothing, nothing, service_items=items).kept()) == ["service_on_time_rate"]
    assert bare.of("service_on_time_rate") is None
    assert Sources(items, nothing, nothing, nothing).of("service_on_time_rate") is None  # casework doesn't answer for it


# --- a standard that nobody had --------------------------------------------------------------------------------------------

NEW = """
code: demo_swift
name: 示范限时标准
description: 示范：限时办结率按人口分档。
versions:
  - effective_from: 2026-01-01
    source: 示范文件
    criteria:
      - code: swift
        name: 限时办结
        dimension: rules
        measure: on_time_rate
        comparator: at_least
        limit_by: population
        limits:
          - {band_until: 10000, lower: 95}
          - {band_from: 10000, lower: 90}
        article: 示范文件 第一条
        sentence: 万人以下的百分之九十五以上，万人以上的百分之九十以上
        evidence: [办理过程记录]
        weight: 100
        mandatory: true
"""


@pytest.mark.parametrize(
    ("population", "part", "met"),
    [(9_999, 949, False), (9_999, 950, True), (10_000, 899, False), (10_000, 900, True), (9_999, 900, False)],
)
def test_a_new_standard_over_operating_data_is_a_document(population: int, part: int, met: bool) -> None:
    sheet = {"population": population, "operations": {"on_time_rate": {"part": part, "whole": 1000}}}
    assert assess(facts_of(sheet), standard_of(yaml.safe_load(NEW)), AS_OF).of("swift").met is met


def test_only_an_operating_share_can_be_asked_for() -> None:
    document = yaml.safe_load(NEW)
    wrong = copy.deepcopy(document)
    wrong["versions"][0]["criteria"][0]["measure"] = "reviews_overdue"
    with pytest.raises(Malformed) as refused:
        standard_of(wrong)
    assert [error.code for error in refused.value.errors] == ["unknown_value"]


# --- three sources side by side --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tally", "said", "disagrees"),
    [
        ({"part": 1, "whole": 2}, True, True),
        ({"part": 2, "whole": 2}, False, True),
        ({"part": 2, "whole": 2}, True, False),
        ({"part": 1, "whole": 2}, None, False),
        ({"part": 0, "whole": 0}, True, False),
        ({"recorded": False}, True, False),
    ],
)
def test_a_word_against_the_data_is_flagged_and_changes_nothing(tally: Sheet, said: bool | None, disagrees: bool) -> None:
    assessment = operations(working(on_time_rate=tally))
    words = Words({} if said is None else {"within_time_limits": said}, {"within_time_limits": True})
    silent = {row.verdict.criterion.code: row for row in rows_of(assessment, NO_WORDS)}
    spoken = {row.verdict.criterion.code: row for row in rows_of(assessment, words)}
    row = spoken.pop("within_time_limits")
    assert (row.self_met, row.found, row.disagrees) == (said, True, disagrees)
    assert row.verdict == silent.pop("within_time_limits").verdict
    assert spoken == silent


def test_inspectors_decide_what_there_was_to_look_at() -> None:
    """Without a case there is nothing to find; what nobody keeps they may see on paper."""
    derived = operations(working(lead_on_time_rate={"part": 0, "whole": 0}, home_visit_rate={"recorded": False}))
    asked = {verdict.criterion.code for verdict in to_be_found(derived)}
    assert set(CRITERIA.values()) - asked == {"leads_settled_on_time"}
