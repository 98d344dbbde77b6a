"""An acceptance campaign of one station for tests, driven by its people over HTTP."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import httpx

from tests.integration.station_world import SignIn, station_of

AS_OF = "2026-06-30"
DAYS = dict.fromkeys(("preparation_from", "implementation_from", "inspection_from", "conclude_by"), AS_OF)
PNG = b"\x89PNG\r\n\x1a\n" + bytes(64)
JPEG = b"\xff\xd8\xff\xe0" + bytes(64)
PDF = b"%PDF-1.7\n" + bytes(64)
ENDINGS = {PNG[:4]: ".png", JPEG[:3]: ".jpg", PDF[:5]: ".pdf"}


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
        own = {"station_id": listed[0]["station_id"], "campaign_id": self.id}
        assert (await self.inspector.get("/api/v1/inspections", params=own)).json()["items"] == listed
        other = own | {"station_id": str(uuid4())}
        assert (await self.inspector.get("/api/v1/inspections", params=other)).json()["items"] == []
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
        ending = next(name for start, name in ENDINGS.items() if content.startswith(start))
        answer = await sender.post(f"{self.inspection}/evidence", files={"file": (f"现场照片{ending}", content)})
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    async def rows(self) -> list[dict[str, Any]]:
        results = (await self.inspector.get(f"{self.url}/results")).json()
        return list(results[0]["criteria"])

    async def sheet(self, failing: tuple[str, ...] = ()) -> list[dict[str, Any]]:
        """A finding on every criterion, with evidence on each."""
        photo = await self.evidence()
        worse = {"rectify_by": "2030-01-31", "note": "请限期整改"}
        return [
            {"criterion": code, "met": code not in failing, "evidence": [photo], **(worse if code in failing else {})}
            for code in [row["criterion"] for row in await self.rows() if row["derived_reason"] != "not_defined"]
        ]

    async def find_all(self, failing: tuple[str, ...] = ()) -> None:
        answer = await self.put(self.inspector, f"{self.inspection}/findings", {"marks": await self.sheet(failing)})
        assert answer.status_code == 200, answer.text

    async def confirm(self) -> None:
        for caller, act in ((self.inspector, "sign"), (self.head, "countersign")):
            answer = await caller.post(f"{self.inspection}/{act}")
            assert answer.status_code == 200, answer.text


async def opened(sign_in: SignIn) -> Campaign:
    """A fresh campaign of one station; cancel it afterwards, since a station is in one campaign at a time."""
    station = await station_of(sign_in("s001.clerk"))
    body = {
        "title": "三有四全验收",
        "standard": "sanyou_siquan",
        "as_of": AS_OF,
        "schedule": DAYS,
        "stations": [station],
    }
    answer = await sign_in("district.inspector").post("/api/v1/inspection-campaigns", json=body)
    assert answer.status_code == 201, answer.text
    return Campaign(sign_in, answer.json())


def code_of(answer: httpx.Response) -> str:
    body = answer.json()
    return str(body["errors"][0]["code"] if body.get("errors") else body["code"])
