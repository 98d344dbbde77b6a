"""On-time rates (按时办结率): when a request is judged, and what a group of judged ones comes to. Pure.

Every request is judged once by each of its two limits, the legal and the promised one: on the day it ends if that is in time,
else on the day after its last day, open or not: leaving late ones open improves no rate. One taken back in time isn't judged.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from app.domain.calendar import ONE_DAY

PER_TEN_THOUSAND = 10_000


@dataclass(frozen=True, slots=True)
class Tally:
    """How many were judged, and how many of them were in time."""

    judged: int = 0
    on_time: int = 0

    def __add__(self, other: Tally) -> Tally:
        return Tally(self.judged + other.judged, self.on_time + other.on_time)

    @property
    def percent(self) -> str | None:
        """Two places, truncated; None without data, which is not 0 %."""
        if not self.judged:
            return None
        whole, part = divmod(PER_TEN_THOUSAND * self.on_time // self.judged, 100)
        return f"{whole}.{part:02d}"


@dataclass(frozen=True, slots=True)
class OnTime:
    """By the legal and by the promised limit. Items without a legal limit count into the promised one only."""

    legal: Tally = Tally()
    promised: Tally = Tally()

    def __add__(self, other: OnTime) -> OnTime:
        return OnTime(self.legal + other.legal, self.promised + other.promised)


@dataclass(frozen=True, slots=True)
class Served:
    """``count`` requests of one item at one station with the same days. ``station``: the sub-district's code, 9 digits.

    A due day None: no such limit, or its clock stands still.
    """

    station: str
    item_code: str
    legal_due: date | None
    promised_due: date | None
    ended_on: date | None
    taken_back: bool
    count: int


@dataclass(frozen=True, slots=True)
class Period:
    """Half-open; nothing after ``today`` is judged."""

    first: date
    until: date
    today: date

    def holds(self, day: date) -> bool:
        return self.first <= day < self.until and day <= self.today


def judged(due: date | None, ended_on: date | None, *, taken_back: bool) -> tuple[date, bool] | None:
    """The day on which a request is judged by one limit, and whether it was in time; None when it never is."""
    if due is None:
        return None
    if ended_on is None or ended_on > due:
        return due + ONE_DAY, False
    return None if taken_back else (ended_on, True)


def on_time_of(served: Served, period: Period) -> OnTime:
    return OnTime(_tally(served, served.legal_due, period), _tally(served, served.promised_due, period))


def _tally(served: Served, due: date | None, period: Period) -> Tally:
    verdict = judged(due, served.ended_on, taken_back=served.taken_back)
    if verdict is None or not period.holds(verdict[0]):
        return Tally()
    return Tally(served.count, served.count if verdict[1] else 0)


def summed(served: Iterable[Served], period: Period) -> Mapping[tuple[str, str], OnTime]:
    """(station, item) → on time; pairs of which nothing was judged in the period are left out."""
    totals: dict[tuple[str, str], OnTime] = {}
    for group in served:
        key = (group.station, group.item_code)
        totals[key] = totals.get(key, OnTime()) + on_time_of(group, period)
    return {key: total for key, total in totals.items() if total.legal.judged or total.promised.judged}
