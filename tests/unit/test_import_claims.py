"""Totals that a file claims are read as its rows are: in the profile's unit."""

from __future__ import annotations

import io

import pytest

import app.db.import_writers.everything  # noqa: F401  (registers the kinds)
from app.domain.imports.registry import kind_of
from app.import_profiles import find_profile
from app.jobs.import_reading import open_file

HEADERS = ("家庭编码", "享受人证件号码", "救助类型", "月救助金额", "保障人口数", "享受起始年月")


@pytest.mark.parametrize(("claimed", "fen"), [("110400", 110_400), ("55200", 55_200)])
def test_a_claimed_total_is_in_the_unit_of_the_profile(claimed: str, fen: int) -> None:
    rows = [HEADERS, ("H1", "", "101", "55200", "1", "202605"), ("H2", "", "101", "55200", "1", "202605")]
    rows.append(("合计", "", "", claimed, "", ""))
    content = "\n".join(",".join(row) for row in rows).encode()
    profile = find_profile("province_entitlements")
    file = open_file(io.BytesIO(content), "roll.csv", kind_of("entitlements"), profile)
    assert len(list(file.rows)) == 2
    assert [claim.amounts["monthly_fen"] for claim in file.sifter.claims] == [fen]
