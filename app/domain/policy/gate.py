"""The gate before activation: a finished replay of exactly this content, signed off by somebody else than the author."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from app.domain.access import Actor
from app.domain.errors import Conflict, Forbidden
from app.domain.policy.model import PolicySet, SetStatus, Simulation


def require_draft(found: PolicySet) -> None:
    """An active or superseded set has been used by decisions and is never edited."""
    if found.status is not SetStatus.DRAFT:
        raise Conflict("set_not_draft", "该参数集已启用或已被取代，不能再改动；请另建草案（可复制现行参数集）。")


def effective_date(found: PolicySet) -> date:
    """Raises Conflict ``effective_date_missing``: sets loaded by a command may have none."""
    if found.effective_from is None:
        raise Conflict("effective_date_missing", "该草案没有施行日，不能签批和启用；请另建草案并填写施行日。")
    return found.effective_from


def require_not_author(found: PolicySet, actor: Actor) -> None:
    if found.author_id == actor.id:
        raise Forbidden("own_policy_set", "不能签批自己编制的参数集，请由另一名政策管理员或审核员签批。")


def require_complete(found: PolicySet, simulation: Simulation, active_id: UUID | None) -> None:
    """The simulation says what this very content would do to everybody, compared with what is in force now."""
    if simulation.finished_at is None:
        raise Conflict("simulation_not_finished", "测算尚未完成，请完成后再签批。")
    if simulation.set_id != found.id or simulation.set_hash != found.content_hash:
        raise Conflict("simulation_of_other_content", "该测算不是按草案现在的内容作出的，请重新测算后再签批。")
    if simulation.base_set_id != active_id:
        raise Conflict("simulation_outdated", "测算之后现行参数集已变更，请重新测算并签批。")
    whole = found.area_code.startswith(simulation.area_code) and not simulation.programmes
    if not whole or simulation.on < effective_date(found):
        raise Conflict("simulation_incomplete", "签批须有覆盖本参数集全部区域和全部项目、测算日不早于施行日的测算，请补做。")


def require_signed(found: PolicySet) -> UUID:
    """The simulation that was signed off for the content as it is now."""
    if found.sign_off is None or found.sign_off.content_hash != found.content_hash:
        raise Conflict("sign_off_missing", "该草案尚未由他人签批，请先测算并由他人签批后再启用。")
    return found.sign_off.simulation_id


def require_effective(found: PolicySet, today: date) -> None:
    start = effective_date(found)
    if today < start:
        raise Conflict("not_effective_yet", f"施行日是 {start.isoformat()}，请从该日起启用。")
