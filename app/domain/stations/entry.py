"""Checks of what is entered about a station that need nothing but the entry and the day.

Every check answers with all its findings at once. Figures that don't agree with one another are refused with the sums shown: the
tables of the source documents didn't (659 = 461 + 188?), and nobody noticed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date

from app.domain.errors import FieldError
from app.domain.identity import IdentityFault, find_name_fault, mentions_number, parse_phone
from app.domain.money import yuan_text
from app.domain.stations import refusals
from app.domain.stations.records import (
    MONTHS,
    Archives,
    Budget,
    CommunityOffice,
    InformantDetails,
    LeadsAs,
    Meeting,
    Rules,
    StaffDetails,
    StationContent,
    StationDetails,
    Training,
    Volunteers,
)


def check_station(details: StationDetails, today: date) -> None:
    """Raises ``Malformed`` with every finding. The telephone stays as it is written: people read it."""
    errors = [*refusals.check_past(details.opened_on, today, "/opened_on"), *_blank(details.name, "/name")]
    if details.phone is not None:
        try:
            parse_phone(details.phone)
        except IdentityFault as fault:
            errors.append(fault.at("/phone"))
    _refuse(errors)


def leads_as_of(given: LeadsAs | None, leader: bool | None, position: str) -> LeadsAs | None:
    """Head or deputy, where an entry only says ``leader`` as fact sheets do: by the words of the position.

    Raises ``Malformed``.
    """
    if leader is None or (leader and given is not None):
        return given
    if not leader:
        if given is not None:
            raise refusals.malformed([FieldError("/leader", "leader_differs", "leader 为 false，leads_as 却有值，请核对。")])
        return None
    if "副站长" in position:
        return "deputy"
    if "站长" in position:
        return "head"
    text = "岗位中没有写明站长还是副站长，请在 leads_as 中填写 head（站长）或 deputy（副站长）。"
    raise refusals.malformed([FieldError("/leads_as", "required", text)])


def check_staff(details: StaffDetails, today: date) -> None:
    """Raises ``Malformed``: days to come, an empty name; ``contradictory_facts`` for a filing without a passed examination."""
    errors = [*_name(details.name), *refusals.check_past(details.since, today, "/since")]
    errors += refusals.check_past(details.consulted_on, today, "/consulted_on")
    _refuse([*errors, *refusals.check_past(details.filed_on, today, "/filed_on")])
    if details.filed_on is not None and not details.exam_passed:
        text = f"填了备案日期 {details.filed_on}，但未填考试合格；备案须在考试合格之后。"
        raise refusals.contradictory([FieldError("/filed_on", "filed_without_exam", text)])
    if details.consulted_on is not None and details.consulted_on > details.since:
        text = f"征求意见日期 {details.consulted_on} 晚于任职日期 {details.since}；人员调整须事先征求区民政局意见。"
        raise refusals.contradictory([FieldError("/consulted_on", "consulted_too_late", text)])


def check_reason(reason: str) -> None:
    """It stands in the audit trail, which holds no numbers of people. Raises ``Malformed``."""
    if mentions_number(reason):
        _refuse([FieldError("/reason", "number_in_text", "请勿在原因中填写身份证号、电话等号码，请只写事由。")])


def checked_informant(details: InformantDetails, today: date) -> InformantDetails:
    """The entry with its phone normalised. Raises ``Malformed`` with every finding."""
    errors = [*_name(details.name), *refusals.check_past(details.since, today, "/since")]
    phone = details.phone
    try:
        phone = None if phone is None else parse_phone(phone)
    except IdentityFault as fault:
        errors.append(fault.at("/phone"))
    _refuse(errors)
    return replace(details, phone=phone)


def check_sheet(content: StationContent | CommunityOffice, valid_from: date, today: date) -> None:
    """Raises ``Malformed``: a day to come, a code twice; ``contradictory_facts`` with the sums."""
    _refuse([*refusals.check_past(valid_from, today, "/valid_from"), *_form_errors(content, today)])
    contradictions = _contradictions(content)
    if contradictions:
        raise refusals.contradictory(contradictions)


def check_event(content: Training | Meeting, today: date) -> None:
    """Raises ``Malformed``; ``contradictory_facts`` when more came than were invited."""
    _refuse(refusals.check_past(content.held_on, today, "/held_on"))
    if isinstance(content, Meeting) and content.attended > content.invited:
        text = f"到会 {content.attended} 人，多于应到 {content.invited} 人。"
        raise refusals.contradictory([FieldError("/attended", "more_than_invited", text)])


def _form_errors(content: StationContent | CommunityOffice, today: date) -> list[FieldError]:
    if isinstance(content, Rules):
        return [*_repeated(content.rules, "/rules"), *_repeated(content.signage, "/signage")]
    if isinstance(content, CommunityOffice):
        return _repeated(content.rooms, "/rooms")
    if isinstance(content, Volunteers):
        return refusals.check_past(content.emergency_plan_on, today, "/emergency_plan_on")
    if isinstance(content, Budget):
        return [*_months_to_come(content, today), *_years_to_come(content, today)]
    return []


def _months_to_come(budget: Budget, today: date) -> list[FieldError]:
    reached = MONTHS if budget.year < today.year else today.month if budget.year == today.year else 0
    if any(budget.disbursed_fen[reached:]):
        when = f"{budget.year} 年 {reached} 月以后的月份还未到" if reached else f"{budget.year} 年还未开始"
        text = f"{when}，不能填报拨付；请删去。"
        return [FieldError("/disbursements", "date_in_future", text)]
    return []


def _years_to_come(budget: Budget, today: date) -> list[FieldError]:
    if budget.year > today.year + 1:
        return [FieldError("/year", "date_in_future", f"最多填报到 {today.year + 1} 年度的预算，请核对年度。")]
    return []


def _contradictions(content: StationContent | CommunityOffice) -> list[FieldError]:
    if isinstance(content, Archives):
        return [
            FieldError(f"/{name}", "more_than_total", f"{text} {part} 份，多于档案总数 {content.total} 份。")
            for name, text, part in (("bound", "已装订", content.bound), ("digitised", "已数字化", content.digitised))
            if part > content.total
        ]
    if isinstance(content, Budget):
        paid = sum(amount or 0 for amount in content.disbursed_fen)
        if paid > content.amount_fen:
            text = f"各月拨付合计 {yuan_text(paid)} 元，多于全年预算 {yuan_text(content.amount_fen)} 元。"
            return [FieldError("/disbursements", "more_than_budget", text)]
    if isinstance(content, Volunteers) and content.emergency_plan_on is not None and not content.emergency_plan:
        text = f"填了应急预案日期 {content.emergency_plan_on}，但又填没有应急预案。"
        return [FieldError("/emergency_plan_on", "plan_without_plan", text)]
    return []


def _repeated(codes: Sequence[str], pointer: str) -> list[FieldError]:
    return [
        FieldError(f"{pointer}/{place}", "repeated", "同一项填写了两次，请删除重复的一项。")
        for place, code in enumerate(codes)
        if code in codes[:place]
    ]


def _name(name: str) -> list[FieldError]:
    fault = find_name_fault(name)
    return [] if fault is None else [FieldError("/name", "name_wrong", fault)]


def _blank(text: str, pointer: str) -> list[FieldError]:
    return [] if text.strip() else [FieldError(pointer, "too_short", "不能为空白，请填写。")]


def _refuse(errors: Iterable[FieldError]) -> None:
    found = list(errors)
    if found:
        raise refusals.malformed(found)
