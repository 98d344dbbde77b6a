"""A standard is data: a new one is a document and its cases, and a wrong one is refused when it is read."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from app.domain.errors import Malformed, NotFound
from app.domain.stations.assessing import assess
from app.domain.stations.codes import registry
from app.domain.stations.measures import LIMIT_BY, MEASURES, MeasureKind
from app.domain.stations.model import Grade, NoStandardInForce, Standard, Undecided
from app.domain.stations.standard_document import standard_of, standards_of
from app.station_standards import DATA, PATTERN, load_standards, read_standard, standards
from tests.unit.station_sheets import GOOD, changed, facts_of

FILES = sorted(DATA.glob(PATTERN))

#: a standard that nobody had when the code was written
NEW = """
code: demo_street
name: 示范街道标准
description: 示范
versions:
  - effective_from: 2025-01-01
    effective_to: 2025-12-31
    source: 示范文件（2025）
    criteria:
      - &windows
        code: service_window
        name: 服务窗口
        dimension: premises
        measure: service_window
        comparator: is_true
        article: 示范文件 第一条
        sentence: 设服务窗口
        evidence: [现场照片]
        weight: 50
        mandatory: true
  - effective_from: 2026-01-01
    source: 示范文件（2026）
    criteria:
      - *windows
      - code: volunteers_by_size
        name: 志愿者人数
        dimension: team
        measure: volunteers
        comparator: at_least
        limit_by: population
        limits:
          - {band_from: 1000, band_until: 5000, lower: 10}
          - {band_from: 5000, lower: 20}
        article: 示范文件 第二条
        sentence: 千人以上的街道志愿者不少于10人，五千人以上的不少于20人
        evidence: [志愿者名册]
        weight: 50
        mandatory: true
      - code: camera_until_june
        name: 照相机
        dimension: facilities
        measure: cameras
        comparator: at_least
        limit: {lower: 1}
        article: 示范文件 第三条
        sentence: 上半年配照相机
        evidence: [固定资产登记]
        weight: 10
        mandatory: true
        effective_to: 2026-06-30
"""


def new() -> Any:
    return yaml.safe_load(NEW)


def judged(on: date, **facts: Any) -> tuple[Grade, dict[str, bool | None]]:
    result = assess(facts_of(facts), standard_of(new()), on)
    return result.grade, {verdict.criterion.code: verdict.met for verdict in result.criteria}


def test_a_new_standard_is_a_document_and_its_cases() -> None:
    window = {"premises": {"service_window": True}, "equipment": {"camera": 0}}
    assert judged(date(2025, 12, 31), **window) == (Grade.QUALIFIED, {"service_window": True})
    on = date(2026, 6, 30)
    all_met = {"service_window": True, "volunteers_by_size": True, "camera_until_june": False}
    assert judged(on, **window, population=5000, volunteers=20) == (Grade.UNQUALIFIED, all_met)
    later = date(2026, 7, 1)
    for population, volunteers, met, grade in [
        (999, 0, None, Grade.QUALIFIED),
        (1000, 9, False, Grade.UNQUALIFIED),
        (1000, 10, True, Grade.QUALIFIED),
        (4999, 10, True, Grade.QUALIFIED),
        (5000, 19, False, Grade.UNQUALIFIED),
        (5000, 20, True, Grade.QUALIFIED),
    ]:
        expected = (grade, {"service_window": True, "volunteers_by_size": met})
        assert judged(later, **window, population=population, volunteers=volunteers) == expected


def test_a_day_without_a_version_has_no_answer() -> None:
    with pytest.raises(NoStandardInForce, match="no_standard_in_force"):
        judged(date(2024, 12, 31))


def test_another_text_is_another_version() -> None:
    changed_weight = new()
    changed_weight["versions"][1]["criteria"][1]["weight"] = 51
    before, after = standard_of(new()), standard_of(changed_weight)
    assert before.versions[0].version == after.versions[0].version
    assert before.versions[1].version != after.versions[1].version
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\d/[0-9a-f]{12}", version.version) for version in after.versions)


def test_an_end_does_not_rename_a_version() -> None:
    ended = new()
    ended["versions"][1]["effective_to"] = "2026-12-31"
    assert standard_of(ended).versions[1].version == standard_of(new()).versions[1].version
    with pytest.raises(NoStandardInForce):
        standard_of(ended).on(date(2027, 1, 1))


def test_a_folder_of_standards_is_read_whole(tmp_path: Path) -> None:
    (tmp_path / "station-standard-new.yaml").write_text(NEW, "utf-8")
    assert load_standards(tmp_path).codes == ("demo_street",)
    (tmp_path / "station-standard-again.yaml").write_text(NEW, "utf-8")
    with pytest.raises(Malformed) as caught:
        load_standards(tmp_path)
    assert [error.code for error in caught.value.errors] == ["duplicate_standard"]


EACH = """
code: demo_informants
name: 示范监督员标准
description: 示范
versions:
  - effective_from: 2026-01-01
    source: 示范文件
    criteria:
      - code: informants
        name: 监督员
        dimension: team
        measure: informants_per_community
        comparator: at_least
        limit_by: community_population
        limits:
          - {band_from: 1000, band_until: 3000, lower: 1}
        article: 示范文件 第四条
        sentence: 千人以上、三千人以下的村设1名
        evidence: [名册]
        weight: 1
        mandatory: true
"""


@pytest.mark.parametrize(
    ("communities", "met", "reason", "required"),
    [
        ([(999, 0)], None, Undecided.NOT_DEFINED, None),
        ([(999, 0), (3000, 0)], None, Undecided.NOT_DEFINED, None),
        ([(999, 0), (1000, 1)], True, None, "1"),
        ([(999, 0), (1000, 0)], False, None, "1"),
        ([(1000, 1), (2999, 1)], True, None, "2"),
        ([(999, 0), (None, 1)], None, Undecided.FACT_MISSING, None),
        ([(1000, None), (2999, 1)], None, Undecided.FACT_MISSING, "2"),
        ([(1000, None), (2999, 0)], False, None, "2"),
    ],
)
def test_communities_without_a_rule_decide_nothing(
    communities: list[tuple[int | None, int | None]], met: bool | None, reason: Undecided | None, required: str | None
) -> None:
    sheet = {"communities": [{"population": people, "informants": informants} for people, informants in communities]}
    verdict = assess(facts_of(sheet), standard_of(yaml.safe_load(EACH)), date(2026, 11, 15)).of("informants")
    assert (verdict.met, verdict.reason, verdict.required) == (met, reason, required)


def test_the_documented_example_is_a_standard() -> None:
    """docs/stations.md, as it stands there."""
    page = (DATA.parents[1] / "docs" / "stations.md").read_text("utf-8")
    (block,) = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    standard = standard_of(yaml.safe_load(block))
    sheet = {"population": 1000, "volunteers": 9, "signage": []}
    result = assess(facts_of(sheet), standard, date(2026, 11, 15))
    assert {verdict.criterion.code: verdict.met for verdict in result.criteria} == {
        "volunteers_by_size": False,
        "rules_posted": False,
    }


@pytest.mark.parametrize("text", ["a: [", "{", "\tx: 1"])
def test_what_is_no_yaml_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "station-standard-broken.yaml"
    path.write_text(text, "utf-8")
    with pytest.raises(Malformed) as caught:
        read_standard(path)
    assert [error.code for error in caught.value.errors] == ["not_yaml"]


SECOND = "/versions/1/criteria/1"


@pytest.mark.parametrize(
    ("pointer", "value", "at", "code"),
    [
        (f"{SECOND}/measure", "happiness", None, "unknown_value"),
        (f"{SECOND}/comparator", "roughly", None, "unknown_value"),
        (f"{SECOND}/comparator", "includes", None, "comparator_unfit"),
        (f"{SECOND}/comparator", "is_true", None, "comparator_unfit"),
        (f"{SECOND}/dimension", "weather", None, "unknown_value"),
        (f"{SECOND}/limit_by", "moon", None, "unknown_value"),
        (f"{SECOND}/limit_by", "community_population", None, "limit_by_unfit"),
        (f"{SECOND}/limit_by", None, None, "unknown_value"),
        (f"{SECOND}/limit", {"lower": 1}, f"{SECOND}/limits", "limit_twice"),
        (f"{SECOND}/limits", [], None, "not_a_list"),
        (f"{SECOND}/limits/1/band_from", 4999, f"{SECOND}/limits", "bands_overlap"),
        (f"{SECOND}/limits/0/band_until", 1000, None, "bounds_reversed"),
        (f"{SECOND}/limits/0/lower", "10", None, "out_of_range"),
        (f"{SECOND}/limits/0/lower", None, None, "out_of_range"),
        (f"{SECOND}/limits/0/upper", 12, None, "unknown_field"),
        (f"{SECOND}/limits/0/lower", 1.5, None, "out_of_range"),
        (f"{SECOND}/weight", 0, None, "out_of_range"),
        (f"{SECOND}/weight", True, None, "out_of_range"),
        (f"{SECOND}/mandatory", "yes", None, "not_a_boolean"),
        (f"{SECOND}/sentence", " ", None, "not_a_string"),
        (f"{SECOND}/evidence", [], None, "not_a_list"),
        (f"{SECOND}/evidence", [3], None, "not_a_string"),
        (f"{SECOND}/code", "service_window", None, "duplicate_criterion"),
        (f"{SECOND}/code", "Volunteers", None, "wrong_format"),
        (f"{SECOND}/colour", "red", None, "unknown_field"),
        (f"{SECOND}/arguments", {"leaders_counted": True}, f"{SECOND}/arguments/leaders_counted", "unknown_field"),
        (f"{SECOND}/effective_from", "2025-12-31", None, "outside_version"),
        ("/versions/1/criteria/2/effective_to", "2025-06-30", None, "period_empty"),
        ("/versions/1/criteria/2/effective_to", "soon", None, "not_a_date"),
        ("/versions/0/effective_to", None, "/versions", "periods_overlap"),
        ("/versions/0/effective_to", "2026-01-01", "/versions", "periods_overlap"),
        ("/versions/0/criteria/0/effective_to", "2026-01-01", None, "outside_version"),
        ("/versions", "none", None, "not_a_list"),
        ("/name", None, None, "not_a_string"),
    ],
)
def test_a_wrong_document_is_refused_at_its_place(pointer: str, value: Any, at: str | None, code: str) -> None:
    document = copy.deepcopy(new())
    *way, last = [int(part) if part.isdigit() else part for part in pointer.strip("/").split("/")]
    target = document
    for part in way:
        target = target[part]
    if value is None:
        target.pop(last, None)
    else:
        target[last] = value
    with pytest.raises(Malformed) as caught:
        standard_of(document)
    assert caught.value.code == "malformed_standard"
    assert (at or pointer, code) in {(error.pointer, error.code) for error in caught.value.errors}
    assert all(re.search(r"[\u4e00-\u9fff]", error.message) for error in caught.value.errors)


KEYS = st.sampled_from(["code", "lower", "criteria", "kind", 1, None, date(2026, 1, 1)])
JUNK: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=5),
    st.lists(st.integers(), max_size=2),
    st.dictionaries(KEYS, st.integers() | st.text(max_size=3), max_size=2),
)


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every (container, key) of a document."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, each in list(pairs):
        yield value, key
        yield from places(each)


@given(st.data())
def test_whatever_stands_anywhere_is_read_or_refused(data: st.DataObject) -> None:
    document = new()
    for _ in range(data.draw(st.integers(1, 3))):
        target, key = data.draw(st.sampled_from(list(places(document))))
        target[key] = data.draw(JUNK)
    with suppress(Malformed):
        standard = standard_of(document)
        for version in standard.versions:
            assess(facts_of(GOOD), standard, version.valid_from)


@pytest.mark.parametrize("document", [None, [], "三有四全", 3])
def test_what_is_no_document_is_refused(document: object) -> None:
    with pytest.raises(Malformed):
        standard_of(document)


def test_a_code_outside_the_vocabulary_is_refused() -> None:
    document = new()
    document["versions"][0]["criteria"][0] |= {"measure": "rules", "comparator": "includes", "limit": {"codes": ["siesta"]}}
    with pytest.raises(Malformed) as caught:
        standard_of(document)
    assert ("/versions/0/criteria/0/limit/codes/0", "unknown_value") in {(e.pointer, e.code) for e in caught.value.errors}


# --- the standards that come with the application --------------------------------------------------------------------------


def test_the_published_standards_are_there() -> None:
    assert {"sanyou_siquan", "wuyige", "wuyou_yichuang", "staffing_a", "staffing_b", "staffing_c"} <= set(standards().codes)
    with pytest.raises(NotFound):
        standards().get("lottery")


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_file_is_named_for_its_standard(path: Path) -> None:
    assert path.name == f"station-standard-{read_standard(path).code}.yaml"


@pytest.mark.parametrize("standard", standards().by_code.values(), ids=lambda standard: standard.code)
def test_every_criterion_has_its_source_and_the_weights_make_a_hundred(standard: Standard) -> None:
    for version in standard.versions:
        defined = assess_defined(standard, version.valid_from)
        assert sum(defined.values()) == 100, defined
        for criterion in version.criteria:
            assert criterion.article != criterion.sentence
            assert criterion.evidence


def assess_defined(standard: Standard, on: date) -> dict[str, int]:
    """The weights of the criteria for which the standard has a rule for this sheet."""
    sheet = changed("communities", None, GOOD | {"population": 20_000})
    verdicts = assess(facts_of(changed("staff", [], sheet)), standard, on).criteria
    return {v.criterion.code: v.criterion.weight for v in verdicts if v.reason is not Undecided.NOT_DEFINED}


def test_the_staffing_scales_stay_apart() -> None:
    """口径不同，不得合并成一个常量：same station, three answers."""
    sheet = changed("communities", None, changed("staff", [{"establishment": "institutional"}] * 2)) | {"population": 30_000}
    answers = {code: assess(facts_of(sheet), standards().get(f"staffing_{code}"), date(2026, 11, 15)) for code in "abc"}
    assert {code: answer.of("quota").met for code, answer in answers.items()} == {"a": False, "b": False, "c": True}
    assert {code: answer.of("quota").required for code, answer in answers.items()} == {"a": "3-4", "b": "3-4", "c": "2-3"}
    small = sheet | {"population": 9_999}
    assert assess(facts_of(small), standards().get("staffing_a"), date(2026, 11, 15)).of("quota").met is True
    assert assess(facts_of(small), standards().get("staffing_b"), date(2026, 11, 15)).of("quota").met is None


def test_measures_are_told_apart_and_named_in_chinese() -> None:
    names = [measure.name for measure in MEASURES.values()]
    assert len(names) == len(set(names))
    for measure in (*MEASURES.values(), *LIMIT_BY.values()):
        assert measure.facts
        assert (measure.kind in (MeasureKind.FLAG, MeasureKind.KIND)) == (measure.unit is None)


def test_every_text_is_chinese() -> None:
    for entries in registry().values():
        assert all(re.search(r"[\u4e00-\u9fff]", text) for text in entries.values())


def test_no_two_documents_may_give_the_same_standard() -> None:
    with pytest.raises(Malformed):
        standards_of([new(), new()])
