"""Trainings of informants over HTTP: recorded, corrected, certificates issued for good and printed."""

from __future__ import annotations

import asyncio
import hashlib
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
from tests.integration.station_world import OTHER_COMMUNITY, SignIn, engaged, findings, fresh_name, station_of
from tests.integration.test_inspection_documents import name_of, text_of

pytestmark = pytest.mark.db


class School:
    """A station with three informants, and its people."""

    def __init__(self, sign_in: SignIn) -> None:
        self.clerk, self.head = sign_in("s001.clerk"), sign_in("s001.head")
        self.worker, self.stranger = sign_in("c001001.worker"), sign_in("s002.clerk")
        self.informants: list[dict[str, Any]] = []
        self.url = ""

    async def opened(self) -> School:
        station = await station_of(self.clerk)
        self.url = f"/api/v1/stations/{station}/informant-trainings"
        self.informants = [await engaged(self.clerk, station) for _ in range(2)]
        self.informants.append(await engaged(self.clerk, station, area_code=OTHER_COMMUNITY))
        return self

    def training(self, **changes: Any) -> dict[str, Any]:
        """An examination that the second failed."""
        attendees = [{"informant_id": one["id"], "exam_passed": number != 1} for number, one in enumerate(self.informants)]
        held = {"held_on": "2026-05-06", "subject": f"民政信息报送{fresh_name()}", "class_hours": 8, "exam": True}
        return held | {"attendees": attendees} | changes

    async def recorded(self, **changes: Any) -> httpx.Response:
        answer = await self.clerk.post(self.url, json=self.training(**changes))
        assert answer.status_code == 201, answer.text
        return answer

    async def issued(self, **changes: Any) -> dict[str, Any]:
        training: dict[str, Any] = (await self.recorded(**changes)).json()
        answer = await self.head.post(f"{self.url}/{training['id']}/issue")
        assert answer.status_code == 200, answer.text
        return training

    def certificate(self, number: int, training: dict[str, Any]) -> str:
        return f"/api/v1/informants/{self.informants[number]['id']}/trainings/{training['id']}/certificate.pdf"


@pytest_asyncio.fixture(loop_scope="session")
async def school(sign_in: SignIn) -> School:
    return await School(sign_in).opened()


async def test_a_training_is_recorded_corrected_and_closed_by_its_certificates(school: School) -> None:
    recorded = await school.recorded()
    url = f"{school.url}/{recorded.json()['id']}"
    assert recorded.headers["location"] == url
    corrected = school.training(class_hours=12)
    changed = await school.clerk.put(url, json=corrected, headers={"If-Match": recorded.headers["etag"]})
    assert (changed.json()["class_hours"], changed.json()["issued_at"]) == (12, None)
    stale = await school.clerk.put(url, json=corrected, headers={"If-Match": recorded.headers["etag"]})
    assert (stale.status_code, stale.json()["code"]) == (412, "stale_version")

    waiting = await school.clerk.get(school.certificate(0, recorded.json()))
    assert (waiting.status_code, waiting.json()["code"]) == (409, "training_not_issued")
    assert "issue" in waiting.json()["detail"]
    assert (await school.clerk.post(f"{url}/issue")).status_code == 403
    assert (await school.head.post(f"{url}/issue")).json()["issued_by"] == "s001.head"
    for refused in (
        await school.clerk.put(url, json=corrected, headers={"If-Match": (await school.clerk.get(url)).headers["etag"]}),
        await school.head.post(f"{url}/issue"),
    ):
        assert (refused.status_code, refused.json()["code"]) == (409, "training_issued")
    listed = (await school.clerk.get(school.url, params={"count": True, "limit": 200})).json()
    assert listed["total"] == len(listed["items"])
    assert recorded.json()["id"] in [one["id"] for one in listed["items"]]


async def test_who_passed_gets_a_certificate_that_never_changes(school: School, runtime: Runtime) -> None:
    training = await school.issued()
    mine = (await school.worker.get(f"/api/v1/informants/{school.informants[0]['id']}/trainings")).json()["items"]
    assert len(mine) == 1
    assert hashlib.sha256(orjson.dumps(mine[0]["content"], option=orjson.OPT_SORT_KEYS)).hexdigest() == mine[0]["content_hash"]
    printed = await school.worker.get(school.certificate(0, training))
    assert (printed.status_code, printed.headers["content-type"]) == (200, "application/pdf")
    name = school.informants[0]["name"]
    assert name_of(printed) == f"{name}培训合格证书.pdf"
    said = text_of(printed.content)
    for words in (
        name,
        mine[0]["number"],
        "梅山街道中山社区居委会",
        training["subject"],
        "共8学时，经考试合格",
        mine[0]["content_hash"],
    ):
        assert words in said, words

    informant = f"/api/v1/stations/{training['station_id']}/informants/{school.informants[0]['id']}"
    renamed = await school.clerk.put(informant, json={"name": fresh_name()}, headers={"If-Match": school.informants[0]["etag"]})
    assert renamed.status_code == 200, renamed.text
    again = await school.clerk.get(school.certificate(0, training))
    assert (again.content, again.headers["etag"]) == (printed.content, printed.headers["etag"])
    known = await school.clerk.get(school.certificate(0, training), headers={"If-None-Match": printed.headers["etag"]})
    assert (known.status_code, known.content) == (304, b"")
    async with transaction(runtime.engine, AreaScope("350702", "350702")) as session:
        counted = text("SELECT count(*) FROM audit_record WHERE action = 'training_certificate.download' AND subject_id = :id")
        assert (await session.execute(counted, {"id": mine[0]["id"]})).scalar_one() == 2
    with pytest.raises(Exception, match=r"permission denied|append-only"):
        async with transaction(runtime.engine, AreaScope("350702", "350702")) as session:
            await session.execute(text("UPDATE training_certificate SET content_hash = ''"))


async def test_who_has_none_is_told_why(school: School) -> None:
    training = await school.issued()
    failed = await school.clerk.get(school.certificate(1, training))
    assert (failed.status_code, failed.json()["code"]) == (409, "exam_not_passed")
    absent = await engaged(school.clerk, training["station_id"])
    missing = await school.clerk.get(f"/api/v1/informants/{absent['id']}/trainings/{training['id']}/certificate.pdf")
    assert (missing.status_code, missing.json()["code"]) == (404, "certificate_not_found")
    for caller, number in ((school.stranger, 0), (school.worker, 2)):  # another station; another community
        outside = await caller.get(school.certificate(number, training))
        assert (outside.status_code, outside.json()["code"]) == (404, "informant_not_found")


async def test_without_an_examination_everybody_gets_one_and_numbers_never_meet(school: School) -> None:
    attendees = [{"informant_id": one["id"]} for one in school.informants]
    trainings = [(await school.recorded(exam=False, attendees=attendees)).json() for _ in range(3)]
    answers = await asyncio.gather(*(school.head.post(f"{school.url}/{one['id']}/issue") for one in trainings))
    assert [answer.status_code for answer in answers] == [200] * 3
    numbers = []
    for one in school.informants:
        page = (await school.clerk.get(f"/api/v1/informants/{one['id']}/trainings", params={"count": True})).json()
        assert page["total"] == 3
        numbers += [certificate["number"] for certificate in page["items"]]
    assert len(set(numbers)) == 9
    assert "完成全部学时" in text_of((await school.clerk.get(school.certificate(2, trainings[0]))).content)


async def test_what_a_record_is_refused_for(school: School) -> None:
    known, second = (school.informants[place]["id"] for place in (0, 1))
    late = {
        "informant_id": (await engaged(school.clerk, school.url.split("/")[4], since="2026-06-01"))["id"],
        "exam_passed": True,
    }
    attendees = [
        {"informant_id": known, "exam_passed": True},
        {"informant_id": known, "exam_passed": True},
        {"informant_id": second},
        {"informant_id": str(uuid4()), "exam_passed": True},
        late,
    ]
    answer = await school.clerk.post(school.url, json=school.training(attendees=attendees))
    assert (answer.status_code, findings(answer)) == (
        422,
        [
            ("/attendees/1/informant_id", "attendee_repeated"),
            ("/attendees/2/exam_passed", "exam_result_missing"),
            ("/attendees/3/informant_id", "attendee_elsewhere"),
            ("/attendees/4/informant_id", "attendee_elsewhere"),
        ],
    )
    future = await school.clerk.post(school.url, json=school.training(held_on="2099-01-01", exam=False))
    assert ("/held_on", "date_in_future") in findings(future)
    assert ("/attendees/0/exam_passed", "exam_result_without_exam") in findings(future)
    changes: tuple[dict[str, Any], ...] = ({"class_hours": 0}, {"class_hours": 201}, {"attendees": []}, {"subject": " "})
    for change in changes:
        assert (await school.clerk.post(school.url, json=school.training(**change))).status_code == 422


async def test_the_same_training_twice_and_nobody_to_certify(school: School) -> None:
    nobody = [{"informant_id": school.informants[0]["id"], "exam_passed": False}]
    training = school.training(attendees=nobody)
    recorded = await school.recorded(**training)
    twice = await school.clerk.post(school.url, json=training)
    assert (twice.status_code, twice.json()["code"]) == (409, "training_repeated")
    none = await school.head.post(f"{school.url}/{recorded.json()['id']}/issue")
    assert (none.status_code, none.json()["code"]) == (409, "nobody_to_certify")
    missing = await school.clerk.get(f"{school.url}/{uuid4()}")
    assert (missing.status_code, missing.json()["code"]) == (404, "training_not_found")
