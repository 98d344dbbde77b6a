"""What a set would do to everybody who is registered, by the facts on record, whether he draws anything now or not."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID

MONTHS_OF_YEAR = 12


@dataclass(frozen=True, slots=True)
class DifferenceSums:
    """Those in one community whom one programme would treat otherwise. Amounts by month, in fen."""

    area_code: str
    programme: str
    entering: int
    leaving: int
    gaining: int
    losing: int
    gained_fen: int
    lost_fen: int


COUNTED = ("entering", "leaving", "gaining", "losing", "gained_fen", "lost_fen")


def registered_summary(run_id: UUID, households: int, members: int, sums: Sequence[DifferenceSums]) -> dict[str, Any]:
    """In total, by programme and by area, and as a series for a chart. ``run_id`` leads to who it is."""
    by_programme = _grouped(sums, lambda one: one.programme)
    return {
        "run_id": str(run_id),
        "households": households,
        "members": members,
        "total": _added(sums),
        "by_programme": [{"programme": name, **tally} for name, tally in by_programme.items()],
        "by_area": [{"area_code": code, **tally} for code, tally in _grouped(sums, lambda one: one.area_code).items()],
        "charts": [_chart(by_programme)],
    }


def not_computed(detail: str) -> dict[str, Any]:
    """Why there is nothing to say about the registered population."""
    return {"not_computed": detail}


def _grouped(sums: Iterable[DifferenceSums], name_of: Callable[[DifferenceSums], str]) -> dict[str, dict[str, int]]:
    groups: dict[str, list[DifferenceSums]] = {}
    for one in sums:
        groups.setdefault(name_of(one), []).append(one)
    return {name: _added(groups[name]) for name in sorted(groups)}


def _added(sums: Iterable[DifferenceSums]) -> dict[str, int]:
    total = dict.fromkeys(COUNTED, 0)
    for one in sums:
        values = asdict(one)
        for name in COUNTED:
            total[name] += values[name]
    change = total["gained_fen"] - total["lost_fen"]
    return total | {"monthly_change_fen": change, "yearly_change_fen": MONTHS_OF_YEAR * change}


def _chart(by_programme: Mapping[str, Mapping[str, int]]) -> dict[str, Any]:
    series = [{"name": name, "values": [tally[name] for tally in by_programme.values()]} for name in ("entering", "leaving")]
    return {"name": "newly_entitled_by_programme", "labels": list(by_programme), "series": series}
