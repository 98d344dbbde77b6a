"""What the value of each parameter that a rule reads must look like, checked when a document is loaded, not when a family waits.

A key that no rule of ours reads may hold anything exact: localities keep further numbers for rules of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from app.domain.money import RoundingMode, exact

Check = Callable[[object], bool]


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of value: its Chinese description, and whether a value is one."""

    text: str
    check: Check


def expectation_of(key: str, value: object) -> str | None:
    """What the key's value should be, in Chinese, if it isn't; None when it is (or the key is nobody's)."""
    kind = _kind_of(key)
    return None if kind is None or kind.check(value) else kind.text


def _kind_of(key: str) -> Kind | None:
    if key in KINDS:
        return KINDS[key]
    suffixes = (suffix for suffix in KINDS_BY_SUFFIX if key.endswith(suffix))
    suffix = next(suffixes, None)
    if suffix is not None:
        return KINDS_BY_SUFFIX[suffix]
    return ONE_OFF if key.startswith("one_off.") else None


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _is_ratio(value: object) -> bool:
    try:
        return isinstance(value, str) and exact(value) >= 0
    except ValueError:
        return False


def _choice(*names: str) -> Kind:
    return Kind("、".join(names) + " 之一", lambda value: value in names)


def _record(required: Mapping[str, Check], optional: Mapping[str, Check] | None = None) -> Check:
    """A mapping with these entries and no others."""
    known = {**required, **(optional or {})}

    def check(value: object) -> bool:
        if not isinstance(value, Mapping) or not required.keys() <= value.keys() <= known.keys():
            return False
        return all(known[name](part) for name, part in value.items())

    return check


def _table(check: Check, keys: Check | None = None) -> Check:
    """A mapping with at least one entry, all of one kind."""
    return lambda value: (
        isinstance(value, Mapping) and bool(value) and all((keys is None or keys(k)) and check(v) for k, v in value.items())
    )


def _list_of(check: Check) -> Check:
    return lambda value: isinstance(value, list) and bool(value) and all(check(part) for part in value)


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value)


def _is_number_text(value: object) -> bool:
    return isinstance(value, str) and value.isascii() and value.isdigit()


MONEY = Kind("非负整数（分）", _is_whole)
COUNT = Kind("非负整数", _is_whole)
RATIO = Kind("加引号的小数文本，如“0.50”", _is_ratio)
FLAG = Kind("true 或 false", lambda value: isinstance(value, bool))
FINANCIAL_LIMIT = Kind(
    "standard_months_per_person 或 amount_fen_per_person",
    lambda value: (
        _record({"standard_months_per_person": _is_whole})(value) or _record({"amount_fen_per_person": _is_whole})(value)
    ),
)
ROUNDING = Kind(
    "unit_fen（正整数）和 mode（half_up、half_even、up、down）",
    _record(
        {
            "unit_fen": lambda value: _is_whole(value) and value != 0,
            "mode": lambda value: value in tuple(RoundingMode),
        }
    ),
)
UPLIFT = Kind(
    "各类人员的增发比例（加引号的小数）和 elderly_from_age",
    _record(
        {},
        {
            "elderly_from_age": _is_whole,
            "elderly": _is_ratio,
            "minor": _is_ratio,
            "severe_disability": _is_ratio,
            "serious_illness": _is_ratio,
        },
    ),
)
TIERS = Kind(
    "分档列表，每档含 code、income_below_rate（加引号的小数）、per_person（分）",
    _list_of(_record({"code": _is_text, "income_below_rate": _is_ratio, "per_person": _is_whole})),
)
BY_GRADE = Kind("等级或年龄（加引号的数字）到金额（分）的对照", _table(_is_whole, _is_number_text))
ONE_OFF = Kind("dibao_{urban|rural}_per_{household|person} 到金额（分）的对照", _table(_is_whole, _is_text))

KINDS: dict[str, Kind] = {
    "dibao.standard.urban": MONEY,
    "dibao.standard.rural": MONEY,
    "dibao.benefit_mode": _choice("gap", "tiers"),
    "dibao.tiers": TIERS,
    "dibao.minimum_fen": MONEY,
    "dibao.employment_cost_rate": RATIO,
    "dibao.basic_pension_exempt": FLAG,
    "dibao.old_age_allowance_exempt": FLAG,
    "dibao.single_amount": _choice("standard_minus_own_income", "standard"),
    "dibao.gradual_exit": Kind(
        "months（整数）、amount（unchanged 或加引号的比例）、cause",
        _record(
            {"months": _is_whole, "amount": lambda value: value == "unchanged" or _is_ratio(value)},
            {"cause": lambda value: value == "employment"},
        ),
    ),
    "dibao.job_refusal": Kind(
        "times（整数）和 cut（own_share）",
        _record({"times": _is_whole}, {"cut": lambda value: value == "own_share"}),
    ),
    "dibao.review_interval_months": Kind("stable 和 variable 的月数", _record({"stable": _is_whole, "variable": _is_whole})),
    "dibao.imputed_income": Kind(
        "base_fen、coefficient（加引号的小数），可有 from_age、until_age",
        _record({"base_fen": _is_whole, "coefficient": _is_ratio}, {"from_age": _is_whole, "until_age": _is_whole}),
    ),
    "dibao.support_payment": Kind(
        "standard_multiple 和 rate（加引号的小数）", _record({"standard_multiple": _is_ratio, "rate": _is_ratio})
    ),
    "dibao_edge.ratio": RATIO,
    "rigid_expense.ratio": RATIO,
    "rigid_expense.valid_months": COUNT,
    "region.disposable_income_per_capita_year": MONEY,
    "tekun.basic_ratio": RATIO,
    "tekun.care_month": Kind(
        "none、partial、full 三档金额（分）", _record({"none": _is_whole, "partial": _is_whole, "full": _is_whole})
    ),
    "tekun.minor_age": COUNT,
    "temporary.cap": Kind(
        "standard_months_per_person 和 special 的倍数", _record({"standard_months_per_person": _is_whole, "special": _is_whole})
    ),
    "temporary.urgent_first_limit": MONEY,
    "temporary.delegated_limit": MONEY,
    "medical.annual_cap": MONEY,
    "medical.rates": Kind(
        "各类对象的 rate（加引号的小数）和 threshold（分）或 threshold_share_of_disposable",
        _table(_record({"rate": _is_ratio}, {"threshold": _is_whole, "threshold_share_of_disposable": _is_ratio})),
    ),
    "disability_living.month": BY_GRADE,
    "disability_care.month": BY_GRADE,
    "disability_living.extend_to_edge": FLAG,
    "disability_care.extend_to_grade3_intellectual_mental": FLAG,
    "disability.starts": _choice("month_of_application", "month_after_application"),
    "old_age.month": BY_GRADE,
    "old_age.starts": _choice("birthday_month", "month_after_birthday"),
    "old_age.survival_confirmation_months": COUNT,
    "orphan.month": Kind("institutional 和 family 的金额（分）", _record({"institutional": _is_whole, "family": _is_whole})),
    "unsupported_child.month": MONEY,
    "disaster.per_person": MONEY,
    "veteran.month": Kind("身份类别到金额（分）的对照", _table(_is_whole, _is_text)),
    "person.leap_day_birthday": _choice("02-28", "03-01"),
}
KINDS_BY_SUFFIX: dict[str, Kind] = {
    ".asset.financial_limit": FINANCIAL_LIMIT,
    ".asset.vehicle_allowed": FLAG,
    ".asset.real_estate_units": COUNT,
    ".rounding": ROUNDING,
    ".uplift": UPLIFT,
}
