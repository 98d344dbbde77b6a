"""The notices on show: only what may be published (57号 第二十四条)."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from pydantic import Field

from app.db.repositories import case_lists
from app.dependencies import PageDep, SessionDep, cursor_id, encode_cursor
from app.domain.casework.model import PublicNotice
from app.routers.models import ApiModel, Page
from app.routers.route import api_router
from app.routers.v1.casework_access import CaseReader

router = api_router("公示", "/public-notices")


class PublicNoticeOut(ApiModel):
    """一则公示，仅含依法可以公布的内容。"""

    id: UUID
    programme: str
    area_code: str = Field(description="村（社区）")
    community: str
    applicant_name: str
    members_count: int = Field(description="家庭成员数量")
    proposed_monthly_fen: int = Field(description="拟保障金额（分/月）")
    posted_on: date
    last_day: date

    @classmethod
    def of(cls, notice: PublicNotice) -> PublicNoticeOut:
        content = notice.content
        return cls(
            id=notice.id,
            programme=notice.programme,
            area_code=notice.area_code,
            community=content.community,
            applicant_name=content.applicant_name,
            members_count=content.members_count,
            proposed_monthly_fen=content.proposed_monthly_fen,
            posted_on=notice.posted_on,
            last_day=notice.last_day,
        )


@router.get("", summary="正在公示")
async def list_public_notices(session: SessionDep, actor: CaseReader, page: PageDep) -> Page[PublicNoticeOut]:
    """辖区内正在公示的申请，按张贴先后。"""
    after = cursor_id(page.after)
    found = await case_lists.list_open_notices(actor.scope, session, after=after, limit=page.limit + 1)
    items = found[: page.limit]
    return Page(
        items=[PublicNoticeOut.of(notice) for notice in items],
        next_cursor=encode_cursor(items[-1].id) if len(found) > page.limit else None,
        total=await case_lists.count_open_notices(actor.scope, session) if page.count else None,
    )
