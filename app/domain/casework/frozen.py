"""Frozen values as JSON documents and back, in the words of contract §4: what a decision keeps, and what a replay reads.

Only plain data is known: dataclasses, enums, dates, tuples, text, whole numbers, booleans, None.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Hashable, Mapping
from dataclasses import fields, is_dataclass
from datetime import date
from enum import Enum
from functools import cache, partial
from typing import Any, TypeVar, Union, cast, get_args, get_origin, get_type_hints

T = TypeVar("T")
Reader = Callable[[Any], Any]


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
    readers = _readers(cast("Hashable", kind))
    return kind(**{name: readers[name](part) for name, part in document.items() if name in readers})


@cache
def _readers(kind: Hashable) -> dict[str, Reader]:
    """How each field of a dataclass is read; worked out once."""
    return {name: _reader(hint) for name, hint in get_type_hints(kind).items()}


def _reader(hint: Any) -> Reader:
    if get_origin(hint) in (Union, types.UnionType):
        hint = next(choice for choice in get_args(hint) if choice is not type(None))
    if get_origin(hint) is tuple:
        return _tuple_reader(_reader(get_args(hint)[0]))
    if isinstance(hint, type) and is_dataclass(hint):
        return _unless_none(partial(value_of, hint))
    if hint is date:
        return _unless_none(date.fromisoformat)
    if isinstance(hint, type) and issubclass(hint, Enum):
        return _unless_none(hint)
    return _as_it_is


def _tuple_reader(item: Reader) -> Reader:
    return _unless_none(lambda document: tuple(map(item, document)))


def _unless_none(read: Reader) -> Reader:
    return lambda document: None if document is None else read(document)


def _as_it_is(document: Any) -> Any:
    return document
