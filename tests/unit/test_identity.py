"""Numbers and names: the examples of the standards, one fault per cause, and properties over generated numbers."""

from __future__ import annotations

import contextlib
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.errors import Malformed
from app.domain.identity import (
    AccountKind,
    IdentityFault,
    checksum_character,
    find_name_fault,
    names_match,
    normalise_bank_account,
    normalise_id_number,
    normalise_name,
    normalise_phone,
    parse_bank_account,
    parse_disability_certificate,
    parse_id_number,
    parse_phone,
    passes_luhn,
    require_id_number,
    upgrade_old_id_number,
)

VALID = "34052419800101001X"


@st.composite
def id_numbers(draw: st.DrawFn) -> str:
    area = draw(st.sampled_from(["110105", "350702", "610402", "810000", "820000", "830000", "911156"]))
    born = draw(st.dates(date(1900, 1, 1), date(2026, 12, 31)))
    digits = f"{area}{born:%Y%m%d}{draw(st.integers(0, 999)):03}"
    return digits + checksum_character(digits)


def fault_of(raw: str, *, as_of: date | None = None) -> str:
    with pytest.raises(IdentityFault) as caught:
        parse_id_number(raw, as_of=as_of)
    assert raw.strip() == "" or raw not in caught.value.message, "messages reach logs: never the number itself"
    return caught.value.code


@pytest.mark.parametrize(
    ("raw", "value", "born", "gender"),
    [
        ("11010519491231002X", "11010519491231002X", date(1949, 12, 31), "female"),
        ("11010519491231002x", "11010519491231002X", date(1949, 12, 31), "female"),
        ("34052419800101001X", "34052419800101001X", date(1980, 1, 1), "male"),
        ("610402195001010026", "610402195001010026", date(1950, 1, 1), "female"),
        ("610404201202290037", "610404201202290037", date(2012, 2, 29), "male"),
        ("610404198806151113", "610404198806151113", date(1988, 6, 15), "male"),
        ("１１０１０５１９４９１２３１００２ｘ", "11010519491231002X", date(1949, 12, 31), "female"),
        ("\u3000110105 19491231\t002x\u200b\ufeff", "11010519491231002X", date(1949, 12, 31), "female"),
    ],
)
def test_valid_numbers_of_the_standard(raw: str, value: str, born: date, gender: str) -> None:
    number = parse_id_number(raw)
    assert (number.value, number.birth_date, number.gender) == (value, born, gender)


@pytest.mark.parametrize(
    ("digits", "total", "character"),
    [
        ("11010519491231002", 167, "X"),
        ("34052419800101001", 189, "X"),
        ("61040219500101002", 138, "6"),
        ("61040420120229003", 192, "7"),
        ("61040419880615111", 273, "3"),
    ],
)
def test_checksum_examples(digits: str, total: int, character: str) -> None:
    assert "10X98765432"[total % 11] == character == checksum_character(digits)


def test_each_cause_has_its_own_code() -> None:
    assert fault_of("610404198806151114") == "id_number_checksum"
    assert fault_of("6104041988061511") == "id_number_length"
    assert fault_of("6104041988061511134") == "id_number_length"
    assert fault_of("") == "id_number_length"
    assert fault_of(" \u3000 ") == "id_number_length"
    assert fault_of("61040419880615111O") == "id_number_characters"
    assert fault_of("6104O4198806151113") == "id_number_characters"
    assert fault_of("3405241980010100١X") == "id_number_characters", "Arabic-Indic digits are not digits here"
    assert fault_of("34052419800101001\u0425") == "id_number_characters", "the Cyrillic letter is not an X"
    assert fault_of("1X010519491231002X") == "id_number_characters"
    assert fault_of("6104**********1113") == "id_number_characters"
    assert fault_of("6104****1113") == "id_number_characters"
    assert fault_of("610404880615111") == "id_number_old"
    assert fault_of("000000198001010018") == "id_number_area"
    assert fault_of("610404198813151113") == "id_number_date"
    assert fault_of("610404000006151113") == "id_number_date"
    assert fault_of("610404178806151113") == "id_number_date"


@pytest.mark.parametrize("last", [*"0123456789Xx?"])
def test_the_date_is_reported_before_the_checksum(last: str) -> None:
    assert fault_of("61040420130229003" + last) == "id_number_date"


def test_births_after_the_given_day_are_refused() -> None:
    assert parse_id_number(VALID, as_of=date(1980, 1, 1)).birth_date == date(1980, 1, 1)
    assert fault_of(VALID, as_of=date(1979, 12, 31)) == "id_number_date"


@pytest.mark.parametrize("prefix", ["810000", "820000", "830000", "911156"])
def test_residence_permits_and_foreigners_follow_the_same_checksum(prefix: str) -> None:
    digits = f"{prefix}19900307001"
    assert parse_id_number(digits + checksum_character(digits)).gender == "male"


def test_old_numbers_are_upgraded_for_history_only() -> None:
    assert upgrade_old_id_number("110105491231002").value == "11010519491231002X"
    with pytest.raises(IdentityFault, match="15 位"):
        upgrade_old_id_number("11010549123100")
    with pytest.raises(IdentityFault) as caught:
        upgrade_old_id_number("110105491331002")
    assert caught.value.code == "id_number_date"


def test_malformed_input_names_the_field() -> None:
    with pytest.raises(Malformed) as caught:
        require_id_number("610404198806151114", pointer="/members/0/id_number")
    assert [(e.pointer, e.code) for e in caught.value.errors] == [("/members/0/id_number", "id_number_checksum")]


@given(id_numbers())
def test_generated_numbers_pass_and_tell_their_birth(number: str) -> None:
    parsed = parse_id_number(number)
    assert f"{parsed.birth_date:%Y%m%d}" == number[6:14]
    assert parsed.gender == ("male" if int(number[16]) % 2 else "female")


@given(id_numbers(), st.integers(0, 17), st.sampled_from("0123456789X"))
def test_every_single_wrong_character_is_found(number: str, place: int, other: str) -> None:
    wrong = number[:place] + other + number[place + 1 :]
    if wrong != number:
        assert fault_of(wrong)


@given(id_numbers(), st.integers(0, 16))
def test_every_swap_of_neighbours_is_found(number: str, place: int) -> None:
    wrong = number[:place] + number[place + 1] + number[place] + number[place + 2 :]
    if wrong != number:
        assert fault_of(wrong)


@given(st.text(max_size=40))
def test_any_text_is_a_number_or_a_fault(text: str) -> None:
    for parse in (parse_id_number, parse_phone, parse_disability_certificate, upgrade_old_id_number):
        with contextlib.suppress(IdentityFault):
            parse(text)


@given(st.text(max_size=20))
def test_normalising_twice_changes_nothing(text: str) -> None:
    for normalise in (normalise_id_number, normalise_bank_account, normalise_name):
        assert normalise(normalise(text)) == normalise(text)


# 残疾人证号


def test_disability_certificates() -> None:
    found = parse_disability_certificate(VALID + "42", id_number=VALID.lower(), category=4, grade=2)
    assert (found.id_number.value, found.category, found.grade, found.reissue) == (VALID, 4, 2, 0)
    assert parse_disability_certificate(VALID + "71b2").reissue == 2


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (VALID, "disability_certificate_length"),
        (VALID + "4", "disability_certificate_length"),
        (VALID + "421", "disability_certificate_length"),
        (VALID[:6] + "********" + VALID[14:] + "42", "disability_certificate_characters"),
        ("3507**********42", "disability_certificate_characters"),
        (VALID + "42B0", "disability_certificate_length"),
        (VALID + "42B١", "disability_certificate_length"),
        (VALID + "82", "disability_certificate_kind"),
        (VALID + "45", "disability_certificate_kind"),
        (VALID + "00", "disability_certificate_kind"),
        ("34052419800101001042", "id_number_checksum"),
    ],
)
def test_wrong_disability_certificates(raw: str, code: str) -> None:
    with pytest.raises(IdentityFault) as caught:
        parse_disability_certificate(raw)
    assert caught.value.code == code


def test_a_certificate_must_agree_with_its_holder() -> None:
    for claim, code in (
        ({"id_number": "11010519491231002X"}, "holder"),
        ({"category": 3}, "category"),
        ({"grade": 1}, "grade"),
    ):
        with pytest.raises(IdentityFault) as caught:
            parse_disability_certificate(VALID + "42", **claim)
        assert caught.value.code == f"disability_certificate_{code}"


# accounts and phones


@pytest.mark.parametrize("number", ["6228480402564890018", "621700001001234567" + "7"])
def test_cards_of_the_standard(number: str) -> None:
    assert parse_bank_account(" ".join((number[:4], number[4:])), AccountKind.CARD) == number


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        ("6228480402564890019", "bank_account_checksum"),
        ("622848040256489", "bank_account_length"),
        ("62284804025648900180", "bank_account_length"),
        ("6.22848E+18", "bank_account_characters"),
        ("٦228480402564890018", "bank_account_characters"),
        ("", "bank_account_characters"),
    ],
)
def test_wrong_cards(raw: str, code: str) -> None:
    with pytest.raises(IdentityFault) as caught:
        parse_bank_account(raw, AccountKind.CARD)
    assert caught.value.code == code


@pytest.mark.parametrize("kind", [kind for kind in AccountKind if kind is not AccountKind.CARD])
def test_other_accounts_need_no_checksum(kind: AccountKind) -> None:
    assert parse_bank_account("13-910101040012345", kind) == "13910101040012345"
    for wrong in ("1234", "1" * 33, "1234*5678", ""):
        with pytest.raises(IdentityFault):
            parse_bank_account(wrong, kind)


@given(st.text("0123456789", min_size=15, max_size=18))
def test_exactly_one_last_digit_passes_luhn(digits: str) -> None:
    assert sum(passes_luhn(digits + last) for last in "0123456789") == 1


def test_luhn_refuses_what_is_no_digit() -> None:
    assert not passes_luhn("")
    assert not passes_luhn("²²²²²²²²²²²²²²²²")


def test_phones() -> None:
    assert parse_phone("+86 138-1234-5678") == "13812345678"
    assert parse_phone("（0599）8612345") == "05998612345"
    assert normalise_phone("0086１３８１２３４５６７８") == "13812345678"
    for wrong in ("12812345678", "1381234567", "138123456789", "8612345", "1381234567a", ""):
        with pytest.raises(IdentityFault) as caught:
            parse_phone(wrong)
        assert caught.value.code == "phone_format"


# names


@pytest.mark.parametrize("dot", [*"·•．.・･‧∙⋅"])
def test_every_middle_dot_is_one_dot(dot: str) -> None:
    assert names_match(f"买买提{dot}吐尔逊", "买买提·吐尔逊")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("欧阳 小明", "欧阳小明"),
        ("欧阳\u3000小明 ", "欧阳小明"),
        ("Ｌｉ Ｍｉｎｇ", "LIMING"),
        ("\uf9d1明", "六明"),  # a compatibility ideograph
        ("张\ue863", "张䶮"),  # where GBK banks have 䶮
        ("张\ue831", "张\U000215d7"),
        ("张\ue854", "张\u9fba"),
    ],
)
def test_spellings_of_one_name(one: str, other: str) -> None:
    assert names_match(one, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [("张三", "章三"), ("买买提·吐尔逊", "买买提吐尔逊"), ("", ""), ("\u200b", " "), ("张三", "张三丰")],
)
def test_different_names_stay_different(one: str, other: str) -> None:
    assert not names_match(one, other)


@pytest.mark.parametrize(
    ("name", "says"),
    [
        (" \u3000", "不能为空白"),
        ("陈*", "星号"),
        ("陈＊", "星号"),
        ("123", "只有数字或符号"),
        ("=1+1", "只有数字或符号"),
        ("复现123456", "删去数字"),
        ("张三、李四", "每格只填一人"),
        ("张\t三", "不可见字符"),
    ],
)
def test_a_wrong_name_is_told_what_is_wrong_with_it(name: str, says: str) -> None:
    fault = find_name_fault(name)
    assert fault is not None
    assert says in fault
    assert "123" not in fault


def test_only_the_name_of_a_body_may_enumerate() -> None:
    assert find_name_fault("某村、某村联合社 123456", of_one_person=False) is None
    assert find_name_fault("张三2") is None
