"""The use cases of casework, told in order: take the application, check, decide, save. One transaction, committed at the edge.

Every act locks its application first, so that of two at once the second finds the new state and is refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from uuid import UUID

from app.domain.calendar import notice_period
from app.domain.casework.assessing import (
    check_consistent,
    check_facts,
    grant_of,
    household_of,
    members_counted,
    needs_evidence,
    question_of,
    require_same,
)
from app.domain.casework.clocks import ClockKind
from app.domain.casework.desk import Desk, Standing
from app.domain.casework.frozen import document_of
from app.domain.casework.model import Application, Decision, FrozenAssessment, Happening, NoticeContent, PublicNotice
from app.domain.casework.workflow import FACTS_EDITABLE, Act, State, wrong_state
from app.domain.eligibility import Household, Outcome
from app.domain.errors import Conflict, FieldError, Malformed
from app.domain.registry import HouseholdSnapshot


@dataclass(frozen=True, slots=True)
class Draft:
    """What a new application starts with; the applicant is the head unless another member is named."""

    household_id: UUID
    programme: str
    applicant_person_id: UUID | None = None
    facts: Household | None = None


# --- drafting -----------------------------------------------------------------------------------------------------------


async def create(desk: Desk, draft: Draft) -> Standing:
    """A draft for a household of the caller's area.

    Raises NotFound household_not_found; Conflict already_entitled, application_already_open, household_without_head; Malformed
    for an applicant or facts that don't fit the registry.
    """
    snapshot = await desk.households.snapshot(desk.scope, draft.household_id, desk.today)
    if await desk.entitlements.in_force(desk.scope, draft.household_id, draft.programme):
        raise Conflict("already_entitled", "该家庭已在保，不能重复申请；家庭情况有变化的请办理变更或复核。")
    application = _new_application(desk, draft, snapshot)
    if draft.facts is not None:
        await _check_new_facts(desk, application, draft.facts, snapshot, root="/facts")
        application = replace(application, facts=document_of(draft.facts))
    return await desk.standing(await desk.applications.add(desk.scope, application))


def _new_application(desk: Desk, draft: Draft, snapshot: HouseholdSnapshot) -> Application:
    return Application(
        id=desk.new_id(),
        area_code=snapshot.area_code,
        number="",
        programme=draft.programme,
        household_id=snapshot.household_id,
        applicant_person_id=_applicant(draft, snapshot),
        residence=snapshot.residence,
        state=State.DRAFT,
        facts=None,
        missing_items=(),
        submitted_at=None,
        accepted_on=None,
        opinion_id=None,
        opinion_by=None,
        decision_id=None,
        closed_at=None,
        version=1,
        created_at=desk.now,
        created_by=desk.actor.id,
        updated_at=desk.now,
    )


def _applicant(draft: Draft, snapshot: HouseholdSnapshot) -> UUID:
    if draft.applicant_person_id is None:
        if snapshot.head is None:
            raise Conflict("household_without_head", "该家庭当前没有户主，请先登记户主，或指定申请人。")
        return snapshot.head.person_id
    if all(member.person_id != draft.applicant_person_id for member in snapshot.members):
        finding = FieldError("/applicant_person_id", "not_a_member", "申请人应为该家庭的成员（57号 第四条）。")
        raise Malformed("malformed_request", "申请人不是该家庭的成员。", errors=[finding])
    return draft.applicant_person_id


async def put_facts(desk: Desk, application_id: UUID, expected: int | None, facts: Household) -> Standing:
    """Replaces the facts, before the opinion only; once accepted, it shows that the survey has begun (57号 第十五条)."""
    application = await desk.take(application_id, expected)
    if application.state not in FACTS_EDITABLE:
        raise wrong_state("put-facts", application.state)
    snapshot = await desk.households.snapshot(desk.scope, application.household_id, desk.today)
    await _check_new_facts(desk, application, facts, snapshot)
    changed = replace(application, facts=document_of(facts), residence=snapshot.residence)
    saved = await desk.save(changed, application, Happening("put-facts"))
    if application.state is State.ACCEPTED:
        await desk.stop(saved, ClockKind.START_SURVEY)
    return await desk.standing(saved)


async def _check_new_facts(
    desk: Desk, application: Application, facts: Household, snapshot: HouseholdSnapshot, *, root: str = ""
) -> None:
    try:
        check_facts(facts, snapshot)
        check_consistent(question_of(application, facts, (), desk.today), await desk.rules.book())
    except Malformed as error:
        findings = [replace(finding, pointer=root + finding.pointer) for finding in error.errors]
        raise Malformed(error.code, error.detail, errors=findings) from error


async def submit(desk: Desk, application_id: UUID, expected: int | None, note: str | None) -> Standing:
    application = await desk.take_for(Act.SUBMIT, application_id, expected)
    changed = replace(application, state=State.SUBMITTED, submitted_at=desk.now, missing_items=())
    return await desk.standing(await desk.save(changed, application, Happening(Act.SUBMIT, note)))


async def withdraw(desk: Desk, application_id: UUID, expected: int | None, note: str | None) -> Standing:
    """The applicant takes it back, any time before the decision; a running notice comes down."""
    application = await desk.take_for(Act.WITHDRAW, application_id, expected)
    changed = replace(application, state=State.WITHDRAWN, closed_at=desk.now)
    saved = await desk.save(changed, application, Happening(Act.WITHDRAW, note))
    notice = await desk.applications.find_notice(desk.scope, application.id)
    if notice is not None and notice.closed_on is None:
        await desk.applications.close_notice(desk.scope, notice, desk.today)
    await desk.stop(saved, *ClockKind)
    return await desk.standing(saved)


# --- the station --------------------------------------------------------------------------------------------------------


async def accept(desk: Desk, application_id: UUID, expected: int | None, note: str | None) -> Standing:
    """受理. The clocks start once: those of a first acceptance run on through a later return."""
    application = await desk.take_for(Act.ACCEPT, application_id, expected)
    first = application.accepted_on is None
    changed = replace(application, state=State.ACCEPTED, accepted_on=application.accepted_on or desk.today)
    saved = await desk.save(changed, application, Happening(Act.ACCEPT, note))
    if first:
        await desk.start(saved, ClockKind.START_SURVEY, ClockKind.TOTAL)
    return await desk.standing(saved)


async def return_for_supplement(
    desk: Desk, application_id: UUID, expected: int | None, missing_items: Sequence[str], note: str | None
) -> Standing:
    """一次性告知: all that is missing, at once (57号 第十条). A standing opinion falls."""
    application = await desk.take_for(Act.RETURN_FOR_SUPPLEMENT, application_id, expected)
    items = tuple(dict.fromkeys(missing_items))
    changed = replace(application, state=State.RETURNED, missing_items=items, opinion_id=None, opinion_by=None)
    happening = Happening(Act.RETURN_FOR_SUPPLEMENT, note, {"missing_items": list(items)})
    saved = await desk.save(changed, application, happening)
    await desk.stop(saved, ClockKind.CONFIRM)
    return await desk.standing(saved)


async def give_opinion(desk: Desk, application_id: UUID, expected: int | None, note: str | None) -> Standing:
    """初审意见 on the real assessment of this day (57号 第十九条): inputs and result are frozen with it."""
    application = await desk.take_for(Act.GIVE_OPINION, application_id, expected)
    frozen, result = await desk.assess(application)
    if result.outcome is Outcome.NEEDS_EVIDENCE:
        raise needs_evidence([document_of(missing) for missing in result.missing])
    positive = result.outcome is Outcome.ELIGIBLE
    decision = desk.decision(frozen, "opinion", note)
    await desk.applications.add_decision(desk.scope, application, frozen, decision)
    state = State.OPINION_GIVEN if positive else State.REFUSAL_PROPOSED
    changed = replace(application, state=state, opinion_id=decision.id, opinion_by=desk.actor.id)
    saved = await desk.save(changed, application, Happening(Act.GIVE_OPINION, note, _about(decision)))
    await desk.stop(saved, ClockKind.START_SURVEY, ClockKind.CONFIRM)
    if not positive:
        await desk.start(saved, ClockKind.CONFIRM)
    return await desk.standing(saved)


# --- the public notice --------------------------------------------------------------------------------------------------


async def open_notice(desk: Desk, application_id: UUID, expected: int | None, note: str | None) -> Standing:
    """公示: only what may be published, in the community, for seven days after the day of posting (57号 第十九条、第二十四条)."""
    application = await desk.take_for(Act.OPEN_NOTICE, application_id, expected)
    limits = await desk.limits(application)
    period = notice_period(desk.today, limits.notice_calendar)
    notice = PublicNotice(
        id=desk.new_id(),
        application_id=application.id,
        area_code=application.area_code,
        programme=application.programme,
        content=await _publishable(desk, application),
        posted_on=desk.today,
        last_day=period.last_day,
        closable_from=period.next_act_from,
        closed_on=None,
    )
    await desk.applications.open_notice(desk.scope, notice)
    changed = replace(application, state=State.NOTICE_OPEN)
    saved = await desk.save(changed, application, Happening(Act.OPEN_NOTICE, note, {"notice_id": str(notice.id)}))
    return await desk.standing(saved, notice=notice)


async def _publishable(desk: Desk, application: Application) -> NoticeContent:
    opinion = await desk.opinion_of(application)
    snapshot = await desk.households.snapshot(desk.scope, application.household_id, desk.today)
    applicant = next((member for member in snapshot.members if member.person_id == application.applicant_person_id), None)
    if applicant is None:
        raise Conflict("household_changed", "申请人已不是该家庭的成员，请先退回补正或撤回后由其他成员申请。")
    return NoticeContent(
        applicant_name=applicant.name,
        members_count=members_counted(opinion.result),
        proposed_monthly_fen=opinion.monthly_fen or 0,
        community=await desk.rules.area_name(application.area_code),
    )


async def close_notice(desk: Desk, application_id: UUID, expected: int | None, note: str | None) -> Standing:
    """The full time has passed; the district's ten working days begin (57号 第二十条)."""
    application = await desk.take_for(Act.CLOSE_NOTICE, application_id, expected)
    notice = await desk.applications.find_notice(desk.scope, application.id)
    if notice is None or notice.closed_on is not None:
        raise wrong_state(Act.CLOSE_NOTICE, application.state)
    _require_over(notice, desk.today)
    await desk.applications.close_notice(desk.scope, notice, desk.today)
    changed = replace(application, state=State.NOTICE_CLOSED)
    saved = await desk.save(changed, application, Happening(Act.CLOSE_NOTICE, note, {"notice_id": str(notice.id)}))
    await desk.start(saved, ClockKind.CONFIRM)
    return await desk.standing(saved, notice=replace(notice, closed_on=desk.today))


def _require_over(notice: PublicNotice, today: date) -> None:
    earliest = notice.closed_on or notice.closable_from
    if today < earliest:
        detail = f"公示须满七天，最早可于 {earliest.isoformat()} 办理，请届时再办。"
        raise Conflict("notice_period_running", detail, members={"closable_from": earliest.isoformat()})


# --- the decision -------------------------------------------------------------------------------------------------------


async def confirm(desk: Desk, application_id: UUID, expected: int | None, note: str | None) -> Standing:
    """确认, by somebody else than whoever gave the opinion, on the same result; from next month on (57号 第二十、二十一条)."""
    application = await desk.take_for(Act.CONFIRM, application_id, expected)
    notice = await desk.applications.find_notice(desk.scope, application.id)
    if notice is not None:
        _require_over(notice, desk.today)
    frozen, result = await desk.assess(application)
    require_same(await desk.opinion_of(application), frozen)
    decision = desk.decision(frozen, "confirmation", note)
    saved = await _decide(desk, application, frozen, decision, Act.CONFIRM, State.CONFIRMED)
    grant = grant_of(application, household_of(application), result)
    entitlement_id = await desk.entitlements.grant(desk.scope, saved, grant)
    return await desk.standing(saved, entitlement_id=entitlement_id)


async def refuse(desk: Desk, application_id: UUID, expected: int | None, reason: str | None) -> Standing:
    """不予确认, with the assessment's reasons, or, against a positive opinion, with a stated one (57号 第二十一条)."""
    application = await desk.take_for(Act.REFUSE, application_id, expected)
    frozen, _ = await desk.assess(application)
    if application.state is State.REFUSAL_PROPOSED:
        require_same(await desk.opinion_of(application), frozen)
    elif reason is None:
        finding = FieldError("/reason", "required", "初审拟予保障的，不予确认须写明理由和依据条款。")
        raise Malformed("malformed_request", "请写明不予确认的理由。", errors=[finding])
    decision = desk.decision(frozen, "refusal", reason)
    saved = await _decide(desk, application, frozen, decision, Act.REFUSE, State.REFUSED)
    await desk.start(saved, ClockKind.REFUSAL_NOTICE)
    return await desk.standing(saved)


async def _decide(
    desk: Desk, application: Application, frozen: FrozenAssessment, decision: Decision, act: Act, state: State
) -> Application:
    await desk.applications.add_decision(desk.scope, application, frozen, decision)
    changed = replace(application, state=state, decision_id=decision.id, closed_at=desk.now)
    saved = await desk.save(changed, application, Happening(act, decision.text, _about(decision)))
    await desk.stop(saved, *ClockKind)
    return saved


def _about(decision: Decision) -> dict[str, str]:
    return {"decision_id": str(decision.id), "assessment_id": str(decision.assessment_id), "outcome": decision.outcome}
