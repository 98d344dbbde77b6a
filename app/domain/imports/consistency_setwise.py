"""What has to hold between the rows of a household, however far apart in the file they stand.

A million rows in some sixty megabytes: of each row only digests of 64 bits are kept, and its number. Two different values among
a million share a digest once in thirty-seven million files.
"""

from __future__ import annotations

from array import array
from collections.abc import Collection, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.domain.imports.model import Block, RowFault, Verdicts
from app.domain.imports.relations_setwise import RelationsOfFile
from app.domain.imports.scattered_setwise import Scattered
from app.domain.registry import Contradiction

_ACCOUNT = ("bank_name", "account_number", "account_holder", "account_kind")
_SHOWN = 5
Numbers = NDArray[np.int64]


class HouseholdsOfFile:
    """One head whom no relation contradicts, one community, one account for each household number.

    Rows of a household stand or fall together.
    """

    def __init__(self) -> None:
        self._households = array("q")  # digest of the household number; 0: none given
        self._rows = array("q")
        self._areas = array("q")  # 0: faulty, which contradicts nothing
        self._relations = RelationsOfFile()
        self._accounts = array("q")  # 0: the row names no account

    def add(self, block: Block) -> None:
        columns = block.columns
        self._households.extend(0 if number is None else hash(number) or 1 for number in columns["household_no"])
        self._rows.extend(block.numbers)
        self._areas.extend(0 if code is None else hash(code) or 1 for code in columns["area_code"])
        self._relations.add(block)
        if columns["account_number"].count(None) == len(block):
            self._accounts.extend([0] * len(block))
        else:
            self._accounts.extend(map(_account, *(columns[name] for name in _ACCOUNT)))

    def verdicts(self) -> Verdicts:
        """Every row of a household with a fault between its rows says which."""
        order, starts = self._grouped()
        if not len(order):
            return {}
        found: Verdicts = {}
        heads = self._relations.heads(order, starts)
        for group in np.flatnonzero(heads != 1).tolist():
            self._blame(found, order, starts, group, _heads_fault(int(heads[group])))
        for place, what in self._relations.contradictions(order, starts):
            found.setdefault(self._rows[place], []).append(_CONTRADICTIONS[what])
        for group in _with_two(self._areas, order, starts):
            self._blame(found, order, starts, group, _AREAS_DIFFER)
        for group in _with_two(self._accounts, order, starts):
            self._blame(found, order, starts, group, _ACCOUNTS_DIFFER)
        return found

    def held_back(self, faulty: Collection[int]) -> Verdicts:
        """The other rows of households with a faulty row wait for its correction."""
        order, starts = self._grouped()
        if not len(order):
            return {}
        rows = np.frombuffer(self._rows, np.int64)[order]
        bad = np.isin(rows, np.fromiter(faulty, np.int64, len(faulty)))
        found: Verdicts = {}
        ends = np.append(starts[1:], len(order))
        for group in np.flatnonzero(np.logical_or.reduceat(bad, starts)).tolist():
            members, wrong = rows[starts[group] : ends[group]], bad[starts[group] : ends[group]]
            fault = _held_back(np.sort(members[wrong]).tolist())
            found |= {row: [fault] for row in members[~wrong].tolist()}
        return found

    def scattered(self, first_rows: Sequence[int], faulty: Collection[int]) -> Scattered:
        """Households with rows in several of the parts that begin with these rows. ``faulty``: rows held back with theirs."""
        order, starts = self._grouped()
        if not len(order):
            return Scattered(order, order)
        rows = np.frombuffer(self._rows, np.int64)[order]
        parts = np.searchsorted(np.asarray(first_rows, np.int64), rows, side="right")
        several = np.minimum.reduceat(parts, starts) != np.maximum.reduceat(parts, starts)
        several &= ~np.isin(rows[starts], np.fromiter(faulty, np.int64, len(faulty)))  # whole households are
        sizes = np.diff(starts, append=len(order))
        begins = np.cumsum(sizes[several]) - sizes[several]
        return Scattered(rows[np.repeat(several, sizes)], begins)

    def _grouped(self) -> tuple[Numbers, Numbers]:
        """Rows by household in the order of the file, and where each household begins."""
        households = np.frombuffer(self._households, np.int64)
        order = np.argsort(households, kind="stable")
        order = order[households[order] != 0]
        ordered = households[order]
        starts = np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1])) if len(order) else np.empty(0, np.int64)
        return order, starts

    def _blame(self, found: Verdicts, order: Numbers, starts: Numbers, group: int, fault: RowFault) -> None:
        end = starts[group + 1] if group + 1 < len(starts) else len(order)
        for place in order[starts[group] : end].tolist():
            found.setdefault(self._rows[place], []).append(fault)


def _with_two(digests: array[int], order: Numbers, starts: Numbers) -> list[int]:
    """The households with two different values; 0 is none."""
    values = np.frombuffer(digests, np.int64)[order]
    highest = np.maximum.reduceat(np.where(values == 0, np.iinfo(np.int64).min, values), starts)
    lowest = np.minimum.reduceat(np.where(values == 0, np.iinfo(np.int64).max, values), starts)
    return np.flatnonzero((highest != lowest) & (highest != np.iinfo(np.int64).min)).tolist()


def _account(bank: Any, number: Any, holder: Any, kind: Any) -> int:
    return 0 if number is None else hash((bank, number, holder, kind or "card")) or 1


_AREAS_DIFFER = RowFault("区划代码", "household_areas_differ", "同一户编号出现在两个村（社区），请核对户编号或区划代码。")
_ACCOUNTS_DIFFER = RowFault("银行账号", "household_accounts_differ", "同一户填了两个不同的账户，请只保留发放用的一个。")
_CONTRADICTIONS = {what: RowFault("与户主关系", what, what.advice) for what in Contradiction}


def _heads_fault(heads: int) -> RowFault:
    if heads == 0:
        text = "该户在文件中没有户主；请将户主一行也列入文件（已登记的也要列，内容不变即可）。"
        return RowFault("与户主关系", "one_head_required", text)
    return RowFault("与户主关系", "one_head_required", f"每户须有且只有一名户主，现为 {heads} 名，请更正。")


def _held_back(rows: list[int]) -> RowFault:
    shown = "、".join(map(str, rows[:_SHOWN])) + (" 等" if len(rows) > _SHOWN else "")
    return RowFault(None, "household_held_back", f"同户第 {shown} 行有错，整户暂不导入，请更正后一并导入。")
