"""What a clerk enters, and the checks that need nothing but the entry itself and the day.

Every check answers with all its findings at once, each naming its own cause, so that a form is corrected in one go.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from app.domain.areas import is_area_code
from app.domain.errors import FieldError, Malformed
from app.domain.identity import (
    DISABILITY_CATEGORIES,
    AccountKind,
    IdentityFault,
    IdNumber,
    find_name_fault,
    parse_bank_account,
    parse_disability_certificate,
    parse_id_number,
    parse_phone,
)
from app.domain.registry.model import DisabilityCategory, Employment, MaritalStatus, Relation, Residence, Study
from app.domain.registry.relations import Relative, contradictions

_CATEGORY_NUMBERS = {name: number for number, name in DISABILITY_CATEGORIES.items()}
_NUMBER_LIKE = re.compile(r"\d{5,}")
GENERATED_NO = re.compile(r"(\d{12})-\d{6}", re.ASCII)


@dataclass(frozen=True, slots=True)
class DisabilityEntry:
    """A disability as entered, with the plain certificate number."""

    category: DisabilityCategory
    grade: int
    needs_care: bool = False
    certificate_no: str | None = None


@dataclass(frozen=True, slots=True)
class PersonDetails:
    """Everything about a person that may change later."""

    name: str
    residence: Residence
    hukou_area_code: str | None = None
    phone: str | None = None
    address: str | None = None
    ethnicity: str | None = None
    marital_status: MaritalStatus | None = None
    disability: DisabilityEntry | None = None
    employment: Employment | None = None
    study: Study | None = None
    serious_illness: bool = False
    survival_confirmed_on: date | None = None


#: Details that are facts over time; the others stand on the person himself.
FACT_KINDS = ("disability", "employment", "study", "serious_illness", "survival_confirmed_on")


@dataclass(frozen=True, slots=True)
class Registration:
    """A person to be registered in a community. The number is checked: it gives birth date and gender.

    Disability, employment, study, illness and the confirmation of being alive hold from ``valid_from`` on.
    """

    id_number: IdNumber
    area_code: str
    details: PersonDetails
    valid_from: date


@dataclass(frozen=True, slots=True)
class PersonChange:
    """New details of a person; only the fields in ``given`` change. Facts hold from ``valid_from`` on."""

    given: frozenset[str]
    details: PersonDetails
    valid_from: date


@dataclass(frozen=True, slots=True)
class AccountEntry:
    """The bank account that money for a household goes to, as entered."""

    bank_name: str
    account_number: str
    account_holder: str
    account_kind: AccountKind


@dataclass(frozen=True, slots=True)
class MemberEntry:
    """Somebody who joins. ``move`` ends his membership elsewhere on the same day, in the same act."""

    person_id: UUID
    relation: Relation
    since: date
    move: bool = False


@dataclass(frozen=True, slots=True)
class HouseholdDetails:
    """Everything about a household that may change later, besides its members."""

    residence: Residence
    address: str | None = None
    account: AccountEntry | None = None


@dataclass(frozen=True, slots=True)
class HouseholdChange:
    """New details of a household; only the fields in ``given`` change."""

    given: frozenset[str]
    details: HouseholdDetails


@dataclass(frozen=True, slots=True)
class HouseholdEntry:
    """A household to be opened; without ``household_no`` it gets the next number of its community."""

    household_no: str | None
    area_code: str
    details: HouseholdDetails
    members: tuple[MemberEntry, ...]


def malformed(errors: Sequence[FieldError]) -> Malformed:
    """All findings about one entry."""
    return Malformed("malformed_request", f"有 {len(errors)} 处填写有误，请按 errors 中的提示逐项更正后重新提交。", errors=errors)


def check_registration(id_number: str, area_code: str, details: PersonDetails, *, valid_from: date, today: date) -> Registration:
    """The registration with its number checked. Raises ``Malformed`` with every finding."""
    try:
        number = parse_id_number(id_number, as_of=today)
    except IdentityFault as fault:
        raise malformed([fault.at("/id_number"), *detail_errors(details, None)]) from None
    errors = detail_errors(details, number.value) + day_errors(details, valid_from, number.birth_date, today)
    if errors:
        raise malformed(errors)
    return Registration(number, area_code, details, valid_from)


def check_number(raw: str, *, today: date) -> IdNumber:
    """An ID number to search by. Raises ``Malformed`` naming the cause."""
    try:
        return parse_id_number(raw, as_of=today)
    except IdentityFault as fault:
        raise malformed([fault.at("/id_number")]) from None


def check_change(change: PersonChange, *, id_number: str, birth_date: date, today: date) -> None:
    """Raises ``Malformed`` with every finding."""
    errors = detail_errors(change.details, id_number) + day_errors(change.details, change.valid_from, birth_date, today)
    errors = [error for error in errors if error.pointer != "/name" or "name" in change.given]
    if errors:
        raise malformed(errors)


def day_errors(details: PersonDetails, valid_from: date, birth_date: date, today: date) -> list[FieldError]:
    """Nobody is confirmed alive ahead of time."""
    confirmed = details.survival_confirmed_on
    errors = [] if confirmed is None else since_errors(confirmed, today, "/survival_confirmed_on")
    return valid_from_errors(valid_from, birth_date, today) + errors


def valid_from_errors(day: date, birth_date: date, today: date) -> list[FieldError]:
    if day < birth_date:
        return [FieldError("/valid_from", "before_birth", "生效日期早于出生日期，请核对。")]
    return since_errors(day, today, "/valid_from")


def detail_errors(details: PersonDetails, id_number: str | None) -> list[FieldError]:
    """Findings about the details; ``id_number`` (when known) must be the certificate holder's."""
    errors = [*_name_errors(details.name), *_phone_errors(details.phone), *address_errors(details.address)]
    if details.hukou_area_code is not None and not is_area_code(details.hukou_area_code):
        errors.append(FieldError("/hukou_area_code", "area_code_malformed", "户籍区划代码不正确，应为 6、9 或 12 位代码。"))
    if details.disability is not None:
        errors += _certificate_errors(details.disability, id_number)
    return errors


def _name_errors(name: str) -> list[FieldError]:
    fault = find_name_fault(name)
    return [] if fault is None else [FieldError("/name", "name_wrong", fault)]


def _phone_errors(phone: str | None) -> list[FieldError]:
    if phone is None:
        return []
    try:
        parse_phone(phone)
    except IdentityFault as fault:
        return [fault.at("/phone")]
    return []


def address_errors(address: str | None) -> list[FieldError]:
    """A masked address sent back as it was read must not overwrite the real one."""
    if address is not None and "*" in address:
        return [
            FieldError("/address", "address_masked", "住址含有星号，是脱敏后的内容；请填写完整住址，不修改则不要提交该字段。")
        ]
    return []


def _certificate_errors(entry: DisabilityEntry, id_number: str | None) -> list[FieldError]:
    if entry.certificate_no is None:
        return []
    try:
        parse_disability_certificate(
            entry.certificate_no, id_number=id_number, category=_CATEGORY_NUMBERS[entry.category], grade=entry.grade
        )
    except IdentityFault as fault:
        return [fault.at("/disability/certificate_no")]
    return []


def account_errors(account: AccountEntry | None) -> list[FieldError]:
    if account is None:
        return []
    try:
        parse_bank_account(account.account_number, account.account_kind)
    except IdentityFault as fault:
        return [fault.at("/account/account_number")]
    return []


def check_household(entry: HouseholdEntry, *, today: date) -> None:
    """Number, address, account and members of a new household. Raises ``Malformed`` with every finding."""
    errors = [*address_errors(entry.details.address), *account_errors(entry.details.account)]
    generated = GENERATED_NO.fullmatch(entry.household_no or "")
    if generated and generated[1] != entry.area_code:
        errors.append(
            FieldError("/household_no", "household_no_reserved", "此编号格式由系统按村（社区）生成，请改用其他编号或留空。")
        )
    heads = sum(member.relation == "head" for member in entry.members)
    if heads != 1:
        errors.append(FieldError("/members", "one_head_required", f"每户须有且只有一名户主，现为 {heads} 名，请更正。"))
    for place, member in enumerate(entry.members):
        errors += since_errors(member.since, today, f"/members/{place}/since")
        if any(other.person_id == member.person_id for other in entry.members[:place]):
            errors.append(FieldError(f"/members/{place}/person_id", "repeated", "同一人填写了两次，请删除重复的一行。"))
    if errors:
        raise malformed(errors)


def check_entered_relations(members: Sequence[MemberEntry], births: Mapping[UUID, date]) -> None:
    """The members of a new household against its head. Raises ``Malformed`` with every finding."""
    found = contradictions([Relative(member.relation, births.get(member.person_id)) for member in members])
    if found:
        raise malformed([FieldError(f"/members/{place}/relation", what, what.advice) for place, what in sorted(found.items())])


def check_household_change(details: HouseholdDetails) -> None:
    """Raises ``Malformed`` with every finding."""
    errors = [*address_errors(details.address), *account_errors(details.account)]
    if errors:
        raise malformed(errors)


def check_day(day: date, today: date, pointer: str) -> None:
    """Raises ``Malformed`` for a day to come."""
    errors = since_errors(day, today, pointer)
    if errors:
        raise malformed(errors)


def since_errors(day: date, today: date, pointer: str) -> list[FieldError]:
    """Registration follows what has happened: no day to come."""
    if day > today:
        return [FieldError(pointer, "date_in_future", "日期不能晚于今天，请填写实际发生的日期。")]
    return []


def check_purpose(purpose: str | None) -> str:
    """Why somebody wants plain values; it stands in the audit trail, so it must not repeat them."""
    if purpose is None or not purpose.strip():
        raise _purpose("purpose_required", "查看明文须在 purpose 中写明用途，例如“电话核实家庭情况”。")
    if _NUMBER_LIKE.search(purpose):
        raise _purpose("purpose_has_number", "用途中请勿填写身份证号、电话等号码，请只写事由。")
    return purpose.strip()


def _purpose(code: str, message: str) -> Malformed:
    return Malformed("malformed_request", message, errors=[FieldError("/query/purpose", code, message)])
