"""Schemes of the year-end assessment (考核细则): shipped ones and the district's own, in versions that never change."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path, Response
from pydantic import Field

from app.db.repositories.appraisals import digest_of
from app.domain.appraisals import scheme_of
from app.domain.appraisals.refusals import scheme_not_found
from app.idempotency import IDEMPOTENT
from app.routers.models import ApiModel
from app.routers.route import api_router
from app.routers.v1.appraisal_access import DeskDep, SchemeKeeper, StationYearReader
from app.routers.v1.appraisal_scheme_models import SchemeIn, SchemeOut, SchemeSummary, SchemeVersions

router = api_router("年终考核", "/appraisal-schemes")

SchemeCode = Annotated[str, Path(min_length=1, max_length=60, description="考核细则代码")]


class SchemeList(ApiModel):
    """全部考核细则。"""

    items: list[SchemeSummary]
    next_cursor: None = Field(default=None, description="一次给出全部，恒为 null")


@router.get("", summary="考核细则列表")
async def list_schemes(desk: DeskDep, actor: StationYearReader) -> SchemeList:
    """系统自带的和本区县下达的考核细则，以及各自的版本。"""
    shelf = await desk.schemes.shelf(actor.scope)
    found = [(code, shelf.versions(code)) for code in shelf.codes()]
    return SchemeList(
        items=[
            SchemeSummary(code=code, title=versions[-1].title, versions=[one.version for one in versions])
            for code, versions in found
        ]
    )


@router.get("/{scheme_code}", summary="考核细则：各版本全文")
async def get_scheme(scheme_code: SchemeCode, desk: DeskDep, actor: StationYearReader, response: Response) -> SchemeVersions:
    """指标、权重、奖扣分、否决事项、等次及其来源。"""
    versions = (await desk.schemes.shelf(actor.scope)).versions(scheme_code)
    if not versions:
        raise scheme_not_found(scheme_code)
    shown = SchemeVersions(code=scheme_code, versions=[SchemeOut.of(one) for one in versions])
    response.headers["ETag"] = f'"{digest_of(shown.model_dump(mode="json"))[:20]}"'
    return shown


@router.post("", status_code=201, summary="下达考核细则", dependencies=[IDEMPOTENT])
async def lay_down(
    body: SchemeIn,
    desk: DeskDep,
    actor: SchemeKeeper,  # noqa: ARG001  (declares the duty)
    response: Response,
) -> SchemeOut:
    """下达一个新版本；已下达的版本不能改写，已开展的年度考核仍用开展时的版本。"""
    scheme = await desk.years.lay_down(scheme_of(body.document()))
    response.headers["Location"] = f"/api/v1/appraisal-schemes/{scheme.code}"
    return SchemeOut.of(scheme)
