"""Taking a large import of people back costs about what writing it did."""

from __future__ import annotations

import time

import pytest

from app.runtime import Runtime
from tests.integration.kind_kit import DISTRICT, Bench, counts
from tests.integration.registry_world import fresh_number
from tests.integration.test_import_people import number, row
from tests.world import World

pytestmark = pytest.mark.db
PEOPLE = 1_500


async def test_undoing_grows_with_the_rows_and_no_faster(runtime: Runtime, world: World) -> None:
    """While nothing is known of the tables' sizes yet, looking through all marks for every home took forty times as long."""
    bench = Bench.of(runtime, "people", DISTRICT)
    rows = [row(number(), 身份证号=fresh_number()) for _ in range(PEOPLE)]
    begun = time.perf_counter()
    applied, run = await bench.write(*rows)
    written = time.perf_counter() - begun
    assert counts(applied) == (PEOPLE, 0, 0, 0)
    begun = time.perf_counter()
    await bench.undo(run)
    assert time.perf_counter() - begun < 3 * written + 0.3
