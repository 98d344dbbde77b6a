"""docs/eligibility.md is true because this test runs it: the variant and the programme are taken from the page itself."""

from __future__ import annotations

import re
import runpy
from pathlib import Path
from typing import Any

import pytest
import yaml

from app.domain.eligibility import NATIONAL_CATALOGUE, NoPolicyInForce, Outcome, ParameterBook, assess, rows_of
from app.domain.eligibility.programme import Catalogue
from tests.unit.eligibility.families import adults, answer, book, deposit, family, fen, only, person, question

PAGE = Path("docs/eligibility.md").read_text(encoding="utf-8")
SUBDISTRICT = "350702003001"


def block(language: str) -> str:
    (found,) = re.findall(rf"```{language}\n(.*?)```", PAGE, flags=re.DOTALL)
    return str(found)


@pytest.fixture
def variant() -> ParameterBook:
    return ParameterBook((*book().rows, *rows_of(yaml.safe_load(block("yaml")))))


@pytest.fixture
def catalogue(tmp_path: Path) -> Catalogue:
    file = tmp_path / "funeral.py"
    file.write_text(block("python"), encoding="utf-8")
    namespace: dict[str, Any] = runpy.run_path(str(file))
    return NATIONAL_CATALOGUE.with_programmes([namespace["FUNERAL"]])


def test_a_local_variant_is_a_few_lines_of_policy(variant: ParameterBook) -> None:
    household = family(*adults(2, "500"), person("m9", "sibling", serious_illness=True))
    assert only(question(household, "dibao", area=SUBDISTRICT), variant).monthly_fen == fen("1500") + fen("165.60")
    assert only(question(household, "dibao"), variant).monthly_fen == fen("1156") + fen("110.40")


def test_a_programme_is_one_file(variant: ParameterBook, catalogue: Catalogue) -> None:
    poor = question(family(*adults(2)), area=SUBDISTRICT)
    assessment = assess(poor, variant, catalogue)
    assert assessment.results[-1].programme == "funeral"
    assert assessment.of("funeral").one_off_fen == fen("1200")
    rich = question(family(*adults(2), assets=(deposit("90000"),)), "funeral", area=SUBDISTRICT)
    assert assess(rich, variant, catalogue).of("funeral").outcome is Outcome.INELIGIBLE


def test_without_its_parameters_it_is_not_applicable_or_an_error(variant: ParameterBook, catalogue: Catalogue) -> None:
    elsewhere = assess(question(family(person())), variant, catalogue)
    assert elsewhere.of("funeral").outcome is Outcome.NOT_APPLICABLE
    with pytest.raises(NoPolicyInForce):
        assess(question(family(person()), "funeral"), variant, catalogue)


def test_the_national_catalogue_is_untouched(catalogue: Catalogue) -> None:
    assert "funeral" in catalogue.codes
    assert "funeral" not in {result.programme for result in answer(question(family(person()))).results}
