"""The whole demo out and back in: twenty thousand people, their rolls and accounts, the stations; not a row differs."""

from __future__ import annotations

import pytest

from tests.demo_world import Demo
from tests.integration.export_kit import file_of
from tests.integration.import_world import imported

pytestmark = [pytest.mark.db, pytest.mark.xdist_group("demo")]


@pytest.mark.parametrize(
    "kind",
    [
        pytest.param("people", marks=pytest.mark.long),
        *("payees", "entitlements", "stations", "staff", "informants", "resident_counts", "disability_certificates"),
    ],
)
async def test_the_demo_comes_back_as_it_is(demo: Demo, kind: str) -> None:
    client = demo.callers["district.reviewer"].http
    file = await file_of(demo.runtime, client, kind, plain=True)
    back = await imported(demo.runtime, client, file, kind=kind, dry_run="true")
    assert back["rows_unchanged"] == back["rows_total"] > 0, back
    compared = (await client.get(f"/api/v1/imports/{back['id']}/reconciliation")).json()
    assert (compared["same"], compared["differences"]) == (back["rows_total"], [])
