"""A district lays down a standard of its own at run time: data, checked like the files, signed by somebody else, then fixed."""

from __future__ import annotations

from itertools import count
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from app.db.session import transaction
from app.domain.access import AreaScope
from app.runtime import Runtime
from tests.integration.station_world import HUANGDUN, SignIn, findings, station_of

pytestmark = pytest.mark.db

DRAFTS, STANDARDS, ASSESS = "/api/v1/station-standard-drafts", "/api/v1/station-standards", "/api/v1/stations/assessments"
FIRST, LATER = "2026-01-01", "2027-06-01"
_numbers = count(1)


def criterion(**values: Any) -> dict[str, Any]:
    given = {
        "code": "window",
        "name": "服务窗口",
        "dimension": "facilities",
        "measure": "service_window",
        "comparator": "is_true",
        "article": "示例县标准 第三条",
        "sentence": "各站应设服务窗口",
        "evidence": ["现场照片"],
        "weight": 40,
        "mandatory": True,
    }
    return {**given, **values}


QUOTA = {
    "code": "quota",
    "name": "定编",
    "dimension": "staff",
    "measure": "established_staff",
    "arguments": {"leaders_counted": True},
    "comparator": "within",
    "limit": None,
    "limit_by": "population",
    "limits": [
        {"band_until": 5000, "lower": 1, "upper": 2},
        {"band_from": 5000, "lower": 2, "upper": 3, "assumption": "5000人整就高适用"},
    ],
    "article": "示例县标准 第四条",
    "sentence": "五千人以上的二至三名",
    "evidence": ["编制文件"],
    "weight": 60,
    "mandatory": True,
}


def entry(code: str | None = None, **values: Any) -> dict[str, Any]:
    given = {
        "code": code or f"county_{next(_numbers)}",
        "name": "示例县标准",
        "description": "示例县对工作站的要求",
        "source": "示例县民政局文件",
        "effective_from": FIRST,
        "criteria": [criterion(), {key: value for key, value in QUOTA.items() if value is not None}],
    }
    return {**given, **values}


async def drafted(officer: httpx.AsyncClient, body: dict[str, Any]) -> dict[str, Any]:
    answer = await officer.post(DRAFTS, json=body)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    assert answer.headers["location"] == f"{DRAFTS}/{made['id']}"
    return made


async def laid_down(sign_in: SignIn, body: dict[str, Any]) -> dict[str, Any]:
    made = await drafted(sign_in("district.policy"), body)
    answer = await sign_in("district.reviewer").post(f"{DRAFTS}/{made['id']}/sign-off")
    assert answer.status_code == 200, answer.text
    signed: dict[str, Any] = answer.json()
    return signed


def asked(code: str, as_of: str = "2026-11-15", people: int = 5000, posts: int = 2) -> dict[str, Any]:
    staff = [{"establishment": "institutional", "leader": place == 0} for place in range(posts)]
    return {
        "standard": code,
        "as_of": as_of,
        "facts": {"premises": {"service_window": True}, "population": people, "staff": staff},
    }


def code_of(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


async def test_a_new_standard_is_data(sign_in: SignIn) -> None:
    """From the draft to an answer, without a line of code or a restart."""
    officer, clerk = sign_in("district.policy"), sign_in("s001.clerk")
    made = await drafted(officer, entry())
    code = made["code"]
    assert (made["state"], made["signed_by"]) == ("draft", None)
    unsigned = await clerk.post(ASSESS, json=asked(code))
    assert findings(unsigned) == [("/standard", "unknown_value")]
    assert (await clerk.get(f"{STANDARDS}/{code}")).status_code == 404
    signed = await sign_in("district.reviewer").post(f"{DRAFTS}/{made['id']}/sign-off")
    assert (signed.json()["state"], signed.json()["signed_by"]) == ("signed", "district.reviewer")
    answer = (await clerk.post(ASSESS, json=asked(code))).json()
    assert (answer["grade"], answer["version"]) == ("qualified", made["standard_version"])
    quota = next(one for one in answer["criteria"] if one["code"] == "quota")
    assert (quota["measured"], quota["required"], quota["assumption"]) == ("2", "2-3", "5000人整就高适用")
    assert (await clerk.post(ASSESS, json=asked(code, people=4999, posts=0))).json()["grade"] == "unqualified"
    listed = (await clerk.get(STANDARDS, params={"limit": 200, "count": "true"})).json()
    assert code in [one["code"] for one in listed["items"]]
    assert listed["total"] == len(listed["items"])


async def test_it_measures_what_is_on_file_too(sign_in: SignIn) -> None:
    code = (await laid_down(sign_in, entry()))["code"]
    clerk = sign_in("s001.clerk")
    station = await station_of(clerk)
    kept = await clerk.post(f"/api/v1/stations/{station}/assessments", json={"standard": code})
    assert kept.status_code == 201, kept.text
    listed = (await clerk.get(f"/api/v1/stations/{station}/assessments", params={"standard": code})).json()["items"]
    assert [one["id"] for one in listed] == [kept.json()["id"]]
    for path in ("station-dashboard", "station-operations"):
        report = await clerk.get(f"/api/v1/reports/{path}", params={"standard": code})
        assert report.status_code == 200, report.text
        wrong = await clerk.get(f"/api/v1/reports/{path}", params={"standard": "lottery"})
        assert findings(wrong) == [("/query/standard", "unknown_value")]


async def test_nobody_signs_what_he_wrote(sign_in: SignIn) -> None:
    officer, reviewer = sign_in("district.policy"), sign_in("district.reviewer")
    made = await drafted(officer, entry())
    path = f"{DRAFTS}/{made['id']}"
    assert code_of(await officer.post(f"{path}/sign-off")) == (403, "own_standard")
    assert (await reviewer.put(path, json=entry(made["code"]), headers={"If-Match": "*"})).status_code == 403
    for name, status in (("district.inspector", 403), ("s001.head", 403), ("qs.district.reviewer", 404)):
        assert (await sign_in(name).post(f"{path}/sign-off")).status_code == status, name
    assert (await officer.get(path)).json()["state"] == "draft"


async def test_a_draft_is_changed_under_its_version(sign_in: SignIn) -> None:
    officer = sign_in("district.policy")
    made = await drafted(officer, entry())
    path, other = f"{DRAFTS}/{made['id']}", entry(made["code"], source="修改后的文件")
    assert (await officer.put(path, json=other)).status_code == 428
    assert (await officer.put(path, json=other, headers={"If-Match": '"7"'})).status_code == 412
    changed = await officer.put(path, json=other, headers={"If-Match": '"1"'})
    assert (changed.status_code, changed.json()["source"], changed.json()["version"]) == (200, "修改后的文件", 2)
    assert changed.json()["standard_version"] != made["standard_version"]  # other content is another version
    stale = await sign_in("district.reviewer").post(f"{path}/sign-off", headers={"If-Match": '"1"'})
    assert stale.status_code == 412


async def test_what_was_signed_stays(sign_in: SignIn, runtime: Runtime) -> None:
    officer, reviewer = sign_in("district.policy"), sign_in("district.reviewer")
    signed = await laid_down(sign_in, entry())
    path = f"{DRAFTS}/{signed['id']}"
    for act in (
        officer.put(path, json=entry(signed["code"], effective_from=LATER), headers={"If-Match": "*"}),
        officer.post(f"{path}/withdraw"),
        reviewer.post(f"{path}/sign-off"),
    ):
        assert code_of(await act) == (409, "standard_not_draft")
    with pytest.raises(Exception, match="append-only"):
        async with transaction(runtime.engine, AreaScope("350702", "350702")) as session:
            await session.execute(text("UPDATE station_standard SET code = 'x' WHERE id = :id"), {"id": signed["id"]})


async def test_a_later_version_takes_over_on_its_day_and_never_before(sign_in: SignIn) -> None:
    clerk, reviewer = sign_in("s001.clerk"), sign_in("district.reviewer")
    first = await laid_down(sign_in, entry())
    code = first["code"]
    stricter = [criterion(measure="archive_room", code="archive")]
    second = await laid_down(sign_in, entry(code, effective_from=LATER, criteria=stricter))
    detail = (await clerk.get(f"{STANDARDS}/{code}")).json()
    periods = [(one["version"], one["valid_from"], one["valid_until"]) for one in detail["versions"]]
    assert periods == [(first["standard_version"], FIRST, LATER), (second["standard_version"], LATER, None)]
    before, after = [(await clerk.post(ASSESS, json=asked(code, day))).json() for day in ("2027-05-31", LATER)]
    assert (before["version"], before["grade"]) == (first["standard_version"], "qualified")
    assert (after["version"], after["grade"]) == (second["standard_version"], "undetermined")
    same_day = await sign_in("district.policy").post(DRAFTS, json=entry(code, effective_from=LATER))
    assert code_of(same_day) == (409, "standard_version_precedes")
    renamed = await sign_in("district.policy").post(DRAFTS, json=entry(code, name="另一名称", effective_from="2028-01-01"))
    assert findings(renamed) == [("/name", "name_differs")]
    third = await drafted(sign_in("district.policy"), entry(code, effective_from="2028-01-01"))
    late = await reviewer.post(f"{DRAFTS}/{third['id']}/sign-off", headers={"X-Demo-Date": "2028-01-02"})
    assert code_of(late) == (409, "standard_retroactive")


async def test_a_shipped_standard_gets_its_next_version_from_the_district(sign_in: SignIn) -> None:
    """Only drafted here: the others of this run measure by the shipped one."""
    name = (await sign_in("s001.clerk").get(f"{STANDARDS}/staffing_b")).json()["name"]
    made = await drafted(sign_in("district.policy"), entry("staffing_b", name=name, effective_from="2030-01-01"))
    early = await sign_in("district.policy").post(DRAFTS, json=entry("staffing_b", name=name, effective_from="2018-08-27"))
    assert code_of(early) == (409, "standard_version_precedes")
    gone = await sign_in("district.policy").post(f"{DRAFTS}/{made['id']}/withdraw")
    assert gone.json()["state"] == "withdrawn"


@pytest.mark.parametrize(
    ("change", "pointer", "code"),
    [
        ({"criteria": [criterion(measure="lottery")]}, "/criteria/0/measure", "unknown_value"),
        ({"criteria": [criterion(comparator="at_least", limit={"lower": 1})]}, "/criteria/0/comparator", "comparator_unfit"),
        ({"criteria": [criterion(comparator="roughly")]}, "/criteria/0/comparator", "unknown_value"),
        ({"criteria": [criterion(dimension="luck")]}, "/criteria/0/dimension", "unknown_value"),
        ({"criteria": [criterion(), criterion()]}, "/criteria/1/code", "duplicate_criterion"),
        ({"criteria": [criterion(weight=0)]}, "/criteria/0/weight", "too_small"),
        ({"criteria": [criterion(mandatory="yes")]}, "/criteria/0/mandatory", "not_a_boolean"),
        ({"criteria": [criterion(sentence=" ")]}, "/criteria/0/sentence", "too_short"),
        ({"criteria": [criterion(evidence=[])]}, "/criteria/0/evidence", "not_a_list"),
        ({"criteria": [criterion(measure="staff_members", comparator="within", limit={"lower": 3, "upper": 2})]},
         "/criteria/0/limit/upper", "bounds_reversed"),
        ({"criteria": [criterion(measure="rules", comparator="includes", limit={"codes": ["siesta"]})]},
         "/criteria/0/limit/codes/0", "unknown_value"),
        ({"criteria": [criterion(measure="staff_members", comparator="at_least", limit_by="population",
                                 limits=[{"lower": 1}, {"band_from": 5, "lower": 2}])]}, "/criteria/0/limits", "bands_overlap"),
        ({"criteria": [criterion(arguments={"leaders_counted": True})]},
         "/criteria/0/arguments/leaders_counted", "unknown_field"),
        ({"criteria": []}, "/criteria", "too_few"),
        ({"effective_to": "2025-12-31"}, "/effective_to", "period_empty"),
        ({"code": "Übung"}, "/code", "wrong_format"),
        ({"versions": []}, "/versions", "unknown_field"),
    ],
)  # fmt: skip
async def test_a_wrong_standard_is_refused_by_cause(sign_in: SignIn, change: dict[str, Any], pointer: str, code: str) -> None:
    answer = await sign_in("district.policy").post(DRAFTS, json=entry() | change)
    assert answer.status_code == 422, answer.text
    assert (pointer, code) in findings(answer)
    assert "versions/0" not in answer.text


async def test_drafts_are_a_list_like_any_other(sign_in: SignIn) -> None:
    officer = sign_in("district.policy")
    ids = {(await drafted(officer, entry()))["id"] for _ in range(3)}
    seen: list[str] = []
    cursor = None
    while True:
        params: dict[str, Any] = {"limit": 2, "state": "draft", "count": "true"} | ({"cursor": cursor} if cursor else {})
        page = (await officer.get(DRAFTS, params=params)).json()
        seen += [one["id"] for one in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert ids <= set(seen)
    assert page["total"] == len(seen) == len(set(seen))
    assert (await sign_in("s001.clerk").get(DRAFTS)).status_code == 403


async def test_another_district_has_its_own(sign_in: SignIn) -> None:
    code = (await laid_down(sign_in, entry()))["code"]
    abroad = sign_in("qs.district.inspector")
    assert (await abroad.get(f"{STANDARDS}/{code}")).status_code == 404
    assert findings(await abroad.post(ASSESS, json=asked(code))) == [("/standard", "unknown_value")]
    assert (await sign_in("c001001.worker").get(f"{STANDARDS}/{code}")).status_code == 200  # its own communities read it


async def test_the_same_draft_sent_twice_is_one(sign_in: SignIn) -> None:
    officer, body = sign_in("district.policy"), entry()
    key = {"Idempotency-Key": f"standard-{body['code']}"}
    first, again = [await officer.post(DRAFTS, json=body, headers=key) for _ in range(2)]
    assert (again.json()["id"], again.headers["idempotency-replayed"]) == (first.json()["id"], "true")


async def test_an_acceptance_may_be_held_by_it(sign_in: SignIn) -> None:
    """The campaign pins the version; what the district signs afterwards leaves it alone."""
    signed = await laid_down(sign_in, entry())
    inspector = sign_in("district.inspector")
    station = await station_of(sign_in("s002.clerk"), HUANGDUN)
    day = "2026-11-01"
    schedule = dict.fromkeys(("preparation_from", "implementation_from", "inspection_from", "conclude_by"), day)
    body = {"title": "示例县标准验收", "standard": signed["code"], "as_of": day, "schedule": schedule, "stations": [station]}
    opened = await inspector.post("/api/v1/inspection-campaigns", json=body)
    assert opened.status_code == 201, opened.text
    path = f"/api/v1/inspection-campaigns/{opened.json()['id']}"
    assert opened.json()["standard_version"] == signed["standard_version"]
    await laid_down(sign_in, entry(signed["code"], effective_from=LATER))
    assert (await inspector.get(path)).json()["standard_version"] == signed["standard_version"]
    await inspector.post(f"{path}/cancel")
