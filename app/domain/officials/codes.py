"""The codes of the register of officials, for the published registry."""

from __future__ import annotations

from typing import Final

ERRORS: Final = {
    "official_not_found": "没有该备案对象，或不在您的辖区内",
    "official_registered": "该身份证号已备案",
    "relative_declared": "该近亲属已申报",
    "relative_not_found": "没有申报这名近亲属",
}
FIELD_ERRORS: Final = {
    "own_relative": "近亲属与本人身份证号相同",
}
RELATIONS: Final = {
    "spouse": "配偶",
    "parent": "父母",
    "child": "子女",
    "sibling": "兄弟姐妹",
    "grandparent": "祖父母、外祖父母",
    "grandchild": "孙子女、外孙子女",
}


def registry() -> dict[str, dict[str, str]]:
    """Kind → code → text."""
    return {"error": dict(ERRORS), "field_error": dict(FIELD_ERRORS), "official_relation": dict(RELATIONS)}
