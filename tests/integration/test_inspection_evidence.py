"""Evidence of an inspection: what is taken, how it is kept, who sees it."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from sqlalchemy import text

from app.db.session import transaction
from app.domain.access import AreaScope
from app.runtime import Runtime
from tests.integration.inspection_world import AS_OF, DAYS, JPEG, PDF, PNG, Campaign, code_of, opened
from tests.integration.station_world import HUANGDUN, MEISHAN, SignIn, station_of

pytestmark = pytest.mark.db


@pytest_asyncio.fixture(loop_scope="session")
async def campaign(sign_in: SignIn) -> AsyncIterator[Campaign]:
    made = await opened(sign_in)
    yield made
    await made.inspector.post(f"{made.url}/cancel")


@pytest.mark.parametrize(
    ("content", "name", "code"),
    [
        (b"GIF89a" + bytes(50), "照片.png", "file_type"),
        (b"<script>alert(1)</script>", "照片.jpg", "file_type"),
        (JPEG, "照片.png", "file_type_contradicts"),
        (PNG, "照片.exe", "file_type_contradicts"),
        (PDF, "照片.jpg", "file_type_contradicts"),
        (b"", "照片.png", "file_empty"),
        (PNG + bytes(10 << 20), "照片.png", "file_too_large"),
    ],
    ids=["another picture", "a page", "named otherwise", "a programme", "a scan named photo", "empty", "large"],
)
async def test_evidence_of_the_wrong_kind(campaign: Campaign, content: bytes, name: str, code: str) -> None:
    await campaign.begin(advances=0)
    answer = await campaign.inspector.post(f"{campaign.inspection}/evidence", files={"file": (name, content)})
    assert (answer.status_code, code_of(answer)) == (422, code)


@pytest.mark.parametrize(
    ("claimed", "status"),
    [("image/png", 201), ("image/x-png", 201), ("application/octet-stream", 201), ("image/jpeg", 422), ("text/html", 422)],
)
async def test_what_the_sender_declares_has_to_fit(campaign: Campaign, claimed: str, status: int) -> None:
    await campaign.begin(advances=0)
    answer = await campaign.inspector.post(f"{campaign.inspection}/evidence", files={"file": ("现场照片", PNG, claimed)})
    assert answer.status_code == status, answer.text
    if status == 201:
        assert answer.json()["sha256"] == hashlib.sha256(PNG).hexdigest()


async def test_evidence_about_another_station_proves_nothing(campaign: Campaign, sign_in: SignIn) -> None:
    await campaign.begin()
    other = await station_of(sign_in("s002.clerk"), HUANGDUN)
    body = {"title": "验收", "standard": "sanyou_siquan", "as_of": AS_OF, "schedule": DAYS, "stations": [other]}
    elsewhere = (await campaign.inspector.post("/api/v1/inspection-campaigns", json=body)).json()["id"]
    listed = await campaign.inspector.get("/api/v1/inspections", params={"campaign_id": elsewhere})
    url = f"/api/v1/inspections/{listed.json()['items'][0]['id']}/evidence"
    photo = (await campaign.inspector.post(url, files={"file": ("照片.png", PNG)})).json()["id"]
    criterion = (await campaign.rows())[0]["criterion"]
    refused = await campaign.find(criterion, met=False, evidence=[photo], rectify_by="2030-01-31")
    assert code_of(refused) == "evidence_unknown"
    await campaign.inspector.post(f"/api/v1/inspection-campaigns/{elsewhere}/cancel")


async def test_evidence_is_kept_sealed_and_shown_to_both_sides(campaign: Campaign, runtime: Runtime, sign_in: SignIn) -> None:
    await campaign.begin(advances=0)
    file_id = await campaign.evidence(campaign.inspector, PDF + b"canary-of-evidence")
    for caller in (campaign.inspector, campaign.clerk):
        shown = await caller.get(f"/api/v1/evidence-files/{file_id}")
        assert (shown.status_code, shown.headers["content-type"]) == (200, "application/pdf")
        assert shown.content == PDF + b"canary-of-evidence"
    assert (await sign_in("s002.clerk").get(f"/api/v1/evidence-files/{file_id}")).status_code == 404
    async with transaction(runtime.engine, AreaScope("350702", MEISHAN)) as session:
        statement = "SELECT bool_or(position('canary-of-evidence'::bytea in content_sealed) > 0) FROM stored_file_part"
        assert (await session.execute(text(statement))).scalar_one() is False
