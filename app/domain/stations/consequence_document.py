"""From the document of a district's consequences (the parsed YAML) to the dated table, checked when it is loaded."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal, InvalidOperation
from itertools import combinations

from app.domain.errors import Malformed
from app.domain.stations.document_reader import Reader
from app.domain.stations.model import Grade
from app.domain.stations.scoring import Announcement, ConsequenceRule

ROW_KEYS = (
    "grade",
    "announcement",
    "points_off",
    "points_off_each",
    "points_off_most",
    "effective_from",
    "effective_to",
    "source",
)
MOST_POINTS = 100


def consequences_of(document: object) -> tuple[ConsequenceRule, ...]:
    """All rows of a document.

    Raises:
        Malformed: 422 ``malformed_consequences``, with a JSON pointer for every finding.

    """
    reader = Reader()
    fields = reader.mapping(document, "", ("consequences",)) or {}
    rows = [_row(reader, each, f"/consequences/{place}") for place, each in enumerate(reader.items(fields, "consequences", ""))]
    known = tuple(row for row in rows if row is not None)
    if any(_clash(one, other) for one, other in combinations(known, 2)):
        reader.refuse("/consequences", "periods_overlap", "同一结论有两行的期间重叠，请为前者填写 effective_to。")
    if reader.findings:
        raise Malformed("malformed_consequences", "验收结果运用规定有误，请按提示修改后重新装载。", errors=reader.findings)
    return known


def _row(reader: Reader, given: object, pointer: str) -> ConsequenceRule | None:
    fields = reader.mapping(given, pointer, ROW_KEYS)
    if fields is None:
        return None
    graded = [Grade.QUALIFIED.value, Grade.UNQUALIFIED.value]
    grade = reader.choice(fields, "grade", pointer, graded, "结论")
    announcement = reader.choice(fields, "announcement", pointer, [each.value for each in Announcement], "通报方式")
    if grade is None or announcement is None:
        return None
    start = reader.day(fields, "effective_from", pointer)
    last = None if fields.get("effective_to") is None else reader.day(fields, "effective_to", pointer)
    if last is not None and last < start:
        reader.refuse(f"{pointer}/effective_to", "period_empty", "effective_to 不能早于 effective_from。")
    return ConsequenceRule(
        grade=Grade(grade),
        announcement=Announcement(announcement),
        valid_from=start,
        valid_until=None if last is None else last + timedelta(days=1),
        source=reader.text(fields, "source", pointer),
        points_off=_points(reader, fields, "points_off", pointer) or Decimal(0),
        points_off_each=_points(reader, fields, "points_off_each", pointer) or Decimal(0),
        points_off_most=_points(reader, fields, "points_off_most", pointer),
    )


def _points(reader: Reader, fields: Mapping[str, object], key: str, pointer: str) -> Decimal | None:
    """Whole numbers, or decimals written as text: a binary fraction has already lost its value."""
    value = fields.get(key)
    if value is None:
        return None
    try:
        points = Decimal(value) if isinstance(value, int | str) and not isinstance(value, bool) else None
    except InvalidOperation:
        points = None
    if points is None or not points.is_finite() or not 0 <= points <= MOST_POINTS:
        reader.refuse(f"{pointer}/{key}", "out_of_range", f"“{key}”应为 0 至 {MOST_POINTS} 的整数，或加引号的小数。")
        return None
    return points


def _clash(one: ConsequenceRule, other: ConsequenceRule) -> bool:
    if one.grade is not other.grade:
        return False
    former, later = sorted((one, other), key=lambda rule: rule.valid_from)
    return former.valid_until is None or later.valid_from < former.valid_until
