"""The published demo accounts and bureau clients; refused outright outside demo mode."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID, uuid5

from app.domain.access import Duty, Level

NAMESPACE = UUID("6b1c9f0e-8d57-5c43-9a64-2f6f0f3c7a11")
_MADE_AT_MS = 1_767_225_600_000  # 2026-01-01, whenever the demo is loaded
DISTRICT = "350702"
SECOND_DISTRICT = "340882"


def demo_id(name: str) -> UUID:
    """A UUIDv7 like every other id, but the same in every installation, so that a second load changes nothing."""
    digest = uuid5(NAMESPACE, name).int & ((1 << 74) - 1)
    return UUID(int=_MADE_AT_MS << 80 | 7 << 76 | (digest >> 62) << 64 | 0b10 << 62 | digest & ((1 << 62) - 1))


@dataclass(frozen=True, slots=True)
class DemoAccount:
    username: str
    display_name: str
    level: Level
    area: str
    duties: tuple[Duty, ...]

    @property
    def id(self) -> UUID:
        return demo_id(self.username)


@dataclass(frozen=True, slots=True)
class DemoClient:
    client_id: str
    name: str

    @property
    def id(self) -> UUID:
        return demo_id(self.client_id)


_DISTRICT_DUTIES = {
    "reviewer": ("审核员", Duty.REVIEWER),
    "finance": ("财务", Duty.FINANCE),
    "approver": ("审批人", Duty.APPROVER),
    "treasury": ("财政", Duty.TREASURY),
    "canlian": ("残联", Duty.DISABILITY_FEDERATION),
    "inspector": ("检查员", Duty.INSPECTOR),
    "policy": ("政策管理员", Duty.POLICY_OFFICER),
    "auditor": ("审计员", Duty.AUDITOR),
    "admin": ("系统管理员", Duty.ADMIN),
}


def _staff(prefix: str, district: str, stations: Iterable[tuple[str, str]]) -> tuple[DemoAccount, ...]:
    accounts = [
        DemoAccount(f"{prefix}district.{name}", f"演示{title}", Level.DISTRICT, district, (duty,))
        for name, (title, duty) in _DISTRICT_DUTIES.items()
    ]
    for station, community in stations:
        short, number = f"{prefix}s{station[6:]}", f"{prefix}c{community[6:]}"
        accounts += [
            DemoAccount(f"{short}.clerk", "演示经办人", Level.SUBDISTRICT, station, (Duty.STATION_CLERK,)),
            DemoAccount(f"{short}.head", "演示站长", Level.SUBDISTRICT, station, (Duty.STATION_HEAD,)),
            DemoAccount(f"{number}.worker", "演示民政专干", Level.COMMUNITY, community, (Duty.COMMUNITY_WORKER,)),
        ]
    return tuple(accounts)


ACCOUNTS = _staff("", DISTRICT, [("350702001", "350702001001"), ("350702002", "350702002001")])
SECOND_ACCOUNTS = _staff("qs.", SECOND_DISTRICT, [("340882100", "340882100002")])


def station_heads(sub_districts: Iterable[str]) -> tuple[DemoAccount, ...]:
    """A head for each station that has no accounts of its own, so that every one of them can sign its acceptance."""
    served = {account.area for account in (*ACCOUNTS, *SECOND_ACCOUNTS)}
    return tuple(
        DemoAccount(f"s{area[6:]}.head", "演示站长", Level.SUBDISTRICT, area, (Duty.STATION_HEAD,))
        for area in sub_districts
        if area not in served
    )


CLIENTS = (
    DemoClient("bureau-housing", "住房保障部门（演示）"),
    DemoClient("bureau-education", "教育部门（演示）"),
)
