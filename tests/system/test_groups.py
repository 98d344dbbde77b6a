"""That tests of one xdist group run on one worker: nothing fails when they don't, everything shared is only built twice."""

from __future__ import annotations

import os

import pytest


@pytest.mark.xdist_group("demo")
@pytest.mark.skipif("PYTEST_XDIST_WORKER" not in os.environ, reason="one process")
def test_groups_are_heeded(request: pytest.FixtureRequest) -> None:
    assert request.node.nodeid.endswith("@demo")
