"""Rounding and the text of amounts."""

from __future__ import annotations

from fractions import Fraction

import pytest

from app.domain.money import Rounding, RoundingMode, decimal_text, exact, percent_text, round_fen, yuan_text


@pytest.mark.parametrize(
    ("mode", "rounded"),
    [
        (RoundingMode.HALF_UP, [3, 3, 2, -3, 0]),
        (RoundingMode.HALF_EVEN, [2, 3, 2, -2, 0]),
        (RoundingMode.UP, [3, 3, 3, -3, 0]),
        (RoundingMode.DOWN, [2, 2, 2, -2, 0]),
    ],
)
def test_modes(mode: RoundingMode, rounded: list[int]) -> None:
    amounts = [Fraction(5, 2), Fraction(26, 10), Fraction(24, 10), Fraction(-5, 2), Fraction(0)]
    assert [round_fen(amount, Rounding(1, mode)) for amount in amounts] == rounded


@pytest.mark.parametrize(("amount", "rounded"), [(149, 100), (150, 200), (151, 200), (199, 200), (200, 200)])
def test_units(amount: int, rounded: int) -> None:
    assert round_fen(amount, Rounding(100, RoundingMode.HALF_UP)) == rounded


@pytest.mark.parametrize(
    ("fen", "text"),
    [
        (Fraction(165599, 3), "551.9966"),
        (30000, "300.00"),
        (1, "0.01"),
        (0, "0.00"),
        (-1, "-0.01"),
        (Fraction(-1, 1000), "0.00"),
        (Fraction(55199999, 1000), "551.9999"),
        (12350, "123.50"),
    ],
)
def test_text_is_truncated_never_rounded(fen: Fraction | int, text: str) -> None:
    assert yuan_text(fen) == text


def test_other_texts() -> None:
    assert decimal_text(Fraction(3, 2)) == "1.50"
    assert [percent_text(exact(ratio)) for ratio in ("0.20", "0.125", "1", "0")] == ["20%", "12.5%", "100%", "0%"]


@pytest.mark.parametrize("wrong", [0.1, True, None])
def test_inexact_numbers_are_refused(wrong: object) -> None:
    with pytest.raises(TypeError):
        exact(wrong)  # type: ignore[arg-type]
