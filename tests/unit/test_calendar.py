"""Working days, months, notices: the worked examples and every boundary of the Civil Code's period rules."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.calendar_seed import library_years, parse_calendar_year, seeded_days, seeded_year
from app.domain.calendar import (
    FIRST_DAY,
    LAST_DAY,
    Calendar,
    DayKind,
    Deadline,
    Month,
    business_date,
    corresponding_day,
    days_later,
    month_range,
    notice_period,
)
from app.domain.errors import Conflict, Malformed


def loaded(*years: int) -> Calendar:
    return Calendar({day: kind for year in years for day, kind, _ in seeded_days(year)}, frozenset(years))


IN_2026 = loaded(2026)
NOTHING_LOADED = Calendar()
HEADER = "date,kind,name\n"


def csv_of(year: int) -> str:
    return HEADER + "".join(f"{day},{kind},{name}\n" for day, kind, name in seeded_days(year))


# --- the worked examples


@pytest.mark.parametrize(("days", "expected"), [(3, date(2026, 3, 5)), (20, date(2026, 3, 30)), (30, date(2026, 4, 14))])
def test_db_29_terms_of_an_application_accepted_on_2_march_2026(days: int, expected: date) -> None:
    assert IN_2026.add_working_days(date(2026, 3, 2), days) == Deadline(expected, provisional=False)


def test_db_29_without_the_announced_holidays_the_thirtieth_day_would_be_a_day_early() -> None:
    assert NOTHING_LOADED.add_working_days(date(2026, 3, 2), 30) == Deadline(date(2026, 4, 13), provisional=True)


def test_db_30_a_notice_posted_on_16_march_runs_from_the_17th_to_the_23rd() -> None:
    period = notice_period(date(2026, 3, 16))
    assert (period.first_day, period.last_day, period.next_act_from) == (date(2026, 3, 17), date(2026, 3, 23), date(2026, 3, 24))


@pytest.mark.parametrize(("months", "expected"), [(12, date(2027, 3, 10)), (6, date(2026, 9, 10))])
def test_db_35_next_review_after_a_check_on_10_march_2026(months: int, expected: date) -> None:
    assert corresponding_day(date(2026, 3, 10), months) == expected


def test_gx_07_validity_of_twelve_months_ends_on_the_corresponding_day() -> None:
    assert corresponding_day(date(2026, 3, 10), 12) == date(2027, 3, 10)


# --- working days


@pytest.mark.parametrize(
    ("day", "works"),
    [
        (date(2026, 4, 3), True),
        (date(2026, 4, 6), False),  # Monday, day off for Qingming
        (date(2026, 4, 7), True),
        (date(2026, 5, 1), False),
        (date(2026, 5, 9), True),  # Saturday worked in exchange
        (date(2026, 5, 10), False),
        (date(2026, 2, 28), True),  # Saturday worked in exchange for the Spring Festival
        (date(2026, 10, 8), True),
        (date(2026, 8, 15), False),
    ],
)
def test_days_worked_in_2026(day: date, works: bool) -> None:
    assert IN_2026.is_working_day(day) is works


@pytest.mark.parametrize(
    ("day", "works"),
    [
        (date(2027, 1, 1), False),
        (date(2027, 1, 4), True),
        (date(2028, 5, 1), False),
        (date(2028, 5, 2), False),
        (date(2028, 5, 3), True),
        (date(2023, 5, 2), True),  # 2 May became a statutory holiday in 2025
        (date(2027, 10, 1), False),
        (date(2029, 10, 2), False),
        (date(2029, 10, 3), False),
        (date(2029, 10, 4), True),
        (date(2027, 2, 8), True),  # perhaps the Spring Festival, but nobody has announced it
        (date(2027, 1, 9), False),
    ],
)
def test_a_year_not_loaded_is_told_by_the_week_and_the_fixed_dates(day: date, works: bool) -> None:
    assert NOTHING_LOADED.is_working_day(day) is works


@pytest.mark.parametrize(
    ("start", "days", "expected", "provisional"),
    [
        (date(2026, 12, 30), 1, date(2026, 12, 31), False),
        (date(2026, 12, 31), 1, date(2027, 1, 4), True),
        (date(2026, 11, 22), 29, date(2026, 12, 31), False),
        (date(2026, 11, 22), 30, date(2027, 1, 4), True),
        (date(2027, 12, 30), 2, date(2028, 1, 3), True),
    ],
)
def test_a_deadline_past_the_loaded_years_is_provisional(start: date, days: int, expected: date, provisional: bool) -> None:
    assert IN_2026.add_working_days(start, days) == Deadline(expected, provisional)


def test_a_start_in_a_year_not_loaded_does_not_matter_since_it_is_not_counted() -> None:
    assert IN_2026.add_working_days(date(2025, 12, 31), 1) == Deadline(date(2026, 1, 4), provisional=False)


def test_loading_the_year_settles_what_was_provisional() -> None:
    start = date(2024, 12, 20)
    before, after = loaded(2024).add_working_days(start, 30), loaded(2024, 2025).add_working_days(start, 30)
    assert (before.provisional, after.provisional) == (True, False)
    assert before.date < after.date  # the Spring Festival of 2025 lies between


def test_no_days_is_the_day_itself_and_fewer_is_refused() -> None:
    assert IN_2026.add_working_days(date(2026, 8, 15), 0) == Deadline(date(2026, 8, 15), provisional=False)
    with pytest.raises(ValueError, match="negative"):
        IN_2026.add_working_days(date(2026, 8, 15), -1)


@given(st.dates(date(2024, 1, 1), date(2026, 10, 1)), st.integers(1, 60))
def test_exactly_that_many_working_days_lie_behind_the_start(start: date, days: int) -> None:
    calendar = loaded(2024, 2025, 2026)
    end = calendar.add_working_days(start, days)
    between = [start + timedelta(days=offset) for offset in range(1, (end.date - start).days + 1)]
    assert sum(calendar.is_working_day(day) for day in between) == days
    assert calendar.is_working_day(end.date)


# --- calendar days and months


@pytest.mark.parametrize(
    ("start", "days", "expected"),
    [
        (date(2026, 3, 16), 7, date(2026, 3, 23)),
        (date(2026, 8, 8), 7, date(2026, 8, 17)),  # a Saturday rolls over to Monday
        (date(2026, 9, 24), 7, date(2026, 10, 8)),  # National Day rolls over the whole week
        (date(2026, 5, 2), 7, date(2026, 5, 9)),  # a Saturday that is worked
    ],
)
def test_calendar_days_end_on_a_working_day(start: date, days: int, expected: date) -> None:
    assert IN_2026.add_calendar_days(start, days) == Deadline(expected, provisional=False)


@pytest.mark.parametrize(
    ("start", "months", "expected"),
    [
        (date(2026, 1, 31), 1, date(2026, 2, 28)),
        (date(2024, 1, 31), 1, date(2024, 2, 29)),
        (date(2024, 2, 29), 12, date(2025, 2, 28)),
        (date(2024, 2, 29), 48, date(2028, 2, 29)),
        (date(2026, 8, 31), 6, date(2027, 2, 28)),
        (date(2026, 12, 1), 1, date(2027, 1, 1)),
        (date(2026, 3, 31), -1, date(2026, 2, 28)),
        (date(2026, 1, 15), -1, date(2025, 12, 15)),
        (date(2026, 3, 10), 0, date(2026, 3, 10)),
    ],
)
def test_corresponding_day_or_end_of_month(start: date, months: int, expected: date) -> None:
    assert corresponding_day(start, months) == expected


@pytest.mark.parametrize(
    ("start", "months", "expected", "provisional"),
    [
        (date(2026, 1, 31), 1, date(2026, 2, 28), False),  # a Saturday, but worked
        (date(2026, 2, 15), 1, date(2026, 3, 16), False),
        (date(2026, 9, 1), 1, date(2026, 10, 8), False),
        (date(2026, 12, 1), 1, date(2027, 1, 4), True),
    ],
)
def test_a_term_in_months_rolls_over_a_day_off(start: date, months: int, expected: date, provisional: bool) -> None:
    assert IN_2026.add_months(start, months) == Deadline(expected, provisional)


def test_rolling_over_into_a_year_not_loaded_is_provisional() -> None:
    calendar = Calendar({date(2026, 12, 31): DayKind.HOLIDAY}, frozenset({2026}))
    assert calendar.roll_over(date(2026, 12, 31)) == Deadline(date(2027, 1, 4), provisional=True)


@pytest.mark.parametrize("start", [FIRST_DAY - timedelta(days=1), LAST_DAY, date.max, date.min])
def test_dates_out_of_range_are_refused_not_crashed_on(start: date) -> None:
    for compute in (
        lambda: IN_2026.add_working_days(start, 30),
        lambda: IN_2026.add_calendar_days(start, 7),
        lambda: IN_2026.add_months(start, 12),
        lambda: notice_period(start),
        lambda: days_later(start, 10**9),
        lambda: corresponding_day(start, 10**6),
    ):
        with pytest.raises(Malformed) as refused:
            compute()
        assert refused.value.code == "date_out_of_range"


# --- the clock and months


@pytest.mark.parametrize(
    ("instant", "expected"),
    [
        (datetime(2026, 8, 15, 15, 59, 59, tzinfo=UTC), date(2026, 8, 15)),
        (datetime(2026, 8, 15, 16, 0, 0, tzinfo=UTC), date(2026, 8, 16)),
        (datetime.fromisoformat("2026-12-31T23:59:59+08:00"), date(2026, 12, 31)),
        (datetime.fromisoformat("2026-12-31T12:00:00-08:00"), date(2027, 1, 1)),
    ],
)
def test_business_date_is_the_local_date(instant: datetime, expected: date) -> None:
    assert business_date(instant) == expected


def test_an_instant_without_offset_is_refused() -> None:
    with pytest.raises(ValueError, match="时区"):
        business_date(datetime(2026, 8, 15, 12))  # noqa: DTZ001 the naive instant is the point


def test_months_step_over_the_year_and_sort() -> None:
    assert Month.parse("2026-12").next() == Month(2027, 1)
    assert Month.parse("2026-01").previous() == Month(2025, 12)
    assert Month.of(date(2026, 8, 15)).shift(-20) == Month(2024, 12)
    assert Month(2026, 2) < Month(2026, 10) < Month(2027, 1)
    assert str(Month(2026, 2)) == "2026-02"
    assert (Month(2024, 2).first_day, Month(2024, 2).last_day) == (date(2024, 2, 1), date(2024, 2, 29))
    assert date(2026, 8, 31) in Month(2026, 8)
    assert date(2026, 9, 1) not in Month(2026, 8)


def test_month_range_is_half_open() -> None:
    assert [str(month) for month in month_range(Month(2026, 11), Month(2027, 2))] == ["2026-11", "2026-12", "2027-01"]
    assert list(month_range(Month(2026, 8), Month(2026, 8))) == []
    assert list(month_range(Month(2026, 8), Month(2026, 7))) == []


@pytest.mark.parametrize(
    "text", ["2026-13", "2026-00", "2026-8", "202608", "2026-08-01", " 2026-08", "２０２６-08", "0000-01", "9999-12"]
)
def test_what_is_no_month_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="月份"):
        Month.parse(text)


@given(st.integers(1950, 2200), st.integers(1, 12), st.integers(-1200, 1200))
def test_shift_and_months_until_agree(year: int, month: int, months: int) -> None:
    start = Month(year, month)
    assert start.months_until(start.shift(months)) == months
    assert Month.parse(str(start)) == start


# --- the announced year: library and file


def test_the_library_year_is_the_announced_one() -> None:
    days = {day: (kind, name) for day, kind, name in seeded_days(2026)}
    assert days[date(2026, 4, 6)] == (DayKind.HOLIDAY, "清明节")
    assert days[date(2026, 5, 9)] == (DayKind.WORKDAY, "劳动节")
    assert list(days) == sorted(days)
    working_days = sum(IN_2026.is_working_day(date(2026, 1, 1) + timedelta(days=offset)) for offset in range(365))
    assert working_days == 248


@pytest.mark.parametrize("year", [2003, 2027, 9999])
def test_a_year_the_library_lacks_is_refused_with_the_way_out(year: int) -> None:
    with pytest.raises(Conflict, match="minzheng calendar load") as refused:
        seeded_days(year)
    assert refused.value.code == "calendar_year_unknown"


@pytest.mark.parametrize("year", library_years())
def test_every_library_year_passes_as_a_file(year: int) -> None:
    assert parse_calendar_year(csv_of(year)) == seeded_year(year)


def test_a_file_may_list_every_day_in_any_order_with_a_byte_order_mark() -> None:
    every_day = [date(2026, 1, 1) + timedelta(days=offset) for offset in range(365)]
    rows = [f"{day},{'workday' if IN_2026.is_working_day(day) else 'holiday'}," for day in reversed(every_day)]
    year = parse_calendar_year("\ufeff" + HEADER + "\r\n".join(rows) + "\r\n\r\n")
    calendar = Calendar({day.date: day.kind for day in year.days}, frozenset({year.year}))
    assert [calendar.is_working_day(day) for day in every_day] == [IN_2026.is_working_day(day) for day in every_day]


@pytest.mark.parametrize(
    ("text", "pointer", "code"),
    [
        ("", "/1", "columns_wrong"),
        ("date,kind\n", "/1", "columns_wrong"),
        (HEADER, "", "file_empty"),
        (csv_of(2026) + "2026-02-30,holiday,x\n", "/41/date", "date_malformed"),
        (csv_of(2026) + "2026/02/03,holiday,x\n", "/41/date", "date_malformed"),
        (csv_of(2026) + "20260203,holiday,x\n", "/41/date", "date_malformed"),
        (csv_of(2026) + "2026-11-03,off,x\n", "/41/kind", "kind_unknown"),
        (csv_of(2026) + "2026-11-03,holiday\n", "/41", "columns_wrong"),
        (csv_of(2026) + "2027-01-01,holiday,元旦\n", "", "year_mixed"),
        (csv_of(2026) + "2026-10-01,holiday,国庆节\n", "", "date_repeated"),
        (csv_of(2026).replace("2026-10-02,holiday,国庆节\n", ""), "", "holiday_missing"),
        (csv_of(2026).replace("2026-04-06,holiday,清明节\n", ""), "", "year_unbalanced"),
    ],
)
def test_a_wrong_file_is_refused_with_the_row_or_the_lack(text: str, pointer: str, code: str) -> None:
    with pytest.raises(Malformed) as refused:
        parse_calendar_year(text)
    assert (refused.value.errors[0].pointer, refused.value.errors[0].code) == (pointer, code)


def test_an_extra_day_off_as_in_2015_and_2020_is_no_mistake() -> None:
    year = parse_calendar_year(csv_of(2026) + "2026-11-03,holiday,纪念日\n")
    assert not Calendar({day.date: day.kind for day in year.days}, frozenset({2026})).is_working_day(date(2026, 11, 3))


def test_all_wrong_rows_are_named_at_once() -> None:
    with pytest.raises(Malformed) as refused:
        parse_calendar_year(HEADER + "2026-01-01,holiday,元旦\nx,holiday,\n2026-01-03,y,\n")
    assert [error.pointer for error in refused.value.errors] == ["/3/date", "/4/kind"]
