"""Standards that a district lays down itself, beside those that come with the application: drafted by one, signed by another.

A new standard is data; so is a new version of one that is there. What was signed is never changed: results are pinned to it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from functools import lru_cache
from itertools import pairwise
from types import MappingProxyType
from typing import Any
from uuid import UUID

from app.domain.access import Actor, Signature
from app.domain.errors import Conflict, FieldError, Forbidden, Malformed, NotFound
from app.domain.stations.model import Criterion, Standard, Standards, StandardVersion
from app.domain.stations.standard_document import standard_of

ONLY_VERSION = "/versions/0"


class DraftState(StrEnum):
    DRAFT = "draft"
    SIGNED = "signed"
    WITHDRAWN = "withdrawn"


STATES: dict[str, str] = {
    DraftState.DRAFT: "草案",
    DraftState.SIGNED: "已签批",
    DraftState.WITHDRAWN: "已撤回",
}


@dataclass(frozen=True, slots=True)
class StandardDraft:
    """One version of a standard on its way. ``document`` is read by ``standard_of``; it holds exactly one version."""

    id: UUID
    document: Mapping[str, Any]
    state: DraftState
    drafted: Signature
    signed: Signature | None = None
    version: int = 1

    @property
    def standard(self) -> Standard:
        return standard_of(self.document)


def checked(document: Mapping[str, Any], known: Standards) -> Standard:
    """The draft as a standard of one version.

    Raises:
        Malformed: 422 ``malformed_standard``, the pointers into the one version.
        Conflict: ``standard_version_precedes``, there is a version from that day on or later.

    """
    try:
        standard = standard_of(document)
    except Malformed as refused:
        errors = [_nearer(error) for error in refused.errors]
        raise Malformed(refused.code, "标准有误，请按提示修改后重新提交。", errors=errors) from refused
    former = known.by_code.get(standard.code)
    if former is not None:
        _require_follows(former, standard)
    return standard


def _nearer(error: FieldError) -> FieldError:
    """What is sent is one version, without the list around it."""
    pointer, message = error.pointer.removeprefix(ONLY_VERSION), error.message.replace(ONLY_VERSION, "")
    return FieldError(pointer, error.code, message)


def _require_follows(former: Standard, standard: Standard) -> None:
    if standard.name != former.name:
        text = f"“{former.code}”已是标准“{former.name}”，新版本不能改名；另立标准请换一个代码。"
        raise Malformed("malformed_standard", text, errors=[FieldError("/name", "name_differs", text)])
    last, start = former.versions[-1].valid_from, standard.versions[0].valid_from
    if start <= last:
        text = f"标准“{former.name}”已有自 {last} 起的版本，新版本须在其后生效，请更正 effective_from。"
        raise Conflict("standard_version_precedes", text)


def signed(draft: StandardDraft, actor: Actor, known: Standards, today: date, now: datetime) -> StandardDraft:
    """The draft in force, as signed by somebody else than its author.

    A new version of a standard that is there begins on the day at the earliest: what has been assessed stays as it was.
    """
    require_draft(draft)
    if draft.drafted.by == actor.id:
        raise Forbidden("own_standard", "不能签批自己起草的标准，请由另一名政策管理员或审核员签批。")
    standard = checked(draft.document, known)
    start = standard.versions[0].valid_from
    if standard.code in known.by_code and start < today:
        text = f"新版本自 {start} 起，早于签批日 {today}；已有的评估不能追溯，请由起草人更正 effective_from 后再签批。"
        raise Conflict("standard_retroactive", text)
    return replace(draft, state=DraftState.SIGNED, signed=Signature.of(actor, now))


def require_draft(draft: StandardDraft) -> None:
    if draft.state is not DraftState.DRAFT:
        text = f"该标准{STATES[draft.state]}，不能再改动；需要调整请另建新版本。"
        raise Conflict("standard_not_draft", text)


def draft_not_found() -> NotFound:
    return NotFound("standard_draft_not_found", "没有该标准草案，请核对编号。")


# --- together with those of the application -------------------------------------------------------------------------------


def with_local(shipped: Standards, documents: Iterable[str]) -> Standards:
    """All standards of a district: ``documents`` are the signed ones, as JSON text. A version ends where the next one begins."""
    found = dict(shipped.by_code)
    for text in documents:
        standard = _read(text)
        former = found.get(standard.code)
        versions = standard.versions if former is None else (*former.versions, *standard.versions)
        found[standard.code] = replace(former or standard, versions=_in_order(versions))
    return Standards(MappingProxyType(found))


@lru_cache(maxsize=256)
def _read(text: str) -> Standard:
    """A signed document never changes: it is read once."""
    return standard_of(json.loads(text))


def _in_order(versions: Sequence[StandardVersion]) -> tuple[StandardVersion, ...]:
    """Of two from the same day the later one given holds."""
    by_day = {version.valid_from: version for version in versions}
    ordered = [by_day[day] for day in sorted(by_day)]
    capped = [_until(former, later.valid_from) for former, later in pairwise(ordered)]
    return (*capped, *ordered[-1:])


def _until(version: StandardVersion, end: date) -> StandardVersion:
    if version.valid_until is not None and version.valid_until <= end:
        return version
    criteria = tuple(_criterion_until(criterion, end) for criterion in version.criteria)
    return replace(version, valid_until=end, criteria=criteria)


def _criterion_until(criterion: Criterion, end: date) -> Criterion:
    ends = end if criterion.valid_until is None else min(criterion.valid_until, end)
    return replace(criterion, valid_until=ends)


def asked_for(standards: Standards, code: str, pointer: str = "/standard") -> Standard:
    """The standard that a request names. Raises ``Malformed`` unknown_value with those that there are."""
    found = standards.by_code.get(code)
    if found is None:
        text = f"没有这个标准，可选：{'、'.join(standards.by_code)}。"
        raise Malformed("malformed_request", text, errors=[FieldError(pointer, "unknown_value", text)])
    return found
