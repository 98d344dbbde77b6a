"""Every code that the rules' source can utter is published with a Chinese text, and nothing is published that nothing utters."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.domain.eligibility.codes import COMPONENTS, FIELD_ERRORS, REASONS, STEPS, registry
from app.domain.eligibility.interplay import EXCLUSIONS, HIGHER_OF, PASSPORTS, PRECEDENCE, TOP_UPS
from app.domain.eligibility.law import TOPICS
from app.domain.eligibility.programmes import NATIONAL_CATALOGUE

SOURCES = sorted(Path("app/domain/eligibility").rglob("*.py"))
RULES = [path for path in SOURCES if path.name != "codes.py"]


def spoken(method: str, position: int) -> set[str]:
    """Text constants at one position of every call of ``ruling.<method>``."""
    return {
        argument.value
        for call in calls()
        if isinstance(call.func, ast.Attribute) and call.func.attr == method and len(call.args) > position
        for argument in [call.args[position]]
        if isinstance(argument, ast.Constant) and isinstance(argument.value, str)
    }


def calls() -> Iterator[ast.Call]:
    for path in RULES:
        yield from (node for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.Call))


def constants() -> set[str]:
    return {
        node.value
        for path in RULES
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }


def test_reasons_are_published() -> None:
    uttered = spoken("require", 0) | spoken("remark", 0) | {rule.code for rule in EXCLUSIONS}
    assert uttered <= REASONS.keys()


def test_steps_are_published() -> None:
    assert spoken("note", 0) <= STEPS.keys()


def test_components_are_published() -> None:
    assert spoken("add", 0) <= COMPONENTS.keys()


def test_nothing_is_published_that_no_rule_utters() -> None:
    built = {code for code in COMPONENTS if code.startswith(("uplift_", "tekun_care_"))}
    assert (REASONS.keys() | STEPS.keys() | COMPONENTS.keys()) - built <= constants()


def test_field_errors_are_published() -> None:
    raised = {
        call.args[1].value
        for call in calls()
        if isinstance(call.func, ast.Name)
        and call.func.id == "FieldError"
        and isinstance(call.args[1], ast.Constant)
        and isinstance(call.args[1].value, str)
    }
    assert raised <= FIELD_ERRORS.keys()


def test_every_cited_topic_has_an_article() -> None:
    assert spoken("require", 2) | spoken("remark", 2) | spoken("note", 2) <= TOPICS.keys()
    for relations in (EXCLUSIONS, TOP_UPS, HIGHER_OF):
        assert {rule.topic for rule in relations} <= TOPICS.keys()
    assert all(versions == tuple(sorted(versions)) for versions in TOPICS.values())


def test_every_text_is_chinese() -> None:
    for entries in registry().values():
        assert all(any("\u4e00" <= character <= "\u9fff" for character in text) for text in entries.values())


def test_a_programme_looks_only_at_earlier_ones() -> None:
    place = {code: index for index, code in enumerate(PRECEDENCE)}
    for rule in EXCLUSIONS:
        if rule.by in place and not rule.held_only:
            assert place[rule.by] < place[rule.programme], rule
    assert all(place[route.through] < place[route.programme] for route in PASSPORTS)


def test_the_catalogue_follows_the_precedence() -> None:
    assert NATIONAL_CATALOGUE.codes == PRECEDENCE


@pytest.mark.parametrize("path", RULES, ids=lambda path: path.name)
def test_a_rule_has_no_number_of_a_locality(path: Path) -> None:
    """Amounts of any size live in the policy document; the source holds ages, grades and months of the national rules only."""
    numbers = {
        node.value
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Constant) and type(node.value) is int
    }
    assert not {number for number in numbers if number > 366 and number not in {10_000, 1999, 2100, *range(2010, 2030)}}
