"""The bank file: sums, order, escaping and reading back."""

from __future__ import annotations

import csv
from io import StringIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.calendar import Month
from app.domain.errors import Conflict, Malformed
from app.domain.payments.bankfile import BankItem, read_bank_file, write_bank_file

MONTH = Month(2026, 9)
ACCOUNT = "7000000000000000018"
OTHER = "7000000000000000026"


def item(reference: str, amount_fen: int, account: str = ACCOUNT, holder: str = "陈示芳", memo: str = "低保") -> BankItem:
    return BankItem(reference, account, holder, amount_fen, memo)


def rows_of(content: bytes, encoding: str = "gb18030") -> list[list[str]]:
    return list(csv.reader(StringIO(content.decode(encoding), newline="")))


def test_header_tells_batch_month_count_and_total_and_each_account_has_one_line() -> None:
    file = write_bank_file("B202609", MONTH, [item("a", 75600), item("b", 100001, OTHER, "林例强")], total_fen=175601)
    assert rows_of(file.content) == [
        ["B202609", "2026-09", "2", "1756.01", "175601"],
        ["1", ACCOUNT, "陈示芳", "756.00", "低保", "B202609-000001"],
        ["2", OTHER, "林例强", "1000.01", "低保", "B202609-000002"],
    ]


def test_lines_end_with_crlf_and_nothing_stands_before_the_header() -> None:
    content = write_bank_file("B1", MONTH, [item("a", 1)], total_fen=1).content
    assert content.startswith(b"B1,2026-09,1,0.01,1\r\n")
    assert content.count(b"\n") == content.count(b"\r\n") == 2


def test_items_of_one_account_become_one_line_and_the_mapping_keeps_them() -> None:
    items = [
        item("base", 75600),
        item("uplift", 11040, memo="分类施保"),
        item("offset", -30000, memo="抵扣"),
        item("x", 5, OTHER),
    ]
    file = write_bank_file("B1", MONTH, items, total_fen=56645)
    assert [line.amount_fen for line in file.lines] == [56640, 5]
    assert file.lines[0].memo == "低保、分类施保、抵扣"
    assert file.item_references == {"B1-000001": ("base", "offset", "uplift"), "B1-000002": ("x",)}


@given(st.permutations([item("a", 1), item("b", 2, OTHER), item("c", 3), item("d", 4, "7000000000000000034")]))
def test_bytes_do_not_depend_on_the_order_of_items(items: list[BankItem]) -> None:
    expected = write_bank_file("B1", MONTH, sorted(items, key=lambda one: one.reference), total_fen=10).content
    assert write_bank_file("B1", MONTH, items, total_fen=10).content == expected


@pytest.mark.parametrize("approved_fen", [75599, 75601, 0])
def test_a_total_other_than_the_approved_one_is_refused(approved_fen: int) -> None:
    with pytest.raises(Conflict) as refused:
        write_bank_file("B1", MONTH, [item("a", 75600)], total_fen=approved_fen)
    assert refused.value.code == "bank_file_total_mismatch"


@pytest.mark.parametrize(
    ("items", "code"),
    [
        ([item("a", 1), item("b", 1, holder="林例强")], "account_holders_differ"),
        ([item("a", 1), item("b", -1)], "account_nothing_to_pay"),
        ([item("a", 0)], "account_nothing_to_pay"),
    ],
)
def test_accounts_that_cannot_be_paid_are_refused(items: list[BankItem], code: str) -> None:
    with pytest.raises(Conflict) as refused:
        write_bank_file("B1", MONTH, items, total_fen=sum(one.amount_fen for one in items))
    assert refused.value.code == code


def test_an_item_listed_twice_is_refused() -> None:
    with pytest.raises(Malformed) as refused:
        write_bank_file("B1", MONTH, [item("a", 1), item("a", 1, OTHER)], total_fen=2)
    assert refused.value.code == "item_repeated"


@pytest.mark.parametrize(
    ("bad", "pointer", "code"),
    [
        (item("a", 1, account="1234"), "/1/account", "account_malformed"),
        (item("a", 1, account="=1234567"), "/1/account", "account_malformed"),
        (item("a", 1, holder=" "), "/1/holder", "holder_missing"),
        (item("a", 1, holder="陈\n芳"), "/1/holder", "control_character"),
        (item("a", 1, holder="陈\ud800"), "/1/holder", "not_encodable"),
    ],
)
def test_what_the_file_cannot_carry_is_named(bad: BankItem, pointer: str, code: str) -> None:
    with pytest.raises(Malformed) as refused:
        write_bank_file("B1", MONTH, [bad], total_fen=1)
    assert [(error.pointer, error.code) for error in refused.value.errors] == [(pointer, code)]


def test_a_rare_character_goes_to_gb18030_banks_and_is_refused_for_gbk_ones() -> None:
    rare = [item("a", 1, holder="陈示䶮𠅤")]
    assert read_bank_file(write_bank_file("B1", MONTH, rare, total_fen=1).content).lines[0].holder == "陈示䶮𠅤"
    with pytest.raises(Malformed) as refused:
        write_bank_file("B1", MONTH, rare, total_fen=1, profile="generic_gbk")
    assert "𠅤" in refused.value.errors[0].message


def test_an_unknown_profile_is_refused() -> None:
    with pytest.raises(Malformed) as refused:
        write_bank_file("B1", MONTH, [item("a", 1)], total_fen=1, profile="swift")
    assert refused.value.code == "bank_profile_unknown"


@pytest.mark.parametrize("holder", ["=1+1", "+86", "-2", "@SUM(A1)", "'=1", "＝1", '=HYPERLINK("x","y")'])
def test_no_cell_begins_like_a_formula_and_reading_gives_the_name_back(holder: str) -> None:
    content = write_bank_file("B1", MONTH, [item("a", 1, holder=holder)], total_fen=1).content
    assert rows_of(content)[1][2] == "'" + holder
    assert read_bank_file(content).lines[0].holder == holder


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "header_wrong"),
        (b"B1,2026-09,1,0.01,2\r\n1,7000000000000000018,x,0.01,,r\r\n", "header_wrong"),
        (b"B1,2026-13,1,0.01,1\r\n1,7000000000000000018,x,0.01,,r\r\n", "month_wrong"),
        (b"B1,2026-09,2,0.01,1\r\n1,7000000000000000018,x,0.01,,r\r\n", "sum_mismatch"),
        (b"B1,2026-09,1,0.02,2\r\n1,7000000000000000018,x,0.01,,r\r\n", "sum_mismatch"),
        (b"B1,2026-09,1,0.01,1\r\n2,7000000000000000018,x,0.01,,r\r\n", "sequence_wrong"),
        (b"B1,2026-09,1,0.01,1\r\n1,7000000000000000018,x,.01,,r\r\n", "amount_wrong"),
        (b"B1,2026-09,1,0.01,1\r\n1,7000000000000000018,x,0.01,r\r\n", "columns_wrong"),
        (b"B1,2026-09,1,0.01,1\r\n1,\xff,x,0.01,,r\r\n", "encoding_wrong"),
    ],
)
def test_a_file_that_was_tampered_with_is_not_read(content: bytes, code: str) -> None:
    with pytest.raises(Malformed) as refused:
        read_bank_file(content)
    assert [error.code for error in refused.value.errors] == [code]


def test_one_account_written_in_two_ways_is_one_line() -> None:
    file = write_bank_file("B1", MONTH, [item("a", 1, "7000 0000 00"), item("b", 2, "7000-000０00")], total_fen=3)
    assert [(line.account, line.amount_fen) for line in file.lines] == [("7000000000", 3)]


texts = st.text(st.characters(exclude_categories=["Cc", "Cs"]), max_size=12)
accounts = st.from_regex(r"[0-9]{6,19}", fullmatch=True)
payments = st.tuples(accounts, texts.map(str.strip).filter(bool), st.integers(1, 10**10), texts)


@given(st.lists(payments, max_size=20, unique_by=lambda payment: payment[0]))
def test_what_is_written_is_read_back(given_payments: list[tuple[str, str, int, str]]) -> None:
    items = [BankItem(str(number), *payment[:3], payment[3]) for number, payment in enumerate(given_payments)]
    file = write_bank_file("B1", MONTH, items, total_fen=sum(one.amount_fen for one in items))
    back = read_bank_file(file.content)
    assert (back.batch_no, back.pay_month, back.total_fen) == ("B1", MONTH, file.total_fen)
    assert [(line.account, line.holder, line.amount_fen, line.memo, line.reference) for line in back.lines] == [
        (line.account, line.holder, line.amount_fen, line.memo, line.reference) for line in file.lines
    ]
    assert sum(len(references) for references in file.item_references.values()) == len(items)
