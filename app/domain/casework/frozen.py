"""Frozen values as JSON documents and back, in the words of contract §4: what a decision keeps, and what a replay reads.

Only plain data is known: dataclasses, enums, dates, tuples, text, whole numbers, booleans, None.
"""

from __future__ import annotations

import types
from collections.abc import Hashable, Mapping
from dataclasses import fields, is_dataclass
from datetime import date
from enum import Enum
from functools import cache
from typing import Any, TypeVar, Union, cast, get_args, get_origin, get_type_hints

T = TypeVar("T")


def document_of(value: Any) -> Any:
    """The JSON form of a frozen value."""
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: document_of(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, (tuple, list)):
        return [document_of(item) for item in value]
    if isinstance(value, Enum):
        return value.value
    return value.isoformat() if isinstance(value, date) else value


def value_of(kind: type[T], document: Mapping[str, Any]) -> T:
    """The frozen dataclass ``kind`` that a document describes; fields that the document doesn't have keep their defaults."""
    hints = _hints(cast("Hashable", kind))
    return kind(**{name: _value(hints[name], part) for name, part in document.items() if name in hints})


@cache
def _hints(kind: Hashable) -> dict[str, Any]:
    return get_type_hints(kind)


def _value(hint: Any, document: Any) -> Any:
    if document is None:
        return None
    if get_origin(hint) in (Union, types.UnionType):
        hint = next(choice for choice in get_args(hint) if choice is not type(None))
    if get_origin(hint) is tuple:
        return tuple(_value(get_args(hint)[0], item) for item in document)
    if is_dataclass(hint):
        return value_of(hint, document)  # type: ignore[arg-type]
    if hint is date:
        return date.fromisoformat(document)
    return hint(document) if isinstance(hint, type) and issubclass(hint, Enum) else document
