"""One-shot assessment: all facts in, all answers out, nothing stored."""

from __future__ import annotations

from typing import Annotated, Any

import orjson
from fastapi import Query
from fastapi.responses import Response

from app.db.repositories import reference
from app.dependencies import STAFF, RuntimeDep, SessionDep, allow
from app.domain.access import Actor, Duty
from app.domain.eligibility import Assessment, ProgrammeResult, assess
from app.domain.eligibility.explanation import explain as explanation_of
from app.domain.errors import FieldError, Malformed
from app.routers.route import api_router
from app.routers.v1.eligibility_answer import AssessmentView
from app.routers.v1.eligibility_facts import AssessmentRequest

router = api_router("资格测算", "/eligibility")

ASSESSORS = tuple(duty for duty in STAFF if duty is not Duty.ADMIN)
Assessor = Annotated[Actor, allow(*ASSESSORS)]


@router.post("/assessments", summary="一次性资格测算", response_model=AssessmentView)
async def assess_household(
    asked: AssessmentRequest,
    runtime: RuntimeDep,
    session: SessionDep,
    _actor: Assessor,
    explain: Annotated[bool, Query(description="为 true 时每个结论附中文说明")] = False,
) -> Response:
    """按业务日期当日生效的法规和参数，对一个家庭测算一个、多个或全部救助项目。不保存任何内容。

    每个结论给出金额构成、起止月份、逐条理由（含通过和未通过的）和计算过程，并附条文依据。材料不足时结论为
    `needs_evidence`，`missing` 列出应补充的内容。指名的项目在该日没有生效参数时返回 409 `no_policy_in_force`；
    未指名项目时该项目为 `not_applicable`。
    """
    question = asked.to_domain()
    if not await reference.known_area_codes(session, [question.area_code], question.business_date):
        finding = FieldError("/area_code", "unknown_area", "没有这个区划，或该日已撤并，请核对区划代码和业务日期。")
        raise Malformed("malformed_facts", "测算事实有误，请按提示逐项更正后重新提交。", errors=[finding])
    book = await runtime.parameter_books.current(session)
    return Response(orjson.dumps(body_of(assess(question, book), explain=explain)), media_type="application/json")


PATH, ROUTE = "/api/v1/eligibility/assessments", router.routes[-1]
"""Those of the assessment; ``app.quick_assessment`` answers in the route's name."""


def body_of(assessment: Assessment, *, explain: bool = False) -> dict[str, Any]:
    """The answer in the shape of ``AssessmentView``."""
    body: dict[str, Any] = {"policy_version": assessment.policy_version, "engine_version": assessment.engine_version}
    if assessment.notice is not None:
        body["notice"] = assessment.notice
    body["results"] = [_result(result, explain=explain) for result in assessment.results]
    return body


def _result(result: ProgrammeResult, *, explain: bool) -> dict[str, Any]:
    body: dict[str, Any] = {name: getattr(result, name) for name in ProgrammeResult.__slots__}
    if explain:
        body["explanation"] = explanation_of(result)
    return body
