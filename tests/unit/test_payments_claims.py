"""From what is due to claims, lines and the bank file: the sums agree at every step."""

from __future__ import annotations

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.calendar import Month
from app.domain.errors import Malformed
from app.domain.identity import AccountKind
from app.domain.payments.bankfile import BankItem, read_bank_file, write_bank_file
from app.domain.payments.claims import claims_of, hold_reason, memo_of
from app.domain.payments.model import BatchRequest, Cause, DueLine, HeldReason, Payee
from tests.integration.payment_roll import card_number

SEPTEMBER = Month(2026, 9)
HOUSEHOLDS = st.integers(1, 6).map(lambda n: UUID(int=n))


def line(household: UUID, month: int = 9, component: str = "base", amount_fen: int = 100, programme: str = "dibao") -> DueLine:
    entitlement = UUID(int=household.int * 100 + len(programme))
    return DueLine(entitlement, programme, "350702001001", household, household, Month(2026, month), component, None, amount_fen)


def payee(household: UUID, account: str | None = None, **changes: object) -> Payee:
    values: dict[str, object] = {"account_kind": AccountKind.CARD, "account_holder": f"户主{household.int}"}
    return Payee(household, account or card_number(household.int), **(values | changes))  # type: ignore[arg-type]


due_lines = st.lists(
    st.builds(
        line,
        HOUSEHOLDS,
        st.integers(7, 9),
        st.sampled_from(["base", "uplift_elderly", "uplift_minor"]),
        st.integers(0, 10**7),
        st.sampled_from(["dibao", "old_age"]),
    ),
    unique_by=lambda one: (one.entitlement_id, one.benefit_month, one.component),
    max_size=40,
)


@given(due_lines, st.sets(HOUSEHOLDS))
def test_total_lines_and_components_sum_to_the_same(due: list[DueLine], without_account: set[UUID]) -> None:
    payees = {
        one.household_id: Payee(one.household_id) if one.household_id in without_account else payee(one.household_id)
        for one in due
    }
    claims = claims_of(due, payees, SEPTEMBER)
    assert sum(claim.amount_fen for claim in claims) == sum(one.amount_fen for one in due)
    assert all(one.amount_fen > 0 for claim in claims for one in claim.lines)
    keys = [(claim.benefit_month, claim.programme, claim.subject_id) for claim in claims]
    assert keys == sorted(set(keys))

    paid = [claim for claim in claims if claim.held_reason is None]
    assert {claim.household_id for claim in claims if claim.held_reason} <= without_account
    items = [
        BankItem(
            f"{number}-{place}",
            payees[claim.household_id].account or "",
            payees[claim.household_id].account_holder or "",
            one.amount_fen,
            memo_of(claim.programme, one.cause),
        )
        for number, claim in enumerate(paid)
        for place, one in enumerate(claim.lines)
    ]
    total_fen = sum(claim.amount_fen for claim in paid)
    file = read_bank_file(write_bank_file("B1", SEPTEMBER, items, total_fen=total_fen).content)
    assert file.total_fen == total_fen
    accounts = [payees[household].account for household in {claim.household_id for claim in paid}]
    assert sorted(one.account for one in file.lines) == sorted(filter(None, accounts))


def test_earlier_months_are_arrears_and_stand_apart() -> None:
    household = UUID(int=1)
    claims = claims_of([line(household, 9), line(household, 8)], {household: payee(household)}, SEPTEMBER)
    assert [(claim.benefit_month.month, claim.lines[0].cause) for claim in claims] == [(8, Cause.ARREARS), (9, Cause.REGULAR)]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({}, None),
        ({"account": None}, HeldReason.ACCOUNT_MISSING),
        ({"account": ""}, HeldReason.ACCOUNT_MISSING),
        ({"account_kind": None}, HeldReason.ACCOUNT_MISSING),
        ({"account": "7000000000000000012"}, HeldReason.ACCOUNT_INVALID),
        ({"account": "7000000000000000012", "account_kind": AccountKind.PASSBOOK}, None),
        ({"account": "12", "account_kind": AccountKind.PASSBOOK}, HeldReason.ACCOUNT_INVALID),
        ({"account": None, "readable": False}, HeldReason.ACCOUNT_UNREADABLE),
        ({"account_holder": None}, HeldReason.HOLDER_MISSING),
        ({"account_holder": "  "}, HeldReason.HOLDER_MISSING),
        ({"account_holder": "陈\n示芳"}, HeldReason.HOLDER_INVALID),
    ],
)
def test_why_a_payee_waits(changes: dict[str, object], reason: HeldReason | None) -> None:
    values: dict[str, object] = {"account": card_number(1), "account_kind": AccountKind.CARD, "account_holder": "陈示芳"}
    assert hold_reason(Payee(UUID(int=1), **(values | changes))) is reason  # type: ignore[arg-type]


def test_a_household_whose_payee_is_unknown_waits() -> None:
    (claim,) = claims_of([line(UUID(int=1))], {}, SEPTEMBER)
    assert claim.held_reason is HeldReason.ACCOUNT_MISSING


def test_everything_wrong_with_a_period_is_told_at_once() -> None:
    request = BatchRequest("350702", Month(2026, 9), Month(2026, 8), Month(2026, 7), ("dibao",))
    with pytest.raises(Malformed) as refused:
        request.check()
    assert [error.code for error in refused.value.errors] == ["period_reversed", "period_after_pay_month"]


def test_a_period_holds_both_ends() -> None:
    request = BatchRequest("350702", Month(2025, 11), Month(2026, 1), Month(2026, 1), ("dibao",))
    assert [str(month) for month in request.months] == ["2025-11", "2025-12", "2026-01"]
