"""Replay: a stored answer computed again from what it was computed from. Outcome, amounts and codes must be the same for ever.

Wording, articles and the trace may improve from one version of the engine to the next; they are not compared.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from app.domain.eligibility.engine import assess
from app.domain.eligibility.facts import AssessmentQuestion
from app.domain.eligibility.model import ProgrammeResult
from app.domain.eligibility.parameters import ParameterBook, ParameterRow
from app.domain.eligibility.programme import Catalogue
from app.domain.eligibility.programmes import NATIONAL_CATALOGUE
from app.domain.errors import DomainError


@dataclass(frozen=True, slots=True)
class StoredAnswer:
    """A frozen answer with all that it was computed from; ``result`` in the shape of contract §4."""

    question: AssessmentQuestion
    parameters: tuple[ParameterRow, ...]
    result: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Drift:
    """Something that comes out otherwise today: ``outcome``, ``monthly_fen``, ``components``, ``reasons``, ``parameter`` …"""

    what: str
    stored: object
    replayed: object


def replay(
    stored: StoredAnswer, known: frozenset[ParameterRow] | None = None, catalogue: Catalogue = NATIONAL_CATALOGUE
) -> list[Drift]:
    """Where the answer differs from the stored one; empty when it holds.

    ``known``: the rows of every set that was ever in force (``identity_of`` each); a stored row that isn't there any more is a
    drift too, since the version that the decision cites has been altered. None leaves this out.
    """
    altered = [] if known is None else [_altered(row) for row in stored.parameters if identity_of(row) not in known]
    return altered + _computed_again(stored, catalogue)


def identity_of(row: ParameterRow) -> ParameterRow:
    """A row without its end, which its successor sets, and without its source, which is wording; hashable."""
    return ParameterRow(row.area_code, row.key, row.valid_from, None, _frozen(row.value))


def _frozen(value: Any) -> Any:
    if isinstance(value, Mapping):
        return tuple(sorted((name, _frozen(part)) for name, part in value.items()))
    return tuple(_frozen(part) for part in value) if isinstance(value, (list, tuple)) else (type(value).__name__, value)


def _altered(row: ParameterRow) -> Drift:
    return Drift("parameter", f"{row.area_code}/{row.key}/{row.valid_from.isoformat()}", None)


def _computed_again(stored: StoredAnswer, catalogue: Catalogue) -> list[Drift]:
    try:
        assessment = assess(stored.question, ParameterBook(stored.parameters), catalogue)
        found = assessment.of(stored.result["programme"], stored.result.get("member"))
    except DomainError as error:
        return [Drift("refused", stored.result["outcome"], error.code)]
    except KeyError:
        return [Drift("programme", stored.result["programme"], None)]
    before, after = _decisive(stored.result), _decisive_of(found)
    return [Drift(what, before[what], after[what]) for what in before if before[what] != after[what]]


def _decisive(result: Mapping[str, Any]) -> dict[str, object]:
    return {
        "outcome": result["outcome"],
        "monthly_fen": result["monthly_fen"],
        "one_off_fen": result["one_off_fen"],
        "starts_month": result["starts_month"],
        "components": _sorted((one["kind"], one["member"], one["amount_fen"]) for one in result["components"]),
        "reasons": _sorted((one["code"], one["met"]) for one in result["reasons"]),
    }


def _decisive_of(result: ProgrammeResult) -> dict[str, object]:
    return {
        "outcome": result.outcome.value,
        "monthly_fen": result.monthly_fen,
        "one_off_fen": result.one_off_fen,
        "starts_month": result.starts_month,
        "components": _sorted((one.kind, one.member, one.amount_fen) for one in result.components),
        "reasons": _sorted((one.code, one.met) for one in result.reasons),
    }


def _sorted(parts: Iterable[tuple[object, ...]]) -> list[tuple[object, ...]]:
    return sorted(parts, key=repr)
