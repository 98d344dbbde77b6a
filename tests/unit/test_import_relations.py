"""The relations of a whole file at once say what the rule says of each household."""

from __future__ import annotations

from datetime import date, timedelta
from typing import get_args

import hypothesis
from hypothesis import strategies as st

from app.domain.imports.consistency_setwise import HouseholdsOfFile
from app.domain.imports.kinds.people import PEOPLE
from app.domain.imports.model import Block
from app.domain.registry import Relative, contradictions
from app.domain.registry.model import Relation

BORN = date(1980, 3, 1)
BEFORE, SAME, AFTER = (BORN + timedelta(days) for days in (-1, 0, 1))
RELATIONS: tuple[Relation, ...] = get_args(Relation)

Household = list[tuple[Relation | None, date | None]]
DAYS = st.none() | st.sampled_from([BEFORE, SAME, AFTER]) | st.dates(date(1900, 1, 1), date(2026, 1, 1))
MEMBERS = st.tuples(st.none() | st.sampled_from(RELATIONS), DAYS)
HOUSEHOLDS: st.SearchStrategy[Household] = st.builds(
    lambda head, others, at: [*others[:at], ("head", head), *others[at:]], DAYS, st.lists(MEMBERS, max_size=6), st.integers(0, 6)
) | st.lists(MEMBERS, min_size=1, max_size=6)


def block_of(households: list[Household], order: list[int]) -> Block:
    """The members of the households as rows of a file from row 1 on, in any order; a cell in doubt is None."""
    rows = [(f"H{n}", *member) for n, members in enumerate(households) for member in members]
    columns: dict[str, list[object]] = {column.name: [None] * len(rows) for column in PEOPLE.columns}
    columns["household_no"] = [rows[place][0] for place in order]
    columns["relation"] = [rows[place][1] for place in order]
    columns["id_number"] = [None if (day := rows[place][2]) is None else f"350702{day:%Y%m%d}001X" for place in order]
    return Block([place + 1 for place in order], columns)


@hypothesis.given(st.data(), st.lists(HOUSEHOLDS, min_size=1, max_size=8))
def test_a_whole_file_is_judged_as_each_household_is(data: st.DataObject, households: list[Household]) -> None:
    order = data.draw(st.permutations(range(sum(map(len, households)))))
    check, block = HouseholdsOfFile(), block_of(households, order)
    cut = data.draw(st.integers(0, len(order)))
    for part in (slice(None, cut), slice(cut, None)):
        check.add(Block(block.numbers[part], {name: values[part] for name, values in block.columns.items()}))
    found = {row: [fault.code for fault in faults] for row, faults in check.verdicts().items()}
    wanted: dict[int, list[str]] = {}
    first = 1
    for members in households:
        rows = range(first, first + len(members))
        if sum(relation == "head" for relation, _ in members) != 1:
            wanted |= {row: ["one_head_required"] for row in rows}
        relatives = [Relative(relation or "other", born) for relation, born in members]
        wanted |= {rows[place]: [what] for place, what in contradictions(relatives).items()}
        first += len(members)
    assert found == wanted
