"""The limits of a criterion as a document writes them: one ``limit``, or ``limits`` by band or kind with ``limit_by``."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

from app.domain.stations.document_reader import Reader
from app.domain.stations.measures import LIMIT_BY, Measure, MeasureKind
from app.domain.stations.model import Comparator, Limit

MOST = 10**12
#: what each kind of measure can be compared with
COMPARATORS: dict[MeasureKind, tuple[Comparator, ...]] = {
    MeasureKind.NUMBER: (Comparator.AT_LEAST, Comparator.AT_MOST, Comparator.WITHIN),
    MeasureKind.EACH_COMMUNITY: (Comparator.AT_LEAST,),
    MeasureKind.FLAG: (Comparator.IS_TRUE,),
    MeasureKind.CODES: (Comparator.INCLUDES,),
    MeasureKind.KIND: (),
}
KEYS: dict[Comparator, tuple[str, ...]] = {
    Comparator.AT_LEAST: ("lower",),
    Comparator.AT_MOST: ("upper",),
    Comparator.WITHIN: ("lower", "upper"),
    Comparator.IS_TRUE: (),
    Comparator.INCLUDES: ("codes",),
}
BAND_KEYS = ("band_from", "band_until")


def limits_of(
    reader: Reader, fields: Mapping[str, object], pointer: str, measure: Measure, comparator: Comparator
) -> tuple[tuple[Limit, ...], str | None]:
    """The limits of a criterion and what chooses among them."""
    if comparator not in COMPARATORS[measure.kind]:
        fitting = "、".join(COMPARATORS[measure.kind])
        reader.refuse(f"{pointer}/comparator", "comparator_unfit", f"指标“{measure.name}”不能用 {comparator}，可用：{fitting}。")
        return (), None
    if "limits" in fields and "limit" in fields:
        reader.refuse(f"{pointer}/limits", "limit_twice", "limit 和 limits 只能写一个。")
    if "limits" not in fields:
        return _only_limit(reader, fields, pointer, measure, comparator), None
    limit_by = reader.choice(fields, "limit_by", pointer, LIMIT_BY, "分档依据")
    if limit_by is None:
        return (), None
    _check_limit_by(reader, pointer, measure, limit_by)
    limits = tuple(
        _limit(reader, each, f"{pointer}/limits/{place}", measure, comparator, LIMIT_BY[limit_by])
        for place, each in enumerate(reader.items(fields, "limits", pointer))
    )
    _check_bands(reader, limits, pointer)
    return limits, limit_by


def _only_limit(
    reader: Reader, fields: Mapping[str, object], pointer: str, measure: Measure, comparator: Comparator
) -> tuple[Limit, ...]:
    if fields.get("limit_by") is not None:
        reader.refuse(f"{pointer}/limit_by", "limit_by_unfit", "有 limit_by 时应写 limits 列表。")
    return (_limit(reader, fields.get("limit", {}), f"{pointer}/limit", measure, comparator, None),)


def _check_limit_by(reader: Reader, pointer: str, measure: Measure, limit_by: str) -> None:
    """Limits of communities are chosen community by community, others once for the station."""
    each = MeasureKind.EACH_COMMUNITY
    if (measure.kind is each) != (LIMIT_BY[limit_by].kind is each):
        reader.refuse(f"{pointer}/limit_by", "limit_by_unfit", f"指标“{measure.name}”不能按“{LIMIT_BY[limit_by].name}”分档。")


def _limit(
    reader: Reader, given: object, pointer: str, measure: Measure, comparator: Comparator, chosen_by: Measure | None
) -> Limit:
    by_kind = chosen_by is not None and chosen_by.kind is MeasureKind.KIND
    choosing = () if chosen_by is None else ("kind",) if by_kind else BAND_KEYS
    fields = reader.mapping(given, pointer, (*KEYS[comparator], *choosing, "assumption"))
    if fields is None:
        return Limit()
    bounds = {key: reader.number(fields, key, pointer, 0, MOST) for key in KEYS[comparator] if key != "codes"}
    if bounds.get("lower", 0) > bounds.get("upper", MOST):
        reader.refuse(f"{pointer}/upper", "bounds_reversed", "上限不能小于下限。")
    bands = {key: reader.number(fields, key, pointer, 0, MOST) for key in BAND_KEYS if fields.get(key) is not None}
    if bands.get("band_from", 0) >= bands.get("band_until", MOST + 1):
        reader.refuse(f"{pointer}/band_until", "bounds_reversed", "band_until 应大于 band_from。")
    return Limit(
        lower=bounds.get("lower"),
        upper=bounds.get("upper"),
        codes=_codes(reader, fields, pointer, measure) if "codes" in KEYS[comparator] else frozenset(),
        band_from=bands.get("band_from"),
        band_until=bands.get("band_until"),
        kind=reader.choice(fields, "kind", pointer, sorted(chosen_by.kinds), "类型") if by_kind and chosen_by else None,
        assumption=reader.text(fields, "assumption", pointer) if "assumption" in fields else None,
    )


def _codes(reader: Reader, fields: Mapping[str, object], pointer: str, measure: Measure) -> frozenset[str]:
    codes = reader.texts(fields, "codes", pointer)
    if measure.vocabulary is not None:
        for place, code in enumerate(codes):
            if code not in measure.vocabulary:
                known = "、".join(sorted(measure.vocabulary))
                reader.refuse(f"{pointer}/codes/{place}", "unknown_value", f"{measure.name}中没有“{code}”，可用：{known}。")
    return frozenset(codes)


def _check_bands(reader: Reader, limits: tuple[Limit, ...], pointer: str) -> None:
    """No station may fall into two bands: the answer would hang on their order."""
    kinds = [limit.kind for limit in limits if limit.kind is not None]
    bands = sorted((limit.band_from or 0, limit.band_until or MOST) for limit in limits if limit.kind is None)
    overlapping = any(start < until for (_, until), (start, _) in pairwise(bands))
    if overlapping or len(kinds) != len(set(kinds)):
        reader.refuse(f"{pointer}/limits", "bands_overlap", "各档有重叠，请使各档互不重叠（band_from 含本数，band_until 不含）。")
