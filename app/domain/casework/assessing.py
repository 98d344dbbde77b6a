"""The real assessment of an application: its facts against the registry, the question put to the rules, the answer frozen."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import date
from uuid import UUID

from app.domain.calendar import Month
from app.domain.casework.frozen import document_of, value_of
from app.domain.casework.model import Application, Document, FrozenAssessment, Grant, GrantedComponent, Holding
from app.domain.eligibility import (
    Assessment,
    AssessmentQuestion,
    Component,
    Context,
    Household,
    NoPolicyInForce,
    ParameterBook,
    ProgrammeResult,
    assess,
)
from app.domain.errors import Conflict, FieldError, Malformed
from app.domain.registry import HouseholdSnapshot, MemberSnapshot

LEFT_OUT = "member_left_out"


# --- facts against the registry -----------------------------------------------------------------------------------------


def check_facts(household: Household, snapshot: HouseholdSnapshot) -> None:
    """Everybody registered is listed, nobody else, with the birth date and relation of the registry.

    Raises:
        Malformed: ``facts_differ_from_registry`` with pointers into the household document.

    """
    findings = [*_strangers(household, snapshot), *_omitted(household, snapshot)]
    if findings:
        raise Malformed(
            "facts_differ_from_registry", "家庭成员与登记不一致，请按提示更正，或先办理家庭成员变更。", errors=findings
        )


def _strangers(household: Household, snapshot: HouseholdSnapshot) -> Iterator[FieldError]:
    registered = {str(member.person_id): member for member in snapshot.members}
    for index, member in enumerate(household.members):
        known = registered.get(member.ref)
        if known is None:
            text = "不是该家庭当前登记的成员，请填写成员的人员编号，或先办理入户登记。"
            yield FieldError(f"/members/{index}/ref", "not_a_member", text)
            continue
        if member.birth_date != known.birth_date:
            yield _differs(index, "birth_date", "出生日期")
        if member.relation.value != known.relation:
            yield _differs(index, "relation", "与户主关系")
        if member.gender is not None and member.gender.value != known.gender:
            yield _differs(index, "gender", "性别")


def _differs(index: int, field: str, name: str) -> FieldError:
    return FieldError(f"/members/{index}/{field}", "differs_from_registry", f"{name}与登记不一致，请更正，或先更正登记。")


def _omitted(household: Household, snapshot: HouseholdSnapshot) -> Iterator[FieldError]:
    listed = {member.ref for member in household.members}
    for member in snapshot.members:
        if str(member.person_id) not in listed:
            text = f"漏填家庭成员 {member.name}（ref 应为 {member.person_id}）；不计入的成员也要列出并注明原因（absence）。"
            yield FieldError("/members", "member_missing", text)


def require_unchanged(household: Household, snapshot: HouseholdSnapshot) -> None:
    """The facts still fit the registry on the day of an opinion or a decision.

    Raises:
        Conflict: ``household_changed``.

    """
    try:
        check_facts(household, snapshot)
    except Malformed as error:
        differences = [{"pointer": finding.pointer, "message": finding.message} for finding in error.errors]
        detail = "填报事实之后家庭成员登记有变化，请先退回补正，更新家庭事实后再办理。"
        raise Conflict("household_changed", detail, members={"differences": differences}) from error


def check_consistent(question: AssessmentQuestion, book: ParameterBook) -> None:
    """Refuses facts that contradict themselves, before they are stored.

    Raises:
        Malformed: with pointers into the household document.

    """
    try:
        assess(question, book)
    except NoPolicyInForce:
        return  # an amount can't be told on this day; the opinion will say so
    except Malformed as error:
        findings = [replace(finding, pointer=finding.pointer.removeprefix("/household")) for finding in error.errors]
        raise Malformed(error.code, error.detail, errors=findings) from error


# --- the question and its answer ----------------------------------------------------------------------------------------


def household_of(application: Application) -> Household:
    """The facts put so far.

    Raises:
        Conflict: ``needs_evidence``: none yet.

    """
    if application.facts is None:
        raise needs_evidence([{"pointer": "/household", "message": "请先填报家庭成员、收入和财产等事实。"}])
    return value_of(Household, application.facts)


def needs_evidence(missing: Sequence[dict[str, str]]) -> Conflict:
    what = "；".join(item["message"] for item in missing)
    return Conflict("needs_evidence", f"还缺少作出结论所需的事实：{what}", members={"missing": list(missing)})


def question_of(application: Application, household: Household, holdings: Iterable[Holding], on: date) -> AssessmentQuestion:
    """The question of contract §4; what members draw already comes from our own entitlements."""
    holds = [{"member": str(held.person_id), "programme": held.programme} for held in holdings]
    document = {
        "business_date": on.isoformat(),
        "area_code": application.area_code,
        "residence": application.residence,
        "programmes": [application.programme],
        "household": {"members": []},
    }
    question = value_of(AssessmentQuestion, document)
    return replace(question, household=household, context=value_of(Context, {"holds": holds}))


def freeze(assessment_id: UUID, question: AssessmentQuestion, assessment: Assessment) -> FrozenAssessment:
    """The answer as it is kept, from which a replay computes the same again."""
    result = result_of(question, assessment)
    inputs = document_of(question)
    inputs["context"] = {name: part for name, part in inputs["context"].items() if part is not None}
    return FrozenAssessment(
        id=assessment_id,
        programme=result.programme,
        business_date=question.business_date,
        policy_version=assessment.policy_version,
        engine_version=assessment.engine_version,
        inputs=inputs,
        result=document_of(result),
        parameters=tuple(document_of(row) for row in assessment.parameters_used),
        outcome=result.outcome.value,
        monthly_fen=result.monthly_fen,
        notice=assessment.notice,
    )


def result_of(question: AssessmentQuestion, assessment: Assessment) -> ProgrammeResult:
    (programme,) = question.programmes or ()
    return assessment.of(programme)


DECISIVE = ("outcome", "monthly_fen", "components")


def require_same(posted: FrozenAssessment, now: FrozenAssessment) -> None:
    """What is decided is what the opinion said and the notice showed.

    Raises:
        Conflict: ``assessment_changed``, with both results.

    """
    if all(posted.result[name] == now.result[name] for name in DECISIVE):
        return
    shown: dict[str, object] = {"opinion": _brief(posted), "decision_date": _brief(now)}
    detail = "按决定日重新测算的结论与初审意见不同，请由民政工作站重新提出初审意见（拟予保障的须重新公示）后再决定。"
    raise Conflict("assessment_changed", detail, members=shown)


def _brief(frozen: FrozenAssessment) -> dict[str, object]:
    return {"business_date": frozen.business_date.isoformat()} | {name: frozen.result[name] for name in DECISIVE}


# --- what a confirmation grants -----------------------------------------------------------------------------------------


def grant_of(application: Application, household: Household, result: ProgrammeResult) -> Grant:
    """From the month the rule names, for the members it counted."""
    if result.starts_month is None:
        raise ValueError("an eligible result names the month it starts in")
    left_out = {step.member for step in result.trace if step.step == LEFT_OUT}
    return Grant(
        programme=application.programme,
        category=application.residence,
        since_month=Month.parse(result.starts_month).first_day,
        next_review_on=result.next_review_on,
        covered=tuple(UUID(member.ref) for member in household.members if member.ref not in left_out),
        components=payable(result.components),
    )


def payable(components: Iterable[Component]) -> tuple[GrantedComponent, ...]:
    """Components as they are paid: what a rule takes off (a refused job's share) lessens the household's base."""
    components = tuple(components)
    taken_off = sum(component.amount_fen for component in components if component.amount_fen < 0)
    granted = [
        GrantedComponent(component.kind, UUID(component.member) if component.member else None, component.amount_fen)
        for component in components
        if component.amount_fen >= 0
    ]
    base = next(component for component in granted if component.person_id is None)
    if base.amount_fen + taken_off < 0:
        raise ValueError("a rule took off more than the household's base")
    return tuple(replace(one, amount_fen=one.amount_fen + taken_off) if one is base else one for one in granted)


def applicant_of(snapshot: HouseholdSnapshot, person_id: UUID) -> MemberSnapshot | None:
    return next((member for member in snapshot.members if member.person_id == person_id), None)


def members_counted(result: Document) -> int:
    """How many members the frozen result counted."""
    return next(int(step["value"]) for step in result["trace"] if step["step"] == "household_size")
