"""The asset line (民发〔2021〕57号 第十四条): financial assets, vehicles, real estate, with exempt necessities."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from app.domain.eligibility.facts import Asset, AssetKind
from app.domain.eligibility.parameters import Policy
from app.domain.eligibility.ruling import Ruling, all_of
from app.domain.money import yuan_text

FINANCIAL = frozenset(
    {
        AssetKind.CASH,
        AssetKind.DEPOSIT,
        AssetKind.SECURITIES,
        AssetKind.FUND,
        AssetKind.INSURANCE,
        AssetKind.RECEIVABLE,
        AssetKind.INTERNET_FINANCE,
    }
)


@dataclass(frozen=True, slots=True)
class AssetLine:
    """What a household may own. ``real_estate_units`` None = not limited."""

    financial_limit_fen: int
    vehicle_allowed: bool
    real_estate_units: int | None


def asset_line(policy: Policy, programme: str, standard_fen: int, size: int) -> AssetLine:
    """The line of a programme; without a line of its own the edge line's, and dibao's rules on vehicles and homes.

    Raises:
        NoPolicyInForce: no financial limit in force.

    """
    return AssetLine(
        financial_limit_fen=_financial_limit(policy, programme, standard_fen, size),
        vehicle_allowed=bool(_nearest(policy, programme, "vehicle_allowed")),
        real_estate_units=_nearest(policy, programme, "real_estate_units"),
    )


def _financial_limit(policy: Policy, programme: str, standard_fen: int, size: int) -> int:
    own = policy.find(f"{programme}.asset.financial_limit")
    fallback = "dibao.asset.financial_limit" if programme == "dibao" else "dibao_edge.asset.financial_limit"
    value = own or policy.mapping(fallback)
    if "amount_fen_per_person" in value:
        return int(value["amount_fen_per_person"]) * size
    return int(value["standard_months_per_person"]) * standard_fen * size


def _nearest(policy: Policy, programme: str, name: str) -> int | None:
    for owner in dict.fromkeys((programme, "dibao_edge", "dibao") if programme != "dibao" else ("dibao",)):
        value: int | None = policy.find(f"{owner}.asset.{name}")
        if value is not None:
            return value
    return None


def financial_total_fen(assets: Sequence[Asset]) -> int:
    return sum(asset.counted_fen for asset in assets if asset.kind in FINANCIAL)


def require_assets(ruling: Ruling, assets: Sequence[Asset] | None, line: AssetLine) -> bool | None:
    """Check all three limits as conditions of the programme; unknown assets make them unknown."""
    return all_of(
        _require_financial(ruling, assets, line),
        _require_units(ruling, assets, AssetKind.VEHICLE, "vehicles_within_rule", None if line.vehicle_allowed else 0),
        _require_units(ruling, assets, AssetKind.REAL_ESTATE, "real_estate_within_rule", line.real_estate_units),
    )


def assets_comply(assets: Sequence[Asset] | None, line: AssetLine) -> bool | None:
    """The same judgement without a ruling (for an obligor who lives in the household)."""
    if assets is None:
        return None
    vehicles_comply = line.vehicle_allowed or _units(assets, AssetKind.VEHICLE) == 0
    homes_comply = line.real_estate_units is None or _units(assets, AssetKind.REAL_ESTATE) <= line.real_estate_units
    return financial_total_fen(assets) <= line.financial_limit_fen and vehicles_comply and homes_comply


def _require_financial(ruling: Ruling, assets: Sequence[Asset] | None, line: AssetLine) -> bool | None:
    limit = yuan_text(line.financial_limit_fen)
    if assets is None:
        ruling.lack("/household/assets", "请补充家庭财产状况（没有财产的填空列表）。")
        return ruling.require("financial_assets_within_limit", None, "assets", limit=limit)
    total = financial_total_fen(assets)
    ruling.note("financial_assets_fen", total, "assets", f"扣除豁免后金融资产 {yuan_text(total)} 元，限额 {limit} 元")
    met = total <= line.financial_limit_fen
    return ruling.require("financial_assets_within_limit", met, "assets", measured=yuan_text(total), limit=limit)


def _require_units(
    ruling: Ruling, assets: Sequence[Asset] | None, kind: AssetKind, code: str, allowed: int | None
) -> bool | None:
    if allowed is None:
        return True
    if assets is None:
        return ruling.require(code, None, "assets", limit=str(allowed))
    owned = _units(assets, kind)
    return ruling.require(code, owned <= allowed, "assets", measured=str(owned), limit=str(allowed))


def _units(assets: Sequence[Asset], kind: AssetKind) -> int:
    return sum(asset.kind is kind and not asset.wholly_exempt for asset in assets)
