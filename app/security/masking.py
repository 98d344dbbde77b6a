"""What a sensitive value looks like to somebody who may not see it. Masking never shows a whole short value."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from app.security.fields import Field

_STAR: Final = "*"
_MOBILE_DIGITS: Final = 11
_DETAIL: Final = re.compile(r"\d|[号室栋幢弄]|单元")  # where the door begins, at the latest
_COMMUNITY: Final = re.compile(r"(?:.*?(?:街道|镇|乡))?.*?(?:社区|村委会|居委会)")
_VILLAGE: Final = re.compile(r"(?:.*?(?:街道|镇|乡))?.*?村")
_TOWNSHIP: Final = re.compile(r".*?(?:街道|镇|乡)")
_DISTRICT: Final = re.compile(r".*?[区县市]")


def _middle(value: str, head: int, tail: int) -> str:
    """Keep ``head`` and ``tail`` characters, at least as many are starred as are kept on the longer side."""
    hidden = len(value) - head - tail
    if hidden < max(head, tail):
        return _STAR * len(value)
    return value[:head] + _STAR * hidden + value[len(value) - tail :]


def mask_id_number(value: str) -> str:
    """``3507**********1234``: the first and last four are kept."""
    return _middle(value, 4, 4)


def mask_bank_account(value: str) -> str:
    """Only the last four digits are kept."""
    return _middle(value, 0, 4)


def mask_phone(value: str) -> str:
    """``138****5678``; a landline keeps its last two digits only."""
    if len(value) == _MOBILE_DIGITS and value.startswith("1"):
        return _middle(value, 3, 4)
    return _middle(value, 0, 2)


def mask_address(value: str) -> str:
    """Kept down to the community, village or township; street, building and door become ``****``.

    Nothing from the first digit, 号, 栋 … on is ever kept. Without a recognised level the first of 区县市 is kept, else nothing.
    """
    if not value:
        return ""
    named = _DETAIL.split(value, maxsplit=1)[0]
    kept = _COMMUNITY.match(named) or _VILLAGE.match(named) or _TOWNSHIP.match(named) or _DISTRICT.match(named)
    return (kept[0] if kept else "") + _STAR * 4


_MASKS: Final[dict[Field, Callable[[str], str]]] = {
    Field.ID_NUMBER: mask_id_number,
    Field.BANK_ACCOUNT: mask_bank_account,
    Field.PHONE: mask_phone,
    Field.ADDRESS: mask_address,
    Field.DISABILITY_CERTIFICATE: mask_id_number,
}


def mask(field: Field, value: str) -> str:
    """The masked form of a sensitive field; a field without a mask of its own is hidden whole (``****``)."""
    masked = _MASKS.get(field)
    return masked(value) if masked else _STAR * 4
