"""What clerks get wrong about a station, and how it is put right: loose values, contradictions, entries made in error."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.integration.station_world import COMMUNITY, HUANGDUN, SignIn, findings, post, station_of

pytestmark = pytest.mark.db

PREMISES = {"area_m2": 60, "independent": True, "accessible": True, "service_window": True, "archive_room": True}
ARCHIVES = {"total": 9, "bound": 9, "digitised": 9, "confidential": True}
VOLUNTEERS = {"volunteers": 3, "emergency_plan": True}


async def sent(client: httpx.AsyncClient, what: str, body: dict[str, Any]) -> httpx.Response:
    station = await station_of(client)
    return await client.post(f"/api/v1/stations/{station}/{what}", json=body)


@pytest.mark.parametrize("loose", ["yes", "true", 1, "是"])
@pytest.mark.parametrize(
    ("what", "body", "field"),
    [
        ("premises", PREMISES, "independent"),
        ("archives", ARCHIVES, "confidential"),
        ("volunteers", VOLUNTEERS, "emergency_plan"),
        ("budget", {"year": 2025, "amount_fen": 5}, "in_fiscal_budget"),
        ("staff", post(), "full_time"),
        ("staff", post(), "exam_passed"),
    ],
)
async def test_yes_is_not_true(sign_in: SignIn, what: str, body: dict[str, Any], field: str, loose: object) -> None:
    answer = await sent(sign_in("s001.clerk"), what, body | {field: loose})
    assert findings(answer) == [(f"/{field}", "not_a_boolean")]


async def test_an_area_is_given_to_the_hundredth_of_a_square_metre(sign_in: SignIn) -> None:
    answer = await sent(sign_in("s001.clerk"), "premises", PREMISES | {"area_m2": 50.125})
    assert findings(answer) == [("/area_m2", "too_precise")]
    assert "2 位小数" in answer.json()["errors"][0]["message"]


async def test_a_telephone_that_nobody_can_call(sign_in: SignIn) -> None:
    clerk = sign_in("s001.clerk")
    path = f"/api/v1/stations/{await station_of(clerk)}"
    answer = await clerk.put(path, json={"phone": "打前台"}, headers={"If-Match": "*"})
    assert findings(answer) == [("/phone", "phone_format")]
    right = await clerk.put(path, json={"phone": "0599-8822001"}, headers={"If-Match": "*"})
    assert right.json()["phone"] == "0599-8822001"  # as people read it, not as machines dial it


async def test_two_contradictions_make_two_sentences(sign_in: SignIn) -> None:
    answer = await sent(sign_in("s001.clerk"), "archives", {"total": 10, "bound": 11, "digitised": 12, "confidential": True})
    assert answer.json()["detail"] == (
        "填报内容自相矛盾：已装订 11 份，多于档案总数 10 份。已数字化 12 份，多于档案总数 10 份。请核对后重新填报。"
    )


async def test_months_of_a_year_that_has_not_begun(sign_in: SignIn) -> None:
    body = {"year": 2027, "in_fiscal_budget": True, "amount_fen": 100, "disbursements": [{"month": "2027-01", "amount_fen": 1}]}
    station = await station_of(sign_in("s001.clerk"))
    answer = await sign_in("s001.clerk").post(
        f"/api/v1/stations/{station}/budget", json=body, headers={"X-Demo-Date": "2026-11-15"}
    )
    assert findings(answer) == [("/disbursements", "date_in_future")]
    assert answer.json()["errors"][0]["message"].startswith("2027 年还未开始")


# --- the words of a fact sheet are taken as they stand -------------------------------------------------------------------------


async def test_leader_as_a_fact_sheet_says_it(sign_in: SignIn) -> None:
    clerk = sign_in("s002.clerk")
    station = await station_of(clerk, HUANGDUN)
    path, held = f"/api/v1/stations/{station}/staff", {"since": "2023-02-01"}
    head = await clerk.post(path, json=post(position="分管领导兼站长", leader=True, **held))
    assert (head.status_code, head.json()["leads_as"]) == (201, "head")
    deputy = await clerk.post(path, json=post(position="社会事务科科长兼副站长", leader=True, **held))
    assert deputy.json()["leads_as"] == "deputy"
    plain = await clerk.post(path, json=post(leader=False, **held))
    assert (plain.json()["leads_as"], plain.json()["leader"]) == (None, False)
    unclear = await clerk.post(path, json=post(position="分管领导", leader=True, **held))
    assert findings(unclear) == [("/leads_as", "required")]
    torn = await clerk.post(path, json=post(leader=False, leads_as="head", **held))
    assert findings(torn) == [("/leader", "leader_differs")]
    for one in (head, deputy, plain):
        await clerk.post(f"{path}/{one.json()['id']}/end", json={"on": "2023-02-01"})


async def test_signs_come_from_whom_the_rules_name(sign_in: SignIn) -> None:
    """门牌由区民政局统一制作, the boards and badges by the street office (S001)."""
    signs = ["station_plate", "rules_board", {"code": "informant_badge", "provided_by": "bureau"}]
    clerk = sign_in("s001.clerk")
    answer = await sent(clerk, "rules", {"rules": ["finance"], "signage": signs, "valid_from": "2020-03-01"})
    assert answer.status_code == 201, answer.text
    await sent(clerk, f"rules/{answer.json()['id']}/withdraw", {"reason": "清理"})
    assert answer.json()["signage"] == [
        {"code": "station_plate", "provided_by": "bureau"},
        {"code": "rules_board", "provided_by": "street"},
        {"code": "informant_badge", "provided_by": "bureau"},
    ]


async def test_a_budget_is_of_this_year_unless_it_says_otherwise(sign_in: SignIn) -> None:
    clerk = sign_in("s001.clerk")
    path = f"/api/v1/stations/{await station_of(clerk)}/budget"
    body = {"in_fiscal_budget": True, "amount_fen": 700}
    answer = await clerk.post(path, json=body, headers={"X-Demo-Date": "2021-05-01"})
    assert (answer.status_code, answer.json()["year"]) == (201, 2021)
    assert (await clerk.post(f"{path}/{answer.json()['id']}/withdraw", json={"reason": "清理"})).status_code == 204


# --- entries made in error ---------------------------------------------------------------------------------------------------


async def test_a_sheet_of_the_wrong_day_is_taken_back(sign_in: SignIn) -> None:
    """The former sheet holds again; what was there stays on record in the audit trail."""
    clerk = sign_in("s001.clerk")
    path = f"/api/v1/stations/{await station_of(clerk)}/premises"
    first = (await clerk.post(path, json=PREMISES | {"valid_from": "2021-01-01"})).json()
    wrong = (await clerk.post(path, json=PREMISES | {"valid_from": "2021-02-01", "area_m2": 12})).json()
    assert await _area_on(clerk, path, "2021-02-15") == 12
    nobody = await sign_in("district.inspector").post(f"{path}/{wrong['id']}/withdraw", json={"reason": "日期写错"})
    assert nobody.status_code == 403
    assert (await sign_in("s002.clerk").post(f"{path}/{wrong['id']}/withdraw", json={"reason": "日期写错"})).status_code == 404
    telling = await clerk.post(f"{path}/{wrong['id']}/withdraw", json={"reason": "张某来电 138 0013 8000"})
    assert findings(telling) == [("/reason", "number_in_text")]
    done = await clerk.post(f"{path}/{wrong['id']}/withdraw", json={"reason": "日期写错"})
    assert done.status_code == 204, done.text
    assert await _area_on(clerk, path, "2021-02-15") == 60
    again = await clerk.post(f"{path}/{wrong['id']}/withdraw", json={"reason": "日期写错"})
    assert (again.status_code, again.json()["code"]) == (404, "station_sheet_not_found")
    elsewhere = path.replace("premises", "equipment")
    other = await clerk.post(f"{elsewhere}/{first['id']}/withdraw", json={"reason": "日期写错"})
    assert (other.status_code, other.json()["code"]) == (404, "station_sheet_not_found")
    await clerk.post(f"{path}/{first['id']}/withdraw", json={"reason": "清理"})


async def _area_on(clerk: httpx.AsyncClient, path: str, day: str) -> float:
    (sheet,) = (await clerk.get(path, params={"as_of": day})).json()["items"]
    return float(sheet["area_m2"])


async def test_a_community_office_of_the_wrong_community(sign_in: SignIn) -> None:
    clerk = sign_in("s001.clerk")
    path = f"/api/v1/stations/{await station_of(clerk)}/community-offices"
    body = {"area_code": COMMUNITY, "kind": "urban", "area_m2": 510, "valid_from": "2021-04-01"}
    sheet = (await clerk.post(path, json=body)).json()
    assert (await clerk.post(f"{path}/{sheet['id']}/withdraw", json={"reason": "填错社区"})).status_code == 204
    listed = (await clerk.get(path, params={"area_code": COMMUNITY, "as_of": "2021-04-02"})).json()["items"]
    assert sheet["id"] not in [one["id"] for one in listed]


async def test_a_training_that_never_was_no_longer_counts(sign_in: SignIn) -> None:
    clerk = sign_in("s001.clerk")
    station = await station_of(clerk)
    path = f"/api/v1/stations/{station}"
    body = {"audience": "assistants", "held_on": "2021-07-07", "topic": "并未举办", "attended": 4}
    training = (await clerk.post(f"{path}/trainings", json=body)).json()
    assert await _trainings(clerk, path) == 1
    stale = await clerk.post(
        f"{path}/trainings/{training['id']}/withdraw", json={"reason": "并未举办"}, headers={"If-Match": '"9"'}
    )
    assert stale.status_code == 412
    unexplained = await clerk.post(f"{path}/trainings/{training['id']}/withdraw", json={})
    assert findings(unexplained) == [("/reason", "required")]
    done = await clerk.post(f"{path}/trainings/{training['id']}/withdraw", json={"reason": "并未举办"})
    assert done.status_code == 204, done.text
    assert await _trainings(clerk, path) in (0, None)
    gone = await clerk.get(f"{path}/trainings/{training['id']}")
    assert (gone.status_code, gone.json()["code"]) == (404, "station_event_not_found")
    meeting = {"kind": "quarterly_check", "held_on": "2021-07-08", "invited": 4, "attended": 4}
    held = (await clerk.post(f"{path}/meetings", json=meeting)).json()
    assert (await clerk.post(f"{path}/meetings/{held['id']}/withdraw", json={"reason": "填错"})).status_code == 204


async def _trainings(clerk: httpx.AsyncClient, path: str) -> int | None:
    facts = (await clerk.get(f"{path}/facts", params={"as_of": "2021-12-01"})).json()["facts"]
    count: int | None = (facts["trainings"] or {}).get("assistants_this_year")
    return count


async def test_what_is_on_file_of_a_post_and_of_two_years(sign_in: SignIn) -> None:
    """考试合格后备案, 事先征求意见, 逐年增长: facts on file, judged like the same facts on a form."""
    clerk = sign_in("s002.clerk")
    path = f"/api/v1/stations/{await station_of(clerk, HUANGDUN)}"
    held = {"since": "2023-03-01", "exam_passed": True, "filed_on": "2023-03-20", "consulted_on": "2023-02-10"}
    somebody = (await clerk.post(f"{path}/staff", json=post(**held))).json()
    sheets = [
        (await clerk.post(f"{path}/budget", json={"year": year, "in_fiscal_budget": True, "amount_fen": fen})).json()
        for year, fen in ((2022, 500), (2023, 501))
    ]
    assert await _posts_and_growth(clerk, path, "2023-03-15", somebody["name"]) == (False, True, 500)
    assert await _posts_and_growth(clerk, path, "2023-03-20", somebody["name"]) == (True, True, 500)
    cleared = await clerk.put(f"{path}/staff/{somebody['id']}", json={"consulted_on": None}, headers={"If-Match": "*"})
    assert cleared.json()["consulted_on"] is None
    assert await _posts_and_growth(clerk, path, "2023-03-20", somebody["name"]) == (True, None, 500)
    await clerk.post(f"{path}/staff/{somebody['id']}/end", json={"on": "2023-03-01"})
    for sheet in sheets:
        await clerk.post(f"{path}/budget/{sheet['id']}/withdraw", json={"reason": "清理"})


async def _posts_and_growth(clerk: httpx.AsyncClient, path: str, day: str, name: str) -> tuple[object, object, object]:
    facts = (await clerk.get(f"{path}/facts", params={"as_of": day})).json()["facts"]
    (held,) = [one for one in facts["staff"] if one["name"] == name]
    return held["filed"], held["consulted"], facts["budget"]["last_year_fen"]
