"""What two sets say differently, day by day and key by key; and whether a draft touches what was already in force."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import date

from app.domain.eligibility import ParameterRow
from app.domain.errors import Conflict
from app.domain.policy.model import Difference


def differences(before: Iterable[ParameterRow], after: Iterable[ParameterRow]) -> list[Difference]:
    """By key and time; neighbouring periods with the same two values are one."""
    old, new = _by_key(before), _by_key(after)
    return [found for key in sorted(old.keys() | new.keys()) for found in _of_key(key, old.get(key, []), new.get(key, []))]


def _by_key(rows: Iterable[ParameterRow]) -> dict[str, list[ParameterRow]]:
    grouped: dict[str, list[ParameterRow]] = {}
    for row in rows:
        grouped.setdefault(row.key, []).append(row)
    return grouped


def _of_key(key: str, old: list[ParameterRow], new: list[ParameterRow]) -> list[Difference]:
    merged: list[Difference] = []
    for found in _pieces(key, old, new):
        last = merged[-1] if merged else None
        if last and last.valid_until == found.valid_from and (last.before, last.after) == (found.before, found.after):
            merged[-1] = replace(last, valid_until=found.valid_until)
        else:
            merged.append(found)
    return merged


def _pieces(key: str, old: list[ParameterRow], new: list[ParameterRow]) -> Iterator[Difference]:
    ends = {row.valid_until for row in (*old, *new) if row.valid_until is not None}
    days = sorted({row.valid_from for row in (*old, *new)} | ends)
    for day, following in zip(days, [*days[1:], None], strict=True):
        before, after = _value(old, day), _value(new, day)
        if before != after:
            yield Difference(key, day, following, before, after)


def _value(rows: list[ParameterRow], on: date) -> object:
    return next((row.value for row in rows if row.in_force(on)), None)


def require_no_change_before(found: Iterable[Difference], effective_from: date) -> None:
    """A new set changes what holds from its effective date on, never what decisions before it have used.

    Raises:
        Conflict: ``changes_before_effective_date``, with the keys.

    """
    keys = sorted({one.key for one in found if one.valid_from < effective_from})
    if keys:
        raise Conflict(
            "changes_before_effective_date",
            f"草案改动了 {effective_from.isoformat()} 以前的取值（{'、'.join(keys)}），已作出的决定引用过这些取值，不能改动；"
            "请只从施行日起新增取值，或把施行日提前。",
            members={"keys": keys},
        )
