"""Facts that contradict themselves are refused at the door, with a JSON pointer for each (422)."""

from __future__ import annotations

from collections.abc import Iterator

from app.domain.eligibility.facts import AssessmentQuestion, IncomeKind, Member, Relation
from app.domain.eligibility.programme import Catalogue
from app.domain.errors import FieldError, Malformed

GRADES = range(1, 5)  # GB/T 26341
SELF_CARE_ITEMS = range(7)  # six items (民发〔2021〕43号 第二十一条)

_UNIQUE_RELATIONS = {Relation.HEAD: ("two_heads", "户主"), Relation.SPOUSE: ("two_spouses", "户主的配偶")}


def check_question(question: AssessmentQuestion, catalogue: Catalogue) -> None:
    """Refuse contradictory facts, all at once.

    Raises:
        Malformed: 422 ``malformed_facts`` with one error per field.

    """
    errors = [
        *_programme_errors(question, catalogue),
        *_member_errors(question),
        *_amount_errors(question),
        *_context_errors(question),
    ]
    if errors:
        raise Malformed("malformed_facts", "测算事实有误，请按提示逐项更正后重新提交。", errors=errors)


def _programme_errors(question: AssessmentQuestion, catalogue: Catalogue) -> Iterator[FieldError]:
    for index, code in enumerate(question.programmes or ()):
        if code not in catalogue.codes:
            yield FieldError(
                f"/programmes/{index}", "unknown_programme", f"没有项目“{code}”，可用：{'、'.join(catalogue.codes)}。"
            )


def _member_errors(question: AssessmentQuestion) -> Iterator[FieldError]:
    members = question.household.members
    if not any(member.relation is Relation.HEAD for member in members):
        yield FieldError("/household/members", "head_missing", "家庭成员中须有一名户主（relation 为 head）。")
    refs: set[str] = set()
    relations: set[Relation] = set()
    for index, member in enumerate(members):
        pointer = f"/household/members/{index}"
        if member.ref in refs:
            yield FieldError(f"{pointer}/ref", "duplicate_ref", f"成员编号“{member.ref}”重复，请为每名成员使用不同的编号。")
        if member.relation in relations and member.relation in _UNIQUE_RELATIONS:
            code, who = _UNIQUE_RELATIONS[member.relation]
            yield FieldError(f"{pointer}/relation", code, f"一个家庭只能有一名{who}，请更正与户主关系。")
        refs.add(member.ref)
        relations.add(member.relation)
        yield from _range_errors(member, pointer, question)


def _range_errors(member: Member, pointer: str, question: AssessmentQuestion) -> Iterator[FieldError]:
    if member.birth_date > question.business_date:
        yield FieldError(f"{pointer}/birth_date", "birth_date_in_future", "出生日期不能晚于业务日期。")
    if member.disability is not None and member.disability.grade not in GRADES:
        yield FieldError(f"{pointer}/disability/grade", "out_of_range", "残疾等级应为 1 至 4。")
    if member.self_care_failed_items not in SELF_CARE_ITEMS:
        yield FieldError(f"{pointer}/self_care_failed_items", "out_of_range", "自理能力不达标项数应为 0 至 6。")
    if member.job_offers_refused < 0:
        yield FieldError(f"{pointer}/job_offers_refused", "negative", "拒绝就业次数不能为负。")


def _amount_errors(question: AssessmentQuestion) -> Iterator[FieldError]:
    for pointer, amount in _amounts(question):
        if amount is not None and amount < 0:
            yield FieldError(pointer, "negative_amount", "金额不能为负（只有经营净收入可以为负）。")


def _amounts(question: AssessmentQuestion) -> Iterator[tuple[str, int | None]]:
    household = question.household
    yield "/household/deductible_monthly_fen", household.deductible_monthly_fen
    for index, member in enumerate(household.members):
        for number, income in enumerate(member.incomes):
            if income.kind is not IncomeKind.BUSINESS_NET:
                yield f"/household/members/{index}/incomes/{number}/monthly_fen", income.monthly_fen
    for index, asset in enumerate(household.assets or ()):
        yield f"/household/assets/{index}/value_fen", asset.value_fen
        yield f"/household/assets/{index}/exempt_fen", asset.exempt_fen
    for index, expense in enumerate(household.expenses or ()):
        yield f"/household/expenses/{index}/amount_fen", expense.amount_fen
        yield f"/household/expenses/{index}/reimbursed_fen", expense.reimbursed_fen
        yield f"/household/expenses/{index}/public_tuition_fen", expense.public_tuition_fen
    for index, holding in enumerate(question.context.holds or ()):
        yield f"/context/holds/{index}/monthly_fen", holding.monthly_fen


def _context_errors(question: AssessmentQuestion) -> Iterator[FieldError]:
    refs = {member.ref for member in question.household.members}
    context = question.context
    for index, holding in enumerate(context.holds or ()):
        if holding.member not in refs:
            yield _unknown_member(f"/context/holds/{index}/member", holding.member)
    for index, parent in enumerate(context.parents or ()):
        if parent.child is not None and parent.child not in refs:
            yield _unknown_member(f"/context/parents/{index}/child", parent.child)
    for index, veteran in enumerate(context.veterans or ()):
        if veteran.member not in refs:
            yield _unknown_member(f"/context/veterans/{index}/member", veteran.member)


def _unknown_member(pointer: str, ref: str) -> FieldError:
    return FieldError(pointer, "unknown_member", f"家庭成员中没有编号“{ref}”，请核对。")
