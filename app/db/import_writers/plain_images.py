"""Rows on their way into a before-image and back: what is sealed in them stands there in plain, under the one seal of the image.

So an image rests on no key but its own, and moving that to a new one (`minzheng keys reencrypt`) is all that is needed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from app.security.fields import Field, FieldCipher


def opened(row: Mapping[str, Any], sealed: Mapping[str, Field], owner: UUID, cipher: FieldCipher) -> dict[str, Any]:
    """The row with its sealed columns (column → what is in it, sealed under ``owner``) in plain. Raises ``SealBroken``."""
    plain = {name: cipher.open(kind, owner, row[name]) for name, kind in sealed.items() if row[name] is not None}
    return {**row, **plain}


def closed(image: Mapping[str, Any], sealed: Mapping[str, Field], owner: UUID, cipher: FieldCipher) -> dict[str, Any]:
    """The way back, under the current key."""
    fresh = {name: cipher.seal(kind, owner, image[name]) for name, kind in sealed.items() if image[name] is not None}
    return {**image, **fresh}
