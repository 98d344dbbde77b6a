"""Acceptance of stations over HTTP: a whole campaign, who may do what, and what is published for good."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import httpx
import orjson
import pytest
import pytest_asyncio
from sqlalchemy import text

from app.db.session import transaction
from app.domain.access import AreaScope
from app.runtime import Runtime
from tests.integration.station_world import MEISHAN, SignIn, employed, station_of

pytestmark = pytest.mark.db

AS_OF = "2026-06-30"
DAYS = dict.fromkeys(("preparation_from", "implementation_from", "inspection_from", "conclude_by"), AS_OF)
PNG = b"\x89PNG\r\n\x1a\n" + bytes(64)
JPEG = b"\xff\xd8\xff\xe0" + bytes(64)
PDF = b"%PDF-1.7\n" + bytes(64)


class Campaign:
    """A campaign of one station, driven by its people."""

    def __init__(self, sign_in: SignIn, body: dict[str, Any]) -> None:
        self.inspector, self.clerk, self.head = (sign_in(name) for name in ("district.inspector", "s001.clerk", "s001.head"))
        self.reviewer = sign_in("district.reviewer")
        self.id = body["id"]
        self.url = f"/api/v1/inspection-campaigns/{self.id}"
        self.inspection = ""

    async def begin(self, *, advances: int = 3) -> None:
        listed = (await self.inspector.get("/api/v1/inspections", params={"campaign_id": self.id})).json()["items"]
        assert len(listed) == 1
        self.inspection = f"/api/v1/inspections/{listed[0]['id']}"
        await self.appoint()
        for _ in range(advances):
            await self.advance()

    async def appoint(self) -> None:
        me = (await self.inspector.get("/api/v1/me")).json()["id"]
        answer = await self.put(self.inspector, f"{self.inspection}/team", {"inspectors": [me]})
        assert answer.status_code == 200, answer.text

    async def advance(self) -> None:
        answer = await self.inspector.post(f"{self.url}/advance")
        assert answer.status_code == 200, answer.text

    async def put(self, caller: httpx.AsyncClient, url: str, body: dict[str, Any]) -> httpx.Response:
        etag = (await caller.get(self.inspection)).headers["etag"]
        return await caller.put(url, json=body, headers={"If-Match": etag})

    async def find(self, criterion: str, *, met: bool, **more: Any) -> httpx.Response:
        return await self.put(self.inspector, f"{self.inspection}/findings/{criterion}", {"met": met, **more})

    async def assess(self, criterion: str, *, met: bool) -> httpx.Response:
        return await self.put(self.clerk, f"{self.inspection}/self-marks/{criterion}", {"met": met})

    async def evidence(self, caller: httpx.AsyncClient | None = None, content: bytes = PNG) -> str:
        sender = caller or self.inspector
        answer = await sender.post(f"{self.inspection}/evidence", files={"file": ("现场照片.png", content)})
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    async def rows(self) -> list[dict[str, Any]]:
        results = (await self.inspector.get(f"{self.url}/results")).json()
        return list(results[0]["criteria"])

    async def find_all(self, failing: tuple[str, ...] = ()) -> None:
        """A finding on every criterion; evidence everywhere, so that speaking against the data is allowed."""
        photo = await self.evidence()
        for row in await self.rows():
            if row["derived_reason"] == "not_defined":
                continue
            met = row["criterion"] not in failing
            more = {} if met else {"rectify_by": "2030-01-31", "note": "请限期整改"}
            answer = await self.find(row["criterion"], met=met, evidence=[photo], **more)
            assert answer.status_code == 200, answer.text

    async def confirm(self) -> None:
        for caller, act in ((self.inspector, "sign"), (self.head, "countersign")):
            answer = await caller.post(f"{self.inspection}/{act}")
            assert answer.status_code == 200, answer.text


@pytest_asyncio.fixture(loop_scope="session")
async def campaign(sign_in: SignIn) -> AsyncIterator[Campaign]:
    """One station in a fresh campaign; cancelled afterwards, since a station is in one campaign at a time."""
    station = await station_of(sign_in("s001.clerk"))
    body = {"title": "三有四全验收", "standard": "sanyou_siquan", "as_of": AS_OF, "schedule": DAYS, "stations": [station]}
    opened = await sign_in("district.inspector").post("/api/v1/inspection-campaigns", json=body)
    assert opened.status_code == 201, opened.text
    made = Campaign(sign_in, opened.json())
    yield made
    await made.inspector.post(f"{made.url}/cancel")


def code_of(answer: httpx.Response) -> str:
    body = answer.json()
    return str(body["errors"][0]["code"] if body.get("errors") else body["code"])


async def test_a_campaign_from_opening_to_publication(campaign: Campaign, runtime: Runtime) -> None:
    await campaign.begin()
    failing = (await campaign.rows())[0]["criterion"]
    await campaign.assess(failing, met=True)
    await campaign.find_all(failing=(failing,))
    await campaign.confirm()
    listed = (await campaign.clerk.get("/api/v1/rectifications", params={"open_only": True})).json()["items"]
    mine = next(one for one in listed if campaign.inspection.endswith(one["inspection_id"]))
    assert (mine["criterion"], mine["requirement"], mine["state"]) == (failing, "请限期整改", "open")
    before = (await campaign.inspector.get(f"{campaign.url}/results")).json()[0]
    assert before["passed"] is False

    photo = await campaign.evidence(campaign.clerk, JPEG)
    url = f"/api/v1/rectifications/{mine['id']}"
    sent = await campaign.clerk.post(f"{url}/submit", json={"note": "已整改", "evidence": [photo]})
    assert sent.json()["state"] == "submitted"
    closed = await campaign.inspector.post(f"{url}/reinspect", json={"passed": True, "note": "复查合格"})
    assert closed.json()["state"] == "closed"
    after = (await campaign.inspector.get(f"{campaign.url}/results")).json()[0]
    assert (after["passed"], after["score_points"], after["rank"]) == (True, 10000, 1)

    await campaign.advance()
    published = await campaign.reviewer.post(f"{campaign.url}/publish")
    assert published.json()["phase"] == "published"
    results = (await campaign.reviewer.get(f"{campaign.url}/published-results")).json()
    assert (results[0]["passed"], results[0]["consequence"]["notice"]) == (True, "commendation")
    canonical = orjson.dumps(results[0]["content"], option=orjson.OPT_SORT_KEYS)
    assert hashlib.sha256(canonical).hexdigest() == results[0]["content_hash"]
    await _later_edits_change_nothing(campaign, runtime, results)


async def _later_edits_change_nothing(campaign: Campaign, runtime: Runtime, results: list[dict[str, Any]]) -> None:
    station = await station_of(campaign.clerk)
    await employed(campaign.clerk, station, since="2021-01-01")
    assert (await campaign.reviewer.get(f"{campaign.url}/published-results")).json() == results
    with pytest.raises(Exception, match=r"permission denied|append-only"):
        async with transaction(runtime.engine, AreaScope("350702", "350702")) as session:
            await session.execute(text("UPDATE inspection_result SET score_points = 0"))


async def test_the_station_sees_its_own_and_its_bulletin(campaign: Campaign, sign_in: SignIn) -> None:
    await campaign.begin()
    assert (await campaign.clerk.get(campaign.inspection)).status_code == 200
    other = await sign_in("s002.clerk").get(campaign.inspection)
    assert (other.status_code, other.json()["code"]) == (404, "inspection_not_found")
    assert (await campaign.clerk.get("/api/v1/reports/stations", params={"campaign_id": campaign.id})).json() == []


async def test_three_sources_side_by_side(campaign: Campaign) -> None:
    await campaign.begin()
    rows = await campaign.rows()
    failing = next(row for row in rows if row["derived"] is False)
    await campaign.assess(failing["criterion"], met=True)
    row = next(one for one in await campaign.rows() if one["criterion"] == failing["criterion"])
    assert (row["derived"], row["self_met"], row["found"], row["disagrees"]) == (False, True, None, True)
    against = await campaign.find(failing["criterion"], met=True)
    assert (against.status_code, code_of(against)) == (422, "evidence_missing")
    marks = (await campaign.inspector.get(f"{campaign.inspection}/marks")).json()
    assert [(one["source"], one["criterion"]) for one in marks] == [("self", failing["criterion"])]


async def test_what_is_refused_on_the_way(campaign: Campaign) -> None:
    await campaign.begin(advances=1)
    criterion = (await campaign.rows())[0]["criterion"]
    assert code_of(await campaign.assess(criterion, met=True)) == "campaign_phase"
    await campaign.advance()
    assert (await campaign.assess(criterion, met=True)).status_code == 200
    assert code_of(await campaign.find(criterion, met=True)) == "campaign_phase"
    await campaign.advance()
    assert code_of(await campaign.find("no_such", met=True)) == "criterion_unknown"
    photo = await campaign.evidence()
    assert code_of(await campaign.find(criterion, met=False, evidence=[photo])) == "rectify_by_required"
    stranger = str(uuid4())
    assert code_of(await campaign.find(criterion, met=True, evidence=[stranger])) == "evidence_unknown"
    assert code_of(await campaign.inspector.post(f"{campaign.inspection}/sign")) == "findings_missing"
    assert code_of(await campaign.head.post(f"{campaign.inspection}/countersign")) == "inspection_state"
    assert code_of(await campaign.inspector.post(f"{campaign.url}/advance")) == "inspections_unfinished"
    assert code_of(await campaign.reviewer.post(f"{campaign.url}/publish")) == "campaign_phase"


async def test_a_finding_changed_after_a_signature_is_signed_anew(campaign: Campaign) -> None:
    await campaign.begin()
    await campaign.find_all()
    etag = (await campaign.inspector.get(campaign.inspection)).headers["etag"]
    await campaign.confirm()
    stale = await campaign.inspector.put(f"{campaign.inspection}/findings/any", json={"met": True}, headers={"If-Match": etag})
    assert (stale.status_code, stale.json()["code"]) == (412, "stale_version")
    late = await campaign.find("any", met=True)
    assert (late.status_code, late.json()["code"]) == (409, "inspection_state")


async def test_nobody_inspects_where_he_worked(campaign: Campaign, sign_in: SignIn) -> None:
    await campaign.begin(advances=0)
    me = (await campaign.inspector.get("/api/v1/me")).json()
    station = await station_of(campaign.clerk)
    name = me.get("display_name") or me["name"]
    former = await employed(campaign.clerk, station, name=name, since="2021-05-01")
    refused = await campaign.put(campaign.inspector, f"{campaign.inspection}/team", {"inspectors": [me["id"]]})
    assert (refused.status_code, refused.json()["code"]) == (409, "inspector_worked_there")
    other = (await sign_in("district.reviewer").get("/api/v1/me")).json()["id"]
    not_one = await campaign.put(campaign.inspector, f"{campaign.inspection}/team", {"inspectors": [other]})
    assert (not_one.status_code, not_one.json()["code"]) == (409, "not_an_inspector")
    void = {"on": "2021-05-01"}  # it never held: an entry made by mistake bars nobody
    ended = await campaign.clerk.post(f"/api/v1/stations/{station}/staff/{former['id']}/end", json=void)
    assert ended.status_code == 200, ended.text
    await campaign.appoint()


async def test_a_station_is_in_one_campaign_at_a_time(campaign: Campaign) -> None:
    station = await station_of(campaign.clerk)
    body = {"title": "另一次", "standard": "sanyou_siquan", "as_of": AS_OF, "schedule": DAYS, "stations": [station]}
    answer = await campaign.inspector.post("/api/v1/inspection-campaigns", json=body)
    assert (answer.status_code, answer.json()["code"]) == (409, "station_in_other_campaign")


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"standard": "no_such"}, 404, "standard_not_found"),
        ({"as_of": "1990-01-01"}, 409, "no_standard_in_force"),
        ({"schedule": DAYS | {"inspection_from": "2020-01-01"}}, 422, "schedule_out_of_order"),
        ({"stations": [str(uuid4())]}, 404, "station_not_found"),
        ({"area_code": "350702003"}, 409, "no_stations"),
        ({"title": " "}, 422, "too_short"),
        ({"sample_size": -1}, 422, "too_small"),
    ],
)
async def test_a_campaign_that_makes_no_sense(sign_in: SignIn, change: dict[str, Any], status: int, code: str) -> None:
    body = {"title": "验收", "standard": "sanyou_siquan", "as_of": AS_OF, "schedule": DAYS, **change}
    answer = await sign_in("district.inspector").post("/api/v1/inspection-campaigns", json=body)
    assert (answer.status_code, code_of(answer)) == (status, code), answer.text


@pytest.mark.parametrize(
    ("content", "name", "code"),
    [
        (b"GIF89a" + bytes(50), "照片.png", "file_type"),
        (b"<script>alert(1)</script>", "照片.jpg", "file_type"),
        (b"", "照片.png", "file_empty"),
        (PNG + bytes(10 << 20), "照片.png", "file_too_large"),
    ],
    ids=["another picture", "a page", "empty", "large"],
)
async def test_evidence_of_the_wrong_kind(campaign: Campaign, content: bytes, name: str, code: str) -> None:
    await campaign.begin(advances=0)
    answer = await campaign.inspector.post(f"{campaign.inspection}/evidence", files={"file": (name, content)})
    assert (answer.status_code, code_of(answer)) == (422, code)


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
