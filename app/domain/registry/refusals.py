"""Refusals of the registry that carry more than a text."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from app.domain.errors import Conflict, NotFound, PreconditionFailed, TooManyRequests
from app.domain.registry.relations import Contradiction

#: So many numbers that turn out to be registered elsewhere may one caller try within the window.
ELSEWHERE_LIMIT = 10
ELSEWHERE_WINDOW = timedelta(hours=1)


class DuplicateRegistration(Conflict):
    """The number is registered already. ``elsewhere``: outside the caller's area, and never said where."""

    audit = True

    def __init__(self, detail: str, *, elsewhere: bool, members: dict[str, object] | None = None) -> None:
        super().__init__("person_already_registered", detail, members=members)
        self.elsewhere = elsewhere


def registered_here(person_id: UUID, area_code: str, area_name: str) -> DuplicateRegistration:
    detail = f"该身份证号已在{area_name}（{area_code}）登记，请直接查询使用，不要重复登记。"
    members: dict[str, object] = {"person_id": str(person_id), "area_code": area_code, "area_name": area_name}
    return DuplicateRegistration(detail, elsewhere=False, members=members)


def registered_elsewhere() -> DuplicateRegistration:
    return DuplicateRegistration("该身份证号已在本辖区以外登记，请联系上级民政部门办理迁转。", elsewhere=True)


def refuse_over_limit(attempts: Sequence[datetime], now: datetime) -> None:
    """Registering must not become a way to ask who is registered elsewhere. ``attempts``: the caller's, in the window.

    Raises ``TooManyRequests`` with the seconds until the oldest of the last ten leaves the window.
    """
    recent = sorted(moment for moment in attempts if moment > now - ELSEWHERE_WINDOW)
    if len(recent) < ELSEWHERE_LIMIT:
        return
    wait = recent[-ELSEWHERE_LIMIT] + ELSEWHERE_WINDOW - now
    raise TooManyRequests(
        "too_many_duplicates",
        "您近一小时内多次登记已在外地登记的人员，登记已暂停。请核对证件后稍后再试，或联系上级民政部门办理迁转。",
        retry_after_seconds=max(1, int(wait.total_seconds()) + 1),
    )


def area_not_found() -> NotFound:
    return NotFound("area_not_found", "没有找到该村（社区），请核对 12 位区划代码；只能登记在本人辖区内。")


def person_not_found() -> NotFound:
    return NotFound("person_not_found", "没有找到该人员，请核对编号；不在本辖区的人员请由其所在辖区办理。")


def household_not_found() -> NotFound:
    return NotFound("household_not_found", "没有找到该家庭，请核对编号；不在本辖区的家庭请由其所在辖区办理。")


def member_not_found() -> NotFound:
    return NotFound("member_not_found", "此人现在不是该家庭的成员，请先读取家庭的最新成员名单。")


def in_other_household(household_id: UUID | None, household_no: str | None) -> Conflict:
    """The person's present household, named when the caller may see it."""
    if household_id is None:
        return Conflict("person_in_other_household", "此人在该期间已是另一家庭的成员，请先由其所在辖区办理迁出。")
    return Conflict(
        "person_in_other_household",
        f"此人在该期间已是家庭 {household_no} 的成员，请先在原家庭办理迁出，或以 move=true 一并迁入。",
        members={"household_id": str(household_id), "household_no": household_no},
    )


def relations_contradict(what: Contradiction, person_ids: Sequence[UUID]) -> Conflict:
    """Relations to the head that can't be, with the members whose relations they are."""
    return Conflict(what, what.advice, members={"person_ids": [str(person_id) for person_id in person_ids]})


def check_version(expected: int | None, actual: int) -> None:
    """Raises ``PreconditionFailed`` when the caller had read an older version; None asks for no check."""
    if expected is not None and expected != actual:
        raise PreconditionFailed("stale_version", "内容已被他人更新，请重新读取后再提交。")
