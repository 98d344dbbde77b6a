"""A year of the assessment for tests: each has a year of its own, far ahead of all other data, and its own business clock."""

from __future__ import annotations

from itertools import count
from typing import Any

import httpx

from app.appraisal_schemes import shipped_schemes
from tests.integration.station_world import HUANGDUN, MEISHAN, SignIn, station_of

_years = count(2030)
PNG = b"\x89PNG\r\n\x1a\n" + bytes(64)
MID, END = "mid_year", "year_end"
SCHEME = "reported_only"
MET = {"home_visits": "100", "petitions_answered": "100", "complaints": "0"}


def reported_only() -> dict[str, Any]:
    """The shipped scheme without what is measured: stations are shared with other tests, and so is what they have on file."""
    document = dict(shipped_schemes()[0].document)
    indicators = [one for one in document["indicators"] if "measure" not in one]
    return document | {"code": SCHEME, "version": "1", "indicators": indicators, "deductions": document["deductions"][1:]}


def spans(year: int) -> dict[str, dict[str, str]]:
    """The five phases as in the source: reports run on while the review has begun."""
    return {
        "preparation": {"first": f"{year}-03-21", "last": f"{year}-04-30"},
        "operation": {"first": f"{year}-05-01", "last": f"{year}-06-10"},
        "mid_year": {"first": f"{year}-06-11", "last": f"{year}-08-10"},
        "reporting": {"first": f"{year}-08-11", "last": f"{year}-12-31"},
        "review": {"first": f"{year}-11-11", "last": f"{year + 1}-01-15"},
    }


class Year:
    """A year and its people: the bureau's desk, its leader, its reviewer, and two stations."""

    def __init__(self, sign_in: SignIn) -> None:
        self.year = next(_years)
        self.inspector, self.leader, self.reviewer = (sign_in(f"district.{one}") for one in ("inspector", "approver", "reviewer"))
        self.policy = sign_in("district.policy")
        self.clerks = {MEISHAN: sign_in("s001.clerk"), HUANGDUN: sign_in("s002.clerk")}
        self.clerk = self.clerks[MEISHAN]
        self.head = sign_in("s001.head")
        self.url = ""
        self.stations: dict[str, str] = {}  # area → address of the station's year
        self.station_ids: dict[str, str] = {}
        self.today(f"{self.year}-03-25")

    def today(self, day: str) -> None:
        everyone = (self.inspector, self.leader, self.reviewer, self.policy, self.head, *self.clerks.values())
        for caller in everyone:
            caller.headers["X-Demo-Date"] = day

    async def open(self, **more: Any) -> httpx.Response:
        laid_down = await self.policy.post("/api/v1/appraisal-schemes", json=reported_only())
        assert laid_down.status_code == 201 or code_of(laid_down) == "scheme_version_exists", laid_down.text
        for area, clerk in self.clerks.items():
            self.station_ids[area] = await station_of(clerk, area)
        body = {
            "year": self.year,
            "title": f"{self.year} 年度考核",
            "scheme": SCHEME,
            "schedule": spans(self.year),
            "stations": list(self.station_ids.values()),
            **more,
        }
        answer = await self.inspector.post("/api/v1/appraisals", json=body)
        if answer.status_code == 201:
            self.url = f"/api/v1/appraisals/{answer.json()['id']}"
            listed = await self.inspector.get("/api/v1/station-appraisals", params={"appraisal_id": answer.json()["id"]})
            self.stations = {one["area_code"]: f"/api/v1/station-appraisals/{one['id']}" for one in listed.json()["items"]}
        return answer

    async def advance(self, day: str) -> httpx.Response:
        self.today(day)
        return await self.inspector.post(f"{self.url}/advance")

    async def reach(self, phase: str) -> None:
        """Through the phases, with what each of them asks for."""
        for following, day in (("operation", "05-06"), ("mid_year", "06-15"), ("reporting", "08-15"), ("review", "11-20")):
            if following == "reporting":
                for area in self.stations:
                    await self.score(area, MID)
            answer = await self.advance(f"{self.year}-{day}")
            assert answer.status_code == 200, answer.text
            if following == phase:
                return

    async def put(self, caller: httpx.AsyncClient, area: str, path: str, body: dict[str, Any]) -> httpx.Response:
        """Whatever its version is now."""
        return await caller.put(f"{self.stations[area]}/{path}", json=body, headers={"If-Match": "*"})

    async def score(self, area: str, round_: str, *, own: int = 9000, leader: int = 9000, satisfied: int = 90) -> None:
        """The three scores of a round."""
        survey = {"sample_size": 100, "satisfied": satisfied, "conducted_by": "统计局"}
        for caller, path, body in (
            (self.clerks[area], "self-reviews", {"score_points": own, "note": "按计划完成"}),
            (self.leader, "leader-scores", {"score_points": leader}),
            (self.inspector, "surveys", survey),
        ):
            answer = await self.put(caller, area, f"{path}/{round_}", body)
            assert answer.status_code == 200, answer.text

    async def report(self, area: str, **values: str) -> httpx.Response:
        """The year's end; targets met unless said otherwise."""
        reports = [
            {"indicator": code, "actual": value, "next_step": None if value == MET[code] else "明年一季度补齐"}
            for code, value in (MET | values).items()
        ]
        return await self.put(self.clerks[area], area, f"reports/{END}", {"reports": reports})

    async def evidence(self, area: str) -> str:
        answer = await self.inspector.post(f"{self.stations[area]}/evidence", files={"file": ("照片.png", PNG)})
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    async def adjust(self, area: str, kind: str, code: str, points: int = 0, **more: Any) -> httpx.Response:
        photo = await self.evidence(area)
        body = {"kind": kind, "code": code, "score_points": points, "reason": "见附件", "evidence": [photo], **more}
        return await self.inspector.post(f"{self.stations[area]}/adjustments", json=body)

    async def finish(self) -> None:
        """Everything handed in, the year over: ready to be published."""
        await self.reach("review")
        for area in self.stations:
            await self.score(area, END)
            answer = await self.report(area)
            assert answer.status_code == 200, answer.text
        self.today(f"{self.year + 1}-01-05")

    async def standings(self) -> dict[str, dict[str, Any]]:
        listed = await self.inspector.get(f"{self.url}/standings")
        assert listed.status_code == 200, listed.text
        return {one["area_code"]: one for one in listed.json()}

    async def publish(self) -> httpx.Response:
        return await self.reviewer.post(f"{self.url}/publish")


def code_of(answer: httpx.Response) -> str:
    body = answer.json()
    return str(body["errors"][0]["code"] if body.get("errors") else body["code"])
