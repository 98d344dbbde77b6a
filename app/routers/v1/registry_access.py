"""Who may do what in the registry, and what its routes share: the desk, and asking for plain values."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, get_args

from fastapi import Depends, Query, Response

from app.db.registry_desk import RegistryDesk, open_desk
from app.dependencies import ClockDep, CurrentActor, DutyGuard, RuntimeDep, SessionDep, allow
from app.domain.access import Actor, Duty
from app.domain.errors import FieldError
from app.domain.registry.entry import malformed
from app.routers.v1.registry_models import HouseholdField, PersonField

_REVEALING = (Duty.COMMUNITY_WORKER, Duty.STATION_CLERK, Duty.STATION_HEAD, Duty.REVIEWER, Duty.FINANCE)
MAY_REVEAL = DutyGuard(*_REVEALING)

Registrar = Annotated[Actor, allow(Duty.COMMUNITY_WORKER, Duty.STATION_CLERK)]
Reader = Annotated[
    Actor,
    allow(
        Duty.COMMUNITY_WORKER,
        Duty.STATION_CLERK,
        Duty.STATION_HEAD,
        Duty.REVIEWER,
        Duty.FINANCE,
        Duty.APPROVER,
        Duty.DISABILITY_FEDERATION,
        Duty.AUDITOR,
    ),
]


def get_desk(session: SessionDep, actor: CurrentActor, clock: ClockDep, runtime: RuntimeDep) -> RegistryDesk:
    return open_desk(session, runtime.cipher, runtime.blind_index, actor, today=clock.today, now=clock.now)


DeskDep = Annotated[RegistryDesk, Depends(get_desk)]

RevealText = Annotated[
    str | None,
    Query(max_length=100, description="要查看明文的字段，多个以逗号分隔；须是获准的岗位，并在 purpose 写明用途，每次留痕。"),
]
PurposeText = Annotated[str | None, Query(max_length=100, description="查看明文的用途，记入审计；请勿写入任何号码。")]

PERSON_FIELDS: tuple[str, ...] = get_args(PersonField)
HOUSEHOLD_FIELDS: tuple[str, ...] = get_args(HouseholdField)


def wanted_fields(reveal: str | None, known: Iterable[str], actor: Actor) -> tuple[str, ...]:
    """The fields named in ``reveal``. ``Forbidden`` when the caller's duty doesn't reach so far, ``Malformed`` for others."""
    if reveal is None:
        return ()
    MAY_REVEAL.check(actor)
    wanted = tuple(dict.fromkeys(name.strip() for name in reveal.split(",")))
    if not set(wanted) <= set(known):
        text = f"只能查看这些字段的明文：{'、'.join(known)}。"
        raise malformed([FieldError("/query/reveal", "unknown_value", text)])
    return wanted


def mark_revealed(response: Response) -> None:
    """Plain values stay out of every cache."""
    response.headers["Cache-Control"] = "private, no-store"
