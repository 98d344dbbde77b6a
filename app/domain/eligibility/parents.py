"""What is known of a child's parents, and what each circumstance means (国办发〔2010〕54号, 民发〔2019〕62号 一)."""

from __future__ import annotations

from app.domain.eligibility.case import Case
from app.domain.eligibility.facts import Disability, Member, ParentFact, ParentStatus, Relation
from app.domain.eligibility.household import ADULT_AGE
from app.domain.eligibility.ruling import Ruling

BOTH = 2
MIN_MONTHS = 6  # "6个月以上": the number itself included
MILDEST_MENTAL_GRADE = 4  # 三、四级精神、智力残疾 count as 重残 here

GONE = (ParentStatus.DEAD, ParentStatus.MISSING)
_LASTING = (ParentStatus.IMPRISONED, ParentStatus.COMPULSORY_REHAB, ParentStatus.RESTRICTED, ParentStatus.LOST_CONTACT)

_TEXT = {
    ParentStatus.DEAD: "死亡",
    ParentStatus.MISSING: "失踪",
    ParentStatus.SEVERE_DISABILITY: "重残",
    ParentStatus.SERIOUS_ILLNESS: "重病",
    ParentStatus.IMPRISONED: "服刑在押",
    ParentStatus.COMPULSORY_REHAB: "强制隔离戒毒",
    ParentStatus.RESTRICTED: "被执行其他限制人身自由的措施",
    ParentStatus.LOST_CONTACT: "失联",
    ParentStatus.ABLE: "有抚养能力",
}


def may_be_child(case: Case, member: Member) -> bool:
    """A member the child programmes may mean: a minor, or a child or grandchild of the household."""
    return case.age(member) < ADULT_AGE or member.relation in (Relation.CHILD, Relation.GRANDCHILD)


def parents_of(case: Case, ruling: Ruling, child: Member) -> tuple[ParentFact, ...] | None:
    """The two parents' circumstances; None (and a missing fact) while fewer than two are known."""
    facts = case.context.parents or ()
    own = tuple(parent for parent in facts if parent.child == child.ref) or tuple(
        parent for parent in facts if parent.child is None
    )
    for parent in own:
        because = f"父母一方{_TEXT[parent.status]}" + (f" {parent.months} 个月" if parent.months is not None else "")
        ruling.note("parent_status", parent.status.value, "unsupported_target", because, child.ref)
    if len(own) < BOTH:
        ruling.lack("/context/parents", "请补充父母双方的情况及证明。")
        return None
    return own


def is_gone(parent: ParentFact) -> bool:
    return parent.status in GONE


def cannot_raise(parent: ParentFact) -> bool | None:
    """One of the circumstances in which a parent can't bring up the child; None while its duration is unknown."""
    match parent.status:
        case ParentStatus.SERIOUS_ILLNESS:
            return True
        case ParentStatus.SEVERE_DISABILITY:
            return parent.disability is None or _severe(parent.disability)
        case status if status in _LASTING:
            return None if parent.months is None else parent.months >= MIN_MONTHS
        case _:
            return False


def _severe(disability: Disability) -> bool:
    return disability.severe or (disability.intellectual_or_mental and disability.grade <= MILDEST_MENTAL_GRADE)
