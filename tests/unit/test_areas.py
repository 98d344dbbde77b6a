"""Area codes and the file they are loaded from."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import app
from app.domain.areas import AreaLevel, AreaRow, chain, covers, district_of, is_area_code, level_of, parent_of, parse_areas
from app.domain.errors import Malformed

DATA = Path(app.__file__).parent / "data"
HEADER = "code,name,level,parent_code,kind\n"
DISTRICT = "350702,延平区,district,,市辖区/县级市\n"
STREET = "350702001,梅山街道,subdistrict,350702,街道\n"


@pytest.mark.parametrize(
    ("code", "level", "parent"),
    [
        ("00", AreaLevel.NATION, None),
        ("35", AreaLevel.PROVINCE, "00"),
        ("3507", AreaLevel.PREFECTURE, "35"),
        ("350702", AreaLevel.DISTRICT, "3507"),
        ("350702001", AreaLevel.SUBDISTRICT, "350702"),
        ("350702001001", AreaLevel.COMMUNITY, "350702001"),
        ("441900", AreaLevel.DISTRICT, "4419"),
        ("441900003", AreaLevel.SUBDISTRICT, "441900"),
    ],
)
def test_level_and_parent(code: str, level: AreaLevel, parent: str | None) -> None:
    assert is_area_code(code)
    assert (level_of(code), parent_of(code)) == (level, parent)


@pytest.mark.parametrize(
    "code",
    [
        *["", "0", "3", "350", "35070", "3507020", "35070200", "3507020010", "35070200100", "3507020010011"],
        *["0035", "05", "3500", "350702000", "350702001000", "35070A", "３５０７０２", " 350702", "350702\n", "-35070"],
    ],
)
def test_what_is_no_code(code: str) -> None:
    assert not is_area_code(code)
    with pytest.raises(Malformed) as refused:
        level_of(code)
    assert refused.value.code == "area_code_malformed"


def test_the_chain_goes_from_the_nearest_area_up_to_the_nation() -> None:
    assert chain("350702001001") == ("350702001001", "350702001", "350702", "3507", "35", "00")
    assert chain("00") == ("00",)


@pytest.mark.parametrize(
    ("outer", "inner", "covered"),
    [
        ("350702", "350702001001", True),
        ("350702001", "350702001", True),
        ("00", "350702001001", True),
        ("00", "00", True),
        ("35", "350702", True),
        ("350702001", "350702", False),
        ("350702001", "350702002001", False),
        ("350702", "350703001", False),
        ("35", "00", False),
    ],
)
def test_covers(outer: str, inner: str, covered: bool) -> None:
    assert covers(outer, inner) is covered


@given(st.integers(11, 91), st.integers(1, 99), st.integers(0, 99), st.integers(1, 999), st.integers(1, 999))
def test_every_area_lies_in_each_area_of_its_chain(province: int, city: int, district: int, street: int, community: int) -> None:
    code = f"{province}{city:02d}{district:02d}{street:03d}{community:03d}"
    assert len(chain(code)) == 6
    assert all(covers(above, code) for above in chain(code))
    assert district_of(code) == chain(code)[2]


@pytest.mark.parametrize("code", ["00", "35", "3507"])
def test_above_a_district_there_is_none(code: str) -> None:
    with pytest.raises(Malformed) as refused:
        district_of(code)
    assert refused.value.code == "area_above_district"


@pytest.mark.parametrize(("district", "rows", "communities"), [("350702", 339, 317), ("340882", 203, 184)])
def test_the_districts_that_come_along(district: str, rows: int, communities: int) -> None:
    areas = parse_areas((DATA / f"areas-{district}.csv").read_text(encoding="utf-8"))
    assert len(areas) == rows
    assert sum(area.level == AreaLevel.COMMUNITY for area in areas) == communities
    assert areas[0].code == district
    assert all(covers(district, area.code) for area in areas)


def test_optional_columns_and_half_open_periods() -> None:
    header = HEADER.rstrip() + ",effective_from,effective_to,predecessor,successor\n"
    old = "340824,潜山县,district,3408,县,,2018-08-31,,340882\n"
    new = "340882,潜山市,district,3408,县级市,2018-09-01,,340824,\n"
    rows = parse_areas(header + old + new, known_codes={"3408"})
    assert rows == [
        AreaRow("340824", "潜山县", AreaLevel.DISTRICT, "3408", "县", None, date(2018, 9, 1), None, "340882"),
        AreaRow("340882", "潜山市", AreaLevel.DISTRICT, "3408", "县级市", date(2018, 9, 1), None, "340824", None),
    ]


def test_a_parent_loaded_before_or_standing_further_down_is_known() -> None:
    assert [row.code for row in parse_areas(HEADER + STREET + DISTRICT)] == ["350702001", "350702"]
    assert parse_areas("\ufeff" + HEADER + STREET + "\r\n", known_codes=["350702"])[0].parent_code == "350702"
    assert parse_areas(HEADER + "00,全国,nation,,国家\n35,福建省,province,00,省\n")[1].parent_code == "00"


@pytest.mark.parametrize(
    ("text", "pointer", "code"),
    [
        ("", "/1", "column_missing"),
        ("code,name,level,parent_code\n", "/1", "column_missing"),
        (HEADER.rstrip() + ",colour\n" + DISTRICT, "/1", "column_unknown"),
        (HEADER.rstrip() + ",code\n" + DISTRICT, "/1", "column_repeated"),
        (HEADER, "/1", "file_empty"),
        (HEADER + "350702,延平区,district\n", "/2", "columns_wrong"),
        (HEADER + DISTRICT + "3507020,x,district,,x\n", "/3/code", "area_code_malformed"),
        (HEADER + DISTRICT + DISTRICT, "/3/code", "area_repeated"),
        (HEADER + STREET, "/2/parent_code", "parent_unknown"),
        (HEADER + DISTRICT + STREET.replace(",350702,", ",,"), "/3/parent_code", "parent_wrong"),
        (HEADER + DISTRICT + STREET.replace(",350702,", ",350703,"), "/3/parent_code", "parent_wrong"),
        (HEADER + DISTRICT + STREET.replace("subdistrict", "community"), "/3/level", "level_wrong"),
        (HEADER + DISTRICT.replace("延平区", ""), "/2/name", "name_missing"),
        (HEADER.rstrip() + ",effective_from\n" + DISTRICT.rstrip() + ",2018-9-1\n", "/2/effective_from", "date_malformed"),
        (HEADER.rstrip() + ",successor\n" + DISTRICT.rstrip() + ",350702\n", "/2/successor", "relation_wrong"),
        (HEADER.rstrip() + ",predecessor\n" + DISTRICT.rstrip() + ",3507\n", "/2/predecessor", "relation_wrong"),
        (
            HEADER.rstrip() + ",effective_from,effective_to\n" + DISTRICT.rstrip() + ",2018-09-01,2018-08-31\n",
            "/2/effective_to",
            "period_reversed",
        ),
    ],
)
def test_a_wrong_file_is_refused_by_row(text: str, pointer: str, code: str) -> None:
    with pytest.raises(Malformed) as refused:
        parse_areas(text)
    assert (refused.value.errors[0].pointer, refused.value.errors[0].code) == (pointer, code)


def test_all_wrong_rows_are_named_at_once() -> None:
    with pytest.raises(Malformed) as refused:
        parse_areas(HEADER + DISTRICT + "1,x,district,,x\n" + STREET + "350702002,,subdistrict,,街道\n")
    assert [error.pointer for error in refused.value.errors] == ["/3/code", "/5/name", "/5/parent_code"]
