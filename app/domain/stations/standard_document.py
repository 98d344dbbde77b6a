"""From a standard's document (the parsed YAML) to a ``Standard``: everything is checked when it is loaded.

Documents write ``effective_to`` as the last day in force; inside the system periods are half-open. A version's name is its first
day with a digest of its content, so that a changed text can't pass for the version that a result was pinned to; that it ends one
day leaves its name alone.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from itertools import pairwise
from types import MappingProxyType

from app.domain.errors import FieldError, Malformed
from app.domain.stations.document_reader import Reader
from app.domain.stations.limit_document import limits_of
from app.domain.stations.measures import LEADERS_COUNTED, MEASURES, Measure
from app.domain.stations.model import Comparator, Criterion, Dimension, Standard, Standards, StandardVersion

STANDARD_KEYS = ("code", "name", "description", "versions")
VERSION_KEYS = ("effective_from", "effective_to", "source", "criteria")
CRITERION_KEYS = (
    "code",
    "name",
    "dimension",
    "measure",
    "arguments",
    "comparator",
    "limit",
    "limits",
    "limit_by",
    "article",
    "sentence",
    "evidence",
    "weight",
    "mandatory",
    "effective_from",
    "effective_to",
)
DIGEST = 12
MAX_WEIGHT = 1000


def standard_of(document: object) -> Standard:
    """The standard that a document describes.

    Raises:
        Malformed: 422 ``malformed_standard``, with a JSON pointer into the document for every finding: an unknown measure,
            comparator, dimension or code, a limit that doesn't fit, bands or periods that overlap, a word that is no key.

    """
    reader = Reader()
    standard = _standard(reader, document)
    if standard is None or reader.findings:
        raise malformed(reader.findings)
    return standard


def standards_of(documents: Iterable[object]) -> Standards:
    """Several documents together. Raises ``Malformed`` like ``standard_of``, and when two give the same code."""
    found: dict[str, Standard] = {}
    for document in documents:
        standard = standard_of(document)
        if standard.code in found:
            message = f"标准代码“{standard.code}”出现了两次，请更换其中一个。"
            raise malformed([FieldError("/code", "duplicate_standard", message)])
        found[standard.code] = standard
    return Standards(MappingProxyType(found))


def malformed(findings: Sequence[FieldError]) -> Malformed:
    return Malformed("malformed_standard", "标准文件有误，请按提示修改后重新装载。", errors=findings)


def _standard(reader: Reader, document: object) -> Standard | None:
    fields = reader.mapping(document, "", STANDARD_KEYS)
    if fields is None:
        return None
    code = reader.code(fields, "code", "")
    versions = [_version(reader, each, f"/versions/{place}") for place, each in enumerate(reader.items(fields, "versions", ""))]
    known = sorted((version for version in versions if version is not None), key=lambda version: version.valid_from)
    for former, later in pairwise(known):
        if former.valid_until is None or later.valid_from < former.valid_until:
            message = f"自 {former.valid_from} 和自 {later.valid_from} 起的两个版本期间重叠，请为前者填写 effective_to。"
            reader.refuse("/versions", "periods_overlap", message)
    return Standard(code, reader.text(fields, "name", ""), reader.text(fields, "description", ""), tuple(known))


def _version(reader: Reader, given: object, pointer: str) -> StandardVersion | None:
    fields = reader.mapping(given, pointer, VERSION_KEYS)
    if fields is None:
        return None
    start, until = _period(reader, fields, pointer, None)
    criteria: list[Criterion] = []
    for place, each in enumerate(reader.items(fields, "criteria", pointer)):
        criterion = _criterion(reader, each, f"{pointer}/criteria/{place}", start)
        if criterion is None:
            continue
        if criterion.code in [former.code for former in criteria]:
            reader.refuse(f"{pointer}/criteria/{place}/code", "duplicate_criterion", f"“{criterion.code}”重复，请更换代码。")
        criteria.append(_within(reader, criterion, until, f"{pointer}/criteria/{place}"))
    name = f"{start}/{_digest({key: value for key, value in fields.items() if key != 'effective_to'})}"
    return StandardVersion(name, reader.text(fields, "source", pointer), start, until, tuple(criteria))


def _within(reader: Reader, criterion: Criterion, until: date | None, pointer: str) -> Criterion:
    """A criterion ends with its version at the latest."""
    if until is None or (criterion.valid_until is not None and criterion.valid_until <= until):
        return criterion
    if criterion.valid_until is not None:
        reader.refuse(f"{pointer}/effective_to", "outside_version", "条款的截止日期晚于所属版本，请更正。")
    return replace(criterion, valid_until=until)


def _digest(given: object) -> str:
    content = json.dumps(_with_text_keys(given), ensure_ascii=False, sort_keys=True, default=str)
    return hashlib.sha256(content.encode()).hexdigest()[:DIGEST]


def _with_text_keys(value: object) -> object:
    """YAML has keys of any kind; only texts can be put in order."""
    if isinstance(value, Mapping):
        return {str(key): _with_text_keys(each) for key, each in value.items()}
    return [_with_text_keys(each) for each in value] if isinstance(value, list) else value


def _period(reader: Reader, fields: Mapping[str, object], pointer: str, default: date | None) -> tuple[date, date | None]:
    start = reader.day(fields, "effective_from", pointer) if default is None or "effective_from" in fields else default
    if default is not None and start < default:
        reader.refuse(f"{pointer}/effective_from", "outside_version", "条款的生效日期早于所属版本，请更正。")
    if fields.get("effective_to") is None:
        return start, None
    last = reader.day(fields, "effective_to", pointer)
    if last < start:
        reader.refuse(f"{pointer}/effective_to", "period_empty", "effective_to 不能早于 effective_from。")
    return start, last + timedelta(days=1)


def _criterion(reader: Reader, given: object, pointer: str, version_start: date) -> Criterion | None:
    fields = reader.mapping(given, pointer, CRITERION_KEYS)
    if fields is None:
        return None
    measure = reader.choice(fields, "measure", pointer, MEASURES, "指标")
    comparator = reader.choice(fields, "comparator", pointer, [each.value for each in Comparator], "比较方式")
    dimension = reader.choice(fields, "dimension", pointer, [each.value for each in Dimension], "验收方面")
    if measure is None or comparator is None or dimension is None:
        return None
    start, until = _period(reader, fields, pointer, version_start)
    limits, limit_by = limits_of(reader, fields, pointer, MEASURES[measure], Comparator(comparator))
    return Criterion(
        code=reader.code(fields, "code", pointer),
        name=reader.text(fields, "name", pointer),
        dimension=Dimension(dimension),
        measure=measure,
        comparator=Comparator(comparator),
        limits=limits,
        limit_by=limit_by,
        article=reader.text(fields, "article", pointer),
        sentence=reader.text(fields, "sentence", pointer),
        evidence=reader.texts(fields, "evidence", pointer),
        weight=reader.number(fields, "weight", pointer, 1, MAX_WEIGHT),
        mandatory=reader.flag(fields, "mandatory", pointer),
        valid_from=start,
        valid_until=until,
        arguments=_arguments(reader, fields, pointer, MEASURES[measure]),
    )


def _arguments(reader: Reader, fields: Mapping[str, object], pointer: str, measure: Measure) -> Mapping[str, bool]:
    allowed = (LEADERS_COUNTED,) if measure.takes_leaders else ()
    given = reader.mapping(fields.get("arguments", {}), f"{pointer}/arguments", allowed) or {}
    return MappingProxyType({name: reader.flag(given, name, f"{pointer}/arguments") for name in given})
