"""Contract §2: every code that an answer can carry stands in the registry with its Chinese text."""

from __future__ import annotations

import httpx
import pytest

from tests.contract.kit import CHINESE, V1, Json, ok
from tests.contract.test_assessments import EXAMPLE, PROGRAMMES
from tests.demo_world import Demo

pytestmark = [pytest.mark.db, pytest.mark.xdist_group("demo")]


async def codes(demo: Demo) -> set[str]:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=demo.app), base_url="http://test") as http:
        items = (await ok(await http.get(f"{V1}/codes")))["items"]
    assert all({"kind", "code", "text"} == set(item) and CHINESE.search(item["text"]) for item in items)
    return {item["code"] for item in items}


async def test_the_codes_of_the_contract_are_there(demo: Demo) -> None:
    named = {
        "unknown_parameter",
        "idempotency_key_required",
        "idempotency_key_reused",
        "no_policy_in_force",
        "outside_agreement",
        "verification_refused",
        "higher_allowance_held",
        "income_below_standard",
        "uplift_severe_disability",
        "household_size",
        "base",
    }
    assert named | set(PROGRAMMES) <= await codes(demo)


async def test_whatever_an_assessment_says_is_there(demo: Demo) -> None:
    known = await codes(demo)
    asked: Json = {name: value for name, value in EXAMPLE.items() if name != "programmes"}
    answer = await ok(await demo.callers["s001.clerk"].http.post(f"{V1}/eligibility/assessments", json=asked))
    for result in answer["results"]:
        assert result["outcome"] in known
        assert {reason["code"] for reason in result["reasons"]} <= known
        assert {component["kind"] for component in result["components"]} <= known
        assert {step["step"] for step in result["trace"]} <= known
