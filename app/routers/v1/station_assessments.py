"""One-shot assessment of a station: all facts in, every criterion out, nothing stored."""

from __future__ import annotations

from app.domain.stations.assessing import assess
from app.domain.stations.local_standards import asked_for
from app.routers.route import api_router
from app.routers.v1.eligibility import Assessor
from app.routers.v1.station_access import StandardsDep
from app.routers.v1.station_assessment_models import StationAssessmentRequest, StationAssessmentView

router = api_router("民政工作站评估", "/stations")


@router.post("/assessments", summary="一次性工作站评估")
async def assess_station(asked: StationAssessmentRequest, known: StandardsDep, _actor: Assessor) -> StationAssessmentView:
    """按评估日期当日生效的标准版本，逐条评估一个民政工作站。不保存任何内容，不限辖区。

    每条给出实测值、要求、条款出处和应备材料，并按验收六方面汇总。缺少事实的条款 `met` 为 null、`reason` 为
    `fact_missing`，`missing` 指出应补充的内容；标准没有规定的为 `not_defined`，不影响总评。超过编制区间上限的为达标，
    并带 `warning`。事实自相矛盾（如总人口不等于各村人口之和）时返回 422 `contradictory_facts`，并列出算式；
    标准在该日没有生效版本时返回 409 `no_standard_in_force`。
    """
    standard = asked_for(known, asked.standard)
    return StationAssessmentView.of(assess(asked.facts.to_domain(), standard, asked.as_of))
