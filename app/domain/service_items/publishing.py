"""What a list has to keep to before it is published. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from datetime import date

from app.domain.errors import FieldError
from app.domain.service_items import refusals
from app.domain.service_items.model import ItemEntry, ListEntry, ListLevel


def check_list(entry: ListEntry, today: date, *, programmes: Collection[str], by_application: Collection[str]) -> None:
    """``programmes``: all there are; ``by_application``: those with applications of their own in this system.

    Raises ``Conflict`` service_list_backdated, ``Malformed`` with every finding.
    """
    findings = list(_findings(entry, programmes, by_application))
    if findings:
        raise refusals.list_malformed(findings)
    if entry.valid_from < today:
        raise refusals.list_backdated()


def _findings(entry: ListEntry, programmes: Collection[str], by_application: Collection[str]) -> Iterator[FieldError]:
    yield from _repeated(((f"/items/{n}/code", one.code) for n, one in enumerate(entry.items)), "item_repeated", "事项代码重复。")
    bound = ((f"/items/{n}/programme", one.programme) for n, one in enumerate(entry.items))
    text = "同一项目在一张清单中只列一项。"
    yield from _repeated(((pointer, code) for pointer, code in bound if code in by_application), "programme_repeated", text)
    for place, item in enumerate(entry.items):
        yield from _of_item(f"/items/{place}", item)
        if item.programme is not None and item.programme not in programmes:
            yield FieldError(f"/items/{place}/programme", "programme_unknown", "没有该项目代码，请按代码表填写。")
        if item.programme in by_application and entry.level is not ListLevel.SUBDISTRICT:
            text = "该项目由乡镇（街道）受理申请，只能列入乡镇（街道）清单；村（社区）清单请列代办事项。"
            yield FieldError(f"/items/{place}/programme", "programme_elsewhere", text)


def _of_item(pointer: str, item: ItemEntry) -> Iterator[FieldError]:
    codes = ((f"{pointer}/materials/{n}/code", one.code) for n, one in enumerate(item.materials))
    yield from _repeated(codes, "material_repeated", "材料代码重复。")
    limit = item.limit
    if limit.legal_days is not None and limit.promised_days > limit.legal_days:
        text = f"承诺时限 {limit.promised_days} 日长于法定时限 {limit.legal_days} 日，请缩短。"
        yield FieldError(f"{pointer}/limit/promised_days", "promise_longer_than_law", text)
    if (limit.legal_days is None) != (limit.legal_article is None):
        text = "法定时限与其条文须同时填写；法律未规定时限的两项都不填。"
        yield FieldError(f"{pointer}/limit/legal_article", "article_missing", text)


def _repeated(values: Iterable[tuple[str, str | None]], code: str, text: str) -> Iterator[FieldError]:
    seen: set[str | None] = set()
    for pointer, value in values:
        if value in seen:
            yield FieldError(pointer, code, text)
        seen.add(value)
