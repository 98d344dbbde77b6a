"""The kinds of import there are."""

from __future__ import annotations

from app.domain.imports.model import Kind

KINDS: dict[str, Kind] = {}


def register_kind(kind: Kind) -> None:
    """Each kind is registered once, by the module that declares it."""
    KINDS[kind.code] = kind


def find_kind(code: str) -> Kind | None:
    return KINDS.get(code)


def kind_of(code: str) -> Kind:
    """The kind of an import on record. Raises LookupError: only known kinds are accepted."""
    return KINDS[code]
