"""低保边缘家庭: not 低保, income below a ratio of the standard, assets within the edge line (社会救助法 第二十一条)."""

from __future__ import annotations

from collections.abc import Sequence

from app.domain.eligibility.assets import require_assets
from app.domain.eligibility.case import Case
from app.domain.eligibility.interplay import require_not_excluded
from app.domain.eligibility.model import Outcome, ProgrammeResult
from app.domain.eligibility.programmes.dibao import (
    income_per_head,
    next_review,
    note_standard,
    note_start,
    require_authorisation,
    require_members,
)
from app.domain.eligibility.ruling import Ruling
from app.domain.money import decimal_text, yuan_text

CODE = "dibao_edge"


def assess(case: Case) -> Sequence[ProgrammeResult]:
    """One row for the household. It is a status that opens other programmes and pays nothing itself."""
    ruling = Ruling(CODE, case.on)
    require_authorisation(case, ruling)
    require_not_excluded(case, ruling)
    require_members(case, ruling)
    require_assets(ruling, case.household.assets, case.asset_line(CODE))
    _require_income_below_ratio(case, ruling)
    if ruling.standing is not Outcome.ELIGIBLE:
        return [ruling.answer(ruling.standing)]
    starts = note_start(case, ruling)
    return [ruling.answer(Outcome.ELIGIBLE, starts_month=starts, next_review_on=next_review(case, ruling))]


def _require_income_below_ratio(case: Case, ruling: Ruling) -> None:
    ratio = case.policy.ratio("dibao_edge.ratio")
    limit, per_head = ratio * case.standard_fen, income_per_head(case)
    case.income.note_on(ruling)
    note_standard(case, ruling)
    because = f"边缘线为低保标准的 {decimal_text(ratio)} 倍，即 {yuan_text(limit)} 元；人均月收入 {yuan_text(per_head)} 元"
    ruling.note("edge_limit_fen", limit, "edge", because)
    met = per_head < limit
    ruling.require("income_below_edge_limit", met, "edge", measured=yuan_text(per_head), limit=yuan_text(limit))
