"""Numbers and names that identify people: 公民身份号码 (GB 11643), 残疾人证号, bank accounts, phone numbers, names.

Every check names its own cause. What a person or a file wrote is kept as written; the normalised form is for comparing,
indexing and storing the numbers. No message repeats the number: messages reach logs and error files.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final, Literal

from app.domain.errors import FieldError, Malformed

_WEIGHTS: Final = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECK_CHARACTERS: Final = "10X98765432"
_EARLIEST_BIRTH_YEAR: Final = 1850
LENGTH: Final = 18
OLD_LENGTH: Final = 15
CERTIFICATE_LENGTH: Final = 20
CARD_LENGTHS: Final = range(16, 20)
_DIGITS: Final = frozenset("0123456789")

_WIDTH: Final = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}  # full width to half width
_INVISIBLE: Final = dict.fromkeys(map(ord, "\u00ad\u200b\u200c\u200d\u200e\u200f\u202a\u202c\u202d\u2060\ufeff"))
_DOTS: Final = dict.fromkeys(map(ord, ".·•‧∙⋅●⦁・･᛫⸱．﹒ꞏ"), "·")

Gender = Literal["male", "female"]


class IdentityFault(ValueError):
    """A number that can't be right; ``code`` is stable, ``message`` is Chinese and says what to do."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message

    def at(self, pointer: str) -> FieldError:
        """The same fault as one field of a malformed input."""
        return FieldError(pointer, self.code, self.message)


@dataclass(frozen=True, slots=True)
class IdNumber:
    """A number that passed every check of GB 11643. Its area code is where it was first issued, not where the person lives."""

    value: str
    birth_date: date
    gender: Gender


def _narrow(raw: str) -> str:
    """Half width, upper case, without anything invisible or blank; other scripts' digits stay what they are (wrong)."""
    return "".join(raw.translate(_WIDTH).translate(_INVISIBLE).split()).upper()


def _is_digits(text: str) -> bool:
    return bool(text) and _DIGITS.issuperset(text)


# 公民身份号码


def normalise_id_number(raw: str) -> str:
    """Half-width, no blanks inside, x → X. Checks nothing."""
    return _narrow(raw)


def checksum_character(first_17: str) -> str:
    """The 18th character for 17 digits (ISO 7064 MOD 11-2)."""
    total = sum(int(digit) * weight for digit, weight in zip(first_17, _WEIGHTS, strict=True))
    return _CHECK_CHARACTERS[total % 11]


def parse_id_number(raw: str, *, as_of: date | None = None) -> IdNumber:
    """Check a number as written. Raises `IdentityFault`, the date before the checksum.

    Residence permits for 港澳台 (81, 82, 83) and foreigners' permanent residence numbers (9…) follow the same rules; no
    list of area codes is consulted, because a code may be newer than the birth or abolished since. ``as_of``: refuse
    births after this day.
    """
    value = normalise_id_number(raw)
    _refuse_length(value)
    digits, check = value[:17], value[17]
    if not _is_digits(digits):
        raise IdentityFault("id_number_characters", "身份证号前 17 位只能是数字，请核对是否误写了字母或符号。")
    if digits[0] == "0":
        raise IdentityFault("id_number_area", "身份证号不会以 0 开头，请核对证件原件。")
    born = _birth_date(digits[6:14], as_of)
    if check not in _CHECK_CHARACTERS:
        raise IdentityFault("id_number_characters", "身份证号最后一位只能是数字或 X，请核对证件原件。")
    if checksum_character(digits) != check:
        raise IdentityFault("id_number_checksum", "身份证号校验位不符，多半有一位写错，请对照证件逐位核对。")
    return IdNumber(value, born, "male" if int(digits[16]) % 2 else "female")


def _refuse_length(value: str) -> None:
    if not value:
        raise IdentityFault("id_number_length", "请填写 18 位身份证号。")
    if "*" in value:
        raise IdentityFault("id_number_characters", "身份证号含有星号，是脱敏后的号码；请填写完整号码。")
    if len(value) == OLD_LENGTH and _is_digits(value):
        raise IdentityFault("id_number_old", "这是 15 位旧身份证号，不能用于登记；请填写现用的 18 位号码。")
    if len(value) != LENGTH:
        raise IdentityFault("id_number_length", f"身份证号应为 18 位，现为 {len(value)} 位，请补全或删去多余字符。")


def _birth_date(text: str, as_of: date | None) -> date:
    try:
        born = date(int(text[:4]), int(text[4:6]), int(text[6:]))
    except ValueError:
        raise IdentityFault("id_number_date", "身份证号中的出生日期不存在，请核对第 7 至 14 位。") from None
    if born.year < _EARLIEST_BIRTH_YEAR or (as_of is not None and born > as_of):
        raise IdentityFault("id_number_date", "身份证号中的出生日期过早或在将来，请核对第 7 至 14 位。")
    return born


def require_id_number(raw: str, *, pointer: str = "/id_number", as_of: date | None = None) -> IdNumber:
    """Like `parse_id_number`, for input of the API. Raises `Malformed` naming the field."""
    try:
        return parse_id_number(raw, as_of=as_of)
    except IdentityFault as fault:
        raise Malformed("malformed", fault.message, errors=[fault.at(pointer)]) from None


def upgrade_old_id_number(raw: str) -> IdNumber:
    """The 18-digit form of a 15-digit number, for historical imports only: "19" goes in, the check character is computed.

    Never a key: the number that the police issued afterwards may differ (sequences 996–999 meant births before 1900).
    Raises `IdentityFault`.
    """
    old = normalise_id_number(raw)
    if len(old) != OLD_LENGTH or not _is_digits(old):
        raise IdentityFault("id_number_length", "旧身份证号应为 15 位数字，请核对。")
    digits = f"{old[:6]}19{old[6:]}"
    return parse_id_number(digits + checksum_character(digits))


# 残疾人证号


@dataclass(frozen=True, slots=True)
class DisabilityCertificate:
    """20 characters: ID number, category 1–7, grade 1–4 (GB/T 26341); ``reissue`` counts B1, B2 … (0 = first issue)."""

    value: str
    id_number: IdNumber
    category: int
    grade: int
    reissue: int


DISABILITY_CATEGORIES: Final[dict[int, str]] = {
    1: "vision",
    2: "hearing",
    3: "speech",
    4: "physical",
    5: "intellectual",
    6: "mental",
    7: "multiple",
}
_REISSUE: Final = re.compile(r"B([1-9]\d?)", re.ASCII)


def parse_disability_certificate(
    raw: str, *, id_number: str | None = None, category: int | None = None, grade: int | None = None
) -> DisabilityCertificate:
    """Check a certificate number and, where given, that holder, category and grade agree with it. Raises `IdentityFault`."""
    value = _narrow(raw)
    if "*" in value:
        raise IdentityFault("disability_certificate_characters", "残疾人证号含有星号，是脱敏后的号码；请填写完整号码。")
    number, kind, suffix = value[:LENGTH], value[LENGTH:CERTIFICATE_LENGTH], value[CERTIFICATE_LENGTH:]
    reissue = _REISSUE.fullmatch(suffix)
    if len(value) < CERTIFICATE_LENGTH or (suffix and reissue is None):
        raise IdentityFault("disability_certificate_length", "残疾人证号应为 20 位（补发的另加 B 和次数），请核对证件。")
    holder = parse_id_number(number)
    if kind[0] not in "1234567" or kind[1] not in "1234":
        raise IdentityFault("disability_certificate_kind", "残疾人证号第 19 位应为类别 1–7，第 20 位应为等级 1–4，请核对。")
    found = DisabilityCertificate(value, holder, int(kind[0]), int(kind[1]), int(reissue[1]) if reissue else 0)
    _refuse_other_holder(found, id_number, category, grade)
    return found


def _refuse_other_holder(found: DisabilityCertificate, id_number: str | None, category: int | None, grade: int | None) -> None:
    if id_number is not None and normalise_id_number(id_number) != found.id_number.value:
        raise IdentityFault("disability_certificate_holder", "残疾人证号与本人身份证号不一致，请核对是否填了他人证件。")
    if category is not None and category != found.category:
        raise IdentityFault("disability_certificate_category", "残疾人证号中的类别与登记的残疾类别不一致，请核对证件。")
    if grade is not None and grade != found.grade:
        raise IdentityFault("disability_certificate_grade", "残疾人证号中的等级与登记的残疾等级不一致，请核对证件。")


# bank accounts and phones


class AccountKind(StrEnum):
    """What an account number is: only cards follow ISO/IEC 7812."""

    CARD = "card"  # 银行卡
    PASSBOOK = "passbook"  # 存折
    CORPORATE = "corporate"  # 对公账户
    SOCIAL_SECURITY_CARD = "social_security_card"  # 社保卡: formats are local; the bank's own check decides


def normalise_bank_account(raw: str) -> str:
    """Half-width, without blanks and hyphens. Checks nothing."""
    return _narrow(raw).replace("-", "")


_LUHN_DOUBLED: Final = bytes.maketrans(b"0123456789", b"0246813579")  # doubled, the digits of what is above nine added


def passes_luhn(digits: str) -> bool:
    """ISO/IEC 7812 check of a string of ASCII digits."""
    if not _is_digits(digits):
        return False
    characters = digits.encode("ascii")
    total = sum(characters[-1::-2]) + sum(characters[-2::-2].translate(_LUHN_DOUBLED)) - len(characters) * ord("0")
    return total % 10 == 0


def parse_bank_account(raw: str, kind: AccountKind) -> str:
    """The normalised account number. A card has 16–19 digits and passes Luhn; other kinds 5–32 letters or digits.

    Raises `IdentityFault`.
    """
    value = normalise_bank_account(raw)
    if kind is AccountKind.CARD:
        _refuse_card(value)
    elif not re.fullmatch(r"[0-9A-Z]{5,32}", value):
        raise IdentityFault("bank_account_characters", "账号应为 5 至 32 位数字或字母，请对照存折或开户证明核对。")
    return value


def _refuse_card(value: str) -> None:
    if not _is_digits(value):
        raise IdentityFault("bank_account_characters", "银行卡号只能是数字，请核对；表格中请把该列设为文本。")
    if len(value) not in CARD_LENGTHS:
        raise IdentityFault("bank_account_length", f"银行卡号应为 16 至 19 位，现为 {len(value)} 位；若是存折请改账户类型。")
    if not passes_luhn(value):
        raise IdentityFault("bank_account_checksum", "银行卡号校验不符，多半有一位写错，请对照卡面核对；若是存折请改账户类型。")


def normalise_phone(raw: str) -> str:
    """Half-width digits without blanks, hyphens, brackets and the prefix +86/0086. Checks nothing."""
    bare = re.sub(r"[-()]", "", _narrow(raw))
    return re.sub(r"^(\+86|0086)", "", bare)


def parse_phone(raw: str) -> str:
    """A mobile number (11 digits from 1) or a landline with its area code (10–12 digits from 0). Raises `IdentityFault`."""
    value = normalise_phone(raw)
    if not re.fullmatch(r"1[3-9][0-9]{9}|0[1-9][0-9]{8,10}", value):
        raise IdentityFault("phone_format", "电话应为 11 位手机号，或带区号的固定电话，请核对。")
    return value


# free text

# Days and amounts of money belong to what was seen; what is left with seven digits or more, however they are set apart, is an
# ID number, a telephone or an account.
_DAY: Final = re.compile(r"\d{4}\s?[-—年/.]\s?\d{1,2}\s?[-—月/.]\s?\d{1,2}")
_AMOUNT: Final = re.compile(r"(?<!\d)\d{1,9}(?:\.\d+)?\s?(?:元|万|块|平方米|㎡)")
_NUMBER_LIKE: Final = re.compile(r"\d(?:[\s\-－—–·.]?\d){6,}")


def mentions_number(text: str) -> bool:
    """Whether free text holds what looks like an ID number, a telephone or an account: those belong into sealed fields."""
    return _NUMBER_LIKE.search(_AMOUNT.sub("", _DAY.sub("", text))) is not None


# names


def _moved_characters() -> dict[int, str]:
    """Rare characters that older GBK systems (many banks) hold in the private use area, to where GB 18030-2022 has them.

    The zone FE50–FEA0 of GBK was U+E815 … in order; the codec knows most of them, the last fourteen came later.
    """
    trails = [*range(0x50, 0x7F), *range(0x80, 0xA1)]
    moved = {0xE815 + place: bytes((0xFE, trail)).decode("gb18030") for place, trail in enumerate(trails)}
    later = "E816:20087 E817:20089 E818:200CC E81E:9FB4 E826:9FB5 E82B:9FB6 E82C:9FB7 E831:215D7 E832:9FB8 E83B:2298F "
    later += "E843:9FB9 E854:9FBA E855:241FE E864:9FBB"
    pairs = (pair.split(":") for pair in later.split())
    return moved | {int(old, 16): chr(int(new, 16)) for old, new in pairs}


_MOVED: Final = _moved_characters()


def normalise_name(raw: str) -> str:
    """The form to compare names in; what was written is kept beside it.

    One kind of middle dot (·, •, ．, ・ …), no blanks, half-width capitals, compatibility and once-private characters at
    their place in GB 18030-2022. Different characters stay different: 张 is not 章.
    """
    placed = raw.translate(_MOVED).translate(_DOTS).translate(_INVISIBLE)
    capitals = _narrow(unicodedata.normalize("NFKC", placed))  # capitals may come decomposed
    return _narrow(unicodedata.normalize("NFKC", capitals)).translate(_DOTS)


def names_match(one: str, other: str) -> bool:
    """Whether two spellings are the same name; an empty name matches nothing."""
    normalised = normalise_name(one)
    return bool(normalised) and normalised == normalise_name(other)


_INVISIBLE_IN_NAMES: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff]")
_SEVERAL: Final = re.compile(r"[,，;；、]")
_LONG_NUMBER: Final = re.compile(r"[0-9０-９]{6}")


def find_name_fault(name: str, *, of_one_person: bool = True) -> str | None:
    """What is wrong with a name as written, in Chinese; None when it may be one.

    The same wherever names come in: what one door lets in, the others don't refuse. ``of_one_person``: not of a body, whose
    name may enumerate.
    """
    if not normalise_name(name):
        return "请填写完整姓名，不能为空白。"
    if "*" in name or "＊" in name:
        return "姓名含有星号，是脱敏后的姓名；请填写完整姓名。"
    if not any(map(str.isalpha, name)):
        return "姓名中只有数字或符号，没有文字；请核对是否填错列，并填写完整姓名。"
    if _INVISIBLE_IN_NAMES.search(name):
        return "姓名含有换行、制表符等不可见字符，请删除后重新填写。"
    return _more_than_a_name(name) if of_one_person else None


def _more_than_a_name(name: str) -> str | None:
    if _LONG_NUMBER.search(name):
        return "姓名中混有号码；请删去数字，只留姓名，并核对是否填错列。"
    if _SEVERAL.search(name):
        return "姓名含有逗号、顿号或分号；每格只填一人，并请核对是否填错列。"
    return None
