"""Answers of POST /status-queries: what they say, what they don't, and what is kept of them."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from fastapi import FastAPI
from jose import jws
from sqlalchemy import text

from app.db.session import transaction
from app.demo.accounts import CLIENTS
from app.demo.agreements import TERMS, load_agreements
from app.domain.access import AreaScope
from app.domain.sharing import NOT_FOUND_NOTE
from app.main import create_app
from app.runtime import Runtime
from app.security.fields import BlindIndex, FieldCipher
from app.security.keys import KeyRing
from tests.integration.bureau_world import DISTRICT, PATH, BureauWorld, Terms, id_number, question
from tests.world import World

pytestmark = pytest.mark.db


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def bureaus(runtime: Runtime, app: FastAPI, world: World) -> AsyncIterator[BureauWorld]:
    made = BureauWorld(runtime, app)
    yield made
    for client in made.opened:
        await client.aclose()


def result(answer: httpx.Response, place: int = 0) -> dict[str, Any]:
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()["results"][place]
    return found


async def test_an_enrolled_person(bureaus: BureauWorld) -> None:
    bureau = await bureaus.client(Terms())
    number, _ = await bureaus.person("林秀英", {"valid_until": date(2027, 4, 30)})
    answer = await bureau.ask(number, "林秀英", programmes=["tekun", "dibao"])
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert list(body) == ["query_id", "as_of", "results", "attestation"]
    assert body["as_of"] == "2026-08-15"
    negative = {"programme": "tekun", "enrolled": False, "category": None, "since": None, "valid_until": None}
    positive = {"programme": "dibao", "enrolled": True, "category": "A", "since": "2026-05", "valid_until": "2027-04-30"}
    assert body["results"] == [negative | {"note": NOT_FOUND_NOTE}, positive]


async def test_three_reasons_for_no_are_one_answer(bureaus: BureauWorld) -> None:
    bureau = await bureaus.client(Terms())
    enrolled, _ = await bureaus.person("陈建国", {})
    known, _ = await bureaus.person("陈建国")
    answers = [
        await bureau.ask(id_number(), "陈建国", attest=False),
        await bureau.ask(enrolled, "陈建军", attest=False),
        await bureau.ask(known, "陈建国", attest=False),
    ]
    assert {answer.status_code for answer in answers} == {200}
    bodies = {answer.text.replace(answer.json()["query_id"], "") for answer in answers}
    assert len(bodies) == 1
    assert NOT_FOUND_NOTE in bodies.pop()
    headers = {tuple(sorted(set(answer.headers) - {"x-trace-id"})) for answer in answers}
    assert len(headers) == 1
    assert len({answer.headers["content-length"] for answer in answers}) == 1


async def test_a_no_attests_only_its_note(bureaus: BureauWorld, runtime: Runtime) -> None:
    bureau = await bureaus.client(Terms())
    known, _ = await bureaus.person("黄美玉")
    payloads = []
    for number in (known, id_number()):
        body = (await bureau.ask(number, "黄美玉")).json()
        payload = runtime.tokens.verify_attestation(body["attestation"])
        assert payload["results"] == body["results"]
        payloads.append({key: value for key, value in payload.items() if key not in ("query_id", "subject", "iat")})
    assert payloads[0] == payloads[1]
    assert payloads[0]["results"][0]["note"] == NOT_FOUND_NOTE


@pytest.mark.parametrize(
    ("as_of", "enrolled"),
    [
        ("2026-04-30", False),
        ("2026-05-01", True),
        ("2026-05-31", True),
        ("2026-09-30", True),
        ("2026-10-01", False),
        ("2030-01-15", False),
    ],
)
async def test_the_month_of_the_day_decides(bureaus: BureauWorld, as_of: str, enrolled: bool) -> None:
    bureau = await bureaus.client(Terms())
    number, _ = await bureaus.person("吴国强", {"since_month": date(2026, 5, 1), "until_month": date(2026, 10, 1)})
    assert result(await bureau.ask(number, "吴国强", as_of=as_of))["enrolled"] is enrolled


async def test_a_confirmed_later_month_is_answered_as_known_now(bureaus: BureauWorld) -> None:
    bureau = await bureaus.client(Terms())
    number, _ = await bureaus.person("郑小红", {"since_month": date(2031, 2, 1)})
    assert result(await bureau.ask(number, "郑小红", as_of="2031-01-31"))["enrolled"] is False
    assert result(await bureau.ask(number, "郑小红", as_of="2031-02-01"))["since"] == "2031-02"


async def test_of_two_stretches_the_one_in_force_counts(bureaus: BureauWorld) -> None:
    bureau = await bureaus.client(Terms())
    stretches = ({"until_month": date(2026, 7, 1), "category": "B"}, {"since_month": date(2026, 9, 1), "category": "C"})
    number, _ = await bureaus.person("王玉兰", *stretches)
    asked = [result(await bureau.ask(number, "王玉兰", as_of=day)) for day in ("2026-06-30", "2026-08-15", "2026-09-01")]
    assert [(answer["category"], answer["since"]) for answer in asked] == [("B", "2026-05"), (None, None), ("C", "2026-09")]


@pytest.mark.parametrize("written", ["阿依古丽·买买提", "阿依古丽•买买提", "阿依古丽．买买提", " 阿依古丽 ・ 买买提 "])
async def test_spellings_of_one_name_match(bureaus: BureauWorld, written: str) -> None:
    bureau = await bureaus.client(Terms())
    number, _ = await bureaus.person("阿依古丽·买买提", {})
    assert result(await bureau.ask(number, written))["enrolled"] is True


async def test_a_small_x_and_blanks_are_the_same_number(bureaus: BureauWorld) -> None:
    bureau = await bureaus.client(Terms())
    number, _ = await bureaus.person("刘长河", {}, number=id_number(check="X"))
    for written in (number.lower(), f" {number[:6]} {number[6:]} "):
        assert result(await bureau.ask(written, "刘长河"))["enrolled"] is True


async def test_only_agreed_fields_are_given(bureaus: BureauWorld) -> None:
    bureau = await bureaus.client(Terms(fields=("since",)))
    number, _ = await bureaus.person("何志明", {"valid_until": date(2027, 4, 30)})
    answer = result(await bureau.ask(number, "何志明"))
    assert answer == {"programme": "dibao", "enrolled": True, "category": None, "since": "2026-05", "valid_until": None}


async def test_somebody_outside_the_area_is_not_found(bureaus: BureauWorld) -> None:
    number, _ = await bureaus.person("周凤英", {})
    near, far = await bureaus.client(Terms(area="350702001")), await bureaus.client(Terms(area="350702002"))
    assert result(await near.ask(number, "周凤英"))["enrolled"] is True
    assert result(await far.ask(number, "周凤英"))["note"] == NOT_FOUND_NOTE


async def test_a_wrong_number_is_refused_without_counting(bureaus: BureauWorld) -> None:
    bureau = await bureaus.client(Terms())
    number = id_number()
    wrong = number[:17] + ("1" if number[17] != "1" else "2")
    for written, code in ((wrong, "id_number_checksum"), (number[:15], "id_number_old"), (number[:17], "id_number_length")):
        answer = await bureau.ask(written, "某某")
        assert answer.status_code == 422
        assert [(error["pointer"], error["code"]) for error in answer.json()["errors"]] == [("/id_number", code)]
        assert written not in answer.text
    assert await bureaus.used(bureau) == 0


@pytest.mark.parametrize("value", ["2026-8-15", "2026-02-30", 1755216000, "2026-08-15T00:00:00Z", "0001-01-01"])
async def test_as_of_is_a_real_date(bureaus: BureauWorld, value: object) -> None:
    bureau = await bureaus.client(Terms())
    answer = await bureau.ask(id_number(), "某某", as_of=value)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/as_of"


async def test_every_query_leaves_a_row_and_no_plaintext(bureaus: BureauWorld) -> None:
    bureau = await bureaus.client(Terms())
    number, uid = await bureaus.person("蔡文彬", {})
    yes = await bureau.ask(number, "蔡文彬", programmes=["dibao", "tekun"])
    other = await bureau.ask(number, "蔡文斌", attest=False)
    unknown = await bureau.ask(id_number(), "蔡文彬")
    rows = await bureaus.log_of(bureau)
    assert [str(row["id"]) for row in rows] == [answer.json()["query_id"] for answer in (yes, other, unknown)]
    assert [row["person_uid"] for row in rows] == [uid, uid, None]
    assert [row["enrolled"] for row in rows] == [["dibao"], [], []]
    assert [row["attested"] for row in rows] == [True, False, True]
    assert rows[0]["programmes"] == ["dibao", "tekun"]
    assert rows[0]["trace_id"] == yes.headers["x-trace-id"]
    assert (rows[0]["purpose"], rows[0]["case_no"]) == ("public_rental_housing", "公租2026-0001")
    assert await bureaus.used(bureau) == 3
    for plain in (number, "蔡文彬", "蔡文斌"):
        assert plain not in str(rows)


async def test_an_attestation_stands_by_itself(bureaus: BureauWorld, runtime: Runtime, anonymous: httpx.AsyncClient) -> None:
    bureau = await bureaus.client(Terms())
    number, _ = await bureaus.person("苏丽华", {})
    body = (await bureau.ask(number, "苏丽华")).json()
    header = jws.get_unverified_header(body["attestation"])
    key = next(key for key in runtime.tokens.jwks()["keys"] if key["kid"] == header["kid"])
    payload = json.loads(jws.verify(body["attestation"], key, ["ES256"]))
    assert (header["alg"], header["typ"]) == ("ES256", "attestation+jwt")
    assert payload["query_id"] == body["query_id"]
    assert payload["results"] == body["results"]
    assert (payload["client"], payload["case_no"]) == (bureau.name, "公租2026-0001")
    decoded = base64.urlsafe_b64decode(body["attestation"].split(".")[1] + "==").decode()
    for plain in (number, number[:17], "苏丽华"):
        assert plain not in decoded
        assert plain not in json.dumps(payload, ensure_ascii=False)


async def test_the_subject_of_an_attestation_differs_from_query_to_query(bureaus: BureauWorld, runtime: Runtime) -> None:
    bureau = await bureaus.client(Terms())
    number, _ = await bureaus.person("唐海燕", {})
    bodies = [(await bureau.ask(number, "唐海燕")).json() for _ in range(2)]
    subjects = {runtime.tokens.verify_attestation(body["attestation"])["subject"] for body in bodies}
    assert len(subjects) == 2


async def test_without_attest_there_is_no_signature(bureaus: BureauWorld) -> None:
    bureau = await bureaus.client(Terms())
    assert (await bureau.ask(id_number(), "某某", attest=False)).json()["attestation"] is None


async def test_the_same_key_asks_once(bureaus: BureauWorld) -> None:
    bureau = await bureaus.client(Terms())
    number, _ = await bureaus.person("范德贵", {})
    key = {"Idempotency-Key": id_number()}
    first, again = [await bureau.ask(number, "范德贵", key) for _ in range(2)]
    other = await bureau.ask(number, "范德富", key)
    assert (first.status_code, again.content) == (200, first.content)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    assert len(await bureaus.log_of(bureau)) == await bureaus.used(bureau) == 1


async def test_an_old_index_key_still_finds_people(bureaus: BureauWorld, runtime: Runtime, tmp_path: Path) -> None:
    """While two versions live, somebody indexed before the rotation and somebody indexed under both are found."""
    copy = tmp_path / "keys.json"
    copy.write_bytes(runtime.keys.path.read_bytes())
    copy.chmod(0o600)
    ring = KeyRing.load(copy, demo=True)
    before, _ = await bureaus.person("邱桂兰", {})
    ring.rotate("index")
    rotated = replace(runtime, keys=ring, blind_index=BlindIndex(ring), cipher=FieldCipher(ring))
    later = BureauWorld(rotated, create_app(runtime=rotated))
    after, _ = await later.person("邱桂兰", {})
    bureau = await later.client(Terms())
    answers = [result(await bureau.ask(number, "邱桂兰")) for number in (before, after)]
    await bureau.http.aclose()
    assert len(rotated.blind_index.versions) == 2
    assert [answer["enrolled"] for answer in answers] == [True, True]


async def test_the_demo_clients_have_agreements(bureaus: BureauWorld, runtime: Runtime) -> None:
    await load_agreements(runtime)
    await load_agreements(runtime)
    async with transaction(runtime.status_engine) as session:
        statement = text("SELECT count(*) FROM sharing_agreement WHERE client_id = ANY (:clients)")
        count = (await session.execute(statement, {"clients": [client.id for client in CLIENTS]})).scalar_one()
    assert count == len(CLIENTS) == len(TERMS)
    http = bureaus.http(CLIENTS[0].id)
    answer = await http.post(PATH, json=question(id_number(), "某某"))
    assert result(answer)["enrolled"] is False


async def test_staff_are_refused_by_name(sign_in: Callable[[str], httpx.AsyncClient], runtime: Runtime, world: World) -> None:
    for username in ("district.reviewer", "district.auditor", "s001.clerk", "c001001.worker"):
        answer = await sign_in(username).post(PATH, json=question(id_number(), "某某"))
        assert (answer.status_code, answer.json()["code"]) == (403, "duty_required")
        trace = answer.headers["x-trace-id"]
        async with transaction(runtime.engine, AreaScope(DISTRICT, DISTRICT)) as session:
            statement = text("SELECT actor_name FROM audit_record WHERE trace_id = :trace AND outcome = 'refused'")
            assert (await session.execute(statement, {"trace": trace})).scalars().all() == [username]
