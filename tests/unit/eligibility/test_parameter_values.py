"""A value that a rule couldn't read is refused when it is loaded; every key that a rule reads has its kind."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import pytest

from app.domain.eligibility import rows_of
from app.domain.eligibility.parameter_values import KINDS, KINDS_BY_SUFFIX, expectation_of
from app.domain.errors import Malformed
from tests.unit.eligibility.families import book

READERS = {"get", "find", "money", "ratio", "find_ratio", "mapping", "flag"}


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("dibao.standard.urban", "55200"),
        ("dibao.standard.urban", -1),
        ("dibao.standard.urban", True),
        ("dibao.benefit_mode", "both"),
        ("dibao.employment_cost_rate", "a fifth"),
        ("dibao.employment_cost_rate", "-0.1"),
        ("dibao.basic_pension_exempt", "yes"),
        ("dibao.asset.financial_limit", {"months": 24}),
        ("dibao.rounding", {"unit_fen": 0, "mode": "half_up"}),
        ("dibao.rounding", {"unit_fen": 1, "mode": "nearest"}),
        ("dibao.uplift", {"elderly": "0.1", "youngest": "0.1"}),
        ("dibao.tiers", []),
        ("dibao.tiers", [{"code": "A", "income_below_rate": "0.3"}]),
        ("dibao.gradual_exit", {"months": 6, "amount": "half"}),
        ("medical.rates", {"dibao": {"threshold": 0}}),
        ("old_age.month", {"eighty": 5000}),
        ("orphan.month", {"family": 1}),
        ("one_off.new_year", {}),
    ],
)
def test_a_value_of_another_kind_is_refused(key: str, value: Any) -> None:
    with pytest.raises(Malformed) as refusal:
        rows_of([{"area": "35", "parameters": {key: [{"effective_from": "2026-01-01", "value": value}]}}])
    (error,) = refusal.value.errors
    assert error.code == "value_of_another_kind"
    assert key in error.message


def test_the_demo_policy_and_keys_of_nobody_pass() -> None:
    assert all(expectation_of(row.key, row.value) is None for row in book().rows)
    assert expectation_of("funeral.amount", {"anything": [1, "x"]}) is None


def read_keys() -> set[str]:
    """Constant keys that the rules ask a policy for."""
    keys = set()
    for path in Path("app/domain/eligibility").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in READERS and node.args:
                argument = node.args[0]
                if isinstance(argument, ast.Constant) and isinstance(argument.value, str) and "." in argument.value:
                    keys.add(argument.value)
    return keys


def test_every_key_that_a_rule_reads_has_its_kind() -> None:
    assert {"dibao.benefit_mode", "tekun.basic_ratio", "medical.rates"} <= read_keys()
    assert {key for key in read_keys() if key not in KINDS and not key.endswith(tuple(KINDS_BY_SUFFIX))} == set()
