"""Column profiles: how another system's file names and writes what a kind of ours holds, in both directions.

A profile renames headers, translates values, rewrites dates and units and fills fixed columns; it knows nothing of rules.
Reading: the file's headers are looked up in ``Profile.headers()`` (foreign header → our column's name) before our own titles,
then the cells of such a column go through ``Profile.read(name, cells)``, then ``Profile.fixed`` fills our columns that the file
doesn't have. What can't be translated passes unchanged: the column's own check then says what is wrong with it. Writing is the
way back.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal, cast

from app.domain.imports.cells.column import NOT_FEN, half_width
from app.domain.imports.model import Cell, Kind

Direction = Literal["import", "export"]
DIRECTIONS: Final = ("import", "export")
#: Unknown → ours and back: a date as the other system writes it. Longest first, so that YYYY is not taken for YY.
_DATE_PARTS: Final = {"YYYY": r"(?P<year>[0-9]{4})", "MM": r"(?P<month>[0-9]{1,2})", "DD": r"(?P<day>[0-9]{1,2})"}
_DATE_TOKEN: Final = re.compile("YYYY|MM|DD")
_LONGEST_CODE: Final = 9  # what is longer is no code
_FEN: Final = re.compile(r"(-?)([0-9]{1,3}(?:,[0-9]{3})+|[0-9]+)(?:\.0+)?")
_YUAN: Final = re.compile(r"(-?)([0-9]+)(?:\.([0-9]{1,2}))?")


class ProfileFault(ValueError):
    """A profile that can't be right; the text says where."""


@dataclass(frozen=True, slots=True)
class ProfileColumn:
    """One column of the foreign file. ``column`` None: a column that we only write, always with ``fixed``."""

    header: str
    column: str | None = None
    aliases: tuple[str, ...] = ()
    values: Mapping[str, str] = field(default_factory=dict)  # theirs → ours
    date: str | None = None  # their pattern of YYYY, MM and DD
    unit: Literal["yuan", "fen"] = "yuan"
    fixed: str = ""

    def read(self, cell: Cell) -> Cell:
        """Their cell in our writing."""
        if cell is None or isinstance(cell, bool):
            return cell
        if self.date is not None:
            return _date_in(self.date, cell)
        if self.unit == "fen":
            return _yuan_of(cell)
        return self._translated(cell) if self.values and isinstance(cell, str | int) else cell

    def _translated(self, cell: str | int) -> Cell:
        """Spreadsheets make numbers of codes, 1 of 01: then a code is known by its number, unless two have the same."""
        written = str(cell).strip()
        code = half_width(written)
        for text in (written, code):
            if text in self.values:
                return self.values[text]
        same = {
            ours for theirs, ours in self.values.items() if _is_number(code) and _is_number(theirs) and int(theirs) == int(code)
        }
        return same.pop() if len(same) == 1 else cell

    def write(self, text: str) -> str:
        """Our text in their writing."""
        if not text:
            return text
        if self.date is not None:
            return _date_out(self.date, text)
        if self.unit == "fen":
            return _fen_of(text)
        return next((theirs for theirs, ours in self.values.items() if ours == text), text)


@dataclass(frozen=True, slots=True)
class Profile:
    """A foreign file of one kind. ``fixed``: our columns that the file doesn't have, with what stands in them on reading."""

    code: str
    title: str
    kind: str
    directions: frozenset[Direction]
    columns: tuple[ProfileColumn, ...]
    fixed: Mapping[str, str] = field(default_factory=dict)
    description: str = ""

    def headers(self) -> dict[str, str]:
        """Every header that the file may carry → the name of our column."""
        found = {}
        for column in self.columns:
            if column.column is not None:
                found.update(dict.fromkeys((column.header, *column.aliases), column.column))
        return found

    def only_written(self) -> set[str]:
        """Headers of the columns that say nothing to us."""
        return {column.header for column in self.columns if column.column is None}

    def read(self, name: str, cells: Sequence[Cell]) -> list[Cell]:
        """The cells of our column ``name`` translated; those of a column that the profile doesn't name stay."""
        column = next((column for column in self.columns if column.column == name), None)
        return list(cells) if column is None else [column.read(cell) for cell in cells]

    def write_header(self) -> list[str]:
        return [column.header for column in self.columns]

    def write(self, row: Mapping[str, str]) -> list[str]:
        """A row of ours (column name → text) as the cells of the foreign file."""
        return [column.fixed if column.column is None else column.write(row.get(column.column, "")) for column in self.columns]


def _is_number(code: str) -> bool:
    return code.isascii() and code.isdigit() and len(code) <= _LONGEST_CODE


def _date_in(pattern: str, cell: Cell) -> Cell:
    if not isinstance(cell, str | int) or isinstance(cell, bool):
        return cell
    expression = re.escape(pattern)
    for token, part in _DATE_PARTS.items():
        expression = expression.replace(token, part if len(pattern) > len("YYYYMMDD") else part.replace("{1,2}", "{2}"))
    found = re.fullmatch(expression, str(cell).strip(), re.ASCII)
    if found is None:
        return cell
    parts = found.groupdict()
    return "-".join([parts["year"], *(parts[name].rjust(2, "0") for name in ("month", "day") if name in parts)])


def _date_out(pattern: str, text: str) -> str:
    parts = dict(zip(("YYYY", "MM", "DD"), text.split("-"), strict=False))
    return _DATE_TOKEN.sub(lambda token: parts.get(token[0], ""), pattern)


def _yuan_of(cell: Cell) -> Cell:
    """What is no whole number of fen becomes what no reader takes: read as it stands it would be yuan, a hundredfold."""
    text = "" if cell is None else half_width(str(cell)).strip()
    if not text:
        return cell
    found = _FEN.fullmatch(text)
    if found is None or isinstance(cell, bool):
        return NOT_FEN
    fen = int(found[2].replace(",", ""))
    return f"{found[1]}{fen // 100}.{fen % 100:02d}"


def _fen_of(text: str) -> str:
    found = _YUAN.fullmatch(text)
    if found is None:
        return text
    sign, yuan, decimals = found[1], found[2], (found[3] or "").ljust(2, "0")
    return sign + str(int(yuan) * 100 + int(decimals))


# -- from a document -----------------------------------------------------------------------------------------------------------

_KEYS: Final = {"code", "title", "kind", "directions", "columns", "fixed", "description"}
_COLUMN_KEYS: Final = {"header", "column", "aliases", "values", "date", "unit", "fixed"}


def parse_profile(document: object, kinds: Mapping[str, Kind]) -> Profile:
    """A profile out of a parsed document (YAML, JSON). Raises ``ProfileFault`` that names the place."""
    content = _mapping(document, "")
    _known(content, _KEYS, "")
    kind = kinds.get(_text(content, "kind", ""))
    if kind is None:
        raise ProfileFault(f"kind: unknown kind {content['kind']!r}")
    directions = content.get("directions", list(DIRECTIONS))
    if not isinstance(directions, list) or not directions or not set(directions) <= set(DIRECTIONS):
        raise ProfileFault(f"directions: some of {', '.join(DIRECTIONS)} are expected")
    listed = content.get("columns")
    if not isinstance(listed, list) or not listed:
        raise ProfileFault("columns: a list of columns is expected")
    columns = tuple(_column(one, kind, f"columns[{place}]") for place, one in enumerate(listed))
    profile = Profile(
        code=_text(content, "code", ""),
        title=_text(content, "title", ""),
        kind=kind.code,
        directions=frozenset(cast("list[Direction]", directions)),
        columns=columns,
        fixed=_fixed(content.get("fixed"), kind),
        description=str(content.get("description", "")).strip(),
    )
    _check_whole(profile, kind)
    return profile


def _column(document: object, kind: Kind, place: str) -> ProfileColumn:
    content = _mapping(document, place)
    _known(content, _COLUMN_KEYS, place)
    name = content.get("column")
    if name is not None and name not in {column.name for column in kind.columns}:
        raise ProfileFault(f"{place}.column: {kind.code} has no column {name!r}")
    if (name is None) != ("fixed" in content):
        raise ProfileFault(f"{place}: either a column or a fixed value is expected")
    pattern, unit = content.get("date"), content.get("unit", "yuan")
    if pattern is not None and (not isinstance(pattern, str) or "YYYY" not in pattern or "MM" not in pattern):
        raise ProfileFault(f"{place}.date: a pattern with YYYY, MM and maybe DD is expected")
    if unit not in ("yuan", "fen"):
        raise ProfileFault(f"{place}.unit: yuan or fen is expected")
    return ProfileColumn(
        header=_text(content, "header", place),
        column=name,
        aliases=tuple(map(str, content.get("aliases", ()))),
        values=_texts(content.get("values"), f"{place}.values"),
        date=pattern,
        unit=unit,
        fixed=str(content.get("fixed", "")),
    )


def _check_whole(profile: Profile, kind: Kind) -> None:
    headers = [header for column in profile.columns for header in (column.header, *column.aliases)]
    if len(headers) != len(set(headers)):
        raise ProfileFault("columns: a header stands twice")
    named = [column.column for column in profile.columns if column.column is not None]
    if len(named) != len(set(named)) or set(named) & set(profile.fixed):
        raise ProfileFault("columns: one of our columns is filled twice")
    missing = [column.name for column in kind.columns if column.required and column.name not in {*named, *profile.fixed}]
    if "import" in profile.directions and missing:
        raise ProfileFault(f"columns: required and missing: {', '.join(missing)}")


def _fixed(document: object, kind: Kind) -> dict[str, str]:
    values = _texts(document, "fixed")
    unknown = set(values) - {column.name for column in kind.columns}
    if unknown:
        raise ProfileFault(f"fixed: {kind.code} has no column {', '.join(sorted(unknown))}")
    return values


def _texts(document: object, place: str) -> dict[str, str]:
    """YAML reads 是: yes or 1: 一级 as it likes; only text is sure to come back as it was written."""
    content = {} if document is None else _mapping(document, place)
    for key, value in content.items():
        if not isinstance(key, str) or not isinstance(value, str):
            raise ProfileFault(f"{place}: keys and values have to be text in quotation marks ({key!r})")
    return content


def _mapping(document: object, place: str) -> dict[str, Any]:
    if not isinstance(document, dict):
        raise ProfileFault(f"{place or 'document'}: a mapping is expected")
    return document


def _known(content: Mapping[str, Any], known: set[str], place: str) -> None:
    if unknown := set(content) - known:
        raise ProfileFault(f"{place or 'document'}: unknown {', '.join(sorted(map(str, unknown)))}")


def _text(content: Mapping[str, Any], key: str, place: str) -> str:
    value = content.get(key)
    if not isinstance(value, str) or not value.strip():
        raise ProfileFault(f"{place}.{key}: text is expected")
    return value.strip()


__all__ = ["Direction", "Profile", "ProfileColumn", "ProfileFault", "parse_profile"]
