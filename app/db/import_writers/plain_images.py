"""Rows as JSON can hold them, for before-images: what is sealed in them stands there in plain, under the one seal of the image.

So an image rests on no key but its own, and moving that to a new one (`minzheng keys reencrypt`) is all that is needed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from app.security.fields import Field, FieldCipher, SealBroken

OPENED: Final = "opened"  # column → what was sealed in it
_READ: Final[Mapping[str, Callable[[str], Any]]] = {
    "bytes": bytes.fromhex,
    "date": date.fromisoformat,
    "datetime": datetime.fromisoformat,
    "Decimal": Decimal,
    "UUID": UUID,
}


def image_of(row: Mapping[str, Any], sealed: Mapping[str, Field], owner: UUID, cipher: FieldCipher) -> dict[str, Any]:
    """``sealed``: columns with what is in them, sealed under ``owner``. One that can't be opened stays as it is: a broken seal is
    no reason to refuse the change of something else.
    """
    plain = {name: _packed(_opened(kind, owner, row[name], cipher)) for name, kind in sealed.items()}
    return {str(name): _packed(value) for name, value in row.items() if name not in sealed} | {OPENED: plain}


def row_of(image: Mapping[str, Any], sealed: Mapping[str, Field], owner: UUID, cipher: FieldCipher) -> dict[str, Any]:
    """The way back, sealed under the current key."""
    plain = {name: _unpacked(image[OPENED][name]) for name in sealed}
    fresh = {name: cipher.seal(sealed[name], owner, value) if isinstance(value, str) else value for name, value in plain.items()}
    return {name: _unpacked(value) for name, value in image.items() if name != OPENED} | fresh


def _opened(kind: Field, owner: UUID, value: bytes | None, cipher: FieldCipher) -> str | bytes | None:
    try:
        return None if value is None else cipher.open(kind, owner, value)
    except SealBroken:
        return value


def _packed(value: Any) -> Any:
    """What isn't JSON by itself says what it is."""
    kind = next((name for base in type(value).__mro__ if (name := base.__name__) in _READ), None)
    if kind is None:
        return value
    return {"is": kind, "text": value.hex() if isinstance(value, bytes) else str(value)}


def _unpacked(value: Any) -> Any:
    return _READ[value["is"]](value["text"]) if isinstance(value, dict) else value


__all__ = ["image_of", "row_of"]
