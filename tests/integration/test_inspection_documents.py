"""Printed documents of an acceptance over HTTP: not before the publication, the same bytes ever after, who may have them."""

from __future__ import annotations

import base64
import hashlib
import io
from collections.abc import AsyncIterator
from urllib.parse import unquote
from uuid import UUID

import httpx
import pytest
import pytest_asyncio
from pypdf import PdfReader
from sqlalchemy import text

from app.db.session import transaction
from app.domain.access import AreaScope
from app.runtime import Runtime
from tests.integration.inspection_world import Campaign, opened
from tests.integration.station_world import SignIn, employed, station_of

pytestmark = pytest.mark.db


@pytest_asyncio.fixture(loop_scope="session")
async def campaign(sign_in: SignIn) -> AsyncIterator[Campaign]:
    made = await opened(sign_in)
    yield made
    await made.inspector.post(f"{made.url}/cancel")


def text_of(content: bytes) -> str:
    return "".join(page.extract_text() for page in PdfReader(io.BytesIO(content)).pages).replace("\n", "").replace(" ", "")


def name_of(answer: httpx.Response) -> str:
    return unquote(answer.headers["content-disposition"].partition("filename*=UTF-8''")[2])


async def publish(campaign: Campaign, *, failing: int) -> list[str]:
    """A campaign published with so many failed criteria; their names."""
    await campaign.begin()
    rows = [row for row in await campaign.rows() if row["mandatory"]][:failing]
    await campaign.find_all(failing=tuple(row["criterion"] for row in rows))
    await campaign.confirm()
    await campaign.advance()
    answer = await campaign.reviewer.post(f"{campaign.url}/publish")
    assert answer.status_code == 200, answer.text
    return [row["name"] for row in rows]


async def test_before_publication_there_is_nothing_to_print(campaign: Campaign) -> None:
    await campaign.begin(advances=1)
    for caller, url in (
        (campaign.reviewer, f"{campaign.url}/bulletin.pdf"),
        (campaign.clerk, f"{campaign.inspection}/result.pdf"),
    ):
        answer = await caller.get(url)
        assert (answer.status_code, answer.json()["code"]) == (409, "results_not_published")
        assert "公布" in answer.json()["detail"]
    await campaign.inspector.post(f"{campaign.url}/cancel")
    cancelled = await campaign.reviewer.get(f"{campaign.url}/bulletin.pdf")
    assert (cancelled.status_code, "已取消" in cancelled.json()["detail"]) == (409, True)


async def test_the_documents_of_a_failed_station_never_change(campaign: Campaign, sign_in: SignIn, runtime: Runtime) -> None:
    failed = await publish(campaign, failing=2)
    bulletin = await campaign.reviewer.get(f"{campaign.url}/bulletin.pdf")
    assert (bulletin.status_code, bulletin.headers["content-type"]) == (200, "application/pdf")
    assert name_of(bulletin) == "三有四全验收结果通报.pdf"
    said = text_of(bulletin.content)
    assert "延平区民政局文件" in said
    assert "民政工作站验收不合格，予以通报批评" in said
    sheet = await campaign.clerk.get(f"{campaign.inspection}/result.pdf")
    assert name_of(sheet).endswith("验收整改告知书.pdf")
    for words in (text_of(sheet.content), said):
        assert all(name in words for name in failed)
        assert "2030年1月31日" in words
        assert "请限期整改" in words

    digest = hashlib.sha256(sheet.content)
    assert sheet.headers["etag"] == f'"{digest.hexdigest()}"'
    assert sheet.headers["repr-digest"] == f"sha-256=:{base64.b64encode(digest.digest()).decode()}:"
    await employed(campaign.clerk, await station_of(campaign.clerk), since="2020-02-01")
    again = await campaign.inspector.get(f"{campaign.inspection}/result.pdf")
    assert again.content == sheet.content
    known = await campaign.clerk.get(f"{campaign.inspection}/result.pdf", headers={"If-None-Match": sheet.headers["etag"]})
    assert (known.status_code, known.content, known.headers["etag"]) == (304, b"", sheet.headers["etag"])
    assert await downloads(runtime, campaign) == [
        ("inspection.result_sheet", "district.inspector"),
        ("inspection.result_sheet", "s001.clerk"),
        ("inspection_campaign.bulletin", "district.reviewer"),
    ]

    other = await sign_in("s002.clerk").get(f"{campaign.inspection}/result.pdf")
    assert (other.status_code, other.json()["code"]) == (404, "inspection_not_found")
    assert (await campaign.clerk.get(f"{campaign.url}/bulletin.pdf")).status_code == 403


async def downloads(runtime: Runtime, campaign: Campaign) -> list[tuple[str, str]]:
    ids = [campaign.id, campaign.inspection.rsplit("/", 1)[1]]
    statement = text(
        "SELECT action, actor_name FROM audit_record WHERE subject_id = ANY(:ids)"
        " AND action IN ('inspection.result_sheet', 'inspection_campaign.bulletin') ORDER BY action, actor_name"
    )
    async with transaction(runtime.engine, AreaScope("350702", "350702")) as session:
        return [
            (row.action, row.actor_name) for row in await session.execute(statement, {"ids": [str(UUID(one)) for one in ids]})
        ]


async def test_a_station_that_passed_gets_its_certificate(campaign: Campaign) -> None:
    await publish(campaign, failing=0)
    sheet = await campaign.head.get(f"{campaign.inspection}/result.pdf")
    assert name_of(sheet).endswith("验收合格证书.pdf")
    said = text_of(sheet.content)
    assert "予以通报表扬" in said
    assert "检查人员" in said
    me = (await campaign.inspector.get("/api/v1/me")).json()
    assert me["display_name"] in said
    bulletin = text_of((await campaign.inspector.get(f"{campaign.url}/bulletin.pdf")).content)
    assert "本次没有予以通报批评的民政工作站" in bulletin
