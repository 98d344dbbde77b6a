"""Who counts as 共同生活的家庭成员 (民发〔2021〕57号 第七条)."""

from __future__ import annotations

from dataclasses import dataclass

from app.domain.eligibility.facts import Absence, Member, Relation, Study
from app.domain.eligibility.ruling import Ruling

_ABSENCE_TEXT = {
    Absence.IMPRISONED: "在监狱服刑，不计入共同生活的家庭成员",
    Absence.COMPULSORY_REHAB: "在强制隔离戒毒，不计入共同生活的家庭成员",
    Absence.MISSING: "被宣告失踪，不计入共同生活的家庭成员",
    Absence.RELIGIOUS_3Y: "连续三年以上脱离家庭的宗教教职人员，不计入共同生活的家庭成员",
    Absence.OTHER_HOUSEHOLD: "属于另一家庭，不计入共同生活的家庭成员",
}
_POSTGRADUATE_TEXT = "已成年在读研究生，不属于全日制本科及以下在校子女，不计入"
ADULT_AGE = 18


@dataclass(frozen=True, slots=True)
class Membership:
    """The members that count, and those left out with the reason in Chinese."""

    counted: tuple[Member, ...]
    left_out: tuple[tuple[Member, str], ...]

    @property
    def size(self) -> int:
        return len(self.counted)

    def note_on(self, ruling: Ruling) -> None:
        for member, why in self.left_out:
            ruling.note("member_left_out", member.ref, "household_members", why, member.ref)
        ruling.note("household_size", self.size, "household_members", f"共同生活的家庭成员 {self.size} 人")


def membership(members: tuple[Member, ...], ages: dict[str, int]) -> Membership:
    """Sort the members by the rule; ``ages`` holds completed years by member ref."""
    reasons = [(member, _why_left_out(member, ages[member.ref])) for member in members]
    return Membership(
        counted=tuple(member for member, why in reasons if why is None),
        left_out=tuple((member, why) for member, why in reasons if why is not None),
    )


def _why_left_out(member: Member, age: int) -> str | None:
    if member.absence is not None:
        return _ABSENCE_TEXT[member.absence]
    if member.study is Study.POSTGRADUATE and age >= ADULT_AGE and member.relation not in (Relation.HEAD, Relation.SPOUSE):
        return _POSTGRADUATE_TEXT
    return None
