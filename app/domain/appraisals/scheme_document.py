"""A scheme as it is written down (YAML, request, database) → ``Scheme``. The shape is checked at the edge, the sense here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from app.domain.appraisals import refusals
from app.domain.appraisals.measures import DEDUCTIONS, MEASURES
from app.domain.appraisals.scheme import (
    WHOLE_WEIGHT,
    AdjustmentRule,
    Direction,
    GradeStep,
    Indicator,
    Kind,
    Line,
    Part,
    PersonnelRule,
    Round,
    Scheme,
)
from app.domain.errors import FieldError

HUNDREDTHS = 100
LISTS = {Kind.BONUS: "bonuses", Kind.DEDUCTION: "deductions", Kind.VETO: "vetoes"}


def hundredths(value: Decimal | str | int) -> int:
    """A value with at most two places as a whole number."""
    return int(Decimal(value) * HUNDREDTHS)


def value_text(value: int | None) -> str | None:
    """The way back: 9850 → "98.5"."""
    if value is None:
        return None
    whole, rest = divmod(value, HUNDREDTHS)
    return f"{whole}.{rest:02d}".rstrip("0").rstrip(".") if rest else str(whole)


def scheme_of(document: Mapping[str, Any]) -> Scheme:
    """Raises ``Malformed`` with every contradiction: weights that don't make 100, codes used twice, unknown measures."""
    errors = list(_contradictions(document))
    if errors:
        raise refusals.scheme_malformed(errors)
    return read_scheme(document)


def read_scheme(document: Mapping[str, Any]) -> Scheme:
    """A scheme that was accepted before: an old one stays readable whatever is checked today."""
    return Scheme(
        code=document["code"],
        version=document["version"],
        title=document["title"],
        source=document["source"],
        from_year=document["from_year"],
        weights={(Part(one["part"]), Round(one["round"])): one["weight"] for one in document["weights"]},
        indicators=tuple(_indicator(one) for one in document["indicators"]),
        rules=tuple(_rule(kind, one) for kind, name in LISTS.items() for one in document[name]),
        bonus_cap=document["bonus_cap_points"],
        deduction_cap=document["deduction_cap_points"],
        survey_least_sample=document["survey_least_sample"],
        grades=tuple(GradeStep(one["grade"], one["name"], one["at_least_points"]) for one in document["grades"]),
        personnel=_personnel(document["personnel"]),
        document=document,
    )


def _indicator(given: Mapping[str, Any]) -> Indicator:
    target = given.get("target")
    return Indicator(
        code=given["code"],
        name=given["name"],
        line=Line(given["line"]),
        business=given.get("business"),
        unit=given["unit"],
        direction=Direction(given["direction"]),
        weight=given["weight"],
        target=None if target is None else hundredths(target),
        measure=given.get("measure"),
        source=given["source"],
    )


def _rule(kind: Kind, given: Mapping[str, Any]) -> AdjustmentRule:
    most, cap = given.get("most_points") or 0, given.get("cap_points") or 0
    return AdjustmentRule(given["code"], kind, given["name"], most, cap, given.get("measure"), given["source"])


def _personnel(given: Mapping[str, Any]) -> PersonnelRule:
    return PersonnelRule(
        given["meeting_weight"],
        given["check_weight"],
        given["excellent_from_points"],
        given["qualified_from_points"],
        given["source"],
    )


def _contradictions(document: Mapping[str, Any]) -> Iterator[FieldError]:
    yield from _weight_errors(document["weights"])
    yield from _indicator_errors(document["indicators"])
    for name in LISTS.values():
        yield from _repeated(f"/{name}", [one["code"] for one in document[name]])
    for index, rule in enumerate(document["deductions"]):
        if rule.get("measure") not in (None, *DEDUCTIONS):
            yield _unknown_measure(f"/deductions/{index}/measure", DEDUCTIONS)
    yield from _grade_errors([one["at_least_points"] for one in document["grades"]])
    if not document["personnel"]["meeting_weight"] + document["personnel"]["check_weight"]:
        yield FieldError("/personnel", "weights_sum", "例会和检查的权重不能同时为 0。")


def _weight_errors(weights: Sequence[Mapping[str, Any]]) -> Iterator[FieldError]:
    yield from _repeated("/weights", [(one["part"], one["round"]) for one in weights])
    total = sum(one["weight"] for one in weights)
    if total != WHOLE_WEIGHT:
        shown = " + ".join(str(one["weight"]) for one in weights)
        yield FieldError("/weights", "weights_sum", f"各部分权重之和应为 100，现为 {shown} = {total}。")
    for index, one in enumerate(weights):
        if Part(one["part"]) is Part.INDICATORS and Round(one["round"]) is not Round.YEAR_END:
            yield FieldError(f"/weights/{index}/round", "unknown_value", "指标完成情况只在年终计分，请写 year_end。")


def _indicator_errors(indicators: Sequence[Mapping[str, Any]]) -> Iterator[FieldError]:
    yield from _repeated("/indicators", [one["code"] for one in indicators])
    for index, one in enumerate(indicators):
        if one.get("measure") not in (None, *MEASURES):
            yield _unknown_measure(f"/indicators/{index}/measure", MEASURES)
        if (Line(one["line"]) is Line.BUSINESS) != (one.get("business") is not None):
            yield FieldError(f"/indicators/{index}/business", "business_line", "业务指标须写明业务条线 business，共性指标不写。")


def _grade_errors(steps: Sequence[int]) -> Iterator[FieldError]:
    if steps != sorted(steps, reverse=True) or len(set(steps)) != len(steps) or steps[-1] != 0:
        yield FieldError("/grades", "grades_order", "等次须由高到低排列、分数线互不相同，最后一等从 0 分起。")


def _repeated(pointer: str, codes: Sequence[object]) -> Iterator[FieldError]:
    for index, code in enumerate(codes):
        if code in codes[:index]:
            yield FieldError(f"{pointer}/{index}", "entered_twice", "代码重复出现，请只保留一条。")


def _unknown_measure(pointer: str, known: Iterable[str]) -> FieldError:
    return FieldError(pointer, "measure_unknown", f"系统没有该测量项，可用的有：{'、'.join(known)}。")
