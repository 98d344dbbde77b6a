"""Every kind of cell: what it reads, what it refuses, and that it says so without repeating what was written."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.identity import IdentityFault, checksum_character, parse_id_number
from app.domain.imports.cells import (
    AreaCode,
    BankAccount,
    Certificate,
    Choice,
    Choices,
    Date,
    IdNumber,
    IdNumbers,
    Month,
    Name,
    Number,
    Phone,
    Text,
    Whole,
    YesNo,
    Yuan,
)
from app.domain.imports.cells.column import NOT_CALCULATED, ColumnReader
from app.domain.imports.codes import CELL_FAULTS
from app.domain.imports.model import Cell

ID = "11010519491231002X"  # the example of GB 11643
OTHER = "440524188001010014"
RESIDENCE = Choice({"urban": ("城镇", "非农业", "1"), "rural": ("农村", "农业", "2")})

READ: list[tuple[ColumnReader, Cell, Any]] = [
    (Text(), "  有 空 格 ", "有 空 格"),
    (Text(), "第一行\r\n第二行", "第一行 第二行"),
    (Text(), "　全角空格　", "全角空格"),
    (Text(), "", None),
    (Text(), "   ", None),
    (Text(), None, None),
    (Text(), 1001, "1001"),
    (Text(), Decimal("1.5"), "1.5"),
    (Text(), '="00123"', "00123"),
    (Text(), "1E05", "1E05"),
    (Text(), "\ufeff甲", "甲"),
    (Text(), "-", "-"),
    (Text(), True, "TRUE"),
    (Name(), "阿依古丽·买买提", "阿依古丽·买买提"),
    (Name(), " 张三 ", "张三"),
    (Name(), "𠮷田", "𠮷田"),
    (IdNumber(), ID, ID),
    (IdNumber(), ID.lower(), ID),
    (IdNumber(), "１１０１０５１９４９１２３１００２Ｘ", ID),
    (IdNumber(), "110105 19491231 002x", ID),
    (IdNumber(), f"'{ID}", ID),
    (IdNumber(), f'="{ID}"', ID),
    (IdNumber(), f"\t{ID}\u200b", ID),
    (IdNumber(), "无", None),
    (IdNumbers(), f"{ID}、{OTHER}", (ID, OTHER)),
    (IdNumbers(), f" {ID}，\n{OTHER}；", (ID, OTHER)),
    (IdNumbers(), f"{ID};{OTHER.lower()}", (ID, OTHER)),
    (IdNumbers(), ID, (ID,)),
    (Certificate(), f"{ID}43", f"{ID}43"),
    (Certificate(), f"{ID.lower()}43b1", f"{ID}43B1"),
    (AreaCode(), "350702001001", "350702001001"),
    (AreaCode(), 350702001001, "350702001001"),
    (AreaCode(), "３５０７０２ ００１ ００１", "350702001001"),
    (AreaCode((6, 9, 12)), "350702", "350702"),
    (AreaCode((6, 9, 12)), 350702, "350702"),
    (Phone(), "13800000000", "13800000000"),
    (Phone(), 13800000000, "13800000000"),
    (Phone(), "+86 138-0000-0000", "13800000000"),
    (Phone(), "０５９９-8888888", "05998888888"),
    (Phone(), "/", None),
    (BankAccount(), "6228 4800 0000 0000 000", "6228480000000000000"),
    (BankAccount(), "'62284800", "62284800"),
    (YesNo(), "是", True),
    (YesNo(), "√", True),
    (YesNo(), "Ｙ", True),
    (YesNo(), "1", True),
    (YesNo(), 1, True),
    (YesNo(), True, True),
    (YesNo(), "true", True),
    (YesNo(), "有", True),
    (YesNo(), "否", False),
    (YesNo(), "无", False),
    (YesNo(), "×", False),
    (YesNo(), 0, False),
    (YesNo(), " n ", False),
    (RESIDENCE, "城镇", "urban"),
    (RESIDENCE, " 农 业 ", "rural"),
    (RESIDENCE, "urban", "urban"),
    (RESIDENCE, 2, "rural"),
    (RESIDENCE, "－", None),
    (Choices({"a": ("低保",), "b": ("特困",)}), "低保、特困、低保", ("a", "b")),
    (Date(), "2026-01-02", date(2026, 1, 2)),
    (Date(), "2026/1/2", date(2026, 1, 2)),
    (Date(), "2026.1.2", date(2026, 1, 2)),
    (Date(), "2026年1月2日", date(2026, 1, 2)),
    (Date(), "２０２６年０１月０２日", date(2026, 1, 2)),
    (Date(), "2026 年 1 月 2 日", date(2026, 1, 2)),
    (Date(), "20260102", date(2026, 1, 2)),
    (Date(), 20260102, date(2026, 1, 2)),
    (Date(), "2026-01-02 00:00:00", date(2026, 1, 2)),
    (Date(), "2026-01-02T09:30:00", date(2026, 1, 2)),
    (Date(), "2026/1/2 0:00", date(2026, 1, 2)),
    (Date(), 46024, date(2026, 1, 2)),
    (Date(), "46024", date(2026, 1, 2)),
    (Date(), Decimal("46024.5"), date(2026, 1, 2)),
    (Date(), date(2026, 1, 2), date(2026, 1, 2)),
    (Date(), datetime(2026, 1, 2, 9), date(2026, 1, 2)),  # noqa: DTZ001 - a cell knows no zone
    (Date(from_1904=True), 46024 - 1462, date(2026, 1, 2)),
    (Date().in_1904_books(), date(2026, 1, 2), date(2026, 1, 2)),
    (Date(), "2024-02-29", date(2024, 2, 29)),
    (Date(), "—", None),
    (Date(), "二〇二六年一月二日", date(2026, 1, 2)),
    (Date(), "二○二六年十二月三十一日", date(2026, 12, 31)),
    (Date(), "二零二六年十月二十日 星期二", date(2026, 10, 20)),
    (Date(), "二〇二六年元月五号", date(2026, 1, 5)),
    (Date(), "2026年1月2日星期五", date(2026, 1, 2)),
    (Date(), "2026/1/2（周五）", date(2026, 1, 2)),
    (Date(), "2026年1月2号", date(2026, 1, 2)),
    (Date(), "2026—1—2", date(2026, 1, 2)),
    (Date(), "2026。1。2", date(2026, 1, 2)),
    (Date(), "2026·01·02", date(2026, 1, 2)),
    (Date(), "2026\\1\\2", date(2026, 1, 2)),
    (Date(), "2026 1 2", date(2026, 1, 2)),
    (Date(), "'2026-01-02", date(2026, 1, 2)),
    (Date(), "2026/1/2 8:00 AM", date(2026, 1, 2)),
    (Date(), "2026/1/2 下午 3:04:05", date(2026, 1, 2)),
    (Date(), "2026-01-02T08:00:00+08:00", date(2026, 1, 2)),
    (Date(), "46024.0", date(2026, 1, 2)),
    (Date(), "46024.75", date(2026, 1, 2)),
    (Month(), "二〇二六年五月", date(2026, 5, 1)),
    (Month(), "二〇二六年十月份", date(2026, 10, 1)),
    (Month(), "2026年元月", date(2026, 1, 1)),
    (Month(), "2026-05", date(2026, 5, 1)),
    (Month(), "2026年5月", date(2026, 5, 1)),
    (Month(), "2026.5", date(2026, 5, 1)),
    (Month(), "2026/05", date(2026, 5, 1)),
    (Month(), "2026年5月份", date(2026, 5, 1)),
    (Month(), "202605", date(2026, 5, 1)),
    (Month(), 202605, date(2026, 5, 1)),
    (Month(), Decimal("2026.5"), date(2026, 5, 1)),
    (Month(), Decimal("2026.11"), date(2026, 11, 1)),
    (Month(), "2026.10", date(2026, 10, 1)),
    (Month(), "2026-05-17", date(2026, 5, 1)),
    (Month(), date(2026, 5, 17), date(2026, 5, 1)),
    (Month(), 46024, date(2026, 1, 1)),
    (Month().in_1904_books(), 46024 - 1462, date(2026, 1, 1)),
    (Yuan(), "1234.5", 123450),
    (Yuan(), "1,234.50", 123450),
    (Yuan(), "１，２３４．５０", 123450),
    (Yuan(), "￥1,234,567.89元", 123456789),
    (Yuan(), "¥ 12", 1200),
    (Yuan(), "300元/月", 30000),
    (Yuan(), "人民币300元整", 30000),
    (Yuan(), "1 234.50", 123450),
    (Yuan(), "12.3400", 1234),
    (Yuan(), "0", 0),
    (Yuan(), 12, 1200),
    (Yuan(), Decimal("123.45"), 12345),
    (Yuan(), "0012", 1200),
    (Yuan(-100), "-1", -100),
    (Whole(), "3", 3),
    (Whole(), "３ 人", 3),
    (Whole(), "1,200", 1200),
    (Whole(), Decimal("3.0"), 3),
    (Whole(), "3.0", 3),
    (Number(1), "2.5", Decimal("2.5")),
    (Number(2), 3, Decimal("3.00")),
]

REFUSED: list[tuple[ColumnReader, Cell, str]] = [
    (Text(4), "超过四个字", "text_too_long"),
    (Text(), "甲\x00乙", "text_characters"),
    (Text(), "甲\x07", "text_characters"),
    (Text(), "丢\ufffd字", "text_characters"),
    (Text(), "3.50702E+17", "digits_lost"),
    (Text(), 1234567890123456, "digits_lost"),
    (Text(), Decimal("3.50702199001011E+17"), "digits_lost"),
    (Text(), date(2026, 1, 1), "cell_became_date"),
    (Text(), "#N/A", "cell_broken"),
    (Text(), "########", "cell_broken"),
    (Text(), NOT_CALCULATED, "cell_not_calculated"),
    (Name(), "张*", "name_wrong"),
    (Name(), "＊＊", "name_wrong"),
    (Name(), "123", "name_wrong"),
    (Name(), "张三、李四", "name_wrong"),
    (Name(), f"张三 {ID}", "name_wrong"),
    (Name(), 123, "name_wrong"),
    (Name(), date(2026, 1, 1), "name_wrong"),
    (IdNumber(), "110105491231002", "id_number_old"),
    (IdNumber(), 110105491231002, "id_number_old"),
    (IdNumber(), "3.50702E+17", "digits_lost"),
    (IdNumber(), "３.50702ｅ+17", "digits_lost"),
    (IdNumber(), Decimal("3.50702199001011E+17"), "digits_lost"),
    (IdNumber(), 350702199001011, "id_number_old"),
    (IdNumber(), 35070219900101, "digits_lost"),
    (IdNumber(), date(2026, 1, 1), "cell_became_date"),
    (IdNumber(), True, "digits_lost"),
    (IdNumber(), "350702199001011000", "digits_lost"),
    (IdNumber(), "110105194912310021", "id_number_checksum"),
    (IdNumber(), "110105194902310021", "id_number_date"),
    (IdNumber(), "11010519491231002", "id_number_length"),
    (IdNumber(), "1101051949123100２Ｙ", "id_number_characters"),
    (IdNumber(), "110105********002X", "id_number_characters"),
    (IdNumber(), "010105194912310021", "id_number_area"),
    (IdNumber(), "1" * 300, "text_too_long"),
    (IdNumbers(), f"{ID}、{ID[:-1]}", "id_number_length"),
    (IdNumbers(), f"{ID}、{ID}", "id_number_repeated"),
    (IdNumbers(), Decimal("3.50702E+17"), "digits_lost"),
    (Certificate(), f"{ID}4", "disability_certificate_length"),
    (Certificate(), f"{ID}93", "disability_certificate_kind"),
    (Certificate(), Decimal("1.1E+19"), "digits_lost"),
    (AreaCode(), "350702001000", "area_code_malformed"),
    (AreaCode(), "350702", "area_code_malformed"),
    (AreaCode(), "3.50702E+11", "digits_lost"),
    (AreaCode(), "050702001001", "area_code_malformed"),
    (AreaCode((6, 9, 12)), "350702000000", "area_code_malformed"),
    (AreaCode(), date(2026, 1, 1), "cell_became_date"),
    (Phone(), "138****0000", "phone_format"),
    (Phone(), "12800000000", "phone_format"),
    (Phone(), "13800000000/13900000000", "phone_format"),
    (Phone(), "1.38E+10", "digits_lost"),
    (Phone(), Decimal("1.38"), "digits_lost"),
    (BankAccount(), 6228480000, "digits_lost"),
    (BankAccount(), "6.22848E+18", "digits_lost"),
    (BankAccount(), "6228****0000", "bank_account_characters"),
    (BankAccount(), "账号", "bank_account_characters"),
    (YesNo(), "也许", "yes_no_unknown"),
    (YesNo(), 2, "yes_no_unknown"),
    (RESIDENCE, "郊区", "choice_unknown"),
    (RESIDENCE, 3, "choice_unknown"),
    (RESIDENCE, True, "choice_unknown"),
    (Date(), "26-1-2", "date_short_year"),
    (Date(), "1/2/2026", "date_format"),
    (Date(), "2026-02-30", "date_invalid"),
    (Date(), "2026-13-01", "date_invalid"),
    (Date(), "1026-01-01", "date_range"),
    (Date(), "2026-1", "date_format"),
    (Date(), "二〇二六年", "date_format"),
    (Date(), "二〇二六年一月", "date_format"),
    (Date(), "二〇二六年十三月一日", "date_invalid"),
    (Date(), "二〇二六年一月十十日", "date_invalid"),
    (Date(), "2026-01-02T20:00:00Z", "date_format"),  # the day after, here
    (Date(), "星期五", "date_format"),
    (Date(), 12, "date_format"),
    (Date(), 2026, "date_format"),
    (Date(), Decimal("2026.5"), "date_format"),
    (Month(), 2026, "month_format"),
    (Month(), Decimal("2026.1"), "month_format"),
    (Month(), "2026.1", "month_format"),
    (Date(), -5, "date_format"),
    (Date(), True, "date_format"),
    (Date(), Decimal("1E+300"), "date_format"),
    (Month(), Decimal("1E+300"), "month_format"),
    (Month(), "May-26", "month_format"),
    (Month(), "2026-13", "date_invalid"),
    (Month(), "26.5", "date_short_year"),
    (Yuan(), "1.234", "amount_decimals"),
    (Yuan(), Decimal("0.333333333333333"), "amount_decimals"),
    (Yuan(), "-1", "amount_range"),
    (Yuan(), "1,23", "amount_format"),
    (Yuan(), "12 3", "amount_format"),
    (Yuan(), "3万元", "amount_format"),
    (Yuan(), "约300", "amount_format"),
    (Yuan(), "无", "amount_format"),
    (Yuan(), "-", "amount_format"),
    (Yuan(), "1e3", "amount_format"),
    (Yuan(), "٣", "amount_format"),
    (Yuan(), "(300.00)", "amount_format"),
    (Yuan(), True, "amount_format"),
    (Yuan(), date(2026, 1, 1), "amount_format"),
    (Yuan(), "9999999999", "amount_range"),
    (Yuan(), Decimal("1E+30"), "amount_range"),
    (Whole(), "2.5", "number_format"),
    (Whole(), "-1", "number_range"),
    (Whole(1, 20), "21", "number_range"),
    (Whole(), "三", "number_format"),
    (Whole(), date(2026, 1, 1), "number_format"),
    (Number(1), "2.55", "number_format"),
    (Number(1), Decimal("1E+400"), "number_range"),
]


def outcome(reader: ColumnReader, cell: Cell) -> tuple[Any, str | None]:
    values, faults = reader.parse([cell])
    assert len(values) == 1
    return values[0], faults[0].code if faults else None


@pytest.mark.parametrize(("reader", "cell", "value"), READ)
def test_read(reader: ColumnReader, cell: Cell, value: Any) -> None:
    assert outcome(reader, cell) == (value, None)


@pytest.mark.parametrize(("reader", "cell", "code"), REFUSED)
def test_refused(reader: ColumnReader, cell: Cell, code: str) -> None:
    values, faults = reader.parse(["", cell])
    assert values == [None, None]
    assert list(faults) == [1]
    assert faults[1].code == code
    assert code in CELL_FAULTS
    written = str(cell)
    assert len(written) < 5 or written not in faults[1].message
    assert faults[1].message.endswith("。")


@pytest.mark.parametrize(("reader", "cell", "value"), READ)
def test_what_is_written_reads_back(reader: ColumnReader, cell: Cell, value: Any) -> None:
    if value is not None:
        assert outcome(reader, reader.write(value)) == (value, None)


def test_equal_numbers_of_different_types_stay_apart() -> None:
    """1, True and Decimal(1) are equal and hash alike; what they mean in a column isn't."""
    values, faults = Text().parse([1, True, Decimal(1), "1", None])
    assert values[:2] == ["1", "TRUE"]
    assert values[3:] == ["1", None]
    assert 1 not in faults
    assert RESIDENCE.parse([True, 1])[0] == [None, "urban"]


def test_faults_stand_at_every_position_of_the_same_content() -> None:
    values, faults = IdNumber().parse(["x", ID, "x", None, ID])
    assert values == [None, ID, None, None, ID]
    assert sorted(faults) == [0, 2]


def test_several_numbers_say_which_is_wrong() -> None:
    _, faults = IdNumbers().parse([f"{ID} {OTHER} 1"])
    assert faults[0].message.startswith("第 3 个号码：")


patient = settings(deadline=None)
CELLS = st.one_of(
    st.none(),
    st.text(max_size=40),
    st.text(alphabet="0123456789Xx.,-/年月日 元+E*'=\"#\n\u3000０９（）、", max_size=30),
    st.integers(),
    st.booleans(),
    st.dates(),
    st.datetimes(),
    st.decimals(allow_nan=False, allow_infinity=False),
)
READERS: list[ColumnReader] = [
    Text(30), Name(), IdNumber(), IdNumbers(), Certificate(), AreaCode(), AreaCode((6, 9, 12)), Phone(), BankAccount(), YesNo(),
    RESIDENCE, Choices({"a": ("低保",)}), Date(), Date(from_1904=True), Month(), Yuan(), Yuan(-(10**9)), Whole(), Number(3),
]  # fmt: skip


@patient
@given(st.sampled_from(READERS), st.lists(CELLS, max_size=12))
def test_a_column_never_fails_and_reads_back(reader: ColumnReader, cells: Sequence[Cell]) -> None:
    values, faults = reader.parse(cells)
    assert len(values) == len(cells)
    for place, (cell, value) in enumerate(zip(cells, values, strict=True)):
        assert outcome(reader, cell) == (value, faults[place].code if place in faults else None)  # no influence of neighbours
        if value is not None:
            assert place not in faults
            assert outcome(reader, reader.write(value)) == (value, None)


@st.composite
def nearly_id_numbers(draw: st.DrawFn) -> str:
    """Real numbers, and such with one thing wrong."""
    day = draw(st.dates(date(1840, 1, 1), date(2100, 12, 31)))
    digits = f"{draw(st.integers(0, 999999)):06d}{day:%Y%m%d}{draw(st.integers(0, 999)):03d}"
    number = digits + checksum_character(digits)
    place = draw(st.integers(0, 17))
    return draw(st.sampled_from([number, number[:place] + draw(st.sampled_from("0123456789XYx ")) + number[place + 1 :]]))


@patient
@given(st.lists(nearly_id_numbers(), min_size=1, max_size=30))
def test_all_at_once_says_the_same_as_one_by_one(numbers: list[str]) -> None:
    values, faults = IdNumber().parse(numbers)
    for place, number in enumerate(numbers):
        value, code = one_by_one(number)
        assert values[place] == value
        found = faults[place].code if place in faults else None
        assert found == code or (code == "id_number_checksum" and number.endswith("000"))


def one_by_one(number: str) -> tuple[str | None, str | None]:
    try:
        return parse_id_number(number).value, None
    except IdentityFault as wrong:
        return None, wrong.code


@patient
@given(st.integers(0, 10**11))
def test_amounts_survive_every_spelling(fen: int) -> None:
    yuan, rest = divmod(fen, 100)
    for spelling in (f"{yuan}.{rest:02d}", f"{yuan:,}.{rest:02d}", f"￥{yuan:,}.{rest:02d}元", Decimal(fen) / 100):
        assert outcome(Yuan(), spelling) == (fen, None)


@patient
@given(st.dates(date(1910, 5, 1), date(2100, 12, 30)))
def test_days_survive_every_spelling(day: date) -> None:
    spellings: list[Cell] = [
        f"{day:%Y/%m/%d}",
        f"{day.year}.{day.month}.{day.day}",
        f"{day.year}年{day.month}月{day.day}日",
        f"{day:%Y%m%d}",
    ]
    for spelling in [*spellings, (day - date(1899, 12, 30)).days]:
        assert outcome(Date(), spelling) == (day, None)
    assert outcome(Date(from_1904=True), (day - date(1904, 1, 1)).days) == (day, None)
