"""Masks: the published shapes, and that no mask ever shows more than it says."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.security.fields import Field
from app.security.masking import mask, mask_address, mask_bank_account, mask_id_number, mask_phone


def test_id_numbers() -> None:
    assert mask_id_number("350702198001011234") == "3507**********1234"
    assert mask_id_number("11010519491231002X") == "1101**********002X"
    assert mask_id_number("110105491231002") == "1101*******1002"


def test_bank_accounts() -> None:
    assert mask_bank_account("6228480402564890018") == "***************0018"
    assert mask_bank_account("12345678") == "****5678"
    assert mask_bank_account("1234567") == "*******"


def test_phones() -> None:
    assert mask_phone("13812345678") == "138****5678"
    assert mask_phone("05998612345") == "*********45"
    assert mask_phone("1381234567890") == "***********90"
    assert mask_phone("110") == "***"


@pytest.mark.parametrize(
    ("plain", "masked"),
    [
        ("福建省南平市延平区梅山街道中山社区解放路12号3栋501室", "福建省南平市延平区梅山街道中山社区****"),
        ("延平区黄墩街道幸福村委会王家组8号", "延平区黄墩街道幸福村委会****"),
        ("延平区黄墩街道幸福村三组", "延平区黄墩街道幸福村****"),
        ("延平区梅山街道解放路一百二十号", "延平区梅山街道****"),
        ("江西省景德镇市昌江区新枫街道里村社区2栋", "江西省景德镇市昌江区新枫街道里村社区****"),
        ("延平区解放路12号", "延平区****"),
        ("解放路十二号院内居委会宿舍", "****"),
        ("解放路12号", "****"),
        ("１２号楼梅山街道中山社区", "****"),
        ("", ""),
    ],
)
def test_addresses(plain: str, masked: str) -> None:
    assert mask_address(plain) == masked


@pytest.mark.parametrize("empty", list(Field))
def test_nothing_stays_nothing_or_stars(empty: Field) -> None:
    assert set(mask(empty, "")) <= {"*"}


@pytest.mark.parametrize("field", [Field.STORED_ANSWER, Field.FILE, Field.NAME, Field.WEBHOOK_SECRET])
def test_fields_without_a_mask_are_hidden_whole(field: Field) -> None:
    assert mask(field, "secret value") == "****"


@pytest.mark.parametrize(("field", "shown"), [(Field.ID_NUMBER, 8), (Field.BANK_ACCOUNT, 4), (Field.PHONE, 7)])
@given(value=st.text("0123456789X", max_size=40))
def test_no_mask_shows_too_much(field: Field, shown: int, value: str) -> None:
    masked = mask(field, value)
    assert len(masked) == len(value)
    assert sum(character != "*" for character in masked) <= min(shown, len(value) * 2 / 3)


@given(st.text(st.sampled_from("延平区梅山街道中社村镇乡路号楼室栋12３"), max_size=30))
def test_no_address_shows_a_number(value: str) -> None:
    masked = mask_address(value)
    assert re.search(r"\d|号|室|栋", masked) is None
    assert value.startswith(masked.rstrip("*"))
    assert not value or masked.endswith("****")
